"""A list of orders as a file for spreadsheets: comma-separated, UTF-8 with its mark in front.

What comes from Goody is text to a spreadsheet and never a formula. Times are UTC, money is in US
dollars.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal

from orders import formats
from orders.search import Hit
from orders.services import ExportIncomplete

_MARK = "\ufeff"
ROWS_AT_ONCE = 500
# What makes a spreadsheet take a cell for a formula; the wide ones do in Japanese ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

HEAD = (
    *("order_id", "reference_id", "status", "recipient_name", "recipient_email"),
    *("product", "brand", "quantity", "items", "amount_usd", "is_before_tax"),
    *("sender", "workspace", "order_batch_id", "created_at", "expires_at"),
    *("is_swapped", "is_payment_pending", "has_delivery_trouble", "read_at", "missing_at"),
)


def table(hits: Generator[Hit]) -> Iterator[bytes]:
    """The file, some rows at a time. If `hits` break off, the last line says so."""
    buffer = io.StringIO(_MARK, newline="")
    buffer.seek(0, io.SEEK_END)
    write = csv.writer(buffer).writerow
    write(HEAD)
    with closing(hits):
        try:
            for number, hit in enumerate(hits, 1):
                write(_cells(hit))
                if number % ROWS_AT_ONCE == 0:
                    yield _taken_from(buffer)
        except ExportIncomplete as broken:
            write([f"INCOMPLETE: {broken}. More orders may belong here."])
    yield _taken_from(buffer)


def _taken_from(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def _cells(hit: Hit) -> Iterable[object]:
    return (
        hit.uuid,
        *map(_text, (hit.reference_id, hit.status, hit.recipient_name, hit.recipient_email)),
        *map(_text, (hit.product, hit.brand)),
        hit.quantity,
        hit.item_count,
        _dollars(hit.amount_cents),
        _yes(hit.is_before_tax),
        *map(_text, (hit.sender, hit.workspace)),
        hit.order_batch_id,
        _time(hit.created_at),
        _time(hit.expires_at),
        *map(_yes, (hit.is_swapped, hit.is_payment_pending, hit.has_delivery_trouble)),
        _time(hit.read_at),
        _time(hit.missing_at),
    )


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _dollars(cents: int | None) -> str:
    return "" if cents is None else f"{Decimal(cents) / 100:.2f}"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _time(at: datetime | None) -> str:
    return formats.iso(at) if at else ""
