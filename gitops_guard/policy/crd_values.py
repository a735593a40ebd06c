"""Values of a custom resource as its CEL rules see them: typed by the schema, declared fields only."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from gitops_guard.cel import CelError, KeyedList, SetList
from gitops_guard.cel.library.durations import parse_duration, parse_timestamp

JsonSchema = Mapping[str, Any]

_TYPE_META: dict[str, JsonSchema] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}},
    },
}


def properties_of(schema: JsonSchema, *, embedded: bool) -> dict[str, JsonSchema]:
    """Return the declared properties of an object; an object of its own has its type and name as well."""
    found = schema.get("properties")
    own: dict[str, JsonSchema] = {}
    if isinstance(found, dict):
        own = {name: child for name, child in found.items() if isinstance(child, dict)}
    return {**own, **_TYPE_META} if embedded or schema.get("x-kubernetes-embedded-resource") else own


def to_cel(schema: JsonSchema, value: Any, *, embedded: bool = False) -> Any:
    """Return a value as rules see it.

    Args:
        schema: Of the value.
        value: As JSON, defaults filled in.
        embedded: The value is an object of its own: the root.

    Raises:
        CelError: It is no value of its format.
    """
    if value is None or schema.get("x-kubernetes-int-or-string"):
        return value
    if isinstance(value, list):
        return _list(schema, value)
    if isinstance(value, dict):
        return _object(schema, value, embedded=embedded)
    return _scalar(schema, value)


def _list(schema: JsonSchema, value: list[Any]) -> list[Any]:
    items, kind = schema.get("items"), schema.get("x-kubernetes-list-type")
    found = [to_cel(items if isinstance(items, dict) else {}, item) for item in value]
    if kind == "set":
        return SetList(found)
    return KeyedList(found, tuple(schema.get("x-kubernetes-list-map-keys") or ())) if kind == "map" else found


def _object(schema: JsonSchema, value: dict[str, Any], *, embedded: bool) -> dict[str, Any]:
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        return {name: to_cel(extra, item) for name, item in value.items()}
    known = properties_of(schema, embedded=embedded)
    return {name: to_cel(known[name], item) for name, item in value.items() if name in known}


def _scalar(schema: JsonSchema, value: Any) -> Any:
    kind, form = schema.get("type"), schema.get("format")
    if kind == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind != "string" or not isinstance(value, str):
        return value
    if form == "date":
        return parse_timestamp(f"{value}T00:00:00Z")
    if form == "date-time":
        return parse_timestamp(value)
    if form == "duration":
        return parse_duration(value)
    if form == "byte":
        return _decoded(value)
    return value


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise CelError("invalid base64 text") from None
