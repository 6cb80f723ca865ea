"""The page of a job: state, progress, attributes, a page of its items, and the possible changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlencode

from django.core.paginator import Page
from django.urls import reverse

from orders.audit import REASONS, Action
from orders.bulk import PAUSES_THAT_END, Pace
from orders.days import RequestClock
from orders.formats import MISSING_VALUE
from orders.models import (
    RUNNABLE_JOB_STATES,
    Job,
    JobCounts,
    JobItem,
    JobRelation,
    JobState,
    PauseReason,
)
from orders.rights import Right
from orders.viewer import Viewer

from .elements import Banner
from .job_banners import job_banner, job_note
from .job_items import ItemRow, OutcomeTab, item_rows, outcome_tabs
from .job_texts import (
    Bar,
    Moment,
    counts_text,
    gift_count,
    job_announcement,
    job_badge,
    job_name,
    job_title,
    moment,
    pace_text,
    progress_bar,
    progress_text,
    shows_progress,
)
from .operations import ticket_link
from .status import Badge

PER_PAGE = 50
# The poll token of a page that counts seconds: its poll is always answered.
MOVING = "moving"
_REASONS = dict(REASONS)
_RELATIONS = {
    JobRelation.RETRY: ("Retries what failed in", "Retried in"),
    JobRelation.REST: ("Continues", "Continued in"),
    JobRelation.UNDO: ("Undoes", "Undone in"),
}
_POLL_EVERY = {JobState.RUNNING: "2s", JobState.SCHEDULED: "2s", JobState.STOPPED: "2s"}
_POLL_SELDOM = "10s"


class JobAttribute(NamedTuple):
    """A attribute about the job. `iso` is the instant behind the value, "" if it is no time."""

    label: str
    value: str
    url: str = ""
    iso: str = ""


class JobButton(NamedTuple):
    """A form with one button, which POSTs to `url`. A poll updates the element with its `id`."""

    id: str
    label: str
    url: str
    css: str = ""
    icon: str = ""
    is_disabled: bool = False


class Pager(NamedTuple):
    """Links to the previous and the next page, "" if there is none."""

    place: str
    previous: str
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPageData:
    """The data about a job that its page needs besides the job and its items.

    `released` is the money that a cancel would release, as text, while it awaits approval.
    `was_sent`: the stopped job has sent a request. `failed_left` and `not_run_left` are the
    items that no other job has taken over. `has_undo`: a former expiration of an extended gift is
    still in the future.
    """

    counts: JobCounts
    pace: Pace | None
    children: Sequence[Job]
    released: str
    was_sent: bool
    failed_left: int
    not_run_left: int
    has_undo: bool
    is_worker_missing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    name: str
    title: str
    tab: str
    state: str
    badge: Badge
    actor: str
    created: Moment
    banner: Banner | None
    note: Banner
    buttons: list[JobButton]
    export_url: str
    has_progress: bool
    bar: Bar
    headline: str
    pace: str
    announcement: str
    outcomes: list[OutcomeTab]
    items: list[ItemRow]
    caption: str
    empty: str
    is_extension: bool
    pager: Pager | None
    attributes: list[JobAttribute]
    is_live: bool
    poll_url: str
    poll_every: str


def make_job_page(
    job: Job,
    items: Page[JobItem],
    data: JobPageData,
    *,
    outcome: str,
    is_live: bool,
    viewer: Viewer,
) -> JobPage:
    """Return the page with the items of one outcome; `outcome` is "" or a key of OUTCOMES.

    `is_live`: the job runs, or this is a poll of a page that was opened while it ran.
    """
    counts, clock = data.counts, viewer.clock
    badge = job_badge(job, counts)
    progress = progress_text(job, counts)
    return JobPage(
        name=job_name(job),
        title=job_title(job),
        tab=f"{job_name(job)}: {progress if job.is_open else badge.word}",
        state=job.state,
        badge=badge,
        actor=job.actor_name,
        created=moment(job.created_at, clock),
        banner=job_banner(
            job, counts, released=data.released, was_sent=data.was_sent, viewer=viewer
        ),
        note=job_note(job, counts, is_worker_missing=data.is_worker_missing, clock=clock),
        buttons=list(_buttons(job, data, viewer, is_live=is_live)),
        export_url=reverse("job_export", args=[job.pk]) if viewer.actor.may(Right.EXPORT) else "",
        has_progress=shows_progress(job, counts),
        bar=progress_bar(job, counts),
        headline=progress if job.ended_at is None else counts_text(counts),
        pace=pace_text(data.pace),
        announcement=job_announcement(job, counts),
        outcomes=outcome_tabs(job, counts, current=outcome),
        items=item_rows(items.object_list, clock=clock),
        caption=f"Gifts of {job_name(job)}",
        empty="No gift has this outcome.",
        is_extension=job.action == Action.ORDER_EXTEND,
        pager=_pager(job, items, outcome),
        attributes=list(_attributes(job, data.children, clock)),
        is_live=is_live,
        **_polling(job, items, outcome, data, is_live=is_live),
    )


# --- buttons ----------------------------------------------------------------------------------


def _buttons(job: Job, data: JobPageData, viewer: Viewer, *, is_live: bool) -> Iterator[JobButton]:
    """Yield the possible changes, the most important one first.

    On a live page the Stop button keeps its place after the end of the job, so that no other button
    is pressed by mistake.
    """
    actor = viewer.actor
    is_own = job.actor_id == actor.user_id
    if job.state == JobState.AWAITING_APPROVAL and not is_own and actor.may(Right.APPROVE):
        what = f"Approve: cancel {gift_count(data.counts.open)}"
        yield _button(job, what, "job_approve", "button--danger")
        yield _button(job, "Decline", "job_decline")
    if not actor.may(Right.BULK):
        return
    if job.state == JobState.PAUSED and PauseReason(job.pause_reason) not in PAUSES_THAT_END:
        yield _button(job, "Resume", "job_resume", "button--primary")
    if job.state in RUNNABLE_JOB_STATES:
        yield _button(job, "Stop", "job_stop", icon="ban")
    elif job.state == JobState.AWAITING_APPROVAL and is_own:
        yield _button(job, "Withdraw", "job_stop")
    if job.ended_at is not None:
        yield from _buttons_after_end(job, data)
        if is_live:
            yield JobButton("job_stop", "Stop", "", icon="ban", is_disabled=True)


def _buttons_after_end(job: Job, data: JobPageData) -> Iterator[JobButton]:
    """Yield the buttons that create a follow-up job, unless it would have no items."""
    made = {one.relation for one in data.children}
    if count := data.failed_left:
        yield _button(job, f"Retry failed only ({count:,})", "job_retry", icon="refresh")
    if count := data.not_run_left:
        yield _button(job, f"Run the rest ({count:,})", "job_run_remaining", icon="right")
    if data.has_undo and JobRelation.UNDO not in made:
        yield _button(job, "Undo…", "job_undo", icon="undo")


def _button(job: Job, label: str, name: str, css: str = "", icon: str = "") -> JobButton:
    return JobButton(name, label, reverse(name, args=[job.pk]), css, icon)


# --- attributes -------------------------------------------------------------------------------


def _attributes(job: Job, children: Sequence[Job], clock: RequestClock) -> Iterator[JobAttribute]:
    params = job.params
    attributes = (
        JobAttribute("List", job.description),
        JobAttribute("Left out", _left_out(job)),
        JobAttribute("Expiration", params.get("rule", "")),
        JobAttribute("Reason", _REASONS.get(params.get("reason", ""), "")),
        JobAttribute("Note", params.get("note", "")),
        _ticket(params.get("ticket", "")),
    )
    yield from (attribute for attribute in attributes if attribute.value)
    yield from _times(job, clock)
    if job.parent is not None:
        yield _related_job(_RELATIONS[JobRelation(job.relation)][0], job.parent)
    for child in children:
        yield _related_job(_RELATIONS[JobRelation(child.relation)][1], child)


def _left_out(job: Job) -> str:
    return f"{job.left_out:,} of {job.total:,} selected" if job.left_out else ""


def _ticket(ticket: str) -> JobAttribute:
    return JobAttribute("Ticket", ticket, url=ticket_link(ticket))


def _times(job: Job, clock: RequestClock) -> Iterator[JobAttribute]:
    if job.approved_at is not None:
        at = moment(job.approved_at, clock)
        yield JobAttribute("Approved by", f"{job.approved_by_name}, {at.zoned}", iso=at.iso)
    for label, instant in (("Begun", job.started_at), ("Ended", job.ended_at)):
        if instant:
            yield _time_attribute(label, moment(instant, clock))
        elif job.state in RUNNABLE_JOB_STATES:
            # So that nothing moves when the job begins or ends.
            yield JobAttribute(label, MISSING_VALUE)


def _time_attribute(label: str, at: Moment) -> JobAttribute:
    return JobAttribute(label, at.zoned, iso=at.iso)


def _related_job(label: str, job: Job) -> JobAttribute:
    return JobAttribute(label, job_name(job), url=reverse("job", args=[job.pk]))


# --- pages of items, and polling --------------------------------------------------------------


def _pager(job: Job, items: Page[JobItem], outcome: str) -> Pager | None:
    if items.paginator.num_pages < 2:
        return None
    return Pager(
        place=f"{items.start_index():,}–{items.end_index():,} of {items.paginator.count:,}",
        previous=_url(job, outcome, items.number - 1) if items.has_previous() else "",
        next=_url(job, outcome, items.number + 1) if items.has_next() else "",
    )


def _url(job: Job, outcome: str, page: int, **more: str) -> str:
    given = {"outcome": outcome, "page": str(page) if page > 1 else "", **more}
    query = urlencode({name: value for name, value in given.items() if value})
    url = reverse("job", args=[job.pk])
    return f"{url}?{query}" if query else url


def _polling(
    job: Job, items: Page[JobItem], outcome: str, data: JobPageData, *, is_live: bool
) -> dict[str, str]:
    """Return URL and interval of the poll; the interval is "" if the job cannot change any more."""
    token = poll_token(job, data)
    is_over = job.ended_at is not None and not data.counts.unknown
    every = "" if is_over else _POLL_EVERY.get(JobState(job.state), _POLL_SELDOM)
    live = "1" if is_live else ""
    url = _url(job, outcome, items.number, poll=token, live=live)
    return {"poll_url": url, "poll_every": every}


def poll_token(job: Job, data: JobPageData) -> str:
    """Return a token of the page's content; a poll with the same token gets a 204."""
    if job.state in (JobState.SCHEDULED, JobState.RUNNING):
        return MOVING
    counts = data.counts
    until = int(job.paused_until.timestamp()) if job.paused_until else ""
    pause = (job.pause_reason, until, data.is_worker_missing)
    numbers = (counts.open, counts.unknown, counts.needs_human, counts.failed)
    parts = (job.state, job.ended_at is None, *pause, *numbers, len(data.children))
    return "-".join(map(str, parts))
