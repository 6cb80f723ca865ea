"""Clocks that are set while the outcome of a write is unknown."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders import services
from orders.eligibility import order_snapshot
from orders.management.commands import work
from orders.models import Operation, Order, State
from orders.services import ReadEvidence
from testing.domain import (
    WorkerEvidence,
    cancel,
    current_snapshot,
    extend,
    failing_statements,
    goody_time,
    in_days,
    open_order,
    order_json,
    read_if_due,
    store_operation,
    stored_outcome,
)
from testing.faulty_server import Connection, FaultyServer, answer
from testing.operations import (
    cancel_with_server,
    cancel_without_answer,
    extend_without_answer,
    title,
)
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db
threaded = pytest.mark.django_db(transaction=True)


class Clocks:
    """A wall clock that can be set beside a monotonic clock that only goes forward, in seconds."""

    def __init__(self) -> None:
        self.wall, self.monotonic = 1_000_000.0, 50.0

    def pass_seconds(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds

    def evidence(self) -> ReadEvidence:
        return ReadEvidence(monotonic=lambda: self.monotonic, wall=lambda: self.wall)


def test_was_clock_set_is_false_while_both_clocks_advance_equally() -> None:
    clocks = Clocks()
    evidence = clocks.evidence()
    clocks.pass_seconds(86_400)
    assert evidence.was_clock_set() is False
    assert ReadEvidence().was_clock_set() is False


def test_was_clock_set_ignores_slow_drift() -> None:
    clocks = Clocks()
    evidence = clocks.evidence()
    for _ in range(100):
        clocks.wall += 0.1
        assert evidence.was_clock_set() is False


@pytest.mark.parametrize("seconds", [3600, -600, 3])
def test_was_clock_set_is_true_until_the_clock_is_accepted(seconds: float) -> None:
    clocks = Clocks()
    evidence = clocks.evidence()
    clocks.wall += seconds
    assert [evidence.was_clock_set(), evidence.was_clock_set()] == [True, True]
    evidence.accept_clock()
    assert evidence.was_clock_set() is False


def test_read_evidence_uses_the_monotonic_clock_only() -> None:
    clocks = Clocks()
    evidence = clocks.evidence()
    one = Operation().pk
    for _ in range(3):
        evidence.add_without_effect(one, at=evidence.start_read(one, state="unknown"))
        clocks.wall += 3600
        clocks.monotonic += 50
    assert evidence.is_sufficient(one) is False
    clocks.monotonic += 20
    evidence.add_without_effect(one, at=evidence.start_read(one, state="unknown"))
    assert evidence.is_sufficient(one) is True


def test_worker_started_with_a_fast_clock_does_not_use_earlier_reads(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "late_apply", "seconds": 600})
    first = WorkerEvidence()
    for seconds in (2, 8):
        clock.shift(seconds)
        assert read_if_due(done, first) == "unknown"
    clock.shift(3600)
    services.restart_read_schedule(now=timezone.now())
    second = WorkerEvidence()
    clock.shift(2)
    assert read_if_due(done, second) == "unknown"
    emulator.control("POST", "late")
    clock.shift(8)
    assert read_if_due(done, second) == "applied"


@threaded
def test_clock_set_during_a_slow_read_leaves_the_outcome_unknown(
    goody: Any, settings: Any, clock: Any
) -> None:
    """The clock is set an hour ahead during the last of three reads."""
    clocks = Clocks()
    evidence = clocks.evidence()

    def set_the_clock(asked: Connection) -> None:
        clocks.wall += 3600
        notified(asked)

    notified = answer(200, order_json())
    script = (notified, notified, notified, set_the_clock, notified)
    with FaultyServer(*script, post=(answer(500),)) as server:
        done = cancel_with_server(server, goody)
        for seconds in (2, 60, 0):
            clock.shift(seconds + 60)
            clocks.pass_seconds(seconds)
            assert read_if_due(done, evidence) == "unknown"
    assert evidence.was_clock_set() is True


def test_read_settles_the_outcome_after_the_clock_was_set_back(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "apply_then_reset"})
    clock.shift(-600)
    services.restart_read_schedule(now=timezone.now(), clock_was_set=True)
    clock.shift(2)
    assert read_if_due(done, WorkerEvidence()) == "applied"


def test_order_page_settles_the_outcome_after_the_clock_was_set_back(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "apply_then_reset"})
    clock.shift(-600)
    services.refresh_order(order_id=done.order_uuid, now=timezone.now())
    assert (stored_outcome(done)[0], title(done)) == ("applied", "Canceled")


def test_confirmed_cancel_is_shown_after_the_clock_was_set_back(
    emulator: Emulator, clock: Any
) -> None:
    """The toast and the page must not contradict each other."""
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    clock.shift(-200)
    assert cancel(order_id, snapshot=shown).state == "applied"
    view = services.stored_order(order_id)
    assert view is not None
    assert view.order.status == Order.objects.get(uuid=order_id).status == "failed"


@threaded
def test_worker_reschedules_reads_after_the_clock_was_set(clock: Any) -> None:
    start = timezone.now()
    lost = store_operation(
        state=State.UNKNOWN, sent_at=start, unknown_at=start, due_at=start + timedelta(days=1)
    )
    clocks = Clocks()
    evidence = clocks.evidence()
    clocks.wall += 600
    # Only the restart fails: a read could be claimed.
    with failing_statements("orders_operation", "UPDATE", when="NEW.reads = 0"):
        work.settle_due(threading.Event(), evidence)
    lost.refresh_from_db()
    assert (lost.reads, lost.due_at) == (0, start + timedelta(days=1))
    work.settle_due(threading.Event(), evidence)
    lost.refresh_from_db()
    assert lost.due_at == lost.unknown_at + timedelta(seconds=2)
    assert evidence.was_clock_set() is False


def test_check_after_the_clock_was_set_records_no_contradiction(
    emulator: Emulator, clock: Any
) -> None:
    """The check is due minutes too early, when Goody may still serve an older copy of the order."""
    order_id = open_order(emulator)
    done = cancel(order_id)
    emulator.change_order(order_id, status="notified")
    clocks = Clocks()
    evidence = clocks.evidence()
    clocks.wall += 301
    clock.shift(301)
    read_if_due(done, evidence)
    assert Operation.objects.get(pk=done.pk).contradicted_at is None


def test_worker_start_reschedules_checks(emulator: Emulator, clock: Any) -> None:
    done = cancel(open_order(emulator))
    clock.shift(3600)
    services.restart_read_schedule(now=timezone.now())
    assert services.operations_due_for_reading(now=timezone.now()) == []
    clock.shift(300)
    assert services.operations_due_for_reading(now=timezone.now()) == [done.pk]


def test_worker_start_shortens_leases_after_the_clock_was_set_back() -> None:
    start = timezone.now()
    stuck = store_operation(state=State.SENDING, lease_until=start + timedelta(hours=24))
    services.restart_read_schedule(now=start)
    stuck.refresh_from_db()
    assert stuck.lease_until == start + timedelta(seconds=60)


def test_newest_answer_is_stored_although_a_clock_was_ahead(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    services.refresh_order(order_id=order_id, now=timezone.now())
    Order.objects.update(read_at=timezone.now() + timedelta(hours=1))
    emulator.change_order(order_id, status="accepted")
    services.refresh_order(order_id=order_id, now=timezone.now())
    view = services.stored_order(order_id)
    assert view is not None
    assert view.order.status == "accepted"


# --- While the request may still take effect --------------------------------------------------


def found_by_a_read(emulator: Emulator, settings: Any) -> Operation:
    """Return an extension that a read showed, so that its request may still be on its way."""
    done = extend_without_answer(emulator, settings, {"kind": "apply_then_reset"})
    services.refresh_order(order_id=done.order_uuid, now=timezone.now())
    assert stored_outcome(done)[0] == "applied"
    return done


def is_held(done: Operation) -> bool:
    """Whether another write on the order is refused. The write is attempted."""
    try:
        extend(done.order_uuid, expiration=in_days(60))
    except services.OrderBusy as busy:
        return busy.operation.pk == done.pk
    return False


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_set_clock_does_not_unblock_the_order(
    emulator: Emulator, settings: Any, clock: Any, seconds: int
) -> None:
    done = found_by_a_read(emulator, settings)
    clocks = Clocks()
    evidence = clocks.evidence()
    services.end_effect_windows(evidence=evidence)
    clock.shift(seconds)
    clocks.pass_seconds(119)
    services.end_effect_windows(evidence=evidence)
    assert is_held(done)
    clocks.pass_seconds(1)
    services.end_effect_windows(evidence=evidence)
    assert not is_held(done)


def test_worker_start_restarts_the_wait_for_a_late_effect(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = found_by_a_read(emulator, settings)
    clocks = Clocks()
    first, second = clocks.evidence(), clocks.evidence()
    services.end_effect_windows(evidence=first)
    clocks.pass_seconds(119)
    services.end_effect_windows(evidence=second)
    assert is_held(done)
    clocks.pass_seconds(119)
    services.end_effect_windows(evidence=second)
    assert is_held(done)
    services.end_effect_windows(evidence=first)
    assert not is_held(done)


@threaded
def test_worker_ends_the_wait_after_the_effect_window(emulator: Emulator, settings: Any) -> None:
    done = found_by_a_read(emulator, settings)
    clocks = Clocks()
    evidence = clocks.evidence()
    for is_over in (False, True):
        work.settle_due(threading.Event(), evidence)
        assert Operation.objects.get(pk=done.pk).may_take_effect is not is_over
        clocks.pass_seconds(120)


def test_outcome_text_names_no_time_after_the_clock_was_set(
    emulator: Emulator, settings: Any, clock: Any, as_role: Any
) -> None:
    done = found_by_a_read(emulator, settings)
    client, url = as_role("agent"), f"/orders/{done.order_uuid}/expiration/"
    assert "It may still take effect until " in client.get(url).content.decode()
    for seconds in (3600, -7200):
        clock.shift(seconds)
        dialog = client.get(url).content.decode()
        assert (
            "It may still take effect; the order takes no other change until that is ruled out."
        ) in dialog
        assert "No worker is running, which must settle it: tell an admin." in dialog
        assert "until that is settled" not in dialog


def test_set_clock_does_not_make_an_old_read_fresh(emulator: Emulator, clock: Any) -> None:
    """Goody confirmed an extension, and then serves the order as it was before."""
    order_id = open_order(emulator, expires_at=goody_time(in_days(20)))
    former = services.refresh_order(order_id=order_id, now=timezone.now()).order.expires_at
    done = extend(order_id, expiration=in_days(40))
    emulator.change_order(order_id, expires_at=goody_time(former))
    clock.shift(3600)
    view = services.refresh_order(order_id=order_id, now=timezone.now())
    assert view.order.expires_at == done.expiration
    again = extend(order_id, snapshot=order_snapshot(view.order), expiration=in_days(60))
    assert (stored_outcome(again), emulator.posts()) == (("refused", "B", "older_read"), 1)
