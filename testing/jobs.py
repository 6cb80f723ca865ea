"""Helpers for tests of jobs: new jobs, their items, and workers that run them in this thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connections
from django.utils import timezone

from orders import bulk, goody_api, services
from orders.audit import Action
from orders.bulk import runner
from orders.models import OPEN_STATES, AuditEntry, ItemState, Job, JobItem, Operation, State
from testing.domain import actor, current_snapshot, in_days, open_order, read_until_settled
from testing.parent_death import kill_with_parent
from testing.vendor import Emulator

PARAMS = bulk.JobParams(reason="duplicate", ticket="ZD-1234")


def open_orders(emulator: Emulator, count: int) -> list[UUID]:
    """Return the ids of new orders at Goody that may be canceled and extended."""
    return [open_order(emulator) for _ in range(count)]


def new_items(order_ids: Iterable[UUID], **fields: Any) -> list[bulk.NewItem]:
    """Return items of these orders with the snapshots that Goody has now."""
    return [bulk.NewItem(one, current_snapshot(one), **fields) for one in order_ids]


def cancel_job(order_ids: Iterable[UUID], **given: Any) -> Job:
    form = {
        "actor": given.pop("actor", None) or actor("lead"),
        "action": Action.ORDER_CANCEL,
        "items": given.pop("items", None) or new_items(order_ids),
        "params": PARAMS,
        "description": "Orders that expire soon",
        "form_key": uuid4(),
        "now": timezone.now(),
    }
    return bulk.create_job(**{**form, **given})


def extend_job(order_ids: Iterable[UUID], **given: Any) -> Job:
    params = bulk.JobParams(note="Holidays", ticket="ZD-1234", rule="Each to one date")
    items = new_items(order_ids, expiration=given.pop("expiration", in_days(44)))
    return cancel_job((), action=Action.ORDER_EXTEND, items=items, **{"params": params, **given})


def run_job(job: Job) -> Job:
    """Run one slice, as a worker does for a task; return the job afterwards."""
    runner.run_job(job.pk, stop=threading.Event())
    job.refresh_from_db()
    return job


def run_now(job: Job) -> Job:
    """Run one slice although the job waits for its grace period, a retry or the end of a pause."""
    now = timezone.now()
    Job.objects.filter(pk=job.pk, ended_at=None).update(due_at=now, lease_until=None)
    JobItem.objects.filter(job=job, state=ItemState.WAITING).update(due_at=now)
    return run_job(job)


def states(job: Job) -> list[str]:
    """Return the states of the job's items, in their order."""
    return list(
        JobItem.objects.filter(job=job).order_by("position").values_list("state", flat=True)
    )


def reasons(job: Job) -> list[tuple[str, str]]:
    """Return (state, reason) of the job's items, in their order."""
    items = JobItem.objects.filter(job=job).order_by("position")
    return list(items.values_list("state", "reason"))


def job_history(job: Job) -> list[tuple[str, str, str, str]]:
    """Return (action, actor, outcome, detail) of the audit rows about the job, oldest first."""
    rows = AuditEntry.objects.filter(job=job, operation=None).order_by("id")
    return [(row.action, row.actor_name, row.outcome, row.detail) for row in rows]


def fork_worker(work: Callable[[], object]) -> int:
    """Run `work` in a process that is a copy of this one; return its id.

    The copy has connections of its own and ends with the test run.
    """
    connections.close_all()
    # While an event loop runs in this thread, as that of Playwright, Django keeps the connections
    # in a context that the copy does not have.
    configured = {alias: connections[alias] for alias in connections}
    goody_api._client.cache_clear()
    if pid := os.fork():
        return pid
    if die := kill_with_parent():
        die()
    try:
        for alias, connection in configured.items():
            connections[alias] = connection
        work()
        connections.close_all()
        os._exit(0)
    finally:
        # Not sys.exit: the copy must not run the fixtures of the test.
        os._exit(1)


def settle_everything(job: Job, clock: Any) -> Job:
    """Run jobs and due reads, like workers, until the job has ended and no outcome is unknown."""
    for _ in range(50):
        # The lease of the job may expire before those of its operations.
        run_now(job)
        services.abandon_expired_operations(now=timezone.now())
        for operation in Operation.objects.filter(state=State.UNKNOWN):
            read_until_settled(operation, clock)
        is_unknown = Operation.objects.filter(state__in=OPEN_STATES).exists()
        if job.ended_at is not None and not is_unknown:
            return job
        clock.shift(timedelta(seconds=1))
    raise AssertionError(f"never settled: {job.state} {states(job)}")
