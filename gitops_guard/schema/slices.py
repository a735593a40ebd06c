"""Finds the slice of a kind: from the cache directory, else built from the installed data and put there.

A cached slice is JSON under a digest that covers its content, its name and everything it was made from, so a
truncated, swapped or
outdated file is rebuilt, never believed. Part of the clean path: imports nothing heavy.
"""

import json
import os

try:
    # hashlib costs 3 ms, because it asks OpenSSL
    from _sha1 import sha1  # type: ignore[import-not-found]  # typeshed does not know it
except ImportError:  # pragma: no cover - interpreters built without the fallback
    from hashlib import sha1

from gitops_guard import __version__
from gitops_guard.schema import bundle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Slices:
    """The slices of one Kubernetes minor version."""

    def __init__(self, version: str, cache_dir: "str | None") -> None:
        """Read the index of kinds.

        Args:
            version: Minor version: `1.37`.
            cache_dir: Where slices may be kept; it is made when needed and may be read-only. None keeps them in
            memory only.

        Raises:
            SchemaError: There are no schemas for that version.
        """
        index = bundle.load_index("kinds", version)
        self.version = version
        self.kinds: dict[str, str] = index["kinds"]
        """Definition by `<apiVersion> <kind>`; only kinds that can be created."""
        self.deprecated = frozenset(index["deprecated"])
        self._key = sha1(f"{__version__}\0{bundle.data_key(version)}".encode(), usedforsecurity=False).hexdigest()
        self._folder = os.path.join(cache_dir, f"schemas-{version}-{self._key[:16]}") if cache_dir else None
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

    def _digest(self, definition: str, payload: bytes) -> bytes:
        seal = sha1(f"{self._key}\0{definition}\0".encode(), usedforsecurity=False)
        seal.update(payload)
        return bytes(seal.hexdigest(), "ascii")

    def _read(self, path: str, definition: str) -> "dict[str, Any] | None":
        try:
            with open(path, "rb") as file:
                digest, _, payload = file.read().partition(b"\n")
        except OSError:
            return None  # not there yet, or not ours to read: build it
        if digest != self._digest(definition, payload):
            return None
        return dict(json.loads(payload))

    def _write(self, path: str, definition: str, content: "dict[str, Any]") -> None:
        payload = json.dumps(content, separators=(",", ":")).encode()
        temporary = f"{path}.{os.getpid()}"
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(temporary, "wb") as file:
                file.write(self._digest(definition, payload) + b"\n" + payload)
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
