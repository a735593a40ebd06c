"""Outputs of tools, remembered by everything that decided them."""

import contextlib
import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterable

from gitops_guard import __version__

_LARGEST_BYTES = 512 << 20
_DIGEST = 32
_SCHEME = f"render 1 {__version__}".encode()  # what is remembered has been read by our own YAML reader


def key_of(parts: Iterable[bytes]) -> str:
    """Return one key for all that decides an output; no two lists of parts share one."""
    digest = hashlib.sha256(_SCHEME)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


class OutputCache:
    """Files named by key, each with a digest of its content; a damaged one counts as missing.

    An output may hold what a Secret of the repository holds, so only the user may read it.
    """

    def __init__(self, directory: str) -> None:
        """Open the cache.

        Args:
            directory: Of all our caches; empty: remember nothing.
        """
        self._folder = os.path.join(directory, "render") if directory else ""

    def get(self, key: str) -> bytes | None:
        """Return a remembered output, if it is there and whole."""
        if not self._folder:
            return None
        try:
            with open(os.path.join(self._folder, key), "rb") as stream:
                data = stream.read()
            content = zlib.decompress(data[_DIGEST:])
        except (OSError, zlib.error):
            return None
        return content if hashlib.sha256(key.encode() + content).digest() == data[:_DIGEST] else None

    def put(self, key: str, content: bytes) -> None:
        """Remember an output; a full disk or a read-only folder loses it, nothing else."""
        if not self._folder:
            return
        data = hashlib.sha256(key.encode() + content).digest() + zlib.compress(content, 1)
        with contextlib.suppress(OSError):
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._folder)
            with open(handle, "wb") as stream:
                stream.write(data)
            os.replace(temporary, os.path.join(self._folder, key))

    def trim(self) -> None:
        """Forget the oldest outputs once there is too much."""
        with contextlib.suppress(OSError):
            entries = sorted((entry.stat().st_mtime_ns, entry.stat().st_size, entry.path) for entry in self._entries())
            surplus = sum(size for _, size, _ in entries) - _LARGEST_BYTES
            for _, size, path in entries:
                if surplus <= 0:
                    return
                os.unlink(path)
                surplus -= size

    def _entries(self) -> list["os.DirEntry[str]"]:
        if not self._folder:
            return []
        with os.scandir(self._folder) as found:
            return list(found)
