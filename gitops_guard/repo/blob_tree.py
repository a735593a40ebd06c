"""Trees whose content is in Git's object store: a commit and the index."""

from collections.abc import Iterable, Iterator

from gitops_guard.errors import RepoError
from gitops_guard.repo.objects import Objects, RawEntry
from gitops_guard.repo.tree import (
    EntryKind,
    TreeEntry,
    is_executable,
    kind_of,
    missing,
    not_a_file,
    path_bytes,
    path_text,
    shown,
    too_large,
)


class BlobTree:
    """A commit's or the index's files; keeps the promises of `Tree`."""

    def __init__(
        self,
        entries: Iterable[RawEntry],
        objects: Objects,
        *,
        label: str,
        max_bytes: int,
        unmerged: Iterable[bytes] = (),
    ) -> None:
        self._entries = {entry.path: entry for entry in entries}
        self._objects = objects
        self._label = label
        self._max_bytes = max_bytes
        self._unmerged = frozenset(unmerged)

    @property
    def label(self) -> str:
        """Return `index` or `commit 1a2b3c4`."""
        return self._label

    def entries(self) -> Iterator[TreeEntry]:
        """Yield everything, sorted by the path's bytes; an unmerged path is there once, without an id."""
        for path in sorted({*self._entries, *self._unmerged}):
            if path in self._unmerged:
                yield TreeEntry(path=path_text(path))
                continue
            _, mode, blob = self._entries[path]
            yield TreeEntry(path=path_text(path), kind=kind_of(mode), executable=is_executable(mode), blob_id=blob)

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            RepoError: There is no such file, it is unmerged, a link or a submodule, too large, or its blob is missing.
        """
        raw = path_bytes(path)
        if raw in self._unmerged:
            raise RepoError(
                f"{shown(path)}: is unmerged in the {self._label}; resolve the conflict and `git add` the file"
            )
        entry = self._entries.get(raw)
        if entry is None:
            raise missing(path, self._label)
        kind = kind_of(entry.mode)
        if kind is not EntryKind.FILE:
            raise not_a_file(path, kind)
        size_bytes = self._objects.size(entry.blob)
        if size_bytes > self._max_bytes:
            raise too_large(path, size_bytes, self._max_bytes)
        return self._objects.read(entry.blob)

    def exists(self, path: str) -> bool:
        """Tell whether the path is an entry, merged or not."""
        raw = path_bytes(path)
        return raw in self._entries or raw in self._unmerged
