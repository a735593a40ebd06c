"""Where the bundled schema data lies, and the index that we ship for it.

The data is kubernetes-validate's `_definitions.json`, one file a minor version; its package is found but never
imported (94 ms) and
its own `validate()` never called. Part of the clean path: imports nothing heavy.
"""

import json
import os
from importlib.machinery import PathFinder

from gitops_guard.errors import SchemaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_INDEX = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")
_SUFFIX = ".0-local-strict"


def versions() -> "tuple[str, ...]":
    """Return the minor versions that both our index and the installed data know, oldest first: `("1.25", ...)`."""
    known = [name.removesuffix(".json") for name in os.listdir(os.path.join(_INDEX, "kinds"))]
    usable = [version for version in known if os.path.exists(definitions_path(version))]
    return tuple(sorted(usable, key=minor))


def minor(version: str) -> int:
    """Return the number after the dot: 37 for `1.37`."""
    return int(version.partition(".")[2])


def definitions_path(version: str) -> str:
    """Return the file that holds the definitions of a minor version; it need not exist.

    Raises:
        SchemaError: kubernetes-validate is not installed.
    """
    return os.path.join(_data_folder(), f"v{version}{_SUFFIX}", "_definitions.json")


def _data_folder() -> str:
    spec = PathFinder.find_spec("kubernetes_validate")
    if spec is None or not spec.submodule_search_locations:
        raise SchemaError(
            "kubernetes-validate is not installed: it holds the Kubernetes schemas; reinstall gitops-guard"
        )
    return os.path.join(next(iter(spec.submodule_search_locations)), "kubernetes-json-schema")


def load_definitions(version: str) -> "dict[str, Any]":
    """Read all definitions of a minor version, as installed: about 8 ms.

    Raises:
        SchemaError: The file is missing or no JSON.
    """
    path = definitions_path(version)
    try:
        with open(path, "rb") as file:
            return dict(json.load(file)["$defs"])
    except (OSError, ValueError, LookupError) as error:
        raise SchemaError(f"{path}: cannot read the Kubernetes {version} schemas: {error}") from error


def load_index(part: str, version: str) -> "dict[str, Any]":
    """Read one file of our own index.

    Args:
        part: `kinds` (all that the clean path needs), `fixes` or `enums` (needed to build a slice).
        version: Minor version: `1.37`.

    Raises:
        SchemaError: There is no index for that version.
    """
    if not version.startswith("1.") or not version[2:].isdecimal() or not version.isascii():
        raise SchemaError(f"{version!r} is no Kubernetes minor version; known are {', '.join(versions())}")
    path = os.path.join(_INDEX, part, f"{version}.json")
    try:
        with open(path, "rb") as file:
            return dict(json.load(file))
    except FileNotFoundError as error:
        raise SchemaError(f"no schemas for Kubernetes {version}; known are {', '.join(versions())}") from error


def load_lifecycle() -> "dict[str, Any]":
    """Read when each kind came, was deprecated and left: `lifecycle.json` of our index."""
    with open(os.path.join(_INDEX, "lifecycle.json"), "rb") as file:
        return dict(json.load(file))


def data_key(version: str) -> str:
    """Name the installed data and our index without reading them: whatever changes one of them changes the name.

    Sizes and modification times stand in for digests, because the definitions alone take 4 ms to hash.
    """
    parts = []
    for path in (
        definitions_path(version),
        *(os.path.join(_INDEX, part, f"{version}.json") for part in ("kinds", "fixes", "enums")),
    ):
        state = os.stat(path)
        parts.append(f"{path}\0{state.st_size}\0{state.st_mtime_ns}")
    return "\0".join(parts)
