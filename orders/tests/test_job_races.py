"""Workers and people at the same moment, clocks that are set, and a database that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from orders import bulk
from orders.bulk.lease import JobLease
from orders.models import ApiLimits, Job, JobItem, JobState, PauseReason
from testing.domain import actor, failing_statements
from testing.jobs import cancel_job, open_orders, run_job, run_now, states
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_grace(settings: Any) -> None:
    settings.BULK_CANCEL_GRACE = 0


@contextmanager
def meanwhile(
    statement: str, act: Callable[[], object], *, is_before: bool = True
) -> Iterator[None]:
    """Call `act` once, directly before or after the first SQL that starts with `statement`."""
    called: list[None] = []

    def around(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        is_it = not called and sql.startswith(statement)
        if is_it and is_before:
            called.append(None)
            act()
        result = execute(sql, params, many, context)
        if is_it and not is_before:
            called.append(None)
            act()
        return result

    with connection.execute_wrapper(around):
        yield
    assert called, f"no statement {statement}"


ACQUIRE = 'UPDATE "orders_job" SET "lease_token"'
CLAIM = 'UPDATE "orders_jobitem" SET "state" = %s, "token"'


def test_a_pause_after_three_unknown_orders_outlives_its_worker(
    emulator: Emulator, clock: Any
) -> None:
    """The worker dies, or its database does, between the pause and the end of the slice."""
    orders = open_orders(emulator, 4)
    job = cancel_job(orders)
    emulator.add_fault({"kind": "status", "status": 404}, path="/v1/orders/", times=3)
    with (
        failing_statements("orders_job", "UPDATE", when="NEW.lease_until IS NULL"),
        pytest.raises(Exception, match="refused"),
    ):
        run_job(job)
    job.refresh_from_db()
    assert (job.state, job.pause_reason) == (JobState.PAUSED, PauseReason.NOT_FOUND)
    clock.shift(61)
    assert bulk.queue_due_jobs(now=timezone.now()) == 0
    assert run_job(job).state == JobState.PAUSED
    assert (states(job), emulator.posts()) == (["failed"] * 3 + ["pending"], 0)
    assert bulk.resume_job(actor=actor("lead"), job_id=job.pk, now=timezone.now()).due_at


def test_an_approval_at_its_last_moment_has_its_grace_period(
    emulator: Emulator, settings: Any
) -> None:
    """A worker takes the job for expired, by a clock that is ahead, while a lead approves it."""
    settings.BULK_APPROVAL_ABOVE, settings.BULK_CANCEL_GRACE = 1, 60
    job = cancel_job(open_orders(emulator, 2))
    Job.objects.update(due_at=timezone.now())

    def approve() -> None:
        bulk.approve_job(actor=actor("lead", "second"), job_id=job.pk, now=timezone.now())

    with meanwhile(ACQUIRE, approve):
        run_job(job)
    assert (job.state, emulator.posts()) == (JobState.SCHEDULED, 0)
    assert (run_job(job).state, emulator.posts()) == (JobState.SCHEDULED, 0)


def test_a_worker_that_is_suspended_while_it_takes_the_lease_has_none(
    emulator: Emulator,
) -> None:
    """Another worker has the lease when it wakes up."""
    job = cancel_job(open_orders(emulator, 1))
    later = timezone.now() + timedelta(seconds=61)
    others: list[JobLease | None] = []

    def take_over() -> None:
        others.append(JobLease.acquire(job.pk, now=later))

    with meanwhile(ACQUIRE, take_over, is_before=False):
        assert JobLease.acquire(job.pk, now=timezone.now()) is None
    assert others[0] is not None
    assert others[0].job.lease_token == 2


def test_the_lease_outlasts_the_item_that_waited_for_the_pace(
    emulator: Emulator, settings: Any
) -> None:
    settings.BULK_LEASE = 3.0
    orders = open_orders(emulator, 1)
    job = cancel_job(orders)
    ApiLimits.objects.current()
    ApiLimits.objects.update(next_item_at=timezone.now() + timedelta(seconds=0.8))
    left: list[timedelta] = []

    def look() -> None:
        until = Job.objects.values_list("lease_until", flat=True).get()
        assert until is not None
        left.append(until - timezone.now())

    with meanwhile(CLAIM, look):
        run_job(job)
    assert states(job) == ["done"]
    assert left[0] > timedelta(seconds=2.6)


def test_the_times_that_a_job_shows_are_those_of_the_clock_that_was_set_back(
    emulator: Emulator, settings: Any
) -> None:
    """A page must not say that nothing is sent for two hours when the job starts in minutes."""
    settings.BULK_CANCEL_GRACE = 60
    now = timezone.now()
    ahead, latest = now + timedelta(hours=2), now + timedelta(seconds=900)
    starting, paused = (cancel_job(open_orders(emulator, 1), now=ahead) for _ in range(2))
    pause = {"pause_reason": PauseReason.RATE_LIMITED, "paused_until": ahead, "due_at": ahead}
    Job.objects.filter(pk=paused.pk).update(state=JobState.PAUSED, **pause)
    assert bulk.queue_due_jobs(now=now) == 0
    starting.refresh_from_db()
    paused.refresh_from_db()
    assert (starting.due_at, starting.starts_at) == (latest, latest)
    assert (paused.due_at, paused.paused_until) == (latest, latest)


def test_a_locked_database_stalls_a_job_for_seconds(emulator: Emulator, clock: Any) -> None:
    """Not until its lease expires."""
    job = cancel_job(open_orders(emulator, 1))
    with failing_statements("orders_jobitem", "UPDATE", when="NEW.state = 'running'"):
        run_job(job)
    assert (job.lease_until, states(job), emulator.posts()) == (None, ["pending"], 0)
    clock.shift(6)
    assert run_job(job).state == JobState.FINISHED


def test_what_was_retried_is_not_retried_again_and_the_others_are(emulator: Emulator) -> None:
    """An outcome that was being checked turns out as failed after the retry of others."""
    job = cancel_job(open_orders(emulator, 2))
    Job.objects.update(state=JobState.FINISHED, ended_at=timezone.now())
    first, second = JobItem.objects.order_by("position")
    lead = actor("lead")

    def retry() -> Job:
        return bulk.retry_failed(actor=lead, job_id=job.pk, now=timezone.now())

    JobItem.objects.filter(pk=first.pk).update(state="failed")
    JobItem.objects.filter(pk=second.pk).update(state="unknown")
    once, again = retry(), retry()
    assert once.pk == again.pk
    JobItem.objects.filter(pk=second.pk).update(state="failed")
    late = retry()
    orders = [list(one.items.values_list("order_uuid", flat=True)) for one in (once, late)]
    assert orders == [[first.order_uuid], [second.order_uuid]]
    assert retry().pk == late.pk
    assert (run_now(once).state, run_now(late).state, emulator.posts()) == (
        JobState.FINISHED,
        JobState.FINISHED,
        2,
    )
