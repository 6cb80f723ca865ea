"""Finds the neighbors of an order in a list, and the orders related to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from orders.models import Label

from .deadline import SEARCH_SECONDS, SearchDeadline, time_limit
from .hits import Hit
from .query import FilterChoice, Query, Sort
from .query_runner import MatchCount, QueryRunner

_MAX_COUNT = 1000
# Orders of a group.
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Neighbors:
    """The previous and the next order in a list, the position (from 1), and the number of orders.

    `position` is None if the order is not (any more) in the list or is beyond the first 1,000.
    """

    previous: UUID | None
    next: UUID | None
    position: int | None
    count: MatchCount


@dataclass(frozen=True, slots=True)
class RelatedGroup:
    """The newest orders of a group, their number, and the query for all of them."""

    hits: Sequence[Hit]
    count: MatchCount
    query: Query


@dataclass(frozen=True, slots=True)
class RelatedGroups:
    """The other orders of the same batch, to the same address and from the same sender.

    A group is None if it has no other orders. `sent` is the number of orders whose sender has the
    recipient's address; None if the order has no address.
    """

    batch: RelatedGroup | None
    email: RelatedGroup | None
    sender: RelatedGroup | None
    sent: MatchCount | None


def find_neighbors(
    query: Query,
    order_id: UUID,
    *,
    now: datetime,
    seconds: float = SEARCH_SECONDS,
) -> Neighbors | None:
    """Return the neighbors, or None if the index does not contain the order.

    Raises SearchTimeout.
    """
    with time_limit(seconds) as deadline:
        finder = QueryRunner(deadline, query, now=now)
        if (at := finder.paging_key_of_order(order_id)) is None:
            return None
        before = finder.fetch_rows(_MAX_COUNT + 1, at, backwards=True, selected="o.uuid")
        after = finder.fetch_rows(1, at, selected="o.uuid")
        is_counted = len(before) <= _MAX_COUNT and finder.matches_order(order_id)
        position = len(before) + 1 if is_counted else None
        found = finder.count_matches(_MAX_COUNT)
        return Neighbors(
            previous=_uuid(before),
            next=_uuid(after),
            position=position,
            count=found.at_least(position or 0),
        )


def _uuid(rows: Sequence[tuple[Any, ...]]) -> UUID | None:
    return UUID(str(rows[0][2])) if rows else None


def find_related_orders(
    order_id: UUID,
    *,
    now: datetime,
    seconds: float = SEARCH_SECONDS,
) -> RelatedGroups | None:
    """Return the newest orders with the same batch, address and sender as an order.

    Return None if the index does not contain the order. Raises SearchTimeout.
    """
    with time_limit(seconds) as deadline:
        rows = deadline.fetch_rows(
            "SELECT order_batch_id, email_key, sender_id FROM orders_order WHERE uuid = %s",
            [QueryRunner(deadline, Query(), now=now).context.dialect.to_parameter(order_id)],
        )
        if not rows:
            return None
        batch, email, sender = rows[0]
        by_batch, by_email, by_sender = (
            _group(deadline, query, order_id, now=now) for query in _shared(batch, email, sender)
        )
        sent = _sent_by(deadline, email, now=now) if email else None
        return RelatedGroups(by_batch, by_email, by_sender, sent)


def _shared(batch: Any, email: str | None, sender: int | None) -> list[Query | None]:
    """Return a query each for the orders with the same batch, address and sender as an order.

    A query is None if the order has no such value.
    """
    return [
        Query(batches=(FilterChoice(text=str(UUID(str(batch)))),)) if batch else None,
        Query(emails=(email,)) if email else None,
        Query(senders=(FilterChoice(id=sender),)) if sender else None,
    ]


def _sent_by(deadline: SearchDeadline, email: str, *, now: datetime) -> MatchCount:
    """Return the number of orders sent by the folded address."""
    known = Label.objects.filter(kind=Label.Kind.SENDER, key=email).values_list("pk", flat=True)
    ids = deadline.fetch_all(known)
    if not ids:
        return MatchCount(0, is_capped=False)
    return QueryRunner(deadline, Query(senders=(FilterChoice(id=ids[0]),)), now=now).count_matches(
        _MAX_COUNT
    )


def _group(
    deadline: SearchDeadline, query: Query | None, order_id: UUID, *, now: datetime
) -> RelatedGroup | None:
    if query is None:
        return None
    finder = QueryRunner(deadline, replace(query, sort=Sort.NEWEST), now=now)
    hits = finder.find_page(_SHOWN + 1, None, backwards=False).hits
    others = [hit for hit in hits if hit.uuid != order_id][:_SHOWN]
    if not others:
        return None
    found = finder.count_matches(_MAX_COUNT)
    # Without the order itself; a capped count is a lower bound either way.
    n = found.n if found.is_capped else found.n - 1
    return RelatedGroup(others, MatchCount(n, is_capped=found.is_capped), query)
