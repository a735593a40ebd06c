"""Formats of the API's scalars: quantities, base64, times, integer ranges.

Part of the clean path: imports nothing but `re`, which the YAML parser has loaded already.
"""

import re

INT32 = (-(2**31), 2**31 - 1)
INT64 = (-(2**63), 2**63 - 1)

_DIGITS = frozenset("0123456789")
_SUFFIXES = frozenset(("", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|[+-](\d\d):(\d\d))", re.ASCII)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_quantity(text: str) -> bool:
    """Tell whether Go's `resource.ParseQuantity` takes a text: `100m`, `1.5Gi`, `2e3`, but not `1GB`, `5e`."""
    if text and _DIGITS.issuperset(text):
        return True
    body = text.strip(" ")
    suffix = _quantity_suffix(body)
    if suffix in _SUFFIXES:
        return bool(body)
    sign_less = suffix[2:] if suffix[1:2] in ("+", "-") else suffix[1:]
    return suffix[0] in "eE" and 0 < len(sign_less) < 19 and _DIGITS.issuperset(sign_less)


def _quantity_suffix(body: str) -> str:
    """Cut sign and number off a quantity, as far as Go reads them: `Gi` of `-1.5Gi`."""
    rest = body[1:] if body[:1] in ("+", "-") else body
    whole = rest.lstrip("0123456789")
    return whole[1:].lstrip("0123456789") if whole[:1] == "." else whole


def is_base64(text: str) -> bool:
    """Tell whether Go's `encoding/base64` takes a text: the standard alphabet, padded, line breaks anywhere."""
    if "\n" in text or "\r" in text:
        text = text.replace("\n", "").replace("\r", "")
    if len(text) % 4:
        return False
    stripped = text.rstrip("=")
    return len(text) - len(stripped) <= 2 and _BASE64.issuperset(stripped)


def is_time(text: str) -> bool:
    """Tell whether Go parses a text as RFC 3339: `2026-01-31T12:00:00Z`; the zone is not optional."""
    match = _TIME.fullmatch(text)
    return match is not None and _is_date(match)


def is_micro_time(text: str) -> bool:
    """Tell whether a text is RFC 3339 with exactly six decimals, as `MicroTime` wants it."""
    match = _TIME.fullmatch(text)
    return match is not None and len(match[7] or "") == 6 and _is_date(match)


def _is_date(match: "re.Match[str]") -> bool:
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1]:
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if month == 2 and day == 29 and not leap:
        return False
    zone = match[8] is None or (int(match[8]) <= 24 and int(match[9]) < 60)
    return hour < 24 and minute < 60 and second < 60 and zone
