"""Trees whose content is in files: a work tree, and a plain directory outside of any repository."""

import os
from collections.abc import Iterable, Iterator
from stat import S_ISDIR, S_ISLNK, S_ISREG

from gitops_guard.errors import RepoError
from gitops_guard.repo.tree import (
    MODE_SYMLINK,
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

_CHUNK = 1 << 20

FileEntry = tuple[bytes, int, bytes | None, int]
"""Path, Git's mode, the raw id of the file's own bytes or None, size in bytes; as `worktree_snapshot` gives it."""


class FileTree:
    """Files under a directory, listed once when the tree is opened; keeps the promises of `Tree`."""

    def __init__(self, root: str, entries: Iterable[FileEntry], *, label: str, max_bytes: int) -> None:
        self._root = os.fsencode(root)
        self._entries = {entry[0]: entry for entry in entries}
        self._label = label
        self._max_bytes = max_bytes
        self._real_directories = {b""}

    @property
    def label(self) -> str:
        """Return `work tree` or `directory NAME`."""
        return self._label

    def entries(self) -> Iterator[TreeEntry]:
        """Yield every file, link and submodule, sorted by the path's bytes."""
        for path in sorted(self._entries):
            _, mode, blob, size_bytes = self._entries[path]
            yield TreeEntry(
                path=path_text(path),
                kind=kind_of(mode),
                executable=is_executable(mode),
                blob_id=blob.hex() if blob is not None else None,
                size=size_bytes if kind_of(mode) is EntryKind.FILE else None,
            )

    def exists(self, path: str) -> bool:
        """Tell whether the path was listed."""
        return path_bytes(path) in self._entries

    def read(self, path: str) -> bytes:
        """Return a file's content as it is now.

        Raises:
            RepoError: The file was not listed, is a link or a submodule, is gone, too large or not readable.
        """
        raw = path_bytes(path)
        entry = self._entries.get(raw)
        if entry is None:
            raise missing(path, self._label)
        kind = kind_of(entry[1])
        if kind is not EntryKind.FILE:
            raise not_a_file(path, kind)
        try:
            self._stay_inside(os.path.dirname(raw), path)
            return self._read(os.path.join(self._root, raw), path)
        except OSError as error:
            raise RepoError(
                f"{shown(path)}: cannot be read ({error.strerror}); check that it exists and who may read it"
            ) from error

    def _read(self, full: bytes, path: str) -> bytes:
        # Not following a link and not waiting for a writer: the name may have become a link or a pipe since it was
        # listed.
        descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            if not S_ISREG(status.st_mode):
                raise RepoError(f"{shown(path)}: is not a regular file; remove it or exclude it in .gitops-guard.yaml")
            if status.st_size > self._max_bytes:
                raise too_large(path, status.st_size, self._max_bytes)
            data = _whole(descriptor, status.st_size, self._max_bytes)
        finally:
            os.close(descriptor)
        if len(data) > self._max_bytes:
            raise too_large(path, len(data), self._max_bytes)
        return data

    def _stay_inside(self, directory: bytes, path: str) -> None:
        """Refuse a path that leads through a linked directory; each directory is looked at once."""
        if directory in self._real_directories:
            return
        names = directory.split(b"/")
        for count in range(1, len(names) + 1):
            parent = b"/".join(names[:count])
            if parent in self._real_directories:
                continue
            if not S_ISDIR(os.lstat(os.path.join(self._root, parent)).st_mode):
                raise RepoError(
                    f"{shown(path)}: {shown(path_text(parent))} is no directory here, and links are not followed; "
                    "`git status` shows what replaced it"
                )
            self._real_directories.add(parent)


def _whole(descriptor: int, size: int, most: int) -> bytes:
    """Return what a file holds, up to one byte more than the most; the size is what it was a moment ago.

    Room is taken for the size, not for the most: that would be mapped and given back for each of thousands of files.
    """
    data = os.read(descriptor, size + 1)
    if len(data) == size:
        return data  # less than asked for: this is its end
    parts, total = [data], len(data)
    while total <= most and (more := os.read(descriptor, _CHUNK)):
        parts.append(more)
        total += len(more)
    return b"".join(parts)


def walk_directory(root: str) -> Iterator[FileEntry]:
    """Yield every file and link under a plain directory, `.git` left out, in no promised order.

    Raises:
        RepoError: A directory cannot be listed.
    """
    pending = [b""]
    top = os.fsencode(root)
    while pending:
        directory = pending.pop()
        try:
            with os.scandir(os.path.join(top, directory)) as items:
                for item in items:
                    path = os.path.join(directory, item.name)
                    if item.is_dir(follow_symlinks=False):
                        if item.name != b".git":
                            pending.append(path)
                        continue
                    yield from _file_entry(path, item.stat(follow_symlinks=False))
        except OSError as error:
            place = shown(path_text(directory)) or root
            raise RepoError(
                f"{place}: cannot be listed ({error.strerror}); check that it exists and who may read it"
            ) from error


def _file_entry(path: bytes, status: os.stat_result) -> Iterator[FileEntry]:
    if S_ISLNK(status.st_mode):
        yield path, MODE_SYMLINK, None, status.st_size
    elif S_ISREG(status.st_mode):  # sockets, pipes and devices are no files to Git either
        yield path, status.st_mode, None, status.st_size
