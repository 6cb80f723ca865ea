"""Creation keys: the primary keys of orders, sorted by creation.

A key consists of the second in which the order was created and a running number within that second.
Newest first is therefore the primary key in descending order. An order that appears late, or whose
creation time becomes known more exactly, gets a key between the others, and no other key changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from orders.models.statements import select_tuples

_EPOCH = int(datetime(2018, 1, 1, tzinfo=UTC).timestamp())
_BITS = 12
_LAST_SECOND = (1 << 32) - 1

KEYS_PER_SECOND = 1 << _BITS


def second_of_key(key: int) -> datetime:
    """Return the second (aware UTC) of a key."""
    return datetime.fromtimestamp((key >> _BITS) + _EPOCH, UTC)


def first_key(at: datetime) -> int:
    """Return the lowest key of the second that contains `at` (aware), for creation windows."""
    second = int(at.timestamp()) - _EPOCH
    return min(max(second, 0), _LAST_SECOND) << _BITS


def is_in_second(key: int, at: datetime) -> bool:
    """Whether the key belongs to the second that contains `at` (aware)."""
    first = first_key(at)
    return first <= key < first + KEYS_PER_SECOND


class KeyAllocator:
    """Allocates unused keys within one transaction that holds the index's lock."""

    def __init__(self, *, using: str) -> None:
        self._using = using
        self._next: dict[int, int] = {}

    def prefetch(self, times: Iterable[datetime]) -> None:
        """Read the highest used key of each of these seconds in one statement."""
        if seconds := sorted({first_key(at) for at in times}):
            self._read(seconds)

    def _read(self, seconds: Sequence[int]) -> None:
        found = select_tuples(
            ("first_key", "highest"), _highest_keys(len(seconds)), seconds, using=self._using
        )
        self._next |= {first: first for first in seconds}
        self._next |= {first: highest + 1 for first, highest in found}

    def allocate(self, at: datetime) -> int:
        """Return an unused key of that second, or of the next one that has a free key."""
        first = first_key(at)
        while True:
            if first not in self._next:
                self._read([first])
            key = self._next[first]
            if key < first + KEYS_PER_SECOND:
                self._next[first] = key + 1
                return key
            first += KEYS_PER_SECOND


def _highest_keys(count: int) -> str:
    """Return SQL for (first_key, highest) of each of `count` seconds that has a used key."""
    seconds = ", ".join(["(%s)"] * count)
    return (
        "(SELECT column1 AS first_key, (SELECT max(id) FROM orders_order"  # noqa: S608 - only marks
        f" WHERE id >= column1 AND id < column1 + {KEYS_PER_SECOND}) AS highest"
        f" FROM (VALUES {seconds}) seconds) used WHERE highest IS NOT NULL"
    )
