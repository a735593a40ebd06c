"""What the generated tests of `plain_rules` are made of: CEL's operations as far as they are plain, on decoded bodies.

Each gives what CEL gives, or raises `NotSureError`: a type that does not fit, an error that CEL might absorb, anything
out of the ordinary. A caller takes any exception for "not sure". Part of the clean path: imports next to nothing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any

_LONGEST_TEXT = 1000
"""Longer texts are left to the engine, which bounds the time that a pattern may take on them."""

_LARGEST = 1 << 53
_SCALARS = frozenset({str, int, bool})
_TEXT = frozenset({str})


class NotSureError(Exception):
    """Only the engine can tell."""


def get(value: "Any", *path: "str") -> "Any":
    """Return what `value.?a.b` holds, or None; of nothing it is nothing."""
    if value is None:
        return None
    for key in path:
        if value.__class__ is not dict:
            raise NotSureError
        value = value.get(key)
        if value is None:
            return None
    return value


def either(value: "Any", other: "Any") -> "Any":
    """Return `value.orValue(other)` or `value.or(other)`."""
    return other if value is None else value


def select(value: "Any", key: str) -> "Any":
    """Return `value.key`."""
    if value.__class__ is not dict:
        raise NotSureError
    found = value[key]
    if found is None:
        raise NotSureError
    return found


def has(value: "Any", key: str) -> bool:
    """Return `has(value.key)`."""
    if value.__class__ is not dict:
        raise NotSureError
    return value.get(key) is not None


def items(value: "Any") -> "list[Any]":
    """Return a list to walk over."""
    if value.__class__ is not list:
        raise NotSureError
    return value


def text(value: "Any") -> str:
    """Return a string to ask something."""
    if value.__class__ is not str:
        raise NotSureError
    return value


def truth(value: "Any") -> bool:
    """Return a condition's value."""
    if value.__class__ is not bool:
        raise NotSureError
    return value


def number(value: "Any") -> int:
    """Return an integer that arithmetic cannot make overflow."""
    if value.__class__ is not int or not -_LARGEST < value < _LARGEST:
        raise NotSureError
    return value


def same(one: "Any", other: "Any") -> bool:
    """Return `one == other` of scalars."""
    kind = one.__class__
    if kind not in _SCALARS or other.__class__ not in _SCALARS:
        raise NotSureError
    return kind is other.__class__ and bool(one == other)


def among(one: "Any", others: "Any") -> bool:
    """Return `one in others`."""
    if one.__class__ is not str:
        raise NotSureError
    if others.__class__ is dict:
        return others.get(one) is not None
    return one in items(others)


def plus(one: "Any", other: "Any") -> "Any":
    """Return `one + other`."""
    if one.__class__ is int:
        return number(one) + number(other)
    if one.__class__ is list:
        return one + items(other)
    return text(one) + text(other)


def repeats(values: "Any", key: str) -> bool:
    """Return `values.exists(a, !values.exists_one(b, b.key == a.key))`."""
    names = [value[key] if value.__class__ is dict else None for value in items(values)]
    if not {name.__class__ for name in names} <= _TEXT:
        raise NotSureError
    return len(set(names)) != len(names)


def size(value: "Any") -> int:
    """Return `size(value)`."""
    if value.__class__ not in (list, str, dict):
        raise NotSureError
    return len(value)


_MATCHED: "dict[tuple[str, int, str], bool]" = {}
"""What was found of short texts; manifests repeat their names, and searching costs ten times a look-up."""

_MOST_MATCHED = 20_000
_LONGEST_REMEMBERED = 120


def matches(pattern: "re.Pattern[str]", value: "Any") -> bool:
    """Return `value.matches(pattern)` of a short text in ASCII."""
    key = (pattern.pattern, pattern.flags, text(value))  # a pattern's own hash would cost as much as the search
    known = _MATCHED.get(key)
    if known is not None:
        return known
    if len(value) > _LONGEST_TEXT or not value.isascii():
        raise NotSureError
    found = pattern.search(value) is not None
    if len(value) <= _LONGEST_REMEMBERED:
        if len(_MATCHED) >= _MOST_MATCHED:
            _MATCHED.clear()
        _MATCHED[key] = found
    return found


def written(value: "Any") -> str:
    """Return `string(value)`."""
    return value if value.__class__ is str else str(number(value))
