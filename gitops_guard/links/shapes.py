"""Reading fields that may be absent or of a wrong type: the schema reports that, nobody else trips over it."""

from collections.abc import Mapping

from gitops_guard.model.resource import Json


def struct(value: Json) -> Mapping[str, Json]:
    """Return a struct; an absent or mistyped one is empty, since the API server refuses it anyway."""
    return value if isinstance(value, dict) else {}


def structs(value: Json) -> list[Mapping[str, Json]]:
    """Return the structs of a list; an absent or mistyped one has none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def numbered(value: Json) -> list[tuple[int, Mapping[str, Json]]]:
    """Return the structs of a list with their indices."""
    return (
        [(index, item) for index, item in enumerate(value) if isinstance(item, dict)] if isinstance(value, list) else []
    )


def text(value: Json) -> str:
    """Return a text; anything else is empty."""
    return value if isinstance(value, str) else ""
