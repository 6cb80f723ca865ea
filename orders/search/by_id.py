"""Reads many orders by their ids, each with the hash of its content."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import batched
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS

from .context import SearchResources
from .deadline import time_limit
from .hits import Hit, hit_columns, make_hits

# Orders in one query, and the deadline of all queries.
_CHUNK = 1000
_SECONDS = 5.0


def hits_by_id(
    order_ids: Collection[UUID], *, using: str = DEFAULT_DB_ALIAS
) -> dict[UUID, tuple[Hit, str]]:
    """Return (hit, content hash) by id for the orders that the index contains.

    Raises SearchTimeout.
    """
    found: dict[UUID, tuple[Hit, str]] = {}
    with time_limit(_SECONDS, using=using) as deadline:
        context = SearchResources(deadline)
        for some in batched(order_ids, _CHUNK):
            found.update(_read(context, some))
    return found


def _read(
    context: SearchResources, order_ids: tuple[UUID, ...]
) -> Iterator[tuple[UUID, tuple[Hit, str]]]:
    among = context.dialect.value_in("o.uuid", order_ids)
    columns = f"o.content_hash, {hit_columns(context.dialect)}"
    rows = context.deadline.fetch_rows(
        f"SELECT {columns} FROM orders_order o WHERE {among.text}",  # noqa: S608
        among.params,
    )
    hits = make_hits(rows, context.labels, vendor=context.deadline.vendor)
    for row, hit in zip(rows, hits, strict=True):
        yield hit.uuid, (hit, row[0])
