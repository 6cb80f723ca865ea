"""Helpers for tests of the sync: running it, and comparing the index with Goody."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from django.utils import timezone

from goody.types import parse_order
from orders import sync
from orders.models import Order, OrderCount, OrderPayload, SyncState, SyncWindow
from testing.vendor import Emulator

# 300 orders make many windows and pages with these settings.
SMALL = {"SYNC_PER_PAGE": 20, "SYNC_WINDOW": 40, "SYNC_INTERVAL": 60.0}


# Far longer than any step of the tests takes on any machine; it ends a step that hangs.
_HANGING = 120.0


class StepHook(threading.Event):
    """A stop event that calls `act` between any two steps of a sync, and is set if that is true."""

    def __init__(self, act: Callable[[], bool]) -> None:
        super().__init__()
        self._act = act
        self._until = time.monotonic() + _HANGING

    def wait(self, timeout: float | None = None) -> bool:
        assert time.monotonic() < self._until, vars(SyncState.objects.current())
        if self._act():
            self.set()
        return super().wait(timeout)


def sync_orders(*, full: bool = False) -> Counter[str]:
    """Run a sync to its end, as the command does."""
    since = timezone.now()
    if full:
        sync.request_full_sync()
    stop = StepHook(lambda: False)
    run = sync.SyncRun(stop=stop, choose=sync.choose_jobs_until_current(since=since))
    while not sync.is_index_current(since=since):
        run_jobs_or_wait(run, stop)
    return run.counts


def run_jobs_or_wait(run: sync.SyncRun, stop: threading.Event) -> None:
    """Run jobs, or wait a little while the next retry is not due. Fails if a job fails."""
    if not run.run():
        stop.wait(0.02)
    assert not run.failure
    assert not state().is_stopped, state().suspicion


def run_jobs(
    choose: sync.Choose = sync.due_job, *, stop_when: Callable[[], bool] = lambda: False
) -> sync.SyncRun:
    """Run jobs, as the worker does in one turn, until none is due or the condition is met."""
    run = sync.SyncRun(stop=StepHook(stop_when), choose=choose)
    run.run()
    return run


def run_until(is_met: Callable[[], bool], choose: sync.Choose = sync.due_job) -> None:
    """Run jobs until the condition is met between two steps, and stop as the worker does."""
    run_jobs(choose, stop_when=is_met)
    assert is_met(), vars(SyncState.objects.current())


def run_sync_steps(count: int) -> None:
    """Run a job for `count` steps. A wait counts as a step and returns at once."""
    steps = iter(range(count - 1))
    run_jobs(stop_when=lambda: next(steps, None) is None)


def state() -> SyncState:
    return SyncState.objects.current()


def complete_windows() -> int:
    return SyncWindow.objects.exclude(done_at=None).count()


def incomplete_windows() -> int:
    return SyncWindow.objects.filter(done_at=None).count()


def index_differences(emulator: Emulator) -> list[tuple[str, str]]:
    """Return (id, difference) of every order whose indexed copy differs from Goody's."""
    truth = emulator.all_orders()
    payloads = OrderPayload.objects.in_bulk()
    stored = {str(uuid): payloads[pk].raw for pk, uuid in Order.objects.values_list("pk", "uuid")}
    wrong = [(order_id, "lost") for order_id in truth.keys() - stored.keys()]
    wrong += [(order_id, "made up") for order_id in stored.keys() - truth.keys()]
    for order_id in truth.keys() & stored.keys():
        there = parse_order(json.dumps(truth[order_id]).encode())
        here = parse_order(stored[order_id])
        if _without_times(here) != _without_times(there):
            wrong.append((order_id, "differs"))
    return sorted(wrong)


def _without_times(order: Any) -> Any:
    return msgspec.structs.replace(order, raw=b"", event_times=None)


def assert_counts_add_up() -> None:
    """Assert that the stored counters equal counts of the rows."""
    rows = Counter(Order.objects.values_list("workspace_id", "status"))
    kept = {(c.workspace_id or None, c.status): c.n for c in OrderCount.objects.exclude(n=0)}
    assert kept == dict(rows)


def creation_times_at_goody(emulator: Emulator) -> dict[str, datetime]:
    return {
        order_id: datetime.fromisoformat(order["event_times"]["created_at"])
        for order_id, order in emulator.all_orders().items()
    }
