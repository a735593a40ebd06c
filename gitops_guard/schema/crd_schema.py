"""Whether the schema inside a CRD is one that the API server takes: known keywords, and structural.

Source: apiextensions-apiserver, `ValidateCustomResourceDefinitionOpenAPISchema`, `pkg/apiserver/schema/validation.go`.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from gitops_guard.model import FieldPath, MapKey, Problem, format_field_path
from gitops_guard.schema.patterns import BadPatternError, ForeignPatternError, compile_pattern
from gitops_guard.schema.structural import Validation, branches, properties, prune, sub_schema
from gitops_guard.schema.wording import Wording, show

RULE = "non-structural-schema"

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_SCALARS = ("boolean", "integer", "number", "string")
_META_FIELDS = ("apiVersion", "kind", "metadata")
_UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = "x-kubernetes-embedded-resource"
_NESTED_FORBIDDEN = {
    "type": "must be empty to be structural",
    "additionalProperties": "must be undefined to be structural",
    "default": "must be undefined to be structural",
    "title": "must be empty to be structural",
    "description": "must be empty to be structural",
    "nullable": "must be false to be structural",
    _PRESERVE: "must be false to be structural",
    _EMBEDDED: "must be false to be structural",
    "x-kubernetes-int-or-string": "must be false to be structural",
    "x-kubernetes-list-map-keys": "must be empty to be structural",
    "x-kubernetes-list-type": "must be undefined to be structural",
    "x-kubernetes-map-type": "must be undefined to be structural",
    "x-kubernetes-validations": "must be empty to be structural",
}

Schema = dict[str, Any]
_Found = Iterator[tuple[FieldPath, str]]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a schema stands in the CRD's."""

    field: FieldPath
    level: str
    """`root`, `item` or `field`: the server words a missing type by it."""

    in_metadata: bool = False

    def at(self, *parts: str | int) -> FieldPath:
        return (*self.field, *parts)


def schema_problems(schema: Schema, field: FieldPath) -> Iterator[Problem]:
    """Yield what is wrong with the `openAPIV3Schema` of one version.

    Args:
        schema: The schema; anything may be in it.
        field: Its place in the CRD.
    """
    if schema.get("nullable") is True:
        yield Problem(field=(*field, "nullable"), rule=RULE, message="Forbidden: nullable cannot be true at the root")
    for place, message in _schema(schema, _Place(field, "root")):
        yield Problem(field=place, rule=RULE, message=message)


def _schema(schema: Schema, place: _Place) -> _Found:
    yield from _keywords(schema, place)
    yield from _type(schema, place)
    yield from _embedded(schema, place)
    yield from _list_type(schema, place)
    yield from _map_type(schema, place)
    yield from _default(schema, place)
    yield from _junctors(schema, place, _Declared(schema, place.field) if place.level == "root" else None)
    for name, child in properties(schema).items():
        meta = place.level == "root" and name in _META_FIELDS
        if meta:
            yield from _root_meta(name, child, place)
        inner = _Place(place.at("properties", MapKey(name)), "field", place.in_metadata or meta)
        yield from _schema(child, inner)
    items, extra = sub_schema(schema, "items"), sub_schema(schema, "additionalProperties")
    if items is not None:
        yield from _schema(items, replace(place, field=place.at("items"), level="item"))
    if extra is not None:
        yield from _schema(extra, replace(place, field=place.at("additionalProperties"), level="field"))


def _keywords(schema: Schema, place: _Place) -> _Found:
    for key in _UNSUPPORTED:
        if schema.get(key):
            yield place.at(key), f"Forbidden: {key} is not supported"
    if schema.get("uniqueItems") is True:
        yield (
            place.at("uniqueItems"),
            "Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        )
    if isinstance(schema.get("items"), list):
        yield place.at("items"), "Forbidden: items must be a schema object and not an array"
    extra = schema.get("additionalProperties")
    if extra is not None:
        if place.level == "root":
            yield place.at("additionalProperties"), "Forbidden: must not be used at the root"
        if schema.get("properties") and extra is not True:
            words = "additionalProperties and properties are mutual exclusive"
            yield place.at("additionalProperties"), f"Forbidden: {words}"
    yield from _pattern(schema, place)


def _pattern(schema: Schema, place: _Place) -> _Found:
    pattern = schema.get("pattern")
    if not isinstance(pattern, str):
        return
    try:
        compile_pattern(pattern)
    except BadPatternError as error:
        yield (
            place.at("pattern"),
            f"Invalid value: {show(pattern)}: must be a valid regular expression, but isn't: {error}",
        )
    except ForeignPatternError:
        return  # valid RE2 that only Python cannot run


def _type(schema: Schema, place: _Place) -> _Found:
    kind = schema.get("type")
    untyped = schema.get("x-kubernetes-int-or-string") is True or schema.get(_PRESERVE) is True
    if kind == "null":
        yield place.at("type"), "Forbidden: type cannot be set to null, use nullable as an alternative"
    elif kind and kind not in _TYPES:
        yield place.at("type"), f"Unsupported value: {show(kind)}: supported values: {', '.join(map(show, _TYPES))}"
    elif not kind and not untyped and schema.get(_EMBEDDED) is not True:
        words = {
            "root": "must not be empty at the root",
            "item": "must not be empty for specified array items",
            "field": "must not be empty for specified object fields",
        }
        yield place.at("type"), f"Required value: {words[place.level]}"
    if place.level == "root" and kind and kind != "object":
        yield place.at("type"), f"Invalid value: {show(kind)}: must be object at the root"
    if kind == "array" and "items" not in schema:
        yield place.at("items"), "Required value: must be specified"


def _embedded(schema: Schema, place: _Place) -> _Found:
    int_or_string = schema.get("x-kubernetes-int-or-string") is True
    if schema.get(_PRESERVE) is False:
        yield place.at(_PRESERVE), "Invalid value: false: must be true or undefined"
    if int_or_string and schema.get(_PRESERVE) is True:
        yield place.at(_PRESERVE), "Invalid value: true: must be false if x-kubernetes-int-or-string is true"
    if schema.get(_EMBEDDED) is not True:
        return
    if int_or_string:
        yield place.at(_EMBEDDED), "Invalid value: true: must be false if x-kubernetes-int-or-string is true"
    if place.in_metadata:
        yield place.at(_EMBEDDED), "Forbidden: must not be used inside of resource meta"
    kind, words = schema.get("type"), "must be object if x-kubernetes-embedded-resource is true"
    if kind != "object":
        yield place.at("type"), f"Invalid value: {show(kind)}: {words}" if kind else f"Required value: {words}"
    if schema.get("additionalProperties") is not None:
        words = "must not be used if x-kubernetes-embedded-resource is set"
        yield place.at("additionalProperties"), f"Forbidden: {words}"
    if not schema.get("properties") and schema.get(_PRESERVE) is not True:
        words = f"must not be empty if {_EMBEDDED} is true without {_PRESERVE}"
        yield place.at("properties"), f"Required value: {words}"


def _root_meta(name: str, child: Schema, place: _Place) -> _Found:
    wanted = "object" if name == "metadata" else "string"
    field = place.at("properties", MapKey(name))
    if child.get("type") != wanted:
        yield (*field, "type"), f"Invalid value: {show(child.get('type', ''))}: must be {wanted}"
    if name == "metadata":
        others = set(child) - {"type", "properties", "description", "default"}
        if others or set(properties(child)) - {"name", "generateName"}:
            words = "must not specify anything other than name and generateName, but metadata is implicitly specified"
            yield field, f"Forbidden: {words}"
    if "default" in child:
        yield (*field, "default"), f"Forbidden: must not be set in top-level {name}"


def _map_type(schema: Schema, place: _Place) -> _Found:
    kind = schema.get("x-kubernetes-map-type")
    if kind is None:
        return
    yield from _needs_type(schema, place, "object", "x-kubernetes-map-type")
    if kind not in ("atomic", "granular"):
        words = 'supported values: "atomic", "granular"'
        yield place.at("x-kubernetes-map-type"), f"Unsupported value: {show(kind)}: {words}"


def _needs_type(schema: Schema, place: _Place, wanted: str, key: str) -> _Found:
    kind, words = schema.get("type"), f"must be {wanted} if {key} is specified"
    if not kind:
        yield place.at("type"), f"Required value: {words}"
    elif kind != wanted:
        yield place.at("type"), f"Invalid value: {show(kind)}: {words}"


def _list_type(schema: Schema, place: _Place) -> _Found:
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys")
    items = sub_schema(schema, "items")
    if keys and kind != "map":
        words = "must be map if x-kubernetes-list-map-keys is non-empty"
        yield (
            place.at("x-kubernetes-list-type"),
            f"Invalid value: {show(kind)}: {words}" if kind else f"Required value: {words}",
        )
    if kind is None:
        return
    yield from _needs_type(schema, place, "array", "x-kubernetes-list-type")
    if kind not in ("atomic", "set", "map"):
        words = 'supported values: "atomic", "set", "map"'
        yield place.at("x-kubernetes-list-type"), f"Unsupported value: {show(kind)}: {words}"
    if kind in ("set", "map") and items is not None and items.get("nullable") is True:
        yield place.at("items", "nullable"), f"Forbidden: cannot be nullable when x-kubernetes-list-type is {kind}"
    if kind == "set" and items is not None:
        yield from _set_items(items, place)
    if kind == "map":
        yield from _map_items(items, keys if isinstance(keys, list) else [], place)


def _set_items(items: Schema, place: _Place) -> _Found:
    words = "must be atomic as item of a list with x-kubernetes-list-type=set"
    if items.get("type") == "array" and items.get("x-kubernetes-list-type", "atomic") != "atomic":
        yield (
            place.at("items", "x-kubernetes-list-type"),
            f"Invalid value: {show(items['x-kubernetes-list-type'])}: {words}",
        )
    if items.get("type") == "object" and items.get("x-kubernetes-map-type") != "atomic":
        yield (
            place.at("items", "x-kubernetes-map-type"),
            f"Invalid value: {show(items.get('x-kubernetes-map-type'))}: {words}",
        )


def _map_items(items: Schema | None, keys: list[Any], place: _Place) -> _Found:
    if not keys:
        words = "must not be empty if x-kubernetes-list-type is map"
        yield place.at("x-kubernetes-list-map-keys"), f"Required value: {words}"
    if items is None:
        yield place.at("items"), "Required value: must have a schema if x-kubernetes-list-type is map"
        return
    if items.get("type") != "object":
        words = "must be object if parent array's x-kubernetes-list-type is map"
        yield place.at("items", "type"), f"Invalid value: {show(items.get('type', ''))}: {words}"
    for index, key in enumerate(keys):
        if key in keys[:index]:
            yield (
                place.at("x-kubernetes-list-map-keys"),
                f"Invalid value: {show(keys)}: must not contain duplicate entries",
            )
        child = properties(items).get(key) if isinstance(key, str) else None
        if child is None:
            words = "entries must all be names of item properties"
            yield place.at("x-kubernetes-list-map-keys"), f"Invalid value: {show(keys)}: {words}"
        else:
            yield from _map_key(items, str(key), child, place)


def _map_key(items: Schema, key: str, child: Schema, place: _Place) -> _Found:
    field = place.at("items", "properties", MapKey(key))
    own = "this property is in x-kubernetes-list-map-keys, so it"
    if child.get("type") and child["type"] not in _SCALARS:
        words = "must be a scalar type if parent array's x-kubernetes-list-type is map"
        yield (*field, "type"), f"Invalid value: {show(child['type'])}: {words}"
    if key not in (items.get("required") or ()) and "default" not in child:
        yield (*field, "default"), f"Required value: {own} must have a default or be a required property"
    if child.get("nullable") is True:
        yield (*field, "nullable"), f"Forbidden: {own} cannot be nullable"


def _default(schema: Schema, place: _Place) -> _Found:
    """Judge a default by its own schema: it must lose nothing when pruned, and validate."""
    if "default" not in schema or schema["default"] is None:
        return
    default, field = schema["default"], place.at("default")
    if prune(schema, copy.deepcopy(default)) != default:
        yield field, f"Invalid value: {show(default)}: must not have unknown fields"
        return
    for problem in Validation(Wording()).value(schema, default, ()):
        yield (*field, *problem.field), problem.message


def _junctors(schema: Schema, place: _Place, declared: "_Declared | None") -> _Found:
    """Judge what stands under allOf, anyOf, oneOf and not: values only, never the shape of the object."""
    for junctor in ("allOf", "anyOf", "oneOf"):
        if junctor == "anyOf" and schema.get("anyOf") == _INT_OR_STRING:
            continue
        for index, branch in enumerate(branches(schema, junctor)):
            if junctor == "allOf" and index == 0 and branch.get("anyOf") == _INT_OR_STRING:
                continue
            yield from _nested(branch, replace(place, field=place.at(junctor, index)), declared)
    never = sub_schema(schema, "not")
    if never is not None:
        yield from _nested(never, replace(place, field=place.at("not")), declared)


def _nested(schema: Schema, place: _Place, declared: "_Declared | None") -> _Found:
    for key, words in _NESTED_FORBIDDEN.items():
        if schema.get(key) not in (None, False, "", []):
            yield place.at(key), f"Forbidden: {words}"
    yield from _pattern(schema, place)
    yield from _junctors(schema, place, declared)
    for name, child in properties(schema).items():
        inner = replace(place, field=place.at("properties", MapKey(name)))
        if name == "metadata":
            yield inner.field, "Forbidden: must not be specified in a nested context"
        outside = declared.property(name) if declared else None
        if declared and outside is None:
            words = f"because it is defined in {format_field_path(inner.field)}"
            yield (*declared.field, "properties", MapKey(name)), f"Required value: {words}"
        yield from _nested(child, inner, outside)
    items = sub_schema(schema, "items")
    if items is not None:
        yield from _nested(items, replace(place, field=place.at("items")), declared.items() if declared else None)


@dataclass(frozen=True, slots=True)
class _Declared:
    """The schema outside the junctors, which must declare the fields they name.

    The server asks this of the junctors at the root of a version's schema only.
    """

    schema: Schema
    field: FieldPath

    def property(self, name: str) -> "_Declared | None":
        child = properties(self.schema).get(name)
        return None if child is None else _Declared(child, (*self.field, "properties", MapKey(name)))

    def items(self) -> "_Declared | None":
        child = sub_schema(self.schema, "items")
        return None if child is None else _Declared(child, (*self.field, "items"))
