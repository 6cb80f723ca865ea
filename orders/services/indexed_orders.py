"""Reads many orders from the index at once, with the operations on them, without calls to Goody."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import batched
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import structs

from goody.types import parse_order
from orders.compression import decompress_json
from orders.eligibility import order_snapshot
from orders.models import Operation, Order, OrderPayload
from orders.search import first_query_with_matches, hits_by_id, read_snapshot
from orders.search.query import Query

from .reading import (
    ListedOrder,
    changes_by_our_writes,
    jobs_by_order,
    operations_by_order,
    with_operations,
)

# Orders whose JSON is read in one query.
_CHUNK = 500


class IndexedOrder(NamedTuple):
    """An order of the index. `blocking` is a write that is open or may still take effect.

    `content_hash` is that of the stored row. With `has_operations`, `listed` may contain changes by
    our writes that the stored row does not show yet.
    """

    listed: ListedOrder
    content_hash: str
    blocking: Operation | None
    has_operations: bool


class StoredSnapshot(NamedTuple):
    """The snapshot of the stored copy with our writes applied, and the copy's content hash."""

    snapshot: dict[str, Any]
    content_hash: str


def matching_order_ids(query: Query, *, limit: int, now: datetime) -> list[UUID]:
    """Return the ids of the first `limit` orders of a list. Raises SearchTimeout."""
    found = first_query_with_matches([query], limit=limit, now=now)
    return found[1] if found else []


def indexed_orders(order_ids: Sequence[UUID]) -> dict[UUID, IndexedOrder]:
    """Return the orders by id, without those that the index lacks. Raises SearchTimeout."""
    found = hits_by_id(order_ids)
    ids = list(found)
    operations, jobs = operations_by_order(ids), jobs_by_order(ids)
    return {
        order_id: _indexed(with_operations(hit, ours, jobs.get(order_id)), content_hash, ours)
        for order_id, (hit, content_hash) in found.items()
        for ours in (operations.get(order_id, ()),)
    }


def _indexed(
    listed: ListedOrder, content_hash: str, operations: Sequence[Operation]
) -> IndexedOrder:
    if not operations:
        return IndexedOrder(listed, content_hash, None, has_operations=False)
    blocking = next((one for one in operations if one.is_open or one.blocks_order), None)
    return IndexedOrder(listed, content_hash, blocking, has_operations=True)


def stored_snapshots(order_ids: Collection[UUID]) -> dict[UUID, StoredSnapshot]:
    """Return the snapshots of these orders by id, without orders that the index does not have."""
    operations = operations_by_order(list(order_ids))
    found: dict[UUID, StoredSnapshot] = {}
    with read_snapshot():
        for some in batched(order_ids, _CHUNK):
            for order_id, content_hash, packed in _payloads(some):
                snapshot = _snapshot(packed, operations.get(order_id, ()))
                found[order_id] = StoredSnapshot(snapshot, content_hash)
    return found


def _snapshot(packed: bytes, operations: Sequence[Operation]) -> dict[str, Any]:
    order = parse_order(decompress_json(packed))
    if operations:
        order = structs.replace(order, **changes_by_our_writes(order, operations))
    return order_snapshot(order)


def _payloads(order_ids: Collection[UUID]) -> Iterator[tuple[UUID, str, bytes]]:
    rows = Order.objects.filter(uuid__in=order_ids).values_list("pk", "uuid", "content_hash")
    stored = {pk: (order_id, content_hash) for pk, order_id, content_hash in rows}
    payloads = OrderPayload.objects.filter(pk__in=stored).values_list("pk", "packed")
    for pk, packed in payloads:
        yield (*stored[pk], bytes(packed))
