"""Who owns which field of a live object, as its `managedFields` say."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from gitops_guard.model import Body, Json
from gitops_guard.model.field_managers import APPLIERS, BEFORE_APPLY, OURS

Fields: TypeAlias = Mapping[str, Json]
"""FieldsV1: `f:<field>`, `k:{<key>}` (item of a list of maps), `v:<value>` (item of a set), `.` (the thing itself)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One manager's fields."""

    manager: str
    applies: bool
    """By server-side apply; otherwise by an update."""

    api_version: str
    subresource: str
    fields: Fields = field(repr=False)


def entries(live: Body) -> list[Entry]:
    """Read who owns what; what cannot be read is left out."""
    metadata = live.get("metadata")
    listed = metadata.get("managedFields") if isinstance(metadata, dict) else None
    return list(_entries(listed if isinstance(listed, list) else []))


def _entries(listed: list[Json]) -> Iterator[Entry]:
    for one in listed:
        fields = one.get("fieldsV1") if isinstance(one, dict) else None
        if isinstance(one, dict) and isinstance(fields, dict):
            yield Entry(
                manager=str(one.get("manager") or ""),
                applies=one.get("operation") == "Apply",
                api_version=str(one.get("apiVersion") or ""),
                subresource=str(one.get("subresource") or ""),
                fields=fields,
            )


def applier_of(found: list[Entry]) -> str:
    """Return the manager that deploys an object from Git: the one whose fields vanish when Git names them no more."""
    applying = {entry.manager for entry in found if entry.applies}
    updating = {entry.manager for entry in found if not entry.applies and not entry.subresource}
    for known, managers in ((APPLIERS, applying), ((*APPLIERS, *BEFORE_APPLY), updating - {"kubectl"})):
        for manager in known:
            if manager in managers:
                return manager
    return OURS


def is_of_git(manager: str, applier: str) -> bool:
    """Tell whether a manager stands for Git, now or before it applied server-side."""
    return manager == applier or manager in BEFORE_APPLY


def owners(found: list[Entry], path: "tuple[str | tuple[tuple[str, Json], ...], ...]") -> set[str]:
    """Return the managers of a field, or of anything below it.

    Args:
        found: All entries.
        path: Names of fields; an item of a list by its keys: `("spec", "ports", (("port", 80),))`.
    """
    return {entry.manager for entry in found if _has(entry.fields, path)}


def _has(fields: Fields, path: "tuple[str | tuple[tuple[str, Json], ...], ...]") -> bool:
    node: Json = dict(fields)
    for element in path:
        if not isinstance(node, dict):
            return False
        node = node.get(f"f:{element}") if isinstance(element, str) else _item(node, dict(element))
        if node is None:
            return False
    return True


def _item(node: Mapping[str, Json], wanted: Mapping[str, Json]) -> Json:
    for key, child in node.items():
        if key.startswith("k:"):
            keys = item_keys(key)
            if keys is not None and all(keys.get(name) == value for name, value in wanted.items()):
                return child
    return None


def item_keys(key: str) -> dict[str, Json] | None:
    """Return the keys that name an item: `k:{"name":"web"}`; None when they cannot be read."""
    try:
        keys = json.loads(key[2:])
    except ValueError:
        return None
    return keys if isinstance(keys, dict) else None
