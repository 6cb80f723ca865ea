"""Exports the results of a job as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from orders.days import RequestClock
from orders.eligibility import snapshot_expiration
from orders.models import ItemState, JobItem

from .csv_cells import CsvBuffer, dollars, escape_text, utc_time
from .job_items import (
    OUTCOMES,
    item_sentence,
    snapshot_amount,
    snapshot_recipient,
)

COLUMNS = (
    *("position", "order_id", "reference_id", "recipient_name", "recipient_email", "amount_usd"),
    *("expires_at_before", "expires_at", "outcome", "reason", "detail", "ended_at"),
)
_CHUNK = 500
_OUTCOME_OF = {state: key for key, states in OUTCOMES.items() for state in states}


def job_csv_chunks(
    items: Iterable[JobItem], references: Mapping[UUID, str], *, clock: RequestClock
) -> Iterator[bytes]:
    """Yield the file in chunks. `references` has the receipt references by order id."""
    buffer = CsvBuffer()
    buffer.write(COLUMNS)
    for number, item in enumerate(items, 1):
        buffer.write(_cells(item, references.get(item.order_uuid, ""), clock))
        if number % _CHUNK == 0:
            yield buffer.drain()
    yield buffer.drain()


def _cells(item: JobItem, reference: str, clock: RequestClock) -> Iterable[object]:
    return (
        item.position,
        item.order_uuid,
        *map(escape_text, (reference, *snapshot_recipient(item.snapshot))),
        dollars(snapshot_amount(item.snapshot)[0]),
        utc_time(snapshot_expiration(item.snapshot)),
        utc_time(item.expiration),
        _OUTCOME_OF[ItemState(item.state)],
        escape_text(item.reason),
        escape_text(item_sentence(item, clock)),
        utc_time(item.ended_at),
    )
