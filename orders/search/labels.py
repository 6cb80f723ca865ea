"""The names that many orders share, kept in the process: looked up, and searched, without asking.

Each process has its own copy, and sees by the token of LabelVersion that it is old: one look at a
table of one row before each search.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from orders.models import Label
from orders.text import SHORT, is_start, word_starts, words

from .deadline import Deadline

_BETWEEN = "\n"


class Names:
    """The labels of one kind, in the order of their ids."""

    def __init__(self, rows: Iterable[tuple[int, str, str]]) -> None:
        self._ids: list[int] = []
        self._folded: list[str] = []
        self.by_id: dict[int, str] = {}
        for pk, name, folded in rows:
            self._ids.append(pk)
            self._folded.append(folded)
            self.by_id[pk] = name
        # One long text is searched a hundred times faster than many short ones.
        self._text = _BETWEEN.join(self._folded)
        self._ends = list(accumulate(len(one) + 1 for one in self._folded))

    def matching(self, word: str) -> list[int]:
        """The ids of those with that folded text in their name; of one or two letters, at the start
        of a word."""
        return self._starting(word) if is_start(word) else list(self.holding(word))

    def holding(self, text: str) -> Iterator[int]:
        """The ids of those with that folded text anywhere in their name."""
        at = self._text.find(text)
        while at >= 0:
            which = bisect_right(self._ends, at)
            yield self._ids[which]
            at = self._text.find(text, self._ends[which])

    def _starting(self, text: str) -> list[int]:
        found = [self._with_start(start) for start in words(text)]
        return sorted(set.intersection(*found))

    def _with_start(self, start: str) -> set[int]:
        if len(start) == SHORT:
            return self._starts.get(start, set())
        found = (ids for key, ids in self._starts.items() if key.startswith(start))
        return set().union(*found)

    @cached_property
    def _starts(self) -> dict[str, set[int]]:
        starts: dict[str, set[int]] = defaultdict(set)
        for pk, folded in zip(self._ids, self._folded, strict=True):
            for start in word_starts(folded):
                starts[start].add(pk)
        return starts


@dataclass(frozen=True)
class Labels:
    token: str
    products: Names
    brands: Names
    senders: Names
    workspaces: Names
    names: dict[int, str] = field(repr=False)


_kept: dict[str, Labels] = {}


def labels(given: Deadline) -> Labels:
    """The names as they were when the search began."""
    if given.labels is None:
        given.labels = _now(given)
    found: Labels = given.labels
    return found


def _now(given: Deadline) -> Labels:
    token = _token(given)
    # Two databases of one process, as in tests, share an alias but never a token.
    kept = _kept.get(given.connection.alias)
    if kept is None or kept.token != token:
        kept = _kept[given.connection.alias] = _read(given, token)
    return kept


def _token(given: Deadline) -> str:
    rows = given.rows("SELECT token FROM orders_labelversion WHERE id = 1")
    return rows[0][0] if rows else ""


def _read(given: Deadline, token: str) -> Labels:
    kinds: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    sql = "SELECT kind, id, name, folded FROM orders_label ORDER BY id"
    for kind, *row in given.rows(sql) if token else ():
        kinds[kind].append((row[0], row[1], row[2]))
    names = {pk: name for rows in kinds.values() for pk, name, _ in rows}
    kind = Label.Kind
    return Labels(
        token,
        Names(kinds[kind.PRODUCT]),
        Names(kinds[kind.BRAND]),
        Names(kinds[kind.SENDER]),
        Names(kinds[kind.WORKSPACE]),
        names,
    )
