"""The math extension."""

import math
from collections.abc import Sequence
from typing import Any

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.errors import CelError, no_overload
from gitops_guard.cel.functions import ANY, Library
from gitops_guard.cel.operators import checked_int, compare_numbers
from gitops_guard.cel.values import INT_MAX, UINT_MAX, UInt, kind_of

MATH = Library("math")

_NUMBERS = frozenset({int, UInt, float})
_MAX_ARGUMENTS = 8
"""Arguments of `greatest` and `least`; more go into a list."""


def _extreme(values: Sequence[Any], *, sign: int, name: str) -> Any:
    if not values:
        raise CelError(f"math.{name}(list) argument must not be empty")
    if any(kind_of(value) not in _NUMBERS for value in values):
        raise no_overload(f"math.{name}")
    best = values[0]
    for value in values[1:]:
        if sign * compare_numbers(value, best) > 0:
            best = value
    return best


def _declare_extreme(name: str, sign: int) -> None:
    def of_list_or_number(budget: Budget, value: Any) -> Any:
        if kind_of(value) is not list:
            return _extreme([value], sign=sign, name=name)
        budget.spend(len(value))
        return _extreme(value, sign=sign, name=name)

    MATH.function(f"math.{name}", ANY, budgeted=True)(of_list_or_number)
    MATH.variadic(f"math.{name}", 2, _MAX_ARGUMENTS)(lambda *values: _extreme(values, sign=sign, name=name))


_declare_extreme("greatest", 1)
_declare_extreme("least", -1)


@MATH.function("math.abs", int)
def _abs_int(value: int) -> int:
    return checked_int(abs(value))


@MATH.function("math.abs", UInt)
def _abs_uint(value: UInt) -> UInt:
    return value


MATH.function("math.abs", float)(abs)


@MATH.function("math.sign", int)
def _sign_int(value: int) -> int:
    return (value > 0) - (value < 0)


@MATH.function("math.sign", UInt)
def _sign_uint(value: UInt) -> UInt:
    return UInt(value > 0)


@MATH.function("math.sign", float)
def _sign_double(value: float) -> float:
    return value if math.isnan(value) else float((value > 0) - (value < 0))


def _whole(value: float, rounded: float) -> float:
    """Keep the sign of a zero, which Python's rounding to int loses."""
    return math.copysign(rounded, value) if rounded == 0 else rounded


@MATH.function("math.ceil", float)
def _ceil(value: float) -> float:
    return _whole(value, float(math.ceil(value))) if math.isfinite(value) else value


@MATH.function("math.floor", float)
def _floor(value: float) -> float:
    return _whole(value, float(math.floor(value))) if math.isfinite(value) else value


@MATH.function("math.trunc", float)
def _trunc(value: float) -> float:
    return _whole(value, float(math.trunc(value))) if math.isfinite(value) else value


@MATH.function("math.round", float)
def _round(value: float) -> float:
    if not math.isfinite(value):
        return value
    whole = math.trunc(value)
    # halves go away from zero; value - whole is exact
    step = 1 if abs(value - whole) >= 0.5 else 0
    return _whole(value, float(whole + (step if value > 0 else -step)))


MATH.function("math.isNaN", float)(math.isnan)
MATH.function("math.isInf", float)(math.isinf)
MATH.function("math.isFinite", float)(math.isfinite)


@MATH.function("math.sqrt", float)
@MATH.function("math.sqrt", int)
@MATH.function("math.sqrt", UInt)
def _sqrt(value: float) -> float:
    return math.sqrt(value) if not value < 0 else math.nan


def _signed(bits: int) -> int:
    bits &= UINT_MAX
    return bits if bits <= INT_MAX else bits - 2**64


@MATH.function("math.bitAnd", int, int)
def _and_int(left: int, right: int) -> int:
    return left & right


@MATH.function("math.bitAnd", UInt, UInt)
def _and_uint(left: UInt, right: UInt) -> UInt:
    return UInt(left & right)


@MATH.function("math.bitOr", int, int)
def _or_int(left: int, right: int) -> int:
    return left | right


@MATH.function("math.bitOr", UInt, UInt)
def _or_uint(left: UInt, right: UInt) -> UInt:
    return UInt(left | right)


@MATH.function("math.bitXor", int, int)
def _xor_int(left: int, right: int) -> int:
    return left ^ right


@MATH.function("math.bitXor", UInt, UInt)
def _xor_uint(left: UInt, right: UInt) -> UInt:
    return UInt(left ^ right)


@MATH.function("math.bitNot", int)
def _not_int(value: int) -> int:
    return ~value


@MATH.function("math.bitNot", UInt)
def _not_uint(value: UInt) -> UInt:
    return UInt(UINT_MAX - value)


def _shift(bits: int, distance: int, *, left: bool) -> int:
    if distance < 0:
        raise CelError(f"math.bitShift{'Left' if left else 'Right'}() negative offset: {distance}")
    if distance >= 64:
        return 0
    # a negative int shifts right as the uint of its bits
    return bits << distance & UINT_MAX if left else (bits & UINT_MAX) >> distance


MATH.function("math.bitShiftLeft", int, int)(lambda bits, distance: _signed(_shift(bits, distance, left=True)))
MATH.function("math.bitShiftLeft", UInt, int)(lambda bits, distance: UInt(_shift(bits, distance, left=True)))
MATH.function("math.bitShiftRight", int, int)(lambda bits, distance: _signed(_shift(bits, distance, left=False)))
MATH.function("math.bitShiftRight", UInt, int)(lambda bits, distance: UInt(_shift(bits, distance, left=False)))
