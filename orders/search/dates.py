"""Windows of time as people write them in the box, and as they are told.

A window is half open: from its first instant on (aware UTC), before its second; None is no bound.
Days, months and years are the viewer's, however long daylight saving makes them. A length of time
("7d", "36h", "2w") is exact and counts from now: ahead for what will happen (`Ahead`, expirations),
back for what has happened (`Back`, creations).

    2026-10-12   2026-10   2026   today   yesterday   tomorrow
    <7d   >3d    within that time, or farther away
    <2026-10-12  <=2026-10  >2026-10-12  >=2026-10-01  >=2026-10-01T12:00Z
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, date, datetime, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from orders import formats
from orders.days import FIRST_YEAR, LAST_YEAR, start_of

_LENGTHS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_MOST = 9999
_COMPARED = re.compile(r"(<=|>=|<|>|=|)(.+)")
_LENGTH = re.compile(r"([0-9]{1,4})([hdw])")
_PERIOD = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?")
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}


class Window(NamedTuple):
    start: datetime | None = None
    end: datetime | None = None


class Setting(NamedTuple):
    """When the question is asked (aware UTC), and whose days are meant."""

    now: datetime
    zone: ZoneInfo


class Direction(Protocol):
    """Where a length of time leads from now."""

    def read(self, length: timedelta, *, is_within: bool, now: datetime) -> Window: ...

    def write(self, window: Window, now: datetime) -> tuple[list[str], Window]:
        """The bounds that are a length from now as it is written, and those that are left."""
        ...

    def describe(self, window: Window, now: datetime) -> str:
        """The window in words; "" where it is no length from now."""
        ...


class FutureRange:
    """Within 7 days: from now on, not what is past. Farther than 3 days: from then on."""

    @staticmethod
    def read(length: timedelta, *, is_within: bool, now: datetime) -> Window:
        return Window(now, now + length) if is_within else Window(now + length)

    @staticmethod
    def write(window: Window, now: datetime) -> tuple[list[str], Window]:
        start, end = window
        values = []
        if start and start >= now and (within := end and _short(end - now)):
            values, start, end = [f"<{within}"], start if start > now else None, None
        if start and (beyond := _short(start - now)):
            values, start = [*values, f">{beyond}"], None
        return values, Window(start, end)

    @staticmethod
    def describe(window: Window, now: datetime) -> str:
        start, end = window
        if end and start == now and (length := _long(end - now)):
            return f"within {length}"
        if start and not end and (length := _long(start - now)):
            return f"in {length} or later"
        return ""


class Back:
    """Within 30 days: since then. Farther than 30 days: before then."""

    @staticmethod
    def read(length: timedelta, *, is_within: bool, now: datetime) -> Window:
        return Window(now - length) if is_within else Window(None, now - length)

    @staticmethod
    def write(window: Window, now: datetime) -> tuple[list[str], Window]:
        start, end = window
        values = []
        if start and (within := _short(now - start)):
            values, start = [f"<{within}"], None
        if end and (beyond := _short(now - end)):
            values, end = [*values, f">{beyond}"], None
        return values, Window(start, end)

    @staticmethod
    def describe(window: Window, now: datetime) -> str:
        start, end = window
        if start and not end and (length := _long(now - start)):
            return f"in the last {length}"
        if end and not start and (length := _long(now - end)):
            return f"more than {length} ago"
        return ""


def read(text: str, *, direction: Direction, setting: Setting) -> Window | None:
    """The window that is written there; None where it cannot be understood."""
    compared = _COMPARED.fullmatch(text.lower())
    if compared is None:
        return None
    sign, value = compared.groups()
    if length := _LENGTH.fullmatch(value):
        distance = int(length[1]) * _LENGTHS[length[2]]
        return direction.read(distance, is_within=">" not in sign, now=setting.now)
    if period := _period(value, setting):
        return _compare(sign, *period)
    instant = _instant(value)
    return _compare(sign, instant, instant) if instant and sign not in ("", "=") else None


def _compare(sign: str, start: datetime, end: datetime) -> Window:
    match sign:
        case "<":
            return Window(None, start)
        case "<=":
            return Window(None, end)
        case ">":
            return Window(end)
        case ">=":
            return Window(start)
        case _:
            return Window(start, end)


def _period(text: str, setting: Setting) -> tuple[datetime, datetime] | None:
    """The first instant of a day, month or year, and of the next."""
    if text in _DAYS:
        first = _today(setting) + timedelta(days=_DAYS[text])
        return _instants(first, first + timedelta(days=1), setting.zone)
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
        return _instants(first, first + timedelta(days=1), setting.zone)
    return _instants(first, _next_month(first) if month else date(year + 1, 1, 1), setting.zone)


def _today(setting: Setting) -> date:
    return setting.now.astimezone(setting.zone).date()


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _instants(first: date, next_: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    return start_of(first, zone), start_of(next_, zone)


def _instant(text: str) -> datetime | None:
    """ISO 8601 with its offset, which needs no zone."""
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    # At the very ends of the calendar there is no such instant in every zone.
    is_usable = at.tzinfo is not None and MINYEAR < at.year < MAXYEAR
    return at if is_usable else None


def write(window: Window, *, direction: Direction, setting: Setting) -> list[str]:
    """What `read` understands as this window, in one value or two that must both hold."""
    if period := _as_period(window, setting.zone):
        return [period]
    values: list[str] = []
    start, end = window
    if not _is_of_days(window, setting.zone):
        values, (start, end) = direction.write(window, setting.now)
    if start:
        values.append(f">={_stamp(start, setting.zone)}")
    if end:
        values.append(f"<{_stamp(end, setting.zone)}")
    return values


def describe(window: Window, *, direction: Direction, setting: Setting) -> str:
    """The window in words that go on a sentence: "within 7 days", "on 12 Oct 2026"."""
    if not _is_of_days(window, setting.zone) and (text := direction.describe(window, setting.now)):
        return text
    return _tell_dates(window, setting.zone)


def _tell_dates(window: Window, zone: ZoneInfo) -> str:
    if period := _as_period(window, zone):
        return _tell_period(period)
    return " ".join(filter(None, (_tell_start(window, zone), _tell_end(window, zone))))


def _tell_start(window: Window, zone: ZoneInfo) -> str:
    if window.start is None:
        return ""
    day = _day(window.start, zone)
    return f"from {formats.date_in_words(day) if day else formats.date_time(window.start, zone)}"


def _tell_end(window: Window, zone: ZoneInfo) -> str:
    """The last day, which belongs to it, or the instant that does not."""
    if window.end is None:
        return ""
    if day := _day(window.end, zone):
        return f"until {formats.date_in_words(day - timedelta(days=1))}"
    return f"{'and ' if window.start else ''}before {formats.date_time(window.end, zone)}"


def _tell_period(period: str) -> str:
    if len(period) == len("2026"):
        return f"in {period}"
    if len(period) == len("2026-10"):
        return f"in {formats.month_in_words(date.fromisoformat(f'{period}-01'))}"
    return f"on {formats.date_in_words(date.fromisoformat(period))}"


def _as_period(window: Window, zone: ZoneInfo) -> str:
    """A whole day, month or year as it is written; "" for anything else."""
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


def _is_of_days(window: Window, zone: ZoneInfo) -> bool:
    """Whether each bound is the beginning of a day: then dates were meant."""
    return all(_day(at, zone) for at in window if at)


def _day(at: datetime, zone: ZoneInfo) -> date | None:
    """The day that begins at this instant."""
    day = formats.in_zone(at, zone).date()
    is_start = FIRST_YEAR <= day.year <= LAST_YEAR and start_of(day, zone) == at
    return day if is_start else None


def _stamp(at: datetime, zone: ZoneInfo) -> str:
    day = _day(at, zone)
    return day.isoformat() if day else at.isoformat().replace("+00:00", "Z")


def _short(length: timedelta) -> str:
    """ "7d", "36h"; "" for what is no whole number of hours or cannot be written so."""
    for unit in ("d", "h", "w"):
        amount, rest = divmod(length, _LENGTHS[unit])
        if not rest and 0 <= amount <= _MOST:
            return f"{amount}{unit}"
    return ""


def _long(length: timedelta) -> str:
    """ "7 days", "1 hour"; "" like `_short`, and for nothing."""
    short = _short(length)
    if not short or not length:
        return ""
    amount, unit = int(short[:-1]), {"d": "day", "h": "hour", "w": "week"}[short[-1]]
    return f"{amount:,} {unit}{'' if amount == 1 else 's'}"
