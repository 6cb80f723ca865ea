"""What a page of the list showed, in so few letters that it can ask whether that has changed.

A page carries a token of its rows: for each, in their order, the beginning of the order's id and a
checksum of what it shows. The same page read again tells by the two what has changed and what is
new.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zlib import crc32

from orders.search import Hit

_BYTES = 3


class BadToken(Exception):
    """The token was not made by us."""


class News(NamedTuple):
    """How many orders of a page have changed or left it, and how many have come into it."""

    changed: int
    new: int

    @property
    def text(self) -> str:
        """ "3 changed, 1 new"; "" where nothing is different."""
        parts = ((self.changed, "changed"), (self.new, "new"))
        return ", ".join(f"{n:,} {word}" for n, word in parts if n)


def seen_token(hits: Sequence[Hit]) -> str:
    marks = b"".join(one + other for one, other in map(_marks, hits))
    return base64.urlsafe_b64encode(marks).decode()


def _marks(hit: Hit) -> tuple[bytes, bytes]:
    return hit.uuid.bytes[:_BYTES], crc32(_shown(hit).encode()).to_bytes(4)[:_BYTES]


def _shown(hit: Hit) -> str:
    """What the row shows. Not when it was read: Goody mostly says again what it said before."""
    return (
        f"{hit.status}\n{hit.recipient_name}\n{hit.recipient_email}\n{hit.product}\n{hit.quantity}"
        f"\n{hit.item_count}\n{hit.amount_cents}\n{hit.is_before_tax}\n{hit.sender}"
        f"\n{hit.order_batch_id and hit.order_batch_id.int}\n{_second(hit.created_at)}"
        f"\n{_second(hit.expires_at)}\n{hit.is_expiry_odd}\n{_second(hit.missing_at)}"
    )


def _second(at: datetime | None) -> float | None:
    return at.timestamp() if at else None


def read_token(text: str) -> dict[bytes, bytes]:
    """What each row of the page showed, first to last. Raises BadToken."""
    try:
        marks = base64.b64decode(text, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadToken from error
    if len(marks) % (2 * _BYTES):
        raise BadToken
    pairs = range(0, len(marks), 2 * _BYTES)
    return {marks[n : n + _BYTES]: marks[n + _BYTES : n + 2 * _BYTES] for n in pairs}


def make_news(seen: dict[bytes, bytes], hits: Sequence[Hit]) -> News:
    """What is different when the same page is read again.

    Behind the last row that was there and still is, rows have only been pushed over the page's
    end, or have come up from behind it.
    """
    now = dict(map(_marks, hits))
    gone = _before_the_last(seen, now)
    changed = [order for order, shown in now.items() if seen.get(order, shown) != shown]
    return News(changed=len(gone) + len(changed), new=len(_before_the_last(now, seen)))


def _before_the_last(some: dict[bytes, bytes], others: dict[bytes, bytes]) -> list[bytes]:
    """Those that are not among the others, as far as the last one that is; all if none is."""
    orders = list(some)
    shared = [n for n, order in enumerate(orders) if order in others]
    end = shared[-1] if shared else len(orders)
    return [order for order in orders[:end] if order not in others]
