"""Stores the orders that a person selects, so that later changes of the list do not change them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings

from orders import services
from orders.models import FrozenOrder, Selection
from orders.rights import Actor, Right
from orders.search.query import Query

_RIGHTS = {
    Selection.Action.EXTEND: Right.EXTEND,
    Selection.Action.CANCEL: Right.CANCEL,
    Selection.Action.EXPORT: Right.EXPORT,
}


class SelectionNotFound(Exception):
    """The selection does not exist, has expired or belongs to another person."""


class NothingSelected(Exception):
    """No order was selected, or the index has none of them."""


class TooManySelected(Exception):
    """More orders were selected than `limit`. Nothing was stored."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} orders")
        self.limit = limit


def freeze_matching(
    *,
    actor: Actor,
    action: Selection.Action,
    query: Query,
    description: str,
    list_url: str,
    now: datetime,
) -> Selection:
    """Store all orders that match the query now, as `freeze_orders` does.

    Raises SearchTimeout.
    """
    _require(actor, action)
    limit: int = settings.BULK_MAX_ORDERS
    return freeze_orders(
        actor=actor,
        action=action,
        order_ids=services.matching_order_ids(query, limit=limit + 1, now=now),
        description=description,
        list_url=list_url,
        now=now,
    )


def freeze_orders(
    *,
    actor: Actor,
    action: Selection.Action,
    order_ids: Sequence[UUID],
    description: str,
    list_url: str,
    now: datetime,
) -> Selection:
    """Store a selection of these orders with their present snapshots, visible to the actor alone.

    `description` names the list, `list_url` is its URL. Orders that the index does not have are
    left out. Raises NotAllowed, NothingSelected, TooManySelected.
    """
    _require(actor, action)
    if len(order_ids) > settings.BULK_MAX_ORDERS:
        raise TooManySelected(settings.BULK_MAX_ORDERS)
    assert actor.user_id is not None
    stored = services.stored_snapshots(order_ids)
    frozen = [FrozenOrder(one, *stored[one]) for one in dict.fromkeys(order_ids) if one in stored]
    if not frozen:
        raise NothingSelected
    return Selection.objects.create(
        owner_id=actor.user_id,
        action=action,
        description=description,
        list_url=list_url,
        orders=[one.serialize() for one in frozen],
        created_at=now,
    )


def _require(actor: Actor, action: Selection.Action) -> None:
    actor.require(Right.BULK)
    actor.require(_RIGHTS[action])


def get_selection(*, actor: Actor, selection_id: UUID, now: datetime) -> Selection:
    """Return the actor's own selection.

    Raises SelectionNotFound, also when it has expired, and NotAllowed if the actor lost the right.
    """
    found = Selection.objects.active(now).filter(pk=selection_id, owner_id=actor.user_id).first()
    if found is None:
        raise SelectionNotFound
    _require(actor, Selection.Action(found.action))
    return found


def delete_expired_selections(*, now: datetime) -> int:
    """Delete expired selections and return their number."""
    expired = Selection.objects.expired(now)
    # There are rarely any, and exists() takes no lock.
    return expired.delete()[0] if expired.exists() else 0
