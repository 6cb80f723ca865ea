"""`manage.py work`: its loops run independently and end together."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from orders.management.commands import work
from orders.models import Operation, State
from testing.domain import store_operation
from testing.processes import LiveApp, wait_for
from testing.syncing import SMALL, complete_windows, incomplete_windows, state, sync_orders
from testing.vendor import Emulator

SMALL_ENV = {name: str(value) for name, value in SMALL.items()}
# Much longer than anything here takes, except a wait for this deadline.
NEVER = "600"


def test_settling_does_not_wait_for_a_sync(
    live_app: Callable[..., LiveApp], emulator: Emulator
) -> None:
    """Goody answers reads of single orders, but not the sync."""
    emulator.add_fault({"kind": "delay", "seconds": 600}, path=r"/v1/orders$")
    now = timezone.now()
    order_id = emulator.find_order_id(status="notified")
    emulator.change_order(order_id, status="failed")
    app = live_app(webs=0, workers=1, GOODY_WORKER_DEADLINE=NEVER, **SMALL_ENV)
    feed = "GET /v1/order_activities"
    wait_for(lambda: emulator.calls()["counts"].get(feed), timeout=60, what="the sync's first call")
    lost = store_operation(
        order_uuid=order_id,
        state=State.UNKNOWN,
        sent_at=now - timedelta(minutes=5),
        unknown_at=now,
        due_at=now,
    )
    wait_for(
        lambda: Operation.objects.get(pk=lost.pk).state == State.APPLIED,
        timeout=60,
        what="the cancel to be settled",
    )
    assert state().lease_until is not None
    assert state().started_at is None
    app.workers[0].kill()


def test_worker_leaves_its_sync_on_sigterm(
    live_app: Callable[..., LiveApp], emulator: Emulator
) -> None:
    emulator.set_latency(0.05)
    app = live_app(webs=0, workers=1, **SMALL_ENV)
    wait_for(lambda: complete_windows() > 0, timeout=60, what="a window of the first sync")
    os.kill(app.workers[0].pid, signal.SIGTERM)
    assert app.workers[0].wait() == 0
    output = app.workers[0].output()
    assert "worker stopped" in output
    assert "Traceback" not in output
    assert incomplete_windows()
    assert state().lease_until is None
    emulator.set_latency(0)
    before = complete_windows()
    sync_orders()
    assert before > 0
    assert state().is_complete


@pytest.fixture
def _signal_handlers() -> Iterator[None]:
    """Restore the signal handlers, which the command replaces."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signal_handlers")
def test_a_bug_in_one_loop_ends_the_worker_with_an_error(monkeypatch: Any) -> None:
    ended: list[str] = []

    def waits(stop: threading.Event) -> None:
        stop.wait()
        ended.append("waits")

    def fails(stop: threading.Event) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(work, "LOOPS", (waits, fails))
    with pytest.raises(ZeroDivisionError):
        call_command("work")
    assert ended == ["waits"]
