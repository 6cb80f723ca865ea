"""Calendar days in a time zone, as instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

END_OF_DAY = time(23, 59, 59)
# `start_of_day` works for these years in every zone.
FIRST_YEAR, LAST_YEAR = 2000, 2100


class RequestClock(NamedTuple):
    """The instant of a request (aware UTC) and the zone of its days."""

    now: datetime
    zone: ZoneInfo


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of the day (aware UTC), also if the zone skips its midnight."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def local_time_in_utc(naive: datetime, zone: ZoneInfo) -> datetime:
    """Return a local time as an instant: the first one if it occurs twice."""
    return naive.replace(tzinfo=zone).astimezone(UTC)
