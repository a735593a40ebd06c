"""What differs between two snapshots, by path."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gitops_guard.repo.tree import path_bytes, path_text


class ChangeKind(StrEnum):
    """What happened to a path."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPath:
    """One path that differs."""

    path: str
    """The name in the newer snapshot; of a deleted file, the name that it had."""

    kind: ChangeKind

    renamed_from: str | None = None
    """The older name of a renamed file, whose content may have changed too (Git's rule: at least half is the same)."""


# Git's letters: C opies count as new files, T is a changed type (a file became a link), U an unmerged path.
_KINDS = {
    "A": ChangeKind.ADDED,
    "C": ChangeKind.ADDED,
    "M": ChangeKind.MODIFIED,
    "T": ChangeKind.MODIFIED,
    "U": ChangeKind.MODIFIED,
    "D": ChangeKind.DELETED,
    "R": ChangeKind.RENAMED,
}


def changed_path(letter: str, old: bytes, new: bytes) -> ChangedPath:
    """Return one change from Git's status letter and the names on both sides."""
    kind = _KINDS[letter]
    renamed_from = path_text(old) if kind is ChangeKind.RENAMED else None
    return ChangedPath(path=path_text(old if kind is ChangeKind.DELETED else new), kind=kind, renamed_from=renamed_from)


def parse_raw_diff(output: bytes) -> Iterator[ChangedPath]:
    """Yield the changes of `git diff --raw -z`."""
    fields = iter(output.split(b"\0")[:-1])
    for info in fields:
        letter = info.rpartition(b" ")[2][:1].decode("ascii")
        old = next(fields)
        yield changed_path(letter, old, next(fields) if letter in "RC" else old)


def in_order(changes: Iterable[ChangedPath]) -> Sequence[ChangedPath]:
    """Return one change a path, sorted by the path's bytes; Git lists an unmerged path twice."""
    first: dict[str, ChangedPath] = {}
    for change in changes:
        first.setdefault(change.path, change)
    return sorted(first.values(), key=lambda change: path_bytes(change.path))
