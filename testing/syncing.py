"""Helpers for tests of the sync: running it, and comparing the index with Goody."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from django.conf import settings
from django.utils import timezone

from goody.types import parse_order
from orders import sync
from orders.models import Order, OrderCount, SyncState, SyncWindow
from testing.vendor import Emulator

# 300 orders make many windows and pages with these settings.
SMALL = {"SYNC_PER_PAGE": 20, "SYNC_WINDOW": 40, "SYNC_INTERVAL": 60.0}


def sync_orders(*, full: bool = False, within: float = 30.0) -> Counter[str]:
    """Run a sync to its end, as the command does."""
    errand = sync.Errand(since=timezone.now(), is_full=full)
    until = time.monotonic() + within
    try:
        while not errand.is_done:
            assert time.monotonic() < until, vars(SyncState.objects.current())
            time.sleep(errand.run(0.5))
    finally:
        errand.close()
    return errand.counts


def run_for(seconds: float, **given: Any) -> sync.Runner:
    """What the worker does when it comes to the sync: one slice."""
    runner = sync.Runner(calls_at_once=settings.SYNC_CALLS_AT_ONCE, **given)
    try:
        runner.run(seconds)
    finally:
        runner.close()
    return runner


def run_until(is_so: Callable[[], bool]) -> None:
    """As the worker does, tick by tick, until it is so."""
    runner = sync.Runner(calls_at_once=settings.SYNC_CALLS_AT_ONCE)
    until = time.monotonic() + 30.0
    try:
        while not is_so():
            assert time.monotonic() < until, vars(SyncState.objects.current())
            runner.run(0.1)
    finally:
        runner.close()


def state() -> SyncState:
    return SyncState.objects.current()


def done() -> int:
    return SyncWindow.objects.exclude(done_at=None).count()


def undone() -> int:
    return SyncWindow.objects.filter(done_at=None).count()


def differences(emulator: Emulator) -> list[tuple[str, str]]:
    """(id, difference) of every order whose indexed copy differs from Goody's."""
    truth = emulator.truth()
    stored = {str(row.uuid): row for row in Order.objects.all()}
    wrong = [(order_id, "lost") for order_id in truth.keys() - stored.keys()]
    wrong += [(order_id, "made up") for order_id in stored.keys() - truth.keys()]
    for order_id in truth.keys() & stored.keys():
        there = parse_order(json.dumps(truth[order_id]).encode())
        here = stored[order_id].as_goody()
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


def created_in_truth(emulator: Emulator) -> dict[str, datetime]:
    return {
        order_id: datetime.fromisoformat(order["event_times"]["created_at"])
        for order_id, order in emulator.truth().items()
    }
