"""Texts about a job: its name, its state, its counts. Every page that shows jobs uses them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from orders import formats
from orders.audit import Action
from orders.bulk import Pace
from orders.days import RequestClock
from orders.models import (
    RUNNABLE_JOB_STATES,
    BlockingJob,
    ItemState,
    Job,
    JobCounts,
    JobItem,
    JobState,
    PauseReason,
    State,
)
from orders.outcome_message import BEING_CHECKED, NEEDS_HUMAN

from .status import Badge

_ITEM_BADGES = {
    ItemState.DONE: Badge("good", "check", "Done"),
    ItemState.SKIPPED: Badge("neutral", "circle", "Skipped"),
    ItemState.FAILED: Badge("bad", "alert", "Failed"),
    ItemState.UNKNOWN: Badge("warn", "clock", BEING_CHECKED, "Being checked"),
    ItemState.NOT_RUN: Badge("neutral", "circle", "Not run"),
    ItemState.PENDING: Badge("neutral", "circle", "To do"),
    ItemState.WAITING: Badge("neutral", "clock", "Waits"),
    ItemState.RUNNING: Badge("busy", "busy", "Under way"),
}

_STATES = {
    JobState.AWAITING_APPROVAL: Badge("warn", "clock", "Waiting for approval"),
    JobState.SCHEDULED: Badge("busy", "clock", "Starting"),
    JobState.RUNNING: Badge("busy", "busy", "Running"),
    JobState.PAUSED: Badge("warn", "clock", "Paused"),
    JobState.STOPPED: Badge("neutral", "circle", "Stopped"),
    JobState.DECLINED: Badge("neutral", "circle", "Declined"),
    JobState.EXPIRED: Badge("neutral", "circle", "Not approved in time"),
    JobState.FINISHED: Badge("good", "check", "Finished"),
}
_PAUSES = {
    PauseReason.KEY_REJECTED: "Goody rejects the API key",
    PauseReason.NOT_CONFIGURED: "the connection to Goody is not set up",
    PauseReason.RATE_LIMITED: "Goody asks us to wait",
    PauseReason.UNREACHABLE: "Goody does not answer",
    PauseReason.NOT_FOUND: "Goody did not know three orders in a row",
}


def item_badge(item: JobItem) -> Badge:
    if item.state == ItemState.UNKNOWN and item.reason == State.NEEDS_HUMAN:
        return Badge("bad", "alert", NEEDS_HUMAN)
    return _ITEM_BADGES[ItemState(item.state)]


def job_name(job: Job) -> str:
    return f"Job {job.number}"


def gift_count(count: int) -> str:
    """Return "1 gift", "1,240 gifts"."""
    return "1 gift" if count == 1 else f"{count:,} gifts"


def job_title(job: Job) -> str:
    """Return the title of a job: "Cancel 37 gifts"."""
    if job.is_undo:
        return f"Undo the extension of {gift_count(job.planned)}"
    verb = "Cancel" if job.action == Action.ORDER_CANCEL else "Extend"
    return f"{verb} {gift_count(job.planned)}"


def blocked_by_job_sentence(job: BlockingJob) -> str:
    """Return a sentence that the gift cannot be changed because it waits in the job."""
    what = "canceled" if job.action == Action.ORDER_CANCEL else "extended"
    return (
        f"Waits to be {what} in job {job.number} of {job.actor_name}. It takes no other change "
        "before the job has ended or is stopped."
    )


def job_badge(job: Job, counts: JobCounts) -> Badge:
    if job.state == JobState.STOPPED and job.ended_at is None:
        return Badge("warn", "clock", "Stopping")
    if job.state == JobState.FINISHED and (problem := _problem(counts)):
        return problem
    return _STATES[JobState(job.state)]


def _problem(counts: JobCounts) -> Badge | None:
    """Return the badge of a finished job with items that need attention; else None."""
    if counts.failed:
        return Badge("bad", "alert", f"Finished, {counts.failed:,} failed")
    if counts.needs_human:
        return Badge("bad", "alert", f"Finished, {counts.needs_human:,} to settle by hand")
    if counts.unknown:
        return Badge("warn", "clock", f"Finished, {counts.unknown:,} being checked")
    return None


def job_announcement(job: Job, counts: JobCounts) -> str:
    """Return the state for screen readers, which changes with each quarter of the items."""
    state = f"{job_name(job)}: {job_badge(job, counts).word}"
    if job.ended_at is not None:
        return f"{state}. {counts_text(counts)}"
    quarter = percent(job, counts) // 25 * 25
    return f"{state}, {quarter} %" if quarter else state


class Moment(NamedTuple):
    """An instant as texts: `iso` for `<time>`, `text`, `zoned` with the zone, `at` in full."""

    iso: str
    text: str
    zoned: str
    at: str


def moment(at: datetime, clock: RequestClock) -> Moment:
    text = formats.compact_date_time(at, clock.now, clock.zone)
    zoned = f"{text} {formats.zone_name(at, clock.zone)}"
    return Moment(formats.iso_utc(at), text, zoned, formats.date_time(at, clock.zone))


def pause_text(job: Job, clock: RequestClock) -> str:
    """Return the reason and the end of a pause: "Goody asks us to wait, until 14:20:00 EST"."""
    reason = _PAUSES[PauseReason(job.pause_reason)]
    return (
        f"{reason}, until {time_of_day_text(job.paused_until, clock)}"
        if job.paused_until
        else reason
    )


def time_of_day_text(at: datetime, clock: RequestClock) -> str:
    """Return time and zone, with the day if it is not today: "14:20 EST".

    A time within an hour has seconds.
    """
    is_soon = abs(at - clock.now) < timedelta(hours=1)
    time_text = formats.time_of_day if is_soon else formats.hour_and_minute
    time = f"{time_text(at, clock.zone)} {formats.zone_name(at, clock.zone)}"
    is_today = formats.day(at, clock.zone) == formats.day(clock.now, clock.zone)
    return time if is_today else f"{formats.compact_day(at, clock.now, clock.zone)}, {time}"


def tried_count(job: Job, counts: JobCounts) -> int:
    """Return the number of planned items that the job has come to."""
    return counts.ended - counts.not_run - job.left_out


def progress_text(job: Job, counts: JobCounts) -> str:
    """Return "12 of 36". Gifts that the preview left out do not count."""
    return f"{tried_count(job, counts):,} of {job.planned:,}"


def percent(job: Job, counts: JobCounts) -> int:
    """Return the share of the planned items that have an outcome; 100 only for all of them."""
    return tried_count(job, counts) * 100 // job.planned if job.planned else 100


def shows_progress(job: Job, counts: JobCounts) -> bool:
    """Whether the job runs, or has come to an item."""
    return job.state in RUNNABLE_JOB_STATES or tried_count(job, counts) > 0


class BarPart(NamedTuple):
    """The segment of a progress bar for one outcome, in thousandths of the width."""

    outcome: str
    start: int
    width: int


class Bar(NamedTuple):
    """The progress bar of a job, with a segment for each outcome."""

    total: int
    ended: int
    text: str
    parts: list[BarPart]


def progress_bar(job: Job, counts: JobCounts) -> Bar:
    skipped = counts.skipped - job.left_out
    outcomes = {"done": counts.done, "skipped": skipped, "failed": counts.failed}
    parts, before = [], 0
    for outcome, count in (outcomes | {"unknown": counts.unknown}).items():
        if count:
            start, end = _thousandths(before, job), _thousandths(before + count, job)
            parts.append(BarPart(outcome, start, max(1, end - start)))
        before += count
    return Bar(job.planned, tried_count(job, counts), progress_text(job, counts), parts)


def _thousandths(count: int, job: Job) -> int:
    return round(1000 * count / job.planned)


def counts_text(counts: JobCounts) -> str:
    """Return the counts that are not zero: "40 done, 3 skipped, 78 to do"."""
    return ", ".join(_counted(counts))


def _counted(counts: JobCounts) -> Iterator[str]:
    named = (
        (counts.done, "done"),
        (counts.skipped, "skipped"),
        (counts.failed, "failed"),
        (counts.being_checked, "being checked"),
        (counts.needs_human, "to settle by hand"),
        (counts.not_run, "not run"),
        (counts.open, "to do"),
    )
    return (f"{count:,} {name}" for count, name in named if count)


def pace_text(pace: Pace | None) -> str:
    """Return rate and time left: "2.1 a second, about 40 s left"; "" if not measured."""
    if pace is None:
        return ""
    return f"{_rate(pace.per_second)}, about {_rounded(pace.left)} left"


def _rate(per_second: float) -> str:
    if per_second >= 1:
        return f"{per_second:.1f} a second"
    return f"{max(1, round(per_second * 60))} a minute"


def _rounded(left: timedelta) -> str:
    """Return a length that does not flicker: seconds in steps of five, then minutes."""
    seconds = left.total_seconds()
    if seconds < 55:
        return f"{max(5, 5 * round(seconds / 5))} s"
    return length_text(timedelta(minutes=round(seconds / 60)))


def length_text(length: timedelta) -> str:
    """Return "12 s", "1 min 13 s", "25 min", "1 h 20 min"."""
    minutes, seconds = divmod(max(1, round(length.total_seconds())), 60)
    if not minutes:
        return f"{seconds} s"
    if minutes < 10 and seconds:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return " ".join(f"{count} {unit}" for count, unit in ((hours, "h"), (minutes, "min")) if count)
