"""A built-in kind's body as a policy gets it: what decoding into the API's types changes.

The API server decodes JSON into Go types before any policy sees an object, and writes them as JSON again for it. A null
is then an absent field (in a map of strings: the empty string), quantities are in canonical form, and what is empty is
left out where the type says `omitempty` of something that is no pointer. Schemas do not tell pointers, so the last is
done for the fields named here; tests hold them to the API server's answers. Defaults are not filled in.

Part of the clean path: imports nothing heavy.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gitops_guard.model import Body

_STRING_MAPS = frozenset(
    (
        *("labels", "annotations", "matchLabels", "nodeSelector", "data", "stringData", "binaryData"),
        *("parameters", "volumeAttributes"),
    )
)
_QUANTITY_MAPS = frozenset(
    (
        *("limits", "requests", "hard", "capacity", "allocatable", "overhead", "podFixed"),
        *("default", "defaultRequest", "max", "min", "maxLimitRequestRatio"),
    )
)
_QUANTITIES = frozenset({"sizeLimit", "averageValue", "divisor"})
_KEPT_LISTS = frozenset({"containers", "rules"})
"""Lists that are written even when they are empty."""

_LEFT_OUT: dict[type, frozenset[str]] = {
    bool: frozenset(
        (
            *("hostNetwork", "hostPID", "hostIPC", "paused", "tty", "stdin", "stdinOnce", "readOnly"),
            *("publishNotReadyAddresses", "unschedulable"),
        )
    ),
    int: frozenset({"hostPort", "nodePort", "minReadySeconds", "initialDelaySeconds"}),
    float: frozenset(),
    str: frozenset(
        (
            *("name", "namespace", "hostIP", "subPath", "workingDir", "nodeName", "serviceAccountName"),
            *("priorityClassName", "schedulerName", "hostname", "subdomain", "image", "clusterIP", "externalName"),
        )
    ),
}
"""Fields that are absent when they are false, zero or empty, by the type of their value."""


_UNCHANGED = frozenset({str, int, bool})
"""Classes of values that stay as they are, unless they are empty or quantities."""

_CANONICAL: dict[str, str] = {}
"""Canonical forms of quantities met so far: a repository has few."""

_MOST_QUANTITIES = 4096


def decoded(body: "Body") -> "Body":
    """Return what a policy sees of a body: the same object, and the same parts, wherever nothing changes."""
    return _dict(body if isinstance(body, dict) else dict(body), "")


def _dict(value: "dict[str, Any]", name: str) -> "dict[str, Any]":
    changed: dict[str, Any] | None = None
    is_plain = name not in _QUANTITY_MAPS
    for key, item in value.items():
        if item and is_plain:  # nearly all values: no call for those that stay, one for those that hold others
            kind = item.__class__
            if kind in _UNCHANGED:
                if key not in _QUANTITIES:
                    continue
                new = _item(item, key, name)
            elif kind is dict:
                new = _dict(item, key)
            elif kind is list:
                new = _list(item)
            else:
                new = _item(item, key, name)
        else:
            new = _item(item, key, name)
        if new is not item or item is None:
            changed = dict(value) if changed is None else changed
            if new is None:
                del changed[key]
            else:
                changed[key] = new
    return value if changed is None else changed


def _item(item: "Any", key: str, parent: str) -> "Any":
    """Return the decoded value of a field; None when it is absent."""
    if isinstance(item, dict):
        is_empty_map = not item and (key in _STRING_MAPS or key in _QUANTITY_MAPS)
        return None if is_empty_map else _dict(item, key)
    if isinstance(item, list):
        return _list(item) if item or key in _KEPT_LISTS else None
    if parent in _STRING_MAPS:
        return "" if item is None else item
    if parent in _QUANTITY_MAPS or key in _QUANTITIES:
        return _quantity(item)
    if item:
        return item
    return None if item is None or key in _LEFT_OUT[type(item)] else item


def _quantity(item: "Any") -> "Any":
    if isinstance(item, bool) or not isinstance(item, (int, float, str)):
        return item
    written = str(item)
    text = _CANONICAL.get(written)
    if text is None:
        from gitops_guard.policy.quantity_text import canonical  # decimal is only needed for what is not yet known

        text = canonical(written)
        if len(_CANONICAL) < _MOST_QUANTITIES:
            _CANONICAL[written] = text
    return item if text == item else text


def _list(value: "list[Any]") -> "list[Any]":
    changed: list[Any] | None = None
    for index, item in enumerate(value):
        if isinstance(item, dict):
            new = _dict(item, "")
            if new is not item:
                changed = list(value) if changed is None else changed
                changed[index] = new
    return value if changed is None else changed
