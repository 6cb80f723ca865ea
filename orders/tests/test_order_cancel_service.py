"""Canceling a gift: what is stored, what is told, and how many POSTs leave, fault by fault."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from orders import index, services
from orders.audit import Actor
from orders.eligibility import facts
from orders.models import AuditEntry, Operation, Order, State
from orders.outcomes import tell
from orders.services import NotSettleable
from testing.domain import (
    ORDER_ID,
    actor,
    cancel,
    open_order,
    operation,
    order,
    order_json,
    read_again,
    read_until_settled,
    refusing,
    seen,
    standing,
    story,
)
from testing.faulty_server import (
    Behavior,
    Connection,
    FaultyServer,
    after,
    answer,
    blackhole_url,
    drip_body,
    drip_headers,
    endless_chunks,
    gzip_bomb,
    hang_up,
    html,
    huge_body,
    make_certificates,
    many_headers,
    redirect,
    refusing_url,
    reset,
    short_body,
    silence,
    until_close,
)
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db
threaded = pytest.mark.django_db(transaction=True)

CANCELED = {**order_json(), "status": "failed"}


def title(done: Operation) -> str:
    return _told(done).title


def sentence(done: Operation) -> str:
    return _told(done).sentence


def _told(done: Operation) -> Any:
    return tell(
        Operation.objects.get(pk=done.pk),
        now=timezone.now(),
        zone=timezone.get_default_timezone(),
    )


def cancels(emulator: Emulator, order_id: UUID) -> list[bool]:
    """Which of the cancels that reached Goody's store were applied."""
    return [one["applied"] for one in emulator.ledger(order_id=str(order_id), kind="cancel")]


@pytest.fixture
def goody(settings: Any) -> Callable[[FaultyServer], None]:
    """Point the settings at a server of this test, with short limits."""

    def use(server: FaultyServer) -> None:
        settings.GOODY_API_URL, settings.GOODY_API_KEY = server.url, "test-key"
        # What is meant to be answered is, also on a busy machine; only the POST is waited for.
        settings.GOODY_WRITE_DEADLINE, settings.GOODY_PAGE_DEADLINE = 0.8, 5
        settings.GOODY_DETAIL_DEADLINE = 0.8

    return use


def cancel_at(server: FaultyServer, goody: Any, **given: Any) -> Operation:
    goody(server)
    return cancel(ORDER_ID, **{"seen": facts(order()), **given})


# --- It works ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["created", "notified", "opened"])
@pytest.mark.parametrize("cancel_status", ["failed", "canceled"])
def test_cancel_works(emulator: Emulator, status: str, cancel_status: str) -> None:
    emulator.switch(cancel_status=cancel_status)
    order_id = open_order(emulator, status=status)
    done = cancel(order_id)
    assert standing(done) == ("applied", "", "")
    assert (title(done), sentence(done)) == ("Canceled", "Goody confirmed it.")
    assert (emulator.posts(), cancels(emulator, order_id)) == (1, [True])
    assert done.after["status"] == Order.objects.get(uuid=order_id).status == cancel_status
    view = services.refresh_order(order_id=order_id, now=timezone.now())
    assert (view.is_cancel_on_record, view.operation) == (True, None)


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
    shown = seen(order_id)
    emulator.change(order_id, status=status)
    done = cancel(order_id, seen=shown)
    assert standing(done) == ("refused", "B", kind)
    assert (title(done), emulator.posts()) == (heading, 0)
    assert sentence(done).endswith("Nothing was sent.")


def test_a_recipient_who_accepted_meanwhile_is_named_with_the_time(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    shown = seen(order_id)
    emulator.change(order_id, status="accepted")
    done = cancel(order_id, seen=shown)
    accepted = emulator.order(order_id)["event_times"]["accepted_at"]
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
        done = cancel_at(server, goody)
        assert (standing(done), server.posts) == (("refused", "B", "moved"), 0)
    assert done.detail.startswith(f"The order changed since you looked. {words}")
    assert done.before == facts(order())
    assert done.after["status"] == change.get("status", "notified")


def test_a_view_more_is_no_difference(goody: Any) -> None:
    get = answer(200, order_json(view_count_recipient=9, message="new"))
    with FaultyServer(get, post=(answer(200, CANCELED),)) as server:
        assert standing(cancel_at(server, goody)) == ("applied", "", "")


# --- Certainly not sent -----------------------------------------------------------------------


def unsent(done: Operation, kind: str, words: str) -> None:
    assert standing(done) == ("not_sent", "A", kind)
    assert (title(done), sentence(done)) == ("Not canceled", f"{words} Nothing was sent.")
    assert story(done)[1:] == [("order.cancel", "Goody Admin", "not_sent")]


def test_f1_name_lookup_fails(settings: Any) -> None:
    settings.GOODY_API_URL, settings.GOODY_API_KEY = "https://goody.invalid", "test-key"
    unsent(cancel(ORDER_ID, seen=facts(order())), "dns", "Goody is unreachable.")


@pytest.mark.parametrize("address", [refusing_url, blackhole_url])
def test_f2_connection_fails(address: Any, settings: Any) -> None:
    settings.GOODY_CONNECT_TIMEOUT = 0.2
    with address() as url:
        settings.GOODY_API_URL, settings.GOODY_API_KEY = url, "test-key"
        unsent(cancel(ORDER_ID, seen=facts(order())), "connect", "Goody is unreachable.")


def test_f2_connection_fails_between_read_and_post(goody: Any) -> None:
    def answer_and_leave(connection: Connection) -> None:
        server._listener.shutdown(socket.SHUT_RDWR)
        server._listener.close()
        answer(200, order_json())(connection)

    with FaultyServer(answer_and_leave) as server:
        unsent(cancel_at(server, goody), "connect", "Goody is unreachable.")
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
        done = cancel(ORDER_ID, seen=facts(order()))
        server.wait_until(lambda one: one.failed_handshakes == 1)
        assert server.requests == []
    unsent(done, "tls", "The secure connection to Goody failed.")
    assert AuditEntry.objects.filter(action="security.goody_tls").count() == 1


READ_FAULTS: dict[str, tuple[Behavior, str]] = {
    "F4": (silence, "deadline"),
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
        done = cancel(ORDER_ID, seen=facts(order()))
        assert (standing(done), server.posts) == (("not_sent", "A", kind), 0)
    assert sentence(done).endswith("Nothing was sent.")


TOO_OLD = "Too much time had passed since the order was read."


def test_a_read_that_is_too_old_by_the_time_of_the_post_sends_nothing(
    goody: Any, settings: Any
) -> None:
    settings.OPERATION_FRESH_READ = 0
    with FaultyServer(answer(200, order_json())) as server:
        unsent(cancel_at(server, goody), "slow", TOO_OLD)
        assert server.posts == 0


def test_a_read_is_as_old_as_its_request_and_not_as_its_answer(goody: Any, settings: Any) -> None:
    settings.OPERATION_FRESH_READ = 0.3
    with FaultyServer(after(0.35, answer(200, order_json()))) as server:
        unsent(cancel_at(server, goody), "slow", TOO_OLD)
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
    shown = seen(order_id)
    with connection.execute_wrapper(slow_claim):
        done = cancel(order_id, seen=shown)
    unsent(done, "slow", TOO_OLD)
    assert (done.sent_at, emulator.posts()) == (None, 0)


# --- Definitely refused -----------------------------------------------------------------------

REFUSALS = {
    400: ("rejected", "Refused by Goody", "Goody refused: No <b>way</b>."),
    401: (
        "key_rejected",
        "Not canceled",
        "This dashboard had no working connection to Goody.",
    ),
    403: (
        "forbidden",
        "Refused by Goody",
        "Goody does not allow this for this key: No <b>way</b>.",
    ),
    404: (
        "not_found",
        "This attempt was not carried out",
        "Goody does not know this order, or this key may not see it.",
    ),
    409: ("rejected", "Refused by Goody", "Goody refused: No <b>way</b>."),
    422: ("rejected", "Refused by Goody", "Goody refused: No <b>way</b>."),
}


@pytest.mark.parametrize("status", REFUSALS)
def test_f12_to_f15_a_refusal_is_shown_and_not_repeated(goody: Any, status: int) -> None:
    kind, heading, words = REFUSALS[status]
    refusal = answer(status, {"error": "No <b>way</b>"})
    with FaultyServer(answer(200, order_json()), post=(refusal,)) as server:
        done = cancel_at(server, goody)
        assert (standing(done), server.posts) == (("refused", "B", kind), 1)
        # Read before, and again after the refusal; a rejected key asks nothing more.
        assert len(server.requests) == (2 if status == 401 else 3)
    assert (title(done), sentence(done)) == (heading, words)
    assert story(done)[1:] == [("order.cancel", "Goody Admin", "refused")]


@pytest.mark.parametrize("body", [b"", b"<html>No</html>", b'{"error": 7}'])
def test_f15_a_refusal_without_a_usable_sentence(goody: Any, body: bytes) -> None:
    with FaultyServer(answer(200, order_json()), post=(answer(422, body),)) as server:
        done = cancel_at(server, goody)
    assert sentence(done) == "Goody refused: Goody gave no reason (HTTP 422)."


def test_f15_goodys_sentence_is_bounded(goody: Any) -> None:
    refusal = answer(422, {"error": "x" * 5000})
    with FaultyServer(answer(200, order_json()), post=(refusal,)) as server:
        assert cancel_at(server, goody).detail == "x" * 300


def test_f14_an_order_unknown_to_goody_is_flagged_and_kept(goody: Any) -> None:
    gone = answer(404, {"error": "Order not found"})
    with FaultyServer(answer(200, order_json()), gone, post=(gone,)) as server:
        done = cancel_at(server, goody)
        assert standing(done) == ("refused", "B", "not_found")
    row = Order.objects.get(uuid=ORDER_ID)
    assert row.missing_at is not None
    assert row.as_goody().id == ORDER_ID


def test_f14_a_404_to_the_fresh_read(goody: Any) -> None:
    index.upsert([order()], read_at=timezone.now())
    with FaultyServer(answer(404, {"error": "Order not found"})) as server:
        done = cancel_at(server, goody)
        assert (standing(done), server.posts) == (("refused", "B", "not_found"), 0)
    assert Order.objects.get(uuid=ORDER_ID).missing_at is not None


@pytest.mark.parametrize(("header", "seconds"), [("120", 120), ("36000", 900), (None, 5)])
def test_f16_f17_a_429_ends_a_single_action(
    goody: Any, header: str | None, seconds: int, clock: Any
) -> None:
    headers = {"Retry-After": header} if header else {}
    refusal = answer(429, {"error": "Slow"}, headers=headers)
    with FaultyServer(answer(200, order_json()), post=(refusal,)) as server:
        done = cancel_at(server, goody)
        assert (standing(done), server.posts) == (("refused", "B", "rate_limited"), 1)
        again = cancel(ORDER_ID, seen=facts(order()))
        assert (standing(again), server.posts) == (("refused", "B", "rate_limited"), 1)
    until = datetime.fromisoformat(done.detail)
    assert abs(until - timezone.now() - timedelta(seconds=seconds)) < timedelta(seconds=2)
    assert sentence(done) == f"Goody asks us to wait until {until:%H:%M:%S} UTC."


# --- Ambiguous --------------------------------------------------------------------------------

MIB = 1024 * 1024
AMBIGUOUS: dict[str, tuple[Behavior, str]] = {
    "F4 never answers": (silence, "deadline"),
    "F4 slow headers": (drip_headers(0.02), "deadline"),
    "F5 slow body": (drip_body(CANCELED, 0.02), "deadline"),
    "F6 reset": (reset, "reset"),
    "F6 closed": (hang_up, "reset"),
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
}


@pytest.mark.parametrize("fault", AMBIGUOUS)
def test_f4_to_f22_whatever_else_comes_after_sending_is_being_checked(
    fault: str, goody: Any
) -> None:
    behavior, kind = AMBIGUOUS[fault]
    with FaultyServer(answer(200, order_json()), post=(behavior,)) as server:
        done = cancel_at(server, goody)
        assert (standing(done), server.posts) == (("unknown", "C", kind), 1)
        assert [one.path for one in server.requests] == [
            f"/v1/orders/{ORDER_ID}",
            f"/v1/orders/{ORDER_ID}/cancel",
        ]
    assert title(done) == "Outcome being checked"
    assert done.due_at == done.unknown_at + timedelta(seconds=2)
    assert story(done)[1:] == [("order.cancel", "Goody Admin", "unknown")]
    redirected = AuditEntry.objects.filter(action="security.goody_redirect").count()
    assert redirected == (1 if kind == "redirect" else 0)


@pytest.mark.parametrize("status", [302, 307])
def test_f20_a_redirect_to_another_host_never_gets_key_or_post(goody: Any, status: int) -> None:
    with FaultyServer(answer(200, CANCELED)) as elsewhere:
        behavior = redirect(status, f"{elsewhere.url}/v1/orders/{ORDER_ID}/cancel")
        with FaultyServer(answer(200, order_json()), post=(behavior,)) as server:
            done = cancel_at(server, goody)
            assert (standing(done), server.posts) == (("unknown", "C", "redirect"), 1)
        assert (elsewhere.connections, elsewhere.requests) == (0, [])


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_f11_both_ends_count_as_canceled(goody: Any, status: str) -> None:
    post = answer(200, order_json(status=status))
    with FaultyServer(answer(200, order_json()), post=(post,)) as server:
        assert standing(cancel_at(server, goody)) == ("applied", "", "")


# --- Resolving by reading ---------------------------------------------------------------------


def lose_the_answer(emulator: Emulator, settings: Any, fault: dict[str, Any]) -> Operation:
    """A cancel whose answer got lost by `fault`."""
    settings.GOODY_WRITE_DEADLINE = 0.3
    order_id = open_order(emulator)
    shown = seen(order_id)
    emulator.fault(fault, method="POST")
    done = cancel(order_id, seen=shown)
    assert standing(done)[:2] == ("unknown", "C")
    return done


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "apply_then_hang", "seconds": 1},
        {"kind": "apply_then_reset"},
        {"kind": "apply_then_status", "status": 502},
    ],
)
def test_f31_applied_but_the_answer_was_lost(
    emulator: Emulator, settings: Any, clock: Any, fault: dict[str, Any]
) -> None:
    done = lose_the_answer(emulator, settings, fault)
    assert read_until_settled(done, clock) == [2]
    assert standing(done)[0] == "applied"
    assert sentence(done) == "It is canceled at Goody, consistent with this request."
    assert (emulator.posts(), cancels(emulator, done.order_uuid)) == (1, [True])
    assert [outcome for _, _, outcome in story(done)] == ["", "unknown", "applied"]


def test_f31_opening_the_page_settles_it_too(emulator: Emulator, settings: Any, clock: Any) -> None:
    done = lose_the_answer(emulator, settings, {"kind": "apply_then_reset"})
    view = services.refresh_order(order_id=done.order_uuid, now=timezone.now())
    assert (view.operation, view.is_cancel_on_record) == (None, True)
    assert standing(done)[0] == "applied"


def test_f32_not_applied_takes_three_reads_over_two_minutes(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = lose_the_answer(emulator, settings, {"kind": "cut"})
    assert read_until_settled(done, clock) == [2, 10, 60, 150]
    assert standing(done)[0] == "not_applied"
    assert (title(done), _told(done).next_step) == ("Not canceled", "You may try again.")
    assert (emulator.posts(), cancels(emulator, done.order_uuid)) == (1, [])
    emulator.heal()
    again = cancel(done.order_uuid)
    assert (again.state, emulator.posts()) == ("applied", 2)
    assert standing(done)[0] == "not_applied"


def test_f33_a_post_that_lands_late_is_still_canceled_once(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = lose_the_answer(emulator, settings, {"kind": "late_apply", "seconds": 600})
    for seconds in (2, 8, 50):
        clock.shift(seconds)
        assert read_again(done) == "unknown"
    emulator.control("POST", "late")
    assert read_until_settled(done, clock) == [150]
    assert standing(done)[0] == "applied"
    assert (emulator.posts(), cancels(emulator, done.order_uuid)) == (1, [True])


def test_a_cancel_that_arrives_after_it_was_given_up_is_corrected(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = lose_the_answer(emulator, settings, {"kind": "late_apply", "seconds": 600})
    read_until_settled(done, clock)
    assert standing(done)[0] == "not_applied"
    emulator.control("POST", "late")
    services.refresh_order(order_id=done.order_uuid, now=timezone.now())
    assert standing(done)[0] == "applied"
    assert sentence(done) == (
        "It is canceled at Goody, consistent with this request. "
        "It turned out later that it had arrived."
    )
    assert [outcome for _, _, outcome in story(done)] == ["", "unknown", "not_applied", "applied"]


def test_another_attempt_that_finds_it_arrived_corrects_the_first(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    """Its own fresh read shows it: of the other attempt itself nothing was sent."""
    done = lose_the_answer(emulator, settings, {"kind": "late_apply", "seconds": 600})
    read_until_settled(done, clock)
    shown = seen(done.order_uuid)
    emulator.control("POST", "late")
    again = cancel(done.order_uuid, seen=shown)
    assert (standing(done)[0], standing(again)) == ("applied", ("refused", "B", "ended"))
    assert (emulator.posts(), cancels(emulator, done.order_uuid)) == (1, [True])


def test_accepted_meanwhile_means_not_canceled(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = lose_the_answer(emulator, settings, {"kind": "cut"})
    emulator.change(done.order_uuid, status="accepted")
    assert read_until_settled(done, clock) == [2]
    assert standing(done)[0] == "not_applied"
    assert sentence(done).endswith("A later read shows the order as “accepted”.")
    # Its payment fails weeks later: that is not our cancel.
    emulator.change(done.order_uuid, status="failed")
    view = services.refresh_order(order_id=done.order_uuid, now=timezone.now())
    assert (standing(done)[0], view.is_cancel_on_record) == ("not_applied", False)


def test_failed_after_acceptance_proves_no_cancel(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = lose_the_answer(emulator, settings, {"kind": "cut"})
    emulator.change(done.order_uuid, status="accepted")
    emulator.change(done.order_uuid, status="failed")
    settings.OPERATION_READS = [2, 43_200]
    read_until_settled(done, clock)
    assert standing(done)[0] == "needs_human"


def test_an_unknown_status_concludes_nothing(emulator: Emulator, settings: Any, clock: Any) -> None:
    done = lose_the_answer(emulator, settings, {"kind": "cut"})
    emulator.change(done.order_uuid, status="on_hold")
    for seconds in (2, 8, 50, 90):
        clock.shift(seconds)
        assert read_again(done) == "unknown"
    emulator.change(done.order_uuid, status="failed")
    clock.shift(150)
    assert read_again(done) == "applied"


def test_f10_a_contradiction_that_reads_do_not_settle_needs_a_person(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    fault = {"kind": "body", "as": "text", "text": ""}
    order_id = open_order(emulator)
    shown = seen(order_id)
    fault["text"] = json.dumps(order_json(id=str(order_id), status="opened"))
    emulator.fault(fault, method="POST")
    done = cancel(order_id, seen=shown)
    assert standing(done) == ("unknown", "C", "contradiction")
    read_until_settled(done, clock)
    assert (standing(done)[0], title(done)) == ("needs_human", "Needs a person")
    assert emulator.posts() == 1


def test_f10_a_contradiction_that_a_read_settles(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    fault = {"kind": "mutate", "set": {"id": str(uuid4())}}
    done = lose_the_answer(emulator, settings, fault)
    assert standing(done) == ("unknown", "C", "contradiction")
    assert read_until_settled(done, clock) == [2]
    assert standing(done)[0] == "applied"


def test_goody_unreachable_for_a_day_needs_a_person(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = lose_the_answer(emulator, settings, {"kind": "cut"})
    emulator.fault({"kind": "status", "status": 404}, method="GET")
    settings.OPERATION_READS = [2, 10, 60, 150, 300, 40_000]
    moments = read_until_settled(done, clock)
    assert moments[-1] >= 86_400
    assert max(moments[:-1]) < 86_400
    assert (standing(done)[0], title(done)) == ("needs_human", "Needs a person")
    assert Operation.objects.get(pk=done.pk).reads == len(moments)


def test_reads_are_claimed_once(emulator: Emulator, settings: Any, clock: Any) -> None:
    done = lose_the_answer(emulator, settings, {"kind": "cut"})
    assert services.due_operations(now=timezone.now()) == []
    read_again(done)
    clock.shift(2)
    assert services.due_operations(now=timezone.now()) == [done.pk]
    before = emulator.calls()["total"]
    read_again(done)
    read_again(done)
    assert emulator.calls()["total"] == before + 1
    assert Operation.objects.get(pk=done.pk).reads == 1


# --- The same form, other people --------------------------------------------------------------


def test_f36_an_equal_submit_finds_the_same_operation(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    form = {"form_key": uuid4(), "seen": seen(order_id), "actor": actor()}
    first = cancel(order_id, **form)
    again = cancel(order_id, **form)
    assert (again.pk, again.state, emulator.posts()) == (first.pk, "applied", 1)
    assert Operation.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"reason": "other"},
        {"note": "x"},
        {"ticket": "https://x.example.com"},
        {"order_id": uuid4()},
        {"actor": ("agent", "bo")},
    ],
)
def test_f36_the_same_key_with_other_parameters(emulator: Emulator, other: Any) -> None:
    order_id = open_order(emulator)
    form: dict[str, Any] = {"form_key": uuid4(), "seen": seen(order_id)}
    cancel(order_id, **form)
    if "actor" in other:
        other = {"actor": actor(*other["actor"])}
    with pytest.raises(services.FormKeyReused):
        cancel(**{"order_id": order_id, **form, **other})
    assert (emulator.posts(), Operation.objects.count()) == (1, 1)


def in_threads(count: int, attempt: Callable[[], object]) -> list[object]:
    """What each of `count` attempts at once returned or raised."""
    results: list[object] = []
    start = threading.Barrier(count)

    def run() -> None:
        try:
            start.wait(10)
            results.append(attempt())
        except Exception as error:  # noqa: BLE001 - whatever it was is looked at
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == count
    return results


@threaded
def test_f36_equal_submits_at_once_make_one_post(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    form = {"form_key": uuid4(), "seen": seen(order_id), "actor": actor()}
    results = in_threads(8, lambda: cancel(order_id, **form))
    assert {one.pk for one in results if isinstance(one, Operation)} == {Operation.objects.get().pk}
    assert all(isinstance(one, Operation) for one in results), results
    assert (emulator.posts(), cancels(emulator, order_id)) == (1, [True])
    assert story(Operation.objects.get()) == [
        ("order.cancel", "Agent", ""),
        ("order.cancel", "Goody Admin", "applied"),
    ]


@threaded
def test_f38_two_people_at_once_make_one_post(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    shown = seen(order_id)
    people: list[Actor] = [actor("agent", name) for name in ("ana", "bo", "cy")]
    emulator.set_latency(0.1)
    results = in_threads(3, lambda: cancel(order_id, actor=people.pop(), seen=shown))
    busy = [one for one in results if isinstance(one, services.OrderBusy)]
    done = [one for one in results if isinstance(one, Operation)]
    assert (len(done) + len(busy), len(busy)) == (3, 2)
    assert {one.operation.pk for one in busy} == {done[0].pk}
    assert (emulator.posts(), Operation.objects.count()) == (1, 1)


@pytest.mark.parametrize("state", ["planned", "waiting", "sending", "unknown", "needs_human"])
def test_f38_an_open_operation_keeps_others_out(emulator: Emulator, state: str) -> None:
    order_id = open_order(emulator)
    shown = seen(order_id)
    first = operation(order_uuid=order_id, state=state)
    with pytest.raises(services.OrderBusy) as busy:
        cancel(order_id, actor=actor("agent", "bo"), seen=shown)
    assert (busy.value.operation.pk, emulator.posts()) == (first.pk, 0)
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("state", ["applied", "refused", "not_sent", "not_applied", "superseded"])
def test_f38_a_closed_operation_keeps_nobody_out(emulator: Emulator, state: str) -> None:
    order_id = open_order(emulator)
    operation(order_uuid=order_id, state=state)
    assert cancel(order_id).state == "applied"


@pytest.mark.parametrize("position", ["400", "404", "409", "422"])
def test_f39_the_sender_was_faster_between_read_and_post(
    emulator: Emulator, goody: Any, position: str
) -> None:
    """Goody's refusal stands; the fresh read shows why; nobody says "not canceled"."""
    refusal = answer(int(position), {"error": "Order is already canceled"})
    with FaultyServer(answer(200, order_json()), answer(200, CANCELED), post=(refusal,)) as server:
        done = cancel_at(server, goody)
        assert (done.state, server.posts) == ("refused", 1)
    assert Order.objects.get(uuid=ORDER_ID).status == "failed"
    assert position == "404" or title(done) == "Refused by Goody"


# --- Leases -----------------------------------------------------------------------------------


def test_a_planned_write_left_lying_was_not_sent() -> None:
    done = operation(state=State.PLANNED)
    assert services.abandon_expired(now=timezone.now() + timedelta(seconds=59)) == 0
    assert services.abandon_expired(now=timezone.now() + timedelta(seconds=61)) == 1
    assert standing(done) == ("not_sent", "A", "lease")
    assert [outcome for _, _, outcome in story(done)] == ["", "not_sent"]


def test_f44_a_write_left_lying_while_sending_is_unknown(emulator: Emulator, clock: Any) -> None:
    order_id = open_order(emulator)
    done = operation(state=State.SENDING, order_uuid=order_id, sent_at=timezone.now())
    clock.shift(61)
    view = services.refresh_order(order_id=order_id, now=timezone.now())
    assert view.operation is not None
    assert standing(done) == ("unknown", "C", "lease")
    read_until_settled(done, clock)
    assert (standing(done)[0], emulator.posts()) == ("not_applied", 0)


@threaded
@pytest.mark.parametrize("has_somebody_noticed", [False, True])
def test_f46_whose_lease_expired_before_the_first_byte_sends_nothing(
    goody: Any, clock: Any, has_somebody_noticed: bool
) -> None:
    def pause(paused: Connection) -> None:
        clock.shift(61)
        if has_somebody_noticed:
            services.abandon_expired(now=timezone.now())
            connection.close()
        answer(200, order_json())(paused)

    with FaultyServer(pause) as server:
        done = cancel_at(server, goody)
        assert (standing(done), server.posts) == (("not_sent", "A", "lease"), 0)
    assert done.state == "not_sent"
    assert [outcome for _, _, outcome in story(done)] == ["", "not_sent"]


@threaded
@pytest.mark.parametrize("went_on_to", ["unknown", "not_applied", "needs_human"])
def test_a_late_proof_counts_whatever_was_thought_meanwhile(
    goody: Any, clock: Any, went_on_to: str
) -> None:
    def pause(paused: Connection) -> None:
        clock.shift(61)
        services.abandon_expired(now=timezone.now())
        Operation.objects.update(state=went_on_to)
        connection.close()
        answer(200, CANCELED)(paused)

    with FaultyServer(answer(200, order_json()), post=(pause,)) as server:
        done = cancel_at(server, goody)
        assert server.posts == 1
    assert done.state == standing(done)[0] == "applied"
    assert [outcome for _, _, outcome in story(done)] == ["", "unknown", "applied"]


@threaded
def test_a_late_refusal_changes_nothing_that_was_found_out_meanwhile(
    goody: Any, clock: Any
) -> None:
    def pause(paused: Connection) -> None:
        clock.shift(61)
        services.abandon_expired(now=timezone.now())
        connection.close()
        answer(422, {"error": "No"})(paused)

    with FaultyServer(answer(200, order_json()), post=(pause,)) as server:
        done = cancel_at(server, goody)
    assert standing(done) == ("unknown", "C", "lease")


# --- By hand ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("is_applied", "state"), [(True, "applied"), (False, "not_applied")])
def test_a_lead_settles_what_needs_a_person(is_applied: bool, state: str) -> None:
    done = operation(state=State.NEEDS_HUMAN, unknown_at=timezone.now())
    _settle(done, is_applied)
    assert standing(done)[0] == state
    assert title(done) == ("Canceled" if is_applied else "Not canceled")
    assert sentence(done) == "Lead looked at Goody's own page and recorded this."
    with pytest.raises(NotSettleable):
        _settle(done, not is_applied)
    assert standing(done)[0] == state


def _settle(done: Operation, is_applied: bool) -> Operation:
    return services.settle_by_hand(
        actor=actor("lead"),
        operation_id=done.pk,
        is_applied=is_applied,
        note="seen",
        now=timezone.now(),
    )


def test_what_a_lead_took_for_not_applied_is_corrected_by_a_read(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    done = operation(
        state=State.NEEDS_HUMAN,
        order_uuid=order_id,
        unknown_at=timezone.now(),
        sent_at=timezone.now() - timedelta(seconds=1),
    )
    _settle(done, False)
    emulator.change(order_id, status="canceled")
    services.refresh_order(order_id=order_id, now=timezone.now())
    assert standing(done)[0] == "applied"


def test_only_one_cancel_is_told_to_have_done_it(emulator: Emulator, goody: Any) -> None:
    """While a new cancel is under way, what a read shows is not put down to an old one."""
    order_id = open_order(emulator)
    past = timezone.now() - timedelta(minutes=5)
    old = operation(state=State.NOT_APPLIED, order_uuid=order_id, sent_at=past, unknown_at=past)
    new = operation(state=State.SENDING, order_uuid=order_id, sent_at=past)
    emulator.change(order_id, status="failed")
    services.refresh_order(order_id=order_id, now=timezone.now())
    assert (standing(old)[0], standing(new)[0]) == ("not_applied", "sending")
    services.abandon_expired(now=timezone.now() + timedelta(seconds=61))
    services.refresh_order(order_id=order_id, now=timezone.now())
    assert (standing(old)[0], standing(new)[0]) == ("not_applied", "applied")


# --- The database refuses ---------------------------------------------------------------------


@threaded
@pytest.mark.parametrize(
    ("table", "what"), [("orders_operation", "INSERT"), ("orders_auditentry", "INSERT")]
)
def test_without_a_stored_intent_nothing_is_asked(
    emulator: Emulator, table: str, what: str
) -> None:
    order_id = open_order(emulator)
    shown = seen(order_id)
    person = actor()
    before = emulator.calls()["total"]
    with refusing(table, what), pytest.raises(services.NotRecorded):
        cancel(order_id, seen=shown, actor=person)
    assert (emulator.calls()["total"], Operation.objects.count()) == (before, 0)
    assert cancel(order_id, seen=shown, actor=person).state == "applied"


@threaded
def test_without_a_stored_claim_no_byte_leaves(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    shown = seen(order_id)
    with (
        refusing("orders_operation", "UPDATE", when="NEW.state = 'sending'"),
        pytest.raises(services.NotRecorded),
    ):
        cancel(order_id, seen=shown)
    assert (emulator.posts(), Operation.objects.get().state) == (0, "planned")


@threaded
def test_an_outcome_that_cannot_be_stored_is_found_again(emulator: Emulator, clock: Any) -> None:
    order_id = open_order(emulator)
    shown = seen(order_id)
    with (
        refusing("orders_operation", "UPDATE", when="NEW.state = 'applied'"),
        pytest.raises(services.OutcomeNotRecorded),
    ):
        cancel(order_id, seen=shown)
    done = Operation.objects.get()
    assert (done.state, title(done)) == ("sending", "Canceling…")
    clock.shift(61)
    services.abandon_expired(now=timezone.now())
    assert read_until_settled(done, clock) == [2]
    assert (standing(done)[0], emulator.posts()) == ("applied", 1)


@threaded
def test_a_refusal_that_was_stored_is_not_told_as_unsent(emulator: Emulator, goody: Any) -> None:
    """What fails after the outcome is stored costs freshness, not truth."""
    gone = answer(404, {"error": "Order not found"})
    with FaultyServer(answer(200, order_json()), gone, post=(gone,)) as server:
        with refusing("orders_order", "UPDATE", when="NEW.missing_at IS NOT NULL"):
            done = cancel_at(server, goody)
        assert (standing(done), server.posts) == (("refused", "B", "not_found"), 1)


@threaded
@pytest.mark.parametrize("outcome", ["", "applied"])
def test_what_the_database_refuses_is_logged_as_the_bug_it_is(
    emulator: Emulator, caplog: Any, outcome: str
) -> None:
    order_id = open_order(emulator)
    shown = seen(order_id)
    with (
        refusing("orders_auditentry", "INSERT", when=f"NEW.outcome = '{outcome}'"),
        pytest.raises((services.NotRecorded, services.OutcomeNotRecorded)),
    ):
        cancel(order_id, seen=shown)
    assert [bool(record.exc_info) for record in logged(caplog)] == [True]


@threaded
def test_a_log_line_quotes_nothing_of_the_row(emulator: Emulator, caplog: Any) -> None:
    order_id = open_order(emulator)
    with pytest.raises(services.NotRecorded):
        cancel(order_id, seen=seen(order_id), reason=None, note="Mira moved house")
    assert [record.levelname for record in logged(caplog)] == ["ERROR"]
    assert "IntegrityError" in caplog.text
    assert "Mira moved house" not in caplog.text


def logged(caplog: Any) -> list[Any]:
    return [one for one in caplog.records if one.name == "orders.services.writes.send"]


@threaded
@pytest.mark.sqlite_only(reason="PRAGMA max_page_count is SQLite's way to a full disk")
def test_f54_a_full_disk_refuses_the_write_and_still_reads(emulator: Emulator, caplog: Any) -> None:
    order_id = open_order(emulator)
    shown = seen(order_id)
    person = actor()
    before = emulator.calls()["total"]
    with connection.cursor() as cursor:
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            with pytest.raises(services.NotRecorded):
                cancel(order_id, seen=shown, actor=person, note="n" * 200_000)
            assert emulator.calls()["total"] == before
            told = [(one.levelname, one.exc_info) for one in logged(caplog)]
            assert told == [("WARNING", None)]
            view = services.refresh_order(order_id=order_id, now=timezone.now())
            assert (view.is_fresh, view.order.status) == (True, "notified")
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    assert Order.objects.get(uuid=order_id).as_goody().id == order_id
