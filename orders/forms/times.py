"""Times of day: as people write them, and as instants in a zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

from orders.days import END_OF_DAY

_TIME = re.compile(
    r"(?:^|(?<=\s))(?:(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2}))?)?"
    r"(?: ?(?P<half>[ap])\.?m\b\.?)?|(?P<noon>noon))"
    r"(?: ?(?:(?P<utc>utc|gmt|z)|(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})))?(?=\s|$)"
)
_NOON = 12


def split_time(words: str) -> tuple[time | None, timezone | None, str]:
    """Return the time of day, its offset from UTC, and the words without them."""
    match = next(filter(_is_time, _TIME.finditer(words)), None)
    if match is None:
        return None, None, words
    rest = f"{words[: match.start()]} {words[match.end() :]}"
    return _clock(match), _offset(match), rest


def _is_time(match: re.Match[str]) -> bool:
    """Whether the text is a time of day; a number alone is a day or a year."""
    return bool(match["minute"] or match["half"] or match["noon"])


def _clock(match: re.Match[str]) -> time:
    if match["noon"]:
        return time(_NOON)
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= _NOON:
            raise ValueError("an hour before noon or after it is between 1 and 12")
        hour = hour % _NOON + (_NOON if match["half"] == "p" else 0)
    return time(hour, int(match["minute"] or 0), int(match["second"] or 0))


def _offset(match: re.Match[str]) -> timezone | None:
    if match["utc"]:
        return UTC
    if not match["sign"]:
        return None
    size = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"]))
    return timezone(size if match["sign"] == "+" else -size)


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the last second of the day, the later one if clocks are set back at midnight."""
    naive = datetime.combine(day, END_OF_DAY)
    _refuse_skipped(naive, zone)
    return naive.replace(tzinfo=zone, fold=1).astimezone(UTC)


def unambiguous_instant(naive: datetime, zone: ZoneInfo) -> datetime:
    """Return a local time as an instant. Raises ValidationError if it occurs twice or never."""
    _refuse_skipped(naive, zone)
    first, second = (naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first != second:
        raise ValidationError(
            f"On that day the clocks are set back and {naive:%H:%M} happens twice in {zone.key}. "
            f"Choose another time, or give the offset (for example {naive:%Y-%m-%dT%H:%M}Z)."
        )
    return first


def _refuse_skipped(naive: datetime, zone: ZoneInfo) -> None:
    there_and_back = naive.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    if there_and_back.replace(tzinfo=None) != naive:
        raise ValidationError(
            f"On that day the clocks are set forward and {naive:%H:%M} does not exist in "
            f"{zone.key}. Choose another time."
        )
