"""The web server with incomplete, oversized and too many requests, and clients that read nothing.

The tests use real connections to gunicorn processes.
"""

from __future__ import annotations

import os
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from types import SimpleNamespace
from urllib.parse import urlsplit

import psutil
import pytest
from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser

from goodyadmin.server.connections import concurrency_group_of
from goodyadmin.server.gunicorn_worker import group_limits
from orders.models import Operation
from testing.domain import ORDER_ID
from testing.processes import LiveApp, Visitor, WebProcess, wait_for
from testing.vendor import Emulator
from testing.walkthroughs import LONG_LIMITS, cancel_form

type Start = Callable[..., LiveApp]

TOKEN = "a" * 32
HALF_HEAD = b"GET /orders/ HTTP/1.1\r\nHost: localhost\r\nX-Half: "
LOGIN = f"POST /login/ HTTP/1.1\r\nHost: localhost\r\nCookie: csrftoken={TOKEN}\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
HALF_BODY = f"{LOGIN}{FORM}Content-Length: 100\r\n\r\nusername=".encode()

pytestmark = pytest.mark.sqlite_only(reason="no statement differs between the databases")


def connect(web: WebProcess) -> socket.socket:
    where = urlsplit(web.url)
    return socket.create_connection((where.hostname, where.port), timeout=30)


@contextmanager
def half_sent(web: WebProcess, count: int, data: bytes) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        connections = [stack.enter_context(connect(web)) for _ in range(count)]
        for connection in connections:
            connection.sendall(data)
        yield connections


def answer_to(web: WebProcess, data: bytes) -> bytes:
    """Everything that the server sends until it closes the connection."""
    with connect(web) as connection:
        connection.sendall(data)
        return b"".join(iter(partial(connection.recv, 65536), b""))


def status_of(answered: bytes) -> int:
    return int(answered.split(b" ", 2)[1])


# --- Half a request ----------------------------------------------------------------------------


@pytest.mark.parametrize("data", [HALF_HEAD, HALF_BODY], ids=["head", "body"])
def test_incomplete_requests_do_not_block_pages(
    live_app: Start, emulator: Emulator, data: bytes
) -> None:
    app = live_app()
    agent = app.log_in("agent")
    with half_sent(app.webs[0], 200, data):
        statuses = [agent.get(path).status_code for path in ("/healthz", "/orders/") * 5]
    assert statuses == [200] * 10


@pytest.mark.parametrize("data", [HALF_HEAD, HALF_BODY], ids=["head", "body"])
def test_a_request_that_never_arrives_whole_is_closed(live_app: Start, data: bytes) -> None:
    app = live_app(READ_TIMEOUT="0.5")
    with half_sent(app.webs[0], 1, data) as (connection,):
        assert connection.recv(100) == b""


def test_a_request_that_drips_is_closed_as_well(live_app: Start) -> None:
    app = live_app(READ_TIMEOUT="1")
    with connect(app.webs[0]) as connection:

        def is_closed() -> bool:
            try:
                connection.sendall(b"G")
            except OSError:
                return True
            return False

        wait_for(is_closed, timeout=20, what="the end of the connection")


# --- Too much ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "length", ["Content-Length: 419430400\r\n", "Transfer-Encoding: chunked\r\n"]
)
def test_a_large_body_is_refused_before_it_is_read(live_app: Start, length: str) -> None:
    app = live_app()
    # The limit for a body of unknown length.
    chunk = b"200000\r\n" + b"x" * 1024 * 1024 if "chunked" in length else b""
    answered = answer_to(app.webs[0], f"{LOGIN}{FORM}{length}\r\n".encode() + chunk)
    assert status_of(answered) == 413


def test_uploaded_file_is_discarded(live_app: Start) -> None:
    app = live_app()
    visitor = Visitor(app.url)
    form = {"csrfmiddlewaretoken": visitor.http.cookies["csrftoken"], "username": "nobody"}
    answered = visitor.http.post(
        f"{app.url}/login/", data=form, files={"upload": b"x" * 900_000}, timeout=60
    )
    assert answered.status_code == 422


def test_a_long_search_is_no_bad_request(live_app: Start, emulator: Emulator) -> None:
    app = live_app()
    agent = app.log_in("agent")
    assert agent.get("/orders/", headers={"X-Long": "x" * 20_000}).status_code == 200
    # 470 Japanese letters are 4,230 bytes of a URL.
    assert agent.get("/orders/?q=" + "%E5%B0%8F" * 470).status_code == 200
    assert status_of(answer_to(app.webs[0], b"GET /?".ljust(64 * 1024, b"q"))) == 431


# --- Too many ----------------------------------------------------------------------------------


def test_full_queue_is_answered_at_once_but_not_for_health_checks(live_app: Start) -> None:
    app = live_app(QUEUE_SIZE="0")
    refused = answer_to(app.webs[0], b"GET /orders/ HTTP/1.0\r\n\r\n")
    head, _, body = refused.partition(b"\r\n\r\n")
    assert status_of(refused) == 503
    assert b"Retry-After: 2" in head.split(b"\r\n")
    assert body == b"The dashboard is busy. Nothing was done. Try again in a few seconds.\n"
    assert (
        status_of(answer_to(app.webs[0], b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n"))
        == 200
    )


def test_hung_writes_do_not_block_pages(live_app: Start, emulator: Emulator) -> None:
    many = {"GOODY_CALLS_AT_ONCE": "30", "GOODY_WRITES_AT_ONCE": "30"}
    app = live_app(GOODY_QUEUE_WAIT="0.5", **many, **LONG_LIMITS)
    agent = app.log_in("agent")
    found = emulator.find_orders(status="opened", limit=20)
    forms = [cancel_form(agent, order["id"]) for order in found]
    emulator.add_fault({"kind": "delay", "seconds": 6}, method="POST")
    at_once = group_limits()["goody-write"].at_once
    with ThreadPoolExecutor(len(forms)) as pool:
        writes = [pool.submit(form.submit, agent.copy()) for form in forms]
        late = wait_for(lambda: [one for one in writes if one.done()][at_once - len(forms) :])
        assert [agent.get(path).status_code for path in ("/healthz", "/orders/") * 3] == [200] * 6
        answers = [one.result() for one in writes]
    assert {one.result().status_code for one in late} == {503}
    assert Counter(one.status_code for one in answers) == {303: at_once, 503: 20 - at_once}
    refused = next(one for one in answers if one.status_code == 503)
    assert "Nothing was sent or changed." in refused.text
    assert refused.headers["Retry-After"] == "5"
    assert Operation.objects.count() == emulator.posts() == at_once


def test_hung_writes_delay_no_dialog_and_a_write_without_a_slot_stores_no_intent(
    live_app: Start, emulator: Emulator
) -> None:
    """The slots are the defaults: two for writes, two for reads."""
    app = live_app(**{**LONG_LIMITS, "GOODY_WRITE_SLOT_WAIT": "0.5"})
    agent = app.log_in("agent")
    found = emulator.find_orders(status="opened", limit=3)
    forms = [cancel_form(agent, order["id"]) for order in found]
    emulator.add_fault({"kind": "delay", "seconds": 6}, method="POST")
    with ThreadPoolExecutor(2) as pool:
        hung = [pool.submit(form.submit, agent.copy()) for form in forms[:2]]
        wait_for(lambda: emulator.posts() == 2, what="both POSTs")
        assert agent.get(forms[2].path).status_code == 200
        late = forms[2].submit(agent)
        assert (late.status_code, Operation.objects.count()) == (503, 2)
        assert "Too many changes are under way" in late.text
        assert [one.result().status_code for one in hung] == [303, 303]
    emulator.clear_faults()
    # The same form works when a slot is free.
    assert forms[2].submit(agent).status_code == 303
    assert emulator.posts() == 3


@pytest.mark.parametrize(
    ("request_line", "cookies", "group"),
    [
        ("GET /healthz", "", "probe"),
        ("HEAD /readyz", "", "probe"),
        ("POST /login/", "", "login"),
        ("GET /login/", "", ""),
        ("GET /orders/", "", ""),
        ("GET /orders/export.csv", "", "download"),
        ("POST /orders/find/", "", "goody-read"),
        (f"GET /orders/{ORDER_ID}/", "", "goody-read"),
        (f"GET /orders/{ORDER_ID}/", "a=b; script=on", ""),
        (f"GET /orders/{ORDER_ID}/?poll=x", "", ""),
        (f"GET /orders/{ORDER_ID}/?next=%2F&read=x", "script=on", "goody-read"),
        (f"GET /orders/{ORDER_ID}/cancel/", "script=on", ""),
        (f"GET /orders/{ORDER_ID}/cancel/?read=x", "script=on", "goody-read"),
        (f"POST /orders/{ORDER_ID}/cancel/?read=x", "script=on", "goody-write"),
        (f"POST /orders/{ORDER_ID}/expiration/", "", "goody-write"),
        ("GET /nowhere/", "", ""),
    ],
)
def test_each_request_is_in_its_group(request_line: str, cookies: str, group: str) -> None:
    parser = HTTPRequestParser(Adjustments())
    parser.received(f"{request_line} HTTP/1.1\r\nHost: a\r\nCookie: {cookies}\r\n\r\n".encode())
    assert concurrency_group_of(SimpleNamespace(requests=[parser])) == group
    assert group in group_limits()


# --- Stop and reload ---------------------------------------------------------------------------


def processes_of(web: WebProcess) -> list[int]:
    return [child.pid for child in psutil.Process(web.pid).children()]


def test_a_reload_replaces_the_process_and_loses_no_request(live_app: Start) -> None:
    app = live_app()
    web = app.webs[0]
    visitor, (before,) = Visitor(web.url), processes_of(web)
    os.kill(web.pid, signal.SIGHUP)

    def is_replaced() -> bool:
        assert visitor.copy().get("/login/").status_code == 200
        return before not in processes_of(web)

    wait_for(is_replaced, timeout=40, what="the end of the old process")


def test_a_stop_waits_for_no_idle_connection(live_app: Start) -> None:
    app = live_app()
    visitor = Visitor(app.url)
    assert visitor.get("/healthz").status_code == 200
    with half_sent(app.webs[0], 5, HALF_HEAD):
        assert app.webs[0].stop(timeout=20) == 0
