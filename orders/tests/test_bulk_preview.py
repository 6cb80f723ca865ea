"""The plan of a bulk action: which orders are included, why others are not, and the new dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders import eligibility, index
from orders.bulk.preview import ExtensionRule
from orders.bulk.selection_parts import decode_positions, encode_positions
from orders.eligibility import ExpirationPreset
from orders.models import Order, Selection, State
from testing.bulk import (
    date_rule,
    days_from_now,
    eligibility_codes,
    plan,
    preset_rule,
    select,
    store_order,
)
from testing.domain import goody_time, store_operation

pytestmark = pytest.mark.django_db
CANCEL = Selection.Action.CANCEL
BOTH = pytest.mark.parametrize("action", [Selection.Action.EXTEND, CANCEL])


@BOTH
@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("created", "open"),
        ("notified", "open"),
        ("opened", "open"),
        ("accepted", "accepted"),
        ("delivered", "accepted"),
        ("failed", "ended"),
        ("canceled", "ended"),
        ("on_hold", "unknown_status"),
    ],
)
def test_the_status_decides_in_the_words_of_eligibility(
    action: Selection.Action, status: str, code: str
) -> None:
    selection = select([store_order(1, status=status)], action)
    may = eligibility.may_cancel if action == CANCEL else eligibility.may_extend

    [item] = plan(selection).items

    assert item.is_included == (code == "open")
    if code != "open":
        found = may(Order.objects.get().to_goody_order(), now=timezone.now())
        assert item.eligibility == found
        assert item.eligibility.code == code


def test_each_order_is_extended_from_its_own_expiration() -> None:
    first, second = days_from_now(3), days_from_now(10)
    ids = [
        store_order(1, expires_at=goody_time(first)),
        store_order(2, expires_at=goody_time(second)),
    ]

    found = plan(select(ids), preset_rule(ExpirationPreset.WEEK))

    week = timedelta(days=7)
    assert [one.expiration for one in found.included] == [first + week, second + week]


@pytest.mark.parametrize(
    "expires_at", [None, goody_time(days_from_now(-3))], ids=["none", "expired"]
)
def test_an_expired_or_undated_order_is_extended_from_now(expires_at: str | None) -> None:
    selection = select([store_order(1, expires_at=expires_at)])
    rule = preset_rule(ExpirationPreset.WEEK)

    [item] = plan(selection, rule, may_shorten=True).items

    minute = rule.now.replace(second=0, microsecond=0)
    assert item.expiration == minute + timedelta(days=7)
    assert item.is_included


@pytest.mark.parametrize(
    ("zone", "expires_at", "expected"),
    [
        # The local time stays the same although the clocks are set back between.
        ("America/New_York", "2027-10-30T03:59:59Z", "2027-11-13T04:59:59Z"),
        ("Europe/Berlin", "2027-03-20T22:59:59Z", "2027-04-03T21:59:59Z"),
        ("UTC", "2027-03-20T22:59:59Z", "2027-04-03T22:59:59Z"),
    ],
)
def test_days_are_those_of_the_zone(zone: str, expires_at: str, expected: str) -> None:
    with time_machine.travel(datetime(2027, 3, 1, 12, tzinfo=UTC), tick=False):
        selection = select([store_order(1, expires_at=expires_at)])
        [item] = plan(selection, preset_rule(ExpirationPreset.TWO_WEEKS, zone)).items

    assert item.expiration == datetime.fromisoformat(expected)
    assert item.is_included


def test_the_end_of_the_month_is_that_of_each_expiration() -> None:
    with time_machine.travel(datetime(2027, 1, 10, 12, tzinfo=UTC), tick=False):
        ids = [
            store_order(1, expires_at="2027-01-20T12:00:00Z"),
            store_order(2, expires_at="2027-02-03T12:00:00Z"),
        ]
        found = plan(select(ids), preset_rule(ExpirationPreset.END_OF_MONTH))

    ends = [
        datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2027, 2, 28, 23, 59, 59, tzinfo=UTC),
    ]
    assert [one.expiration for one in found.included] == ends


def test_orders_that_one_date_would_shorten_are_left_out_unless_checked() -> None:
    date = days_from_now(7)
    sooner, later = days_from_now(5), days_from_now(9)
    numbers = (goody_time(sooner), goody_time(later), goody_time(date), None)
    selection = select([store_order(n, expires_at=at) for n, at in enumerate(numbers)])

    assert eligibility_codes(plan(selection, date_rule(date))) == [
        "ok",
        "shortens",
        "same",
        "sets_a_date",
    ]
    checked = plan(selection, date_rule(date), may_shorten=True)
    assert eligibility_codes(checked) == ["ok", "ok", "same", "ok"]


def test_dates_out_of_bounds_are_left_out(settings: Any) -> None:
    settings.EXTENSION_MAX_DAYS = 30
    selection = select(
        [
            store_order(1),
            store_order(2, expires_at="9999-12-31T23:59:59Z"),
            store_order(3, expires_at=goody_time(days_from_now(25))),
        ]
    )

    assert eligibility_codes(plan(selection)) == ["ok", "too_far", "too_far"]
    assert eligibility_codes(plan(selection, date_rule(days_from_now(-1)))) == ["past"] * 3


def test_an_unreadable_expiration_is_not_extended_but_may_be_canceled() -> None:
    order_id = store_order(1, expires_at="soon")

    assert eligibility_codes(plan(select([order_id]))) == ["unreadable"]
    assert eligibility_codes(plan(select([order_id], CANCEL))) == ["open"]


@BOTH
@pytest.mark.parametrize("state", [State.PLANNED, State.SENDING, State.UNKNOWN, State.NEEDS_HUMAN])
def test_an_order_with_an_open_write_is_left_out(action: Selection.Action, state: State) -> None:
    order_id = store_order(1)
    store_operation(order_uuid=order_id, state=state)

    assert eligibility_codes(plan(select([order_id], action))) == ["busy"]


@BOTH
def test_an_order_whose_last_write_may_still_take_effect_is_left_out(
    action: Selection.Action,
) -> None:
    order_id = store_order(1)
    store_operation(order_uuid=order_id, state=State.NOT_APPLIED, may_take_effect=True)

    assert eligibility_codes(plan(select([order_id], action))) == ["busy"]


@BOTH
def test_a_cancel_on_record_outranks_an_older_copy(action: Selection.Action) -> None:
    order_id = store_order(1)
    store_operation(order_uuid=order_id, state=State.APPLIED, action="order.cancel")

    assert eligibility_codes(plan(select([order_id], action))) == ["ended"]


@BOTH
def test_an_order_that_goody_does_not_know_is_left_out(action: Selection.Action) -> None:
    order_id = store_order(1)
    selection = select([order_id], action)
    index.mark_missing(order_id, read_at=timezone.now())

    assert eligibility_codes(plan(selection)) == ["missing"]


@BOTH
def test_an_order_that_left_the_index_is_told_as_such(action: Selection.Action) -> None:
    selection = select([store_order(1), store_order(2)], action)
    Order.objects.filter(uuid=selection.order_ids[0]).delete()

    found = plan(selection)

    assert [one.is_included for one in found.items] == [False, True]
    assert found.items[0].eligibility.code == "not_stored"
    assert found.items[0].listed is None


@BOTH
def test_an_order_that_changed_is_left_out_unless_checked(action: Selection.Action) -> None:
    order_id = store_order(1)
    selection = select([order_id], action)
    store_order(1, status="opened")

    [item] = plan(selection).items
    [checked] = plan(selection, with_changed=True).items

    assert (item.eligibility.code, item.is_included) == ("changed", False)
    assert [str(one) for one in item.differences] == ["Status: Notified → Opened"]
    assert checked.is_included
    assert checked.has_changed
    assert checked.snapshot["status"] == "opened"


def test_a_change_that_no_dialog_shows_is_no_change() -> None:
    order_id = store_order(1, view_count_recipient=1)
    selection = select([order_id])
    store_order(1, view_count_recipient=2)

    [item] = plan(selection).items

    assert Order.objects.get().content_hash != selection.frozen_orders[0].content_hash
    assert item.is_included
    assert item.snapshot == selection.frozen_orders[0].snapshot


def test_a_refusal_outranks_the_change_that_led_to_it() -> None:
    selection = select([store_order(1)], CANCEL)
    store_order(1, status="accepted")

    [item] = plan(selection).items

    assert item.eligibility.sentence == "Cannot be canceled: the recipient accepted it."
    assert item.has_changed


def test_the_undo_of_an_extension_goes_back_to_each_former_date() -> None:
    former = days_from_now(2)
    selection = select([store_order(1), store_order(2)])
    selection.orders[0][3] = former.isoformat()
    selection.orders[1][3] = days_from_now(-1).isoformat()
    selection.save()

    found = plan(selection, is_undo=True)

    assert found.items[0].expiration == former
    assert eligibility_codes(found) == ["ok", "past"]


def test_the_digest_changes_with_what_will_be_done() -> None:
    selection = select([store_order(1), store_order(2)])
    rule = preset_rule()
    digest = plan(selection, rule).digest

    assert plan(selection, rule).digest == digest
    assert plan(selection, preset_rule(ExpirationPreset.WEEK)).digest != digest
    store_order(1, status="opened")
    left_out = plan(selection, rule).digest
    checked = plan(selection, rule, with_changed=True).digest
    store_order(1, status="created")
    assert len({digest, left_out, checked, plan(selection, rule, with_changed=True).digest}) == 4


def test_reasons_are_grouped_the_most_frequent_first() -> None:
    statuses = ["opened", "failed", "ordered", "paid"]
    selection = select([store_order(n, status=status) for n, status in enumerate(statuses)], CANCEL)

    groups = plan(selection).groups

    assert [(one.eligibility.sentence, len(one.items)) for one in groups] == [
        ("Cannot be canceled: it is being prepared.", 2),
        ("Cannot be canceled: it is already canceled or failed.", 1),
    ]


def test_rules_in_words() -> None:
    zone = ZoneInfo("America/New_York")
    rule = ExtensionRule(zone=zone, now=timezone.now(), preset=ExpirationPreset.TWO_WEEKS)
    date = ExtensionRule(
        zone=zone, now=timezone.now(), date=datetime(2027, 1, 1, 4, 59, 59, tzinfo=UTC)
    )

    assert rule.in_words == (
        "each by 14 days from its own expiration, or from now if that is later"
    )
    assert date.in_words == "all to 31 Dec 2026, 23:59 EST"


@pytest.mark.parametrize("positions", [[], [0], [4999], [1, 2, 3, 700], list(range(5000))])
def test_a_part_of_a_selection_is_a_short_text(positions: list[int]) -> None:
    packed = encode_positions(positions)

    assert decode_positions(packed) == positions
    assert len(packed) < 100


@pytest.mark.parametrize(
    "text", ["x", "%%%", "eJw", encode_positions([1])[:-4], encode_positions([1]) + "AAAA"]
)
def test_another_text_is_no_part(text: str) -> None:
    with pytest.raises(ValueError, match="not a part of a selection"):
        decode_positions(text)


def test_the_number_of_queries_does_not_depend_on_the_number_of_orders(
    django_assert_num_queries: Any,
) -> None:
    few, many = select([store_order(1)]), select([store_order(number) for number in range(40)])
    plan(few)
    with CaptureQueriesContext(connection) as captured:
        plan(few)

    with django_assert_num_queries(len(captured)):
        plan(many)
