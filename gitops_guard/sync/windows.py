"""When a run may write: windows by cron expression, in a time zone. A window that forbids wins."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gitops_guard.errors import SyncError

_RANGES: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES: Final[tuple[dict[str, int], ...]] = (
    {},
    {},
    {},
    {name: index for index, name in enumerate(_MONTHS, 1)},
    {name: index for index, name in enumerate(_WEEKDAYS)},
)
_PART: Final = re.compile(r"(\*|\w+(?:-\w+)?)(?:/(\d{1,2}))?", re.ASCII)
_DURATION: Final = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,5})m)?", re.ASCII)
_LONGEST: Final = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time that comes again and again."""

    is_allowed: bool
    """Whether a run may write in it, or must not."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""

    either_day: bool
    """Day of the month and day of the week are both restricted: either will do, as cron has it."""

    duration: timedelta
    zone: ZoneInfo
    text: str

    def is_open(self, now: datetime) -> bool:
        """Tell whether a moment lies in it."""
        moment = now.astimezone(self.zone).replace(second=0, microsecond=0)
        steps = int(self.duration.total_seconds() // 60)
        return any(self._starts(moment - timedelta(minutes=step)) for step in range(steps))

    def _starts(self, moment: datetime) -> bool:
        by_day = moment.day in self.days
        by_weekday = moment.isoweekday() % 7 in self.weekdays
        on_day = by_day or by_weekday if self.either_day else by_day and by_weekday
        return moment.minute in self.minutes and moment.hour in self.hours and moment.month in self.months and on_day


def window(schedule: str, duration: str, *, is_allowed: bool, zone: str = "UTC") -> Window:
    """Read a window.

    Args:
        schedule: When it opens, five fields of cron: `0 22 * * mon-fri`.
        duration: How long it stays open, at most 31 days: `2h`, `1h30m`.
        is_allowed: Whether a run may write in it, or must not.
        zone: Time zone, such as `Europe/Berlin`.

    Raises:
        SyncError: Any of it cannot be read.
    """
    fields = schedule.split()
    if len(fields) != 5:
        raise SyncError(f"sync window {schedule!r}: must have five fields: minute, hour, day, month, weekday")
    sets = [_field(text, index, schedule) for index, text in enumerate(fields)]
    match = _DURATION.fullmatch(duration.strip())
    length = timedelta(hours=int(match[1] or 0), minutes=int(match[2] or 0)) if match else timedelta()
    if not timedelta() < length <= _LONGEST:
        raise SyncError(f"sync window {schedule!r}: the duration must be such as 2h or 1h30m, not {duration!r}")
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SyncError(f"sync window {schedule!r}: unknown time zone {zone!r}") from error
    return Window(
        is_allowed=is_allowed,
        minutes=sets[0],
        hours=sets[1],
        days=sets[2],
        months=sets[3],
        weekdays=frozenset(day % 7 for day in sets[4]),
        either_day=not fields[2].startswith("*") and not fields[4].startswith("*"),
        duration=length,
        zone=place,
        text=f"{schedule} for {duration} ({zone})",
    )


def _field(text: str, index: int, schedule: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise SyncError(f"sync window {schedule!r}: {part!r} cannot be read")
        low, high = _RANGES[index] if match[1] == "*" else _span(match[1], index, schedule, is_open=bool(match[2]))
        step = int(match[2] or 1)
        if not step or low > high:
            raise SyncError(f"sync window {schedule!r}: {part!r} is empty")
        found |= set(range(low, high + 1, step))
    return frozenset(found)


def _span(text: str, index: int, schedule: str, *, is_open: bool) -> tuple[int, int]:
    low_text, dash, high_text = text.partition("-")
    low = _number(low_text, index, schedule)
    if dash:
        return low, _number(high_text, index, schedule)
    return low, _RANGES[index][1] if is_open else low


def _number(text: str, index: int, schedule: str) -> int:
    names: dict[str, int] = _NAMES[index]
    found = names.get(text.casefold()) if not text.isdecimal() else int(text)
    low, high = _RANGES[index]
    if found is None or not low <= found <= high:
        raise SyncError(f"sync window {schedule!r}: {text!r} is out of range")
    return found


def closed_reason(windows: Sequence[Window], now: datetime) -> str:
    """Return why a run must not write now; empty when it may."""
    forbidding = next((one for one in windows if not one.is_allowed and one.is_open(now)), None)
    if forbidding is not None:
        return f"the window {forbidding.text} forbids it"
    allowing = [one for one in windows if one.is_allowed]
    if allowing and not any(one.is_open(now) for one in allowing):
        return f"it is outside of all windows that allow it: {'; '.join(one.text for one in allowing)}"
    return ""
