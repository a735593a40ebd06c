"""The language's own functions: conversions, `size`, `type`, `dyn` and the basic string tests."""

import math
import re
from typing import Any

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.errors import CelError
from gitops_guard.cel.functions import ANY, Library
from gitops_guard.cel.library.doubles import format_double
from gitops_guard.cel.library.durations import format_duration, format_timestamp, parse_duration, parse_timestamp
from gitops_guard.cel.operators import checked_int, checked_timestamp, checked_uint
from gitops_guard.cel.regexes import compile_regex
from gitops_guard.cel.values import INT_MAX, INT_MIN, NS, UINT_MAX, Duration, Timestamp, TypeValue, UInt, type_of

STANDARD = Library("standard")

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
_INT = re.compile(r"[+-]?[0-9]+\Z")
_UINT = re.compile(r"[0-9]+\Z")
_DOUBLE = re.compile(r"[+-]?([0-9](_?[0-9])*\.?([0-9](_?[0-9])*)?|\.[0-9](_?[0-9])*)([eE][+-]?[0-9](_?[0-9])*)?\Z")
_HEX_DOUBLE = re.compile(r"[+-]?0[xX]([0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+\Z")
_SPECIAL_DOUBLE = re.compile(r"[+-]?(inf|infinity)\Z|nan\Z", re.IGNORECASE)
_MAX_DIGITS = 400
"""Longer texts are no number that fits; Python's own conversions would take quadratic time on them."""


def _conversion_error(source: str, target: str) -> CelError:
    return CelError(f"type conversion error from '{source}' to '{target}'")


@STANDARD.function("bool", bool)
@STANDARD.function("int", int)
@STANDARD.function("uint", UInt)
@STANDARD.function("double", float)
@STANDARD.function("string", str)
@STANDARD.function("bytes", bytes)
@STANDARD.function("timestamp", Timestamp)
@STANDARD.function("duration", Duration)
@STANDARD.function("dyn", ANY)
def _identity(value: Any) -> Any:
    return value


STANDARD.function("type", ANY)(type_of)


@STANDARD.function("bool", str)
def _bool_of_text(text: str) -> bool:
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise _conversion_error("string", "bool")


@STANDARD.function("int", UInt)
def _int_of_uint(value: UInt) -> int:
    return checked_int(int(value))


@STANDARD.function("int", float)
def _int_of_double(value: float) -> int:
    # both ends are refused: as doubles they stand for numbers beyond int64 as well
    if not math.isfinite(value) or value <= INT_MIN or value >= INT_MAX:
        raise CelError("integer overflow")
    return int(value)


@STANDARD.function("int", str)
def _int_of_text(text: str) -> int:
    if _INT.match(text) and len(text) <= _MAX_DIGITS and INT_MIN <= (value := int(text)) <= INT_MAX:
        return value
    raise _conversion_error("string", "int")


@STANDARD.function("int", Timestamp)
def _int_of_timestamp(value: Timestamp) -> int:
    return value.ns // NS


@STANDARD.function("int", Duration)
def _int_of_duration(value: Duration) -> int:
    return value.ns


@STANDARD.function("uint", int)
def _uint_of_int(value: int) -> UInt:
    return checked_uint(value)


@STANDARD.function("uint", float)
def _uint_of_double(value: float) -> UInt:
    if not math.isfinite(value) or value < 0 or value >= UINT_MAX:
        raise CelError("unsigned integer overflow")
    return UInt(value)


@STANDARD.function("uint", str)
def _uint_of_text(text: str) -> UInt:
    if _UINT.match(text) and len(text) <= _MAX_DIGITS and (value := int(text)) <= UINT_MAX:
        return UInt(value)
    raise _conversion_error("string", "uint")


@STANDARD.function("double", int)
@STANDARD.function("double", UInt)
def _double_of_int(value: int) -> float:
    return float(value)


@STANDARD.function("double", str)
def _double_of_text(text: str) -> float:
    if len(text) <= _MAX_DIGITS:
        if _SPECIAL_DOUBLE.match(text):
            return float(text)
        if _DOUBLE.match(text) and not math.isinf(value := float(text)):
            return value
        if _HEX_DOUBLE.match(text):
            return _hex_double(text)
    raise _conversion_error("string", "double")


def _hex_double(text: str) -> float:
    try:
        return float.fromhex(text)
    except OverflowError:
        raise _conversion_error("string", "double") from None


@STANDARD.function("string", int)
@STANDARD.function("string", UInt)
def _text_of_int(value: int) -> str:
    return str(int(value))


@STANDARD.function("string", bool)
def _text_of_bool(value: bool) -> str:
    return "true" if value else "false"


STANDARD.function("string", float)(format_double)
STANDARD.function("string", Timestamp)(format_timestamp)
STANDARD.function("string", Duration)(format_duration)
STANDARD.function("timestamp", str)(parse_timestamp)
STANDARD.function("duration", str)(parse_duration)


@STANDARD.function("string", TypeValue)
def _text_of_type(value: TypeValue) -> str:
    return value.name


@STANDARD.function("string", bytes, budgeted=True)
def _text_of_bytes(budget: Budget, value: bytes) -> str:
    budget.spend_text(len(value))
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise CelError("invalid UTF-8 in bytes, cannot convert to string") from None


@STANDARD.function("bytes", str)
def _bytes_of_text(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@STANDARD.function("timestamp", int)
def _timestamp_of_int(seconds: int) -> Timestamp:
    return checked_timestamp(seconds * NS)


@STANDARD.function("duration", int)
def _duration_of_int(ns: int) -> Duration:
    return Duration(ns)


@STANDARD.function("size", str)
@STANDARD.function("size", bytes)
@STANDARD.function("size", list)
@STANDARD.function("size", dict)
@STANDARD.method("size", str)
@STANDARD.method("size", bytes)
@STANDARD.method("size", list)
@STANDARD.method("size", dict)
def _size(value: Any) -> int:
    return len(value)


STANDARD.method("startsWith", str, str)(str.startswith)
STANDARD.method("endsWith", str, str)(str.endswith)


@STANDARD.method("contains", str, str, budgeted=True)
def _contains(budget: Budget, text: str, part: str) -> bool:
    budget.spend_text(len(text))
    return part in text


@STANDARD.function("matches", str, str, budgeted=True)
@STANDARD.method("matches", str, str, budgeted=True)
def _matches(budget: Budget, text: str, pattern: str) -> bool:
    return compile_regex(pattern).search(text, budget)
