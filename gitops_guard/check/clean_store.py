"""The files that are known to be clean: one flat file for each set of circumstances that decide a verdict.

A record is 24 bytes: a 20-byte name, two bytes of resources validated, one byte of skip reason, one byte zero. The
name is the blob id of a file whose resources are all valid, whatever its path; for a file that is skipped for a
reason its path has a part in, it is the hash of both. Records come in sealed blocks, each appended by one write, so
that concurrent writers do not harm each other; a block that is torn, truncated or sealed with another key ends what
is believed.

Part of the clean path: imports os and built-in hash modules only.
"""

import os
from _blake2 import blake2b
from time import time

from gitops_guard.check.seal import SEAL_BYTES, seal

RECORD_BYTES = 24
NAME_BYTES = 20
_MAGIC = b"gitops-guard clean 1\n"
_HEAD_BYTES = 4 + SEAL_BYTES
_COMPACT_BLOCKS = 512
_MONTH_S = 30 * 86_400


def skipped_name(path: bytes, blob_id: bytes) -> bytes:
    """Name a file that is skipped because of what it is and where it stands."""
    return blake2b(b"skipped\0" + path + b"\0" + blob_id, digest_size=NAME_BYTES).digest()


def record(name: bytes, resources: int, reason: int) -> bytes:
    """Return the record of one clean file.

    Args:
        name: 20 bytes.
        resources: Resources validated, 0 to 65,535.
        reason: 0 for a file of manifests, else the 1-based index of its skip reason.
    """
    return name + resources.to_bytes(2, "big") + bytes((reason, 0))


class CleanStore:
    """What is known to be clean under one digest of circumstances."""

    __slots__ = ("_blocks", "_digest", "_key", "_path", "_valid_bytes", "settings", "torn")

    def __init__(self, directory: str, digest: bytes, key: bytes) -> None:
        self._path = os.path.join(directory, "clean", digest.hex())
        self._digest = digest
        self._key = key
        self._blocks: list[bytes] = []
        self._valid_bytes = 0
        self.settings: bytes | None = None
        """One line that the writer left for the next reader; None when nothing believable is stored."""
        self.torn = False
        self._load()

    def _header(self, settings: bytes) -> bytes:
        line = settings + b"\n"
        return _MAGIC + seal(self._key, self._digest, b"settings", line).hex().encode() + b" " + line

    def _load(self) -> None:
        data = _read(self._path)
        start = len(_MAGIC) + 2 * SEAL_BYTES + 1
        end = data.find(b"\n", start)
        if end < 0:
            return
        settings = data[start:end]
        if data[: end + 1] != self._header(settings):
            return
        self.settings = settings
        position = end + 1
        while (block := self._block(data, position)) is not None:
            self._blocks.append(block)
            position += _HEAD_BYTES + len(block)
        self._valid_bytes = position
        self.torn = position != len(data)

    def _block(self, data: bytes, position: int) -> bytes | None:
        length = int.from_bytes(data[position : position + 4], "big")
        body = data[position + _HEAD_BYTES : position + _HEAD_BYTES + length]
        if not length or len(body) != length or length % RECORD_BYTES:
            return None
        if data[position + 4 : position + _HEAD_BYTES] != seal(self._key, self._digest, body):
            return None
        return body

    def find(self, name: bytes) -> tuple[int, int] | None:
        """Look one name up: (resources validated, skip reason), or None when it is not known to be clean."""
        for block in self._blocks:
            at = block.find(name)
            while at >= 0:
                if at % RECORD_BYTES == 0:
                    return int.from_bytes(block[at + 20 : at + 22], "big"), block[at + 22]
                at = block.find(name, at + 1)
        return None

    def all(self) -> dict[bytes, bytes]:
        """Return the last four bytes of each record by name; cheaper than `find` from some hundred names up."""
        known: dict[bytes, bytes] = {}
        for block in self._blocks:
            for at in range(0, len(block), RECORD_BYTES):
                known[block[at : at + NAME_BYTES]] = block[at + NAME_BYTES : at + RECORD_BYTES]
        return known

    def names(self) -> set[bytes]:
        """Return all that is known by name alone; cheaper than `all`."""
        return {block[at : at + NAME_BYTES] for block in self._blocks for at in range(0, len(block), RECORD_BYTES)}

    def of_manifests(self) -> set[bytes]:
        """Return the ids of manifest files that are certainly fine: their objects are all of built-in kinds."""
        return {
            block[at : at + NAME_BYTES]
            for block in self._blocks
            for at in range(0, len(block), RECORD_BYTES)
            if not block[at + NAME_BYTES + 2]
        }

    def add(self, records: bytes, settings: bytes) -> None:
        """Append records; silently does nothing where the folder cannot be written: a cache is only a cache.

        Args:
            records: Any number of records, concatenated.
            settings: The line for the header, used when the file is made anew.
        """
        try:
            if self.settings is None or self.torn or len(self._blocks) >= _COMPACT_BLOCKS:
                self._rewrite(records, settings)
            elif records:
                self._append(self._sealed(records))
        except OSError:
            return

    def _sealed(self, records: bytes) -> bytes:
        return len(records).to_bytes(4, "big") + seal(self._key, self._digest, records) + records

    def _append(self, block: bytes) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(descriptor, block)
        finally:
            os.close(descriptor)

    def _rewrite(self, records: bytes, settings: bytes) -> None:
        folder = os.path.dirname(self._path)
        os.makedirs(folder, exist_ok=True)
        if self.settings is None:
            _forget_old(folder)
        kept = b"".join([*self._blocks, records])
        data = self._header(settings) + (self._sealed(kept) if kept else b"")
        temporary = f"{self._path}.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            written = os.write(descriptor, data)
        finally:
            os.close(descriptor)
        if written == len(data):
            os.replace(temporary, self._path)
        else:
            os.unlink(temporary)


def _forget_old(folder: str) -> None:
    """Delete stores that nobody has added to for a month: circumstances that will not come back."""
    oldest_s = time() - _MONTH_S
    for entry in os.scandir(folder):
        if entry.stat().st_mtime < oldest_s:
            os.unlink(entry.path)


def _read(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        size = os.fstat(descriptor).st_size
        return os.read(descriptor, size)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
