"""Killed, stopped and terminated processes, and broken connections, at critical moments.

In every case Goody receives at most one POST, and the page finally shows the true outcome. Leases
and delays of reads are shorter here than the defaults in the settings.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.utils import timezone

from orders.models import AuditEntry, Operation, State
from testing.domain import NEVER_ACCEPTED, ORDER_ID, order_json
from testing.faulty_server import FaultyServer, answer, blocked_until
from testing.processes import LiveApp, Visitor, wait_for
from testing.vendor import Emulator
from testing.walkthroughs import LONG_LIMITS, Form, cancel_form, submitting

type Start = Callable[..., LiveApp]

SHORT = {**LONG_LIMITS, "OPERATION_LEASE": "2", "OPERATION_READS": "1,2,3"}
GIVEN_UP_SOON = {
    "OPERATION_READS": "0.2,0.4,0.6",
    "OPERATION_NOT_APPLIED_READS": "3",
    "OPERATION_NOT_APPLIED_SPREAD": "0.3",
    "OPERATION_EFFECT_WINDOW": "0.3",
}
ORDER = answer(200, order_json())
CANCELED = answer(200, order_json(status="failed"))
# The page shows the order as canceled a moment before the operation is closed.
CONCLUDED = "perhaps by our request of "


def the_operation() -> Operation:
    return Operation.objects.get()


def in_state(state: State) -> Callable[[], bool]:
    return lambda: Operation.objects.filter(state=state).exists()


def outcomes() -> list[str]:
    """Return the audited outcomes of the one write, oldest first; the intent's is ""."""
    return list(
        AuditEntry.objects.exclude(operation=None).order_by("id").values_list("outcome", flat=True)
    )


def operation_page(visitor: Visitor) -> str:
    """Return the operation's page, which needs no call to Goody."""
    one = the_operation()
    return visitor.get(f"/orders/{one.order_uuid}/operations/{one.pk}/").text


def wait_for_words(visitor: Visitor, words: str) -> str:
    """Poll the page until it contains the words; return it."""

    def read() -> str:
        page = operation_page(visitor)
        return page if words in page else ""

    return wait_for(read, timeout=30, what=words)


def lease_is_out() -> bool:
    return the_operation().lease_until < timezone.now()


def no_answer(answered: Future[requests.Response]) -> bool:
    return isinstance(answered.exception(30), requests.ConnectionError)


# --- Killed -----------------------------------------------------------------------------------


def test_kill_between_sending_and_recording_settles_with_one_post(
    live_app: Start, emulator: Emulator
) -> None:
    app = live_app(**SHORT)
    agent, order_id = app.log_in("agent"), emulator.find_order_id(status="opened")
    form = cancel_form(agent, order_id)
    emulator.add_fault({"kind": "apply_then_hang"}, method="POST")
    with submitting(form, agent) as answered:
        wait_for(lambda: emulator.ledger(order_id=order_id), what="Goody to apply it")
        app.webs[0].kill()
        assert no_answer(answered)
    assert the_operation().state == State.SENDING

    again = agent.copy(app.start_web().url)
    checked = wait_for_words(again, "Outcome being checked")
    assert "Do not repeat it elsewhere meanwhile." in checked

    app.start_worker()

    assert "Canceled" in wait_for_words(again, CONCLUDED)
    assert "Canceled" in again.get(f"/orders/{order_id}/").text
    assert outcomes() == ["", "unknown", "applied"]
    assert emulator.posts() == 1
    assert [entry["kind"] for entry in emulator.ledger(order_id=order_id)] == ["cancel"]


def test_kill_before_sending_is_closed_as_not_sent(live_app: Start, emulator: Emulator) -> None:
    app = live_app(**SHORT)
    agent, order_id = app.log_in("agent"), emulator.find_order_id(status="opened")
    form = cancel_form(agent, order_id)
    calls = emulator.calls()["total"]
    emulator.add_fault({"kind": "delay", "seconds": 30}, method="GET", times=1)
    with submitting(form, agent) as answered:
        wait_for(lambda: emulator.calls()["total"] > calls, what="the fresh read")
        app.webs[0].kill()
        assert no_answer(answered)
    assert the_operation().state == State.PLANNED

    again = agent.copy(app.start_web().url)
    app.start_worker()

    said = wait_for_words(again, "Not canceled")
    assert "The attempt was interrupted before anything left. Nothing was sent." in said
    assert "You may try again." in said
    assert the_operation().state == State.NOT_SENT
    assert outcomes() == ["", "not_sent"]
    assert emulator.posts() == 0
    # The next cancel is possible: no operation is open.
    assert cancel_form(again, order_id).submit(again).status_code == 303
    assert emulator.posts() == 1


def test_another_worker_settles_after_a_kill(live_app: Start, emulator: Emulator) -> None:
    app = live_app(**{**SHORT, "OPERATION_READS": "0.2,0.4,0.6"})
    agent, order_id = app.log_in("agent"), emulator.find_order_id(status="opened")
    form = cancel_form(agent, order_id)
    emulator.add_fault({"kind": "apply_then_reset"}, method="POST")
    assert form.submit(agent).status_code == 303
    assert the_operation().state == State.UNKNOWN
    emulator.add_fault({"kind": "delay", "seconds": 30}, method="GET", times=1)
    calls = emulator.calls()["total"]
    killed = app.start_worker()
    wait_for(lambda: emulator.calls()["total"] > calls, timeout=30, what="the worker's read")
    killed.kill()
    assert the_operation().state == State.UNKNOWN

    app.start_worker()

    assert "Canceled" in wait_for_words(agent, CONCLUDED)
    assert outcomes() == ["", "unknown", "applied"]
    assert emulator.posts() == 1


# --- An answer that never came ----------------------------------------------------------------


def test_applied_write_without_an_answer_is_found(live_app: Start, emulator: Emulator) -> None:
    app = live_app(**{**SHORT, "GOODY_WRITE_DEADLINE": "0.5"})
    agent, order_id = app.log_in("agent"), emulator.find_order_id(status="opened")
    form = cancel_form(agent, order_id)
    emulator.add_fault({"kind": "apply_then_hang"}, method="POST")

    answered = form.submit(agent)

    assert "Outcome being checked" in agent.get(answered.headers["Location"]).text
    assert "Goody did not answer in time." in operation_page(agent)
    app.start_worker()
    wait_for_words(agent, CONCLUDED)
    assert outcomes() == ["", "unknown", "applied"]
    assert emulator.posts() == 1


def test_a_post_that_takes_effect_after_not_applied_is_recorded_and_sent_once(
    live_app: Start, emulator: Emulator
) -> None:
    """The first outcome, "Not canceled", was true when it was shown."""
    app = live_app(workers=1, **{**SHORT, **GIVEN_UP_SOON})
    agent = app.log_in("agent")
    order_id = emulator.find_order_id(status="opened")
    form = cancel_form(agent, order_id)
    emulator.add_fault({"kind": "late_apply", "seconds": 90}, method="POST")

    form.submit(agent)
    said = wait_for_words(agent, "Not canceled")
    assert "the change did not arrive" in said
    assert "You may try again." in said
    assert the_operation().state == State.NOT_APPLIED

    assert emulator.control("POST", "late") == {"applied": 1}
    assert "Canceled" in agent.get(f"/orders/{order_id}/").text
    assert CONCLUDED in operation_page(agent)
    assert the_operation().state == State.NOT_APPLIED
    assert outcomes() == ["", "unknown", "not_applied", "effect_seen"]
    assert emulator.posts() == 1
    assert len(emulator.ledger(order_id=order_id, kind="cancel")) == 1


def test_late_effect_is_found_while_checking(live_app: Start, emulator: Emulator) -> None:
    app = live_app(**{**SHORT, "OPERATION_READS": "0.1,0.2,0.3,0.4"})
    agent, order_id = app.log_in("agent"), emulator.find_order_id(status="opened")
    form = cancel_form(agent, order_id)
    emulator.add_fault({"kind": "late_apply", "seconds": 90}, method="POST")
    form.submit(agent)
    app.start_worker()
    wait_for(lambda: the_operation().reads > 0, what="a first read that finds nothing")
    assert "Outcome being checked" in operation_page(agent)

    emulator.control("POST", "late")

    wait_for_words(agent, CONCLUDED)
    assert outcomes() == ["", "unknown", "applied"]
    assert emulator.posts() == 1


def test_a_cancel_completes_after_the_client_disconnects(live_app: Start) -> None:
    """The tab is closed during the call to Goody."""
    goody_may_answer = threading.Event()
    with FaultyServer(ORDER, post=(blocked_until(goody_may_answer, CANCELED),)) as goody:
        app = live_app(GOODY_API_URL=goody.url, **LONG_LIMITS)
        agent = app.log_in("agent")
        form = cancel_form(agent, ORDER_ID)
        connection = _sent_by_hand(agent, form)
        goody.wait_until(lambda server: server.posts == 1)
        connection.close()
        goody_may_answer.set()
        wait_for(in_state(State.APPLIED), what="the write to go on")
        assert "Goody confirmed it." in operation_page(agent)
        assert goody.posts == 1


def _sent_by_hand(visitor: Visitor, form: Form) -> socket.socket:
    """Submit on a socket that the test may close at any time."""
    request = requests.Request(
        "POST",
        visitor.base + form.path,
        data={**form.data, "csrfmiddlewaretoken": visitor.http.cookies["csrftoken"]},
    )
    prepared = visitor.http.prepare_request(request)
    head = f"POST {form.path} HTTP/1.1\r\nHost: {urlsplit(visitor.base).netloc}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in prepared.headers.items())
    where = urlsplit(visitor.base)
    connection = socket.create_connection((where.hostname, where.port))
    connection.sendall(f"{head}\r\n{prepared.body}".encode())
    return connection


# --- Stopped and told to end ------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 1], ids=["alone", "with a worker"])
def test_suspended_process_sends_nothing_after_its_lease(live_app: Start, workers: int) -> None:
    """The process is stopped between the intent and the first byte, during the fresh read."""
    may_read = threading.Event()
    script = (ORDER, blocked_until(may_read, ORDER), ORDER)
    with FaultyServer(*script, post=(CANCELED,)) as goody:
        # The read is held until the lease has expired, so that a short lease causes no race.
        lease = {**SHORT, "OPERATION_LEASE": "1"}
        app = live_app(workers=workers, GOODY_API_URL=goody.url, **lease)
        agent = app.log_in("agent")
        form = cancel_form(agent, ORDER_ID)
        with submitting(form, agent) as answered:
            goody.wait_until(lambda server: len(server.requests) == 2)
            app.webs[0].signal(signal.SIGSTOP)
            wait_for(in_state(State.NOT_SENT) if workers else lease_is_out)
            may_read.set()
            app.webs[0].signal(signal.SIGCONT)
        page = agent.get(answered.result().headers["Location"]).text
        assert "Nothing was sent." in page
        assert the_operation().state == State.NOT_SENT
        assert outcomes() == ["", "not_sent"]
        assert goody.posts == 0


def test_web_process_finishes_its_write_on_sigterm(live_app: Start) -> None:
    goody_may_answer = threading.Event()
    with FaultyServer(ORDER, post=(blocked_until(goody_may_answer, CANCELED),)) as goody:
        app = live_app(GOODY_API_URL=goody.url, **LONG_LIMITS)
        agent, web = app.log_in("agent"), app.webs[0]
        form = cancel_form(agent, ORDER_ID)
        with submitting(form, agent) as answered:
            goody.wait_until(lambda server: server.posts == 1)
            os.kill(web.pid, signal.SIGTERM)
            wait_for(lambda: "Handling signal: term" in web.output(), what="the signal")
            assert web.is_running()
            goody_may_answer.set()
            assert answered.result().status_code == 303
        assert web.wait() == 0
        assert the_operation().state == State.APPLIED
        assert outcomes() == ["", "applied"]
        assert goody.posts == 1
        assert "Traceback" not in web.output()


def test_worker_finishes_its_read_on_sigterm(live_app: Start) -> None:
    may_read = threading.Event()
    failed = order_json(status="failed", event_times=NEVER_ACCEPTED)
    script: tuple[Any, ...] = (ORDER, ORDER, blocked_until(may_read, answer(200, failed)))
    with FaultyServer(*script, post=(answer(500, {"error": "no"}),)) as goody:
        app = live_app(GOODY_API_URL=goody.url, **{**SHORT, "OPERATION_READS": "0.1"})
        agent = app.log_in("agent")
        cancel_form(agent, ORDER_ID).submit(agent)
        assert the_operation().state == State.UNKNOWN
        before = len(goody.requests)
        worker = app.start_worker()
        goody.wait_until(lambda server: len(server.requests) > before)
        os.kill(worker.pid, signal.SIGTERM)
        assert worker.is_running()
        may_read.set()
        assert worker.wait() == 0
        assert "worker stopped" in worker.output()
        assert the_operation().state == State.APPLIED
        assert outcomes() == ["", "unknown", "applied"]
        assert goody.posts == 1
