"""Ways in which something untrue could be said of a write, each met once and closed."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from goody.errors import Unavailable
from orders import goody_api, services
from orders.goody_api import NotConfigured
from orders.management.commands import work
from orders.models import ApiLimits, Operation, Order, State
from orders.services import OutcomeNotRecorded
from testing.behaviors import Connection, answer, reset
from testing.domain import (
    ORDER_ID,
    cancel,
    extend,
    in_days,
    open_order,
    operation,
    order_json,
    refusing,
    seen,
)
from testing.faulty_server import FaultyServer
from testing.vendor import Emulator

CANCELED = order_json(status="failed")


@pytest.fixture
def goody(settings: Any) -> Any:
    """Point the dashboard at a server that misbehaves."""

    def use(server: FaultyServer) -> None:
        settings.GOODY_API_URL, settings.GOODY_API_KEY = server.url, "test-key"

    return use


@pytest.mark.django_db(transaction=True)
def test_a_confirmed_cancel_that_cannot_be_stored_is_never_told_as_unsent(
    goody: Any, time_machine: Any
) -> None:
    """The lease ran out beside the POST, a worker moved the row on, and then the proof failed."""
    time_machine.move_to(timezone.now(), tick=True)
    order_id = ORDER_ID

    def pause(paused: Connection) -> None:
        Operation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        services.abandon_expired(now=timezone.now())
        connection.close()
        answer(200, CANCELED)(paused)

    with FaultyServer(answer(200, order_json()), post=(pause,)) as server:
        goody(server)
        shown = seen(order_id)
        refused = refusing("orders_auditentry", "INSERT", when="NEW.outcome = 'applied'")
        with refused, pytest.raises(OutcomeNotRecorded):
            cancel(order_id, seen=shown)
        assert server.posts == 1


@pytest.mark.django_db(transaction=True)
def test_a_read_beside_the_post_does_not_outrank_its_answer(goody: Any) -> None:
    """Somebody opens the order while the cancel is under way, and sees it from before."""
    order_id = ORDER_ID

    def look_meanwhile(under_way: Connection) -> None:
        looker = threading.Thread(target=_look, args=(order_id,))
        looker.start()
        looker.join()
        answer(200, CANCELED)(under_way)

    with FaultyServer(answer(200, order_json()), post=(look_meanwhile,)) as server:
        goody(server)
        done = cancel(order_id, seen=seen(order_id))
        assert done.state == State.APPLIED
        view = services.stored_order(done.order_uuid)
    assert view is not None
    assert view.order.status == "failed"


@pytest.mark.django_db(transaction=True)
def test_a_read_beside_a_repetition_does_not_outrank_its_answer(
    goody: Any, time_machine: Any
) -> None:
    """As above, while an extension whose answer was lost is sent once more."""
    time_machine.move_to(timezone.now(), tick=True)
    asked = in_days(20).replace(microsecond=0)
    extended = order_json(expires_at=asked.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def look_meanwhile(under_way: Connection) -> None:
        looker = threading.Thread(target=_look, args=(ORDER_ID,))
        looker.start()
        looker.join()
        answer(200, extended)(under_way)

    with FaultyServer(answer(200, order_json()), post=(reset, look_meanwhile)) as server:
        goody(server)
        lost = extend(ORDER_ID, expiration=asked, may_shorten=True, seen=seen(ORDER_ID))
        assert lost.state == State.UNKNOWN
        time_machine.shift(2)
        services.settle_operation(operation_id=lost.pk, now=timezone.now())
        lost.refresh_from_db()
        assert (lost.state, server.posts) == (State.APPLIED, 2)
    assert Order.objects.get().expires_at == asked


def _look(order_id: Any) -> None:
    try:
        services.refresh_order(order_id=order_id, now=timezone.now())
    finally:
        connection.close()


@pytest.mark.django_db
@pytest.mark.parametrize("given_up_as", [State.NOT_APPLIED, State.SUPERSEDED])
def test_an_extension_that_arrives_after_it_was_given_up_is_corrected(
    emulator: Emulator, given_up_as: State
) -> None:
    order_id = open_order(emulator)
    asked = in_days(20).replace(microsecond=0)
    lost = operation(
        order_uuid=order_id,
        action="order.extend",
        state=given_up_as,
        expiration=asked,
        sent_at=timezone.now() - timedelta(minutes=10),
        unknown_at=timezone.now() - timedelta(minutes=9),
        after={"status": "notified"},
    )
    services.refresh_order(order_id=order_id, now=timezone.now())
    lost.refresh_from_db()
    assert lost.state == given_up_as
    emulator.change(order_id, expires_at=asked.strftime("%Y-%m-%dT%H:%M:%SZ"))
    services.refresh_order(order_id=order_id, now=timezone.now())
    lost.refresh_from_db()
    assert (lost.state, lost.failure_kind) == (State.APPLIED, "late")


@pytest.mark.django_db
def test_a_date_that_another_extension_set_is_not_credited_to_a_lost_one(
    emulator: Emulator,
) -> None:
    order_id = open_order(emulator)
    done = extend(order_id)
    lost = operation(
        order_uuid=order_id,
        action="order.extend",
        state=State.NOT_APPLIED,
        expiration=done.expiration,
        sent_at=timezone.now() - timedelta(minutes=10),
    )
    services.refresh_order(order_id=order_id, now=timezone.now())
    lost.refresh_from_db()
    assert lost.state == State.NOT_APPLIED


@pytest.mark.django_db
def test_an_undo_may_go_back_to_a_date_beyond_our_own_bound(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    emulator.change(order_id, expires_at="2029-11-22T12:00:00Z")
    done = extend(order_id, expiration=in_days(30), may_shorten=True)
    assert services.may_undo(done, now=timezone.now()) is True
    undone = extend(order_id, expiration=done.expires_before, undoes=done.pk)
    assert undone.state == State.APPLIED
    assert emulator.order(order_id)["expires_at"] == "2029-11-22T12:00:00Z"


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_was_set_takes_the_spread_of_reads_away(time_machine: Any) -> None:
    start = timezone.now()
    time_machine.move_to(start, tick=False)
    lost = operation(
        state=State.UNKNOWN,
        sent_at=start,
        unknown_at=start,
        due_at=start + timedelta(seconds=60),
        unchanged_reads=2,
        first_unchanged_at=start,
    )
    clock = work.Clock()
    time_machine.move_to(start + timedelta(minutes=10), tick=False)
    work.settle_due(threading.Event(), clock)
    lost.refresh_from_db()
    anew = timezone.now()
    assert (lost.unchanged_reads, lost.first_unchanged_at) == (0, None)
    assert (lost.unknown_at, lost.due_at) == (anew, anew + timedelta(seconds=2))


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_was_set_is_not_forgotten_until_the_evidence_is_gone(
    time_machine: Any,
) -> None:
    start = timezone.now()
    time_machine.move_to(start, tick=True)
    lost = operation(
        state=State.UNKNOWN,
        sent_at=start,
        unknown_at=start,
        due_at=start,
        unchanged_reads=2,
        first_unchanged_at=start,
    )
    clock = work.Clock()
    time_machine.move_to(start + timedelta(minutes=10), tick=True)
    # Only starting anew fails: a read could be claimed.
    with refusing("orders_operation", "UPDATE", when="NEW.unchanged_reads = 0"):
        work.settle_due(threading.Event(), clock)
    lost.refresh_from_db()
    assert (lost.reads, lost.unchanged_reads, lost.first_unchanged_at) == (0, 2, start)
    work.settle_due(threading.Event(), clock)
    lost.refresh_from_db()
    assert (lost.unchanged_reads, lost.first_unchanged_at) == (0, None)
    assert clock.was_set() is False


@pytest.mark.django_db
def test_a_clock_set_back_leaves_no_lease_in_the_future(time_machine: Any) -> None:
    start = timezone.now()
    stuck = operation(state=State.SENDING, lease_until=start + timedelta(hours=24))
    services.restart_evidence(now=start)
    stuck.refresh_from_db()
    assert stuck.lease_until == start + timedelta(seconds=60)


def test_the_passing_of_time_is_not_taken_for_a_set_clock() -> None:
    clock = work.Clock()
    assert [clock.was_set(), clock.was_set()] == [False, False]


@pytest.mark.django_db
def test_a_pause_from_before_the_clock_was_set_back_does_not_hold() -> None:
    now = timezone.now()
    ApiLimits.objects.pause_until(now + timedelta(days=3))
    goody_api.check_limits(now=now)
    ApiLimits.objects.pause_until(now + timedelta(seconds=30))
    with pytest.raises(goody_api.Paused):
        goody_api.check_limits(now=now)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GOODY_API_URL", "http://goody.example"),
        ("GOODY_API_URL", "https://api..goody.example"),
        ("GOODY_API_KEY", "s3cr3t\n"),
    ],
)
def test_a_wrong_setting_is_named_and_is_no_crash(settings: Any, name: str, value: str) -> None:
    settings.GOODY_API_URL, settings.GOODY_API_KEY = "https://goody.example", "key"
    setattr(settings, name, value)
    with pytest.raises(NotConfigured, match="set up wrongly") as raised:
        goody_api.ask(lambda client, left: client.me(policy=left))
    assert value.strip() not in str(raised.value)


@pytest.mark.django_db
def test_the_wait_for_the_pace_counts_against_the_deadline(
    emulator: Emulator, settings: Any
) -> None:
    settings.GOODY_CALLS_PER_SECOND = 0.1
    ApiLimits.objects.current()
    policy = goody_api.page_policy()

    def ask_when_the_next_place_is_in(seconds: float) -> float:
        place = timezone.now() + timedelta(seconds=seconds)
        ApiLimits.objects.update(next_call_at=place)
        return goody_api.ask(lambda client, left: left.deadline, policy=policy)

    assert ask_when_the_next_place_is_in(-60) == policy.deadline
    assert ask_when_the_next_place_is_in(0.5) < policy.deadline
    with pytest.raises(Unavailable, match="were running"):
        ask_when_the_next_place_is_in(policy.deadline + 5)


@pytest.mark.django_db(transaction=True)
def test_a_401_is_told_as_one_even_if_it_cannot_be_noted(goody: Any) -> None:
    ApiLimits.objects.current()
    with (
        FaultyServer(answer(401, {"error": "Unauthorized"})) as server,
        refusing("orders_apilimits", "UPDATE", when="NEW.rejected_key <> ''"),
    ):
        goody(server)
        with pytest.raises(goody_api.Unauthorized):
            goody_api.ask(lambda client, left: client.me(policy=left))


@pytest.mark.django_db
def test_the_evidence_of_an_answer_that_was_none_is_kept(goody: Any) -> None:
    order_id = ORDER_ID
    page = answer(200, b"<html>maintenance of ana@example.test</html>", content_type="text/html")
    with FaultyServer(answer(200, order_json()), post=(page,)) as server:
        goody(server)
        done = cancel(order_id, seen=seen(order_id))
    assert done.state == State.UNKNOWN
    assert done.evidence is not None
    assert (done.evidence["status"], len(done.evidence["sha256"])) == (200, 64)
    assert "ana@example.test" not in done.evidence["head"]


@pytest.mark.django_db
def test_the_newest_answer_counts_though_a_clock_was_ahead(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    services.refresh_order(order_id=order_id, now=timezone.now())
    Order.objects.update(read_at=timezone.now() + timedelta(hours=1))
    emulator.change(order_id, status="accepted")
    services.refresh_order(order_id=order_id, now=timezone.now())
    view = services.stored_order(order_id)
    assert view is not None
    assert view.order.status == "accepted"
