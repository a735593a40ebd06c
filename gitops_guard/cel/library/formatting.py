"""`format`: a template with clauses, in the style that quotes, the API server's, and in the later one that does not."""

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from gitops_guard.cel.budget import Budget
from gitops_guard.cel.errors import CelError
from gitops_guard.cel.functions import Library
from gitops_guard.cel.library.doubles import format_double
from gitops_guard.cel.library.durations import format_duration, format_timestamp
from gitops_guard.cel.operators import raise_if_unknown
from gitops_guard.cel.values import Duration, Timestamp, TypeValue, UInt, kind_of, plain_key, type_name

FORMAT_QUOTED = Library("format.v1")
FORMAT_UNQUOTED = Library("format.v4")

_CLAUSE = re.compile(r"%(?:\.([0-9]*))?(.?)", re.DOTALL)
_DEFAULT_PRECISION = 6
_MAX_PRECISION = 1000
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_QUOTED_CONTROLS = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_SPECIAL_TEXTS = frozenset({"NaN", "Infinity", "-Infinity"})

_Write = Callable[[Budget, Any], str]


@FORMAT_QUOTED.method("format", str, list, budgeted=True)
def _format_quoted(budget: Budget, template: str, arguments: list[Any]) -> str:
    return _format(budget, template, arguments, quoted=True)


@FORMAT_UNQUOTED.method("format", str, list, budgeted=True)
def _format_unquoted(budget: Budget, template: str, arguments: list[Any]) -> str:
    return _format(budget, template, arguments, quoted=False)


def _format(budget: Budget, template: str, arguments: list[Any], *, quoted: bool) -> str:
    budget.spend_text(len(template))
    parts: list[str] = []
    last, used = 0, 0
    for match in _CLAUSE.finditer(template):
        parts.append(template[last : match.start()])
        last = match.end()
        if match[2] == "%" and match[1] is None:
            parts.append("%")
            continue
        if used >= len(arguments):
            raise CelError(f"index {used} out of range")
        text = _clause(budget, match, arguments[used], quoted=quoted)
        budget.spend_text(len(text))
        parts.append(text)
        used += 1
    parts.append(template[last:])
    if quoted and used < len(arguments):
        raise CelError(f"too many arguments supplied to string.format (expected {used}, got {len(arguments)})")
    return "".join(parts)


def _clause(budget: Budget, match: re.Match[str], value: Any, *, quoted: bool) -> str:
    raise_if_unknown(value)
    letter = match[2]
    precision = int(match[1][:6] or 0) if match[1] is not None else _DEFAULT_PRECISION
    if precision > _MAX_PRECISION:
        raise CelError(f"could not parse formatting clause: precision beyond {_MAX_PRECISION}")
    if letter == "s":
        return _text(budget, value, quoted=quoted)
    if letter == "d":
        return _decimal(value, quoted=quoted)
    if letter in ("f", "e"):
        return _double(value, letter, precision, grouped=quoted)
    if letter in ("b", "o", "x", "X"):
        return _in_base(value, letter)
    if not letter:
        raise CelError("unexpected end of string")
    raise CelError(f'could not parse formatting clause: unrecognized formatting clause "{letter}"')


def _unfit(clause: str, wanted: str, value: object) -> CelError:
    return CelError(f"error during formatting: {clause} {wanted}, was given {type_name(value)}")


def _decimal(value: Any, *, quoted: bool) -> str:
    if kind_of(value) in (int, UInt):
        return str(int(value))
    if not quoted and kind_of(value) is float:
        return _plain_double(value)
    raise _unfit("decimal clause", "can only be used on integers", value)


def _double(value: Any, letter: str, precision: int, *, grouped: bool) -> str:
    name = "fixed-point" if letter == "f" else "scientific"
    kind = kind_of(value)
    if not grouped and kind in (int, UInt):
        value, kind = float(value), float
    if kind is str and value in _SPECIAL_TEXTS:
        value, kind = float(value), float
    if kind is not float:
        raise _unfit(f"{name} clause", "can only be used on doubles", value)
    if not math.isfinite(value):
        return _not_finite(value, grouped=grouped)
    if letter == "f":
        # a zero's sign is not printed
        return f"{value or 0.0:,.{precision}f}" if grouped else _rounded(value, precision)
    return _scientific(value or 0.0, precision, grouped=grouped)


def _rounded(value: float, precision: int) -> str:
    quantum = Decimal(1).scaleb(-precision)
    exact = Decimal(value).quantize(quantum, rounding=ROUND_HALF_EVEN, context=Context(prec=1500))
    return f"{exact:f}"


def _not_finite(value: float, *, grouped: bool) -> str:
    if math.isnan(value):
        return "NaN"
    infinity = "∞" if grouped else "Infinity"
    return infinity if value > 0 else f"-{infinity}"


def _scientific(value: float, precision: int, *, grouped: bool) -> str:
    if not grouped:
        return f"{value:.{precision}e}"
    # the API server takes the precision of this clause for a width
    mantissa, _, exponent = f"{value:.{_DEFAULT_PRECISION}e}".partition("e")
    text = f"{mantissa}\N{MULTIPLICATION SIGN}10{exponent.removeprefix('+').translate(_SUPERSCRIPTS)}"
    return text.rjust(precision)


def _in_base(value: Any, letter: str) -> str:
    kind = kind_of(value)
    if letter == "b" and kind is bool:
        return str(int(value))
    if kind in (int, UInt):
        return format(int(value), letter)
    if letter in ("b", "o"):
        name = "binary" if letter == "b" else "octal"
        wanted = "can only be used on integers and bools" if letter == "b" else "can only be used on integers"
        raise _unfit(f"{name} clause", wanted, value)
    if kind is str:
        value, kind = value.encode("utf-8", "surrogatepass"), bytes
    if kind is not bytes:
        raise _unfit("only integers, byte buffers, and strings can be formatted", "as hex", value)
    text = str(value.hex())
    return text.upper() if letter == "X" else text


_NO_STRING_CLAUSE = (
    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations,"
    " and timestamps"
)


def _text(budget: Budget, value: Any, *, quoted: bool) -> str:
    kind = kind_of(value)
    if kind is list or kind is dict:
        return _aggregate(budget, value, quoted=quoted)
    if kind is float and not quoted:
        return _plain_double(value)
    write = _SCALARS.get(kind)
    if write is None:
        raise CelError(f"error during formatting: {_NO_STRING_CLAUSE}, was given {type_name(value)}")
    return write(value)


def _utf8(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise CelError("invalid UTF-8 in bytes, cannot convert to string") from None


_SCALARS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _value: "null",
    bool: lambda value: "true" if value else "false",
    int: str,
    UInt: lambda value: str(int(value)),
    float: format_double,
    str: lambda value: str(value),
    bytes: _utf8,
    Timestamp: format_timestamp,
    Duration: format_duration,
    TypeValue: lambda value: str(value.name),
}


def _plain_double(value: float) -> str:
    """Write a double without an exponent, as the later style does."""
    if not math.isfinite(value):
        return _not_finite(value, grouped=False)
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _aggregate(budget: Budget, value: Any, *, quoted: bool) -> str:
    budget.spend(len(value) + 1)
    inner = _inner_quoted if quoted else _inner_plain
    if kind_of(value) is list:
        return "[" + ", ".join(inner(budget, item) for item in value) + "]"
    pairs = sorted((inner(budget, _key(key)), inner(budget, value[key])) for key in value)
    separator = ":" if quoted else ": "
    return "{" + ", ".join(f"{key}{separator}{item}" for key, item in pairs) + "}"


def _key(key: object) -> object:
    value = plain_key(key)
    if kind_of(value) not in (str, bool, int, UInt):
        raise CelError(f"error during formatting: no formatting function for map key of type {type_name(value)}")
    return value


def _inner_plain(budget: Budget, value: Any) -> str:
    text = _text(budget, value, quoted=False)
    budget.spend_text(len(text))
    return text


def _inner_quoted(budget: Budget, value: Any) -> str:
    kind = kind_of(value)
    if kind is float:
        return f"{value:.6f}" if math.isfinite(value) else quote(format_double(value))
    text = _text(budget, value, quoted=True)
    budget.spend_text(len(text))
    if kind is str:
        return quote(text)
    if kind is bytes:
        return f"b{quote(text)}"
    if kind is Timestamp:
        return f"timestamp({quote(text)})"
    if kind is Duration:
        return f"duration({quote(text)})"
    return text


def quote(text: str) -> str:
    """Quote a text as Go's `%q` does."""
    return '"' + "".join(_quoted_character(character) for character in text) + '"'


def _quoted_character(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character in _QUOTED_CONTROLS:
        return _QUOTED_CONTROLS[character]
    if character == " " or (character.isprintable() and not character.isspace()):
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
