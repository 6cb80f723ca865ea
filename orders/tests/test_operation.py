"""/orders/<uuid>/operations/<uuid>/ and settling by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from orders import services
from orders.models import AuditEntry, Heartbeat, Operation, State
from orders.services import health
from testing.dialogs import hidden, htmx, open_and_submit, text, url
from testing.domain import store_operation

pytestmark = pytest.mark.django_db

WISH = {"reason": "other", "note": "because <b>", "ticket": "https://tickets.test/7"}


@pytest.fixture
def order_id(emulator: Any) -> str:
    found: str = emulator.find_order_id(status="notified")
    return found


def page_of(operation: Operation, **query: str) -> str:
    return reverse("operation", args=[operation.order_uuid, operation.id], query=query or None)


def settle_url(operation: Operation) -> str:
    return reverse("operation_settle", args=[operation.order_uuid, operation.id])


def canceled(client: Any, order_id: str) -> Operation:
    open_and_submit(client, url("order_cancel", order_id), **WISH)
    return Operation.objects.get()


@pytest.fixture
def waiting(emulator: Any, as_role: Any, order_id: str) -> Operation:
    """A cancel whose outcome was unknown for a day."""
    emulator.add_fault({"kind": "cut"}, method="POST", path="/v1/orders/")
    operation = canceled(as_role("agent"), order_id)
    assert Operation.objects.transition(operation, State.NEEDS_HUMAN, due_at=None)
    operation.refresh_from_db()
    return operation


def test_operation_page_shows_person_time_reason_and_outcome(as_role: Any, order_id: str) -> None:
    operation = canceled(as_role("agent"), order_id)
    page = text(as_role("viewer").get(page_of(operation, next="/orders/?per_page=25")))
    for said in (
        "<h1>Canceled</h1>",
        "Goody confirmed it.",
        "</time> by Agent</dd>",
        "<dd>Other</dd>",
        "because &lt;b&gt;",
        'href="https://tickets.test/7"',
        "Notified → Canceled",
        'href="/orders/?per_page=25"',
        str(operation.id),
    ):
        assert said in page
    assert '<div id="operation" class="stack">' in page


def test_an_open_one_polls_and_asks_nothing_of_goody(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    client = as_role("agent")
    emulator.add_fault({"kind": "cut"}, method="POST", path="/v1/orders/")
    operation = canceled(client, order_id)
    calls = emulator.calls()["total"]
    part = text(client.get(page_of(operation), headers=htmx("div#operation")))
    assert part.strip().startswith('<div id="operation"')
    assert 'hx-trigger="every 2s"' in part
    assert "Outcome being checked" in part
    assert emulator.calls()["total"] == calls


def test_poll_interval_grows_with_time(emulator: Any, as_role: Any, order_id: str) -> None:
    emulator.add_fault({"kind": "cut"}, method="POST", path="/v1/orders/")
    operation = canceled(as_role("agent"), order_id)
    long_ago = datetime.now(UTC) - timedelta(minutes=6)
    Operation.objects.filter(pk=operation.pk).update(created_at=long_ago)
    assert 'hx-trigger="every 15s"' in text(as_role("agent").get(page_of(operation)))


def test_operation_page_requires_the_matching_order(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    operation = canceled(as_role("agent"), order_id)
    stray = reverse("operation", args=[uuid4(), operation.id])
    assert as_role("agent").get(stray).status_code == 404
    unknown = reverse("operation", args=[order_id, uuid4()])
    assert as_role("agent").get(unknown).status_code == 404


def test_an_applied_extension_offers_undo_to_those_who_may(emulator: Any, as_role: Any) -> None:
    order_id = emulator.find_order_id(status="notified", no_expiry="false")
    later = (datetime.now(UTC) + timedelta(days=300)).strftime("%Y-%m-%dT%H:%M:%SZ")
    wish = {"expiration": later, "may_shorten": "on"}
    open_and_submit(as_role("agent"), url("order_expiration", order_id), **wish)
    operation = Operation.objects.get()
    undo = f"{operation.id}/undo/"
    assert undo in text(as_role("agent").get(page_of(operation)))
    assert undo not in text(as_role("viewer").get(page_of(operation)))


def test_operation_that_needs_a_person_is_not_polled(as_role: Any, waiting: Operation) -> None:
    page = text(as_role("agent").get(page_of(waiting)))
    assert "Needs a person" in page
    assert '<div id="operation" class="stack">' in page
    assert settle_url(waiting) not in page


@pytest.mark.parametrize(
    ("says", "ends"),
    [("yes", (State.APPLIED, "Marked as canceled")), ("no", (State.NOT_APPLIED, "Not canceled"))],
)
def test_a_lead_settles_it(
    emulator: Any, as_role: Any, waiting: Operation, says: str, ends: tuple[State, str]
) -> None:
    lead, (state, title) = as_role("lead"), ends
    assert settle_url(waiting) in text(lead.get(page_of(waiting)))
    calls = emulator.calls()["total"]
    answer = lead.post(settle_url(waiting), {"is_applied": says, "note": "Track page, <row 4>"})
    assert answer.status_code == 303
    waiting.refresh_from_db()
    assert waiting.state == state
    page = text(lead.get(answer["Location"]))
    assert f"<h1>{title}</h1>" in page
    assert "Settled by Lead" in page
    assert "Track page, &lt;row 4&gt;" in page
    entry = AuditEntry.objects.get(action="operation.settle")
    assert (entry.actor, entry.outcome, entry.note) == (lead.user, state, "Track page, <row 4>")
    assert emulator.calls()["total"] == calls


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"note": "kept"}, "Say what Goody&#x27;s own page shows."),
        ({"note": "kept", "is_applied": "maybe"}, "Say what Goody&#x27;s own page shows."),
        ({"is_applied": "yes"}, "Say what you saw, and where."),
    ],
)
def test_bad_input_is_kept_and_settles_nothing(
    as_role: Any, waiting: Operation, given: dict[str, str], sentence: str
) -> None:
    answer = as_role("lead").post(settle_url(waiting), given)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert ("kept</textarea>" in text(answer)) == ("note" in given)
    waiting.refresh_from_db()
    assert waiting.state == State.NEEDS_HUMAN


def test_settled_operation_cannot_be_settled_again(as_role: Any, waiting: Operation) -> None:
    lead = as_role("lead")
    lead.post(settle_url(waiting), {"is_applied": "no", "note": "first"})
    answer = lead.post(settle_url(waiting), {"is_applied": "yes", "note": "second"})
    assert answer.status_code == 409
    assert "It was settled meanwhile" in text(answer)
    assert "<h1>Not canceled</h1>" in text(answer)
    waiting.refresh_from_db()
    assert waiting.state == State.NOT_APPLIED


@pytest.mark.parametrize("role", ["viewer", "agent"])
def test_only_leads_settle_operations(as_role: Any, waiting: Operation, role: str) -> None:
    answer = as_role(role).post(settle_url(waiting), {"is_applied": "yes", "note": "x"})
    assert answer.status_code == 403
    waiting.refresh_from_db()
    assert waiting.state == State.NEEDS_HUMAN


def test_settling_by_get_leads_to_the_operation(as_role: Any, waiting: Operation) -> None:
    """A login between the form and its answer redirects by GET."""
    response = as_role("lead").get(settle_url(waiting), {"next": "/orders/?per_page=25"})
    assert response.status_code == 302
    assert response["Location"].startswith(page_of(waiting))
    assert "per_page" in response["Location"]


def test_the_detail_shows_an_attempt_without_effect_in_a_place_that_stays(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    client = as_role("agent")
    refusal = {"kind": "status", "status": 422, "text": "Too late"}
    emulator.add_fault(refusal, method="POST", path="/v1/orders/")
    operation = canceled(client, order_id)
    page = text(client.get(url("order_detail", order_id))).partition('id="h-timeline"')[0]
    assert "Goody refused: Too late." in page
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    Operation.objects.filter(pk=operation.pk).update(closed_at=an_hour_ago)
    page = text(client.get(url("order_detail", UUID(order_id)))).partition('id="h-timeline"')[0]
    assert "Goody refused" not in page


# --- Waiting for the worker, and later reads --------------------------------------------------


def lost(**fields: Any) -> Operation:
    now = datetime.now(UTC)
    return store_operation(**{"state": State.UNKNOWN, "sent_at": now, "unknown_at": now, **fields})


NO_WORKER = "No worker is running, so the order is not read at present: tell an admin."


def test_a_page_that_waits_for_the_worker_says_that_none_is_running(
    emulator: Any, as_role: Any
) -> None:
    client, order_id = as_role("agent"), emulator.find_order_id(status="opened")
    emulator.add_fault({"kind": "cut"}, method="POST", path="/v1/orders/")
    one = canceled(client, order_id)
    pages = (page_of(one), url("order_detail", order_id))
    assert [NO_WORKER in unescape(text(client.get(page))) for page in pages] == [True, True]
    health.record_heartbeat(health.SETTLING, now=timezone.now(), is_forced=True)
    assert [NO_WORKER in unescape(text(client.get(page))) for page in pages] == [False, False]
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(seconds=61))
    assert NO_WORKER in unescape(text(client.get(page_of(one))))


def test_closed_operation_does_not_mention_the_worker(as_role: Any) -> None:
    for state in (State.PLANNED, State.SENDING, State.NEEDS_HUMAN, State.APPLIED):
        one = store_operation(order_uuid=uuid4(), state=state, sent_at=timezone.now())
        assert NO_WORKER not in unescape(text(as_role("agent").get(page_of(one))))


def test_without_a_worker_the_page_ends_an_expired_lease_itself(as_role: Any) -> None:
    past = datetime.now(UTC) - timedelta(minutes=2)
    one = store_operation(state=State.SENDING, sent_at=past, lease_until=past)
    assert "Outcome being checked" in text(as_role("agent").get(page_of(one)))


def test_operation_page_shows_one_state_although_it_changes_meanwhile(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    """Another process abandons the operation between two reads of it, if there are two."""
    client = as_role("agent")
    client.get(url("order_detail", order_id))
    now = timezone.now()
    one = store_operation(order_uuid=UUID(order_id), state=State.SENDING, sent_at=now)
    reads: list[str] = []

    def abandon_between_reads(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "FROM orders_operation WHERE order_uuid" in sql:
            reads.append(sql)
            if len(reads) == 2:
                services.abandon_expired_operations(now=now + timedelta(hours=1))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(abandon_between_reads):
        page = text(client.get(page_of(one)))
    assert (len(reads), "Canceling…" in page, "Outcome being checked" in page) == (1, True, False)
    services.abandon_expired_operations(now=now + timedelta(hours=1))
    page = text(client.get(page_of(one)))
    assert ("Canceling…" in page, "Do not repeat it elsewhere" in page) == (False, True)


def test_lost_extension_is_repeated_with_one_click(emulator: Any, as_role: Any) -> None:
    order_id = emulator.find_order_id(status="notified", no_expiry="false")
    asked = (datetime.now(UTC) + timedelta(days=300)).replace(microsecond=0)
    now = datetime.now(UTC)
    one = lost(
        order_uuid=UUID(order_id),
        action="order.extend",
        state=State.NOT_APPLIED,
        expiration=asked,
        expires_before=asked + timedelta(days=1),
        sent_at=now - timedelta(minutes=5),
    )
    client = as_role("agent")
    again = f"{url('order_expiration', order_id)}?again={one.id}"
    assert f'href="{again}' in unescape(text(client.get(page_of(one))))
    assert "again=" not in text(as_role("viewer").get(page_of(one)))
    dialog = client.get(again)
    assert f'value="{asked.isoformat()}"' in text(dialog)
    assert "checked" not in text(dialog)
    given = {"expiration_custom": asked.isoformat(), "may_shorten": "on"}
    client.post(url("order_expiration", order_id), {**hidden(dialog), **given})
    assert emulator.get_order(order_id)["expires_at"] == f"{asked:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    ("state", "more"),
    [
        (State.UNKNOWN, {}),
        (State.SUPERSEDED, {}),
        (State.NOT_APPLIED, {"effect_seen_at": datetime(2026, 1, 2, tzinfo=UTC)}),
    ],
)
def test_operation_that_may_have_taken_effect_offers_no_repeat(
    as_role: Any, state: State, more: dict[str, Any]
) -> None:
    later = datetime.now(UTC) + timedelta(days=9)
    one = lost(action="order.extend", state=state, expiration=later, **more)
    assert "again=" not in text(as_role("agent").get(page_of(one)))


def test_person_sees_a_notice_until_the_operation_page_is_opened(
    as_role: Any,
) -> None:
    ana, bo = as_role("agent", "ana"), as_role("agent", "bo")
    now = datetime.now(UTC)
    one = lost(state=State.NOT_APPLIED, actor_id=ana.user.pk, effect_seen_at=now, notice_at=now)
    told = "Canceled at Goody</strong><p>A later read of the order showed this."
    page = reverse("settings")
    assert [told in text(who.get(page)) for who in (ana, bo)] == [True, False]
    bo.get(page_of(one))
    assert told in text(ana.get(page))
    ana.get(page_of(one))
    assert told not in text(ana.get(page))


def test_the_dialog_says_until_when_an_earlier_request_may_still_take_effect(
    emulator: Any, as_role: Any
) -> None:
    order_id = emulator.find_order_id(status="notified", no_expiry="false")
    expires_at = datetime.fromisoformat(emulator.get_order(order_id)["expires_at"])
    one = lost(
        order_uuid=UUID(order_id),
        action="order.extend",
        state=State.APPLIED,
        expiration=expires_at,
        effect_seen_at=datetime.now(UTC),
        may_take_effect=True,
    )
    client = as_role("agent")
    page = text(client.get(url("order_detail", order_id)))
    assert "Cannot be changed while an earlier request may still take effect." in page
    dialog = text(client.get(url("order_expiration", order_id)))
    assert "asked to change this gift" in dialog
    assert f"It may still take effect until {one.may_take_effect_until:%H:%M:%S} UTC" in dialog
    assert 'name="form_key"' not in dialog


def test_the_dialog_of_a_canceled_order_says_that_and_nothing_of_waiting(
    emulator: Any, as_role: Any
) -> None:
    order_id, now = emulator.find_order_id(status="failed"), datetime.now(UTC)
    lost(order_uuid=UUID(order_id), state=State.APPLIED, effect_seen_at=now, may_take_effect=True)
    dialog = text(as_role("agent").get(url("order_cancel", order_id)))
    assert "Cannot be canceled" in dialog
    assert "may still take effect" not in dialog
