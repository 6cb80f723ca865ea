"""Reads: retries and deadlines."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from goody.client import RetryPolicy
from goody.errors import BadResponse, RateLimited, Rejected, Unavailable
from goody.retry import parse_retry_after_header
from goody.tests.samples import (
    BRIEFLY,
    FAST,
    ONCE,
    ORDER_ID,
    OTHER_ID,
    THRICE,
    TWICE,
    UNCONNECTED,
    lasting,
    make_client,
    order,
    page_of,
    quicker_than,
    small_bodies,
)
from testing.faulty_server import (
    FaultyServer,
    answer,
    blackhole_url,
    close_without_answer,
    drip_body,
    drip_headers,
    endless_chunks,
    gzip_bomb,
    html,
    huge_body,
    many_headers,
    no_answer,
    redirect,
    refusing_url,
    reset,
    short_body,
    until_close,
)

RETRYABLE = {
    "reset": (reset, "reset", Unavailable),
    "end": (close_without_answer, "reset", Unavailable),
    "reset in the body": (short_body(order(), by_reset=True), "reset", Unavailable),
    "short body": (short_body(order()), "reset", Unavailable),
    "cut JSON": (until_close(b'{"data": [{"id"'), "bad_body", BadResponse),
    "broken gzip": (
        answer(200, order(), headers={"Content-Encoding": "gzip"}),
        "bad_body",
        BadResponse,
    ),
    "500": (answer(500), "server_error", Unavailable),
    "502": (html(502), "server_error", Unavailable),
    "503": (answer(503), "server_error", Unavailable),
    "504": (answer(504), "server_error", Unavailable),
}


def with_unknown(value: bytes) -> bytes:
    """Return an order with one unknown field of this raw value."""
    return b'{"id": "%b", "status": "created", "new": %b}' % (str(ORDER_ID).encode(), value)


LASTING = {
    "HTML": (html(), "content_type"),
    "text": (answer(200, order(), content_type="text/plain"), "content_type"),
    "a list": (answer(200, [1]), "bad_json"),
    "no order": (answer(200, {"status": "created"}), "bad_json"),
    "another order": (answer(200, order(id=str(OTHER_ID))), "mismatch"),
    "redirect": (redirect(302, "/v1/me"), "redirect"),
    "not modified": (answer(304), "redirect"),
    "201": (answer(201, order()), "status"),
    "204": (answer(204), "status"),
    "NaN": (answer(200, with_unknown(b"NaN")), "bad_json"),
    "Infinity": (answer(200, with_unknown(b"-Infinity")), "bad_json"),
    "duplicate keys": (answer(200, with_unknown(b'{"b": 1, "b": 2}')), "bad_json"),
    "deep lists": (answer(200, with_unknown(b"[" * 100_000 + b"]" * 100_000)), "bad_json"),
    "deep objects": (answer(200, with_unknown(b'{"a":' * 32 + b"1" + b"}" * 32)), "bad_json"),
    "a number of 10,000 digits": (answer(200, with_unknown(b"9" * 10_000)), "bad_json"),
    "not UTF-8": (answer(200, with_unknown(b'"\xff"')), "bad_json"),
    "a byte order mark": (answer(200, b"\xef\xbb\xbf" + with_unknown(b"1")), "bad_json"),
    "two values": (answer(200, with_unknown(b"1") + b" {}"), "bad_json"),
    "too many headers": (many_headers(150), "too_large"),
}


@pytest.mark.parametrize("case", RETRYABLE)
def test_a_transient_failure_is_retried(case):
    behavior, _, _ = RETRYABLE[case]
    with FaultyServer(behavior, answer(200, order())) as server:
        client = make_client(server.url)
        assert client.get_order(ORDER_ID, policy=THRICE).id == ORDER_ID
    assert len(server.requests) == 2


@pytest.mark.parametrize("case", RETRYABLE)
def test_a_lasting_failure_ends_after_all_attempts(case):
    behavior, kind, error = RETRYABLE[case]
    with FaultyServer(behavior) as server:
        client = make_client(server.url)
        with pytest.raises(error) as caught:
            client.get_order(ORDER_ID, policy=THRICE)
    assert (caught.value.kind, len(server.requests)) == (kind, 3)


@pytest.mark.parametrize("value", [b"1", b"null", b"[" * 30 + b"]" * 30, b"1e999", b'"\\u0000"'])
def test_unknown_values_are_an_order(value):
    with FaultyServer(answer(200, with_unknown(value))) as server:
        assert make_client(server.url).get_order(ORDER_ID).unknown_fields == {"new"}


@pytest.mark.parametrize("case", LASTING)
def test_a_bad_response_is_not_retried(case):
    behavior, kind = LASTING[case]
    with FaultyServer(behavior) as server:
        client = make_client(server.url)
        with pytest.raises(BadResponse) as caught:
            client.get_order(ORDER_ID, policy=THRICE)
    assert (caught.value.kind, len(server.requests)) == (kind, 1)


@pytest.mark.parametrize(
    "body",
    [{}, {"data": None}, {"data": {}}, {"list_meta": {"total_count": 3}}, [], None, "x"],
    ids=str,
)
def test_a_list_without_rows_is_never_an_empty_list(body):
    with FaultyServer(answer(200, body)) as server, pytest.raises(BadResponse) as caught:
        make_client(server.url).list_orders()
    assert caught.value.kind == "bad_json"


@pytest.mark.parametrize(
    "behavior",
    [no_answer, drip_headers(), drip_body(order())],
    ids=["no_answer", "dripped headers", "dripped body"],
)
@pytest.mark.parametrize(("policy", "requests"), [(BRIEFLY, 1), (TWICE, 2)])
def test_the_deadline_covers_all_attempts(behavior, policy, requests):
    with FaultyServer(behavior) as server:
        client = make_client(server.url, jitter=lambda: 0.0)
        with pytest.raises(Unavailable) as caught, lasting(policy.deadline):
            client.get_order(ORDER_ID, policy=policy)
    assert (caught.value.kind, len(server.requests)) == ("deadline", requests)


def test_a_missing_response_leaves_time_for_a_second_attempt():
    with FaultyServer(no_answer, answer(200, page_of(order()))) as server:
        client = make_client(server.url)
        assert len(client.list_orders(policy=TWICE).orders) == 1
    assert len(server.requests) == 2


def test_a_refused_connection_is_retried():
    waits = []
    with refusing_url() as url:
        client = make_client(url, sleep=waits.append)
        with pytest.raises(Unavailable) as caught, quicker_than(1):
            client.get_order(ORDER_ID, policy=THRICE)
    assert caught.value.kind == "connect"
    assert waits == [0.5 * FAST.retry_base, FAST.retry_base]


def test_a_blackhole_ends_with_the_connect_timeout_of_each_attempt():
    with blackhole_url() as url:
        client = make_client(url, limits=UNCONNECTED, jitter=lambda: 0.0)
        with pytest.raises(Unavailable) as caught, lasting(2 * UNCONNECTED.connect_timeout):
            client.get_order(ORDER_ID, policy=RetryPolicy(5, 2))
    assert caught.value.kind == "connect"


def test_there_is_no_retry_if_its_wait_exceeds_the_deadline():
    limits = replace(FAST, retry_base=100.0)
    with (
        FaultyServer(answer(503)) as server,
        pytest.raises(Unavailable) as caught,
        quicker_than(0.3),
    ):
        make_client(server.url, limits=limits).get_order(ORDER_ID, policy=THRICE)
    assert (caught.value.kind, len(server.requests)) == ("server_error", 1)


@pytest.mark.parametrize("end", [reset, close_without_answer], ids=["RST", "FIN"])
def test_a_stale_pooled_connection_costs_no_attempt(end):
    """DETAIL has one attempt, which a closed pooled connection must not use up."""
    with FaultyServer(answer(200, order()), end, answer(200, order())) as server:
        client = make_client(server.url)
        client.get_order(ORDER_ID, policy=ONCE)
        assert client.get_order(ORDER_ID, policy=ONCE).id == ORDER_ID
    assert (len(server.requests), server.connections) == (3, 2)


def test_before_send_is_called_for_each_attempt():
    seen = []
    with FaultyServer(
        answer(200, order()), close_without_answer, reset, answer(200, order())
    ) as server:
        client = make_client(server.url)
        client.get_order(ORDER_ID, policy=ONCE)
        client.get_order(
            ORDER_ID, policy=TWICE, before_send=lambda: seen.append(len(server.requests))
        )
    assert seen == [1, 2, 3]


def test_a_closed_pooled_connection_is_not_used():
    with FaultyServer(answer(200, order(), keep_alive=False)) as server:
        client = make_client(server.url)
        for _ in range(3):
            client.get_order(ORDER_ID, policy=ONCE)
    assert (len(server.requests), server.connections) == (3, 3)


@pytest.mark.parametrize(
    "behavior",
    [
        huge_body(10_000),
        huge_body(10_000, announce=False),
        gzip_bomb(10_000),
        endless_chunks(),
        endless_chunks(b"x"),
        many_headers(1, length=200_000),
    ],
    ids=["announced", "unannounced", "gzip", "chunks", "tiny chunks", "header"],
)
def test_too_large_is_not_retried(behavior):
    with FaultyServer(behavior) as server:
        client = make_client(server.url, limits=small_bodies())
        with pytest.raises(BadResponse) as caught:
            client.get_order(ORDER_ID, policy=THRICE)
    assert (caught.value.kind, len(server.requests)) == ("too_large", 1)


def test_a_body_of_exactly_the_limit_is_read():
    body = b'{"email": "a@b"}'.ljust(2000)
    with FaultyServer(answer(200, body)) as server:
        client = make_client(server.url, limits=small_bodies(2000))
        assert client.get_me().email == "a@b"
        server.set_script(answer(200, body + b" "))
        with pytest.raises(BadResponse):
            client.get_me()


def test_retry_after_of_a_503_is_respected_if_it_fits_the_deadline():
    waits = []
    with FaultyServer(
        answer(503, headers={"Retry-After": "2"}), answer(200, {"email": "a@b"})
    ) as server:
        assert make_client(server.url, sleep=waits.append).get_me(policy=THRICE).email == "a@b"
        assert waits == [2 + 0.5 * FAST.retry_base]
        server.set_script(answer(503, headers={"Retry-After": "4"}))
        with pytest.raises(Unavailable):
            make_client(server.url, sleep=waits.append).get_me(policy=THRICE)
    assert (len(waits), len(server.requests)) == (1, 3)


@pytest.mark.parametrize("header", [{"Retry-After": "1"}, {"Retry-After": "soon"}, {}])
def test_a_429_is_not_retried(header):
    """The wait applies to all callers, so the caller must record it first."""
    waits = []
    with FaultyServer(answer(429, headers=header)) as server, pytest.raises(RateLimited):
        make_client(server.url, sleep=waits.append).get_me(policy=THRICE)
    assert (waits, len(server.requests)) == ([], 1)


NOW = datetime(2031, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("-5", 0.0),
        ("36000", 36000.0),
        ("1e3", None),
        ("١٢", None),
        ("9" * 30, None),
        ("soon", None),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Wed, 01 Jan 2031 12:01:30 -0000", 90.0),
        ("Wed, 99 Jan 2031 12:01:30 GMT", None),
    ],
)
def test_parse_retry_after(value, seconds):
    assert parse_retry_after_header(value, now=NOW) == seconds


def test_a_retry_after_date_is_relative_to_goodys_clock():
    headers = {
        "Date": format_datetime(NOW, usegmt=True),
        "Retry-After": format_datetime(NOW + timedelta(hours=10), usegmt=True),
    }
    with (
        FaultyServer(answer(429, {"error": "Slow down"}, headers=headers)) as server,
        pytest.raises(RateLimited) as caught,
    ):
        make_client(server.url).cancel_order(ORDER_ID)
    assert (caught.value.retry_after, caught.value.message) == (36000.0, "Slow down")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 451])
def test_a_rejected_read_is_not_retried(status):
    with FaultyServer(answer(status, {"error": "No"})) as server, pytest.raises(Rejected) as caught:
        make_client(server.url).get_order(ORDER_ID, policy=THRICE)
    assert (caught.value.status, caught.value.message, len(server.requests)) == (status, "No", 1)
