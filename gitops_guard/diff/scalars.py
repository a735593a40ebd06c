"""Scalars that are written in more ways than one: quantities and durations, and where they stand."""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from gitops_guard.model import FieldPath, Json, ResourceId

_QUANTITY: Final = re.compile(
    r"([+-]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30}))(?:[eE]([+-]?[0-9]{1,2})|([A-Za-z]{0,2}))"
)
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}

_QUANTITY_MAPS: Final = frozenset(
    ("limits", "requests", "capacity", "allocatable", "overhead", "hard", "max", "min", "default", "defaultRequest")
)
_QUANTITY_FIELDS: Final = frozenset(("sizeLimit", "divisor", "averageValue"))
_FREE_TEXT: Final = frozenset(("ConfigMap", "Secret"))
"""Kinds whose values are text, whatever their keys are called."""

_DURATION: Final = re.compile(r"(?:[0-9]{1,12}(?:\.[0-9]{1,9})?(?:ns|us|µs|ms|s|m|h))+|0")
_DURATION_PART: Final = re.compile(r"([0-9.]+)(ns|us|µs|ms|s|m|h)")
_NANOSECONDS: Final = {
    "ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
}  # fmt: skip

DURATION_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "toolkit.fluxcd.io": frozenset(("interval", "timeout", "retryInterval")),
    "cert-manager.io": frozenset(("duration", "renewBefore")),
    "gateway.networking.k8s.io": frozenset(("request", "backendRequest")),
    "monitoring.coreos.com": frozenset(("interval", "scrapeInterval", "scrapeTimeout", "evaluationInterval", "for")),
}
"""Fields that hold a Go duration, by the end of the API group."""


def quantity(value: Json) -> Fraction | None:
    """Return what a quantity such as `100m`, `1.5Gi` or `2` means; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    match = _QUANTITY.fullmatch(str(value))
    if match is None:
        return None
    number, exponent, suffix = match.groups()
    if exponent is not None:
        return Fraction(number) * Fraction(10) ** int(exponent)
    if suffix in _BINARY:
        return Fraction(number) * (1 << _BINARY[suffix])
    return Fraction(number) * Fraction(10) ** _DECIMAL[suffix] if suffix in _DECIMAL else None


def duration(value: Json) -> Fraction | None:
    """Return the nanoseconds of a Go duration such as `1m30s`; None when it is none."""
    if not isinstance(value, str) or _DURATION.fullmatch(value) is None:
        return None
    return sum((Fraction(number) * _NANOSECONDS[unit] for number, unit in _DURATION_PART.findall(value)), Fraction(0))


def is_quantity(owner: ResourceId, path: FieldPath) -> bool:
    """Tell whether the field holds a quantity, by its own name or that of the map it stands in."""
    if len(path) < 2 or owner.kind in _FREE_TEXT or path[0] == "metadata":
        return False
    if path[-1] in _QUANTITY_FIELDS:
        return True
    return path[-2] in _QUANTITY_MAPS and isinstance(path[-1], str)


def is_duration(owner: ResourceId, path: FieldPath) -> bool:
    """Tell whether the field holds a duration: fields of well-known custom resources."""
    for group, fields in DURATION_FIELDS.items():
        if owner.group == group or owner.group.endswith(f".{group}"):
            return bool(path) and path[0] == "spec" and path[-1] in fields
    return False
