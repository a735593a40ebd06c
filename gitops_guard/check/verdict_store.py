"""Verdicts and facts of files that are not plainly clean, remembered in one sqlite file of the cache folder.

The clean store in front keeps the hot path free of sqlite. Values are sealed like the clean store's, so a cache from
elsewhere is ignored. A store that cannot be opened, read or written is no store: everything is judged anew.
"""

import os
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Self

from gitops_guard.check.seal import seal

_FILE = "verdicts-1.sqlite"
_LARGEST_BYTES = 256 << 20
_BATCH = 500


class VerdictStore:
    """Sealed values by key; a context manager that closes its file."""

    def __init__(self, directory: str | None, key: bytes | None) -> None:
        """Open the store.

        Args:
            directory: Cache folder; None for no store.
            key: The user's key; None for no store.
        """
        self._key = key or b""
        self._connection = None if directory is None or key is None else _open(os.path.join(directory, _FILE))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the believable values among those stored under the keys."""
        found: dict[bytes, bytes] = {}
        if self._connection is None:
            return found
        wanted = list(keys)
        try:
            for start in range(0, len(wanted), _BATCH):
                batch = wanted[start : start + _BATCH]
                marks = ",".join("?" * len(batch))
                query = f"SELECT key, value, seal FROM sealed WHERE key IN ({marks})"  # noqa: S608  # only marks
                rows = self._connection.execute(query, batch)
                found.update({key: value for key, value, mark in rows if mark == seal(self._key, key, value)})
        except sqlite3.Error:
            return found
        return found

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Store values; a full disk or a read-only folder loses them, nothing else."""
        if self._connection is None or not values:
            return
        rows = [(key, value, seal(self._key, key, value)) for key, value in values.items()]
        try:
            with self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO sealed VALUES (?, ?, ?)", rows)
        except sqlite3.Error:
            return


def _open(path: str) -> sqlite3.Connection | None:
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path) and os.path.getsize(path) > _LARGEST_BYTES:
            os.unlink(path)  # grown over years of commits: start anew rather than track ages
        return _connect(path)
    except (OSError, sqlite3.Error):
        return None


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS sealed (key BLOB PRIMARY KEY, value BLOB, seal BLOB) WITHOUT ROWID"
        )
    except sqlite3.Error:
        connection.close()
        raise
    return connection
