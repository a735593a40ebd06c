"""A tree in memory: for stdin, for rendered text, for tests of everything that reads trees."""

from collections.abc import Iterator, Mapping

from gitops_guard.repo.index import blob_id
from gitops_guard.repo.tree import MAX_BYTES, TreeEntry, missing, path_bytes, too_large


class MemoryTree:
    """Files given as a mapping from path to content; keeps the promises of `Tree`.

    Example:
        >>> MemoryTree({"apps/web.yaml": b"kind: Service"}).read("apps/web.yaml")
        b'kind: Service'
    """

    def __init__(self, files: Mapping[str, bytes], *, label: str = "memory", max_bytes: int = MAX_BYTES) -> None:
        self._files = dict(files)
        self._label = label
        self._max_bytes = max_bytes

    @property
    def label(self) -> str:
        """Return the name that was given."""
        return self._label

    def entries(self) -> Iterator[TreeEntry]:
        """Yield every file, sorted by the path's bytes."""
        for path in sorted(self._files, key=path_bytes):
            data = self._files[path]
            yield TreeEntry(path=path, blob_id=blob_id(data).hex(), size=len(data))

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            RepoError: There is no such file, or it is above the limit.
        """
        data = self._files.get(path)
        if data is None:
            raise missing(path, self._label)
        if len(data) > self._max_bytes:
            raise too_large(path, len(data), self._max_bytes)
        return data

    def exists(self, path: str) -> bool:
        """Tell whether the path was given."""
        return path in self._files
