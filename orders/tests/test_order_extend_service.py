"""Extending a gift: requests, repeated submits, undo, refusals and their messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import msgspec
import pytest
from django.utils import timezone

from orders import formats, services
from orders.eligibility import order_snapshot
from orders.models import Operation, Order, State
from testing.domain import (
    NEVER_ACCEPTED,
    ORDER_ID,
    cancel,
    current_snapshot,
    extend,
    goody_time,
    in_days,
    open_order,
    order,
    order_json,
    read_when_due,
    store_operation,
    stored_outcome,
)
from testing.faulty_server import FaultyServer, answer
from testing.operations import (
    sentence,
)
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db

CANCELED = order_json(status="failed")


def expires_at(emulator: Emulator, order_id: UUID) -> datetime:
    return datetime.fromisoformat(emulator.get_order(order_id)["expires_at"])


def extensions(emulator: Emulator, order_id: UUID) -> list[bool]:
    entries = emulator.ledger(order_id=str(order_id), kind="update_expiration")
    return [one["applied"] for one in entries]


# --- It works ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["created", "notified", "opened"])
def test_extend_works(emulator: Emulator, status: str) -> None:
    order_id = open_order(emulator, status=status)
    before, wanted = expires_at(emulator, order_id), in_days(44)
    done = extend(order_id, expiration=wanted)
    assert stored_outcome(done) == ("applied", "", "")
    assert (done.expires_before, done.expiration) == (before, wanted)
    assert (expires_at(emulator, order_id), emulator.posts()) == (wanted, 1)
    assert Order.objects.get(uuid=order_id).expires_at == wanted
    assert sentence(done) == (
        f"Changed from {formats.date_time(before, UTC)} to {formats.date_time(wanted, UTC)}."
    )


def test_the_instant_is_sent_in_whole_seconds_of_utc(settings: Any) -> None:
    whole = in_days(69)
    local_time_in_utc = goody_time(whole)
    wanted = whole.replace(microsecond=987_000).astimezone(ZoneInfo("Asia/Kolkata"))
    post = answer(200, order_json(expires_at=local_time_in_utc))
    with FaultyServer(answer(200, order_json()), post=(post,)) as server:
        settings.GOODY_API_URL, settings.GOODY_API_KEY = server.url, "test-key"
        done = extend(
            ORDER_ID, snapshot=order_snapshot(order()), expiration=wanted, may_shorten=True
        )
        assert msgspec.json.decode(server.requests[-1].body) == {"expiration": local_time_in_utc}
    assert (done.state, done.expiration) == ("applied", whole)


def test_a_naive_datetime_is_a_bug_and_stores_nothing(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    with pytest.raises(ValueError, match="time zone"):
        extend(order_id, expiration=datetime(2027, 1, 1))  # noqa: DTZ001 - naive on purpose
    assert (Operation.objects.count(), emulator.posts()) == (0, 0)


# --- Refused before anything is sent ----------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "tick", "kind"),
    [(-1, True, "past"), (0, True, "past"), (366, True, "too_far"), (5, False, "shortens")],
)
def test_f35_bounds(emulator: Emulator, days: int, tick: bool, kind: str) -> None:
    done = extend(open_order(emulator), expiration=in_days(days), may_shorten=tick)
    assert (stored_outcome(done), emulator.posts()) == (("refused", "B", kind), 0)


def test_shortening_with_confirmation(emulator: Emulator) -> None:
    order_id, wanted = open_order(emulator), in_days(5)
    assert extend(order_id, expiration=wanted, may_shorten=True).state == "applied"
    assert expires_at(emulator, order_id) == wanted


def test_the_same_date_and_a_date_where_there_was_none(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    done = extend(order_id, expiration=expires_at(emulator, order_id), may_shorten=True)
    assert stored_outcome(done) == ("refused", "B", "same")
    never = open_order(emulator, expires_at=None)
    assert stored_outcome(extend(never)) == ("refused", "B", "sets_a_date")
    done = extend(never, may_shorten=True)
    assert (done.state, done.expires_before) == ("applied", None)
    assert services.may_undo_extension(done, now=timezone.now()) is False


@pytest.mark.parametrize(
    ("status", "kind"),
    [("accepted", "accepted"), ("failed", "ended"), ("on_hold", "unknown_status")],
)
def test_wrong_state(emulator: Emulator, status: str, kind: str) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    emulator.change_order(order_id, status=status)
    done = extend(order_id, snapshot=shown)
    assert (stored_outcome(done), emulator.posts()) == (("refused", "B", kind), 0)


def test_f34_order_changed_since_the_dialog(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    emulator.change_order(order_id, expires_at="2099-05-06T07:08:00Z")
    done = extend(order_id, snapshot=shown)
    assert (stored_outcome(done), emulator.posts()) == (("refused", "B", "moved"), 0)
    assert done.detail.endswith(" → 6 May 2099, 07:08 UTC.")


def test_an_expiration_that_cannot_be_read_is_not_overwritten(settings: Any) -> None:
    with FaultyServer(answer(200, order_json(expires_at="soon"))) as server:
        settings.GOODY_API_URL, settings.GOODY_API_KEY = server.url, "test-key"
        done = extend(ORDER_ID, snapshot=order_snapshot(order(expires_at="soon")), may_shorten=True)
        assert (stored_outcome(done), server.posts) == (("refused", "B", "unreadable"), 0)


@pytest.mark.parametrize("status", [400, 409, 422])
def test_f15_goody_refuses(emulator: Emulator, status: int) -> None:
    order_id = open_order(emulator)
    emulator.add_fault({"kind": "status", "status": status, "text": "Too late"}, method="POST")
    done = extend(order_id)
    assert (stored_outcome(done), emulator.posts()) == (("refused", "B", "rejected"), 1)
    assert sentence(done) == "Goody refused: Too late."


# --- Goody's reads are older than its confirmation -------------------------------------------


def stale(old: datetime) -> dict[str, Any]:
    return order_json(event_times=NEVER_ACCEPTED, expires_at=goody_time(old))


def shown_expiration() -> datetime | None:
    return services.refresh_order(order_id=ORDER_ID, now=timezone.now()).order.expires_at


def test_a_read_older_than_a_confirmed_extension_allows_no_other(goody: Any, clock: Any) -> None:
    old, first, second = in_days(10), in_days(30), in_days(40)
    posts = tuple(answer(200, order_json(expires_at=goody_time(at))) for at in (first, second))
    with FaultyServer(answer(200, stale(old)), post=posts) as server:
        goody(server)
        done = extend(ORDER_ID, expiration=first)
        assert shown_expiration() == first
        refused = extend(ORDER_ID, expiration=second)
        undone = extend(ORDER_ID, expiration=old, undoes=done.pk)
        assert [stored_outcome(one)[2] for one in (refused, undone)] == ["older_read", "older_read"]
        assert server.posts == 1
        assert sentence(refused) == (
            "Goody's answer does not show the last change of the expiration yet, although Goody "
            "confirmed that change. Try again in a few minutes. Nothing was sent."
        )
        clock.shift(301)
        assert shown_expiration() == first
        assert read_when_due(done, clock).contradicted_at is not None
        assert shown_expiration() == old
        assert extend(ORDER_ID, expiration=second).expires_before == old


def test_a_read_older_than_two_confirmed_extensions_allows_no_third(goody: Any, clock: Any) -> None:
    old, first, second = in_days(10), in_days(30), in_days(40)
    reads = [answer(200, stale(at)) for at in (old, old, first, first, old)]
    posts = tuple(answer(200, order_json(expires_at=goody_time(at))) for at in (first, second))
    with FaultyServer(*reads, post=posts) as server:
        goody(server)
        extend(ORDER_ID, expiration=first)
        extend(ORDER_ID, expiration=second)
        assert (
            stored_outcome(extend(ORDER_ID, snapshot={}, expiration=in_days(50)))[2] == "older_read"
        )
        assert (shown_expiration(), server.posts) == (second, 2)


def test_a_read_older_than_a_confirmed_extension_allows_a_cancel(goody: Any) -> None:
    old, first = in_days(10), in_days(30)
    posts = (answer(200, order_json(expires_at=goody_time(first))), answer(200, CANCELED))
    with FaultyServer(answer(200, stale(old)), post=posts) as server:
        goody(server)
        extend(ORDER_ID, expiration=first)
        assert cancel(ORDER_ID).state == "applied"


def test_another_date_at_goody_is_shown_and_may_be_changed(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    extend(order_id)
    other = in_days(35)
    emulator.change_order(order_id, expires_at=goody_time(other))
    done = extend(order_id, expiration=in_days(60))
    assert (done.state, done.expires_before) == ("applied", other)


# --- Forms ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other", [{"expiration": in_days(50)}, {"may_shorten": True}, {"undoes": uuid4()}]
)
def test_f36_form_key_with_other_parameters_is_rejected(emulator: Emulator, other: Any) -> None:
    order_id, wanted = open_order(emulator), in_days(44)
    form: dict[str, Any] = {
        "form_key": uuid4(),
        "snapshot": current_snapshot(order_id),
        "expiration": wanted,
    }
    first = extend(order_id, **form)
    assert extend(order_id, **form).pk == first.pk
    with pytest.raises(services.FormKeyReused):
        extend(order_id, **{**form, **other})
    with pytest.raises(services.FormKeyReused):
        cancel(order_id, form_key=form["form_key"])
    assert emulator.posts() == 1


def test_f38_a_cancel_under_way_keeps_an_extension_out(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    first = store_operation(order_uuid=order_id, state=State.UNKNOWN)
    with pytest.raises(services.OrderBusy) as busy:
        extend(order_id)
    assert (busy.value.operation.pk, emulator.posts()) == (first.pk, 0)


# --- Undo -------------------------------------------------------------------------------------


def undo(done: Operation, **given: Any) -> Operation:
    return extend(
        done.order_uuid, **{"expiration": done.expires_before, "undoes": done.pk, **given}
    )


def test_undo_restores_the_former_date_once(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    before = expires_at(emulator, order_id)
    done = extend(order_id)
    assert services.may_undo_extension(done, now=timezone.now()) is True
    undone = undo(done)
    assert (undone.state, undone.undoes_id) == ("applied", done.pk)
    assert expires_at(emulator, order_id) == before
    assert services.may_undo_extension(done, now=timezone.now()) is False
    assert services.may_undo_extension(undone, now=timezone.now()) is False
    again = undo(done)
    assert stored_outcome(again)[2] in ("same", "not_undoable")
    assert emulator.posts() == 2


def test_an_undo_is_not_undone(emulator: Emulator) -> None:
    done = extend(open_order(emulator))
    undone = undo(done)
    refused = undo(undone, expiration=done.expiration)
    assert stored_outcome(refused) == ("refused", "B", "not_undoable")


def test_undo_refuses_when_the_order_changed(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    first = extend(order_id)
    extend(order_id, expiration=in_days(60))
    refused = undo(first)
    assert stored_outcome(refused) == ("refused", "B", "not_undoable")
    assert emulator.posts() == 2


def test_undo_refuses_a_date_that_somebody_set_again_after_a_later_extension(
    emulator: Emulator,
) -> None:
    order_id = open_order(emulator)
    first = extend(order_id, expiration=in_days(50))
    second = extend(order_id, expiration=in_days(60))
    assert first.expiration is not None
    emulator.change_order(order_id, expires_at=goody_time(first.expiration))
    assert services.may_undo_extension(first, now=timezone.now()) is False
    refused = undo(first)
    assert (refused.state, emulator.posts()) == ("refused", 2)
    assert expires_at(emulator, order_id) == first.expiration
    assert services.may_undo_extension(second, now=timezone.now()) is True


def test_no_undo_after_a_later_extension_on_a_clock_set_back(
    emulator: Emulator, clock: Any
) -> None:
    order_id = open_order(emulator)
    first = extend(order_id, expiration=in_days(50))
    clock.shift(-3600)
    second = extend(order_id, expiration=in_days(60))
    assert second.state == "applied"
    assert services.may_undo_extension(first, now=timezone.now()) is False
    assert services.may_undo_extension(second, now=timezone.now()) is True


def test_an_extension_without_effect_leaves_the_undo_of_the_former_one(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    first = extend(order_id)
    emulator.add_fault({"kind": "status", "status": 409}, method="POST", times=1)
    assert extend(order_id, expiration=in_days(60)).state == "refused"
    assert undo(first).state == "applied"


def test_no_undo_after_a_refused_extension_whose_effect_was_seen(emulator: Emulator) -> None:
    first = extend(open_order(emulator))
    store_operation(
        order_uuid=first.order_uuid,
        action="order.extend",
        state=State.REFUSED,
        sent_at=timezone.now(),
        effect_seen_at=timezone.now(),
    )
    assert services.may_undo_extension(first, now=timezone.now()) is False


def test_undo_refuses_another_date_another_order_and_what_was_not_applied(
    emulator: Emulator,
) -> None:
    order_id, elsewhere = open_order(emulator), open_order(emulator)
    done = extend(order_id)
    assert stored_outcome(undo(done, expiration=in_days(3)))[2] == "not_undoable"
    other = extend(elsewhere, expiration=done.expires_before, undoes=done.pk, may_shorten=True)
    assert stored_outcome(other)[2] in ("same", "not_undoable")
    Operation.objects.filter(pk=done.pk).update(state="refused")
    assert stored_outcome(undo(done)) == ("refused", "B", "not_undoable")
    assert emulator.posts() == 1


def test_an_undo_without_effect_may_be_tried_again(emulator: Emulator) -> None:
    done = extend(open_order(emulator))
    emulator.add_fault({"kind": "status", "status": 409}, method="POST", times=1)
    assert undo(done).state == "refused"
    assert services.may_undo_extension(done, now=timezone.now()) is True
    assert undo(done).state == "applied"


def test_no_undo_of_a_date_that_has_passed(emulator: Emulator) -> None:
    done = extend(open_order(emulator))
    assert done.expires_before is not None
    assert services.may_undo_extension(done, now=done.expires_before) is False
    assert services.may_undo_extension(done, now=done.expires_before - timedelta(seconds=1)) is True


def test_an_undo_of_a_cancel_is_refused(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    done = extend(order_id, undoes=store_operation(state=State.REFUSED).pk)
    assert stored_outcome(done) == ("refused", "B", "not_undoable")
    assert emulator.posts() == 0


@pytest.mark.django_db
def test_an_undo_may_go_back_to_a_date_beyond_our_own_bound(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    emulator.change_order(order_id, expires_at="2029-11-22T12:00:00Z")
    done = extend(order_id, expiration=in_days(30), may_shorten=True)
    assert services.may_undo_extension(done, now=timezone.now()) is True
    undone = extend(order_id, expiration=done.expires_before, undoes=done.pk)
    assert undone.state == State.APPLIED
    assert emulator.get_order(order_id)["expires_at"] == "2029-11-22T12:00:00Z"
