"""TLS, redirects, and that nothing shows the API key."""

import logging
import traceback

import pytest

from goody.client import Client
from goody.errors import BadResponse, GoodyError, OutcomeUnknown, Unavailable
from goody.tests.samples import FAST, KEY, ORDER_ID, THRICE, make_client, order
from testing.faulty_server import (
    FaultyServer,
    answer,
    html,
    make_certificates,
    redirect,
    refusing_url,
    reset,
    short_body,
)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"))


CALLS = {
    "read": lambda client, _: client.get_order(ORDER_ID, policy=THRICE),
    "write": lambda client, called: client.cancel_order(
        ORDER_ID, before_send=lambda: called.append(1)
    ),
}


def secure_client(server, certificates, **options):
    return make_client(server.url, ca_bundle=str(certificates.ca), **options)


def test_a_valid_certificate_is_accepted(certificates):
    tls = certificates.context("good")
    with FaultyServer(answer(200, order()), tls=tls, host="localhost") as server:
        client = secure_client(server, certificates)
        seen = []
        for _ in range(2):
            assert client.get_order(ORDER_ID).id == ORDER_ID
        client.cancel_order(ORDER_ID, before_send=lambda: seen.append(len(server.requests)))
    assert (seen, server.connections, server.failed_handshakes) == ([2], 2, 0)


@pytest.mark.parametrize("fault", ["expired", "wrong_host", "self_signed", "old_protocol"])
@pytest.mark.parametrize("call", ["read", "write"])
def test_an_invalid_certificate_sends_nothing_and_is_not_retried(certificates, fault, call):
    is_old = fault == "old_protocol"
    tls = certificates.old_protocol() if is_old else certificates.context(fault)
    called = []
    with FaultyServer(answer(200, order()), tls=tls, host="localhost") as server:
        client = secure_client(server, certificates)
        with pytest.raises(Unavailable) as caught:
            CALLS[call](client, called)
        server.wait_until(lambda s: s.failed_handshakes == 1)
    assert (caught.value.kind, called) == ("tls", [])
    assert (server.connections, server.requests) == (1, [])


def test_an_unknown_authority_is_rejected(certificates):
    tls = certificates.context("good")
    with (
        FaultyServer(answer(200, order()), tls=tls, host="localhost") as server,
        pytest.raises(Unavailable) as caught,
    ):
        make_client(server.url).get_order(ORDER_ID)
    assert caught.value.kind == "tls"


def test_plain_http_at_an_https_url_is_a_tls_failure(certificates):
    with FaultyServer(answer(200, order())) as server:
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        client = Client(base_url=url, api_key=KEY, limits=FAST, ca_bundle=str(certificates.ca))
        with pytest.raises(Unavailable) as caught:
            client.cancel_order(ORDER_ID)
    assert caught.value.kind in ("tls", "connect")
    # The server may take random bytes of the handshake for lines of text.
    assert [one for one in server.requests if one.method in ("GET", "POST")] == []


def test_resets_within_tls(certificates):
    tls = certificates.context("good")
    with FaultyServer(reset, short_body(order()), tls=tls, host="localhost") as server:
        client = secure_client(server, certificates)
        for _ in range(2):
            with pytest.raises(OutcomeUnknown) as caught:
                client.cancel_order(ORDER_ID)
            assert caught.value.kind == "reset"
    assert server.posts == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", ["read", "write"])
def test_a_redirect_is_not_followed(status, call):
    with FaultyServer(answer(200, order())) as elsewhere:
        with FaultyServer(redirect(status, f"{elsewhere.url}/v1/me")) as server:
            client = make_client(server.url)
            error = BadResponse if call == "read" else OutcomeUnknown
            with pytest.raises(error) as caught:
                CALLS[call](client, [])
        assert (elsewhere.connections, len(server.requests)) == (0, 1)
    assert (caught.value.kind, caught.value.status) == ("redirect", status)


@pytest.mark.parametrize(
    "behavior",
    [answer(401, {"error": KEY}), html(), reset, redirect(302, "/"), answer(500, KEY.encode())],
    ids=["401", "html", "reset", "redirect", "500"],
)
def test_errors_logs_and_reprs_do_not_contain_the_key(behavior, caplog):
    caplog.set_level(logging.DEBUG)
    with FaultyServer(behavior) as server:
        client = make_client(server.url)
        for call in (client.get_order, client.cancel_order):
            with pytest.raises(GoodyError) as caught:
                call(ORDER_ID)
            assert KEY not in everything_about(caught.value)
            assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert KEY not in caplog.text
    assert KEY not in repr(client) + repr(vars(client))


def everything_about(error):
    """Return the error as a report with the local variables of our frames shows it."""
    captured = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in captured.stack if "/goody/tests/" not in frame.filename]
    values = [repr(frame.locals) for frame in frames]
    return "\n".join([*captured.format_exception_only(), repr(vars(error)), *values])


def test_the_error_of_a_refused_connection_does_not_contain_the_key():
    with refusing_url() as url, pytest.raises(Unavailable) as caught:
        make_client(url).get_order(ORDER_ID)
    assert KEY not in everything_about(caught.value)


def test_an_invalid_ca_bundle_raises_at_once(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        make_client("https://api.example.test", ca_bundle=str(tmp_path / "missing.pem"))
