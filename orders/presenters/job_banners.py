"""The texts about the state of a job: whether anything was sent, and the possible next steps."""

from __future__ import annotations

from orders.bulk import PAUSES_THAT_END, approval_expires_at
from orders.days import RequestClock
from orders.models import Job, JobCounts, JobState, PauseReason
from orders.outcome_message import as_sentence
from orders.viewer import Viewer

from .elements import Banner
from .job_texts import gift_count, length_text, pause_text, time_of_day_text

_NOTHING_SENT = "Nothing has been sent to Goody."
_UNSENT = "Nothing was sent to Goody."
_NO_WORKER = Banner(
    tone="bad",
    title="No worker is running, so nothing happens at present.",
    sentence="Tell an admin.",
)


def job_banner(
    job: Job, counts: JobCounts, *, released: str, was_sent: bool, viewer: Viewer
) -> Banner | None:
    """Return the banner of a job that awaits approval, or was declined or stopped; else None.

    `released` is the money that the cancel would release, as text, while it awaits approval.
    `was_sent`: the stopped job has sent a request.
    """
    clock = viewer.clock
    match JobState(job.state):
        case JobState.AWAITING_APPROVAL:
            return _awaiting(job, counts, released, viewer)
        case JobState.STOPPED:
            return _stopped(job, counts, clock, was_sent=was_sent)
        case JobState.DECLINED:
            return Banner(tone="info", title=f"Declined {_by_whom(job, clock)}", sentence=_UNSENT)
        case JobState.EXPIRED:
            return Banner(tone="info", title="Nobody approved it in time", sentence=_UNSENT)
    return None


def _by_whom(job: Job, clock: RequestClock) -> str:
    at = f", {time_of_day_text(job.stopped_at, clock)}" if job.stopped_at else ""
    return f"by {job.stopped_by_name}{at}"


def _awaiting(job: Job, counts: JobCounts, released: str, viewer: Viewer) -> Banner:
    until = time_of_day_text(approval_expires_at(job), viewer.clock)
    money = f", which releases {released}" if released else ""
    others = "other gift is" if counts.ended == 1 else "other gifts are"
    left_out = f" {counts.ended:,} {others} left out." * bool(counts.ended)
    sentence = (
        f"{_NOTHING_SENT} It cancels exactly the {gift_count(counts.open)} below{money}.{left_out} "
        f"Without approval it ends {until}."
    )
    if job.actor_id == viewer.actor.user_id:
        return Banner(
            tone="warn",
            title="Another lead must approve it",
            sentence=sentence,
            next_step="You cannot approve it yourself, because you asked for it.",
        )
    return Banner(
        tone="warn",
        title=f"{job.actor_name} asks for approval",
        sentence=sentence,
        next_step="Look through the list, then approve or decline.",
    )


def _stopped(job: Job, counts: JobCounts, clock: RequestClock, *, was_sent: bool) -> Banner:
    title = "The program stopped it" if job.stop_reason else f"Stopped {_by_whom(job, clock)}"
    left = _what_stopping_left(counts, was_sent=was_sent)
    sentence = f"{as_sentence(job.stop_reason)} {left}"
    return Banner(tone="info", title=title, sentence=sentence.strip())


def _what_stopping_left(counts: JobCounts, *, was_sent: bool) -> str:
    if counts.open:
        verb = "was" if counts.open == 1 else "were"
        return (
            f"{gift_count(counts.open)} {verb} being changed at that moment; the outcome follows."
        )
    if not counts.done + counts.failed + counts.unknown:
        # The gift waited for another attempt.
        return "Goody refused what was sent." if was_sent else f"{_UNSENT} No gift was changed."
    if not counts.not_run:
        return ""
    return f"{gift_count(counts.not_run)} {'is' if counts.not_run == 1 else 'are'} left to do."


def job_note(
    job: Job, counts: JobCounts, *, is_worker_missing: bool, clock: RequestClock
) -> Banner:
    """Return the line below the progress bar, which polls update.

    The line is always present, so that nothing below it moves when its text changes.
    """
    if is_worker_missing and (_continues_by_itself(job) or counts.being_checked):
        return _NO_WORKER
    match JobState(job.state):
        case JobState.SCHEDULED:
            return _scheduled(job, clock)
        case JobState.RUNNING:
            return _note("It goes on when you leave this page.")
        case JobState.PAUSED:
            return _paused(job, clock)
    if counts.needs_human and job.ended_at is not None:
        return _needs_human(counts)
    if counts.unknown and job.ended_at is not None:
        return _being_checked(counts.unknown)
    if job.state == JobState.FINISHED and job.started_at and job.ended_at:
        return _note(f"It took {length_text(job.ended_at - job.started_at)}.")
    return _note("")


def _continues_by_itself(job: Job) -> bool:
    if job.state == JobState.PAUSED:
        return PauseReason(job.pause_reason) in PAUSES_THAT_END
    return job.state in (JobState.SCHEDULED, JobState.RUNNING)


def _note(sentence: str) -> Banner:
    return Banner(tone="", title="", sentence=sentence)


def _scheduled(job: Job, clock: RequestClock) -> Banner:
    starts_at = job.starts_at
    if starts_at is None or starts_at <= clock.now:
        return _note("It starts within seconds, and goes on when you leave this page.")
    seconds = int((starts_at - clock.now).total_seconds()) + 1
    return Banner(
        tone="warn",
        title=f"It starts in {seconds} s, at {time_of_day_text(starts_at, clock)}.",
        sentence=f"{_NOTHING_SENT} Stop it before then, and no gift is changed.",
    )


_AFTER_PAUSE = {
    PauseReason.KEY_REJECTED: "It goes on by itself when the key works. Tell an admin.",
    PauseReason.NOT_CONFIGURED: "It goes on by itself when that is done. Tell an admin.",
    PauseReason.RATE_LIMITED: "It goes on by itself.",
    PauseReason.UNREACHABLE: "It goes on by itself.",
    PauseReason.NOT_FOUND: "Is this the right environment? Look at those gifts; Resume goes on "
    "with the others.",
}


def _paused(job: Job, clock: RequestClock) -> Banner:
    return Banner(
        tone="warn",
        title=f"Paused: {pause_text(job, clock)}.",
        sentence=_AFTER_PAUSE[PauseReason(job.pause_reason)],
    )


def _needs_human(counts: JobCounts) -> Banner:
    count = counts.needs_human
    one = count == 1
    others = f" {counts.being_checked:,} more are being checked." * bool(counts.being_checked)
    return Banner(
        tone="bad",
        title=f"The outcome of {gift_count(count)} needs a person.",
        sentence=f"No read of the {'order' if one else 'orders'} has settled it. A lead looks at "
        f"{'it' if one else 'them'} on Goody's own page and records what it shows, under Details "
        f"below.{others}",
    )


def _being_checked(count: int) -> Banner:
    one = count == 1
    return Banner(
        tone="warn",
        title=f"The outcome of {gift_count(count)} is being checked.",
        sentence=f"Goody's answer was lost. {'It is' if one else 'They are'} not sent again: "
        f"reading the {'order' if one else 'orders'} shows what became of "
        f"{'it' if one else 'them'}.",
    )
