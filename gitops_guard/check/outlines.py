"""The outlines of a tree's objects, remembered by blob in one sealed file, so that a run reads only what is new.

What the clean path reads anyway it outlines in the same breath; only files that it is not sure of are read once more.
"""

import marshal
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from time import time

from gitops_guard.check.seal import SEAL_BYTES, seal
from gitops_guard.check.workers import run_chunks
from gitops_guard.links.outline import packed
from gitops_guard.repo.index import blob_id

_FOLDER = "outlines"
_LARGEST_BYTES = 256 << 20
_FORK_FROM = 100
_MONTH_S = 30 * 86_400
_NOTHING = packed(())

Known = dict[bytes, bytes]
"""Packed outlines by raw blob id."""


class OutlineStore:
    """The outlines of the tree that was looked at last, under one digest of circumstances."""

    def __init__(self, directory: str | None, key: bytes | None, circumstances: bytes) -> None:
        """Keep the place; None for directory or key is nowhere."""
        self._place = None if directory is None or key is None else os.path.join(directory, _FOLDER)
        self._name = f"{circumstances.hex()}.outlines"
        self._circumstances = circumstances
        self._key = key or b""

    def load(self) -> Known:
        """Return what is remembered; nothing where it cannot be believed."""
        if self._place is None:
            return {}
        try:
            with open(os.path.join(self._place, self._name), "rb") as stream:
                data = stream.read(_LARGEST_BYTES)
        except OSError:
            return {}
        mark, content = data[:SEAL_BYTES], data[SEAL_BYTES:]
        if not content or mark != seal(self._key, self._circumstances, content):
            return {}
        known: Known = marshal.loads(content)  # noqa: S302  # sealed with the user's own key
        return known

    def save(self, known: Known) -> None:
        """Remember these and no others; a full disk or a read-only folder loses them, nothing else."""
        if self._place is None:
            return
        content = marshal.dumps(known)
        try:
            os.makedirs(self._place, exist_ok=True)
            _forget_old(self._place)
            descriptor, temporary = tempfile.mkstemp(dir=self._place)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(seal(self._key, self._circumstances, content) + content)
            os.replace(temporary, os.path.join(self._place, self._name))
        except OSError:
            return


def _forget_old(folder: str) -> None:
    """Delete what nobody has written for a month: circumstances that will not come back."""
    oldest_s = time() - _MONTH_S
    for entry in os.scandir(folder):
        if entry.stat().st_mtime < oldest_s:
            os.unlink(entry.path)


def outlined(path: str, data: bytes) -> bytes:
    """Return the packed outlines of a file that the quick reader does not take."""
    from gitops_guard.manifest.classify import is_helm_template, unfold  # not needed while all are remembered
    from gitops_guard.manifest.loader import load

    if is_helm_template(path, data):
        return _NOTHING
    found = load(data).documents
    return packed((document.index, item, body) for document in found for item, body in unfold(document.body))


def collect(
    files: Sequence[tuple[str, bytes | None]],
    known: Mapping[bytes, bytes],
    read: Callable[[str], bytes | None],
    *,
    jobs: int,
) -> tuple[dict[str, bytes], Known]:
    """Return packed outlines by path, and by blob what is to be remembered.

    Args:
        files: Path and raw blob id, where known.
        known: Packed outlines by blob.
        read: Returns a file's bytes, or None where it cannot be read.
        jobs: Processes.
    """
    by_path = {path: known[blob] for path, blob in files if blob is not None and blob in known}
    missing = [path for path, _ in files if path not in by_path]

    def chunk(start: int, end: int) -> bytes:
        return marshal.dumps([_learn(path, read(path)) for path in missing[start:end]])

    parts = run_chunks(chunk, len(missing), jobs=jobs if len(missing) >= _FORK_FROM else 1) if missing else []
    learned = [row for part in parts for row in marshal.loads(part)]  # noqa: S302  # from our own children
    kept = {blob: known[blob] for _, blob in files if blob is not None and blob in known}
    for path, (blob, found) in zip(missing, learned, strict=True):
        by_path[path] = found
        if blob:
            kept[blob] = found
    return by_path, kept


def _learn(path: str, data: bytes | None) -> tuple[bytes, bytes]:
    return (b"", _NOTHING) if data is None else (blob_id(data), outlined(path, data))
