"""Canceling a gift: the stored state, the message and the number of POSTs for each fault."""

from __future__ import annotations

import socket
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from orders import index, services
from orders.eligibility import order_snapshot
from orders.models import AuditEntry, Operation, Order, State
from testing.domain import (
    NEVER_ACCEPTED,
    ORDER_ID,
    audit_history,
    cancel,
    current_snapshot,
    open_order,
    order,
    order_json,
    read_if_due,
    stored_outcome,
)
from testing.faulty_server import (
    Behavior,
    Connection,
    FaultyServer,
    after,
    answer,
    blackhole_url,
    close_without_answer,
    drip_body,
    drip_headers,
    endless_chunks,
    gzip_bomb,
    html,
    huge_body,
    make_certificates,
    many_headers,
    no_answer,
    redirect,
    refusing_url,
    reset,
    short_body,
    until_close,
)
from testing.operations import (
    applied_cancels,
    cancel_with_server,
    sentence,
    title,
)
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db
threaded = pytest.mark.django_db(transaction=True)

CANCELED = {**order_json(), "status": "failed"}


# --- It works ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["created", "notified", "opened"])
@pytest.mark.parametrize("cancel_status", ["failed", "canceled"])
def test_cancel_works(emulator: Emulator, status: str, cancel_status: str) -> None:
    emulator.set_switches(cancel_status=cancel_status)
    order_id = open_order(emulator, status=status)
    done = cancel(order_id)
    assert stored_outcome(done) == ("applied", "", "")
    assert (title(done), sentence(done)) == ("Canceled", "Goody confirmed it.")
    assert (emulator.posts(), applied_cancels(emulator, order_id)) == (1, [True])
    assert done.after["status"] == Order.objects.get(uuid=order_id).status == cancel_status
    view = services.refresh_order(order_id=order_id, now=timezone.now())
    assert (view.is_cancel_on_record, view.operation) == (True, None)


def test_the_index_gets_the_answer_with_the_event_times_of_the_fresh_read(
    emulator: Emulator,
) -> None:
    order_id = open_order(emulator, status="opened")
    cancel(order_id)
    row, times = Order.objects.get(uuid=order_id), emulator.get_order(order_id)["event_times"]
    assert (row.status, row.event_times) == ("failed", times)
    assert row.created_at == datetime.fromisoformat(times["created_at"])


def test_a_confirmed_cancel_takes_no_effect_later(emulator: Emulator) -> None:
    done = cancel(open_order(emulator))
    assert not Operation.objects.get(pk=done.pk).may_take_effect


@pytest.mark.parametrize(
    ("status", "kind", "heading"),
    [
        ("accepted", "accepted", "Not canceled"),
        ("delivered", "accepted", "Not canceled"),
        ("failed", "ended", "Already canceled or failed"),
        ("canceled", "ended", "Already canceled or failed"),
        ("on_hold", "unknown_status", "This attempt was not carried out"),
    ],
)
def test_wrong_state_is_refused_without_a_post(
    emulator: Emulator, status: str, kind: str, heading: str
) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    emulator.change_order(order_id, status=status)
    done = cancel(order_id, snapshot=shown)
    assert stored_outcome(done) == ("refused", "B", kind)
    assert (title(done), emulator.posts()) == (heading, 0)
    assert sentence(done).endswith("Nothing was sent.")


def test_a_recipient_who_accepted_meanwhile_is_named_with_the_time(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    emulator.change_order(order_id, status="accepted")
    done = cancel(order_id, snapshot=shown)
    accepted = emulator.get_order(order_id)["event_times"]["accepted_at"]
    assert done.after["accepted_at"] == accepted.replace("Z", "+00:00")
    assert sentence(done).startswith("The recipient accepted it at ")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "opened"}, "Status: Notified → Opened."),
        ({"expires_at": None}, "Expiration: 1 Jan 2099, 00:00 UTC → none."),
        ({"recipient_first_name": "Noa"}, "Recipient: Mira Okafor mira@example.com → Noa Okafor"),
        ({"cart": {"items": []}}, "Gift: 2 × Tea → none."),
        ({"amounts": {"amount_pre_tax_total": 1}}, "Amount: $18.42 before tax → $0.01 before tax."),
    ],
)
def test_an_order_that_moved_is_refused_with_the_difference(
    goody: Any, change: dict[str, Any], words: str
) -> None:
    with FaultyServer(answer(200, order_json(**change))) as server:
        done = cancel_with_server(server, goody)
        assert (stored_outcome(done), server.posts) == (("refused", "B", "moved"), 0)
    assert done.detail.startswith(f"The order changed since you looked. {words}")
    assert done.before == order_snapshot(order())
    assert done.after["status"] == change.get("status", "notified")


def test_additional_view_is_not_a_difference(goody: Any) -> None:
    get = answer(200, order_json(view_count_recipient=9, message="new"))
    with FaultyServer(get, post=(answer(200, CANCELED),)) as server:
        assert stored_outcome(cancel_with_server(server, goody)) == ("applied", "", "")


# --- Certainly not sent -----------------------------------------------------------------------


def unsent(done: Operation, kind: str, words: str) -> None:
    assert stored_outcome(done) == ("not_sent", "A", kind)
    assert (title(done), sentence(done)) == ("Not canceled", f"{words} Nothing was sent.")
    assert audit_history(done)[1:] == [("order.cancel", "Goody Admin", "not_sent")]


def test_f1_name_lookup_fails(settings: Any) -> None:
    settings.GOODY_API_URL, settings.GOODY_API_KEY = "https://goody.invalid", "test-key"
    unsent(cancel(ORDER_ID, snapshot=order_snapshot(order())), "dns", "Goody is unreachable.")


@pytest.mark.parametrize("address", [refusing_url, blackhole_url])
def test_f2_connection_fails(address: Any, settings: Any) -> None:
    settings.GOODY_CONNECT_TIMEOUT = 0.2
    with address() as url:
        settings.GOODY_API_URL, settings.GOODY_API_KEY = url, "test-key"
        unsent(
            cancel(ORDER_ID, snapshot=order_snapshot(order())), "connect", "Goody is unreachable."
        )


def test_f2_connection_fails_between_read_and_post(goody: Any) -> None:
    def answer_and_leave(connection: Connection) -> None:
        server._listener.shutdown(socket.SHUT_RDWR)
        server._listener.close()
        answer(200, order_json())(connection)

    with FaultyServer(answer_and_leave) as server:
        unsent(cancel_with_server(server, goody), "connect", "Goody is unreachable.")
        assert server.posts == 0


@pytest.mark.parametrize("certificate", ["expired", "wrong_host", "self_signed"])
def test_f3_tls_is_never_downgraded(
    certificate: str, goody: Any, settings: Any, tmp_path: Any
) -> None:
    made = make_certificates(tmp_path)
    settings.GOODY_CA_BUNDLE = str(made.ca)
    with FaultyServer(
        answer(200, order_json()), tls=made.context(certificate), host="localhost"
    ) as server:
        goody(server)
        done = cancel(ORDER_ID, snapshot=order_snapshot(order()))
        server.wait_until(lambda one: one.failed_handshakes == 1)
        assert server.requests == []
    unsent(done, "tls", "The secure connection to Goody failed.")
    assert AuditEntry.objects.filter(action="security.goody_tls").count() == 1


READ_FAULTS: dict[str, tuple[Behavior, str]] = {
    "F4": (no_answer, "deadline"),
    "F6": (reset, "reset"),
    "F8": (until_close(b'{"id": "1111'), "bad_body"),
    "F9": (html(200), "content_type"),
    "F18": (answer(503, {"error": "down"}), "server_error"),
    "F19": (redirect(302, "https://elsewhere.example.com/"), "redirect"),
    "F22": (answer(200, b'{"id": NaN}'), "bad_json"),
    "another order": (answer(200, order_json(id=str(uuid4()))), "mismatch"),
}


@pytest.mark.parametrize("fault", READ_FAULTS)
def test_without_a_fresh_read_nothing_is_sent(fault: str, goody: Any, settings: Any) -> None:
    behavior, kind = READ_FAULTS[fault]
    with FaultyServer(behavior) as server:
        goody(server)
        if kind == "deadline":
            settings.GOODY_PAGE_DEADLINE = 0.4
        done = cancel(ORDER_ID, snapshot=order_snapshot(order()))
        assert (stored_outcome(done), server.posts) == (("not_sent", "A", kind), 0)
    assert sentence(done).endswith("Nothing was sent.")


TOO_OLD = "Too much time had passed since the order was read."


def test_a_read_that_is_too_old_by_the_time_of_the_post_sends_nothing(
    goody: Any, settings: Any
) -> None:
    settings.OPERATION_FRESH_READ = 0
    with FaultyServer(answer(200, order_json())) as server:
        unsent(cancel_with_server(server, goody), "slow", TOO_OLD)
        assert server.posts == 0


def test_a_read_is_as_old_as_its_request_and_not_as_its_answer(goody: Any, settings: Any) -> None:
    settings.OPERATION_FRESH_READ = 0.3
    with FaultyServer(after(0.35, answer(200, order_json()))) as server:
        unsent(cancel_with_server(server, goody), "slow", TOO_OLD)
        assert server.posts == 0


def test_a_claim_that_waited_until_the_read_was_too_old_sends_nothing(
    emulator: Emulator, settings: Any
) -> None:
    def slow_claim(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if sql.startswith("UPDATE") and "sending" in params:
            settings.OPERATION_FRESH_READ = -1
        return done

    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    with connection.execute_wrapper(slow_claim):
        done = cancel(order_id, snapshot=shown)
    unsent(done, "slow", TOO_OLD)
    assert (done.sent_at, emulator.posts()) == (None, 0)


# --- Definitely refused -----------------------------------------------------------------------

UNREAD = "Whether the order has changed is found out by reading it."
REFUSALS = {
    400: ("rejected", "Refused by Goody", "Goody refused: No <b>way</b>."),
    401: (
        "key_rejected",
        "Outcome being checked",
        f"This dashboard had no working connection to Goody. {UNREAD}",
    ),
    403: (
        "forbidden",
        "Refused by Goody",
        "Goody does not allow this for this key: No <b>way</b>.",
    ),
    404: (
        "not_found",
        "This attempt was not carried out",
        "Goody answered that it does not know this order, or that this key may not see it. "
        "A read afterwards showed the order as “Notified”.",
    ),
    409: ("rejected", "Refused by Goody", "Goody refused: No <b>way</b>."),
    422: ("rejected", "Refused by Goody", "Goody refused: No <b>way</b>."),
}


@pytest.mark.parametrize("status", REFUSALS)
def test_f12_to_f15_a_refusal_is_shown_and_not_repeated(goody: Any, status: int) -> None:
    kind, heading, words = REFUSALS[status]
    refusal = answer(status, {"error": "No <b>way</b>"})
    with FaultyServer(answer(200, order_json()), post=(refusal,)) as server:
        done = cancel_with_server(server, goody)
        assert (stored_outcome(done), server.posts) == (("refused", "B", kind), 1)
        # Read before, and again after the refusal; a rejected key asks nothing more.
        assert len(server.requests) == (2 if status == 401 else 3)
    assert (title(done), sentence(done)) == (heading, words)
    assert audit_history(done)[1:] == [("order.cancel", "Goody Admin", "refused")]


@pytest.mark.parametrize("status", [400, 409, 429])
def test_f15_an_applied_cancel_behind_a_refusal_is_found_by_the_read_that_follows(
    emulator: Emulator, clock: Any, status: int
) -> None:
    """A proxy repeated our request and returned only the second answer."""
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    fault = {"kind": "apply_then_status", "status": status, "text": "Already canceled"}
    emulator.add_fault(fault, method="POST")
    done = cancel(order_id, snapshot=shown)
    assert (done.state, emulator.posts()) == ("refused", 1)
    if status == 429:
        assert title(done) == "Outcome being checked"
        clock.shift(10)
        read_if_due(done)
    assert title(done) == "Canceled at Goody"
    assert "perhaps by our request of " in sentence(done)
    view = services.refresh_order(order_id=order_id, now=timezone.now())
    assert view.order.status == "failed"


def test_f39_a_recipient_who_accepted_between_read_and_post_is_named_with_the_time(
    emulator: Emulator, goody: Any
) -> None:
    accepted = order_json(
        status="accepted", event_times={**NEVER_ACCEPTED, "accepted_at": "2026-11-01T10:02:00Z"}
    )
    refusal = answer(422, {"error": "Too late"})
    with FaultyServer(answer(200, order_json()), answer(200, accepted), post=(refusal,)) as server:
        done = cancel_with_server(server, goody)
        assert (stored_outcome(done), server.posts) == (("refused", "B", "rejected"), 1)
    assert sentence(done) == (
        "Goody refused: Too late. The recipient accepted it at 1 Nov 2026, 10:02 UTC."
    )


def test_f16_a_429_is_told_as_not_canceled_once_a_read_shows_it(
    emulator: Emulator, clock: Any
) -> None:
    order_id = open_order(emulator)
    emulator.add_fault({"kind": "status", "status": 429}, method="POST")
    done = cancel(order_id)
    assert title(done) == "Outcome being checked"
    clock.shift(10)
    read_if_due(done)
    assert (title(done), Operation.objects.get(pk=done.pk).due_at) == ("Not canceled", None)


@pytest.mark.parametrize("body", [b"", b"<html>No</html>", b'{"error": 7}'])
def test_f15_a_refusal_without_a_usable_sentence(goody: Any, body: bytes) -> None:
    with FaultyServer(answer(200, order_json()), post=(answer(422, body),)) as server:
        done = cancel_with_server(server, goody)
    assert sentence(done) == "Goody refused: Goody gave no reason (HTTP 422)."


def test_f15_goodys_sentence_is_bounded(goody: Any) -> None:
    refusal = answer(422, {"error": "x" * 5000})
    with FaultyServer(answer(200, order_json()), post=(refusal,)) as server:
        assert cancel_with_server(server, goody).detail == "x" * 300


def test_f14_an_order_unknown_to_goody_is_flagged_and_kept(goody: Any) -> None:
    gone = answer(404, {"error": "Order not found"})
    with FaultyServer(answer(200, order_json()), gone, post=(gone,)) as server:
        done = cancel_with_server(server, goody)
        assert stored_outcome(done) == ("refused", "B", "not_found")
    row = Order.objects.get(uuid=ORDER_ID)
    assert row.missing_at is not None
    assert row.to_goody_order().id == ORDER_ID


def test_f14_a_404_to_the_fresh_read(goody: Any) -> None:
    index.upsert_orders([order()], read_at=timezone.now())
    with FaultyServer(answer(404, {"error": "Order not found"})) as server:
        done = cancel_with_server(server, goody)
        assert (stored_outcome(done), server.posts) == (("refused", "B", "not_found"), 0)
    assert Order.objects.get(uuid=ORDER_ID).missing_at is not None


@pytest.mark.parametrize(("header", "seconds"), [("120", 120), ("36000", 900), (None, 5)])
def test_f16_f17_a_429_ends_a_single_action(
    goody: Any, header: str | None, seconds: int, clock: Any
) -> None:
    headers = {"Retry-After": header} if header else {}
    refusal = answer(429, {"error": "Slow"}, headers=headers)
    with FaultyServer(answer(200, order_json()), post=(refusal,)) as server:
        done = cancel_with_server(server, goody)
        assert (stored_outcome(done), server.posts) == (("refused", "B", "rate_limited"), 1)
        again = cancel(ORDER_ID, snapshot=order_snapshot(order()))
        assert (stored_outcome(again), server.posts) == (("refused", "B", "rate_limited"), 1)
    until = datetime.fromisoformat(done.detail)
    assert abs(until - timezone.now() - timedelta(seconds=seconds)) < timedelta(seconds=2)
    assert sentence(done) == f"Goody asks us to wait until {until:%H:%M:%S} UTC. {UNREAD}"
    assert title(done) == "Outcome being checked"
    # No read is possible before that; then it decides what is said.
    assert Operation.objects.get(pk=done.pk).due_at is not None


# --- Ambiguous --------------------------------------------------------------------------------

MIB = 1024 * 1024
AMBIGUOUS: dict[str, tuple[Behavior, str]] = {
    "F4 never answers": (no_answer, "deadline"),
    "F4 slow headers": (drip_headers(0.02), "deadline"),
    "F5 slow body": (drip_body(CANCELED, 0.02), "deadline"),
    "F6 reset": (reset, "reset"),
    "F6 closed": (close_without_answer, "reset"),
    "F7 short": (short_body(CANCELED), "reset"),
    "F7 reset mid-body": (short_body(CANCELED, by_reset=True), "reset"),
    "F8 cut JSON": (until_close(b'{"id": "1111'), "bad_body"),
    "F9 HTML": (html(200), "content_type"),
    "F9 content type": (answer(200, CANCELED, content_type="text/plain"), "content_type"),
    "F10 another order": (answer(200, {**CANCELED, "id": str(uuid4())}), "contradiction"),
    "F10 still open": (answer(200, order_json(status="opened")), "contradiction"),
    "F10 accepted": (answer(200, order_json(status="accepted")), "contradiction"),
    "F18 500": (answer(500, {"error": "oops"}), "server_error"),
    "F18 502": (answer(502, b"bad gateway", content_type="text/html"), "server_error"),
    "F18 503": (answer(503, CANCELED), "server_error"),
    "F18 504": (answer(504), "server_error"),
    "F19 301": (redirect(301, "/v1/elsewhere"), "redirect"),
    "F19 303": (redirect(303, "/v1/elsewhere"), "redirect"),
    "F20 307": (redirect(307, "/v1/elsewhere"), "redirect"),
    "F20 308": (redirect(308, "/v1/elsewhere"), "redirect"),
    "F21 huge": (huge_body(2 * MIB), "too_large"),
    "F21 bomb": (gzip_bomb(3 * MIB), "too_large"),
    "F21 endless": (endless_chunks(), "too_large"),
    "F21 headers": (many_headers(500, length=1000), "too_large"),
    "F22 deep": (answer(200, b'{"a":' * 100 + b"1" + b"}" * 100), "bad_json"),
    "F22 twice": (answer(200, b'{"id": 1, "id": 2}'), "bad_json"),
    "F27 no status": (answer(200, {**CANCELED, "status": None}), "bad_json"),
    "201": (answer(201, CANCELED), "status"),
    "202": (answer(202, CANCELED), "status"),
    "204": (answer(204), "status"),
    **{
        f"F15 {status}": (answer(status, {"error": "No"}), "status")
        for status in (402, 405, 406, 408, 410, 413, 418, 425, 426, 451, 499)
    },
}


@pytest.mark.parametrize("fault", AMBIGUOUS)
def test_f4_to_f22_other_failures_after_sending_are_unknown(fault: str, goody: Any) -> None:
    behavior, kind = AMBIGUOUS[fault]
    with FaultyServer(answer(200, order_json()), post=(behavior,)) as server:
        done = cancel_with_server(server, goody)
        assert (stored_outcome(done), server.posts) == (("unknown", "C", kind), 1)
        assert [one.path for one in server.requests] == [
            f"/v1/orders/{ORDER_ID}",
            f"/v1/orders/{ORDER_ID}/cancel",
        ]
    assert title(done) == "Outcome being checked"
    assert done.due_at == done.unknown_at + timedelta(seconds=2)
    assert audit_history(done)[1:] == [("order.cancel", "Goody Admin", "unknown")]
    redirected = AuditEntry.objects.filter(action="security.goody_redirect").count()
    assert redirected == (1 if kind == "redirect" else 0)


@pytest.mark.parametrize("status", [302, 307])
def test_f20_a_redirect_to_another_host_never_gets_key_or_post(goody: Any, status: int) -> None:
    with FaultyServer(answer(200, CANCELED)) as elsewhere:
        behavior = redirect(status, f"{elsewhere.url}/v1/orders/{ORDER_ID}/cancel")
        with FaultyServer(answer(200, order_json()), post=(behavior,)) as server:
            done = cancel_with_server(server, goody)
            assert (stored_outcome(done), server.posts) == (("unknown", "C", "redirect"), 1)
        assert (elsewhere.connections, elsewhere.requests) == (0, [])


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_f11_failed_and_canceled_confirm_the_cancel(goody: Any, status: str) -> None:
    post = answer(200, order_json(status=status))
    with FaultyServer(answer(200, order_json()), post=(post,)) as server:
        assert stored_outcome(cancel_with_server(server, goody)) == ("applied", "", "")


@pytest.mark.parametrize("position", ["400", "404", "409", "422"])
def test_f39_order_canceled_between_read_and_post(
    emulator: Emulator, goody: Any, position: str
) -> None:
    """The read after the refusal shows the cancel, so the message does not say "not canceled"."""
    refusal = answer(int(position), {"error": "Order is already canceled"})
    with FaultyServer(answer(200, order_json()), answer(200, CANCELED), post=(refusal,)) as server:
        done = cancel_with_server(server, goody)
        assert (done.state, server.posts) == ("refused", 1)
    assert Order.objects.get(uuid=ORDER_ID).status == "failed"
    assert position == "404" or title(done) == "Refused by Goody"


@pytest.mark.django_db
def test_excerpt_of_an_unusable_answer_is_stored(goody: Any) -> None:
    order_id = ORDER_ID
    page = answer(200, b"<html>maintenance of ana@example.test</html>", content_type="text/html")
    with FaultyServer(answer(200, order_json()), post=(page,)) as server:
        goody(server)
        done = cancel(order_id, snapshot=current_snapshot(order_id))
    assert done.state == State.UNKNOWN
    assert done.evidence is not None
    assert (done.evidence["status"], len(done.evidence["sha256"])) == (200, 64)
    assert "ana@example.test" not in done.evidence["body_start"]
