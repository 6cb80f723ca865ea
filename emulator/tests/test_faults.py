"""What every kind of fault does on the socket and to the store."""

import http.client
import json
import socket
import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
import requests

from emulator.app import Emulator
from emulator.fault_kinds import FAULT_KINDS
from emulator.server import Server
from emulator.tests.conftest import KEY, NOW, Goody

RESET = b"<reset>"


def raw(goody: Goody, method: str, path: str, *, timeout: float = 5) -> bytes:
    """Return all bytes until the server ends the connection, then RESET if it ended with an RST."""
    host, port = goody.server.server_address[:2]
    request = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    received = b""
    with socket.create_connection((str(host), int(port)), timeout=timeout) as connection:
        connection.sendall(request.encode())
        try:
            while piece := connection.recv(65_536):
                received += piece
        except ConnectionResetError:
            received += RESET
        except TimeoutError:
            received += b"<open>"
    return received


def wait_until(check: Callable[[], bool]) -> None:
    """Poll for at most five seconds."""
    limit = time.monotonic() + 5
    while not check():
        assert time.monotonic() < limit, "it did not happen within 5 s"
        time.sleep(0.01)


@pytest.fixture
def target(goody: Goody) -> str:
    return goody.one("status=notified&no_expiry=0")


def cancel_path(order_id: str) -> str:
    return f"/v1/orders/{order_id}/cancel"


def answered(goody: Goody, order_id: str) -> list[tuple[bool, str]]:
    return [(line["applied"], line["answered"]) for line in goody.ledger(order_id)]


def status(goody: Goody, order_id: str) -> str:
    return goody.ask(f"orders/{order_id}")["status"]


# --- Rules ---


def test_a_rule_applies_to_matching_requests_after_skip_and_times_times(
    goody: Goody, target: str
) -> None:
    rule = {
        "match": {"method": "POST", "path": "/v1/orders/[^/]+/cancel"},
        "times": 2,
        "skip": 1,
        "fault": {"kind": "status", "status": 503},
    }
    goody.control("faults", rule)
    assert goody.order(target)["status"] == "notified"
    assert goody.cancel(target).status_code == 200
    assert [goody.cancel(target).status_code for _ in range(3)] == [503, 503, 400]
    (listed,) = goody.ask("faults")["faults"]
    assert (listed["hits"], listed["skip"], listed["match"]) == (2, 0, rule["match"])
    assert goody.control("faults", method="DELETE") == {"faults": []}


def test_the_first_rule_applies_and_times_null_is_always(goody: Goody) -> None:
    goody.fault("status", status=503)
    goody.fault("status", status=502, times=None)
    assert [goody.get("/v1/me").status_code for _ in range(4)] == [503, 502, 502, 502]
    assert goody.ask("clock")["unix"] > 0


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (None, "a rule must be an object"),
        ({}, "fault.kind must be one of"),
        ({"fault": {"kind": "gremlin"}}, "fault.kind must be one of"),
        ({"fault": {"kind": "delay", "secs": 1}}, "delay has unknown secs"),
        ({"match": {"path": "("}, "fault": {"kind": "delay"}}, "not a regular expression"),
        (
            {"match": {"path": "a{99999999999}"}, "fault": {"kind": "cut"}},
            "not a regular expression",
        ),
        ({"match": {"path": 7}, "fault": {"kind": "cut"}}, "path must be a string"),
        ({"match": {"verb": "POST"}, "fault": {"kind": "cut"}}, "match has unknown verb"),
        ({"match": "x", "fault": {"kind": "cut"}}, "match must be an object"),
        ({"time": 2, "fault": {"kind": "cut"}}, "a rule has unknown time"),
        ({"times": "2", "fault": {"kind": "cut"}}, "times must be an integer"),
        ({"times": True, "fault": {"kind": "cut"}}, "times must be an integer"),
        ({"skip": -1, "fault": {"kind": "cut"}}, "skip must be an integer"),
        ({"fault": "cut"}, "fault must be an object"),
        ({"fault": {"kind": ["cut"]}}, "fault.kind must be one of"),
        ({"fault": {"kind": "body", "as": "nonsense"}}, "as must be one of html, text"),
        ({"fault": {"kind": "status", "status": "abc"}}, "status must be an integer between 200"),
        ({"fault": {"kind": "status", "status": 99}}, "status must be an integer between 200"),
        ({"fault": {"kind": "status", "headers": []}}, "headers must be an object"),
        ({"fault": {"kind": "delay", "seconds": 1e300}}, "seconds must be a number between 0 and"),
        ({"fault": {"kind": "drip", "part": "head"}}, "part must be one of body, headers"),
        ({"fault": {"kind": "mutate", "remove": "id"}}, "remove must be a list of strings"),
        ({"fault": {"kind": "mutate", "row": "first"}}, 'or "all"'),
        ({"fault": {"kind": "mutate", "replace": [["a"]]}}, "replace must be a list of pairs"),
    ],
)
def test_an_invalid_rule_is_rejected(goody: Goody, definition: Any, message: str) -> None:
    response = goody.session.post(f"{goody.url}/_emulator/faults", json=definition, timeout=5)
    assert response.status_code == 400
    assert message in response.json()["error"]
    assert goody.ask("faults") == {"faults": []}


def test_calls_with_a_fault_are_counted(goody: Goody) -> None:
    goody.fault("cut")
    raw(goody, "GET", "/v1/me")
    wait_until(lambda: goody.ask("calls")["counts"] == {"GET /v1/me": 1})


# --- Delays and lost responses ---


def test_delay_waits_before_the_request_is_carried_out(goody: Goody, target: str) -> None:
    goody.fault("delay", seconds=0.3)
    response = goody.cancel(target)
    assert response.elapsed.total_seconds() >= 0.3
    assert response.json()["status"] == "failed"


def test_delay_carries_out_the_request_of_a_client_that_left(goody: Goody, target: str) -> None:
    goody.fault("delay", seconds=0.4)
    with pytest.raises(requests.ReadTimeout):
        goody.cancel(target, timeout=0.1)
    assert status(goody, target) == "notified"
    wait_until(lambda: status(goody, target) == "failed")


def test_apply_then_hang_applies_first(goody: Goody, target: str) -> None:
    goody.fault("apply_then_hang", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        goody.cancel(target, timeout=0.3)
    assert status(goody, target) == "failed"
    assert answered(goody, target) == [(True, "apply_then_hang")]


@pytest.mark.parametrize(("then", "end"), [("close", b""), ("reset", RESET)])
def test_apply_then_hang_ends_without_a_response(
    goody: Goody, target: str, then: str, end: bytes
) -> None:
    goody.fault("apply_then_hang", seconds=0.2, then=then)
    start = time.monotonic()
    assert raw(goody, "POST", cancel_path(target)) == end
    assert time.monotonic() - start >= 0.2


def test_apply_then_hang_may_answer_late(goody: Goody, target: str) -> None:
    goody.fault("apply_then_hang", seconds=0.2, then="answer")
    response = goody.cancel(target)
    assert response.elapsed.total_seconds() >= 0.2
    assert response.json()["status"] == "failed"


def test_a_hang_ends_when_the_client_leaves(goody: Goody, target: str) -> None:
    goody.fault("apply_then_hang", seconds=60)
    with pytest.raises(requests.ReadTimeout):
        goody.cancel(target, timeout=0.1)
    calls = goody.server.emulator.state.calls
    wait_until(lambda: calls._running == 0)


def test_apply_then_reset(goody: Goody, target: str) -> None:
    goody.fault("apply_then_reset")
    assert raw(goody, "POST", cancel_path(target)) == RESET
    assert answered(goody, target) == [(True, "apply_then_reset")]


def test_apply_then_status(goody: Goody, target: str) -> None:
    goody.fault("apply_then_status", status=502, body="html")
    response = goody.cancel(target)
    assert (response.status_code, response.headers["Content-Type"][:9]) == (502, "text/html")
    assert answered(goody, target) == [(True, "apply_then_status")]


@pytest.mark.parametrize(("then", "end"), [("reset", RESET), ("close", b"")])
def test_late_apply_fails_now_and_applies_later(
    goody: Goody, target: str, then: str, end: bytes
) -> None:
    goody.fault("late_apply", seconds=600, then=then)
    assert raw(goody, "POST", cancel_path(target)) == end
    assert status(goody, target) == "notified"
    assert goody.ask("late") == {"waiting": 1}
    assert goody.control("late") == {"applied": 1}
    assert status(goody, target) == "failed"
    assert answered(goody, target) == [(True, "late_apply")]
    assert goody.control("late") == {"applied": 0}


def test_late_apply_applies_after_its_seconds(goody: Goody, target: str) -> None:
    goody.fault("late_apply", seconds=0.3, then="status", status=504)
    assert goody.cancel(target).status_code == 504
    assert status(goody, target) == "notified"
    wait_until(lambda: status(goody, target) == "failed")
    assert goody.ask("late") == {"waiting": 0}


def test_late_apply_may_hang(goody: Goody, target: str) -> None:
    goody.fault("late_apply", seconds=0.2, then="hang", hang_seconds=0.6)
    assert raw(goody, "POST", cancel_path(target)) == b""
    assert status(goody, target) == "failed"


def test_reset_drops_late_requests(goody: Goody, target: str) -> None:
    goody.fault("late_apply", seconds=600)
    raw(goody, "POST", cancel_path(target))
    goody.control("reset")
    assert goody.control("late") == {"applied": 0}
    assert status(goody, target) == "notified"


# --- Replaced responses ---


@pytest.mark.parametrize("code", [401, 403, 404, 409, 422, 429, 500, 502, 503, 504])
def test_status_replaces_the_request(goody: Goody, target: str, code: int) -> None:
    goody.fault("status", status=code)
    response = goody.cancel(target)
    assert (response.status_code, response.json()) == (code, {"error": f"Emulated {code}"})
    assert goody.ledger(target) == []
    assert status(goody, target) == "notified"


@pytest.mark.parametrize("wait", ["7", "-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "36000"])
def test_too_many_requests_with_any_retry_after(goody: Goody, wait: str) -> None:
    goody.fault("status", status=429, headers={"Retry-After": wait})
    assert goody.get("/v1/orders").headers["Retry-After"] == wait


@pytest.mark.parametrize(
    ("options", "content_type", "body"),
    [
        ({"text": "No, <b>never</b>"}, "application/json", b'{"error":"No, <b>never</b>"}'),
        ({"body": "html", "text": "<p>x"}, "text/html", b"<p>x"),
        ({"body": "text", "text": "{'no'"}, "application/json", b"{'no'"),
        ({"body": "text", "text": "\ud800"}, "application/json", b"\xed\xa0\x80"),
    ],
)
def test_status_bodies(goody: Goody, options: Any, content_type: str, body: bytes) -> None:
    goody.fault("status", status=422, **options)
    response = goody.get("/v1/me")
    assert response.headers["Content-Type"].startswith(content_type)
    assert response.content == body


def test_status_without_a_body(goody: Goody) -> None:
    goody.fault("status", status=503, body="empty")
    response = goody.get("/v1/me")
    assert (response.content, response.headers.get("Content-Type")) == (b"", None)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect(goody: Goody, target: str, code: int) -> None:
    goody.fault("redirect", status=code, location="https://elsewhere.example.com/x")
    response = goody.cancel(target)
    assert response.status_code == code
    assert response.headers["Location"] == "https://elsewhere.example.com/x"
    assert goody.ledger(target) == []


def test_html_with_200(goody: Goody) -> None:
    goody.fault("body")
    response = goody.get("/v1/orders")
    assert (response.status_code, response.content[:9]) == (200, b"<!doctype")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"


def test_any_text_with_200(goody: Goody) -> None:
    goody.fault("body", **{"as": "text", "text": "[" * 500})
    assert goody.get("/v1/orders").text == "[" * 500


def test_truncated_json_is_a_complete_http_response(goody: Goody, target: str) -> None:
    goody.fault("body", **{"as": "truncated_json"})
    response = goody.cancel(target)
    assert int(response.headers["Content-Length"]) == len(response.content)
    with pytest.raises(requests.JSONDecodeError):
        response.json()
    assert answered(goody, target) == [(True, "body")]


def test_wrong_content_type(goody: Goody, target: str) -> None:
    goody.fault("body", **{"as": "wrong_type", "content_type": "text/csv"})
    response = goody.get(f"/v1/orders/{target}")
    assert response.headers["Content-Type"] == "text/csv"
    assert response.json()["id"] == target


@pytest.mark.parametrize("size", [100, 65_536, 3_000_000])
def test_huge_is_valid_json_of_that_size(goody: Goody, size: int) -> None:
    goody.fault("body", **{"as": "huge", "bytes": size})
    response = goody.get("/v1/orders")
    assert len(response.content) == size
    assert response.json() == " " * (size - 2)


def test_endless_continues_until_the_client_leaves(goody: Goody) -> None:
    goody.fault("body", **{"as": "endless"})
    with goody.get("/v1/orders", stream=True) as response:
        assert len(response.raw.read(2_000_000)) == 2_000_000
    wait_until(lambda: goody.server.emulator.state.calls._running == 0)


def test_headers_added_and_padded(goody: Goody) -> None:
    goody.fault("headers", set={"X-Runtime": "0.1"}, bytes=20_000)
    response = goody.get("/v1/me")
    assert response.headers["X-Runtime"] == "0.1"
    assert sum(len(value) for value in response.headers.values()) >= 20_000
    assert response.json()["email"]


# --- Truncated and slow responses ---


@pytest.mark.parametrize(("end", "seen"), [("reset", RESET), ("close", b"")])
def test_cut_before_the_response(goody: Goody, target: str, end: str, seen: bytes) -> None:
    goody.fault("cut", at="before", end=end)
    assert raw(goody, "POST", cancel_path(target)) == seen
    assert goody.ledger(target) == []


def test_cut_in_the_headers(goody: Goody, target: str) -> None:
    goody.fault("cut", at="head")
    received = raw(goody, "POST", cancel_path(target))
    assert received.startswith(b"HTTP/1.1 200")
    assert received.endswith(RESET)
    assert b"\r\n\r\n" not in received
    assert answered(goody, target) == [(True, "cut")]


@pytest.mark.parametrize(("at", "is_reset"), [("body", True), ("short", False)])
def test_cut_in_the_body(goody: Goody, target: str, at: str, is_reset: bool) -> None:
    goody.fault("cut", at=at)
    head, _, body = raw(goody, "POST", cancel_path(target)).partition(b"\r\n\r\n")
    promised = int(head.rpartition(b"Content-Length: ")[2])
    assert body.endswith(RESET) is is_reset
    assert len(body.removesuffix(RESET)) == promised // 2
    assert answered(goody, target) == [(True, "cut")]


def test_cut_of_an_unbounded_body_is_invalid_json_only(goody: Goody) -> None:
    goody.fault("cut", at="unbounded")
    response = goody.get("/v1/orders?per_page=50")
    assert "Content-Length" not in response.headers
    with pytest.raises(requests.JSONDecodeError):
        response.json()


def test_drip_of_the_body(goody: Goody) -> None:
    goody.fault("drip", bytes=10, interval=0.05)
    start = time.monotonic()
    response = goody.get("/v1/me")
    lasted = time.monotonic() - start
    pauses = (len(response.content) - 1) // 10
    assert lasted - response.elapsed.total_seconds() > 0.05 * (pauses - 1)
    assert response.json()["email"]


def test_drip_of_the_headers_outlasts_a_timeout_per_read(goody: Goody) -> None:
    goody.fault("drip", part="headers", bytes=20, interval=0.06)
    start = time.monotonic()
    response = goody.get("/v1/me", timeout=0.5)
    assert time.monotonic() - start > 0.3
    assert response.json()["email"]


def test_drip_sends_single_bytes(goody: Goody) -> None:
    goody.fault("drip", part="headers", bytes=1, interval=5)
    host, port = goody.server.server_address[:2]
    with socket.create_connection((str(host), int(port)), timeout=5) as connection:
        connection.sendall(b"GET /v1/me HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(100) == b"H"
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(100)


# --- Changed responses ---


def test_mutate_one_order(goody: Goody, target: str) -> None:
    goody.fault(
        "mutate",
        path=f"/v1/orders/{target}",
        set={
            "status": "frozen",
            "cart.items.0.quantity": "two",
            "message": "a\x00b\ud800c",
            "amounts.amount_product": 10**30,
            "novel": {"x": 1},
        },
        remove=["sender", "amounts.amount_tax"],
    )
    changed, regular = goody.get(f"/v1/orders/{target}").json(), goody.order(target)
    assert changed["status"] == "frozen"
    assert changed["cart"]["items"][0]["quantity"] == "two"
    assert changed["message"] == "a\x00b\ud800c"
    assert changed["amounts"]["amount_product"] == 10**30
    assert changed["novel"] == {"x": 1}
    assert "sender" not in changed
    assert "amount_tax" not in changed["amounts"]
    assert changed["id"] == regular["id"]
    assert regular["status"] == "notified"


def test_mutate_one_row_of_a_list(goody: Goody) -> None:
    regular = goody.get("/v1/orders").json()["data"]
    goody.fault("mutate", row=3, set={"id": None})
    rows = goody.get("/v1/orders").json()["data"]
    assert rows[3] == {**regular[3], "id": None}
    assert rows[:3] + rows[4:] == regular[:3] + regular[4:]


def test_mutate_all_rows_and_the_envelope(goody: Goody) -> None:
    goody.fault("mutate", row="all", remove=["status"], envelope={"list_meta.total_count": -1})
    answer = goody.get("/v1/orders").json()
    assert all("status" not in row for row in answer["data"])
    assert answer["list_meta"] == {"total_count": -1}


def test_mutate_ignores_fields_that_the_order_does_not_have(goody: Goody, target: str) -> None:
    regular = goody.order(target)
    assert regular["original_cart"] is None
    goody.fault(
        "mutate",
        set={"original_cart.items.0.quantity": 2, "cart.items.9.quantity": 2, "status": "frozen"},
        remove=["cart_selections", "original_cart.id", "cart.items.7", "message"],
    )
    changed = goody.get(f"/v1/orders/{target}").json()
    assert changed.pop("status") == "frozen"
    assert changed == {name: regular[name] for name in regular if name not in ("status", "message")}


def test_mutate_the_text(goody: Goody, target: str) -> None:
    goody.fault("mutate", replace=[['"amount_tax":null', '"amount_tax":NaN,"amount_tax":1']])
    text = goody.get(f"/v1/orders/{target}").text
    assert '"amount_tax":NaN,"amount_tax":1' in text


def test_mutate_the_answer_of_a_write(goody: Goody, target: str) -> None:
    goody.fault("mutate", set={"status": "notified"})
    assert goody.cancel(target).json()["status"] == "notified"
    assert status(goody, target) == "failed"
    assert answered(goody, target) == [(True, "mutate")]


# --- The server ---


@pytest.mark.parametrize("kind", sorted(FAULT_KINDS))
def test_the_server_works_after_every_kind(goody: Goody, target: str, kind: str) -> None:
    quick = {"seconds": 0.05, "interval": 0.001, "hang_seconds": 0.05, "bytes": 200}
    goody.fault(kind, **{k: v for k, v in quick.items() if k in FAULT_KINDS[kind].options})
    raw(goody, "GET", f"/v1/orders/{target}", timeout=0.2)
    assert goody.order(target)["id"] == target
    wait_until(lambda: goody.server.emulator.state.calls._running == 0)


def test_a_connection_is_kept_alive_after_a_fault(goody: Goody, target: str) -> None:
    host, port = goody.server.server_address[:2]
    connection = http.client.HTTPConnection(str(host), int(port), timeout=5)
    connection.connect()
    first = connection.sock
    goody.fault("status", status=503)
    seen = []
    for path in ("/v1/me", f"/v1/orders/{target}", "/v1/workspaces"):
        connection.request("GET", path, headers={"Authorization": f"Bearer {KEY}"})
        response = connection.getresponse()
        json.loads(response.read())
        seen.append(response.status)
    assert seen == [503, 200, 200]
    assert connection.sock is first
    connection.close()


def test_stop_ends_hanging_requests() -> None:
    server = Server(Emulator(orders=5, seed=1, now=NOW))
    server.start()
    other = Goody(server)
    other.fault("apply_then_hang", seconds=60, times=None)
    got: list[bytes] = []
    thread = Thread(target=lambda: got.append(raw(other, "GET", "/v1/me", timeout=20)))
    thread.start()
    wait_until(lambda: server.emulator.state.calls._running == 1)
    other.session.close()
    server.stop()
    thread.join(5)
    assert got == [b""]


def test_stop_ends_idle_connections() -> None:
    server = Server(Emulator(orders=5, seed=1, now=NOW))
    server.start()
    host, port = server.server_address[:2]
    with socket.create_connection((str(host), int(port)), timeout=5) as connection:
        connection.sendall(b"GET /v1/me HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 401")
        server.stop()
        assert connection.recv(1) == b""


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 1048577",
        "Content-Length: many",
        f"Content-Length: {'9' * 5_000}",
        "Transfer-Encoding: chunked",
    ],
)
def test_a_body_too_large_or_of_unknown_length_is_not_read(goody: Goody, headers: str) -> None:
    host, port = goody.server.server_address[:2]
    with socket.create_connection((str(host), int(port)), timeout=5) as connection:
        connection.sendall(f"POST /v1/me HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n".encode())
        received = connection.makefile("rb").read()
    assert received.startswith(b"HTTP/1.1 413 ")
