"""Handing out keys: the places of orders in the order of creation (orders.search.places)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from orders.models.statements import columns_at_once
from orders.search.places import PLACES_A_SECOND, first_place


def is_within(place: int, at: datetime) -> bool:
    """Does the key already say that second?"""
    first = first_place(at)
    return first <= place < first + PLACES_A_SECOND


class Places:
    """Hands out free keys. Only for one transaction, in which nobody else hands out any."""

    def __init__(self, *, using: str) -> None:
        self._using = using
        self._next: dict[int, int] = {}

    def prepare(self, times: Iterable[datetime]) -> None:
        """Look up at once what would otherwise be looked up one by one."""
        if seconds := sorted({first_place(at) for at in times}):
            self._look_up(seconds)

    def _look_up(self, seconds: Sequence[int]) -> None:
        found = columns_at_once(
            ("first_place", "highest"), _taken_in(len(seconds)), seconds, using=self._using
        )
        self._next |= {first: first for first in seconds}
        self._next |= {first: highest + 1 for first, highest in found}

    def take(self, at: datetime) -> int:
        """A key of that second; of a later one when so many orders share it that it is full."""
        first = first_place(at)
        while True:
            if first not in self._next:
                self._look_up([first])
            place = self._next[first]
            if place < first + PLACES_A_SECOND:
                self._next[first] = place + 1
                return place
            first += PLACES_A_SECOND


def _taken_in(count: int) -> str:
    """Of each second in which any is taken: the second, and the highest."""
    seconds = ", ".join(["(%s)"] * count)
    return (
        "(SELECT column1 AS first_place, (SELECT max(id) FROM orders_order"  # noqa: S608 - only marks
        f" WHERE id >= column1 AND id < column1 + {PLACES_A_SECOND}) AS highest"
        f" FROM (VALUES {seconds}) asked) found WHERE highest IS NOT NULL"
    )
