"""What a repository has stored: commits and blobs. libgit2 reads it, Git's own commands read what libgit2 refuses."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from gitops_guard.errors import RepoError
from gitops_guard.repo.changes import ChangedPath


class RawEntry(NamedTuple):
    """An entry of a commit or of the index, as Git has it. A tuple, because there are ten thousands."""

    path: bytes
    mode: int
    blob: str
    """Id in hex."""


class Objects(Protocol):
    """Commits and blobs of one repository. Ids are hex, of 40 or 64 digits."""

    def commit(self, rev: str) -> str | None:
        """Return the id of the commit that a revision names, or None."""

    def entries(self, commit: str) -> Iterable[RawEntry]:
        """Yield what a commit holds, all directories down, in no promised order."""

    def size(self, blob: str) -> int:
        """Return a blob's size in bytes without loading it.

        Raises:
            RepoError: The blob is missing.
        """

    def read(self, blob: str) -> bytes:
        """Return a blob's content.

        Raises:
            RepoError: The blob is missing or damaged.
        """

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor of two commits, or None."""

    def changes(self, base: str, head: str) -> Iterable[ChangedPath]:
        """Yield what differs between two commits, in no promised order."""


def refusal(top: str, message: str) -> RepoError:
    """Return the error for a repository that Git refuses, with Git's own words where they say enough."""
    if "dubious ownership" in message:
        return RepoError(
            f"{top}: the repository belongs to another user, so Git refuses to read it; "
            f"if you trust it, run: git config --global --add safe.directory {top}"
        )
    return RepoError(
        f"{top}: {message.removeprefix('fatal: ')}; `git status` there shows whether Git can read the repository"
    )


def missing_object(top: str, blob: str) -> RepoError:
    """Return the error for an object that the repository should have."""
    return RepoError(
        f"{top}: object {blob} is missing or damaged; run `git fsck`, and `git fetch` if the clone is partial"
    )
