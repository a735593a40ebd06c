"""An object as a JSON patch that makes it what is wanted: asked about, it needs no other right than a patch."""

from collections.abc import Iterator, Mapping
from typing import Final

from gitops_guard.model import Json

_KEPT: Final = frozenset(("apiVersion", "kind", "metadata", "status"))


def replacements(live: Mapping[str, Json], target: Mapping[str, Json]) -> Iterator[Json]:
    """Yield the operations (RFC 6902) that make an object another one: everything but status and server metadata.

    Args:
        live: As it is.
        target: As it is to be.
    """
    for key in sorted((live.keys() | target.keys()) - _KEPT):
        path = f"/{_escaped(key)}"
        yield {"op": "add", "path": path, "value": target[key]} if key in target else {"op": "remove", "path": path}
    metadata = target.get("metadata")
    for key in ("annotations", "labels"):
        value = metadata.get(key) if isinstance(metadata, dict) else None
        yield {"op": "add", "path": f"/metadata/{key}", "value": value or {}}


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
