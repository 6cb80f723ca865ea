"""Exports a list of orders as CSV for spreadsheets: UTF-8 with a byte order mark.

Text that a spreadsheet would interpret as a formula is escaped, whatever separator it splits the
file by: with semicolons, `Semi;=1+1` is two cells, and quotes in the file do not change that. An
apostrophe, which marks a cell as text, is put before a text that begins with =, +, -, @ or one of
their full-width forms. It is also put before each of these characters within a text if it follows a
sign, or follows white space and begins a word. White space and invisible characters before it are
ignored. Times are UTC, money is US dollars.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from datetime import datetime
from decimal import Decimal

from orders import formats
from orders.search import Hit
from orders.services import ExportIncomplete
from orders.text import INVISIBLE

_BOM = "\ufeff"
CHUNK_SIZE = 500
_UNREADABLE = "unreadable"
# First characters of a formula; the full-width ones in Japanese spreadsheets.
_FIRST = "=+@＝＋－＠-"
_BLANK = rf"\s{INVISIBLE}"
# Tabs and line breaks separate as signs do.
_SIGN = rf"(?:[^\w{_BLANK}'{_FIRST}]|[_\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029])"
_FORMULA = re.compile(
    rf"""(?P<before>(?:\A|(?<={_SIGN}))[{_BLANK}]*+)(?P<formula>[{_FIRST}])
    |(?<=[{_BLANK}])(?P<word>[{_FIRST}])(?=[^ ]|\Z)""",
    re.VERBOSE,
)

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
    buffer = io.StringIO(_BOM, newline="")
    buffer.seek(0, io.SEEK_END)
    write = csv.writer(buffer).writerow
    write(COLUMNS)
    with closing(hits):
        try:
            for number, hit in enumerate(hits, 1):
                write(_cells(hit))
                if number % CHUNK_SIZE == 0:
                    yield _drain(buffer)
        except ExportIncomplete as broken:
            write([f"INCOMPLETE: {broken}. More orders may belong here."])
    yield _drain(buffer)


def _drain(buffer: io.StringIO) -> bytes:
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
        _UNREADABLE if hit.is_amount_odd else _dollars(hit.amount_cents),
        _yes(hit.is_before_tax),
        *map(_text, (hit.sender, hit.workspace)),
        hit.order_batch_id,
        _time(hit.created_at),
        _UNREADABLE if hit.is_expiry_odd else _time(hit.expires_at),
        *map(_yes, (hit.is_swapped, hit.is_payment_pending, hit.has_delivery_trouble)),
        _time(hit.read_at),
        _time(hit.missing_at),
    )


def _text(text: str) -> str:
    """Escape a text, also before a leading tab or line break, which some programs drop."""
    if text.isalnum():
        return text
    escaped = _FORMULA.sub(_with_apostrophe, text)
    return f"'{escaped}" if escaped.startswith(("\t", "\r", "\n")) else escaped


def _with_apostrophe(found: re.Match[str]) -> str:
    return f"{found['before'] or ''}'{found['formula'] or found['word']}"


def _dollars(cents: int | None) -> str:
    return "" if cents is None else f"{Decimal(cents) / 100:.2f}"


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def _time(at: datetime | None) -> str:
    return formats.iso_utc(at) if at else ""
