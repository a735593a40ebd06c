"""Keys of lists and defaults of custom resources, as their CustomResourceDefinitions state them."""

from collections.abc import Iterable

from gitops_guard.diff.defaults import ABSENT, Absent, known_default
from gitops_guard.diff.lists import known_list_keys
from gitops_guard.model import Body, FieldPath, Json, ResourceId


class CustomKinds:
    """What some definitions say; kinds that none of them defines are looked up in the tables of the built-in ones."""

    def __init__(self, definitions: Iterable[Body]) -> None:
        """Index the definitions.

        Args:
            definitions: Objects of the kind CustomResourceDefinition, of `apiextensions.k8s.io/v1`. Where two define
                one version of a kind, as before and after a change, only what both say counts. What is malformed in
                them defines nothing.
        """
        self._schemas: dict[tuple[str, str, str], list[Body]] = {}
        for definition in definitions:
            self._add(definition)

    def _add(self, definition: Body) -> None:
        spec = _struct(definition.get("spec"))
        group, kind = spec.get("group"), _struct(spec.get("names")).get("kind")
        versions = spec.get("versions")
        for entry in versions if isinstance(versions, list) else ():
            version = _struct(entry).get("name")
            schema = _struct(_struct(_struct(entry).get("schema")).get("openAPIV3Schema"))
            if isinstance(group, str) and isinstance(kind, str) and isinstance(version, str) and schema:
                self._schemas.setdefault((group, version, kind), []).append(schema)

    def list_keys(self, owner: ResourceId, path: FieldPath) -> tuple[str, ...] | None:
        """Return the keys of a list, `()` for a set, None for a list whose order counts."""
        schemas = self._schemas.get((owner.group, owner.version, owner.kind))
        if schemas is None:
            return known_list_keys(owner, path)
        found = {_keys(_at(schema, path)) for schema in schemas}
        return found.pop() if len(found) == 1 else None

    def default_of(self, owner: ResourceId, path: FieldPath, struct: Body) -> "Json | Absent":
        """Return what the server fills in for a field that is left out."""
        schemas = self._schemas.get((owner.group, owner.version, owner.kind))
        if schemas is None:
            return known_default(owner, path, struct)
        first, *others = [_at(schema, path).get("default", ABSENT) for schema in schemas]
        return first if all(type(other) is type(first) and other == first for other in others) else ABSENT


def _keys(node: Body) -> tuple[str, ...] | None:
    if node.get("x-kubernetes-list-type") == "set":
        return ()
    keys = node.get("x-kubernetes-list-map-keys")
    if node.get("x-kubernetes-list-type") != "map" or not isinstance(keys, list) or not keys:
        return None
    return tuple(str(key) for key in keys)


def _at(schema: Body, path: FieldPath) -> Body:
    """Return the schema of a field; an empty one where nothing is said about it."""
    node = schema
    for element in path:
        if isinstance(element, int):
            node = _struct(node.get("items"))
            continue
        properties = _struct(node.get("properties"))
        node = _struct(properties.get(element, node.get("additionalProperties")))
    return node


def _struct(value: Json) -> Body:
    return value if isinstance(value, dict) else {}
