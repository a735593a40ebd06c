"""What a plain scalar means: the rules of go-yaml v2, as kubectl and the API server have them, and kustomize's."""

import base64
import binascii
import math
import re
from datetime import date

from gitops_guard.manifest.dialect import Dialect

_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE_WORDS = frozenset(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"))
_FALSE_WORDS = frozenset(("n", "N", "no", "No", "NO", "off", "Off", "OFF"))
BOOL_WORDS = _TRUE_WORDS | _FALSE_WORDS
"""Booleans for kubectl, strings for kustomize and for YAML 1.2."""

_INFINITE = {
    f"{sign}.{word}": float(f"{sign}inf") for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")
} | dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan)
# `\Z`, because `$` matches before a last newline; `[0-9]`, because `\d` knows other alphabets.
_INT = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)\Z|0b[-+][01]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_DOT = re.compile(r"\.[0-9](?:_?[0-9])*(?:[eE][-+]?[0-9](?:_?[0-9])*)?\Z")
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:([Tt]|[ \t]+)([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(\.[0-9]*)?[ \t]*(Z|[-+][0-9]{1,2}(?::?[0-9]{2})?)?)?\Z"
)
_MIN, _MAX, _MAX_UNSIGNED = -(2**63), 2**63 - 1, 2**64 - 1
_BASES = {"x": 16, "b": 2, "o": 8}
_TAG = "tag:yaml.org,2002:"


class UndecodableError(ValueError):
    """An explicit tag promises what the text does not hold."""


def resolve(text: str, *, dialect: Dialect = Dialect.KUBECTL) -> object:
    """Read a plain scalar.

    Returns:
        A string, bool, None, int (also beyond int64) or float (also infinite and NaN); see `to_json` for what of it
        JSON can say. A date stays text, rewritten where kustomize does so.
    """
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if text in _NULL:
        return None
    if text in BOOL_WORDS:
        return text in _TRUE_WORDS if dialect is Dialect.KUBECTL else text
    if text in _INFINITE:
        return _INFINITE[text]
    first = text[0]
    if first == ".":
        return _float(text.replace("_", "")) if _DOT.match(text) else text
    if first in "+-0123456789":
        number = _number(text.replace("_", ""))
        if number is not None:
            return number
        return rewritten_date(text) if dialect is Dialect.KUSTOMIZE else text
    return text


def _number(text: str) -> int | float | None:
    if _INT.match(text):
        value = _int(text)
        if _MIN <= value <= _MAX or (text[0] not in "+-" and value <= _MAX_UNSIGNED):
            return value
    if _FLOAT.match(text):
        number = _float(text)
        return None if isinstance(number, str) else number
    return None


def _int(text: str) -> int:
    """Read what `_INT` has matched; a leading zero means octal."""
    digits = text.lstrip("+-")
    sign = -1 if text.startswith("-") else 1
    if len(digits) > 1 and digits[0] == "0":
        base = _BASES.get(digits[1].lower())
        return sign * (int(digits[2:], base) if base else int(digits, 8))
    # A decimal of thousands of digits is far beyond int64, and Python refuses to convert it.
    return sign * (int(digits) if len(digits) <= 20 else 2**70)


def _float(text: str) -> float | str:
    number = float(text)
    return text if math.isinf(number) else number


def rewritten_date(text: str) -> str:
    """Return a date as kustomize writes it, RFC 3339; the text itself when it is none or stays."""
    match = _DATE.match(text)
    if not match:
        return text
    year, month, day, separator, hour, minute, second, fraction, zone = match.groups()
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return text
    head = f"{year}-{int(month):02}-{int(day):02}"
    if separator is None:
        return f"{head}T00:00:00Z"
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59 or not _has_known_zone(separator, zone, text):
        return text
    fraction = (fraction or "").rstrip("0").rstrip(".")
    return f"{head}T{int(hour):02}:{int(minute):02}:{int(second):02}{fraction}{zone or 'Z'}"


def _has_known_zone(separator: str, zone: str | None, text: str) -> bool:
    """go-yaml's layouts: `T` or `t` wants a zone of the form Z or +hh:mm, a single blank wants none."""
    if separator in "Tt":
        return zone is not None and (zone == "Z" or len(zone) == 6) and " " not in text
    return separator == " " and zone is None and not text.endswith((" ", "\t"))


def is_date(text: str) -> bool:
    """Tell whether a YAML 1.1 reader with dates takes a plain scalar for a date or a time stamp."""
    return _DATE.match(text) is not None


def resolve_tagged(text: str, tag: str, *, dialect: Dialect = Dialect.KUBECTL) -> object:
    """Read a scalar with an explicit tag, whatever its quotes.

    Args:
        text: The scalar's content.
        tag: As libyaml gives it: `!` or `tag:yaml.org,2002:int`; an unknown tag is ignored.
        dialect: Whose reading is wanted.

    Raises:
        UndecodableError: The text is not of the tag's type.
    """
    if tag == "!" and dialect is Dialect.KUSTOMIZE:
        return resolve(text, dialect=dialect)
    name = tag.removeprefix(_TAG)
    if name == "binary":
        return _binary(text)
    if name not in _ACCEPTED:
        return text
    value = resolve(text, dialect=dialect)
    if name == "timestamp" and isinstance(value, str) and is_date(text):
        return value
    if type(value) not in _ACCEPTED[name]:
        raise UndecodableError(f"the value is not of the type that its tag `!!{name}` names")
    return float(value) if name == "float" and isinstance(value, int) else value


_ACCEPTED: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "null": (type(None),),
    "timestamp": (),
}


def _binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):
        raise UndecodableError("the value is not the base64 text that its tag `!!binary` names") from None


def to_json(value: object) -> object:
    """Write a resolved scalar as Go's JSON encoder does: integral floats as integers, int64 or float64.

    Returns:
        None, bool, str, an int within int64, or a float; infinite floats and NaN come back as they are.
    """
    if type(value) is int:
        return value if _MIN <= value <= _MAX else float(value)
    if type(value) is float and value.is_integer() and abs(value) < 1e21:
        whole = int(value)
        # Exactly -2**63 is where an integer just below int64 was rounded to: Go prints it as a float.
        return whole if abs(whole) <= _MAX else value
    return value
