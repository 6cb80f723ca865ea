"""Worker processes whose wall clock is set while the outcome of a cancel is unknown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from orders.models import AuditEntry, Heartbeat, Operation, State
from testing.domain import cancel, current_snapshot
from testing.processes import LiveApp, Process, wait_for
from testing.vendor import Emulator
from testing.walkthroughs import LONG_LIMITS

pytestmark = pytest.mark.usefixtures("patient")

type Start = Callable[..., LiveApp]

SHIM = Path(__file__).resolve().parent.parent / "testing" / "shifted_clock"
HOUR = 3600.0
LIMITS = {
    **LONG_LIMITS,
    "OPERATION_READS": "0.1,0.2",
    "OPERATION_NOT_APPLIED_SPREAD": "600",
}


class Clock:
    """The wall clock of worker processes: seconds ahead of ours."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.set(0.0)

    def set(self, seconds: float) -> None:
        # Atomic, since the process may read at any moment.
        draft = self._path.with_suffix(".draft")
        draft.write_text(str(seconds))
        draft.replace(self._path)

    def worker(self, app: LiveApp) -> Process:
        env = {**app.env, "PYTHONPATH": str(SHIM), "CLOCK_OFFSET_FILE": str(self._path)}
        process = Process(["manage.py", "work"], env=env)
        app.workers.append(process)
        return process


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "offset")


LATE = {"kind": "late_apply", "seconds": 900}


def lost_cancel(emulator: Emulator, *, fault: dict[str, Any] = LATE) -> Operation:
    """Return a cancel that reached Goody, by default without having taken effect yet."""
    order_id = UUID(emulator.find_order_id(status="opened"))
    shown = current_snapshot(order_id)
    emulator.add_fault(fault, method="POST")
    one = cancel(order_id, snapshot=shown)
    assert one.state == State.UNKNOWN
    return one


def reads(more: int = 0) -> Callable[[], bool]:
    """Whether this number of further reads was made."""
    wanted = Operation.objects.get().reads + more
    return lambda: Operation.objects.get().reads >= wanted


def outcomes() -> list[str]:
    return list(
        AuditEntry.objects.exclude(operation=None).order_by("id").values_list("outcome", flat=True)
    )


def lands_and_is_found(emulator: Emulator) -> None:
    assert outcomes() == ["", "unknown"]
    assert emulator.control("POST", "late") == {"applied": 1}
    wait_for(lambda: Operation.objects.get().state == State.APPLIED, timeout=30, what="a read")
    assert outcomes() == ["", "unknown", "applied"]
    assert emulator.posts() == 1


def test_a_worker_that_starts_on_a_clock_an_hour_ahead_concludes_nothing(
    live_app: Start, emulator: Emulator, clock: Clock
) -> None:
    app = live_app(webs=0, **LIMITS)
    lost_cancel(emulator)
    first = clock.worker(app)
    wait_for(reads(2), timeout=30, what="two reads")
    first.kill()
    clock.set(HOUR)
    clock.worker(app)
    wait_for(reads(3), timeout=30, what="three reads")
    lands_and_is_found(emulator)


def test_a_clock_that_is_set_an_hour_ahead_beside_a_slow_read_concludes_nothing(
    live_app: Start, emulator: Emulator, clock: Clock
) -> None:
    app = live_app(webs=0, **LIMITS)
    lost_cancel(emulator)
    clock.worker(app)
    wait_for(reads(3), timeout=30, what="three reads")
    emulator.add_fault({"kind": "delay", "seconds": 1}, method="GET", times=1)
    wait_for(reads(1), timeout=30, what="a slow read")
    clock.set(HOUR)
    wait_for(reads(3), timeout=30, what="three more reads")
    lands_and_is_found(emulator)


@pytest.mark.parametrize("seconds", [-600.0, -HOUR])
def test_a_clock_that_is_set_back_keeps_no_outcome_open(
    live_app: Start, emulator: Emulator, clock: Clock, seconds: float
) -> None:
    app = live_app(webs=0, **LIMITS)
    lost_cancel(emulator)
    clock.worker(app)
    wait_for(reads(1), timeout=30, what="a read")
    clock.set(seconds)
    lands_and_is_found(emulator)


def test_clocks_an_hour_ahead_do_not_end_the_time_in_which_a_cancel_may_take_effect(
    live_app: Start, emulator: Emulator, clock: Clock
) -> None:
    """Neither in a worker that runs, nor in one that starts."""
    app = live_app(webs=0, **LIMITS)
    one = lost_cancel(emulator, fault={"kind": "apply_then_reset"})
    first = clock.worker(app)
    wait_for(lambda: Operation.objects.get().state == State.APPLIED, timeout=30, what="a read")
    ahead = timezone.now() + timedelta(minutes=50)
    for worker in (first, None):
        clock.set(HOUR)
        running = worker or clock.worker(app)
        beats = Heartbeat.objects.filter(beat_at__gt=ahead)
        wait_for(beats.exists, timeout=30, what="turns of the worker by its new clock")
        assert Operation.objects.find_blocking(one.order_uuid) is not None
        running.kill()
        Heartbeat.objects.all().delete()
