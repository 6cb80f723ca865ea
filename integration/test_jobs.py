"""Jobs run by `manage.py work`: several workers, kills, both queues of tasks."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable
from uuid import UUID

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from orders.models import AuditEntry, ItemState, Job, JobItem, JobState, Operation, State
from testing.domain import store_operation
from testing.jobs import cancel_job, job_history, open_orders
from testing.processes import LiveApp, wait_for
from testing.vendor import Emulator

Start = Callable[..., LiveApp]

# Leases and waits of seconds where the defaults are minutes.
SHORT = {
    "BULK_SLICE": "0.3",
    "BULK_LEASE": "2",
    "BULK_ITEMS_PER_SECOND": "40",
    "BULK_RETRY_WAIT": "0.1",
    "OPERATION_LEASE": "2",
    "OPERATION_READS": "0.1,0.4,0.8,1.2",
    "OPERATION_NOT_APPLIED_SPREAD": "0.8",
    "OPERATION_EFFECT_WINDOW": "0.8",
}


@pytest.fixture
def job(database_url: str, emulator: Emulator, settings: object) -> Job:
    settings.BULK_CANCEL_GRACE = 0  # type: ignore[attr-defined]
    return cancel_job(open_orders(emulator, 24))


def done_items() -> int:
    return JobItem.objects.filter(state=ItemState.DONE).count()


def has_ended() -> bool:
    open_states = (State.PLANNED, State.SENDING, State.UNKNOWN)
    is_over = Job.objects.filter(state=JobState.FINISHED).exists()
    return is_over and not Operation.objects.filter(state__in=open_states).exists()


def run_with_kills(start: Start, emulator: Emulator, **env: str) -> LiveApp:
    """Run the job in two workers, of which one is killed and replaced again and again."""
    emulator.set_latency(0.01)
    app = start(webs=0, workers=2, **SHORT, **env)
    for number, enough in enumerate((5, 12)):
        wait_for(lambda enough=enough: done_items() >= enough, timeout=60, what="items")
        app.workers[-1 - number % 2].kill()
        app.start_worker()
    wait_for(has_ended, timeout=90, what="the end of the job")
    return app


def assert_exact(job: Job, emulator: Emulator) -> None:
    job.refresh_from_db()
    truth = Counter(
        "done" if emulator.get_order(item.order_uuid)["status"] == "failed" else "failed"
        for item in JobItem.objects.filter(job=job)
    )
    states = Counter(JobItem.objects.filter(job=job).values_list("state", flat=True))
    assert states == truth
    assert states["done"] >= 22
    assert job.state == JobState.FINISHED
    assert [row[2] for row in job_history(job)] == ["", "finished"]
    sent = Counter(entry["order_id"] for entry in emulator.ledger(kind="cancel"))
    assert set(sent.values()) == {1}
    assert {UUID(order) for order in sent} <= set(
        Operation.objects.values_list("order_uuid", flat=True)
    )
    # A process may die after the operation was marked as sent and before the first byte.
    assert emulator.posts() <= Operation.objects.exclude(sent_at=None).count()
    assert not AuditEntry.objects.exclude(operation=None).filter(job=None).exists()


def test_workers_that_are_killed_finish_a_job_exactly(
    live_app: Start, job: Job, emulator: Emulator
) -> None:
    run_with_kills(live_app, emulator)
    assert_exact(job, emulator)
    assert DBTaskResult.objects.exists()


@pytest.mark.postgresql_only(reason="what differs is the queue of tasks")
def test_workers_that_are_killed_finish_a_job_queued_in_redis(
    live_app: Start, job: Job, emulator: Emulator, redis_url: str
) -> None:
    run_with_kills(live_app, emulator, TASKS_URL=redis_url)
    assert_exact(job, emulator)
    assert not DBTaskResult.objects.exists()


@pytest.mark.sqlite_only(reason="signals do not depend on the database")
def test_sigterm_ends_a_job_after_the_item_in_progress(
    live_app: Start, job: Job, emulator: Emulator
) -> None:
    emulator.set_latency(0.1)
    app = live_app(webs=0, workers=1, **SHORT)
    wait_for(lambda: done_items() >= 2, timeout=60, what="items")
    os.kill(app.workers[0].pid, signal.SIGTERM)
    assert app.workers[0].wait() == 0
    job.refresh_from_db()
    assert (job.state, job.lease_until) == (JobState.RUNNING, None)
    counts = JobItem.objects.filter(job=job).counts()
    assert counts.done == emulator.posts()
    assert counts.done + counts.pending == job.total


@pytest.mark.sqlite_only(reason="threads do not depend on the database")
def test_settling_does_not_wait_for_a_job(live_app: Start, job: Job, emulator: Emulator) -> None:
    """Goody answers no read of the job's first order."""
    first = JobItem.objects.get(job=job, position=1).order_uuid
    emulator.add_fault({"kind": "delay", "seconds": 600}, path=f"/v1/orders/{first}")
    canceled = UUID(emulator.find_order_id(status="failed"))
    live_app(webs=0, workers=1, **SHORT, GOODY_PAGE_DEADLINE="600")
    items = JobItem.objects.filter(job=job)
    wait_for(lambda: items.filter(state=ItemState.RUNNING).exists(), timeout=60, what="an item")
    now = timezone.now()
    lost = store_operation(
        order_uuid=canceled, state=State.UNKNOWN, sent_at=now, unknown_at=now, due_at=now
    )
    wait_for(
        lambda: Operation.objects.get(pk=lost.pk).state == State.APPLIED,
        timeout=60,
        what="the cancel to be settled",
    )
    assert items.counts().running == 1
