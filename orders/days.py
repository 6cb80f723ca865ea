"""Days of the viewer's calendar as instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

# Far from today's there is no such day in every zone.
FIRST_YEAR, LAST_YEAR = 2000, 2100


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of the day in the zone (aware UTC), skipped hours minded."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
