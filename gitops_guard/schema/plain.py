"""The clean path's schema check: says "certainly valid" or "not sure", in about 10 us a document.

A slice becomes a table of nodes, compiled definition by definition when a document first needs one. A node maps the
class of a value to
True (any such value will do) or to a function that judges it; whatever a table does not hold raises KeyError, and
that is "not sure".
Imports nothing heavy: no dataclasses, typing, pathlib, jsonschema, `model`.
"""

from gitops_guard.schema.formats import INT32, INT64, is_base64, is_micro_time, is_quantity, is_time
from gitops_guard.schema.slices import Slices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gitops_guard.schema.slices import Cache

    Check = Callable[[Any], bool]
    Node = dict[type, "Check | bool"]

_NONE = type(None)
# Its fields are only half of it: the schema inside is judged on the full path.
_CRD = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
_CLASSES: "dict[str, tuple[type, ...]]" = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (_NONE,),
}
_FORMATS: "dict[str, Check]" = {
    "quantity": is_quantity,
    "byte": is_base64,
    "date-time": is_time,
    "micro-time": is_micro_time,
}
_RANGES = {"int32": INT32, "int64": INT64}
_KEY_DEFAULTS = {"protocol": "TCP"}


class PlainSchemas:
    """Built-in kinds of one Kubernetes minor version, judged without reasons."""

    def __init__(self, version: str, cache: "Cache | None") -> None:
        """Open the schemas of a version.

        Args:
            version: Minor version: `1.37`.
            cache: Folder in which slices are kept between runs, and the key that seals them; None keeps them in
                memory.

        Raises:
            SchemaError: There are no schemas for that version, or they cannot be read.
        """
        self._slices = Slices(version, cache)
        self._checks: dict[tuple[str, str], Check | None] = {}

    def is_clean(self, body: object) -> bool:
        """Tell whether a document is certainly valid, without any problem on the full path either.

        False means "not sure": no schema, deprecated, or something that only the full path judges.
        """
        if body.__class__ is not dict:
            return False
        try:
            key = (body["apiVersion"], body["kind"])
            if key[0].__class__ is not str or key[1].__class__ is not str:
                return False
            check = self._checks[key] if key in self._checks else self._compile(key)
            return check is not None and check(body)
        except (KeyError, RecursionError):
            return False

    def _compile(self, key: "tuple[str, str]") -> "Check | None":
        definition = self._slices.definition(*key)
        check = None
        if definition is not None and definition != _CRD and " ".join(key) not in self._slices.deprecated:
            table = _Table(self._slices.load(definition)["definitions"])
            check = table.struct(definition)
        self._checks[key] = check
        return check


class _Table:
    """The nodes of one slice, each definition compiled when a value first reaches it."""

    def __init__(self, definitions: "dict[str, Any]") -> None:
        self._definitions = definitions
        self._nodes: dict[str, Node] = {}

    def struct(self, name: str) -> "Check":
        """Compile the struct of a definition."""
        schema = self._definitions[name]
        table = {field: self._node(child) for field, child in schema["properties"].items()}
        return _struct(table, tuple(schema.get("required", ())))

    def _definition(self, name: str) -> "Node":
        node = self._nodes.get(name)
        if node is None:
            schema = self._definitions[name]
            if "properties" not in schema:
                node = self._nodes[name] = self._node(schema)
            else:
                node = self._nodes[name] = {_NONE: True}
                node[dict] = self._lazy(name, node)
        return node

    def _lazy(self, name: str, node: "Node") -> "Check":
        def compile_first(value: "Any") -> bool:
            check = node[dict] = self.struct(name)
            return check(value)

        return compile_first

    def _node(self, schema: "dict[str, Any]") -> "Node":
        if "$ref" in schema:
            return self._definition(schema["$ref"].rpartition("/")[2])
        kinds = schema.get("type")
        if kinds is None:
            return dict.fromkeys((str, int, float, bool, _NONE, list, dict), True)
        node: Node = {}
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            if kind == "array":
                node[list] = self._list(schema)
            elif kind == "object":
                node[dict] = self._object(schema)
            else:
                node.update((cls, _scalar(cls, schema)) for cls in _CLASSES[kind])
        return node

    def _object(self, schema: "dict[str, Any]") -> "Check | bool":
        extra = schema.get("additionalProperties", True)
        if extra is True:
            return True
        if extra is False:
            return _struct(
                {name: self._node(child) for name, child in schema["properties"].items()},
                tuple(schema.get("required", ())),
            )
        return _map(self._node(extra))

    def _list(self, schema: "dict[str, Any]") -> "Check | bool":
        items = self._node(schema["items"])
        kind = schema.get("x-kubernetes-list-type")
        if kind == "map":
            return _keyed_list(items, schema["x-kubernetes-list-map-keys"])
        return _set(items) if kind == "set" else _list(items)


def _scalar(cls: type, schema: "dict[str, Any]") -> "Check | bool":
    words = schema.get("enum")
    if words is not None:
        return frozenset(words).__contains__
    form = schema.get("format", "int64")
    if cls is int and schema.get("type") != "number" and form in _RANGES:
        return _within(*_RANGES[form])
    return _FORMATS.get(form, True) if cls is str else True


def _within(low: int, high: int) -> "Check":
    def fits(value: int) -> bool:
        return low <= value <= high

    return fits


def _struct(table: "dict[str, Node]", required: "tuple[str, ...]") -> "Check":
    def fits(value: "dict[str, Any]") -> bool:
        for name in required:
            if value[name] is None:
                return False
        for name, item in value.items():
            check = table[name][item.__class__]
            if check is not True and not check(item):  # type: ignore[operator]  # False is never in a node
                return False
        return True

    return fits


def _map(node: "Node") -> "Check":
    def fits(value: "dict[str, Any]") -> bool:
        for item in value.values():
            check = node[item.__class__]
            if check is not True and not check(item):  # type: ignore[operator]  # False is never in a node
                return False
        return True

    return fits


def _list(node: "Node") -> "Check":
    def fits(value: "list[Any]") -> bool:
        for item in value:
            check = node[item.__class__]
            if check is not True and not check(item):  # type: ignore[operator]  # False is never in a node
                return False
        return True

    return fits


def _set(node: "Node") -> "Check":
    fits_items = _list(node)
    hashable = dict not in node and list not in node  # 1.26 has two sets of objects: not sure about those

    def fits(value: "list[Any]") -> bool:
        return fits_items(value) and (len(value) < 2 or (hashable and len(set(value)) == len(value)))

    return fits


def _keyed_list(node: "Node", keys: "list[str]") -> "Check":
    """Check a list whose items are told apart by `keys`; a missing key takes its default."""
    fits_items = _list(node)
    first, *others = keys

    def fits(value: "list[Any]") -> bool:
        if not fits_items(value):
            return False
        if len(value) < 2:
            return True
        if None in value:
            return False  # an item without keys
        if others:
            return len({tuple([item.get(key, _KEY_DEFAULTS.get(key)) for key in keys]) for item in value}) == len(value)
        return len({item[first] for item in value}) == len(value)

    return fits
