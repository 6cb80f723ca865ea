"""The page of all jobs in three sections: waiting for approval, running, ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Page
from django.urls import reverse

from orders.bulk import approval_expires_at
from orders.models import Job, JobCounts, JobState
from orders.rights import Right
from orders.viewer import Viewer

from .job_page import Pager
from .job_texts import (
    Bar,
    Moment,
    counts_text,
    job_badge,
    job_name,
    job_title,
    moment,
    pause_text,
    progress_bar,
    shows_progress,
    time_of_day_text,
)
from .status import Badge

PER_PAGE = 25


class JobRow(NamedTuple):
    """A job in the list. `bar` is None if nothing was done; `note` is about its state, or ""."""

    number: int
    url: str
    title: str
    name: str
    description: str
    who: str
    created: Moment
    badge: Badge
    note: str
    bar: Bar | None
    counts: str


class JobGroup(NamedTuple):
    """A section of the page. `id` is that of its heading."""

    id: str
    title: str
    rows: list[JobRow]


class Tab(NamedTuple):
    label: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobList:
    groups: list[JobGroup]
    may_start: bool
    tabs: list[Tab]
    pager: Pager | None
    poll_url: str
    poll_every: str


def make_job_list(
    awaiting: Sequence[Job],
    running: Sequence[Job],
    ended: Page[Job],
    counts: Mapping[UUID, JobCounts],
    *,
    is_own_only: bool,
    viewer: Viewer,
) -> JobList:
    """Return the page. `counts` are the item counts of every job on it.

    A poll requests the jobs of each section by number, so that no row moves when its state changes.
    """
    sections = (
        ("awaiting", "Waiting for approval", awaiting),
        ("running", "Running", running),
        ("ended", "Ended", ended.object_list),
    )
    groups = [
        JobGroup(key, title, [_row(job, counts.get(job.pk, JobCounts()), viewer) for job in jobs])
        for key, title, jobs in sections
        if jobs
    ]
    url = _url(is_own_only, ended.number)
    may_start = viewer.actor.may(Right.BULK)
    return JobList(
        groups=groups,
        may_start=may_start,
        tabs=list(_tabs(is_own_only=is_own_only)) if may_start else [],
        pager=_pager(ended, is_own_only),
        poll_url=f"{url}{'&' if '?' in url else '?'}{_poll_query(awaiting, running)}",
        poll_every="5s" if any(one.ended_at is None for one in (*awaiting, *running)) else "",
    )


def _poll_query(awaiting: Sequence[Job], running: Sequence[Job]) -> str:
    numbers = [".".join(str(one.number) for one in jobs) for jobs in (awaiting, running)]
    return urlencode({"poll": "1", "awaiting": numbers[0], "running": numbers[1]})


def _row(job: Job, counts: JobCounts, viewer: Viewer) -> JobRow:
    return JobRow(
        number=job.number,
        url=reverse("job", args=[job.pk]),
        title=job_title(job),
        name=job_name(job),
        description=job.description,
        who=job.actor_name,
        created=moment(job.created_at, viewer.clock),
        badge=job_badge(job, counts),
        note=_note(job, viewer),
        bar=progress_bar(job, counts) if shows_progress(job, counts) else None,
        counts=counts_text(counts),
    )


def _note(job: Job, viewer: Viewer) -> str:
    match job.state:
        case JobState.AWAITING_APPROVAL:
            until = time_of_day_text(approval_expires_at(job), viewer.clock)
            is_own = job.actor_id == viewer.actor.user_id
            return f"until {until}, by somebody else" if is_own else f"until {until}"
        case JobState.PAUSED:
            return pause_text(job, viewer.clock)
        case JobState.STOPPED | JobState.DECLINED:
            return f"by {job.stopped_by_name}" if job.stopped_by_name else ""
    return f"approved by {job.approved_by_name}" if job.approved_by_name else ""


def _tabs(*, is_own_only: bool) -> Iterator[Tab]:
    yield Tab("Everybody’s", _url(False), not is_own_only)
    yield Tab("Mine", _url(True), is_own_only)


def _url(is_own_only: bool, page: int = 1) -> str:
    query = "&".join(filter(None, ("of=mine" * is_own_only, f"page={page}" * (page > 1))))
    url = reverse("jobs")
    return f"{url}?{query}" if query else url


def _pager(ended: Page[Job], is_own_only: bool) -> Pager | None:
    if ended.paginator.num_pages < 2:
        return None
    return Pager(
        place=f"{ended.start_index():,}–{ended.end_index():,} of {ended.paginator.count:,} ended",
        previous=_url(is_own_only, ended.number - 1) if ended.has_previous() else "",
        next=_url(is_own_only, ended.number + 1) if ended.has_next() else "",
    )
