"""Parts of timestamps and durations."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from gitops_guard.cel.errors import CelError
from gitops_guard.cel.functions import Library
from gitops_guard.cel.values import NS, Duration, Timestamp

TIMES = Library("times")

_OFFSET = re.compile(r"([+-]?)([0-9]{1,2}):([0-9]{2})\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo:
    match = _OFFSET.match(name)
    if match:
        hours, minutes = int(match[2]), int(match[3])
        if hours > 23 or minutes > 59:
            raise CelError(f"unknown time zone {name}")
        return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if match[1] == "-" else 1))
    if name in ("", "UTC"):
        return UTC
    return _named_zone(name)


def _named_zone(name: str) -> tzinfo:
    # imported where needed: most runs never ask for a zone
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CelError(f"unknown time zone {name}") from None


def _clock(value: Timestamp, zone: str) -> datetime:
    try:
        return (_EPOCH + timedelta(seconds=value.ns // NS)).astimezone(_zone(zone))
    except OverflowError:
        raise CelError("timestamp overflow") from None


def _declare(name: str, part: Callable[[datetime], int]) -> None:
    TIMES.method(name, Timestamp)(lambda value: part(_clock(value, "")))
    TIMES.method(name, Timestamp, str)(lambda value, zone: part(_clock(value, zone)))


_declare("getFullYear", lambda clock: clock.year)
_declare("getMonth", lambda clock: clock.month - 1)
_declare("getDate", lambda clock: clock.day)
_declare("getDayOfMonth", lambda clock: clock.day - 1)
_declare("getDayOfWeek", lambda clock: clock.isoweekday() % 7)
_declare("getDayOfYear", lambda clock: clock.timetuple().tm_yday - 1)
_declare("getHours", lambda clock: clock.hour)
_declare("getMinutes", lambda clock: clock.minute)
_declare("getSeconds", lambda clock: clock.second)


@TIMES.method("getMilliseconds", Timestamp)
def _milliseconds(value: Timestamp) -> int:
    return value.ns % NS // 1_000_000


@TIMES.method("getMilliseconds", Timestamp, str)
def _milliseconds_in_zone(value: Timestamp, zone: str) -> int:
    _zone(zone)
    return _milliseconds(value)


def _truncated(ns: int, unit: int) -> int:
    return ns // unit if ns >= 0 else -(-ns // unit)


TIMES.method("getHours", Duration)(lambda value: _truncated(value.ns, 3600 * NS))
TIMES.method("getMinutes", Duration)(lambda value: _truncated(value.ns, 60 * NS))
TIMES.method("getSeconds", Duration)(lambda value: _truncated(value.ns, NS))
TIMES.method("getMilliseconds", Duration)(lambda value: _truncated(value.ns, 1_000_000))
