"""Runs jobs: one item after another, in slices of a few seconds.

All state is in the rows of the job, its items and their operations, so that any worker can run the
next slice at any time, also after a kill.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from orders import goody_api, services
from orders.audit import PROGRAM, REQUIRED_RIGHTS, Action
from orders.goody_api import CallsPaused, KeyRejected
from orders.models import (
    ApiLimits,
    ItemState,
    Job,
    JobItem,
    JobState,
    PauseReason,
)
from orders.rights import Actor, Right

from .items import recover_items, run_item
from .job_end import end_job, record_end_if_over
from .lease import JobLease, LeaseLost

log = logging.getLogger(__name__)

# How soon a job is looked at again that waits for something without a known end.
_POLL = timedelta(seconds=5)
# How soon, while only an item is left whose operation has not ended.
_POLL_IN_FLIGHT = timedelta(seconds=1)
_NOT_FOUND_IN_A_ROW = 3
# Items read in one query.
_READ_AT_ONCE = 10
_CONNECTION_FAILED = frozenset({"dns", "connect", "tls", "breaker"})


def run_job(job_id: UUID, *, stop: threading.Event) -> None:
    """Work on a job for at most BULK_SLICE seconds and one item, if it is due.

    Several processes may call it at once: the lease lets one of them run. `stop` ends the slice
    after the item in progress.
    """
    lease = JobLease.acquire(job_id, now=timezone.now())
    if lease is None:
        return
    try:
        _work(lease, stop)
    except (LeaseLost, services.ClaimLost):
        log.warning("another worker runs job %s", lease.job.number)
    except (services.NotRecorded, services.OutcomeNotRecorded, DatabaseFailure):
        log.warning("job %s: the database did not answer", lease.job.number)
        lease.release(due_at=timezone.now() + _POLL)
    else:
        lease.release(due_at=_next_due(lease.job, now=timezone.now()))


def _work(lease: JobLease, stop: threading.Event) -> None:
    recover_items(lease.job, now=timezone.now())
    if _begin(lease):
        _run_slice(lease, stop)
    _end_if_over(lease)


def _begin(lease: JobLease) -> bool:
    """Make the transition that is due; return whether items may be run."""
    job, now = lease.job, timezone.now()
    if job.state == JobState.AWAITING_APPROVAL:
        with transaction.atomic():
            end_job(job, JobState.EXPIRED, now=now)
        return False
    if job.state == JobState.SCHEDULED:
        return lease.update(state=JobState.RUNNING, started_at=now)
    if job.state == JobState.PAUSED:
        return _limits_of_calls(lease) is not None and lease.update(
            state=JobState.RUNNING, pause_reason="", paused_until=None
        )
    return job.state == JobState.RUNNING


def _run_slice(lease: JobLease, stop: threading.Event) -> None:
    ends_at = time.monotonic() + settings.BULK_SLICE
    while items := JobItem.objects.next_due(lease.job, now=timezone.now(), count=_READ_AT_ONCE):
        for item in items:
            if stop.is_set() or not _run_next(lease, item, stop) or time.monotonic() > ends_at:
                return


def _run_next(lease: JobLease, item: JobItem, stop: threading.Event) -> bool:
    """Run one item at its time; return whether another may follow in this slice."""
    limits = _limits_of_calls(lease)
    if limits is None or not _wait_for_pace(limits, stop):
        return False
    # After the wait: the rest of the lease must be longer than any item takes.
    lease.renew_if_due()
    actor = _permitted_actor(lease)
    if actor is None or not JobItem.objects.claim(item, lease.job):
        lease.reload()
        return False
    if run_item(lease.job, item, actor):
        return True
    item.refresh_from_db(fields=["state", "reason", "attempts", "due_at"])
    return not _is_paused_by(lease, item)


def _wait_for_pace(limits: ApiLimits, stop: threading.Event) -> bool:
    """Wait until the shared pace allows the next item; return False if the slice ends before."""
    try:
        wait = goody_api.reserve_job_item(limits, longest=settings.BULK_LEASE / 2)
    except DatabaseFailure as error:
        raise services.NotRecorded from error
    return wait is not None and not stop.wait(wait)


def _limits_of_calls(lease: JobLease) -> ApiLimits | None:
    """Return the limits if calls to Goody are possible; otherwise pause the job and return None."""
    if goody_api.missing_setting_names():
        _pause(lease, PauseReason.NOT_CONFIGURED, None)
        return None
    try:
        return goody_api.check_limits(now=timezone.now())
    except KeyRejected:
        _pause(lease, PauseReason.KEY_REJECTED, None)
    except CallsPaused as paused:
        _pause(lease, PauseReason.RATE_LIMITED, paused.until)
    return None


def _pause(lease: JobLease, reason: PauseReason, until: datetime | None) -> None:
    """Pause the job until the given time, or with None until the reason has ended.

    `due_at` is stored with the pause, so that it survives a kill of the worker.
    """
    due_at = until or timezone.now() + _POLL
    lease.update(
        state=JobState.PAUSED,
        pause_reason=reason,
        paused_until=until,
        due_at=None if reason == PauseReason.NOT_FOUND else due_at,
    )


def _permitted_actor(lease: JobLease) -> Actor | None:
    """Return the actor with the rights of this moment; without them end the job and return None."""
    job = lease.job
    actor = Actor.by_user_id(job.actor_id, request_id=f"job-{job.number}")
    if actor.may(Right.BULK) and actor.may(REQUIRED_RIGHTS[Action(job.action)]):
        return actor
    now = timezone.now()
    reason = f"{job.actor_name} may no longer change many orders at once."
    with transaction.atomic():
        end_job(
            job,
            JobState.STOPPED,
            now=now,
            stopped_by_name=PROGRAM,
            stopped_at=now,
            stop_reason=reason,
        )
    return None


def _is_paused_by(lease: JobLease, item: JobItem) -> bool:
    """Pause the job if the item failed for a reason that concerns all items; return whether."""
    if item.state == ItemState.WAITING:
        return _is_paused_by_waiting(lease, item)
    if item.reason == "not_found" and _are_last_not_found(lease.job):
        _pause(lease, PauseReason.NOT_FOUND, None)
        return True
    return False


def _is_paused_by_waiting(lease: JobLease, item: JobItem) -> bool:
    if item.reason == "rate_limited":
        reason = PauseReason.RATE_LIMITED
    elif item.reason in _CONNECTION_FAILED:
        reason = PauseReason.UNREACHABLE
    else:
        # key_rejected and not_configured: the limits are checked before the next item.
        return False
    until = item.due_at
    if item.attempts >= services.MAX_ATTEMPTS:
        until = timezone.now() + timedelta(seconds=settings.GOODY_LONGEST_WAIT)
        waiting = JobItem.objects.filter(pk=item.pk, state=ItemState.WAITING)
        waiting.update(attempts=0, due_at=until)
    _pause(lease, reason, until)
    return True


def _are_last_not_found(job: Job) -> bool:
    """Whether Goody did not know the last three orders since the job was started or resumed."""
    since = job.resumed_at or job.created_at
    ended = JobItem.objects.filter(job_id=job.pk, ended_at__gte=since).exclude(operation=None)
    last = ended.order_by("-ended_at", "-position").values_list("reason", flat=True)
    reasons = list(last[:_NOT_FOUND_IN_A_ROW])
    return reasons == ["not_found"] * _NOT_FOUND_IN_A_ROW


def _end_if_over(lease: JobLease) -> None:
    lease.reload()
    job, now = lease.job, timezone.now()
    if not job.is_open:
        with transaction.atomic():
            record_end_if_over(job, now=now)
    elif job.state == JobState.RUNNING and not JobItem.objects.filter(job=job).open().exists():
        with transaction.atomic():
            end_job(job, JobState.FINISHED, now=now)


def _next_due(job: Job, *, now: datetime) -> datetime | None:
    """Return the time at which a worker runs the job next; None if it waits for a person."""
    job.refresh_from_db()
    if job.ended_at is not None:
        return None
    if job.state != JobState.RUNNING:
        return job.due_at if job.is_open else now + _POLL_IN_FLIGHT
    items = JobItem.objects.filter(job_id=job.pk)
    if items.filter(state=ItemState.PENDING).exists():
        return now
    waiting = items.filter(state=ItemState.WAITING)
    due_at: datetime | None = waiting.aggregate(Min("due_at"))["due_at__min"]
    return due_at or now + _POLL_IN_FLIGHT
