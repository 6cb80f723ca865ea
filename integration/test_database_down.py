"""Failures of the dashboard's own database and logs: stopped, locked or full.

Pages that need no write still work; a write whose intent cannot be stored is never sent.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from integration.pages import DIALOG, LIST, cancel_fields, no_bug_was_logged, outcomes, read, submit
from orders.models import AuditEntry, Operation, Order, State
from testing import databases
from testing.domain import NEVER_ACCEPTED, ORDER_ID, failing_statements, order_json
from testing.faulty_server import FaultyServer, answer, blocked_until
from testing.postgres import Server
from testing.processes import LiveApp, wait_for
from testing.vendor import Emulator
from testing.walkthroughs import LONG_LIMITS, cancel_form, htmx_from, submitting

ORDER = answer(200, order_json())
CANCELED = answer(200, order_json(status="failed"))


# --- Stopped ----------------------------------------------------------------------------------


@pytest.fixture
def own_app(
    postgres_server: Server, django_db_blocker: DjangoDbBlocker
) -> Iterator[Callable[..., LiveApp]]:
    """A dashboard on a PostgreSQL that the test may stop; models use the same database."""
    before, started = connections.settings["default"], []

    def start(goody_url: str, **env: str) -> LiveApp:
        app = LiveApp(
            database_url=postgres_server.url("postgres"),
            goody_url=goody_url,
            goody_key="test-key",
            env={**LONG_LIMITS, **env},
        )
        started.append(app)
        app.start_web()
        return app

    with django_db_blocker.unblock():
        databases.use_database(postgres_server.url("postgres"))
        call_command("migrate", interactive=False, verbosity=0)
        with connection.cursor() as cursor:
            # Durable as in production: committed rows survive an immediate stop.
            cursor.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = on")
        yield start
        for app in started:
            app.end()
        connections.close_all()
        connections.settings["default"] = before
        del connections["default"]


def test_every_page_reports_a_missing_database(
    own_app: Callable[..., LiveApp], postgres_server: Server, emulator: Emulator
) -> None:
    app = own_app(emulator.url)
    agent = app.log_in("agent")
    form = cancel_form(agent, emulator.find_order_id(status="opened"))
    order_url = form.path.removesuffix("cancel/")
    calls = emulator.calls()["total"]
    postgres_server.stop()

    pages = [agent.get(path) for path in ("/orders/", order_url, form.path, "/audit/")]
    pages.append(form.submit(agent))
    part = agent.get("/orders/", headers={"HX-Request": "true", "HX-Target": "section#results"})
    in_dialog = form.submit(agent, htmx_from(agent, "/orders/"))

    for page in (*pages, part, in_dialog):
        assert page.status_code == 503
        assert int(page.headers["Retry-After"]) > 0
        assert "The dashboard&#x27;s own database cannot be reached" in page.text
        assert "Traceback" not in page.text
        assert ("<html" in page.text) is (page not in (part, in_dialog))
    assert all("Goody Admin" in page.text for page in pages)
    # A submitted form may have had effects: the page must not claim that nothing happened.
    look_first = "look at the order and its timeline before you try again"
    assert [look_first in page.text for page in (pages[0], pages[-1])] == [False, True]
    assert agent.get("/healthz").status_code == 200
    assert agent.get("/readyz").status_code == 503
    assert emulator.calls()["total"] == calls
    assert "Traceback" not in app.webs[0].output()
    assert " ERROR " not in app.webs[0].output()

    postgres_server.start()
    connections.close_all()
    assert agent.get("/orders/").status_code == 200
    assert form.submit(agent).status_code == 303
    assert emulator.posts() == 1


def test_database_stop_between_post_and_record_settles_correctly(
    own_app: Callable[..., LiveApp], postgres_server: Server
) -> None:
    goody_may_answer, may_read = threading.Event(), threading.Event()
    with FaultyServer(ORDER, post=(blocked_until(goody_may_answer, CANCELED),)) as goody:
        app = own_app(goody.url, OPERATION_LEASE="3", OPERATION_READS="1,2,3")
        worker = app.start_worker()
        agent = app.log_in("agent")
        form = cancel_form(agent, ORDER_ID)
        with submitting(form, agent) as answered:
            goody.wait_until(lambda server: server.posts == 1)
            postgres_server.stop()
            failed = answer(200, order_json(status="failed", event_times=NEVER_ACCEPTED))
            goody.set_script(blocked_until(may_read, failed))
            goody_may_answer.set()
        outcome_page = answered.result()
        assert outcome_page.status_code == 503
        assert "Outcome being checked" in outcome_page.text
        assert "Goody was asked, but the dashboard&#x27;s own database" in outcome_page.text
        assert "Traceback" not in app.webs[0].output()

        postgres_server.start()
        connections.close_all()
        one = Operation.objects.get()
        assert one.state in (State.SENDING, State.UNKNOWN)
        page = f"/orders/{ORDER_ID}/operations/{one.pk}/"
        wait_for(lambda: "Outcome being checked" in agent.get(page).text, timeout=30)
        may_read.set()
        wait_for(
            lambda: "perhaps by our request of " in agent.get(page).text,
            timeout=30,
        )
        assert outcomes() == ["", "unknown", "applied"]
        assert goody.posts == 1
        assert worker.is_running()
        os.kill(worker.pid, signal.SIGTERM)
        assert worker.wait() == 0


# --- Locked -----------------------------------------------------------------------------------


@contextmanager
def locked() -> Iterator[None]:
    """Hold the lock that every write needs on another connection."""
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            if other.vendor == "sqlite":
                cursor.execute("UPDATE orders_apilimits SET rejected_key = rejected_key")
            else:
                cursor.execute("LOCK TABLE orders_operation IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()
    finally:
        other.close()


def wait_for_locks(milliseconds: int) -> None:
    """Shorten the lock timeout (3 s in the settings) for this connection."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
        else:
            cursor.execute(f"SET lock_timeout = {milliseconds}")


@pytest.mark.django_db(transaction=True)
def test_lock_timeout_prevents_the_write(
    emulator: Emulator, as_role: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened")
    path, fields = f"/orders/{order_id}/cancel/", cancel_fields(client, order_id)
    wait_for_locks(100)
    for headers in ({}, DIALOG):
        with locked():
            began = time.monotonic()
            refused = submit(client, path, fields, headers)
            took = time.monotonic() - began
        page = read(refused)
        assert refused.status_code == 503
        assert "ry again in a moment" in page
        assert "nothing was sent" in page.lower()
        assert 0.1 <= took < 2
        assert ("<html" in page) is not bool(headers)
    assert Operation.objects.count() == 0
    assert outcomes() == []
    assert emulator.posts() == 0
    assert no_bug_was_logged(caplog)
    assert submit(client, path, fields).status_code == 303
    assert emulator.posts() == 1


def test_lock_timeout_is_three_seconds() -> None:
    for url in ("sqlite:///x.sqlite3", "postgres://u@localhost/x"):
        options = databases.configuration(url)["OPTIONS"]
        assert options.get("timeout") == 3 or "lock_timeout=3s" in options["options"]


# --- Full -------------------------------------------------------------------------------------


def fill_up() -> None:
    """Fill the file, until no page has room for another write."""
    with connection.cursor() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
    user = User.objects.first()
    for size in (2000, 200, 0):
        for _ in range(1000):
            try:
                _a_closed_operation(user, note="x" * size)
            except DatabaseError:
                break
        else:
            raise AssertionError("it never filled up")


def _a_closed_operation(user: Any, *, note: str) -> None:
    number = Operation.objects.count() + 1
    Operation.objects.create(
        order_uuid=UUID(int=number),
        form_key=UUID(int=number),
        action="order.cancel",
        state=State.REFUSED,
        actor=user,
        actor_name="Filler",
        note=note,
        params_hash="",
        created_at=timezone.now(),
        lease_until=timezone.now(),
    )


@pytest.mark.sqlite_only(reason="PRAGMA max_page_count; PostgreSQL has no limit of that kind")
@pytest.mark.django_db(transaction=True)
def test_on_a_full_disk_people_can_read_and_nothing_is_sent(
    emulator: Emulator, as_role: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened")
    path, fields = f"/orders/{order_id}/cancel/", cancel_fields(client, order_id)
    try:
        fill_up()
        filled = Operation.objects.count()

        listed, shown = client.get(LIST), client.get(f"/orders/{order_id}/")
        assert (listed.status_code, shown.status_code) == (200, 200)
        assert read(listed).count("<tr id=") == 50
        assert f'href="{path}?next=' in read(shown)
        assert client.get("/audit/").status_code == 200
        for headers in ({}, DIALOG):
            refused = submit(client, path, fields, headers)
            assert refused.status_code == 503
            assert "It could not be recorded, so nothing was sent" in read(refused)
        assert Operation.objects.count() == filled
        assert emulator.posts() == 0
        assert no_bug_was_logged(caplog)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    assert submit(client, path, fields).status_code == 303
    assert emulator.posts() == 1


# --- Logs and audit ---------------------------------------------------------------------------


@pytest.fixture
def app_without_logs(database_url: str, emulator: Emulator) -> Iterator[LiveApp]:
    """A web process and a worker whose log writes all fail, as on a full disk."""
    app = LiveApp(
        database_url=database_url,
        goody_url=emulator.url,
        goody_key=emulator.key,
        env={**LONG_LIMITS, "OPERATION_READS": "0.2,0.4"},
    )
    app.logs_to = Path("/dev/full")
    app.start_web()
    app.start_worker()
    yield app
    app.end()


def test_a_log_that_cannot_be_written_stops_nothing(
    app_without_logs: LiveApp, emulator: Emulator
) -> None:
    app = app_without_logs
    agent, order_id = app.log_in("agent"), emulator.find_order_id(status="opened")
    assert agent.get("/orders/").status_code == 200
    # Each of these is logged.
    assert agent.get("/nowhere/").status_code == 404
    emulator.add_fault({"kind": "status", "status": 503}, path="/v1/orders$", times=2)
    assert agent.get("/orders/").status_code == 503
    emulator.add_fault({"kind": "apply_then_reset"}, method="POST")
    assert cancel_form(agent, order_id).submit(agent).status_code == 303
    wait_for(lambda: Operation.objects.filter(state=State.APPLIED).exists(), timeout=30)
    assert outcomes() == ["", "unknown", "applied"]
    assert emulator.posts() == 1
    assert app.workers[0].is_running()


@pytest.mark.django_db(transaction=True)
def test_write_without_an_audit_row_is_not_sent(
    emulator: Emulator, as_role: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened")
    path, fields = f"/orders/{order_id}/cancel/", cancel_fields(client, order_id)
    with failing_statements("orders_auditentry", "INSERT"):
        for headers in ({}, DIALOG):
            refused = submit(client, path, fields, headers)
            assert refused.status_code == 503
            assert "It could not be recorded, so nothing was sent" in read(refused)
        assert client.get(LIST).status_code == 200
    assert Operation.objects.count() == 0
    assert AuditEntry.objects.count() == 0
    assert emulator.posts() == 0
    # A bug, not an outage: an admin must find it by the reference on the page.
    bugs = [one.name for one in caplog.records if one.levelno >= logging.ERROR]
    assert bugs == ["orders.services.writes.intents"] * 2
    assert submit(client, path, fields).status_code == 303
    assert Order.objects.get(uuid=order_id).status == "failed"
