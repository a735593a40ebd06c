"""Arithmetic, equality, ordering, membership, selection and indexing on values, with CEL's own rules.

The compiler inlines the common cases; what it does not decide ends up here.
"""

import math
from collections.abc import Callable
from typing import Any

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.errors import CelError, no_overload
from gitops_guard.cel.values import (
    INT_MAX,
    INT_MIN,
    NONE,
    TIMESTAMP_MAX,
    TIMESTAMP_MIN,
    UINT_MAX,
    Duration,
    KeyedList,
    Message,
    Opaque,
    Opt,
    SetList,
    Timestamp,
    UInt,
    Undefined,
    Unknown,
    kind_of,
    map_key,
    type_name,
)

_NUMBERS = frozenset({int, UInt, float})
UNREADABLE = frozenset({Unknown, Undefined})
"""Classes of placeholders that no expression may read."""

_SCALARS = frozenset({type(None), bool, int, UInt, float, str, bytes})


def checked_int(value: int) -> int:
    """Return an int64 result.

    Raises:
        CelError: It overflows.
    """
    if INT_MIN <= value <= INT_MAX:
        return value
    raise CelError("integer overflow")


def checked_uint(value: int) -> UInt:
    """Return a uint64 result.

    Raises:
        CelError: It overflows.
    """
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    raise CelError("unsigned integer overflow")


def checked_duration(ns: int) -> Duration:
    """Return a duration.

    Raises:
        CelError: It does not fit int64 nanoseconds.
    """
    if INT_MIN <= ns <= INT_MAX:
        return Duration(ns)
    raise CelError("integer overflow")


def checked_timestamp(ns: int, zone_s: int = 0) -> Timestamp:
    """Return a timestamp.

    Raises:
        CelError: It lies outside the years 1 to 9999.
    """
    if TIMESTAMP_MIN <= ns <= TIMESTAMP_MAX:
        return Timestamp(ns, zone_s)
    raise CelError("timestamp overflow")


def _divide_int(left: int, right: int) -> int:
    if right == 0:
        raise CelError("division by zero")
    quotient = abs(left) // abs(right)
    return checked_int(quotient if (left < 0) == (right < 0) else -quotient)


def _modulo_int(left: int, right: int) -> int:
    if right == 0:
        raise CelError("modulus by zero")
    if left == INT_MIN and right == -1:
        raise CelError("integer overflow")
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def _divide_uint(left: UInt, right: UInt) -> UInt:
    if right == 0:
        raise CelError("division by zero")
    return UInt(left // right)


def _modulo_uint(left: UInt, right: UInt) -> UInt:
    if right == 0:
        raise CelError("modulus by zero")
    return UInt(left % right)


def _divide_double(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


_Operation = Callable[[Any, Any], object]

_ARITHMETIC: dict[tuple[str, type, type], _Operation] = {
    ("+", int, int): lambda x, y: checked_int(x + y),
    ("+", UInt, UInt): lambda x, y: checked_uint(x + y),
    ("+", float, float): lambda x, y: x + y,
    ("+", str, str): lambda x, y: x + y,
    ("+", bytes, bytes): lambda x, y: x + y,
    ("+", list, list): lambda x, y: x + y,
    ("+", Duration, Duration): lambda x, y: checked_duration(x.ns + y.ns),
    ("+", Timestamp, Duration): lambda x, y: checked_timestamp(x.ns + y.ns, x.zone_s),
    ("+", Duration, Timestamp): lambda x, y: checked_timestamp(x.ns + y.ns, y.zone_s),
    ("-", int, int): lambda x, y: checked_int(x - y),
    ("-", UInt, UInt): lambda x, y: checked_uint(x - y),
    ("-", float, float): lambda x, y: x - y,
    ("-", Duration, Duration): lambda x, y: checked_duration(x.ns - y.ns),
    ("-", Timestamp, Timestamp): lambda x, y: checked_duration(x.ns - y.ns),
    ("-", Timestamp, Duration): lambda x, y: checked_timestamp(x.ns - y.ns, x.zone_s),
    ("*", int, int): lambda x, y: checked_int(x * y),
    ("*", UInt, UInt): lambda x, y: checked_uint(x * y),
    ("*", float, float): lambda x, y: x * y,
    ("/", int, int): _divide_int,
    ("/", UInt, UInt): _divide_uint,
    ("/", float, float): _divide_double,
    ("%", int, int): _modulo_int,
    ("%", UInt, UInt): _modulo_uint,
}


def arithmetic(operator: str, left: Any, right: Any, budget: Budget) -> object:
    """Apply `+ - * / %`.

    Raises:
        CelError: The types differ or have no such operator, the result overflows, or the divisor is zero.
    """
    operation = _ARITHMETIC.get((operator, kind_of(left), kind_of(right)))
    if operation is None:
        raise_if_unknown(left, right)
        raise no_overload()
    if operator == "+" and isinstance(left, (str, bytes, list)):
        budget.spend_text(len(left) + len(right))
    return operation(left, right)


def negate(value: Any) -> object:
    """Apply unary minus.

    Raises:
        CelError: Not an int, double or duration, or out of range.
    """
    kind = kind_of(value)
    if kind is int:
        return checked_int(-value)
    if kind is float:
        return -value
    if kind is Duration:
        return checked_duration(-value.ns)
    raise_if_unknown(value)
    raise no_overload()


def raise_if_unknown(*values: object) -> None:
    """Raise for a variable that cannot be read.

    Raises:
        CelError: One of the values is a placeholder for such a variable.
    """
    for value in values:
        if isinstance(value, (Unknown, Undefined)):
            raise value.error()


def _compare_int_double(whole: int, double: float) -> int:
    if double < INT_MIN:
        return 1
    # both limits as doubles, which are one more: 2^63-1 and 2^63 are one number here
    if double > float(UINT_MAX if type(whole) is UInt else INT_MAX):
        return -1
    as_double = float(whole)
    return (as_double > double) - (as_double < double)


def compare_numbers(left: Any, right: Any) -> int:
    """Compare an int, uint or double with another; mixed with a double they compare as doubles, as in the API server.

    Raises:
        CelError: One is NaN.
    """
    if left != left or right != right:
        raise CelError("NaN values cannot be ordered")
    if isinstance(left, float) and not isinstance(right, float):
        return -_compare_int_double(right, left)
    if isinstance(right, float) and not isinstance(left, float):
        return _compare_int_double(left, right)
    return int(left > right) - int(left < right)


def compare(left: Any, right: Any) -> int:
    """Order two values.

    Returns:
        -1, 0 or 1.

    Raises:
        CelError: Their types have no order between them.
    """
    left_kind, right_kind = kind_of(left), kind_of(right)
    if left_kind in _NUMBERS and right_kind in _NUMBERS:
        return compare_numbers(left, right)
    if left_kind is right_kind:
        if left_kind in (str, bytes, bool):
            return int(left > right) - int(left < right)
        if left_kind in (Timestamp, Duration):
            return int(left.ns > right.ns) - int(left.ns < right.ns)
    raise_if_unknown(left, right)
    raise no_overload()


def equals(left: Any, right: Any, budget: Budget) -> bool:
    """Tell whether two values are equal; different types are unequal, numbers compare across theirs.

    Raises:
        CelError: An opaque value meets another type on its right.
    """
    left_kind, right_kind = kind_of(left), kind_of(right)
    if left_kind is right_kind:
        if left_kind in _SCALARS:
            return bool(left == right)
        if left_kind is list:
            return _equal_lists(left, right, budget)
        if left_kind is dict:
            return _equal_maps(left, right, budget)
        if left_kind is Opt:
            return left.present == right.present and (not left.present or equals(left.value, right.value, budget))
        if left_kind is Message:
            return left.type_name == right.type_name and _equal_maps(left.fields, right.fields, budget)
        raise_if_unknown(left)
        return bool(left == right)
    if left_kind in _NUMBERS and right_kind in _NUMBERS:
        return left == left and right == right and compare_numbers(left, right) == 0
    raise_if_unknown(left, right)
    if isinstance(left, Opaque):
        raise no_overload()
    return False


def _equal_lists(left: list[Any], right: list[Any], budget: Budget) -> bool:
    if len(left) != len(right):
        return False
    budget.spend(len(left))
    if isinstance(left, (SetList, KeyedList)):  # what the left side is decides, as in the API server
        known = {left.name_of(item): item for item in left}
        same = [(left.name_of(item), item) for item in right]
        return all(name in known and equals(known[name], item, budget) for name, item in same)
    return all(equals(x, y, budget) for x, y in zip(left, right, strict=True))


def _equal_maps(left: dict[Any, Any], right: dict[Any, Any], budget: Budget) -> bool:
    if len(left) != len(right):
        return False
    budget.spend(len(left))
    return all(key in right and equals(left[key], right[key], budget) for key in left)


def _equals_itself(value: Any) -> bool:
    """Tell whether a plain value is surely equal to itself: it holds no NaN, and nothing that cannot be compared."""
    cls = type(value)
    if cls is dict:
        return all(map(_equals_itself, value.values()))
    if cls is list:
        return all(map(_equals_itself, value))
    return cls is str or cls is int or cls is bool or value is None


def differs(left: Any, right: Any, budget: Budget) -> bool:
    """Tell whether two values are unequal; an opaque value differs from every other type without an error."""
    if isinstance(left, Opaque) and kind_of(left) is not kind_of(right):
        raise_if_unknown(right)
        return True
    return not equals(left, right, budget)


def contains(item: Any, container: Any, budget: Budget) -> bool:
    """Apply `in`: an equal element of a list, a key of a map.

    Raises:
        CelError: The right side is neither.
    """
    kind = kind_of(container)
    if kind is list:
        budget.spend(len(container) // 4)
        return any((element is item and _equals_itself(item)) or equals(item, element, budget) for element in container)
    if kind is dict:
        raise_if_unknown(item)
        try:
            return map_key(item) in container
        except CelError:
            return False
    raise_if_unknown(item, container)
    raise no_overload()


def has_field(operand: Any, field: str, *, strict: bool) -> bool:
    """Apply `has(operand.field)`.

    Args:
        operand: Any value.
        field: Name of the field.
        strict: Presence on a value without fields is an error; else it is false for null and scalars.
    """
    kind = kind_of(operand)
    if kind is dict:
        return field in operand
    if kind is Opt:
        return operand.present and has_field(operand.value, field, strict=strict)
    if kind is Message:
        return field in operand.fields
    raise_if_unknown(operand)
    if kind is list:
        raise CelError("unsupported index type 'string' in list")
    if strict:
        raise no_overload()
    return False


def select(operand: Any, field: str) -> object:
    """Apply `operand.field`; on an optional it acts on the content and stays optional.

    Raises:
        CelError: There is no such field.
    """
    kind = kind_of(operand)
    if kind is dict:
        try:
            return operand[field]
        except KeyError:
            raise CelError(f"no such key: {field}") from None
    if kind is Opt:
        return select_optional(operand, field, strict=False)
    if kind is Message:
        if field in operand.fields:
            return operand.fields[field]
        raise CelError(f"no such key: {field}")
    raise_if_unknown(operand)
    if kind is list:
        raise CelError("unsupported index type 'string' in list")
    raise CelError(f"no such key: {field}")


def select_optional(operand: Any, field: str, *, strict: bool) -> Opt:
    """Apply `operand.?field`."""
    if kind_of(operand) is Opt:
        return select_optional(operand.value, field, strict=strict) if operand.present else NONE
    return Opt(select(operand, field)) if has_field(operand, field, strict=strict) else NONE


def _position(index: Any) -> int:
    kind = kind_of(index)
    if kind is int or kind is UInt:
        return int(index)
    raise_if_unknown(index)
    if kind is float:
        if index.is_integer():
            return int(index)
        raise CelError(f"unsupported index value {index} in list")
    raise CelError(f"unsupported index type '{type_name(index)}' in list")


def index(operand: Any, key: Any) -> object:
    """Apply `operand[key]`; on an optional it acts on the content and stays optional.

    Raises:
        CelError: No such key or index, or a key of a wrong type.
    """
    kind = kind_of(operand)
    if kind is dict:
        raise_if_unknown(key)
        try:
            return operand[map_key(key)]
        except KeyError:
            raise CelError(f"no such key: {_key_text(key)}") from None
    if kind is list:
        position = _position(key)
        if 0 <= position < len(operand):
            return operand[position]
        raise CelError(f"index out of bounds: {position}")
    if kind is Opt:
        return index_optional(operand, key)
    raise_if_unknown(operand, key)
    raise CelError(f"no such key: {_key_text(key)}")


def index_optional(operand: Any, key: Any) -> Opt:
    """Apply `operand[?key]`: absent where the key or index is, an error where its type is wrong."""
    kind = kind_of(operand)
    if kind is Opt:
        return index_optional(operand.value, key) if operand.present else NONE
    if kind is dict:
        raise_if_unknown(key)
        found = map_key(key)
        return Opt(operand[found]) if found in operand else NONE
    if kind is list:
        position = _position(key)
        return Opt(operand[position]) if 0 <= position < len(operand) else NONE
    raise_if_unknown(operand, key)
    return NONE


def _key_text(key: object) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(int(key)) if isinstance(key, UInt) else str(key)
