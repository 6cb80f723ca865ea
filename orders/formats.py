"""Money, dates, statuses and ids as text.

Times are in the viewer's zone, which is named. Month names are fixed, so that texts do not depend
on the locale of the machine.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import date as Date  # noqa: N812 - `date` is a parameter below
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from goody.types import ENDED

MISSING_VALUE = "—"
# The gifts of a batch share their dates and amounts.
_CACHE_SIZE = 4096
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# Embeddings, overrides and isolates: each changes the direction of the text after it.
_BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Invisible characters that Unicode classifies as letters, symbols and marks.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_FIRST_STRONG_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"
_UNITS = (
    (timedelta(days=365), "y"),
    (timedelta(days=1), "d"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "min"),
)


@dataclass(frozen=True, slots=True)
class TimeElement:
    """The attribute and the text of a `<time>` element."""

    iso: str
    text: str


_STATUS_NAMES = {
    "created": "Created",
    "notified": "Notified",
    "opened": "Opened",
    "accepted": "Accepted",
    "pending_payment": "Payment pending",
    "paid": "Paid",
    "ordered": "Ordered",
    "shipped": "Shipped",
    "delivered": "Delivered",
}


def status_name(status: str, *, is_cancel_on_record: bool = False) -> str:
    """Return the name of the status; of an undocumented one "Unknown: " and its raw value.

    Goody answers `failed` after a cancel, so `failed` alone does not prove one.
    """
    if status in ENDED:
        is_canceled = is_cancel_on_record or status == "canceled"
        return "Canceled" if is_canceled else "Canceled or failed"
    return _STATUS_NAMES.get(status) or f"Unknown: {status}"


@lru_cache(maxsize=_CACHE_SIZE)
def money(cents: int | None) -> str:
    """Return US cents as "$1,842.50"; "—" for None, which is not zero."""
    if cents is None:
        return MISSING_VALUE
    sign = "-" if cents < 0 else ""
    dollars, rest = divmod(abs(cents), 100)
    return f"{sign}${dollars:,}.{rest:02d}"


def convert_to_zone(at: datetime, zone: tzinfo) -> datetime:
    """Return the time in the zone, or unchanged if that would be before year 1 or after 9999."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at


def printable(text: str) -> str:
    """Return the text with bidirectional controls and lone surrogates escaped."""
    return _BIDI_CONTROLS.sub(
        lambda found: f"\\u{ord(found[0]):04x}", text.encode("utf-8", "backslashreplace").decode()
    )


def printable_line(text: str) -> str:
    """Return vendor text on one line without bidirectional controls; "" if it is invisible."""
    if text.isascii() and text.isprintable():
        return text.strip()
    straight = _BIDI_CONTROLS.sub("", text).strip()
    return straight if any(map(_is_visible, straight)) else ""


def _is_visible(character: str) -> bool:
    category = unicodedata.category(character)
    is_variation = "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"
    is_invisible = category in ("Cc", "Cf", "Cs") or category.startswith("Z")
    return not (is_invisible or is_variation or character in _BLANK)


def isolate_direction(text: str) -> str:
    """Return the text in Unicode's isolates, so that it does not affect the sentence around it."""
    return f"{_FIRST_STRONG_ISOLATE}{text}{_END_OF_ISOLATE}"


@lru_cache(maxsize=_CACHE_SIZE)
def day(at: datetime, zone: tzinfo) -> str:
    """Return the day in the zone: "12 Mar 2026"."""
    return date_in_words(convert_to_zone(at, zone))


def date_in_words(date: datetime | Date) -> str:
    """Return a date, or the date of a datetime in its own zone: "12 Mar 2026"."""
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


@lru_cache(maxsize=_CACHE_SIZE)
def day_omitting_year(at: datetime, zone: tzinfo, *, year: int) -> str:
    """Return the day in the zone, without its year if that is `year`: "12 Mar", "12 Mar 2025"."""
    local = convert_to_zone(at, zone)
    text = date_in_words(local)
    return text.removesuffix(f" {year}") if local.year == year else text


def date_time_omitting_year(at: datetime, zone: tzinfo, *, year: int) -> str:
    """Return day and time in the zone, without the year if that is `year`: "12 Mar, 23:59"."""
    return f"{day_omitting_year(at, zone, year=year)}, {hour_and_minute(at, zone)}"


def month_in_words(date: Date) -> str:
    """Return the month of a date: "Mar 2026"."""
    return f"{_MONTHS[date.month - 1]} {date.year}"


def hour_and_minute(at: datetime, zone: tzinfo) -> str:
    """Return hour and minute in the zone: "14:02"."""
    local = convert_to_zone(at, zone)
    return f"{local.hour:02d}:{local.minute:02d}"


def time_of_day(at: datetime, zone: tzinfo) -> str:
    """Return hour, minute and second in the zone: "14:02:11"."""
    return f"{hour_and_minute(at, zone)}:{convert_to_zone(at, zone).second:02d}"


@lru_cache(maxsize=_CACHE_SIZE)
def date_time(at: datetime | None, zone: tzinfo) -> str:
    """Return day and minute with the zone named: "12 Mar 2026, 23:59 EDT"; "—" for None."""
    if at is None:
        return MISSING_VALUE
    local = convert_to_zone(at, zone)
    return f"{date_in_words(local)}, {local.hour:02d}:{local.minute:02d} {_name_of_zone(local)}"


def compact_day(at: datetime, now: datetime, zone: tzinfo) -> str:
    """Return the day in the zone, with its year only if that is not the year of `now`: "12 Dec"."""
    return day_omitting_year(at, zone, year=convert_to_zone(now, zone).year)


def compact_date_time(at: datetime, now: datetime, zone: tzinfo) -> str:
    """Return day and minute in the zone without the zone's name: "12 Dec, 23:59"."""
    return f"{compact_day(at, now, zone)}, {hour_and_minute(at, zone)}"


def weekday(at: datetime, zone: tzinfo) -> str:
    """Return the weekday in the zone: "Sat"."""
    return _WEEKDAYS[convert_to_zone(at, zone).weekday()]


def zone_name(at: datetime, zone: tzinfo) -> str:
    """Return the zone's short name at that instant; zones without letters read "UTC+03"."""
    return _name_of_zone(convert_to_zone(at, zone))


def _name_of_zone(local: datetime) -> str:
    name = local.tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name


def zone_in_words(zone: ZoneInfo, now: datetime) -> str:
    """Return a zone by region and short name: "America/New_York (EST)"."""
    short = zone_name(now, zone)
    return zone.key if zone.key == short else f"{zone.key} ({short})"


def relative_time(at: datetime, now: datetime) -> str:
    """Return the rounded distance from now: "in 3 d", "5 h ago", "now"."""
    distance = abs(at - now)
    for size, unit in _UNITS:
        if distance >= size:
            amount = f"{distance // size} {unit}"
            return f"in {amount}" if at > now else f"{amount} ago"
    return "now"


def age_text(at: datetime, now: datetime) -> str:
    """Return the time since `at`, in seconds for the first minutes: "40 s ago", "5 min ago"."""
    seconds = int((now - at).total_seconds())
    return f"{max(0, seconds)} s ago" if seconds < 60 else relative_time(at, now)


def elapsed_minutes(at: datetime, now: datetime) -> str:
    """Return the time since `at`, in minutes or more: "just now", "5 min ago"."""
    return "just now" if now - at < timedelta(minutes=1) else relative_time(at, now)


@lru_cache(maxsize=_CACHE_SIZE)
def iso_utc(at: datetime) -> str:
    """Return whole seconds in UTC for `datetime=` attributes: "2026-03-12T23:59:00Z"."""
    return f"{convert_to_zone(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def time_element(at: datetime | None, zone: tzinfo) -> TimeElement | None:
    """Return the attribute and the text of a `<time>` element; None for None."""
    return TimeElement(iso=iso_utc(at), text=date_time(at, zone)) if at is not None else None


def shorten_id(text: str) -> str:
    """Return the start and the end of a long id, "IM4CLTW3…WQOH4"; short ids are unchanged."""
    return text if len(text) <= 16 else f"{text[:8]}…{text[-5:]}"


def id_prefix(value: UUID | None) -> str:
    """Return the first eight characters of an id; "—" for None."""
    return value.hex[:8] if value is not None else MISSING_VALUE
