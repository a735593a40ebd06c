"""The CustomResourceDefinitions of a tree, remembered by blob, so that a hook need not read the whole repository."""

import json
from collections.abc import Callable, Iterable

from gitops_guard.check.circumstances import digest
from gitops_guard.check.clean_store import CleanStore, record
from gitops_guard.check.verdict_store import VerdictStore
from gitops_guard.model import Body
from gitops_guard.repo.index import blob_id

_WORD = b"CustomResourceDefinition"
_GROUP = "apiextensions.k8s.io/"
_SCHEME = b"definitions 1"


class Definitions:
    """Finds the definitions among a tree's files."""

    def __init__(self, store: VerdictStore, cache: tuple[str, bytes] | None, stamp: bytes) -> None:
        """Open what is remembered.

        Args:
            store: Where parsed definitions are kept.
            cache: Folder in which the ids of files without definitions are kept, and the user's key; None for nowhere.
            stamp: Digest of the code that decides what a definition is.
        """
        self._store = store
        self._stamp = stamp
        self._without = None if cache is None else CleanStore(cache[0], digest(_SCHEME, stamp), cache[1])

    def collect(
        self, files: Iterable[tuple[str, bytes | None]], read: Callable[[str], bytes | None]
    ) -> tuple[list[bytes], bytes]:
        """Return all definitions, as one JSON list for each file, and the digest that they amount to.

        Args:
            files: Path and raw blob id, where known, of every file that may hold one.
            read: Returns a file's bytes, or None where it cannot be read.
        """
        known = self._without.all() if self._without is not None else {}
        definitions: list[bytes] = []
        blobs: list[bytes] = []
        learned: list[bytes] = []
        for path, blob in files:
            if blob is not None and blob in known:
                continue
            found, name = self._of(path, blob, read)
            if found:
                definitions.append(found)
                blobs.append(name)
            elif name and name not in known:
                learned.append(record(name, 0, 0))
        if self._without is not None and learned:
            self._without.add(b"".join(learned), b"definitions")
        return definitions, digest(_SCHEME, *blobs)  # in order: of two definitions of a kind one counts

    def _of(self, path: str, blob: bytes | None, read: Callable[[str], bytes | None]) -> tuple[bytes, bytes]:
        if blob is not None and (stored := self._stored(blob)):
            return stored, blob
        data = read(path)
        if data is None:
            return b"", b""
        name = blob_id(data)
        if blob is None and (stored := self._stored(name)):  # Git did not know the id, as of a file just written
            return stored, name
        found = definitions_in(data)
        if not found:
            return b"", name
        encoded = json.dumps(found).encode()
        self._store.put({digest(_SCHEME, self._stamp, name): encoded})
        return encoded, name

    def _stored(self, blob: bytes) -> bytes:
        key = digest(_SCHEME, self._stamp, blob)
        return self._store.get([key]).get(key, b"")


def definitions_in(data: bytes) -> list[Body]:
    """Return the definitions that a file holds."""
    if _WORD not in data:
        return []
    from gitops_guard.manifest.classify import unfold  # not needed while all are remembered
    from gitops_guard.manifest.loader import load

    return [
        body
        for document in load(data).documents
        for _, body in unfold(document.body)
        if body.get("kind") == "CustomResourceDefinition" and str(body.get("apiVersion")).startswith(_GROUP)
    ]
