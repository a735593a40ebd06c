"""Who owns which field: `metadata.managedFields` read, searched and merged.

A key of a FieldsV1 tree is `f:<field>`, `k:{<keys of a list item>}`, `v:<value of a set>`, `i:<index>`, or `.` for the
thing itself.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gitops_guard.model import FieldPath
from gitops_guard.model.field_managers import OURS

_SYSTEM: Final = frozenset(("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"))
_NOT_OURS_TO_JUDGE: Final = frozenset(("f:status",))
_METADATA_OF_CONTROLLERS: Final = frozenset(("f:ownerReferences", "f:finalizers", "f:generateName"))

_MAPS: Final = frozenset(("f:labels", "f:annotations", "f:data", "f:binaryData", "f:matchLabels", "f:nodeSelector"))
Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One entry of `managedFields`."""

    manager: str
    operation: str
    """`Apply` or `Update`."""

    time: str
    subresource: str
    fields: Tree

    @property
    def is_ours(self) -> bool:
        """Tell whether it is what we applied."""
        return self.manager == OURS and self.operation == "Apply"


def owners(managed_fields: Iterable[Mapping[str, Any]]) -> list[Owner]:
    """Read the entries; what is no text or no tree reads as empty."""
    found = []
    for entry in managed_fields:
        fields = entry.get("fieldsV1")
        found.append(
            Owner(
                manager=str(entry.get("manager", "")),
                operation=str(entry.get("operation", "")),
                time=str(entry.get("time", "")),
                subresource=str(entry.get("subresource", "")),
                fields=fields if isinstance(fields, dict) else {},
            )
        )
    return found


def owns_label(managed_fields: Iterable[Mapping[str, Any]], label: str) -> bool:
    """Tell whether what we applied owns a label: a child that a controller copied labels to was never applied by us."""
    for owner in owners(managed_fields):
        labels = _child(_child(owner.fields, "f:metadata"), "f:labels")
        if owner.is_ours and f"f:{label}" in labels:
            return True
    return False


def last_writer(entries: Sequence[Owner], body: Mapping[str, Any], path: FieldPath) -> Owner | None:
    """Return who owns a field beside us, the latest first; None when nobody does.

    Args:
        entries: Of the object as it is.
        body: An object in which the path can be followed: it tells the keys of list items.
        path: From the object's root.
    """
    found = [
        one for one in entries if not one.is_ours and one.subresource != "status" and _owns(one.fields, body, path)
    ]
    return max(found, key=lambda one: (one.time, one.manager), default=None)


def _owns(tree: Tree, body: object, path: FieldPath) -> bool:
    """Tell whether a tree holds a path, something below it, or a whole above it that is owned as one."""
    node: Tree = tree
    for element in path:
        key = _key_in(node, body, element)
        if key is None:
            return False
        node = _child(node, key)
        body = _step(body, element)
        if not node:
            return True  # a leaf: all below is owned with it
    return True


def _key_in(node: Tree, body: object, element: str | int) -> str | None:
    if isinstance(element, str):
        key = f"f:{element}"
        return key if key in node else None
    item = _step(body, element)
    if f"i:{element}" in node:
        return f"i:{element}"
    return next((key for key in node if names_item(key, item)), None)


def _step(body: object, element: str | int) -> object:
    if isinstance(element, int):
        return body[element] if isinstance(body, list) and -len(body) <= element < len(body) else None
    return body.get(element) if isinstance(body, dict) else None


def names_item(key: str, item: object) -> bool:
    """Tell whether a key of a tree stands for a list's item."""
    if key.startswith("v:"):
        return bool(_json(key[2:]) == item)
    if not key.startswith("k:") or not isinstance(item, dict):
        return False
    keys = _json(key[2:])
    return isinstance(keys, dict) and all(item.get(name, _ABSENT.get(name)) == value for name, value in keys.items())


_ABSENT: Final = {"protocol": "TCP"}
"""What a key means that a manifest leaves out."""


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _child(node: Tree, key: str) -> Tree:
    found = node.get(key)
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """Something that another manager put below what we own."""

    owner: Owner
    path: tuple[str, ...]
    """Keys of the tree: `("f:spec", "f:template", ..., 'k:{"name":"proxy"}')`."""

    def printed(self) -> str:
        """Return the path for people: `spec.template.spec.containers[name=proxy]`."""
        text, before = "", ""
        for key in self.path:
            text += _printed(key, first=not text, in_map=before in _MAPS)
            before = key
        return text


def _printed(key: str, *, first: bool, in_map: bool) -> str:
    kind, _, rest = key.partition(":")
    if kind == "f":
        return f"[{rest}]" if in_map else rest if first else f".{rest}"
    value = _json(rest)
    if isinstance(value, dict):
        return "[" + ",".join(f"{name}={item}" for name, item in sorted(value.items())) + "]"
    return f"[{rest}]"


def value_at(body: object, path: Sequence[str]) -> Any:
    """Return what an object has at a path of tree keys; None where there is nothing."""
    for key in path:
        if key.startswith("f:"):
            body = body.get(key[2:]) if isinstance(body, dict) else None
        elif key.startswith("i:"):
            index = int(key[2:])
            body = body[index] if isinstance(body, list) and index < len(body) else None
        else:
            items = body if isinstance(body, list) else []
            body = next((item for item in items if names_item(key, item)), None)
    return body


def additions(entries: Sequence[Owner], ignored: Iterable[str] = ()) -> list[Addition]:
    """Return what managers other than us added below what we own, the highest path of each.

    Args:
        entries: Of the object as it is.
        ignored: Managers beside those of Kubernetes itself that are left alone.
    """
    ours = merged([one.fields for one in entries if one.is_ours])
    quiet = _SYSTEM | set(ignored)
    found = []
    for owner in entries:
        if owner.is_ours or owner.subresource or owner.manager in quiet:
            continue
        found += [Addition(owner=owner, path=path) for path in _beyond(ours, owner.fields, ())]
    return sorted(found, key=lambda one: (one.path, one.owner.manager))


def _beyond(ours: Tree, theirs: Tree, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for key in sorted(theirs):
        if key == "." or (not path and key in _NOT_OURS_TO_JUDGE):
            continue
        if path == ("f:metadata",) and key in _METADATA_OF_CONTROLLERS:
            continue
        if key not in ours:
            yield from _leaves_or_self(theirs, key, path)
        elif ours[key]:
            yield from _beyond(_child(ours, key), _child(theirs, key), (*path, key))


def _leaves_or_self(theirs: Tree, key: str, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the entries of a map of labels or annotations one by one, anything else as a whole."""
    if path == ("f:metadata",) and key in ("f:annotations", "f:labels"):
        yield from ((*path, key, one) for one in sorted(_child(theirs, key)) if one != ".")
    else:
        yield (*path, key)


def merged(trees: Sequence[Tree]) -> dict[str, Any]:
    """Return a tree that holds what any of the trees holds."""
    found: dict[str, Any] = {}
    for tree in trees:
        for key, value in tree.items():
            both = [one for one in (found.get(key), value) if isinstance(one, dict)]
            found[key] = merged(both) if len(both) > 1 else dict(both[0]) if both else {}
    return found
