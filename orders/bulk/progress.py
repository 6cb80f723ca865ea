"""The progress of jobs: the pace of one, and a person's jobs for the top bar of every page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Min, Q

from orders.models import Job, JobCounts, JobItem, JobState
from orders.rights import Actor, Right

_WINDOW = timedelta(minutes=1)
# Fewer ends than these give no rate.
_FEWEST = 3
# The more urgent ones first.
_STATES_IN_TOP_BAR = (JobState.RUNNING, JobState.PAUSED, JobState.SCHEDULED, JobState.STOPPED)


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


class JobProgress(NamedTuple):
    """A job of a person, the counts of its items, and how many other jobs of the person run."""

    job: Job
    counts: JobCounts
    others: int = 0


class CurrentJobs(NamedTuple):
    """A person's most urgent job, and the number of jobs that the person may approve."""

    own: JobProgress | None = None
    approvals: int = 0


def current_jobs(actor: Actor, *, without: UUID | None = None) -> CurrentJobs:
    """Return a person's jobs that have not ended, except the job `without`."""
    if not (actor.may(Right.BULK) or actor.may(Right.APPROVE)):
        return CurrentJobs()
    is_own = Q(actor_id=actor.user_id, state__in=_STATES_IN_TOP_BAR)
    is_awaiting = Q(state=JobState.AWAITING_APPROVAL)
    found = list(Job.objects.filter(is_own | is_awaiting, ended_at=None))
    own = [one for one in found if one.state in _STATES_IN_TOP_BAR and one.pk != without]
    awaiting = [one for one in found if one.state == JobState.AWAITING_APPROVAL]
    by_others = sum(one.actor_id != actor.user_id for one in awaiting)
    return CurrentJobs(
        own=_most_urgent(own) if own else None,
        approvals=by_others if actor.may(Right.APPROVE) else 0,
    )


def job_progress(actor: Actor, job_id: UUID) -> JobProgress | None:
    """Return the progress of a person's own job, or None if the person has no such job.

    If it has ended and another job of the person runs, the progress of that one is returned.
    """
    job = Job.objects.filter(pk=job_id, actor_id=actor.user_id).first()
    if job is None:
        return None
    other = current_jobs(actor).own if job.ended_at else None
    return other or _most_urgent([job])


def _most_urgent(jobs: Sequence[Job]) -> JobProgress:
    job = min(jobs, key=_urgency)
    return JobProgress(job, JobItem.objects.filter(job=job).counts(), others=len(jobs) - 1)


def _urgency(job: Job) -> tuple[int, int]:
    state = JobState(job.state)
    is_current = state in _STATES_IN_TOP_BAR
    return _STATES_IN_TOP_BAR.index(state) if is_current else 0, job.number
