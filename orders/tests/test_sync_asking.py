"""How a sync asks Goody: beside each other, and not while Goody is to be left alone."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from goody.client import Client, RetryPolicy
from goody.errors import Unavailable
from orders import sync
from orders.sync.fetching import Call, Fetchers
from orders.sync.lease import Lease
from orders.sync.trouble import Trouble
from testing.vendor import Emulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_windows")]

LIST = r"/v1/orders$"


def test_a_worker_that_comes_back_early_keeps_the_wait(
    emulator: Emulator, django_assert_num_queries: Any
) -> None:
    """To ask Goody takes a place in the pace, which is a query."""
    emulator.fault({"kind": "status", "status": 503}, path=LIST, skip=12)
    now = 0.0
    runner = sync.Runner(calls_at_once=1, clock=lambda: now)
    try:
        wait = runner.run(0.0001)
        assert wait
        with django_assert_num_queries(0):
            assert runner.run(wait / 2) == wait
            now += wait / 2
            assert runner.run(wait) == wait / 2
        now += wait
        with CaptureQueriesContext(connection) as queries:
            runner.run(0.0001)
        assert len(queries)
    finally:
        runner.close()


@pytest.mark.usefixtures("emulator")
def test_whoever_asks_goes_on_while_an_answer_is_worked_out() -> None:
    fetchers = Fetchers(calls_at_once=1)
    asked_again = threading.Event()

    def ask_again(client: Client, policy: RetryPolicy) -> str:
        asked_again.set()
        return "second"

    first = Call(1, lambda client, policy: "first", lambda it: (it, asked_again.wait(30)))
    try:
        fetchers.ask([first, Call(2, ask_again)])
        answers = [fetchers.collect(timeout=30) for _ in range(2)]
    finally:
        fetchers.close()
    assert {one.about: one.answer for one in answers if one} == {1: ("first", True), 2: "second"}


def test_waits_grow_up_to_a_quarter_of_the_lease_however_long_goody_is_down(settings: Any) -> None:
    settings.SYNC_LEASE = 30.0
    lease = Lease.take()
    assert lease
    trouble = Trouble(lease, chance=lambda: 1.0)
    down = Unavailable("connect")
    assert [trouble.note(down) for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 7.5, 7.5]
    assert {trouble.note(down) for _ in range(1_100)} == {7.5}
    trouble.is_over()
    assert trouble.note(down) == 0.5
