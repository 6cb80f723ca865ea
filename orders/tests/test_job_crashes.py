"""A worker dies or is suspended at each boundary of an item. Nothing is sent twice, lost or false.

The workers are processes that end or stop themselves; others continue their job when the leases
have expired.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from django.utils import timezone

from orders import bulk
from orders.bulk import runner
from orders.models import AuditEntry, Job, JobItem, JobState, Operation, State
from orders.models.job import JobItemQuerySet
from orders.services.writes import send
from testing.domain import actor
from testing.jobs import (
    cancel_job,
    fork_worker,
    job_history,
    open_orders,
    run_now,
    settle_everything,
    states,
)
from testing.serving import wait_for
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db(transaction=True)

NOT_APPLIED, APPLIED = {"kind": "cut"}, {"kind": "apply_then_reset"}


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.BULK_CANCEL_GRACE = 0


# The name of the boundary: where it is, whether the function there runs before, the emulator's
# fault, and the outcome of the item.
BOUNDARIES: dict[str, tuple[Any, str, bool, dict[str, Any] | None, str]] = {
    "claimed": (JobItemQuerySet, "claim", True, None, "done"),
    "intent stored": (send, "commit_intent", True, None, "done"),
    "order read": (send, "_refusal", True, None, "done"),
    "sending stored": (send, "_claim_sending", True, None, "failed"),
    "sent and not applied": (send, "mark_outcome_unknown", False, NOT_APPLIED, "failed"),
    "sent and applied": (send, "mark_outcome_unknown", False, APPLIED, "done"),
    "answer received": (send, "confirm_operation", False, None, "done"),
    "outcome stored": (send, "confirm_operation", True, None, "done"),
    "before the next item": (runner, "run_item", True, None, "done"),
}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "suspended"])
@pytest.mark.parametrize("boundary", list(BOUNDARIES))
def test_worker_ends_or_is_suspended_past_its_lease_at_each_boundary(
    emulator: Emulator, clock: Any, boundary: str, number: signal.Signals
) -> None:
    where, name, runs_before, fault, outcome = BOUNDARIES[boundary]
    orders = open_orders(emulator, 3)
    job = cancel_job(orders)
    if fault:
        emulator.add_fault(fault, method="POST", times=1)

    def work() -> None:
        interrupt_once(where, name, runs_before=runs_before, number=number)
        runner.run_job(job.pk, stop=threading.Event())

    worker = fork_worker(work)
    _, status = os.waitpid(worker, os.WUNTRACED)
    assert os.WIFSTOPPED(status) or os.WTERMSIG(status) == number
    clock.shift(61)
    settle_everything(job, clock)
    assert_true_outcomes(job, orders, emulator)
    assert states(job) == [outcome, "done", "done"]
    if number == signal.SIGSTOP:
        os.kill(worker, signal.SIGCONT)
        assert os.waitpid(worker, 0)[1] == 0
        settle_everything(job, clock)
        assert_true_outcomes(job, orders, emulator)
        # Its request left when it woke up, directly after the last check.
        woken = "done" if boundary == "sending stored" else outcome
        assert states(job) == [woken, "done", "done"]


def test_a_suspended_worker_sends_nothing_after_a_stop(emulator: Emulator, clock: Any) -> None:
    """Its item was told as not run meanwhile."""
    job = cancel_job(open_orders(emulator, 2))

    def work() -> None:
        interrupt_once(JobItemQuerySet, "claim", runs_before=True, number=signal.SIGSTOP)
        runner.run_job(job.pk, stop=threading.Event())

    worker = fork_worker(work)
    os.waitpid(worker, os.WUNTRACED)
    bulk.stop_job(actor=actor("lead"), job_id=job.pk, now=timezone.now())
    clock.shift(61)
    assert run_now(job).ended_at is not None
    os.kill(worker, signal.SIGCONT)
    assert os.waitpid(worker, 0)[1] == 0
    assert (states(job), emulator.posts()) == (["not_run", "not_run"], 0)
    assert not Operation.objects.exists()


def interrupt_once(where: Any, name: str, *, runs_before: bool, number: signal.Signals) -> None:
    """Send this process the signal at the first call of a function, before it or after it."""
    original: Callable[..., Any] = getattr(where, name)
    calls: list[None] = []

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        if calls:
            return original(*args, **kwargs)
        calls.append(None)
        result = original(*args, **kwargs) if runs_before else None
        os.kill(os.getpid(), number)
        return result if runs_before else original(*args, **kwargs)

    setattr(where, name, interrupted)


def assert_true_outcomes(job: Job, orders: list[UUID], emulator: Emulator) -> None:
    """Compare what is said of the items with the orders and the writes at Goody."""
    sent = Counter(entry["order_id"] for entry in emulator.ledger(kind="cancel"))
    assert max(sent.values()) == 1
    for item, order_id in zip(
        JobItem.objects.filter(job=job).order_by("position"), orders, strict=True
    ):
        is_canceled = emulator.get_order(order_id)["status"] == "failed"
        assert item.state == ("done" if is_canceled else "failed")
    counted = JobItem.objects.filter(job=job).counts()
    assert counted.ended == counted.total == len(orders)
    assert [row[2] for row in job_history(job)] == ["", "finished"]
    for one in Operation.objects.all():
        rows = list(AuditEntry.objects.filter(operation=one).order_by("id"))
        assert {row.job_id for row in rows} == {job.pk}
        outcomes = [row.outcome for row in rows]
        assert (outcomes[0], outcomes.count("")) == ("", 1)
        assert [outcome for outcome in outcomes if outcome in State][-1] == one.state


def test_two_workers_send_each_item_once(emulator: Emulator, settings: Any) -> None:
    settings.BULK_SLICE = 0.02
    orders = open_orders(emulator, 16)
    job = cancel_job(orders)

    def work() -> None:
        while Job.objects.get(pk=job.pk).ended_at is None:
            runner.run_job(job.pk, stop=threading.Event())
            time.sleep(0.001)

    workers = [fork_worker(work) for _ in range(2)]
    assert [os.waitpid(one, 0)[1] for one in workers] == [0, 0]
    job.refresh_from_db()
    assert job.state == JobState.FINISHED
    assert emulator.posts() == 16
    assert_true_outcomes(job, orders, emulator)


def test_a_stop_leaves_at_most_one_item_in_flight(emulator: Emulator) -> None:
    emulator.set_latency(0.03)
    job = cancel_job(open_orders(emulator, 12))
    worker = fork_worker(lambda: runner.run_job(job.pk, stop=threading.Event()))
    wait_for(lambda: states(job).count("done") >= 2, what="two items")
    bulk.stop_job(actor=actor("lead"), job_id=job.pk, now=timezone.now())
    left = states(job)
    assert os.waitpid(worker, 0)[1] == 0
    job.refresh_from_db()
    assert left.count("running") <= 1
    assert "pending" not in left
    assert emulator.posts() <= left.count("done") + left.count("running")
    assert (job.state, job.ended_at is None) == (JobState.STOPPED, False)
    assert states(job).count("done") == emulator.posts() < 12


def test_workers_killed_again_and_again(emulator: Emulator, clock: Any) -> None:
    """Also at moments that no boundary names."""
    orders = open_orders(emulator, 12)
    job, moments = cancel_job(orders), random.Random(7)
    kills = 0
    while job.ended_at is None and kills <= 20:
        worker = fork_worker(lambda: run_now(job))
        time.sleep(moments.uniform(0.01, 0.12))
        os.kill(worker, signal.SIGKILL)
        status = os.waitpid(worker, 0)[1]
        assert status in (0, signal.SIGKILL)
        kills += os.WIFSIGNALED(status)
        clock.shift(61)
        job.refresh_from_db()
    connections.close_all()
    settle_everything(job, clock)
    assert kills
    assert_true_outcomes(job, orders, emulator)
