"""Cancel and update_expiration: outcomes, and that nothing is sent twice."""

import gc
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import psutil
import pytest

from goody import resolver
from goody.client import Client
from goody.errors import GoodyError, OutcomeUnknown, Rejected, Unavailable
from goody.limits import MIB, Deadline
from goody.tests.samples import (
    BRIEFLY,
    ENDLESS,
    FAST,
    ORDER_ID,
    OTHER_ID,
    UNCONNECTED,
    lasting,
    make_client,
    order,
    quicker_than,
    small_bodies,
)
from goody.transport import Request, RequestFailed
from testing.faulty_server import (
    FaultyServer,
    answer,
    blackhole_url,
    close_without_answer,
    drip_body,
    drip_headers,
    endless_chunks,
    endless_interims,
    gzip_bomb,
    html,
    huge_body,
    interim,
    many_headers,
    no_answer,
    raw,
    redirect,
    refusing_url,
    reset,
    short_body,
    until_close,
)


def cancel(client, **options):
    return client.cancel_order(ORDER_ID, **options)


def extend(client, **options):
    expiration = datetime(2031, 6, 1, tzinfo=UTC)
    return client.update_expiration(ORDER_ID, expiration=expiration, **options)


writes = pytest.mark.parametrize("write", [cancel, extend])

AMBIGUOUS = {
    "reset before the answer": (reset, "reset"),
    "end before the answer": (close_without_answer, "reset"),
    "reset in the body": (short_body(order(), by_reset=True), "reset"),
    "short body": (short_body(order()), "reset"),
    "cut JSON": (until_close(b'{"id": "0b6f1c1e-52f4'), "bad_body"),
    "empty body": (answer(200, b""), "bad_body"),
    "HTML": (html(), "content_type"),
    "no content type": (answer(200, order(), content_type=""), "content_type"),
    "other charset": (
        answer(200, order(), content_type="application/json; charset=latin-1"),
        "content_type",
    ),
    "not an order": (answer(200, {"id": 1}), "bad_json"),
    "a list": (answer(200, [order()]), "bad_json"),
    "duplicate keys": (answer(200, b'{"id": "a", "id": "b"}'), "bad_json"),
    "500": (answer(500, {"error": "oops"}), "server_error"),
    "502": (html(502), "server_error"),
    "503": (answer(503), "server_error"),
    "504": (html(504), "server_error"),
    "301": (redirect(301, "/v1/me"), "redirect"),
    "302": (redirect(302, "/v1/me"), "redirect"),
    "303": (redirect(303, "/v1/me"), "redirect"),
    "307": (redirect(307, "/v1/me"), "redirect"),
    "308": (redirect(308, "/v1/me"), "redirect"),
    "201": (answer(201, order()), "status"),
    "204": (answer(204), "status"),
    "103 and nothing more": (interim(103, answer(200, order())), "status"),
    "not HTTP": (raw(b"hello\r\n\r\n"), "bad_body"),
    "unknown encoding": (answer(200, order(), headers={"Content-Encoding": "br"}), "bad_body"),
    "broken gzip": (answer(200, order(), headers={"Content-Encoding": "gzip"}), "bad_body"),
    "endless headers": (many_headers(2000), "too_large"),
    "a header without end": (many_headers(1, length=200_000), "too_large"),
    "interim answers without end": (endless_interims, "too_large"),
}


@writes
@pytest.mark.parametrize("case", AMBIGUOUS)
def test_without_a_definite_response_the_outcome_is_unknown(write, case):
    behavior, kind = AMBIGUOUS[case]
    with (
        FaultyServer(behavior) as server,
        pytest.raises(OutcomeUnknown) as caught,
        quicker_than(0.55),
    ):
        write(make_client(server.url))
    assert caught.value.kind == kind
    assert len(server.requests) == 1


@writes
@pytest.mark.parametrize(
    "behavior",
    [no_answer, drip_headers(), drip_body(order()), interim(100, no_answer)],
    ids=["no_answer", "dripped headers", "dripped body", "100 and silence"],
)
def test_the_deadline_ends_every_slow_write(write, behavior):
    with (
        FaultyServer(behavior) as server,
        pytest.raises(OutcomeUnknown) as caught,
        lasting(ENDLESS.write_deadline),
    ):
        write(make_client(server.url, limits=ENDLESS))
    assert caught.value.kind == "deadline"
    assert server.posts == 1


@pytest.mark.parametrize(
    "behavior",
    [huge_body(10_000), huge_body(10_000, announce=False), gzip_bomb(10_000), endless_chunks()],
    ids=["announced", "unannounced", "gzip", "chunks"],
)
def test_the_outcome_is_unknown_if_the_response_is_too_large(behavior):
    with FaultyServer(behavior) as server, pytest.raises(OutcomeUnknown) as caught:
        cancel(make_client(server.url, limits=small_bodies()))
    assert (caught.value.kind, server.posts) == ("too_large", 1)


@writes
def test_refused_connection_sends_nothing(write):
    with refusing_url() as url, pytest.raises(Unavailable) as caught, quicker_than(0.3):
        write(make_client(url))
    assert caught.value.kind == "connect"


@writes
def test_a_blackhole_ends_with_the_connect_timeout(write):
    called = []
    with (
        blackhole_url() as url,
        pytest.raises(Unavailable) as caught,
        lasting(UNCONNECTED.connect_timeout),
    ):
        write(make_client(url, limits=UNCONNECTED), before_send=lambda: called.append(1))
    assert (caught.value.kind, called) == ("connect", [])


def test_an_unknown_host_sends_nothing():
    called = []
    client = Client(base_url="https://goody.invalid", api_key="k", limits=UNCONNECTED)
    with pytest.raises(Unavailable) as caught, quicker_than(UNCONNECTED.connect_timeout + 0.3):
        cancel(client, before_send=lambda: called.append(1))
    assert (caught.value.kind, called) == ("dns", [])


def test_an_invalid_host_sends_nothing():
    with pytest.raises(OSError, match="label empty"):
        resolver.resolve_host("api..example.test", 443, timeout=3)


def test_a_blocked_lookup_times_out_and_is_shared(monkeypatch):
    """getaddrinfo is replaced, since a test cannot make the system's resolver block."""
    release = threading.Event()
    calls = []

    def hang(host, port, *, flags=0):
        if flags:
            raise resolver.socket.gaierror
        calls.append(host)
        release.wait(10)
        return []

    monkeypatch.setattr(resolver, "_getaddrinfo", hang)
    client = Client(base_url="https://hanging.example.test", api_key="k", limits=UNCONNECTED)
    for _ in range(2):
        with pytest.raises(Unavailable) as caught, lasting(UNCONNECTED.connect_timeout):
            cancel(client)
        assert caught.value.kind == "dns"
    release.set()
    assert calls == ["hanging.example.test"]


def refused(status):
    """Return the error of a 4xx whose body does not end, and the number of POSTs."""
    with (
        FaultyServer(drip_body({"error": "no"}, interval=1, status=status)) as server,
        pytest.raises(Rejected) as caught,
    ):
        cancel(make_client(server.url))
    return caught.value.status, caught.value.message, server.posts


def test_a_4xx_is_definite_even_with_a_broken_body():
    """In parallel, since each waits for its body."""
    statuses = (400, 403, 404, 409, 422, 429, 401)
    with ThreadPoolExecutor(len(statuses)) as pool:
        said = list(pool.map(refused, statuses))
    assert said == [(status, f"Goody gave no reason (HTTP {status}).", 1) for status in statuses]


@pytest.mark.parametrize("status", [402, 405, 408, 410, 413, 418, 425, 426, 451, 499])
def test_any_other_4xx_leaves_the_outcome_open(status):
    with (
        FaultyServer(answer(status, {"error": "no"})) as server,
        pytest.raises(OutcomeUnknown) as caught,
    ):
        cancel(make_client(server.url))
    assert (caught.value.kind, caught.value.status, server.posts) == ("status", status, 1)


@writes
def test_an_interim_response_is_not_the_response(write):
    with FaultyServer(interim(100, answer(200, order()))) as server:
        assert write(make_client(server.url)).id == ORDER_ID
    assert server.posts == 1


def test_the_deadline_ends_a_blocked_upload():
    """Bodies of the client fit into the socket's buffer, so this test uses the transport."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        transport = make_client(url)._transport
        upload = Request(method="POST", path="/", max_body=1, body=bytes(50 * MIB))
        with pytest.raises(RequestFailed) as caught, lasting(0.4):
            transport.send(upload, deadline=Deadline(0.4, time.monotonic), is_fresh=True)
    assert (caught.value.kind, caught.value.may_have_left) == ("deadline", True)


def test_an_unanswered_handshake_sends_nothing():
    called = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(Unavailable) as caught, lasting(UNCONNECTED.connect_timeout):
            cancel(make_client(url, limits=UNCONNECTED), before_send=lambda: called.append(1))
    assert (caught.value.kind, called) == ("connect", [])


@writes
def test_another_order_or_status_is_returned(write):
    with FaultyServer(answer(200, order(id=str(OTHER_ID), status="delivered"))) as server:
        found = write(make_client(server.url))
    assert (found.id, found.status) == (OTHER_ID, "delivered")


@writes
def test_before_send_is_called_once_between_connecting_and_sending(write):
    seen = []

    with FaultyServer(answer(200, order())) as server:

        def before_send():
            server.wait_until(lambda s: s.connections == 1)
            seen.append((server.connections, len(server.requests)))

        write(make_client(server.url), before_send=before_send)
    assert seen == [(1, 0)]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("intent not stored"),
        BrokenPipeError("database gone"),
        ConnectionResetError(104, "database gone"),
        TimeoutError("database slow"),
        ssl.SSLError("database's TLS"),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_of_before_send_propagates_and_nothing_is_sent(error):
    def before_send():
        raise error

    with FaultyServer(answer(200, order())) as server:
        client = make_client(server.url)
        with pytest.raises(type(error)) as caught, quicker_than(0.3):
            cancel(client, before_send=before_send)
        assert caught.value is error
        assert (error.__cause__, error.__context__) == (None, None)
        # The connection was closed without a byte, and the slot is free.
        assert client.get_order(ORDER_ID).id == ORDER_ID
    assert [request.method for request in server.requests] == ["GET"]


def test_nothing_is_sent_if_before_send_takes_all_the_time():
    clock = [0.0]

    def before_send():
        clock[0] += FAST.write_deadline

    with FaultyServer(answer(200, order())) as server:
        client = make_client(server.url, clock=lambda: clock[0])
        with pytest.raises(Unavailable) as caught:
            cancel(client, before_send=before_send)
    assert (caught.value.kind, server.requests) == ("deadline", [])


def test_an_open_breaker_blocks_writes_even_if_a_probe_is_due():
    clock = [0.0]
    with refusing_url() as url:
        client = make_client(url, limits=replace(FAST, breaker_failures=2), clock=lambda: clock[0])
        for _ in range(2):
            with pytest.raises(Unavailable):
                cancel(client)
        clock[0] += 1000
        with pytest.raises(Unavailable) as caught:
            cancel(client)
    assert caught.value.kind == "breaker"


def test_failures_leave_no_descriptors_or_threads():
    client_faults = [reset, short_body(order()), no_answer, html(), redirect(302, "/"), raw(b"x")]
    process = psutil.Process()
    with FaultyServer(answer(200, order())) as server:
        client = make_client(server.url)
        client.get_order(ORDER_ID)
        client.close()
    gc.collect()
    before = (process.num_fds(), threading.active_count())
    with FaultyServer(*client_faults, *client_faults) as server:
        client = make_client(server.url, limits=ENDLESS)
        for _ in client_faults:
            with pytest.raises(OutcomeUnknown):
                cancel(client)
        for _ in client_faults:
            with pytest.raises(GoodyError):
                client.get_order(ORDER_ID, policy=BRIEFLY)
        client.close()
    gc.collect()
    assert (process.num_fds(), threading.active_count()) == before
