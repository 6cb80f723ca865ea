"""What a page of the list showed, in so few letters that it can ask whether that has changed.

A page carries a token of its rows: for each, in their order, a digest of which order it is and one
of what it shows. The same page read again tells by the two what has changed, and what is new.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from hashlib import blake2b
from operator import attrgetter
from typing import NamedTuple

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


# What the row shows. Not when it was read: Goody mostly says again what it said before.
_shown = attrgetter(
    *("status", "recipient_name", "recipient_email", "product", "quantity", "item_count"),
    *("amount_cents", "is_before_tax", "sender", "order_batch_id", "created_at"),
    *("expires_at", "is_expiry_odd", "missing_at"),
)


def _marks(hit: Hit) -> tuple[bytes, bytes]:
    return _digest(hit.uuid.bytes), _digest(repr(_shown(hit)).encode())


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=_BYTES).digest()


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
