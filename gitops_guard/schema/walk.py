"""The full path's walk over a slice: every problem of a document, in document order.

It follows the same slice as the clean path's table and must agree with it, and with jsonschema on the places and
kinds of what is wrong;
tests hold both.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from gitops_guard.model import Body, FieldPath, MapKey, Problem, Severity
from gitops_guard.schema.formats import INT32, INT64, is_base64, is_micro_time, is_quantity, is_time
from gitops_guard.schema.wording import Wording

Definition = dict[str, Any]

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
_TEXT_FORMATS: dict[str, tuple[Callable[[str], bool], str]] = {
    "date-time": (is_time, "must be an RFC 3339 time with a zone, such as 2026-01-31T12:00:00Z"),
    "micro-time": (
        is_micro_time,
        "must be an RFC 3339 time with six decimals and a zone, such as 2026-01-31T12:00:00.000000Z",
    ),
}
_RANGES = {"int32": (INT32, "a 32-bit integer"), "int64": (INT64, "a 64-bit integer")}
KEY_DEFAULTS = {"protocol": "TCP"}
"""Defaults of the fields that tell list items apart; applied before items are compared."""


def is_type(value: object, kind: str) -> bool:
    """Tell whether a value has a JSON type; `3.0` is an integer, true is not."""
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, float):
        return kind == "number" or (kind == "integer" and value.is_integer())
    return isinstance(value, _PYTHON_TYPES.get(kind, ()))


class Walk:
    """One document against one slice."""

    def __init__(self, definitions: dict[str, Definition], wording: Wording) -> None:
        """Prepare a walk.

        Args:
            definitions: Of the slice, by name.
            wording: Makes the problems.
        """
        self._definitions = definitions
        self._say = wording

    def problems(self, root: str, body: Body) -> Iterator[Problem]:
        """Yield what is wrong with a document, whose schema is the definition `root`."""
        yield from self._struct(self._definitions[root], body, ())

    def _resolve(self, schema: Definition) -> Definition:
        return self._definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    def _value(self, schema: Definition, value: Any, field: FieldPath) -> Iterator[Problem]:
        schema = self._resolve(schema)
        kinds = schema.get("type")
        if kinds is None:
            return
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if value is None:
            if "null" not in kinds:
                yield self._say.missing(field)  # the server reads null as absent
        elif not any(is_type(value, kind) for kind in kinds):
            yield self._say.wrong_type(field, [kind for kind in kinds if kind != "null"], value)
        elif isinstance(value, dict):
            yield from self._object(schema, value, field)
        elif isinstance(value, list):
            yield from self._list(schema, value, field)
        else:
            yield from self._scalar(schema, value, field)

    def _object(self, schema: Definition, value: dict[str, Any], field: FieldPath) -> Iterator[Problem]:
        extra = schema.get("additionalProperties", True)
        if extra is False:
            yield from self._struct(schema, value, field)
        elif isinstance(extra, dict):
            for key, item in value.items():
                yield from self._value(extra, item, (*field, MapKey(key)))

    def _struct(self, schema: Definition, value: Body, field: FieldPath) -> Iterator[Problem]:
        properties = schema["properties"]
        required = schema.get("required", ())
        for name in required:
            if name not in value:
                yield self._say.missing((*field, name))
        for name, item in value.items():
            child = properties.get(name)
            if child is None:
                yield self._say.unknown((*field, name), properties)
            elif item is None and name in required:
                yield from self._null_required(child, (*field, name))
            else:
                yield from self._value(child, item, (*field, name))

    def _null_required(self, schema: Definition, field: FieldPath) -> Iterator[Problem]:
        """Judge null where something is required: a struct is then empty, anything else is absent."""
        resolved = self._resolve(schema)
        if resolved.get("properties"):
            yield from self._struct(resolved, {}, field)
        elif "$ref" not in schema:
            yield self._say.missing(field)

    def _list(self, schema: Definition, value: list[Any], field: FieldPath) -> Iterator[Problem]:
        for index, item in enumerate(value):
            yield from self._value(schema["items"], item, (*field, index))
        kind = schema.get("x-kubernetes-list-type")
        if kind is not None:
            for index, key in duplicates(value, schema.get("x-kubernetes-list-map-keys", ())):
                yield self._say.duplicate((*field, index), key, severity=Severity.WARNING)

    def _scalar(self, schema: Definition, value: Any, field: FieldPath) -> Iterator[Problem]:
        words = schema.get("enum")
        if words is not None:
            if value not in words:
                yield self._say.unsupported(field, value, [word for word in words if word])
            return
        form = schema.get("format", "int64")
        if isinstance(value, str):
            yield from self._text(form, value, field)
        elif form in _RANGES and schema["type"] != "number" and "number" not in schema["type"]:
            (low, high), name = _RANGES[form]
            if not isinstance(value, bool) and not low <= value <= high:
                yield self._say.invalid(field, value, f"must be {name}, between {low} and {high}")

    def _text(self, form: str, value: str, field: FieldPath) -> Iterator[Problem]:
        if form == "quantity":
            if not is_quantity(value):
                yield self._say.quantity(field, value)
        elif form == "byte":
            if not is_base64(value):  # base64 mostly hides something, whatever the kind: never shown
                yield Problem(
                    field=field, rule="invalid-value", message="Invalid value: must be padded standard base64"
                )
        elif form in _TEXT_FORMATS:
            fits, detail = _TEXT_FORMATS[form]
            if not fits(value):
                yield self._say.invalid(field, value, detail)


def duplicates(items: list[Any], keys: tuple[str, ...] | list[str]) -> Iterator[tuple[int, Any]]:
    """Yield index and key of each item whose key was there before.

    Args:
        items: Of a list whose type is set (no keys) or map.
        keys: Fields that tell the items of a map apart; items that are no objects are left to the type check.
    """
    seen: set[str] = set()
    for index, item in enumerate(items):
        if keys and not isinstance(item, dict):
            continue
        key = _item_key(item, keys) if keys else item
        if key is None:
            continue
        token = value_token(key)
        if token in seen:
            yield index, key
        seen.add(token)


def value_token(value: Any) -> str:
    """Return a text that two JSON values share only when they are equal: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)


def _item_key(item: dict[str, Any], keys: tuple[str, ...] | list[str]) -> Any:
    named = {key: item.get(key, KEY_DEFAULTS.get(key)) for key in keys}
    if all(value is None for value in named.values()):
        return None  # a missing key is its own problem
    return named[keys[0]] if len(keys) == 1 else named
