"""The clean path: which files are certainly fine, found with as little work as can be.

A file is certainly fine when its blob is known to be clean, or when the quick reader and the quick schema check both
say so against every target version. Everything else is "unsure" and goes to the full path, which is the authority; it
never overrules what is said here.

Imports nothing heavy; PyYAML only once a file is not in the store.
"""

import os

from gitops_guard.check.clean_store import RECORD_BYTES, CleanStore, record, skipped_name
from gitops_guard.repo.index import blob_id as hash_blob

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Candidate = tuple[bytes, bytes | None, int]
    """Path relative to the root, raw blob id where it is known, size in bytes."""

    Cache = tuple[str, bytes]
    """Folder, and the user's key."""

OUR_NAME = b"gitops-guard"
"""A file that mentions us may hold a suppression, which only the full path understands."""

_TEMPLATE_ACTION = b"{{"
"""Whether that makes a Helm template depends on the path."""

MANIFEST_SUFFIXES = (b".yaml", b".yml", b".json")
_LARGEST_BYTES = 3 << 20
_KIND = 0o170000
_REGULAR = 0o100000
_FOLDER = 0o040000
_UNSURE = 255
_NO_ID = bytes(20)
_KNOWN_UNSURE = 254
"""In the store: the quick checks have been tried on the blob, and only the full path can judge it."""
_NOT_LEARNED = b"\1"
"""Last byte of a record that the store knows already, or shall not know."""
_FORK_FROM = 100
_FEW = 64


class Sweep:
    """What the clean path found out."""

    __slots__ = ("files", "records", "resources", "skipped", "unsure")

    def __init__(self) -> None:
        self.files = 0
        """Files that are certainly fine."""
        self.resources = 0
        """Resources validated in them."""
        self.skipped: list[tuple[bytes, int]] = []
        """Files that are no manifests, with the 1-based index of the reason."""
        self.unsure: list[tuple[bytes, bytes | None]] = []
        """Paths, with blob ids where known, that the full path must judge."""
        self.records: list[bytes] = []
        """What the store should learn."""

    def count(self, path: bytes, resources: int, reason: int) -> None:
        """Count one file that is fine."""
        self.files += 1
        self.resources += resources
        if reason:
            self.skipped.append((path, reason))


def sweep(
    candidates: "Sequence[Candidate]",
    *,
    read: "Callable[[bytes, bytes | None], bytes | None]",
    versions: "Sequence[str]",
    passes: "Callable[[Any], bool] | None" = None,
    cache: "Cache | None",
    store: "CleanStore | None",
    jobs: int,
    progress: "Callable[[int, int], None] | None" = None,
    outlines: "dict[bytes, bytes] | None" = None,
) -> Sweep:
    """Sort files into certainly fine and unsure.

    Args:
        candidates: Files with a manifest's suffix.
        read: Returns a candidate's bytes by path and blob id, or None when it cannot be read here.
        versions: Target minor versions.
        passes: Tells of a valid body whether it certainly passes all policies; None: there is none that it has to.
        cache: Where schemas are kept, and the key that seals them; None for nowhere.
        store: Blobs known to be clean; None for none.
        jobs: Processes, 0 for as many as there are processors; used from a hundred unknown files on.
        progress: Told (chunks begun, chunks) now and then.
        outlines: Learns what the objects of files that are read say about others, by blob id; None: nobody asks.
    """
    result = Sweep()
    unknown = _unknown(candidates, store, result)
    if not unknown:
        return result
    judge = _QuickJudge(unknown, read, versions, passes, cache, store)
    work = judge.chunk
    if outlines is not None:
        from gitops_guard.check.outlining import Outlining  # only where a whole tree is looked at

        work = Outlining(judge).chunk
    if len(unknown) < _FORK_FROM:
        parts = [work(0, len(unknown))]
    else:
        from gitops_guard.check.workers import processors, run_chunks  # a hook's few files need neither

        judge.load()  # before the workers fork, so that they share it
        parts = run_chunks(work, len(unknown), jobs=jobs or processors(), progress=progress)
    if outlines is not None:
        from gitops_guard.check.outlining import unpack

        parts = unpack(parts, outlines)
    for candidate, one in zip(unknown, _records(b"".join(parts)), strict=True):
        reason = one[22]
        if reason == _UNSURE:
            blob = one[:20]
            result.unsure.append((candidate[0], None if blob == _NO_ID else blob))
            one = one[:22] + bytes((_KNOWN_UNSURE,)) + one[23:]
        else:
            result.count(candidate[0], int.from_bytes(one[20:22], "big"), reason)
        if one[-1:] != _NOT_LEARNED:
            result.records.append(one[:RECORD_BYTES])
    return result


def _records(data: bytes) -> "list[bytes]":
    return [data[at : at + RECORD_BYTES] for at in range(0, len(data), RECORD_BYTES)]


def _unknown(candidates: "Sequence[Candidate]", store: "CleanStore | None", result: Sweep) -> "list[Candidate]":
    """Count what the store knows and return the rest."""
    if store is None or store.settings is None:
        return list(candidates)
    look_up = _few(store) if len(candidates) <= _FEW else _many(store)
    unknown = []
    for candidate in candidates:
        known = None if candidate[1] is None else look_up(candidate[0], candidate[1])
        if known is None:
            unknown.append(candidate)
        elif known[1] == _KNOWN_UNSURE:
            result.unsure.append((candidate[0], candidate[1]))
        else:
            result.count(candidate[0], *known)
    return unknown


def _few(store: CleanStore) -> "Callable[[bytes, bytes], tuple[int, int] | None]":
    def look_up(path: bytes, blob: bytes) -> "tuple[int, int] | None":
        known = store.find(blob)
        if known is None or known[1] == _KNOWN_UNSURE:
            known = store.find(skipped_name(path, blob)) or known
        return known

    return look_up


def _many(store: CleanStore) -> "Callable[[bytes, bytes], tuple[int, int] | None]":
    known = store.all()

    def look_up(path: bytes, blob: bytes) -> "tuple[int, int] | None":
        tail = known.get(blob)
        if tail is None or tail[2] == _KNOWN_UNSURE:
            tail = known.get(skipped_name(path, blob), tail)
        return None if tail is None else (tail[0] << 8 | tail[1], tail[2])

    return look_up


class _QuickJudge:
    """Judges files that are in no store; runs in the forked workers too."""

    def __init__(
        self,
        candidates: "Sequence[Candidate]",
        read: "Callable[[bytes, bytes | None], bytes | None]",
        versions: "Sequence[str]",
        passes: "Callable[[Any], bool] | None",
        cache: "Cache | None",
        store: "CleanStore | None",
    ) -> None:
        self._candidates = candidates
        self._read = read
        self._versions = versions
        self._passes = passes
        self._cache = cache
        self._read_plain: Callable[[bytes], list[object] | None] | None = None
        self._checks: list[Callable[[object], bool]] = []
        # Only candidates without a blob id are looked up again; a hook's have all been.
        is_asked = store is not None and store.settings is not None and any(blob is None for _, blob, _ in candidates)
        self._known = store.all() if store is not None and is_asked else {}
        self.on_clean: Callable[[bytes, list[object]], None] | None = None
        """Told the blob id and the bodies of every file that is certainly fine."""

    def chunk(self, start: int, end: int) -> bytes:
        """Return one record for each candidate of the range; `_UNSURE` marks those for the full path."""
        return b"".join([self._one(*self._candidates[number]) for number in range(start, end)])

    def _one(self, path: bytes, blob: "bytes | None", size: int) -> bytes:
        data = self._read(path, blob) if size <= _LARGEST_BYTES else None
        if data is None:  # nothing was tried: in a pack the full path's reader will find it
            return record(blob or _NO_ID, 0, _UNSURE)[:-1] + _NOT_LEARNED
        name = hash_blob(data) if blob is None else blob
        if blob is None and self._known:
            for key in (skipped_name(path, name), name):
                if key in self._known:
                    tail = self._known[key]
                    reason = _UNSURE if tail[2] == _KNOWN_UNSURE else tail[2]
                    return key + tail[:2] + bytes((reason,)) + _NOT_LEARNED
        bodies = None if OUR_NAME in data or _TEMPLATE_ACTION in data else self.load()(data)
        if not bodies or len(bodies) > 65_535:
            return record(name, 0, _UNSURE)
        for is_clean in self._checks:
            for body in bodies:
                if not is_clean(body):
                    return record(name, 0, _UNSURE)
        if self.on_clean is not None:
            self.on_clean(name, bodies)
        return record(name, len(bodies), 0)

    def load(self) -> "Callable[[bytes], list[object] | None]":
        """Load the reader and the schemas, for the first file that is in no store."""
        if self._read_plain is None:
            from gitops_guard.manifest.plain import read_plain
            from gitops_guard.schema.plain import PlainSchemas

            self._read_plain = read_plain
            self._checks = [PlainSchemas(version, self._cache).is_clean for version in self._versions]
            if self._passes is not None:
                self._checks.append(self._passes)  # after the schemas: it takes bodies for valid
        return self._read_plain


def read_file(root: bytes) -> "Callable[[bytes, bytes | None], bytes | None]":
    """Return a reader of the work tree's files: regular ones, not too large; no symbolic link is followed.

    Args:
        root: The work tree, as `os.path.realpath` gives it.
    """
    prefix = root.rstrip(b"/") + b"/"
    # Not waiting for a writer: the name may have become a pipe.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    real = {prefix[:-1] or b"/"}

    def read(path: bytes, _blob: "bytes | None") -> "bytes | None":
        folder = os.path.dirname(prefix + path)
        if folder not in real and not _is_real(folder, real):
            return None
        try:
            descriptor = os.open(prefix + path, flags)
        except OSError:
            return None
        try:
            status = os.fstat(descriptor)
            size = status.st_size
            if status.st_mode & _KIND != _REGULAR or size > _LARGEST_BYTES:
                return None
            data = os.read(descriptor, size + 1)
            return data if len(data) == size else None
        except OSError:
            return None
        finally:
            os.close(descriptor)

    return read


def _is_real(folder: bytes, real: "set[bytes]") -> bool:
    """Tell whether no part of a path is a link or leads back; asks once for each folder, not for each part of each."""
    if folder in real:
        return True
    above, name = os.path.split(folder)
    if name in (b"", b".", b"..") or not _is_real(above, real):
        return False
    try:
        if os.lstat(folder).st_mode & _KIND != _FOLDER:
            return False
    except OSError:
        return False
    real.add(folder)
    return True
