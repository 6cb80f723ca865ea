"""Selections: which orders are stored, for whom, and how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.utils import timezone

from goody.types import parse_order
from orders import index
from orders.bulk import selections
from orders.bulk.selections import NothingSelected, SelectionNotFound, TooManySelected
from orders.eligibility import order_snapshot
from orders.models import Order, Selection
from orders.rights import NotAllowed
from orders.search.query import Query
from testing.bulk import select, store_order
from testing.domain import actor, extend, in_days, open_order

pytestmark = pytest.mark.django_db


def freeze(query: Query, **given: Any) -> Selection:
    return selections.freeze_matching(
        actor=given.pop("by", None) or actor("lead"),
        action=given.pop("action", Selection.Action.EXTEND),
        query=query,
        description="",
        list_url="",
        now=timezone.now(),
    )


def test_a_selection_stores_the_snapshots_of_its_orders() -> None:
    order_id = store_order(1, status="opened")
    copy = Order.objects.get(uuid=order_id)

    selection = Selection.objects.get(pk=select([order_id]).pk)

    [frozen] = selection.frozen_orders
    assert frozen.order_id == order_id
    assert frozen.snapshot == order_snapshot(copy.to_goody_order())
    assert frozen.content_hash == copy.content_hash
    assert frozen.expiration is None


def test_orders_keep_their_order_and_occur_once() -> None:
    ids = [store_order(number) for number in (3, 1, 2)]

    assert list(select([*ids, ids[0]]).order_ids) == ids


def test_all_that_match_are_frozen_in_the_order_of_the_list() -> None:
    opened = [store_order(number, status="opened") for number in range(3)]
    store_order(9, status="delivered")

    selection = freeze(Query(statuses=("opened",)))

    assert set(selection.order_ids) == set(opened)
    store_order(4, status="opened")
    selection.refresh_from_db()
    assert len(selection.orders) == 3


def test_more_orders_than_the_limit_are_refused(settings: Any) -> None:
    settings.BULK_MAX_ORDERS = 2
    ids = [store_order(number) for number in range(3)]

    with pytest.raises(TooManySelected) as raised:
        select(ids)
    with pytest.raises(TooManySelected):
        freeze(Query(statuses=("notified",)))

    assert raised.value.limit == 2
    assert not Selection.objects.exists()
    assert len(select(ids[:2]).orders) == 2


def test_orders_that_the_index_does_not_have_are_left_out() -> None:
    order_id = store_order(1)

    assert select([uuid4(), order_id]).order_ids == (order_id,)
    with pytest.raises(NothingSelected):
        select([uuid4()])
    with pytest.raises(NothingSelected):
        freeze(Query(statuses=("delivered",)))


@pytest.mark.parametrize("role", ["viewer", "agent"])
def test_only_people_with_the_right_select(role: str) -> None:
    with pytest.raises(NotAllowed):
        select([store_order(1)], by=actor(role))


def test_a_selection_is_for_its_owner_and_a_day() -> None:
    lead, now = actor("lead"), timezone.now()
    selection = select([store_order(1)], by=lead)

    def get(who: Any, at: Any) -> Selection:
        return selections.get_selection(actor=who, selection_id=selection.pk, now=at)

    assert get(lead, now) == selection
    with pytest.raises(SelectionNotFound):
        get(actor("lead", "another"), now)
    with pytest.raises(SelectionNotFound):
        get(lead, now + timedelta(hours=24, seconds=5))
    assert selections.delete_expired_selections(now=now) == 0
    assert selections.delete_expired_selections(now=now + timedelta(hours=25)) == 1


def test_snapshots_show_a_confirmed_extension_that_the_index_does_not_have_yet(
    emulator: Any,
) -> None:
    """The snapshot is that of a dialog, which the job compares with its fresh read."""
    order_id = open_order(emulator)
    before = msgspec.json.encode(emulator.get_order(order_id))
    operation = extend(order_id, expiration=in_days(90), actor=actor("lead"))
    index.upsert_orders([parse_order(before)], read_at=timezone.now())

    [frozen] = select([order_id]).frozen_orders

    assert frozen.snapshot["expires_at"] == operation.expiration.isoformat()
