"""The jobs in the top bar of every page: the person's running job, and requests for approval."""

from __future__ import annotations

from typing import NamedTuple

from django.urls import reverse

from orders.bulk import CurrentJobs, JobProgress
from orders.days import RequestClock
from orders.models import Job, JobCounts, JobState

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


def top_bar_jobs(found: CurrentJobs, *, clock: RequestClock) -> TopBarJobs:
    status = make_job_status(found.own, clock=clock) if found.own else None
    return TopBarJobs(status, found.approvals)


def make_job_status(progress: JobProgress, *, clock: RequestClock) -> JobStatus:
    job, counts, others = progress
    share = _share(job, counts)
    return JobStatus(
        url=reverse("job", args=[job.pk]),
        name=f"{job_name(job)} +{others}" if others else job_name(job),
        total=job.planned,
        ended=tried_count(job, counts),
        share=share,
        title=f"({share.lower()}) ",
        sentence=_sentence(job, counts, clock),
        announcement=job_announcement(job, counts),
        is_amber=job_badge(job, counts).tone in ("warn", "bad"),
        poll_url=f"{reverse('job_status', args=[job.pk])}?poll=1",
        poll_every=_POLL_EVERY if job.ended_at is None else "",
    )


def _share(job: Job, counts: JobCounts) -> str:
    if job.ended_at is None and job.state == JobState.PAUSED:
        return "Paused"
    if job.ended_at is None:
        return f"{percent(job, counts)} %"
    return f"{counts.failed:,} failed" if counts.failed else "Ended"


def _sentence(job: Job, counts: JobCounts, clock: RequestClock) -> str:
    what = f"{job_title(job)}: {counts_text(counts)}"
    return f"{what}. {pause_text(job, clock)}" if job.state == JobState.PAUSED else what
