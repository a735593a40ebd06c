"""Timestamps and durations as texts: RFC 3339 and Go's duration syntax."""

import re
from datetime import date, timedelta
from decimal import Decimal

from gitops_guard.cel.errors import CelError
from gitops_guard.cel.values import INT_MAX, INT_MIN, NS, TIMESTAMP_MAX, TIMESTAMP_MIN, Duration, Timestamp

_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?(?:Z|([+-])([0-9]{2}):([0-9]{2}))\Z"
)
_EPOCH = date(1970, 1, 1)
_DAY = 86_400
_UNITS = {
    "h": 3600 * NS,
    "m": 60 * NS,
    "s": NS,
    "ms": 1_000_000,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ns": 1,
}
_DURATION_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(h|ms|m|s|us|µs|μs|ns)")
_MAX_DIGITS = 30


def parse_timestamp(text: str) -> Timestamp:
    """Read an RFC 3339 text with a zone.

    Raises:
        CelError: It is none, or lies outside the years 1 to 9999.
    """
    match = _TIMESTAMP.match(text)
    if match is None:
        raise CelError("type conversion error from 'string' to 'timestamp'")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction = (match[7] or "")[:9].ljust(9, "0")
    offset = (int(match[9]) * 3600 + int(match[10]) * 60) * (-1 if match[8] == "-" else 1) if match[8] else 0
    try:
        days = (date(year, month, day) - _EPOCH).days
    except ValueError:
        days = None
    if (
        days is None
        or hour > 23
        or minute > 59
        or second > 59
        or (match[8] and (int(match[9]) > 24 or int(match[10]) > 59))
    ):
        raise CelError("type conversion error from 'string' to 'timestamp'")
    ns = (days * _DAY + hour * 3600 + minute * 60 + second - offset) * NS + int(fraction)
    if not TIMESTAMP_MIN <= ns <= TIMESTAMP_MAX:
        raise CelError("type conversion error from 'string' to 'timestamp'")
    return Timestamp(ns, offset)


def format_timestamp(value: Timestamp) -> str:
    """Write a timestamp in the zone it came in, with as many decimals as it has."""
    seconds, ns = divmod(value.ns, NS)
    days, clock = divmod(seconds + value.zone_s, _DAY)
    try:
        day = _EPOCH + timedelta(days=days)
    except OverflowError:
        raise CelError("timestamp overflow") from None
    minutes = abs(value.zone_s) // 60
    zone = f"{'-' if value.zone_s < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}" if value.zone_s else "Z"
    fraction = f".{ns:09d}".rstrip("0") if ns else ""
    return (
        f"{day.year:04d}-{day.month:02d}-{day.day:02d}"
        f"T{clock // 3600:02d}:{clock // 60 % 60:02d}:{clock % 60:02d}{fraction}{zone}"
    )


def parse_duration(text: str) -> Duration:
    """Read Go's duration syntax: `1h30m`, `-1.5s`, `0`.

    Raises:
        CelError: It is none, or beyond int64 nanoseconds.
    """
    sign = -1 if text[:1] == "-" else 1
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return Duration(0)
    total, position = 0, 0
    while position < len(rest):
        match = _DURATION_PART.match(rest, position)
        if match is None or not (match[1] or match[2]) or len(match[1]) > _MAX_DIGITS:
            raise _not_a_duration()
        unit = _UNITS[match[3]]
        fraction = (match[2] or "")[:18]
        total += int(match[1] or 0) * unit + int(fraction or 0) * unit // 10 ** len(fraction)
        position = match.end()
    if not rest or not INT_MIN <= sign * total <= INT_MAX:
        raise _not_a_duration()
    return Duration(sign * total)


def _not_a_duration() -> CelError:
    return CelError("type conversion error from 'string' to 'duration'")


def format_duration(value: Duration) -> str:
    """Write a duration in seconds as the double that Go makes of it: `5400s`, `1.5s`."""
    seconds, ns = divmod(abs(value.ns), NS)
    text = f"{Decimal(repr(seconds + ns / 1e9)):f}"
    number = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{'-' if value.ns < 0 else ''}{number}s"
