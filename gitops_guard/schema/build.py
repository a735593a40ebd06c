"""Slices: what one kind needs of the bundled definitions, with what is wrong in the data put right.

The raw data differs from the API server in known ways (docs/decisions/schema-data.md); they are applied here, once
a slice, and never
while a document is judged. A slice is a JSON Schema of its own, so jsonschema can be asked for a second opinion in
tests.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

REF = "#/definitions/"
_RAW_REF = "#/$defs/"
_API_MACHINERY = "io.k8s.apimachinery.pkg."

_REPLACED: "dict[str, dict[str, Any]]" = {
    # `oneOf [string|null, number|null]` refuses null, because it matches twice; the server accepts it.
    _API_MACHINERY + "api.resource.Quantity": {"type": ["string", "number", "null"], "format": "quantity"},
    _API_MACHINERY + "util.intstr.IntOrString": {"type": ["string", "integer", "null"], "format": "int32"},
    _API_MACHINERY + "apis.meta.v1.MicroTime": {"type": ["string", "null"], "format": "micro-time"},
}
_FREE_FORM = {_API_MACHINERY + "runtime.RawExtension", _API_MACHINERY + "apis.meta.v1.FieldsV1"}
_LIST_TYPES = {"set", "map"}


def build_slice(
    root: str,
    definitions: "dict[str, Any]",
    *,
    optional: "dict[str, list[str] | None]",
    enums: "dict[str, dict[str, list[str]]]",
) -> "dict[str, Any]":
    """Cut out what `root` can reach.

    Args:
        root: Name of the kind's definition: `io.k8s.api.apps.v1.Deployment`.
        definitions: All definitions of one minor version, as installed; left unchanged.
        optional: Fields that the data requires and the server does not, by definition; None means all of them.
        enums: Allowed words by definition and field.

    Returns:
        `{"$ref": "#/definitions/<root>", "definitions": {...}}`, without descriptions.
    """
    slices: dict[str, Any] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop()
        if name in slices:
            continue
        fixed = _fixed_definition(name, definitions[name], optional, enums.get(name, {}))
        slices[name] = fixed
        waiting.extend(references(fixed))
    return {"$ref": REF + root, "definitions": slices}


def references(schema: "dict[str, Any]") -> "list[str]":
    """Return the definitions that a schema of a slice (or of the raw data) names directly, in order."""
    found = []
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if "$ref" in node:
            found.append(node["$ref"].rpartition("/")[2])
        waiting.extend(reversed(children(node)))
    return found


def children(schema: "dict[str, Any]") -> "list[dict[str, Any]]":
    """Return the schemas directly inside a schema."""
    inner = list(schema.get("properties", {}).values())
    inner += [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    return inner


def _fixed_definition(
    name: str,
    raw: "dict[str, Any]",
    optional: "dict[str, list[str] | None]",
    enums: "dict[str, list[str]]",
) -> "dict[str, Any]":
    if name in _REPLACED:
        return _REPLACED[name]
    fixed = _fixed(raw)
    if "object" in raw.get("type", ()) and "properties" not in raw and name not in _FREE_FORM:
        fixed |= {"properties": {}, "additionalProperties": False}  # an empty struct takes no field at all
    if "required" in fixed and name in optional:
        _drop_required(fixed, optional[name])
    for field, words in enums.items():
        if field in fixed.get("properties", {}):
            _add_enum(fixed["properties"][field], words)
    return fixed


def _drop_required(fixed: "dict[str, Any]", names: "list[str] | None") -> None:
    dropped = fixed["required"] if names is None else names
    for field in dropped:
        _accept_null(fixed["properties"][field])
    fixed["required"] = [field for field in fixed["required"] if field not in dropped]


def _accept_null(schema: "dict[str, Any]") -> None:
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]


def _add_enum(field: "dict[str, Any]", words: "list[str]") -> None:
    if "items" in field:
        field["items"]["enum"] = [*words, None]
    else:
        field["enum"] = [
            *words,
            "",
            None,
        ]  # the server reads "" as absent where it defaults; the rules know where it does not


def _fixed(raw: "dict[str, Any]") -> "dict[str, Any]":
    """Copy what judges a value and leave out what only describes it."""
    fixed: dict[str, Any] = {
        key: raw[key] for key in ("type", "format", "required") if key in raw and raw[key] != "double"
    }
    if "$ref" in raw:
        fixed["$ref"] = REF + raw["$ref"].removeprefix(_RAW_REF)
    if "properties" in raw:
        fixed["properties"] = {name: _fixed(schema) for name, schema in raw["properties"].items()}
    if "items" in raw:
        fixed["items"] = _nullable(_fixed(raw["items"]))
        fixed |= _list_type(raw)
    extra = raw.get("additionalProperties")
    if extra is not None:
        fixed["additionalProperties"] = _nullable(_fixed(extra)) if isinstance(extra, dict) else extra
    return fixed


def _nullable(schema: "dict[str, Any]") -> "dict[str, Any]":
    _accept_null(schema)  # Go reads a null item or map value as the zero value
    return schema


def _list_type(raw: "dict[str, Any]") -> "dict[str, Any]":
    """Read a list's type; data up to 1.29 often says it only by its patch strategy."""
    kind = raw.get("x-kubernetes-list-type")
    if kind in _LIST_TYPES:
        keys = {"x-kubernetes-list-map-keys": raw["x-kubernetes-list-map-keys"]} if kind == "map" else {}
        return {"x-kubernetes-list-type": kind, **keys}
    if kind is None and "merge" in raw.get("x-kubernetes-patch-strategy", "").split(","):
        key = raw.get("x-kubernetes-patch-merge-key")
        return (
            {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}
            if key
            else {"x-kubernetes-list-type": "set"}
        )
    return {}
