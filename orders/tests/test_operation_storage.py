"""Writes while the database fails to store their intent, claim or outcome."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from goody.types import Order as GoodyOrder
from orders import services
from orders.eligibility import order_snapshot
from orders.models import Operation, Order
from orders.services.writes import intents, send
from testing.domain import (
    ORDER_ID,
    actor,
    cancel,
    current_snapshot,
    extend,
    failing_statements,
    goody_time,
    in_days,
    open_order,
    order,
    order_json,
    read_until_settled,
    stored_outcome,
)
from testing.faulty_server import (
    Connection,
    FaultyServer,
    answer,
)
from testing.operations import (
    cancel_with_server,
    title,
)
from testing.serving import wait_for
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db
threaded = pytest.mark.django_db(transaction=True)

CANCELED = {**order_json(), "status": "failed"}


@threaded
@pytest.mark.parametrize(
    ("table", "what"), [("orders_operation", "INSERT"), ("orders_auditentry", "INSERT")]
)
def test_no_request_is_made_without_a_stored_intent(
    emulator: Emulator, table: str, what: str
) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    person = actor()
    before = emulator.calls()["total"]
    with failing_statements(table, what), pytest.raises(services.NotRecorded):
        cancel(order_id, snapshot=shown, actor=person)
    assert (emulator.calls()["total"], Operation.objects.count()) == (before, 0)
    assert cancel(order_id, snapshot=shown, actor=person).state == "applied"


@threaded
def test_no_byte_is_sent_without_a_stored_claim(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    with (
        failing_statements("orders_operation", "UPDATE", when="NEW.state = 'sending'"),
        pytest.raises(services.NotRecorded),
    ):
        cancel(order_id, snapshot=shown)
    assert (emulator.posts(), stored_outcome(Operation.objects.get())) == (
        0,
        ("not_sent", "A", "not_recorded"),
    )


@threaded
@pytest.mark.parametrize("when", ["NEW.state = 'sending'", "true"])
def test_form_works_again_after_not_recorded(emulator: Emulator, when: str) -> None:
    """If the database fails to close an attempt, the next attempt closes it."""
    order_id = open_order(emulator)
    form = {"snapshot": current_snapshot(order_id), "form_key": uuid4(), "actor": actor()}
    with (
        failing_statements("orders_operation", "UPDATE", when=when),
        pytest.raises(services.NotRecorded),
    ):
        cancel(order_id, **form)
    again = cancel(order_id, **form)
    assert (again.state, emulator.posts()) == ("applied", 1)
    assert cancel(order_id, **form).pk == again.pk
    states = sorted(Operation.objects.values_list("state", flat=True))
    assert states == ["applied", "not_sent"]


@threaded
def test_order_is_free_for_another_person_after_not_recorded(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    with failing_statements("orders_operation", "UPDATE"), pytest.raises(services.NotRecorded):
        cancel(order_id, snapshot=shown)
    assert cancel(order_id, snapshot=shown, actor=actor("agent", "bo")).state == "applied"


@threaded
def test_order_is_free_for_other_processes_after_not_recorded(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other processes do not know that this one could not store the outcome."""
    monkeypatch.setattr(intents, "_RETRY_EVERY", 0.02)
    order_id = open_order(emulator)
    with failing_statements("orders_operation", "UPDATE"), pytest.raises(services.NotRecorded):
        cancel(order_id, snapshot=current_snapshot(order_id))
    done = Operation.objects.get()
    wait_for(lambda: stored_outcome(done)[0] != "planned", timeout=20)
    assert stored_outcome(done) == ("not_sent", "A", "not_recorded")


@threaded
def test_outcome_that_cannot_be_stored_is_found_by_reads(emulator: Emulator, clock: Any) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    with (
        failing_statements("orders_operation", "UPDATE", when="NEW.state = 'applied'"),
        pytest.raises(services.OutcomeNotRecorded),
    ):
        cancel(order_id, snapshot=shown)
    done = Operation.objects.get()
    assert (done.state, title(done)) == ("sending", "Canceling…")
    clock.shift(61)
    services.abandon_expired_operations(now=timezone.now())
    assert read_until_settled(done, clock) == [2]
    assert (stored_outcome(done)[0], emulator.posts()) == ("applied", 1)


@threaded
def test_stored_refusal_is_not_shown_as_not_sent(emulator: Emulator, goody: Any) -> None:
    """A failure after the outcome was stored does not change it."""
    gone = answer(404, {"error": "Order not found"})
    with FaultyServer(answer(200, order_json()), gone, post=(gone,)) as server:
        with failing_statements("orders_order", "UPDATE", when="NEW.missing_at IS NOT NULL"):
            done = cancel_with_server(server, goody)
        assert (stored_outcome(done), server.posts) == (("refused", "B", "not_found"), 1)


@threaded
@pytest.mark.postgresql_only(reason="SQLite has no connection that could be lost")
@pytest.mark.parametrize("write", [cancel, extend])
def test_confirmation_is_stored_although_the_database_connection_is_lost(
    goody: Any, write: Any
) -> None:
    wanted = in_days(44)
    changed = {"status": "failed"} if write is cancel else {"expires_at": goody_time(wanted)}

    def end_connections(paused: Connection) -> None:
        with psycopg.connect(**connection_parameters(), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        answer(200, order_json(**changed))(paused)

    given = {} if write is cancel else {"expiration": wanted, "may_shorten": True}
    with FaultyServer(answer(200, order_json()), post=(end_connections,)) as server:
        goody(server)
        done = write(ORDER_ID, snapshot=order_snapshot(order()), **given)
    assert (stored_outcome(done), server.posts) == (("applied", "", ""), 1)
    assert Operation.objects.get().confirmed_at is not None
    stored = Order.objects.get(uuid=ORDER_ID).to_goody_order()
    assert order_snapshot(stored) == order_snapshot(order(**changed))


def connection_parameters() -> dict[str, Any]:
    settings = connection.settings_dict
    return {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "user": settings["USER"],
        "dbname": settings["NAME"],
    }


@threaded
def test_claimed_write_without_a_sent_byte_is_closed_as_not_sent(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """The claim is committed, nothing leaves, and the database refuses to store that."""
    order_id = open_order(emulator)
    form = {"snapshot": current_snapshot(order_id), "form_key": uuid4(), "actor": actor()}
    claim = send._claim_sending

    def claim_slowly(operation: Operation, fresh: GoodyOrder) -> None:
        claim(operation, fresh)
        settings.OPERATION_FRESH_READ = -1.0

    monkeypatch.setattr(send, "_claim_sending", claim_slowly)
    refused = failing_statements("orders_operation", "UPDATE", when="NEW.state = 'not_sent'")
    with refused, pytest.raises(services.NotRecorded):
        cancel(order_id, **form)
    monkeypatch.undo()
    settings.OPERATION_FRESH_READ = 60.0
    assert emulator.posts() == 0
    assert cancel(order_id, **form).state == "applied"
    assert emulator.posts() == 1


@threaded
@pytest.mark.parametrize("outcome", ["", "applied"])
def test_integrity_error_is_logged_as_an_error(
    emulator: Emulator, caplog: Any, outcome: str
) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    with (
        failing_statements("orders_auditentry", "INSERT", when=f"NEW.outcome = '{outcome}'"),
        pytest.raises((services.NotRecorded, services.OutcomeNotRecorded)),
    ):
        cancel(order_id, snapshot=shown)
    assert [bool(record.exc_info) for record in logged(caplog)] == [True]


@threaded
def test_database_error_is_logged_without_values_of_the_row(
    emulator: Emulator, caplog: Any
) -> None:
    order_id = open_order(emulator)
    with pytest.raises(services.NotRecorded):
        cancel(order_id, snapshot=current_snapshot(order_id), reason=None, note="Mira moved house")
    assert [record.levelname for record in logged(caplog)] == ["ERROR"]
    assert "IntegrityError" in caplog.text
    assert "Mira moved house" not in caplog.text


def logged(caplog: Any) -> list[Any]:
    return [one for one in caplog.records if one.name.startswith("orders.services.writes.")]


@threaded
@pytest.mark.sqlite_only(reason="PRAGMA max_page_count is SQLite's way to a full disk")
def test_f54_full_disk_prevents_the_write_but_not_reading(emulator: Emulator, caplog: Any) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    person = actor()
    before = emulator.calls()["total"]
    with connection.cursor() as cursor:
        # Otherwise rows go into pages that other tests have freed.
        cursor.execute("VACUUM")
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            with pytest.raises(services.NotRecorded):
                cancel(order_id, snapshot=shown, actor=person, note="n" * 200_000)
            assert emulator.calls()["total"] == before
            lines = [(one.levelname, one.exc_info) for one in logged(caplog)]
            assert lines == [("WARNING", None)]
            view = services.refresh_order(order_id=order_id, now=timezone.now())
            assert (view.is_fresh, view.order.status) == (True, "notified")
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    assert Order.objects.get(uuid=order_id).to_goody_order().id == order_id


@pytest.mark.django_db(transaction=True)
def test_confirmed_cancel_that_cannot_be_stored_is_not_shown_as_not_sent(
    goody: Any, time_machine: Any
) -> None:
    """The lease expired during the POST, a worker changed the state, storing the proof failed."""
    time_machine.move_to(timezone.now(), tick=True)
    order_id = ORDER_ID

    def pause(paused: Connection) -> None:
        Operation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        services.abandon_expired_operations(now=timezone.now())
        connection.close()
        answer(200, CANCELED)(paused)

    with FaultyServer(answer(200, order_json()), post=(pause,)) as server:
        goody(server)
        shown = current_snapshot(order_id)
        refused = failing_statements("orders_auditentry", "INSERT", when="NEW.outcome = 'applied'")
        with refused, pytest.raises(services.OutcomeNotRecorded):
            cancel(order_id, snapshot=shown)
        assert server.posts == 1
