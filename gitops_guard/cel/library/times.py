"""Parts of timestamps and durations."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from gitops_guard.cel.errors import CelError
from gitops_guard.cel.functions import Library
from gitops_guard.cel.values import NS, Duration, Timestamp

TIMES = Library("times")

_OFFSET = re.compile(r"([+-]?)([0-9]{1,2}):([0-9]{2})\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=256)
def _zone(name: str) -> tzinfo | timedelta:
    """Return a named zone, or an offset from UTC, which may be a day and more."""
    match = _OFFSET.match(name)
    if match:
        return timedelta(hours=int(match[2]), minutes=int(match[3])) * (-1 if match[1] == "-" else 1)
    return timedelta() if name in ("", "UTC") else _named_zone(name)


def _named_zone(name: str) -> tzinfo:
    # imported where needed: most runs never ask for a zone
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CelError(f"unknown time zone {name}") from None


_CYCLE = timedelta(days=146_097)
"""400 years, after which the calendar repeats to the day of the week."""

_EARLY = _EPOCH - timedelta(days=719_000)
_LATE = _EPOCH + timedelta(days=2_932_000)


def _clock(value: Timestamp, zone: str) -> tuple[datetime, int]:
    """Return a clock in a zone and the years to add to it: a zone may lead out of the years that datetime knows."""
    instant = _EPOCH + timedelta(seconds=value.ns // NS)
    cycles = 1 if instant < _EARLY else -1 if instant > _LATE else 0
    place = _zone(zone)
    instant += cycles * _CYCLE
    clock = instant + place if isinstance(place, timedelta) else instant.astimezone(place)
    return clock, -400 * cycles


def _declare(name: str, part: Callable[[datetime], int]) -> None:
    TIMES.method(name, Timestamp)(lambda value: part(_clock(value, "")[0]))
    TIMES.method(name, Timestamp, str)(lambda value, zone: part(_clock(value, zone)[0]))


_declare("getMonth", lambda clock: clock.month - 1)
_declare("getDate", lambda clock: clock.day)
_declare("getDayOfMonth", lambda clock: clock.day - 1)
_declare("getDayOfWeek", lambda clock: clock.isoweekday() % 7)
_declare("getDayOfYear", lambda clock: clock.timetuple().tm_yday - 1)
_declare("getHours", lambda clock: clock.hour)
_declare("getMinutes", lambda clock: clock.minute)
_declare("getSeconds", lambda clock: clock.second)


@TIMES.method("getFullYear", Timestamp)
def _full_year(value: Timestamp) -> int:
    return _full_year_in_zone(value, "")


@TIMES.method("getFullYear", Timestamp, str)
def _full_year_in_zone(value: Timestamp, zone: str) -> int:
    clock, years = _clock(value, zone)
    return clock.year + years


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
