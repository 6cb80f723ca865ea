"""4xx responses: their errors, messages and evidence."""

import hashlib

import pytest

from goody.errors import NotFound, RateLimited, Rejected, Unauthorized
from goody.tests.samples import KEY, ORDER_ID, make_client
from goody.tests.test_writes import cancel, extend
from testing.faulty_server import FaultyServer, answer, html

CALLS = {
    "me": lambda client: client.get_me(),
    "workspaces": lambda client: client.list_workspaces(),
    "list": lambda client: client.list_orders(),
    "get": lambda client: client.get_order(ORDER_ID),
    "cancel": cancel,
    "extend": extend,
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, Rejected, "refused"),
        (401, Unauthorized, "unauthorized"),
        (403, Rejected, "refused"),
        (404, NotFound, "not_found"),
        (409, Rejected, "refused"),
        (422, Rejected, "refused"),
        (429, RateLimited, "rate_limited"),
    ],
)
def test_each_4xx_has_its_error(call, status, error, kind):
    with (
        FaultyServer(answer(status, {"error": "Order not found"})) as server,
        pytest.raises(Rejected) as caught,
    ):
        CALLS[call](make_client(server.url))
    assert type(caught.value) is error
    assert (caught.value.status, caught.value.kind) == (status, kind)
    assert (caught.value.message, len(server.requests)) == ("Order not found", 1)


def message_of(behavior):
    with FaultyServer(behavior) as server, pytest.raises(Rejected) as caught:
        cancel(make_client(server.url))
    return caught.value.message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": "a\x00b\x1b[31m\r\nc\u2028d"}, "a b [31m c d"),
        ({"error": "x" * 400}, "x" * 300),
        ({"error": f"Bad key {KEY}!"}, "Bad key [key]!"),
        ({"error": "<b>no</b>"}, "<b>no</b>"),
        ({"error": "\ud800"}, "Goody gave no reason (HTTP 422)."),
        ({"error": ""}, "Goody gave no reason (HTTP 422)."),
        ({"error": ["a"]}, "Goody gave no reason (HTTP 422)."),
        ({"message": "a"}, "Goody gave no reason (HTTP 422)."),
        (["a"], "Goody gave no reason (HTTP 422)."),
        (b"", "Goody gave no reason (HTTP 422)."),
        (b"{", "Goody gave no reason (HTTP 422)."),
    ],
)
def test_goodys_message_is_cleaned_and_truncated(body, message):
    assert message_of(answer(422, body)) == message


def test_html_has_no_message():
    assert message_of(html(403)) == "Goody gave no reason (HTTP 403)."


def test_the_evidence_has_no_names_from_json():
    body = b'{"error": "Too late", "a": {"recipient_first_name":"Pri\\"ya","n": 1}, "b": "Nair'
    with FaultyServer(answer(409, body)) as server, pytest.raises(Rejected) as caught:
        cancel(make_client(server.url))
    assert caught.value.body_start == (
        '{"error": "Too late", "a": {"recipient_first_name":"...","n": 1}, "b": "..."'
    )


def test_the_evidence_is_short_and_redacted():
    body = f"Hi priya.nair+x@example.test, key {KEY}\x00token abcdefgh12345678 ".encode()
    body += "é".encode() * 300
    with FaultyServer(answer(404, body)) as server, pytest.raises(NotFound) as caught:
        cancel(make_client(server.url))
    error = caught.value
    assert error.body_start.startswith("Hi [email] key [key] token [token] é")
    assert 198 <= len(error.body_start.encode()) <= 200
    assert error.detail == {
        "kind": "not_found",
        "status": 404,
        "body_start": error.body_start,
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    assert str(error) == "Goody does not know this order"
