"""Equal submits, several people and expired leases make one POST with one outcome."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from orders import services
from orders.eligibility import order_snapshot
from orders.models import AuditEntry, Operation, State
from orders.rights import Actor
from testing.domain import (
    NEVER_ACCEPTED,
    ORDER_ID,
    actor,
    audit_history,
    cancel,
    current_snapshot,
    open_order,
    order,
    order_json,
    read_until_settled,
    store_operation,
    stored_outcome,
)
from testing.faulty_server import Connection, FaultyServer, answer, blocked_until
from testing.operations import (
    applied_cancels,
    cancel_with_server,
    in_threads,
)
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db
threaded = pytest.mark.django_db(transaction=True)

CANCELED = {**order_json(), "status": "failed"}


def test_f36_equal_submit_returns_the_same_operation(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    form = {"form_key": uuid4(), "snapshot": current_snapshot(order_id), "actor": actor()}
    first = cancel(order_id, **form)
    again = cancel(order_id, **form)
    assert (again.pk, again.state, emulator.posts()) == (first.pk, "applied", 1)
    assert Operation.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"reason": "other"},
        {"note": "x"},
        {"ticket": "https://x.example.com"},
        {"order_id": uuid4()},
        {"actor": ("agent", "bo")},
    ],
)
def test_f36_form_key_with_other_parameters_is_rejected(emulator: Emulator, other: Any) -> None:
    order_id = open_order(emulator)
    form: dict[str, Any] = {"form_key": uuid4(), "snapshot": current_snapshot(order_id)}
    cancel(order_id, **form)
    if "actor" in other:
        other = {"actor": actor(*other["actor"])}
    with pytest.raises(services.FormKeyReused):
        cancel(**{"order_id": order_id, **form, **other})
    assert (emulator.posts(), Operation.objects.count()) == (1, 1)


@threaded
def test_f36_concurrent_equal_submits_make_one_post(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    form = {"form_key": uuid4(), "snapshot": current_snapshot(order_id), "actor": actor()}
    results = in_threads(8, lambda: cancel(order_id, **form))
    assert {one.pk for one in results if isinstance(one, Operation)} == {Operation.objects.get().pk}
    assert all(isinstance(one, Operation) for one in results), results
    assert (emulator.posts(), applied_cancels(emulator, order_id)) == (1, [True])
    assert audit_history(Operation.objects.get()) == [
        ("order.cancel", "Agent", ""),
        ("order.cancel", "Goody Admin", "applied"),
    ]


@threaded
def test_f38_concurrent_submits_of_two_people_make_one_post(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    people: list[Actor] = [actor("agent", name) for name in ("ana", "bo", "cy")]
    emulator.set_latency(0.1)
    results = in_threads(3, lambda: cancel(order_id, actor=people.pop(), snapshot=shown))
    busy = [one for one in results if isinstance(one, services.OrderBusy)]
    done = [one for one in results if isinstance(one, Operation)]
    assert (len(done) + len(busy), len(busy)) == (3, 2)
    assert {one.operation.pk for one in busy} == {done[0].pk}
    assert (emulator.posts(), Operation.objects.count()) == (1, 1)


@threaded
def test_write_waits_for_a_slot_no_longer_than_the_limit(goody: Any, settings: Any) -> None:
    """The third person is refused before an intent is recorded; dialogs still open."""
    may_end = threading.Event()
    read = answer(200, order_json(event_times=NEVER_ACCEPTED))
    people = [actor("agent", name) for name in ("ana", "bo", "cy")]
    settings.GOODY_WRITE_SLOT_WAIT, settings.GOODY_WRITES_AT_ONCE = 0.2, 1
    with FaultyServer(read, post=(blocked_until(may_end, answer(200, CANCELED)),)) as server:
        goody(server)
        settings.GOODY_WRITE_DEADLINE = 30
        form = {"snapshot": order_snapshot(order()), "form_key": uuid4(), "actor": people[0]}
        with ThreadPoolExecutor(1) as pool:
            hung = pool.submit(in_thread, lambda: cancel(ORDER_ID, **form))
            server.wait_until(lambda one: one.posts == 1)
            with pytest.raises(services.TooManyWrites):
                cancel(uuid4(), snapshot=order_snapshot(order()), actor=people[1])
            with pytest.raises(services.OrderBusy):
                cancel(ORDER_ID, snapshot=order_snapshot(order()), actor=people[2])
            assert cancel(ORDER_ID, **form).state == "sending"
            view = services.refresh_order(order_id=ORDER_ID, now=timezone.now())
            assert view.is_fresh is True
            may_end.set()
            assert hung.result(30).state == "applied"
        assert (server.posts, Operation.objects.count(), AuditEntry.objects.count()) == (1, 1, 2)


def in_thread(attempt: Callable[[], Operation]) -> Operation:
    try:
        return attempt()
    finally:
        connection.close()


@pytest.mark.parametrize("state", ["planned", "waiting", "sending", "unknown", "needs_human"])
def test_f38_open_operation_blocks_other_writes(emulator: Emulator, state: str) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    first = store_operation(order_uuid=order_id, state=state)
    with pytest.raises(services.OrderBusy) as busy:
        cancel(order_id, actor=actor("agent", "bo"), snapshot=shown)
    assert (busy.value.operation.pk, emulator.posts()) == (first.pk, 0)
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("state", ["refused", "not_sent", "not_applied", "superseded"])
def test_f38_closed_operation_does_not_block_other_writes(emulator: Emulator, state: str) -> None:
    order_id = open_order(emulator)
    store_operation(order_uuid=order_id, state=state)
    assert cancel(order_id).state == "applied"


def test_planned_operation_with_an_expired_lease_is_closed_as_not_sent() -> None:
    done = store_operation(state=State.PLANNED)
    assert services.abandon_expired_operations(now=timezone.now() + timedelta(seconds=59)) == 0
    assert services.abandon_expired_operations(now=timezone.now() + timedelta(seconds=61)) == 1
    assert stored_outcome(done) == ("not_sent", "A", "lease")
    assert [outcome for _, _, outcome in audit_history(done)] == ["", "not_sent"]


def test_f44_sending_operation_with_an_expired_lease_becomes_unknown(
    emulator: Emulator, clock: Any
) -> None:
    order_id = open_order(emulator)
    done = store_operation(state=State.SENDING, order_uuid=order_id, sent_at=timezone.now())
    clock.shift(61)
    view = services.refresh_order(order_id=order_id, now=timezone.now())
    assert view.operation is not None
    assert stored_outcome(done) == ("unknown", "C", "lease")
    read_until_settled(done, clock)
    assert (stored_outcome(done)[0], emulator.posts()) == ("not_applied", 0)


@threaded
@pytest.mark.parametrize("has_somebody_noticed", [False, True])
def test_f46_lease_that_expires_before_the_first_byte_prevents_the_post(
    goody: Any, clock: Any, has_somebody_noticed: bool
) -> None:
    def pause(paused: Connection) -> None:
        clock.shift(61)
        if has_somebody_noticed:
            services.abandon_expired_operations(now=timezone.now())
            connection.close()
        answer(200, order_json())(paused)

    with FaultyServer(pause) as server:
        done = cancel_with_server(server, goody)
        assert (stored_outcome(done), server.posts) == (("not_sent", "A", "lease"), 0)
    assert done.state == "not_sent"
    assert [outcome for _, _, outcome in audit_history(done)] == ["", "not_sent"]


@threaded
@pytest.mark.parametrize("went_on_to", ["unknown", "not_applied", "needs_human"])
def test_late_confirmation_outranks_other_outcomes(goody: Any, clock: Any, went_on_to: str) -> None:
    def pause(paused: Connection) -> None:
        clock.shift(61)
        services.abandon_expired_operations(now=timezone.now())
        Operation.objects.update(state=went_on_to)
        connection.close()
        answer(200, CANCELED)(paused)

    with FaultyServer(answer(200, order_json()), post=(pause,)) as server:
        done = cancel_with_server(server, goody)
        assert server.posts == 1
    assert done.state == stored_outcome(done)[0] == "applied"
    assert [outcome for _, _, outcome in audit_history(done)] == ["", "unknown", "applied"]


@threaded
def test_late_refusal_does_not_change_an_outcome_known_from_reads(goody: Any, clock: Any) -> None:
    def pause(paused: Connection) -> None:
        clock.shift(61)
        services.abandon_expired_operations(now=timezone.now())
        connection.close()
        answer(422, {"error": "No"})(paused)

    with FaultyServer(answer(200, order_json()), post=(pause,)) as server:
        done = cancel_with_server(server, goody)
    assert stored_outcome(done) == ("unknown", "C", "lease")


@pytest.mark.django_db(transaction=True)
def test_read_concurrent_with_the_post_does_not_outrank_its_answer(goody: Any) -> None:
    """A page view during the POST reads the order as it was before."""
    order_id = ORDER_ID

    def look_meanwhile(under_way: Connection) -> None:
        looker = threading.Thread(target=_look, args=(order_id,))
        looker.start()
        looker.join()
        answer(200, CANCELED)(under_way)

    with FaultyServer(answer(200, order_json()), post=(look_meanwhile,)) as server:
        goody(server)
        done = cancel(order_id, snapshot=current_snapshot(order_id))
        assert done.state == State.APPLIED
        view = services.stored_order(done.order_uuid)
    assert view is not None
    assert view.order.status == "failed"


def _look(order_id: Any) -> None:
    try:
        services.refresh_order(order_id=order_id, now=timezone.now())
    finally:
        connection.close()
