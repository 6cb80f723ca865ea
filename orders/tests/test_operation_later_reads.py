"""What later reads show of operations that are closed, or that wait for a person."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urljoin

import pytest
from django.urls import reverse
from django.utils import timezone

from orders import services
from orders.eligibility import order_snapshot
from orders.models import Operation, State
from orders.services.writes import reconcile
from testing.dialogs import htmx
from testing.domain import (
    WorkerEvidence,
    actor,
    audit_history,
    cancel,
    current_snapshot,
    extend,
    failing_statements,
    goody_time,
    in_days,
    open_order,
    order,
    read_if_due,
    read_until_settled,
    read_when_due,
    store_operation,
    stored_outcome,
)
from testing.operations import (
    cancel_without_answer,
    extend_without_answer,
    message,
    sentence,
    title,
)
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db
threaded = pytest.mark.django_db(transaction=True)


def needs_human(emulator: Emulator, **fields: Any) -> Operation:
    """Return an operation of yesterday whose outcome a person must record."""
    yesterday = timezone.now() - timedelta(days=1)
    given = {"order_uuid": open_order(emulator), "sent_at": yesterday, "unknown_at": yesterday}
    return store_operation(state=State.NEEDS_HUMAN, **{**given, **fields})


def record_applied(done: Operation) -> None:
    services.settle_by_hand(
        actor=actor("lead"),
        operation_id=done.pk,
        is_applied=True,
        note="seen",
        now=timezone.now(),
    )


# --- Recorded by hand -------------------------------------------------------------------------


def test_reads_contradict_a_wrongly_recorded_cancel(emulator: Emulator, clock: Any) -> None:
    done = needs_human(emulator)
    record_applied(done)
    assert title(done) == "Marked as canceled"
    assert sentence(done) == (
        "Lead looked at Goody's own page and recorded this. No read of the order has shown it yet."
    )
    clock.shift(2)
    read_if_due(done)
    assert title(done) == "Marked as canceled, but a read did not show it"
    assert sentence(done).startswith(
        "Lead looked at Goody's own page and recorded this. But a read at "
    )
    assert [outcome for _, _, outcome in audit_history(done)] == ["", "applied", "contradicted"]
    assert Operation.objects.get(pk=done.pk).due_at is None
    view = services.refresh_order(order_id=done.order_uuid, now=timezone.now())
    assert (view.order.status, view.is_cancel_on_record) == ("notified", False)
    again = cancel(done.order_uuid, snapshot=order_snapshot(view.order))
    assert (stored_outcome(again)[0], emulator.posts()) == ("applied", 1)


def test_reads_contradict_a_wrongly_recorded_extension(emulator: Emulator, clock: Any) -> None:
    dates = {"expiration": in_days(40), "expires_before": in_days(20)}
    done = needs_human(emulator, action="order.extend", **dates)
    record_applied(done)
    assert title(done) == "Marked as changed"
    services.refresh_order(order_id=done.order_uuid, now=timezone.now())
    assert title(done) == "Marked as changed, but a read did not show it"


def test_recorded_cancel_is_not_shown_as_the_status_of_the_order(emulator: Emulator) -> None:
    done = needs_human(emulator)
    record_applied(done)
    view = services.stored_order(done.order_uuid)
    if view is not None:
        assert (view.order.status, view.is_cancel_on_record) == ("notified", False)
    assert not Operation.objects.get(pk=done.pk).is_cancel_in_force


def test_read_that_shows_the_recorded_write_withdraws_the_contradiction(
    emulator: Emulator, clock: Any
) -> None:
    done = needs_human(emulator)
    record_applied(done)
    services.refresh_order(order_id=done.order_uuid, now=timezone.now())
    emulator.change_order(done.order_uuid, status="failed")
    services.request_reads([order(id=str(done.order_uuid), status="failed")])
    read_if_due(done)
    assert title(done) == "Canceled"
    outcomes = [outcome for _, _, outcome in audit_history(done)]
    assert outcomes == ["", "applied", "contradicted", "effect_seen"]


def test_page_of_a_recorded_outcome_is_polled_until_the_order_is_read(
    emulator: Emulator, as_role: Any, clock: Any
) -> None:
    done = needs_human(emulator)
    record_applied(done)
    client = as_role("agent")
    page = reverse("operation", args=[done.order_uuid, done.pk])
    headers = htmx("div#operation")
    assert 'hx-trigger="every 2s"' in client.get(page, headers=headers).content.decode()
    clock.shift(2)
    read_if_due(done)
    assert "hx-trigger" not in client.get(page, headers=headers).content.decode()


def test_correctly_recorded_outcome_is_confirmed_by_a_read(emulator: Emulator, clock: Any) -> None:
    done = needs_human(emulator)
    emulator.change_order(done.order_uuid, status="failed")
    record_applied(done)
    clock.shift(2)
    read_if_due(done)
    done = Operation.objects.get(pk=done.pk)
    assert title(done) == "Canceled"
    assert sentence(done) == "Lead looked at Goody's own page and recorded this."
    assert done.effect_seen_at is not None
    assert done.due_at == done.effect_seen_at + timedelta(seconds=300)
    done = read_when_due(done, clock)
    assert (done.due_at, done.contradicted_at, title(done)) == (None, None, "Canceled")


# --- A contradiction --------------------------------------------------------------------------


def test_one_stale_read_does_not_contradict_a_cancel(emulator: Emulator, clock: Any) -> None:
    done = cancel(open_order(emulator))
    emulator.change_order(done.order_uuid, status="notified")
    clock.shift(301)
    read_if_due(done)
    assert title(done) == "Canceled"
    emulator.change_order(done.order_uuid, status="failed")
    done = read_when_due(done, clock)
    assert (done.due_at, done.contradicted_at, title(done)) == (None, None, "Canceled")


def test_reads_started_before_the_confirmation_do_not_contradict_it(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "late_apply", "seconds": 600})
    for seconds in (2, 8, 50):
        clock.shift(seconds)
        assert read_if_due(done) == "unknown"
    emulator.control("POST", "late")
    clock.shift(90)
    assert read_if_due(done) == "applied"
    emulator.change_order(done.order_uuid, status="notified")
    clock.shift(301)
    read_if_due(done)
    assert Operation.objects.get(pk=done.pk).contradicted_at is None


def test_read_that_shows_the_cancel_again_withdraws_the_contradiction(
    emulator: Emulator, clock: Any
) -> None:
    done = cancel(open_order(emulator))
    emulator.change_order(done.order_uuid, status="notified")
    done = read_when_due(done, clock)
    assert title(done) == "Canceled, but a read showed otherwise"
    emulator.change_order(done.order_uuid, status="failed")
    view = services.refresh_order(order_id=done.order_uuid, now=timezone.now())
    assert (title(done), view.is_cancel_on_record) == ("Canceled", True)
    outcomes = [outcome for _, _, outcome in audit_history(done)]
    assert outcomes == ["", "applied", "contradicted", "effect_seen"]


def test_list_that_shows_the_cancel_again_makes_the_worker_withdraw_the_contradiction(
    emulator: Emulator, clock: Any
) -> None:
    done = cancel(open_order(emulator))
    emulator.change_order(done.order_uuid, status="notified")
    read_when_due(done, clock)
    emulator.change_order(done.order_uuid, status="failed")
    services.request_reads([order(id=str(done.order_uuid), status="failed")])
    read_if_due(done)
    assert title(done) == "Canceled"
    assert read_when_due(done, clock).due_at is None


def test_stale_list_that_shows_the_cancel_again_causes_one_read(
    emulator: Emulator, clock: Any
) -> None:
    done = cancel(open_order(emulator))
    emulator.change_order(done.order_uuid, status="notified")
    read_when_due(done, clock)
    services.request_reads([order(id=str(done.order_uuid), status="failed")])
    read_if_due(done)
    assert title(done) == "Canceled, but a read showed otherwise"
    assert Operation.objects.get(pk=done.pk).due_at is None


def test_second_cancel_does_not_withdraw_the_contradiction_of_the_first(
    emulator: Emulator, clock: Any
) -> None:
    first = cancel(open_order(emulator))
    emulator.change_order(first.order_uuid, status="notified")
    read_when_due(first, clock)
    assert cancel(first.order_uuid).state == "applied"
    services.refresh_order(order_id=first.order_uuid, now=timezone.now())
    assert title(first) == "Canceled, but a read showed otherwise"


# --- The worker's reads -----------------------------------------------------------------------


@threaded
def test_operation_is_closed_although_the_index_cannot_be_written(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "cut"})
    with failing_statements("orders_order", "UPDATE"):
        assert read_until_settled(done, clock) == [2, 10, 60, 150]
    assert stored_outcome(done)[0] == "not_applied"


@threaded
def test_404_counts_as_a_read_although_it_cannot_be_stored(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "cut"})
    emulator.add_fault({"kind": "status", "status": 404}, method="GET")
    clock.shift(2)
    with failing_statements("orders_order", "UPDATE"):
        assert read_if_due(done) == "unknown"


def test_worker_started_with_a_fast_clock_continues_reading(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = extend_without_answer(emulator, settings, {"kind": "late_apply", "seconds": 600})
    clock.shift(25 * 3600)
    services.restart_read_schedule(now=timezone.now())
    evidence = WorkerEvidence()
    for seconds in (2, 8, 50):
        clock.shift(seconds)
        assert read_if_due(done, evidence) == "unknown"
    emulator.control("POST", "late")
    clock.shift(90)
    assert read_if_due(done, evidence) == "applied"


def test_check_stays_scheduled_after_a_read_that_showed_the_write(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "apply_then_reset"})
    read_until_settled(done, clock)
    done = Operation.objects.get(pk=done.pk)
    assert done.closed_at is not None
    assert done.due_at == done.closed_at + timedelta(seconds=300)


def test_requested_read_does_not_replace_the_check_of_a_closed_operation(
    emulator: Emulator, settings: Any, monkeypatch: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "apply_then_reset"})
    may_concern = reconcile._may_concern

    def close_meanwhile(given: Any, one: Operation) -> bool:
        found = may_concern(given, one)
        services.refresh_order(order_id=done.order_uuid, now=timezone.now())
        return found

    monkeypatch.setattr(reconcile, "_may_concern", close_meanwhile)
    services.request_reads([order(id=str(done.order_uuid), status="failed")])
    done = Operation.objects.get(pk=done.pk)
    assert done.closed_at is not None
    assert done.due_at == done.closed_at + timedelta(seconds=300)


def test_read_for_one_operation_is_applied_to_the_others_of_the_order(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    """The first extension takes effect after the second one was confirmed."""
    asked = in_days(20)
    fault = {"kind": "cut"}
    first = extend_without_answer(emulator, settings, fault, expiration=asked, may_shorten=True)
    emulator.change_order(first.order_uuid, expires_at=goody_time(in_days(25)))
    read_until_settled(first, clock)
    second = extend(first.order_uuid, expiration=in_days(40))
    emulator.change_order(first.order_uuid, expires_at=goody_time(asked))
    clock.shift(301)
    read_if_due(second)
    assert (stored_outcome(first)[0], title(first)) == ("superseded", "Changed at Goody")


# --- After a refusal --------------------------------------------------------------------------


def refused(emulator: Emulator, status: int, **fault: Any) -> Operation:
    """Return a cancel whose POST was answered with this status."""
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    fault = {"kind": "status", "status": status, **fault}
    emulator.add_fault(fault, method="POST", times=1)
    return cancel(order_id, snapshot=shown)


def test_read_waits_for_the_end_of_a_pause_without_increasing_its_backoff(
    emulator: Emulator, clock: Any
) -> None:
    headers = {"Retry-After": "36000"}
    done = refused(emulator, 429, kind="apply_then_status", headers=headers)
    assert (title(done), message(done).is_final) == ("Outcome being checked", False)
    assert message(done).next_step == "Do not repeat it elsewhere meanwhile."
    until = datetime.fromisoformat(done.detail)
    clock.shift(3)
    read_if_due(done)
    postponed = Operation.objects.get(pk=done.pk)
    assert postponed.due_at is not None
    assert abs(postponed.due_at - until) < timedelta(seconds=1)
    assert (postponed.reads, title(done)) == (0, "Outcome being checked")
    clock.shift(900)
    read_if_due(done)
    assert (Operation.objects.get(pk=done.pk).reads, title(done)) == (1, "Canceled at Goody")


def test_page_of_a_refused_write_is_polled_until_the_order_is_read(
    emulator: Emulator, as_role: Any, clock: Any
) -> None:
    done = refused(emulator, 429)
    client = as_role("agent")
    page = reverse("operation", args=[done.order_uuid, done.pk])
    headers = htmx("div#operation")
    assert 'hx-trigger="every 2s"' in client.get(page, headers=headers).content.decode()
    clock.shift(10)
    read_if_due(done)
    assert "hx-trigger" not in client.get(page, headers=headers).content.decode()


def test_order_page_and_row_are_polled_until_the_read_after_a_refusal(
    emulator: Emulator, as_role: Any, clock: Any
) -> None:
    done = refused(emulator, 429)
    client = as_role("agent")
    page = reverse("order_detail", args=[done.order_uuid])
    polls = {}
    for part in ("div#order-detail", f"tr#order-{done.order_uuid}"):
        headers = htmx(part)
        shown = unescape(client.get(f"{page}?poll=x", headers=headers).content.decode())
        assert 'hx-trigger="every 2s"' in shown
        assert "Outcome being checked" in shown
        address = re.search(r'hx-get="([^"]+poll=[^"]+)"', shown)[1]
        polls[part] = (urljoin("/orders/", address), headers)
    assert {client.get(url, headers=h).status_code for url, h in polls.values()} == {204}
    clock.shift(10)
    read_if_due(done)
    for url, headers in polls.values():
        shown = client.get(url, headers=headers)
        assert shown.status_code == 200
        assert "Outcome being checked" not in shown.content.decode()
        assert 'hx-trigger="every' not in shown.content.decode()


def test_refusal_is_shown_until_the_order_is_read(
    emulator: Emulator, as_role: Any, clock: Any
) -> None:
    done = refused(emulator, 429)
    clock.shift(3600)
    page = as_role("agent").get(
        reverse("order_detail", args=[done.order_uuid]),
        {"poll": "x"},
        headers=htmx("div#order-detail"),
    )
    assert "Outcome being checked" in page.content.decode().partition('id="h-timeline"')[0]
    assert 'hx-trigger="every 15s"' in page.content.decode()


def test_404_to_the_read_after_a_refusal_is_shown(emulator: Emulator, clock: Any) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    emulator.add_fault({"kind": "status", "status": 409}, method="POST", times=1)
    emulator.add_fault({"kind": "status", "status": 404}, method="GET", skip=1)
    done = read_when_due(cancel(order_id, snapshot=shown), clock)
    assert (done.due_at, title(done)) == (None, "Refused by Goody")
    assert sentence(done).endswith(" A read afterwards did not find the order.")


def test_refusal_as_not_found_is_corrected_by_a_read_that_finds_the_order(
    emulator: Emulator, clock: Any
) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    emulator.add_fault({"kind": "status", "status": 404}, method="POST", times=1)
    emulator.add_fault({"kind": "mutate", "set": {"status": "accepted"}}, method="GET", skip=1)
    done = cancel(order_id, snapshot=shown)
    assert sentence(done) == (
        "Goody answered that it does not know this order, or that this key may not see it. "
        "A read afterwards showed the order as “Accepted”."
    )
    assert message(done).next_step == "Look at the order."


# --- Waiting for a person ---------------------------------------------------------------------


def test_read_that_shows_the_write_closes_an_operation_that_needs_a_person(
    emulator: Emulator,
) -> None:
    done = needs_human(emulator, before={"status": "notified"})
    emulator.change_order(done.order_uuid, status="failed")
    services.refresh_order(order_id=done.order_uuid, now=timezone.now())
    assert (stored_outcome(done)[0], title(done)) == ("applied", "Canceled")
    assert "perhaps by our request of " in sentence(done)
    assert [outcome for _, _, outcome in audit_history(done)] == ["", "applied"]


def test_list_that_shows_the_write_makes_the_worker_read_the_order(
    emulator: Emulator, clock: Any
) -> None:
    done = needs_human(emulator, before={"status": "notified"})
    emulator.change_order(done.order_uuid, status="failed")
    services.request_reads([order(id=str(done.order_uuid), status="failed")])
    assert read_if_due(done) == "applied"
    assert Operation.objects.get(pk=done.pk).due_at is not None


def test_read_without_the_write_leaves_the_operation_to_a_person(emulator: Emulator) -> None:
    done = needs_human(emulator, before={"status": "notified"})
    services.refresh_order(order_id=done.order_uuid, now=timezone.now())
    assert (stored_outcome(done)[0], title(done)) == ("needs_human", "Needs a person")


# --- A later write ----------------------------------------------------------------------------


def test_later_extension_explains_another_expiration_after_the_clock_was_set_back(
    emulator: Emulator, clock: Any
) -> None:
    order_id = open_order(emulator)
    first = extend(order_id, expiration=in_days(40))
    clock.shift(-3600)
    services.restart_read_schedule(now=timezone.now(), clock_was_set=True)
    extend(order_id, expiration=in_days(50))
    first = read_when_due(first, clock)
    assert (first.due_at, first.contradicted_at) == (None, None)
    assert title(first) == "Expiration changed"


def test_later_write_without_effect_does_not_explain_a_difference(
    emulator: Emulator, clock: Any
) -> None:
    order_id = open_order(emulator)
    first = extend(order_id, expiration=in_days(30))
    store_operation(
        order_uuid=order_id,
        action="order.extend",
        state=State.NOT_APPLIED,
        expiration=in_days(40),
        expires_before=first.expiration,
        sent_at=timezone.now(),
        closed_at=timezone.now(),
    )
    assert first.expires_before is not None
    emulator.change_order(order_id, expires_at=goody_time(first.expires_before))
    assert read_when_due(first, clock).contradicted_at is not None
