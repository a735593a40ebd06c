"""Objects through libgit2, in process. The only module that imports pygit2, which takes 60 ms: import it late."""

import os
from collections.abc import Iterator
from typing import cast

import pygit2

from gitops_guard.repo.changes import ChangedPath, changed_path
from gitops_guard.repo.location import Location
from gitops_guard.repo.objects import RawEntry, missing_object


def open_with_libgit(location: Location) -> "LibgitObjects | None":
    """Return the repository's objects, or None when only Git itself may know how to read them.

    libgit2 knows no SHA-256, no newer repository extension, cannot fetch what a partial clone left out, and does not
    see every way in which Git can be told to trust another owner's repository.
    """
    try:
        repository = pygit2.Repository(location.git_dir)
        partial = any(entry.name.endswith((".promisor", ".partialclone")) for entry in repository.config)
    except pygit2.GitError:
        return None
    if partial:
        return None
    _add_quarantine(repository, location)
    return LibgitObjects(repository, location.top)


def _add_quarantine(repository: pygit2.Repository, location: Location) -> None:
    """Let a pre-receive hook see the objects that were pushed and are not accepted yet."""
    for name in ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"):
        for directory in filter(None, location.variables.get(name, "").split(os.pathsep)):
            repository.odb.add_disk_alternate(directory)


class LibgitObjects:
    """Commits and blobs by libgit2; see `Objects`."""

    def __init__(self, repository: pygit2.Repository, top: str) -> None:
        self._repository = repository
        self._top = top

    def commit(self, rev: str) -> str | None:
        """Return the id of the commit that a revision names."""
        try:
            return str(self._repository.revparse_single(rev).peel(pygit2.Commit).id)
        except (KeyError, ValueError, pygit2.GitError):
            # Unknown, ambiguous, badly written or not a commit: the caller has one message for all.
            return None

    def entries(self, commit: str) -> Iterator[RawEntry]:
        """Yield what a commit holds; a loop, because directories may nest deeper than Python calls."""
        pending = [(b"", self._tree(commit))]
        while pending:
            prefix, tree = pending.pop()
            for item in tree:
                # An entry of a tree always has a name; the stub speaks for all objects.
                path = prefix + cast(bytes, item.raw_name)
                mode = int(item.filemode)
                if mode == pygit2.enums.FileMode.TREE:
                    pending.append((path + b"/", self._subtree(item)))
                else:
                    yield RawEntry(path, mode, str(item.id))

    def _tree(self, commit: str) -> pygit2.Tree:
        return self._repository[commit].peel(pygit2.Tree)

    def _subtree(self, item: pygit2.Object) -> pygit2.Tree:
        try:
            return self._repository[item.id].peel(pygit2.Tree)
        except (KeyError, pygit2.GitError):
            raise missing_object(self._top, str(item.id)) from None

    def size(self, blob: str) -> int:
        """Return a blob's size in bytes."""
        try:
            _, size_bytes = self._repository.odb.read_header(pygit2.Oid(hex=blob))
        except (KeyError, pygit2.GitError):
            raise missing_object(self._top, blob) from None
        return int(size_bytes)

    def read(self, blob: str) -> bytes:
        """Return a blob's content."""
        try:
            _, data = self._repository.odb.read(pygit2.Oid(hex=blob))
        except (KeyError, pygit2.GitError):
            raise missing_object(self._top, blob) from None
        return bytes(data)

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the best common ancestor."""
        found = self._repository.merge_base(one, other)
        return None if found is None else str(found)

    def changes(self, base: str, head: str) -> Iterator[ChangedPath]:
        """Yield what differs between two commits."""
        diff = self._tree(base).diff_to_tree(self._tree(head), flags=pygit2.enums.DiffOption.INCLUDE_TYPECHANGE)
        diff.find_similar()
        for delta in diff.deltas:
            yield changed_path(delta.status_char(), delta.old_file.raw_path, delta.new_file.raw_path)
