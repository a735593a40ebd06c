"""A tree: one readable snapshot of files (commit, index, work tree, directory, memory). Knows nothing of manifests.

Every tree keeps the same promises, whatever stands behind it:

* Paths are relative to the tree's root, use `/`, and are sorted by their bytes, as Git sorts them. A name that is not
  UTF-8 holds surrogate escapes (`os.fsdecode`'s way), so every name survives the round trip; printing it needs
  `errors="backslashreplace"`.
* Nothing is read outside of the tree. Symbolic links and submodules are listed, so that coverage can name them, and
  never followed: a link to a file of the same tree would only give that file a second time, and a link out of it is
  the classic way to read `/etc/passwd`.
* A directory is not an entry: `exists` answers for files, links and submodules.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gitops_guard.errors import RepoError

MAX_BYTES = 32 * 1024 * 1024
"""Largest file a tree reads unless told otherwise; etcd refuses objects above 1.5 MiB, so no manifest comes near."""

MODE_TYPE = 0o170000
MODE_SYMLINK = 0o120000
MODE_SUBMODULE = 0o160000


class EntryKind(StrEnum):
    """What an entry is; only files can be read."""

    FILE = "file"
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEntry:
    """One name in a tree."""

    path: str
    """Relative to the tree's root, with `/`: `apps/web/deployment.yaml`."""

    kind: EntryKind = EntryKind.FILE
    """Only a file can be read."""

    executable: bool = False
    """The owner's execute bit."""

    blob_id: str | None = None
    """Git's id, in hex, of exactly the bytes that `read` gives; None when it is not known without reading them.

    A submodule has its commit here, a symbolic link the blob that holds its target.
    """

    size: int | None = None
    """In bytes, where the tree knows it without reading."""


class Tree(Protocol):
    """A readable snapshot; see the module's promises."""

    @property
    def label(self) -> str:
        """Return the snapshot's name for people: `work tree`, `index`, `commit 1a2b3c4`."""

    def entries(self) -> Iterator[TreeEntry]:
        """Yield every file, symbolic link and submodule, sorted by the path's bytes."""

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            RepoError: There is no such file, it is a link or a submodule, it is too large or cannot be read; the
            message says what to do.
        """

    def exists(self, path: str) -> bool:
        """Tell whether the path is an entry (not a directory)."""


def path_bytes(path: str) -> bytes:
    """Return the name as the file system and Git have it, whatever the locale."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, as a manifest may spell one: no file has that name
        return path.encode("utf-8", "surrogatepass")


def path_text(path: bytes) -> str:
    """Return a name's text; bytes that are not UTF-8 become surrogate escapes."""
    return path.decode("utf-8", "surrogateescape")


def shown(path: str) -> str:
    """Return a path that can be printed anywhere: control characters and undecodable bytes are escaped."""
    escaped = path.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in escaped)


def kind_of(mode: int) -> EntryKind:
    """Return what Git's (or lstat's) mode means."""
    if mode & MODE_TYPE == MODE_SYMLINK:
        return EntryKind.SYMLINK
    if mode & MODE_TYPE == MODE_SUBMODULE:
        return EntryKind.SUBMODULE
    return EntryKind.FILE


def is_executable(mode: int) -> bool:
    """Tell whether Git's mode has the execute bit; links and submodules have none."""
    return kind_of(mode) is EntryKind.FILE and bool(mode & 0o100)


def missing(path: str, label: str) -> RepoError:
    """Return the error for a path that the tree does not have."""
    return RepoError(
        f"{shown(path)}: no such file in the {label}; check the spelling, paths are relative to the root and use /"
    )


def not_a_file(path: str, kind: EntryKind) -> RepoError:
    """Return the error for an entry that is never read."""
    if kind is EntryKind.SYMLINK:
        return RepoError(f"{shown(path)}: is a symbolic link, which is not followed; name the file that it points to")
    return RepoError(f"{shown(path)}: is a submodule, which is not entered; run gitops-guard inside that repository")


def too_large(path: str, size_bytes: int, max_bytes: int) -> RepoError:
    """Return the error for a file above the limit."""
    return RepoError(
        f"{shown(path)}: {size_bytes:,} bytes are above the limit of {max_bytes:,}; exclude it in .gitops-guard.yaml"
    )
