"""Compares a page of the list with the same page as shown earlier.

A page has a token of its rows: for each row, in order, a prefix of the order's id and a checksum of
its cells. The changes are the differences between the token and the same page read again.
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


class InvalidPageToken(Exception):
    """The token was not made by `page_token`."""


class PageChanges(NamedTuple):
    """The differences between two versions of a page.

    `changed` is the number of orders that changed or are gone, `new` the number of added ones.
    """

    changed: int
    new: int

    @property
    def text(self) -> str:
        """The changes as text: "3 changed, 1 new"; "" without changes."""
        parts = ((self.changed, "changed"), (self.new, "new"))
        return ", ".join(f"{n:,} {word}" for n, word in parts if n)


def page_token(hits: Sequence[Hit]) -> str:
    token = b"".join(key + checksum for key, checksum in map(_digest, hits))
    return base64.urlsafe_b64encode(token).decode()


def _digest(hit: Hit) -> tuple[bytes, bytes]:
    return hit.uuid.bytes[:_BYTES], crc32(_cells(hit).encode()).to_bytes(4)[:_BYTES]


def _cells(hit: Hit) -> str:
    """Return the values shown in the row as text.

    `read_at` is left out, because most reads change nothing else.
    """
    return (
        f"{hit.status}\n{hit.recipient_name}\n{hit.recipient_email}\n{hit.product}\n{hit.quantity}"
        f"\n{hit.item_count}\n{hit.amount_cents}\n{hit.is_before_tax}\n{hit.sender}"
        f"\n{hit.order_batch_id and hit.order_batch_id.int}\n{_timestamp(hit.created_at)}"
        f"\n{_timestamp(hit.expires_at)}\n{hit.is_expiry_odd}\n{hit.is_amount_odd}\n{_timestamp(hit.missing_at)}"
    )


def _timestamp(at: datetime | None) -> float | None:
    return at.timestamp() if at else None


def parse_page_token(text: str) -> dict[bytes, bytes]:
    """Return the checksum of each row of the page, first to last. Raises InvalidPageToken."""
    try:
        token = base64.b64decode(text, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise InvalidPageToken from error
    if len(token) % (2 * _BYTES):
        raise InvalidPageToken
    starts = range(0, len(token), 2 * _BYTES)
    return {token[n : n + _BYTES]: token[n + _BYTES : n + 2 * _BYTES] for n in starts}


def compare_pages(shown: dict[bytes, bytes], hits: Sequence[Hit]) -> PageChanges:
    """Return the changes between a page as shown and the same page read again.

    Rows after the last common one do not count, because they have only moved to or from another
    page.
    """
    current = dict(map(_digest, hits))
    gone = _missing(shown, current)
    changed = [key for key, checksum in current.items() if shown.get(key, checksum) != checksum]
    return PageChanges(changed=len(gone) + len(changed), new=len(_missing(current, shown)))


def _missing(some: dict[bytes, bytes], others: dict[bytes, bytes]) -> list[bytes]:
    """Return the keys up to the last common one that are not in `others`; all if none is common."""
    keys = list(some)
    common = [n for n, key in enumerate(keys) if key in others]
    end = common[-1] if common else len(keys)
    return [key for key in keys[:end] if key not in others]
