"""The clean path's question about rendered units: is it certain that they have nothing to report either?

Imports nothing heavy; a remembered answer costs a look into the index's last bytes.
"""

import os

from gitops_guard.check.telling import (
    CHECKSUM_BYTES,
    MANIFEST_SUFFIXES,
    UNIT_NAMES,
    UNIT_WORDS,
    find_rendered,
    find_speaking,
    index_checksum,
    is_unit_name,
    may_declare,
    rendered_name,
    silent_store,
    tools_stamp,
    tree_digest,
    without_units_name,
)
from gitops_guard.repo.location import common_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gitops_guard.check.clean_store import CleanStore
    from gitops_guard.repo.location import Location
    from gitops_guard.repo.snapshot import SnapshotEntry

    Reader = Callable[[bytes, bytes | None], bytes | None]

_NOTHING = (0, 0)
_READ_AT_MOST = 64
_KIND = 0o170000
_REGULAR = 0o100000


class Question:
    """What has to be known of rendered units before a run may be called clean."""

    __slots__ = ("_cache", "_environment", "_location", "_read", "_store")

    def __init__(
        self,
        location: "Location",
        store: "CleanStore",
        cache: "tuple[str, bytes]",
        environment: "Mapping[str, str]",
        read: "Reader",
    ) -> None:
        """Keep where answers are found.

        Args:
            location: The repository.
            store: The store of clean files; it learns what is found out here.
            cache: Cache folder and the user's key.
            environment: The process's variables.
            read: Reads a file by path and blob id.
        """
        self._location = location
        self._store = store
        self._cache = cache
        self._environment = environment
        self._read = read

    def staged(self, names: "Sequence[bytes] | None") -> "tuple[int, int] | None":
        """Return (objects, units) of the rendered units that staged files have a part in; None when not sure.

        Args:
            names: The files; None for all that is staged: then the files that are gone count too, which are not known.
        """
        try:
            with open(self._location.index_file, "rb") as file:
                file.seek(-CHECKSUM_BYTES, os.SEEK_END)  # all that a known answer needs of some megabytes
                checksum = index_checksum(file.read())
        except OSError:
            return None
        if checksum is None:
            return None
        if self._store.find(without_units_name(checksum)) is not None:
            return _NOTHING
        if names is not None:
            known = find_rendered(self._store, rendered_name(checksum, self._tools(), sorted(set(names))))
            if known is not None:
                return known
        return self._searched(checksum)

    def whole(self, snapshot: "Sequence[SnapshotEntry]") -> "tuple[int, int] | None":
        """Return the same for all units of the work tree, none of whose files is unsure.

        Args:
            snapshot: The work tree's files.
        """
        if not has_unit_names(snapshot):  # files with objects of Flux and Argo CD are never certainly fine
            return _NOTHING
        entries = with_blobs(snapshot, self._read)
        if entries is None:
            return None
        return find_rendered(self._store, rendered_name(tree_digest(entries), self._tools(), ()))

    def some(self) -> "tuple[int, int] | None":
        """Return the same for some files of the work tree: only whether there is anything to render at all."""
        from gitops_guard.repo.snapshot import worktree_snapshot

        assert self._location.work_tree is not None
        snapshot = worktree_snapshot(self._location.work_tree, self._location)
        if snapshot is None or has_unit_names(snapshot):
            return None
        files = [(path, blob) for path, mode, blob, _ in snapshot if mode & _KIND == _REGULAR and may_declare(path)]
        silent = silent_store(*self._cache)
        return _NOTHING if find_speaking(files, self._read, silent, most=_READ_AT_MOST) is False else None

    def _tools(self) -> bytes:
        return tools_stamp(self._environment.get("PATH", os.defpath), git_config(self._location))

    def _searched(self, checksum: bytes) -> "tuple[int, int] | None":
        try:
            with open(self._location.index_file, "rb") as file:
                index = file.read()
        except OSError:
            return None
        if index_checksum(index) != checksum:
            return None  # somebody stages at this moment
        from gitops_guard.repo.index import manifest_entries, parse_index

        if any(word in index for word in UNIT_WORDS):
            entries = parse_index(index)
            if entries is None or any(is_unit_name(entry[0]) for entry in entries):
                return None
        silent = silent_store(*self._cache)
        # What is certainly fine holds built-in kinds alone, so it declares nothing.
        files = manifest_entries(index, silent.names() | self._store.of_manifests(), MANIFEST_SUFFIXES)
        if files is None or find_speaking(files, self._read, silent, most=_READ_AT_MOST) is not False:
            return None
        from gitops_guard.check.clean_store import record

        if self._store.settings is not None:
            self._store.add(record(without_units_name(checksum), 0, 0), self._store.settings)
        return _NOTHING


def git_config(location: "Location") -> str:
    """Return the path of the clone's own configuration file."""
    return os.path.join(common_dir(location.git_dir), "config")


def has_unit_names(snapshot: "Sequence[SnapshotEntry]") -> bool:
    """Tell whether a file of the work tree makes a unit by its name."""
    return any(entry[0].endswith(UNIT_NAMES) and is_unit_name(entry[0]) for entry in snapshot)


def with_blobs(snapshot: "Sequence[SnapshotEntry]", read: "Reader") -> "list[tuple[bytes, bytes]] | None":
    """Return path and blob id of every file of the work tree; None when too many had to be read."""
    from gitops_guard.repo.index import blob_id

    entries: list[tuple[bytes, bytes]] = []
    unknown = 0
    for path, _, blob, _ in snapshot:
        if blob is None:
            unknown += 1
            data = read(path, None) if unknown <= _READ_AT_MOST else None
            if data is None:
                return None
            blob = blob_id(data)
        entries.append((path, blob))
    return entries
