"""The jobs in the top bar of every page: the person's running job, and requests for approval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from orders.models import Job, JobCounts, JobItem, JobState
from orders.rights import Right
from orders.viewer import Viewer

from .job_texts import (
    counts_text,
    job_announcement,
    job_badge,
    job_name,
    job_title,
    pause_text,
    percent,
    tried_count,
)

# The more urgent ones first.
_SHOWN_STATES = (JobState.RUNNING, JobState.PAUSED, JobState.SCHEDULED, JobState.STOPPED)
_POLL_EVERY = "3s"


class JobStatus(NamedTuple):
    """The person's own job in the top bar.

    `title` is put before the title of the browser's tab. `announcement` is for screen readers and
    changes with the state and with each quarter of the items. `poll_every` is "" if the job has
    ended.
    """

    url: str
    name: str
    total: int
    ended: int
    share: str
    title: str
    sentence: str
    announcement: str
    is_amber: bool
    poll_url: str
    poll_every: str


class TopBarJobs(NamedTuple):
    status: JobStatus | None = None
    approvals: int = 0


def top_bar_jobs(viewer: Viewer, *, shown_by_page: UUID | None = None) -> TopBarJobs:
    """Return the jobs for the top bar of a page that itself shows the job `shown_by_page`."""
    actor = viewer.actor
    if not (actor.may(Right.BULK) or actor.may(Right.APPROVE)):
        return TopBarJobs()
    is_own = Q(actor_id=actor.user_id, state__in=_SHOWN_STATES)
    is_asked = Q(state=JobState.AWAITING_APPROVAL)
    found = list(Job.objects.filter(is_own | is_asked, ended_at=None))
    own = [one for one in found if one.state in _SHOWN_STATES and one.pk != shown_by_page]
    return TopBarJobs(
        status=_status_of(own, viewer) if own else None,
        approvals=sum(_may_approve(one, viewer) for one in found),
    )


def polled_job_status(viewer: Viewer, job_id: UUID) -> JobStatus | None:
    """Return the status of the person's job for a poll, or None if the person has no such job.

    If it has ended and another job of the person runs, the status of that one is returned.
    """
    job = Job.objects.filter(pk=job_id, actor_id=viewer.actor.user_id).first()
    if job is None:
        return None
    running = top_bar_jobs(viewer).status if job.ended_at else None
    return running or _status_of([job], viewer)


def _may_approve(job: Job, viewer: Viewer) -> bool:
    is_asked = job.state == JobState.AWAITING_APPROVAL and job.actor_id != viewer.actor.user_id
    return is_asked and viewer.actor.may(Right.APPROVE)


def _status_of(jobs: Sequence[Job], viewer: Viewer) -> JobStatus:
    """Return the status of the job with the most urgent state, with the number of the others."""
    job = min(jobs, key=_urgency)
    counts = JobItem.objects.filter(job=job).counts()
    others = f" +{len(jobs) - 1}" if len(jobs) > 1 else ""
    share = _share(job, counts)
    return JobStatus(
        url=reverse("job", args=[job.pk]),
        name=f"{job_name(job)}{others}",
        total=job.planned,
        ended=tried_count(job, counts),
        share=share,
        title=f"({share.lower()}) ",
        sentence=_sentence(job, counts, viewer),
        announcement=job_announcement(job, counts),
        is_amber=job_badge(job, counts).tone in ("warn", "bad"),
        poll_url=f"{reverse('job_status', args=[job.pk])}?poll=1",
        poll_every=_POLL_EVERY if job.ended_at is None else "",
    )


def _urgency(job: Job) -> tuple[int, int]:
    state = JobState(job.state)
    return _SHOWN_STATES.index(state) if state in _SHOWN_STATES else 0, job.number


def _share(job: Job, counts: JobCounts) -> str:
    if job.ended_at is None and job.state == JobState.PAUSED:
        return "Paused"
    return f"{percent(job, counts)} %" if job.ended_at is None else "Ended"


def _sentence(job: Job, counts: JobCounts, viewer: Viewer) -> str:
    what = f"{job_title(job)}: {counts_text(counts)}"
    return f"{what}. {pause_text(job, viewer.clock)}" if job.state == JobState.PAUSED else what
