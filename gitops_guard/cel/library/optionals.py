"""Optional values. `or`, `orValue`, `optMap` and `optFlatMap` are the compiler's, being lazy."""

from typing import Any

from gitops_guard.cel.errors import CelError, no_overload
from gitops_guard.cel.functions import ANY, Library
from gitops_guard.cel.values import NONE, Opt, kind_of

OPTIONALS = Library("optionals")

OPTIONALS.function("optional.of", ANY)(Opt)
OPTIONALS.function("optional.none")(lambda: NONE)


@OPTIONALS.function("optional.ofNonZeroValue", ANY)
def _of_non_zero(value: Any) -> Opt:
    kind = kind_of(value)
    if kind in (type(None), bool, int, float, str, bytes, list, dict):
        return Opt(value) if value else NONE
    return NONE if getattr(value, "ns", value) == 0 else Opt(value)


@OPTIONALS.method("hasValue", Opt)
def _has_value(value: Opt) -> bool:
    return value.present


@OPTIONALS.method("value", Opt)
def _value(value: Opt) -> Any:
    if not value.present:
        raise CelError("optional.none() dereference")
    return value.value


@OPTIONALS.method("first", list)
def _first(items: list[Any]) -> Opt:
    return Opt(items[0]) if items else NONE


@OPTIONALS.method("last", list)
def _last(items: list[Any]) -> Opt:
    return Opt(items[-1]) if items else NONE


@OPTIONALS.function("optional.unwrap", list)
@OPTIONALS.method("unwrapOpt", list)
def _unwrap(items: list[Any]) -> list[Any]:
    if not all(isinstance(item, Opt) for item in items):
        raise no_overload("unwrapOpt")
    return [item.value for item in items if item.present]
