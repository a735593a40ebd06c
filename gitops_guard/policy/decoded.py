"""A built-in kind's body as a policy gets it: what decoding into the API's types changes.

The API server decodes JSON into Go types before any policy sees an object. A null is then an absent field (in a map of
strings: the empty string), and a number that stands for a quantity is text. Not done here: defaults, and leaving out
what is empty where the type says so; only the types themselves, not their schemas, know the latter.
"""

from typing import Any

from gitops_guard.model import Body

_STRING_MAPS = frozenset(
    (
        *("labels", "annotations", "matchLabels", "nodeSelector", "data", "stringData"),
        *("parameters", "volumeAttributes"),
    )
)
_QUANTITY_MAPS = frozenset(
    (
        *("limits", "requests", "hard", "capacity", "allocatable", "overhead", "podFixed"),
        *("default", "defaultRequest", "max", "min", "maxLimitRequestRatio"),
    )
)
_QUANTITIES = frozenset({"sizeLimit", "averageValue", "value", "divisor"})


def decoded(body: Body) -> Body:
    """Return what a policy sees of a body: the same object, and the same parts, wherever nothing changes."""
    result: Body = _dict(dict(body) if not isinstance(body, dict) else body, "")
    return result


def _dict(value: dict[str, Any], name: str) -> dict[str, Any]:
    changed: dict[str, Any] | None = None
    for key, item in value.items():
        new = _item(item, key, name)
        if new is not item or item is None:
            changed = dict(value) if changed is None else changed
            if new is None:
                del changed[key]
            else:
                changed[key] = new
    return value if changed is None else changed


def _item(item: Any, key: str, parent: str) -> Any:
    """Return the decoded value of a field; None when it is absent."""
    if isinstance(item, dict):
        return _dict(item, key)
    if isinstance(item, list):
        return _list(item)
    if item is None:
        return "" if parent in _STRING_MAPS else None
    if type(item) in (int, float) and (parent in _QUANTITY_MAPS or key in _QUANTITIES):
        return str(item)
    return item


def _list(value: list[Any]) -> list[Any]:
    items = [_dict(item, "") if isinstance(item, dict) else item for item in value]
    same = all(new is old for new, old in zip(items, value, strict=True))
    return value if same else items
