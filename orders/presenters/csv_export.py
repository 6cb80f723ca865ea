"""Exports a list of orders as CSV."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing

from orders.search import Hit
from orders.services import ExportIncomplete

from .csv_cells import CsvBuffer, dollars, escape_text, utc_time, yes_or_no

CHUNK_SIZE = 500
_UNREADABLE = "unreadable"
COLUMNS = (
    *("order_id", "reference_id", "status", "recipient_name", "recipient_email"),
    *("product", "brand", "quantity", "items", "amount_usd", "is_before_tax"),
    *("sender", "workspace", "order_batch_id", "created_at", "expires_at"),
    *("is_swapped", "is_payment_pending", "has_delivery_trouble", "read_at", "missing_at"),
)


def csv_chunks(hits: Generator[Hit]) -> Iterator[bytes]:
    """Yield the file in chunks of rows.

    If `hits` raises ExportIncomplete, the last line states the reason.
    """
    buffer = CsvBuffer()
    buffer.write(COLUMNS)
    with closing(hits):
        try:
            for number, hit in enumerate(hits, 1):
                buffer.write(_cells(hit))
                if number % CHUNK_SIZE == 0:
                    yield buffer.drain()
        except ExportIncomplete as broken:
            buffer.write([f"INCOMPLETE: {broken}. More orders may belong here."])
    yield buffer.drain()


def _cells(hit: Hit) -> Iterable[object]:
    return (
        hit.uuid,
        *map(escape_text, (hit.reference_id, hit.status, hit.recipient_name, hit.recipient_email)),
        *map(escape_text, (hit.product, hit.brand)),
        hit.quantity,
        hit.item_count,
        _UNREADABLE if hit.is_amount_odd else dollars(hit.amount_cents),
        yes_or_no(hit.is_before_tax),
        *map(escape_text, (hit.sender, hit.workspace)),
        hit.order_batch_id,
        utc_time(hit.created_at),
        _UNREADABLE if hit.is_expiry_odd else utc_time(hit.expires_at),
        *map(yes_or_no, (hit.is_swapped, hit.is_payment_pending, hit.has_delivery_trouble)),
        utc_time(hit.read_at),
        utc_time(hit.missing_at),
    )
