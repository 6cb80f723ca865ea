"""How many orders fulfill something, roughly: what deciding between ways to find them takes.

Kept in the process for a while; a wrong number makes a search slower and never wrong.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isqrt

from orders.text import SHORT, word_starts

from .deadline import Deadline
from .dialects import dialect
from .sql import Condition, IndexScan

# An index is counted up to here.
MOST = 100_000
_SAMPLE = 2000
_LETTERS_OF = 500
# As many letters are looked up instead of a whole text.
_PART = 5
_KEPT_SECONDS = 60.0
# Asked for both at once, SQLite would look at all.
_PLACES = "SELECT (SELECT min(id) FROM orders_order), (SELECT max(id) FROM orders_order)"


@dataclass
class _Known:
    """What is known of one database, until it is too old."""

    until: float
    counts: dict[tuple[int, str], int]
    places: tuple[int, int]
    people: list[str]
    sizes: dict[str, int] = field(default_factory=dict)

    @cached_property
    def starts(self) -> list[set[str]]:
        return [word_starts(one) for one in self.people]

    @cached_property
    def text(self) -> str:
        return "\n".join(self.people)

    @cached_property
    def trigrams(self) -> Counter[str]:
        text = "\n".join(self.people[:_LETTERS_OF])
        return Counter(text[at : at + 3] for at in range(len(text) - 2))


_known: dict[str, _Known] = {}


class Statistics:
    def __init__(self, given: Deadline) -> None:
        self._given = given

    @cached_property
    def _now(self) -> _Known:
        key = str(self._given.connection.settings_dict["NAME"])
        known = _known.get(key)
        if known is None or known.until < time.monotonic():
            known = _known[key] = self._look()
        return known

    def _look(self) -> _Known:
        counts = self._given.rows("SELECT workspace_id, status, n FROM orders_ordercount")
        places = self._given.rows(_PLACES)[0]
        people = self._given.rows(
            f"SELECT people FROM orders_order ORDER BY id DESC LIMIT {_SAMPLE}"  # noqa: S608
        )
        return _Known(
            until=time.monotonic() + _KEPT_SECONDS,
            counts={(workspace, status): n for workspace, status, n in counts},
            places=(places[0] or 0, places[1] or 0),
            people=[text for (text,) in people],
        )

    @cached_property
    def all(self) -> int:
        return max(1, sum(self._now.counts.values()))

    def of(self, condition: Condition) -> int:
        """Of those that fulfill it, to some tens of thousands in each index."""
        if condition.size is not None:
            return condition.size()
        counted = sum(self._measured(one) for one in condition.sources if not one.is_text)
        return counted + (self._of_people(condition.text) if condition.text else 0)

    def created(self, source: IndexScan, low: int | None, high: int | None) -> int:
        """Of those created in a window of places: of many as if they came evenly."""
        n = self._measured(source)
        if n < MOST:
            return n
        first, last = self._now.places
        low, high = max(low or first, first), min(high or last, last)
        return max(MOST, self.all * (high - low) // max(1, last - first))

    def kept(self, *, statuses: Collection[str] = (), workspaces: Collection[int] = ()) -> int:
        """By the numbers that are kept in step with the orders."""
        return sum(
            n
            for (workspace, status), n in self._now.counts.items()
            if (not statuses or status in statuses) and (not workspaces or workspace in workspaces)
        )

    def _of_people(self, word: str) -> int:
        """How many people have the word in their name or address; 0: few or none."""
        now = self._now
        if word not in now.sizes:
            if len(word) > SHORT:
                found = sum(word in one for one in now.people)
            else:
                found = sum(any(one.startswith(word) for one in starts) for starts in now.starts)
            now.sizes[word] = found * self.all // max(1, len(now.people))
        return now.sizes[word]

    def share_of_people(self, conditions: Sequence[Condition]) -> float:
        """Who have all the words in their name or address, of all; 0 for few or none."""
        words = [one.text for one in conditions if len(one.text) > SHORT]
        if len(words) < 2:
            return 0
        people, sizes, key = self._now.people, self._now.sizes, "\n".join(words)
        if key not in sizes:
            sizes[key] = sum(all(word in one for word in words) for one in people)
        return sizes[key] / max(1, len(people))

    def rare_part(self, text: str) -> str:
        """Some letters of the text that few people have in their name or address, if there are any:
        looking up all of it takes as long as its commonest letters let it.
        """
        common = self._now.trigrams
        counts = [common[text[at : at + 3]] for at in range(len(text) - 2)]
        width = _PART - 2
        starts = range(len(counts) - width + 1)
        start = min(starts, key=lambda at: sum(counts[at : at + width]), default=0)
        part = text[start : start + _PART]
        return "" if part in self._now.text else part

    def _measured(self, source: IndexScan) -> int:
        key = f"{source.table} {source.where}"
        sizes = self._now.sizes
        if key not in sizes:
            tables = dialect(self._given.vendor).from_(source, "")
            sql = (
                f"SELECT count(*) FROM (SELECT 1 FROM {tables}"  # noqa: S608
                f" WHERE {source.where.text} LIMIT {MOST}) counted"
            )
            n = int(self._given.rows(sql, source.where.params)[0][0])
            # Somewhere between that and all of them.
            sizes[key] = n if n < MOST else isqrt(MOST * max(self.all, MOST))
        return sizes[key]
