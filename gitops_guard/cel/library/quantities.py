"""Kubernetes quantities: a decimal with a unit.

The API server keeps one as int64 x 10^scale where the text allows, else as a big decimal. Which form it has shows: only
the first with a scale of zero or more is an integer to it, so `1k` is one and `1000m` or `0.5Gi` is none.
"""

import math
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext
from functools import lru_cache

from gitops_guard.cel.errors import CelError
from gitops_guard.cel.functions import Library
from gitops_guard.cel.values import INT_MAX, INT_MIN, Opaque

_TEXT = re.compile(r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[+-]?[0-9]*)\Z")
_EXPONENT = re.compile(r"[eE][+-]?[0-9]{1,9}\Z")
_DECIMAL_UNITS = {"": 0, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_UNITS = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_NANO = -9
_SMALL_DIGITS = 18
"""Digits up to which a decimal takes the small form."""

_SMALL_BINARY_DIGITS = 14
"""The same for binary units, where the unit takes three digits for every ten bits."""

_MAX_LENGTH = 200
"""Characters of a quantity; the API server's own are far shorter."""

_MAX_EXPONENT = 400
_EXACT = Context(prec=1200)


class Quantity(Opaque):
    """A quantity: `value` is exact; `mantissa` x 10^`scale` is the small form, absent for a big decimal."""

    __slots__ = ("mantissa", "scale", "value")
    type_name = "kubernetes.Quantity"

    def __init__(self, value: Decimal, mantissa: int | None, scale: int) -> None:
        self.value = value
        self.mantissa = mantissa
        self.scale = scale

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return f"Quantity({self.value})"


QUANTITIES = Library("quantity", types=(Quantity,))


_WRONG_FORMAT = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_WRONG_SUFFIX = "unable to parse quantity's suffix"


@QUANTITIES.function("quantity", str)
@lru_cache(maxsize=4096)
def parse_quantity(text: str) -> Quantity:
    """Read a quantity.

    Raises:
        CelError: The text is none.
    """
    match = _TEXT.match(text) if 0 < len(text) <= _MAX_LENGTH else None
    if match is None:
        raise CelError(_WRONG_FORMAT)
    sign = -1 if match[1] == "-" else 1
    whole, fraction, unit = match[2] or "0", match[3] or "", match[4]
    if unit in _BINARY_UNITS:
        return _binary(sign, whole, fraction, _BINARY_UNITS[unit])
    if unit in _DECIMAL_UNITS:
        return _decimal(sign, whole, fraction, _DECIMAL_UNITS[unit])
    if not _EXPONENT.match(unit) or int(unit[1:]) > _MAX_EXPONENT:
        raise CelError(_WRONG_SUFFIX)
    # below some exponent everything rounds to a billionth
    return _decimal(sign, whole, fraction, max(int(unit[1:]), -_MAX_EXPONENT))


def _decimal(sign: int, whole: str, fraction: str, exponent: int) -> Quantity:
    scale = exponent - len(fraction)
    mantissa = sign * int(whole + fraction)
    value = Decimal(mantissa).scaleb(scale, _EXACT)
    if scale >= _NANO and len(whole + fraction) <= _SMALL_DIGITS:
        return Quantity(value, mantissa, scale)
    return Quantity(_rounded(value), None, 0)


def _binary(sign: int, whole: str, fraction: str, bits: int) -> Quantity:
    if not fraction and len(whole) + bits * 3 // 10 <= _SMALL_BINARY_DIGITS:
        mantissa = sign * (int(whole) << bits)
        return Quantity(Decimal(mantissa), mantissa, 0)
    with localcontext(_EXACT):
        value = Decimal(sign * int(whole + fraction)).scaleb(-len(fraction)) * (1 << bits)
    limit = Decimal(INT_MAX)
    return Quantity(max(min(_rounded(value), limit), -limit), None, 0)


def _rounded(value: Decimal) -> Decimal:
    """Round what is finer than a billionth away from zero."""
    nano = Decimal(1).scaleb(_NANO)
    return value.quantize(nano, rounding=ROUND_CEILING if value > 0 else ROUND_FLOOR, context=_EXACT)


@QUANTITIES.function("isQuantity", str)
def _is_quantity(text: str) -> bool:
    try:
        parse_quantity(text)
    except CelError:
        return False
    return True


@QUANTITIES.function("sign", Quantity)
def _sign(value: Quantity) -> int:
    return (value.value > 0) - (value.value < 0)


@QUANTITIES.method("compareTo", Quantity, Quantity)
def _compare(left: Quantity, right: Quantity) -> int:
    return (left.value > right.value) - (left.value < right.value)


@QUANTITIES.method("isLessThan", Quantity, Quantity)
def _is_less(left: Quantity, right: Quantity) -> bool:
    return left.value < right.value


@QUANTITIES.method("isGreaterThan", Quantity, Quantity)
def _is_greater(left: Quantity, right: Quantity) -> bool:
    return left.value > right.value


def _added(left: Quantity, right: Quantity, sign: int) -> Quantity:
    with localcontext(_EXACT):
        value = left.value + sign * right.value
    if left.mantissa is not None and right.mantissa is not None:
        if not right.mantissa:
            return left
        if not left.mantissa:
            return Quantity(value, sign * right.mantissa, right.scale)
        scale = min(left.scale, right.scale)
        mantissa = left.mantissa * 10 ** (left.scale - scale) + sign * right.mantissa * 10 ** (right.scale - scale)
        if INT_MIN <= mantissa <= INT_MAX:
            return Quantity(value, mantissa, scale)
    return Quantity(value, None, 0)


@QUANTITIES.method("add", Quantity, Quantity)
def _add(left: Quantity, right: Quantity) -> Quantity:
    return _added(left, right, 1)


@QUANTITIES.method("add", Quantity, int)
def _add_int(left: Quantity, right: int) -> Quantity:
    return _added(left, Quantity(Decimal(right), right, 0), 1)


@QUANTITIES.method("sub", Quantity, Quantity)
def _sub(left: Quantity, right: Quantity) -> Quantity:
    return _added(left, right, -1)


@QUANTITIES.method("sub", Quantity, int)
def _sub_int(left: Quantity, right: int) -> Quantity:
    return _added(left, Quantity(Decimal(right), right, 0), -1)


def _integer(value: Quantity) -> int | None:
    if value.mantissa is None or value.scale < 0:
        return None
    whole = value.mantissa * 10**value.scale
    return whole if INT_MIN <= whole <= INT_MAX else None


@QUANTITIES.method("isInteger", Quantity)
def _is_integer(value: Quantity) -> bool:
    return _integer(value) is not None


@QUANTITIES.method("asInteger", Quantity)
def _as_integer(value: Quantity) -> int:
    whole = _integer(value)
    if whole is None:
        raise CelError("cannot convert value to integer")
    return whole


@QUANTITIES.method("asApproximateFloat", Quantity)
def _as_float(value: Quantity) -> float:
    # as the API server computes it, to the last digit: the whole number times a power of ten, both as doubles
    exponent = value.value.as_tuple().exponent if value.mantissa is None else value.scale
    assert isinstance(exponent, int)
    mantissa = int(value.value.scaleb(-exponent, _EXACT)) if value.mantissa is None else value.mantissa
    try:
        return float(mantissa) * float(f"1e{exponent}") if exponent else float(mantissa)
    except OverflowError:
        return math.copysign(math.inf, mantissa)
