"""Finds the slice of a kind: from the cache directory, else built from the installed data and put there.

A cached slice is JSON under a seal that covers its content, its name and everything it was made from. The seal needs
the user's key, so a truncated, swapped or outdated file, and one that somebody else wrote, is rebuilt, never believed.
Part of the clean path: imports nothing heavy.
"""

import json
import os
from _blake2 import blake2b  # hashlib costs 3 ms, because it asks OpenSSL

from gitops_guard import __version__
from gitops_guard.schema import bundle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Cache = tuple[str, bytes]
    """Folder, and the user's key that seals what lies in it."""

_SEAL_BYTES = 20


class Slices:
    """The slices of one Kubernetes minor version."""

    def __init__(self, version: str, cache: "Cache | None") -> None:
        """Read the index of kinds.

        Args:
            version: Minor version: `1.37`.
            cache: Folder in which slices may be kept, which is made when needed and may be read-only, and the key
                that seals them. None keeps them in memory only.

        Raises:
            SchemaError: There are no schemas for that version.
        """
        index = bundle.load_index("kinds", version)
        self.version = version
        self.kinds: dict[str, str] = index["kinds"]
        """Definition by `<apiVersion> <kind>`; only kinds that can be created."""
        self.deprecated = frozenset(index["deprecated"])
        source = f"{__version__}\0{bundle.data_key(version)}".encode()
        self._source = blake2b(source, digest_size=_SEAL_BYTES).hexdigest()
        self._key = cache[1] if cache else b""
        self._folder = os.path.join(cache[0], f"schemas-{version}-{self._source[:16]}") if cache else None
        self._sources: tuple[dict[str, Any], dict[str, Any], dict[str, Any]] | None = None

    def definition(self, api_version: str, kind: str) -> "str | None":
        """Return the name of a kind's definition: looked up, never made from the document's words."""
        return self.kinds.get(f"{api_version} {kind}")

    def load(self, definition: str) -> "dict[str, Any]":
        """Return the slice of a definition that the index names."""
        path = os.path.join(self._folder, f"{definition}.json") if self._folder else None
        if path is not None:
            cached = self._read(path, definition)
            if cached is not None:
                return cached
        content = self._build(definition)
        if path is not None:
            self._write(path, definition, content)
        return content

    def _seal(self, definition: str, payload: bytes) -> bytes:
        seal = blake2b(f"{self._source}\0{definition}\0".encode(), digest_size=_SEAL_BYTES, key=self._key)
        seal.update(payload)
        return bytes(seal.hexdigest(), "ascii")

    def _read(self, path: str, definition: str) -> "dict[str, Any] | None":
        try:
            with open(path, "rb") as file:
                seal, _, payload = file.read().partition(b"\n")
        except OSError:
            return None  # not there yet, or not ours to read: build it
        if seal != self._seal(definition, payload):
            return None
        return dict(json.loads(payload))

    def _write(self, path: str, definition: str, content: "dict[str, Any]") -> None:
        payload = json.dumps(content, separators=(",", ":")).encode()
        temporary = f"{path}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(temporary, "wb") as file:
                file.write(self._seal(definition, payload) + b"\n" + payload)
            os.replace(temporary, path)
        except OSError:
            self._folder = None  # a read-only or full disk: go on in memory, and do not try again
            _remove(temporary)

    def _build(self, definition: str) -> "dict[str, Any]":
        from gitops_guard.schema.build import build_slice

        if self._sources is None:
            self._sources = (
                bundle.load_definitions(self.version),
                bundle.load_index("fixes", self.version)["optional"],
                bundle.load_index("enums", self.version)["enums"],
            )
        definitions, optional, enums = self._sources
        return build_slice(definition, definitions, optional=optional, enums=enums)


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError:
        return  # it was never made
