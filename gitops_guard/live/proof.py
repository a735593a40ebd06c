"""Proves that applying an object would change nothing, without asking: most objects of a merge need no dry-run then.

Applying is a no-op when every value that Git gives is the one that is live, and the applier owns nothing that Git does
not give (it would be removed). Whether a list is merged by keys or replaced as a whole is read from the managedFields,
which the server writes by its schemas. Whatever is unclear is no proof, and is dry-run. A webhook that changes objects
can change any, so there is no proof for kinds that one matches; nor for Pods, which plugins of the server change.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from gitops_guard.live.managed import Entry, Fields, entries, item_keys
from gitops_guard.model import Body, Json

_IDENTITY: Final = frozenset(("apiVersion", "kind"))
_METADATA: Final = frozenset(("name", "namespace", "labels", "annotations"))
_DEFAULTED_KEYS: Final[Mapping[str, Json]] = {"protocol": "TCP"}
"""Keys of list items that may be left out, with what the server's schemas fill in."""


def changes_nothing(desired: Body, live: Body, manager: str) -> bool:
    """Tell whether it is certain that applying an object as a manager changes nothing.

    Args:
        desired: The object as it would be sent.
        live: As it was read, in the same version of its API, with its managedFields.
        manager: As whom it would be sent.
    """
    if desired.get("apiVersion") != live.get("apiVersion") or desired.get("kind") != live.get("kind"):
        return False
    found = [entry for entry in entries(live) if not entry.subresource]
    own = [entry for entry in found if entry.applies and entry.manager == manager]
    if any(entry.api_version != desired.get("apiVersion") for entry in own):
        return False
    structure = _structure([entry for entry in found if entry.api_version == desired.get("apiVersion")])
    if not _metadata_is_plain(desired):
        return False
    sent = {key: value for key, value in desired.items() if key not in _IDENTITY}
    sent["metadata"] = _metadata(desired)
    # objects and their metadata are merged field by field even where nobody owns any of them
    return _fields_are_within(sent, live, structure, {"metadata"}) and all(_covers(entry.fields, sent) for entry in own)


def _fields_are_within(desired: Body, live: Body, node: Fields, deep: set[str]) -> bool:
    for key, value in desired.items():
        there, known = live.get(key), node.get(f"f:{key}")
        if key in deep and isinstance(value, dict) and isinstance(there, dict):
            if not _fields_are_within(value, there, known if isinstance(known, dict) else {}, set()):
                return False
        elif there is None or not _is_within(value, there, known):
            return False
    return True


def _metadata_is_plain(desired: Body) -> bool:
    metadata = desired.get("metadata")
    return "status" not in desired and isinstance(metadata, dict) and metadata.keys() <= _METADATA


def _metadata(desired: Body) -> dict[str, Json]:
    metadata = desired.get("metadata")
    assert isinstance(metadata, dict)
    return {key: value for key, value in metadata.items() if key in ("labels", "annotations")}


def _structure(found: list[Entry]) -> Fields:
    merged: dict[str, Json] = {}
    for entry in found:
        _merge(merged, entry.fields)
    return merged


def _merge(into: dict[str, Json], fields: Fields) -> None:
    for key, child in fields.items():
        known = into.setdefault(key, {})
        if isinstance(known, dict) and isinstance(child, dict):
            _merge(known, child)


def _is_within(desired: Json, live: Json, node: Json) -> bool:
    """Tell whether merging a value into the live one would leave it as it is."""
    known = node if isinstance(node, dict) else {}
    if isinstance(desired, dict) and isinstance(live, dict) and any(key.startswith("f:") for key in known):
        return all(
            key in live and value is not None and _is_within(value, live[key], known.get(f"f:{key}"))
            for key, value in desired.items()
        )
    if isinstance(desired, list) and isinstance(live, list):
        if any(key.startswith("k:") for key in known):
            return _items_are_within(desired, live, known)
        if any(key.startswith("v:") for key in known):
            return _in_order([_index(live, value) for value in desired])
    return _is_equal(desired, live)


def _items_are_within(desired: list[Json], live: list[Json], node: Fields) -> bool:
    """Compare the items of a list that is merged by keys."""
    by_item = [(keys, child) for key, child in node.items() if key.startswith("k:") and (keys := item_keys(key))]
    places: list[int | None] = []
    for item in desired:
        match = next(((keys, child) for keys, child in by_item if _has_keys(item, keys)), None)
        if match is None:
            return False
        keys, child = match
        place = next((index for index, other in enumerate(live) if _has_keys(other, keys)), None)
        if place is None or not _is_within(item, live[place], child):
            return False
        places.append(place)
    return _in_order(places)


def _in_order(places: list[int | None]) -> bool:
    """Tell whether all were found, one after the other: a merge puts items into the order of who applies."""
    found = [place for place in places if place is not None]
    return len(found) == len(places) and all(one < other for one, other in pairwise(found))


def _index(values: list[Json], wanted: Json) -> int | None:
    return next((index for index, value in enumerate(values) if _is_equal(value, wanted)), None)


def _has_keys(item: Json, keys: Mapping[str, Json]) -> bool:
    return isinstance(item, dict) and all(
        _is_equal(item.get(name, _DEFAULTED_KEYS.get(name)), value) for name, value in keys.items()
    )


def _covers(fields: Fields, desired: Json) -> bool:
    """Tell whether an object gives every field of a set."""
    for key, child in fields.items():
        if key == ".":
            continue
        found = _member(key, desired)
        if found is None or (isinstance(child, dict) and child and not _covers(child, found)):
            return False
    return True


def _member(key: str, desired: Json) -> Json:
    if key.startswith("f:") and isinstance(desired, dict):
        return desired.get(key[2:])
    if not isinstance(desired, list):
        return None
    if key.startswith("k:") and (keys := item_keys(key)):
        return next((item for item in desired if _has_keys(item, keys)), None)
    if key.startswith("v:"):
        return _set_member(key, desired)
    return None


def _set_member(key: str, desired: list[Json]) -> Json:
    wrapped = item_keys(f'k:{{"value":{key[2:]}}}')
    if wrapped is None:
        return None
    place = _index(desired, wrapped.get("value"))
    return None if place is None else desired[place]


def _is_equal(one: Json, other: Json) -> bool:
    """Compare strictly: true is not 1, and null is nothing that can be sent."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_is_equal(*pair) for pair in zip(one, other, strict=True))
    return one is not None and type(one) is type(other) and one == other
