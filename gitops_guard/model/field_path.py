"""Where a value stands inside a resource, as keys and indices, printed the API server's way."""

from collections.abc import Sequence
from typing import TypeAlias

FieldPath: TypeAlias = tuple[str | int, ...]
"""Keys and list indices from the resource's root: `("spec", "containers", 0, "image")`. The empty tuple is the
root."""


class MapKey(str):
    """A key of a map (labels, data, limits) rather than of a struct: equal to its text, printed in brackets.

    The API server prints `data[a b]` but `spec.containers`; only the schema knows which of the two a key is.
    """

    __slots__ = ()


def format_field_path(path: Sequence[str | int]) -> str:
    """Print a path as the API server does.

    Returns:
        `spec.template.spec.containers[0].image`, `data[ca.crt]`; the empty string for the root.
    """
    parts: list[str] = []
    for element in path:
        if isinstance(element, (int, MapKey)):
            parts.append(f"[{element}]")
        else:
            parts.append(f".{element}" if parts else element)
    return "".join(parts)


def resolve_field_path(body: object, path: Sequence[str | int]) -> object:
    """Follow a path into a JSON-pure tree.

    Raises:
        LookupError: Some element of the path does not exist there.
    """
    node = body
    for element in path:
        if isinstance(element, int) and isinstance(node, list):
            node = node[element]
        elif isinstance(element, str) and isinstance(node, dict):
            node = node[element]
        else:
            raise LookupError(format_field_path(path))
    return node
