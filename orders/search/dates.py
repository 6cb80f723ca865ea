"""Time windows: parses them from the search box, and describes them in words.

A window includes its start and excludes its end (both aware UTC); None means unbounded. Days,
months and years are those of the clock's zone, also where daylight saving changes their length. A
length of time ("7d", "36h", "2w") is exact and relative to now: windows of expirations are in the
future (`FutureWindows`), windows of creation in the past (`PastWindows`).

    2026-10-12   2026-10   2026   today   yesterday   tomorrow   this-month   last-month
    <7d   >3d    less or more than that far from now
    <2026-10-12  <=2026-10  >2026-10-12  >=2026-10-01  >=2026-10-01T12:00Z
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, date, datetime, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from orders import formats
from orders.days import FIRST_YEAR, LAST_YEAR, RequestClock, start_of_day

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_UNIT_NAMES = {"h": "hour", "d": "day", "w": "week"}
_MAX_AMOUNT = 9999
_COMPARISON = re.compile(r"(<=|>=|<|>|=|)(.+)")
_LENGTH = re.compile(r"([0-9]{1,4})([hdw])")
_PERIOD = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?")
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_MONTHS = ("this-month", "last-month")


class TimeWindow(NamedTuple):
    start: datetime | None = None
    end: datetime | None = None


class RelativeWindows(Protocol):
    """Windows that are given as a length of time from now."""

    def window_of_length(
        self, length: timedelta, *, is_within: bool, now: datetime
    ) -> TimeWindow: ...

    def describe_relative_window(self, window: TimeWindow, now: datetime) -> str:
        """Return the window in words; "" if it does not begin or end at `now`."""
        ...


class FutureWindows:
    """Windows after now: "<7d" ends in 7 days, ">3d" starts in 3 days and has no end."""

    @staticmethod
    def window_of_length(length: timedelta, *, is_within: bool, now: datetime) -> TimeWindow:
        return TimeWindow(now, now + length) if is_within else TimeWindow(now + length)

    @staticmethod
    def describe_relative_window(window: TimeWindow, now: datetime) -> str:
        start, end = window
        if end and start == now and (length := _length_in_words(end - now)):
            return f"within {length}"
        if start and not end and (length := _length_in_words(start - now)):
            return f"in {length} or later"
        return ""


class PastWindows:
    """Windows before now: "<30d" starts 30 days ago, ">30d" ends 30 days ago."""

    @staticmethod
    def window_of_length(length: timedelta, *, is_within: bool, now: datetime) -> TimeWindow:
        return TimeWindow(now - length) if is_within else TimeWindow(None, now - length)

    @staticmethod
    def describe_relative_window(window: TimeWindow, now: datetime) -> str:
        start, end = window
        if start and not end and (length := _length_in_words(now - start)):
            return f"in the last {length}"
        if end and not start and (length := _length_in_words(now - end)):
            return f"more than {length} ago"
        return ""


def parse_time_window(
    text: str, *, relative: RelativeWindows, clock: RequestClock
) -> TimeWindow | None:
    """Return the window that the text specifies, or None if the text is not a window."""
    comparison = _COMPARISON.fullmatch(text.lower())
    if comparison is None:
        return None
    sign, value = comparison.groups()
    if match := _LENGTH.fullmatch(value):
        length = int(match[1]) * _UNITS[match[2]]
        return relative.window_of_length(length, is_within=">" not in sign, now=clock.now)
    if period := _period(value, clock):
        return _compare(sign, *period)
    instant = _instant(value)
    return _compare(sign, instant, instant) if instant and sign not in ("", "=") else None


def _compare(sign: str, start: datetime, end: datetime) -> TimeWindow:
    match sign:
        case "<":
            return TimeWindow(None, start)
        case "<=":
            return TimeWindow(None, end)
        case ">":
            return TimeWindow(end)
        case ">=":
            return TimeWindow(start)
        case _:
            return TimeWindow(start, end)


def _period(text: str, clock: RequestClock) -> tuple[datetime, datetime] | None:
    """Return the start of the day, month or year, and the start of the following one."""
    if text in _DAYS:
        first = _today(clock) + timedelta(days=_DAYS[text])
        return _instants(first, first + timedelta(days=1), clock.zone)
    if text in _MONTHS:
        first = _today(clock).replace(day=1)
        if text == "last-month":
            first = (first - timedelta(days=1)).replace(day=1)
        return _instants(first, _next_month(first), clock.zone)
    if (parts := _PERIOD.fullmatch(text)) is None:
        return None
    year, month, day = (int(part) if part else None for part in parts.groups())
    if not year or not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        return None
    if day:
        return _instants(first, first + timedelta(days=1), clock.zone)
    return _instants(first, _next_month(first) if month else date(year + 1, 1, 1), clock.zone)


def _today(clock: RequestClock) -> date:
    return clock.now.astimezone(clock.zone).date()


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _instants(first: date, next_: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return start_of_day(first, zone), start_of_day(next_, zone)


def _instant(text: str) -> datetime | None:
    """Parse an ISO 8601 time with an offset; return None for other text."""
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    # In the first and the last year an instant may not exist in every zone.
    is_usable = at.tzinfo is not None and MINYEAR < at.year < MAXYEAR
    return at if is_usable else None


def describe_window(window: TimeWindow, *, relative: RelativeWindows, clock: RequestClock) -> str:
    """Return the window as the end of a sentence: "within 7 days", "on 12 Oct 2026"."""
    if not _has_whole_days(window, clock.zone) and (
        text := relative.describe_relative_window(window, clock.now)
    ):
        return text
    return _describe_dates(window, clock.zone)


def _describe_dates(window: TimeWindow, zone: ZoneInfo) -> str:
    if period := _iso_period(window, zone):
        return _describe_period(period)
    return " ".join(filter(None, (_describe_start(window, zone), _describe_end(window, zone))))


def _describe_start(window: TimeWindow, zone: ZoneInfo) -> str:
    if window.start is None:
        return ""
    day = _day(window.start, zone)
    return f"from {formats.date_in_words(day) if day else formats.date_time(window.start, zone)}"


def _describe_end(window: TimeWindow, zone: ZoneInfo) -> str:
    """Return the end of the window: the last day (included), or the instant (excluded)."""
    if window.end is None:
        return ""
    if day := _day(window.end, zone):
        return f"until {formats.date_in_words(day - timedelta(days=1))}"
    return f"{'and ' if window.start else ''}before {formats.date_time(window.end, zone)}"


def _describe_period(period: str) -> str:
    if len(period) == len("2026"):
        return f"in {period}"
    if len(period) == len("2026-10"):
        return f"in {formats.month_in_words(date.fromisoformat(f'{period}-01'))}"
    return f"on {formats.date_in_words(date.fromisoformat(period))}"


def _iso_period(window: TimeWindow, zone: ZoneInfo) -> str:
    """Return a window of a whole day, month or year in ISO format; "" for other windows."""
    start, end = window
    first, next_ = start and _day(start, zone), end and _day(end, zone)
    if not first or not next_:
        return ""
    if next_ == first + timedelta(days=1):
        return first.isoformat()
    if first.day == 1 and next_ == _next_month(first):
        return f"{first:%Y-%m}"
    if first.day == first.month == 1 and next_ == date(first.year + 1, 1, 1):
        return f"{first:%Y}"
    return ""


def _has_whole_days(window: TimeWindow, zone: ZoneInfo) -> bool:
    """Whether each bound is the start of a day, so that the window is described by dates."""
    return all(_day(at, zone) for at in window if at)


def _day(at: datetime, zone: ZoneInfo) -> date | None:
    """Return the day that starts at this instant, or None if none does."""
    day = formats.convert_to_zone(at, zone).date()
    is_start = FIRST_YEAR <= day.year <= LAST_YEAR and start_of_day(day, zone) == at
    return day if is_start else None


def _length_in_words(length: timedelta) -> str:
    """Return the length as "7 days" or "1 hour"; "" for zero or for a fraction of an hour."""
    for unit in ("d", "h", "w"):
        amount, rest = divmod(length, _UNITS[unit])
        if not rest and 0 < amount <= _MAX_AMOUNT:
            return f"{amount:,} {_UNIT_NAMES[unit]}{'' if amount == 1 else 's'}"
    return ""
