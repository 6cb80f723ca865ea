"""CSV files for spreadsheets, UTF-8 with a byte order mark: lists of orders, results of jobs.

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
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from orders import formats
from orders.days import RequestClock
from orders.eligibility import snapshot_expiration
from orders.models import ItemState, JobItem
from orders.search import Hit
from orders.services import ExportIncomplete
from orders.text import INVISIBLE

from .job_items import (
    OUTCOMES,
    item_sentence,
    snapshot_amount,
    snapshot_recipient,
)

_BOM = "\ufeff"
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


class CsvBuffer:
    """A buffer for the rows of a CSV file that have not been sent yet."""

    def __init__(self) -> None:
        self._text = io.StringIO(_BOM, newline="")
        self._text.seek(0, io.SEEK_END)
        self._writer = csv.writer(self._text)

    def write(self, row: Iterable[object]) -> None:
        self._writer.writerow(row)

    def drain(self) -> bytes:
        """Return the rows as UTF-8 and empty the buffer."""
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode()


def escape_text(text: str) -> str:
    """Escape a text, also before a leading tab or line break, which some programs drop."""
    if text.isalnum():
        return text
    escaped = _FORMULA.sub(_with_apostrophe, text)
    return f"'{escaped}" if escaped.startswith(("\t", "\r", "\n")) else escaped


def _with_apostrophe(match: re.Match[str]) -> str:
    return f"{match['before'] or ''}'{match['formula'] or match['word']}"


def dollars(cents: int | None) -> str:
    return "" if cents is None else f"{Decimal(cents) / 100:.2f}"


def yes_or_no(flag: bool) -> str:
    return "yes" if flag else "no"


def utc_time(at: datetime | None) -> str:
    return formats.iso_utc(at) if at else ""


ROWS_PER_CHUNK = 500
_UNREADABLE = "unreadable"
ORDER_COLUMNS = (
    *("order_id", "reference_id", "status", "recipient_name", "recipient_email"),
    *("product", "brand", "quantity", "items", "amount_usd", "is_before_tax"),
    *("sender", "workspace", "order_batch_id", "created_at", "expires_at"),
    *("is_swapped", "is_payment_pending", "has_delivery_trouble", "read_at", "missing_at"),
)


def order_csv_chunks(hits: Generator[Hit]) -> Iterator[bytes]:
    """Yield the file in chunks of rows.

    If `hits` raises ExportIncomplete, the last line states the reason.
    """
    buffer = CsvBuffer()
    buffer.write(ORDER_COLUMNS)
    with closing(hits):
        try:
            for number, hit in enumerate(hits, 1):
                buffer.write(_order_cells(hit))
                if number % ROWS_PER_CHUNK == 0:
                    yield buffer.drain()
        except ExportIncomplete as broken:
            buffer.write([f"INCOMPLETE: {broken}. More orders may belong here."])
    yield buffer.drain()


def _order_cells(hit: Hit) -> Iterable[object]:
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


JOB_COLUMNS = (
    *("position", "order_id", "reference_id", "recipient_name", "recipient_email", "amount_usd"),
    *("expires_at_before", "expires_at", "outcome", "reason", "detail", "ended_at"),
)
_OUTCOME_OF = {state: key for key, states in OUTCOMES.items() for state in states}


def job_csv_chunks(
    items: Iterable[JobItem], references: Mapping[UUID, str], *, clock: RequestClock
) -> Iterator[bytes]:
    """Yield the file in chunks. `references` has the receipt references by order id."""
    buffer = CsvBuffer()
    buffer.write(JOB_COLUMNS)
    for number, item in enumerate(items, 1):
        buffer.write(_job_cells(item, references.get(item.order_uuid, ""), clock))
        if number % ROWS_PER_CHUNK == 0:
            yield buffer.drain()
    yield buffer.drain()


def _job_cells(item: JobItem, reference: str, clock: RequestClock) -> Iterable[object]:
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
