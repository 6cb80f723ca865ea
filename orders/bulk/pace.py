"""The pace of a running job, measured from the ends of its items."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Min

from orders.models import Job, JobCounts, JobState

_WINDOW = timedelta(minutes=1)
# Fewer ends than these give no rate.
_FEWEST = 3


class Pace(NamedTuple):
    """The rate of the last minute, and the time that the open items will take at that rate."""

    per_second: float
    left: timedelta


def measure_pace(job: Job, counts: JobCounts, *, now: datetime) -> Pace | None:
    """Return the pace of a running job; None if it does not run or too few items have ended."""
    if job.state != JobState.RUNNING or not counts.open:
        return None
    # Items that the preview left out have no operation and took no time.
    recent = job.items.filter(ended_at__gt=now - _WINDOW, operation__isnull=False).order_by()
    found = recent.aggregate(ends=Count("pk"), first=Min("ended_at"))
    if found["ends"] < _FEWEST or found["first"] >= now:
        return None
    per_second = (found["ends"] - 1) / (now - found["first"]).total_seconds()
    return Pace(per_second, timedelta(seconds=counts.open / per_second))
