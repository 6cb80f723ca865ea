"""Unknown outcomes are resolved by reads alone, and described as what the reads show."""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from orders import formats, services
from orders.eligibility import order_snapshot
from orders.models import Operation, State
from orders.services import NotSettleable
from testing.domain import (
    NEVER_ACCEPTED,
    ORDER_ID,
    WorkerEvidence,
    actor,
    audit_history,
    cancel,
    current_snapshot,
    extend,
    goody_time,
    in_days,
    open_order,
    order,
    order_json,
    read_if_due,
    read_until_settled,
    store_operation,
    stored_outcome,
)
from testing.faulty_server import Connection, FaultyServer, answer
from testing.operations import (
    applied_cancels,
    cancel_with_server,
    cancel_without_answer,
    extend_without_answer,
    message,
    sentence,
    title,
)
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db
threaded = pytest.mark.django_db(transaction=True)


def perhaps(what: str, done: Operation) -> str:
    """Return the sentence about a write that a read showed and Goody did not confirm."""
    done = Operation.objects.get(pk=done.pk)
    seen_at, sent_at = (formats.date_time(at, UTC) for at in (done.effect_seen_at, done.sent_at))
    return (
        f"{what} since {seen_at} at the latest, perhaps by our request of {sent_at}, "
        "perhaps by somebody else."
    )


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "apply_then_hang", "seconds": 1},
        {"kind": "apply_then_reset"},
        {"kind": "apply_then_status", "status": 502},
    ],
)
def test_f31_lost_answer_of_an_applied_cancel_is_settled_by_a_read(
    emulator: Emulator, settings: Any, clock: Any, fault: dict[str, Any]
) -> None:
    done = cancel_without_answer(emulator, settings, fault)
    assert read_until_settled(done, clock) == [2]
    assert stored_outcome(done)[0] == "applied"
    assert sentence(done) == perhaps("Canceled at Goody", done)
    assert (emulator.posts(), applied_cancels(emulator, done.order_uuid)) == (1, [True])
    assert [outcome for _, _, outcome in audit_history(done)] == ["", "unknown", "applied"]


def test_f31_opening_the_order_page_settles_a_lost_answer(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "apply_then_reset"})
    view = services.refresh_order(order_id=done.order_uuid, now=timezone.now())
    assert (view.operation, view.is_cancel_on_record) == (None, True)
    assert stored_outcome(done)[0] == "applied"


def test_f32_not_applied_requires_three_reads_over_two_minutes(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "cut"})
    assert read_until_settled(done, clock) == [2, 10, 60, 150]
    assert stored_outcome(done)[0] == "not_applied"
    assert (title(done), message(done).next_step) == ("Not canceled", "You may try again.")
    assert (emulator.posts(), applied_cancels(emulator, done.order_uuid)) == (1, [])
    emulator.clear_faults()
    again = cancel(done.order_uuid)
    assert (again.state, emulator.posts()) == ("applied", 2)
    assert stored_outcome(done)[0] == "not_applied"


def test_f33_late_cancel_is_found_and_not_sent_again(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "late_apply", "seconds": 600})
    for seconds in (2, 8, 50):
        clock.shift(seconds)
        assert read_if_due(done) == "unknown"
    emulator.control("POST", "late")
    assert read_until_settled(done, clock) == [150]
    assert stored_outcome(done)[0] == "applied"
    assert (emulator.posts(), applied_cancels(emulator, done.order_uuid)) == (1, [True])


def test_order_accepted_meanwhile_is_not_canceled(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "cut"})
    emulator.change_order(done.order_uuid, status="accepted")
    assert read_until_settled(done, clock) == [2]
    assert stored_outcome(done)[0] == "not_applied"
    assert sentence(done).endswith("A later read showed the order as “Accepted”.")
    # Its payment fails weeks later: that is not our cancel.
    emulator.change_order(done.order_uuid, status="failed")
    view = services.refresh_order(order_id=done.order_uuid, now=timezone.now())
    assert (stored_outcome(done)[0], view.is_cancel_on_record) == ("not_applied", False)


def test_failed_status_after_acceptance_does_not_prove_the_cancel(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "cut"})
    emulator.change_order(done.order_uuid, status="accepted")
    emulator.change_order(done.order_uuid, status="failed")
    settings.OPERATION_READS = [2, 43_200]
    read_until_settled(done, clock)
    assert stored_outcome(done)[0] == "needs_human"


def test_undocumented_status_leaves_the_outcome_unknown(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "cut"})
    emulator.change_order(done.order_uuid, status="on_hold")
    for seconds in (2, 8, 50, 90):
        clock.shift(seconds)
        assert read_if_due(done) == "unknown"
    emulator.change_order(done.order_uuid, status="failed")
    clock.shift(150)
    assert read_if_due(done) == "applied"


def test_f10_contradictory_answer_without_deciding_reads_needs_a_person(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    fault = {"kind": "body", "as": "text", "text": ""}
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    fault["text"] = json.dumps(order_json(id=str(order_id), status="opened"))
    emulator.add_fault(fault, method="POST")
    done = cancel(order_id, snapshot=shown)
    assert stored_outcome(done) == ("unknown", "C", "contradiction")
    read_until_settled(done, clock)
    assert (stored_outcome(done)[0], title(done)) == ("needs_human", "Needs a person")
    assert emulator.posts() == 1


def test_f10_contradictory_answer_is_settled_by_a_read(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    fault = {"kind": "mutate", "set": {"id": str(uuid4())}}
    done = cancel_without_answer(emulator, settings, fault)
    assert stored_outcome(done) == ("unknown", "C", "contradiction")
    assert read_until_settled(done, clock) == [2]
    assert stored_outcome(done)[0] == "applied"


def test_goody_unreachable_for_a_day_needs_a_person(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "cut"})
    emulator.add_fault({"kind": "status", "status": 404}, method="GET")
    settings.OPERATION_READS = [2, 10, 60, 150, 300, 40_000]
    moments = read_until_settled(done, clock)
    assert moments[-1] >= 86_400
    assert max(moments[:-1]) < 86_400
    assert (stored_outcome(done)[0], title(done)) == ("needs_human", "Needs a person")
    assert Operation.objects.get(pk=done.pk).reads == len(moments)


def test_due_read_is_claimed_by_one_worker(emulator: Emulator, settings: Any, clock: Any) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "cut"})
    assert services.operations_due_for_reading(now=timezone.now()) == []
    read_if_due(done)
    clock.shift(2)
    assert services.operations_due_for_reading(now=timezone.now()) == [done.pk]
    before = emulator.calls()["total"]
    read_if_due(done)
    read_if_due(done)
    assert emulator.calls()["total"] == before + 1
    assert Operation.objects.get(pk=done.pk).reads == 1


@pytest.mark.parametrize(("is_applied", "state"), [(True, "applied"), (False, "not_applied")])
def test_lead_settles_an_operation_that_needs_a_person(is_applied: bool, state: str) -> None:
    done = store_operation(state=State.NEEDS_HUMAN, unknown_at=timezone.now())
    _settle(done, is_applied)
    assert stored_outcome(done)[0] == state
    assert title(done) == ("Marked as canceled" if is_applied else "Not canceled")
    assert sentence(done).startswith("Lead looked at Goody's own page and recorded this.")
    with pytest.raises(NotSettleable):
        _settle(done, not is_applied)
    assert stored_outcome(done)[0] == state


def _settle(done: Operation, is_applied: bool) -> Operation:
    return services.settle_by_hand(
        actor=actor("lead"),
        operation_id=done.pk,
        is_applied=is_applied,
        note="seen",
        now=timezone.now(),
    )


def test_cancel_is_attributed_to_one_operation(emulator: Emulator, goody: Any) -> None:
    """A cancel that a read shows during a new request is not attributed to an older one."""
    order_id = open_order(emulator)
    past = timezone.now() - timedelta(minutes=5)
    old = store_operation(
        state=State.NOT_APPLIED, order_uuid=order_id, sent_at=past, unknown_at=past
    )
    new = store_operation(state=State.SENDING, order_uuid=order_id, sent_at=past)
    emulator.change_order(order_id, status="failed")
    services.refresh_order(order_id=order_id, now=timezone.now())
    assert (stored_outcome(old)[0], stored_outcome(new)[0]) == ("not_applied", "sending")
    services.abandon_expired_operations(now=timezone.now() + timedelta(seconds=61))
    services.refresh_order(order_id=order_id, now=timezone.now())
    assert (stored_outcome(old)[0], stored_outcome(new)[0]) == ("not_applied", "applied")


# --- Extensions -------------------------------------------------------------------------------

LATER = "2099-05-06T07:08:00Z"


def extensions(emulator: Emulator, order_id: UUID) -> list[str]:
    """Return the expirations that our extensions set at Goody, in their order."""
    entries = emulator.ledger(order_id=str(order_id), kind="update_expiration")
    return [one["after"]["expires_at"] for one in entries if one["applied"]]


@pytest.mark.parametrize("kind", ["apply_then_reset", "apply_then_hang"])
def test_f31_lost_answer_of_an_applied_extension_is_settled_by_a_read(
    emulator: Emulator, settings: Any, clock: Any, kind: str
) -> None:
    done = extend_without_answer(emulator, settings, {"kind": kind})
    assert read_until_settled(done, clock) == [2]
    assert (stored_outcome(done)[0], emulator.posts()) == ("applied", 1)
    asked = formats.date_time(done.expiration, UTC)
    assert sentence(done) == perhaps(f"Goody shows the expiration {asked}", done)


def test_extension_with_unknown_outcome_is_not_sent_again(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = extend_without_answer(emulator, settings, {"kind": "cut"})
    assert read_until_settled(done, clock) == [2, 10, 60, 150]
    assert (stored_outcome(done)[0], emulator.posts()) == ("not_applied", 1)
    assert (title(done), message(done).next_step) == ("Not changed", "You may try again.")
    assert [outcome for _, _, outcome in audit_history(done)] == ["", "unknown", "not_applied"]


def test_f34_order_with_another_date_is_blocked_while_our_extension_may_take_effect(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = extend_without_answer(emulator, settings, {"kind": "cut"})
    emulator.change_order(done.order_uuid, expires_at=LATER)
    for seconds in (2, 8, 50):
        clock.shift(seconds)
        assert read_if_due(done) == "unknown"
        with pytest.raises(services.OrderBusy):
            extend(done.order_uuid)
    until = f"{done.may_take_effect_until:%H:%M:%S} UTC"
    assert "A read showed another expiration, 6 May 2099, 07:08 UTC." in sentence(done)
    assert f"It may still take effect until {until}; the order takes no other change" in sentence(
        done
    )
    clock.shift(90)
    assert (read_if_due(done), emulator.posts()) == ("superseded", 1)
    assert extensions(emulator, done.order_uuid) == []
    assert sentence(done).startswith("A later read showed 6 May 2099, 07:08 UTC: neither")
    assert extend(done.order_uuid, may_shorten=True).state == "applied"


def test_late_extension_does_not_overwrite_a_later_write(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    """It is answered 504 and takes effect 40 s later; the order is blocked in between."""
    fault = {"kind": "late_apply", "seconds": 600, "then": "status", "status": 504}
    done = extend_without_answer(emulator, settings, fault)
    emulator.change_order(done.order_uuid, expires_at=LATER)
    clock.shift(40)
    read_if_due(done)
    with pytest.raises(services.OrderBusy):
        extend(done.order_uuid, actor=actor("agent", "bo"))
    emulator.control("POST", "late")
    clock.shift(20)
    assert (read_if_due(done), emulator.posts()) == ("applied", 1)


def test_order_is_blocked_until_the_extension_cannot_take_effect_any_more(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    """Somebody else may have set the same date, and our request is still on its way."""
    done = extend_without_answer(emulator, settings, {"kind": "apply_then_reset"})
    read_until_settled(done, clock)
    with pytest.raises(services.OrderBusy) as busy:
        extend(done.order_uuid, expiration=in_days(60))
    assert busy.value.operation.pk == done.pk
    evidence = WorkerEvidence()
    services.end_effect_windows(evidence=evidence)
    clock.shift(120)
    services.end_effect_windows(evidence=evidence)
    assert extend(done.order_uuid, expiration=in_days(60)).state == "applied"


def test_order_accepted_meanwhile_is_not_extended(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = extend_without_answer(emulator, settings, {"kind": "cut"})
    emulator.change_order(done.order_uuid, status="accepted")
    assert read_until_settled(done, clock) == [2]
    assert (stored_outcome(done)[0], emulator.posts()) == ("not_applied", 1)


def test_unreadable_expiration_leaves_the_outcome_unknown(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = extend_without_answer(emulator, settings, {"kind": "cut"})
    emulator.add_fault({"kind": "mutate", "set": {"expires_at": "soon"}}, method="GET", times=1)
    clock.shift(2)
    assert (read_if_due(done), emulator.posts()) == ("unknown", 1)


def test_f10_answer_with_another_expiration_needs_a_person(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    wrong = json.dumps(order_json())
    done = extend_without_answer(emulator, settings, {"kind": "body", "as": "text", "text": wrong})
    assert stored_outcome(done) == ("unknown", "C", "contradiction")
    read_until_settled(done, clock)
    assert (stored_outcome(done)[0], emulator.posts()) == ("needs_human", 1)


@threaded
def test_late_answer_outranks_reads(settings: Any, clock: Any) -> None:
    asked = in_days(44)

    def pause(paused: Connection) -> None:
        clock.shift(61)
        services.abandon_expired_operations(now=timezone.now())
        Operation.objects.update(state="superseded")
        connection.close()
        answer(200, order_json(expires_at=goody_time(asked)))(paused)

    with FaultyServer(answer(200, order_json()), post=(pause,)) as server:
        settings.GOODY_API_URL, settings.GOODY_API_KEY = server.url, "test-key"
        done = extend(
            ORDER_ID, snapshot=order_snapshot(order()), expiration=asked, may_shorten=True
        )
    assert done.state == stored_outcome(done)[0] == "applied"
    assert done.confirmed_at is not None
    assert [outcome for _, _, outcome in audit_history(done)] == ["", "unknown", "applied"]


@threaded
def test_late_answer_confirms_an_outcome_known_from_a_read(settings: Any, clock: Any) -> None:
    asked = in_days(44)
    extended = answer(200, order_json(expires_at=goody_time(asked)))

    def pause(paused: Connection) -> None:
        clock.shift(61)
        services.abandon_expired_operations(now=timezone.now())
        services.refresh_order(order_id=ORDER_ID, now=timezone.now())
        connection.close()
        extended(paused)

    with FaultyServer(answer(200, order_json()), extended, post=(pause,)) as server:
        settings.GOODY_API_URL, settings.GOODY_API_KEY = server.url, "test-key"
        done = extend(
            ORDER_ID, snapshot=order_snapshot(order()), expiration=asked, may_shorten=True
        )
    assert [outcome for _, _, outcome in audit_history(done)] == [
        "",
        "unknown",
        "applied",
        "confirmed",
    ]
    assert sentence(done).startswith("Changed from 1 Jan 2099, 00:00 UTC to ")


# --- Shown later ------------------------------------------------------------------------------


def test_cancel_seen_later_is_described_as_perhaps_ours(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = cancel_without_answer(emulator, settings, {"kind": "late_apply", "seconds": 600})
    read_until_settled(done, clock)
    assert (stored_outcome(done)[0], title(done)) == ("not_applied", "Not canceled")
    emulator.control("POST", "late")
    services.refresh_order(order_id=done.order_uuid, now=timezone.now())
    assert (stored_outcome(done)[0], title(done)) == ("not_applied", "Canceled at Goody")
    assert sentence(done) == perhaps("Canceled at Goody", done)
    assert [outcome for _, _, outcome in audit_history(done)] == [
        "",
        "unknown",
        "not_applied",
        "effect_seen",
    ]
    assert Operation.objects.with_later_notice(done.actor_id).get() == done


def test_second_attempt_is_refused_when_the_first_took_effect(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    """Its fresh read shows the effect, so it sends nothing."""
    done = cancel_without_answer(emulator, settings, {"kind": "late_apply", "seconds": 600})
    read_until_settled(done, clock)
    shown = current_snapshot(done.order_uuid)
    emulator.control("POST", "late")
    again = cancel(done.order_uuid, snapshot=shown)
    assert (title(done), stored_outcome(again)) == ("Canceled at Goody", ("refused", "B", "ended"))
    assert (emulator.posts(), applied_cancels(emulator, done.order_uuid)) == (1, [True])


def test_effect_seen_after_a_lead_recorded_not_applied_is_shown(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    done = store_operation(
        state=State.NEEDS_HUMAN,
        order_uuid=order_id,
        unknown_at=timezone.now(),
        sent_at=timezone.now() - timedelta(seconds=1),
    )
    _settle(done, False)
    emulator.change_order(order_id, status="canceled")
    services.refresh_order(order_id=order_id, now=timezone.now())
    assert (stored_outcome(done)[0], title(done)) == ("not_applied", "Canceled at Goody")


@pytest.mark.parametrize("closed_as", [State.NOT_APPLIED, State.SUPERSEDED])
def test_expiration_seen_later_is_described_as_perhaps_ours_and_offers_no_undo(
    emulator: Emulator, closed_as: State
) -> None:
    order_id = open_order(emulator)
    asked = in_days(20)
    lost = store_operation(
        order_uuid=order_id,
        action="order.extend",
        state=closed_as,
        expiration=asked,
        expires_before=in_days(10),
        sent_at=timezone.now() - timedelta(minutes=10),
        unknown_at=timezone.now() - timedelta(minutes=9),
        after={"status": "notified"},
    )
    services.refresh_order(order_id=order_id, now=timezone.now())
    assert Operation.objects.get(pk=lost.pk).effect_seen_at is None
    emulator.change_order(order_id, expires_at=goody_time(asked))
    services.refresh_order(order_id=order_id, now=timezone.now())
    lost.refresh_from_db()
    assert (lost.state, title(lost)) == (closed_as, "Changed at Goody")
    shown = f"Goody shows the expiration {formats.date_time(asked, UTC)}"
    assert sentence(lost) == perhaps(shown, lost)
    assert services.may_undo_extension(lost, now=timezone.now()) is False


def test_extension_known_from_a_read_offers_no_undo(
    emulator: Emulator, settings: Any, clock: Any
) -> None:
    done = extend_without_answer(emulator, settings, {"kind": "apply_then_reset"})
    read_until_settled(done, clock)
    done.refresh_from_db()
    assert (done.state, services.may_undo_extension(done, now=timezone.now())) == ("applied", False)


def test_date_set_by_another_extension_is_not_attributed_to_a_lost_one(
    emulator: Emulator,
) -> None:
    order_id = open_order(emulator)
    done = extend(order_id)
    lost = store_operation(
        order_uuid=order_id,
        action="order.extend",
        state=State.NOT_APPLIED,
        expiration=done.expiration,
        sent_at=timezone.now() - timedelta(minutes=10),
    )
    services.refresh_order(order_id=order_id, now=timezone.now())
    assert Operation.objects.get(pk=lost.pk).effect_seen_at is None


# --- One read some minutes after the proof ----------------------------------------------------


def check(done: Operation, clock: Any) -> Operation:
    """Run the read that follows a proof after some minutes."""
    clock.shift(301)
    assert services.operations_due_for_reading(now=timezone.now()) == [done.pk]
    read_if_due(done)
    return Operation.objects.get(pk=done.pk)


def check_until_certain(done: Operation, clock: Any) -> Operation:
    """Run the reads that follow a proof until one of them is the last."""
    done = check(done, clock)
    for seconds in (8, 50, 90):
        assert (done.due_at is None, done.contradicted_at) == (False, None)
        clock.shift(seconds)
        read_if_due(done)
        done = Operation.objects.get(pk=done.pk)
    return done


def test_confirmed_write_is_checked_once(emulator: Emulator, clock: Any) -> None:
    order_id = open_order(emulator)
    for write in (extend, cancel):
        done = check(write(order_id), clock)
        assert (done.state, done.due_at, done.contradicted_at) == ("applied", None, None)
    assert emulator.posts() == 2


def test_cancel_reverted_at_goody_is_recorded_as_contradicted(
    emulator: Emulator, clock: Any
) -> None:
    order_id = open_order(emulator)
    done = cancel(order_id)
    emulator.change_order(order_id, status="notified")
    done = check_until_certain(done, clock)
    at = formats.date_time(done.contradicted_at, UTC)
    assert (done.state, title(done)) == ("applied", "Canceled, but a read showed otherwise")
    assert sentence(done) == (
        f"Goody confirmed it, but a read at {at} showed the order as “Notified”. "
        "Somebody else may have changed it since."
    )
    assert [outcome for _, _, outcome in audit_history(done)] == ["", "applied", "contradicted"]
    assert Operation.objects.with_later_notice(done.actor_id).get() == done
    # The order is open again, for us too.
    assert (cancel(order_id).state, emulator.posts()) == ("applied", 2)


def test_another_expiration_after_a_confirmed_extension_is_recorded_as_contradicted(
    emulator: Emulator, clock: Any
) -> None:
    order_id = open_order(emulator)
    done = extend(order_id)
    emulator.change_order(order_id, expires_at=LATER)
    done = check_until_certain(done, clock)
    at, asked = (formats.date_time(one, UTC) for one in (done.contradicted_at, done.expiration))
    assert title(done) == "Changed, but a read showed otherwise"
    assert sentence(done) == (
        f"Goody confirmed it, but a read at {at} showed 6 May 2099, 07:08 UTC instead of {asked}. "
        "Somebody else may have changed it since."
    )
    assert services.may_undo_extension(done, now=timezone.now()) is False
    assert Operation.objects.with_later_notice(done.actor_id).get() == done


def test_due_reads_of_unknown_outcomes_precede_checks(emulator: Emulator, clock: Any) -> None:
    done = cancel(open_order(emulator))
    clock.shift(301)
    now = timezone.now()
    unknown = store_operation(state=State.UNKNOWN, sent_at=now, unknown_at=now, due_at=now)
    assert services.operations_due_for_reading(now=now) == [unknown.pk, done.pk]


def test_check_compares_only_the_newest_extension(emulator: Emulator, clock: Any) -> None:
    order_id = open_order(emulator)
    first = extend(order_id)
    clock.shift(100)
    second = extend(order_id, expiration=in_days(60))
    clock.shift(201)
    read_if_due(first)
    assert Operation.objects.get(pk=first.pk).contradicted_at is None
    assert check(second, clock).contradicted_at is None


def test_failed_check_is_repeated(emulator: Emulator, clock: Any) -> None:
    order_id = open_order(emulator)
    done = cancel(order_id)
    emulator.add_fault({"kind": "status", "status": 503}, method="GET")
    due = check(done, clock).due_at
    assert due is not None
    emulator.clear_faults()
    emulator.change_order(order_id, status="notified")
    for seconds in (8, 50, 90, 150):
        clock.shift(seconds)
        read_if_due(done)
    assert Operation.objects.get(pk=done.pk).contradicted_at is not None


@threaded
def test_confirmed_cancel_is_shown_while_reads_are_stale(goody: Any) -> None:
    stale = answer(200, order_json(event_times=NEVER_ACCEPTED))
    with FaultyServer(stale, post=(answer(200, order_json(status="failed")),)) as server:
        done = cancel_with_server(server, goody)
        assert done.state == "applied"
        view = services.refresh_order(order_id=ORDER_ID, now=timezone.now())
        assert (view.is_fresh, view.order.status, view.is_cancel_on_record) == (
            True,
            "failed",
            True,
        )
        again = cancel_with_server(server, goody)
        assert (stored_outcome(again), title(again)) == (
            ("refused", "B", "ended"),
            "Already canceled or failed",
        )
        assert server.posts == 1
