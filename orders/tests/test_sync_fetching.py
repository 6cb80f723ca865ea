"""Concurrent calls of the sync, and how long it waits while Goody fails."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from goody.client import Client, RetryPolicy
from goody.errors import Unavailable
from orders import sync
from orders.sync.context import Backoff
from orders.sync.fetching import FetchThreads, GoodyCall
from orders.sync.lease import Lease
from testing.syncing import state
from testing.vendor import Emulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_windows")]

LIST = r"/v1/orders$"


class RecordedWaits(threading.Event):
    """A stop event that records the waits of a sync, skips them, and is set after the first."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        if timeout:
            self.waits.append(timeout)
            self.set()
        return self.is_set()


def test_no_call_is_made_during_backoff(emulator: Emulator) -> None:
    emulator.add_fault({"kind": "status", "status": 503}, path=LIST, skip=12)
    stop = RecordedWaits()
    sync.SyncRun(stop=stop, calls_at_once=1).run()
    [wait] = stop.waits
    assert wait > 0
    assert emulator.calls()["counts"]["GET /v1/orders"] >= 13
    assert state().failing_since is not None
    assert state().lease_until is None


@pytest.mark.usefixtures("emulator")
def test_the_next_call_is_made_while_a_response_is_prepared() -> None:
    fetchers = FetchThreads(calls_at_once=1)
    second_was_made = threading.Event()

    def make_second(client: Client, policy: RetryPolicy) -> str:
        second_was_made.set()
        return "second"

    first = GoodyCall(1, lambda client, policy: "first", lambda it: (it, second_was_made.wait(30)))
    try:
        fetchers.submit([first, GoodyCall(2, make_second)])
        results = [fetchers.collect_result(timeout=30) for _ in range(2)]
    finally:
        fetchers.close()
    assert {one.key: one.response for one in results if one} == {1: ("first", True), 2: "second"}


def test_waits_double_up_to_a_quarter_of_the_lease(settings: Any) -> None:
    settings.SYNC_LEASE = 30.0
    lease = Lease.acquire()
    assert lease
    backoff = Backoff(lease, jitter=lambda: 1.0)
    down = Unavailable("connect")
    assert [backoff.record_failure(down) for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 7.5, 7.5]
    assert {backoff.record_failure(down) for _ in range(1_100)} == {7.5}
    backoff.record_success(read_at=timezone.now() - timedelta(minutes=1))
    assert backoff.record_failure(down) == 7.5, "the call had started before the failure"
    backoff.record_success(read_at=timezone.now())
    assert backoff.record_failure(down) == 0.5
