"""Which way to take to the hits.

This is decided here and not by the databases: neither knows that a walk may end after fifty hits,
and where they err it is by seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

from .sql import Condition
from .statistics import Statistics

# How many orders are fetched and sorted at most. One of them takes as long as an entry and a half
# on a walk.
MOST_FETCHED = 60_000
_FETCHING = 1.5
_SCANNING = 0.2
# Entries of an index that are walked at least before it is given up, and how many times as far as
# was expected.
_SHORTEST_WALK = 3000
_DISAPPOINTING = 4
_NEXT_TO_NOTHING = 1e-15
# Of so many words it is estimated how common they are.
_MOST_WORDS = 6


@dataclass(frozen=True, slots=True)
class AccessPath:
    """Along the orders that fulfill `guide`, about `size`, each tested; as a walk it is expected to
    end after `expected` of them.
    """

    guide: Condition
    tests: tuple[Condition, ...] = ()
    size: int = 0
    expected: float = 0

    @property
    def far(self) -> int:
        """After so many entries a walk disappoints."""
        return max(_SHORTEST_WALK, int(self.expected * _DISAPPOINTING))


@dataclass(frozen=True, slots=True)
class Plan:
    """`first` is walked until it disappoints; then all orders of `fetch` are fetched, if there are
    few enough of any condition; where they are not, `last` is walked to its end.
    """

    first: AccessPath
    last: AccessPath
    fetch: AccessPath | None = None
    is_fetch_cheaper: bool = False
    # The one condition there is, if all that fulfill it are wanted in whatever order.
    only: Condition | None = None

    @property
    def may_disappoint(self) -> bool:
        return self.fetch is not None or self.last is not self.first

    @property
    def fetch_is_last(self) -> bool:
        return self.fetch is not None and self.fetch.guide is self.last.guide


def plan(
    conditions: Sequence[Condition],
    everything: Condition,
    *,
    window: Condition | None,
    column: str,
    n: int,
    sizes: Statistics,
) -> Plan:
    """For the first `n` orders by `column`. `everything` is all orders in that order; `window` is
    what bounds the keys of all sources.
    """
    guides = [one for one in conditions if one.is_sorted_by(column)]
    if len(conditions) == len(guides) <= 1 and not any(_is_scanned(one, column) for one in guides):
        # Nothing is to be tested on the way.
        way = AccessPath((*guides, everything)[0])
        return Plan(way, way)
    estimate = _Estimate(conditions, everything, window=window, column=column, n=n, sizes=sizes)
    first = min((*guides, everything), key=estimate.cost)
    last = min((*guides, everything), key=estimate.to_the_end)
    fetch = estimate.rarest_to_fetch()
    taken = estimate.way(first)
    return Plan(
        first=taken,
        last=taken if last is first else estimate.way(last),
        fetch=estimate.way(fetch) if fetch else None,
        is_fetch_cheaper=fetch is not None and estimate.fetching(fetch) < estimate.cost(first),
        only=_only(conditions) if column == "id" else None,
    )


class _Estimate:
    """How many orders fulfill each condition, and by that how far the walk along one goes for the
    first `n` that fulfill them all. Costs are in entries of an index.
    """

    def __init__(
        self,
        conditions: Sequence[Condition],
        everything: Condition,
        *,
        window: Condition | None,
        column: str,
        n: int,
        sizes: Statistics,
    ) -> None:
        self._conditions = conditions
        self._column = column
        self._n = n
        self._sizes = sizes
        share = min(1.0, sizes.of(window) / sizes.all) if window else 1.0
        self._all = int(sizes.all * share) + 1
        self._size_of = {
            one: int(size * share) + 1 for one, size in _sizes_of(conditions, sizes).items()
        }
        self._size_of[id(everything)] = self._all
        if window is not None:
            self._size_of[id(window)] = self._all

    def cost(self, guide: Condition) -> float:
        """Of the walk. Where the index ends before there are enough, all will be fetched after."""
        size, expected = self._size(guide), self._expected(guide)
        walked = expected if expected < size else size * 2.5
        return walked + self._scanning(guide)

    def to_the_end(self, guide: Condition) -> float:
        return self._size(guide) + self._scanning(guide)

    def fetching(self, condition: Condition) -> float:
        return self._size(condition) * _FETCHING

    def rarest_to_fetch(self) -> Condition | None:
        few = [one for one in self._conditions if one.sources and self._size(one) <= MOST_FETCHED]
        return min(few, key=self._size, default=None)

    def way(self, guide: Condition) -> AccessPath:
        tests = tuple(other for other in self._conditions if other is not guide)
        return AccessPath(guide, tests, self._size(guide), self._expected(guide))

    def _expected(self, guide: Condition) -> float:
        """As if each were spread evenly among the others."""
        return self._n * self._share(guide) / self._share_of_all_together

    @cached_property
    def _share_of_all_together(self) -> float:
        # First and last names go together.
        names = [one for one in self._conditions if one.text]
        others = prod(self._share(one) for one in self._conditions if not one.text)
        named = max(self._sizes.share_of_people(names), prod(map(self._share, names)))
        return max(others * named, _NEXT_TO_NOTHING)

    def _share(self, one: Condition) -> float:
        return min(1.0, self._size(one) / self._all)

    def _size(self, one: Condition) -> int:
        return self._size_of[id(one)]

    def _scanning(self, guide: Condition) -> float:
        return self._size(guide) * _SCANNING * _is_scanned(guide, self._column)


def _is_scanned(one: Condition, column: str) -> bool:
    return column == "id" and any(source.is_scanned for source in one.sources)


def _only(conditions: Sequence[Condition]) -> Condition | None:
    return conditions[0] if len(conditions) == 1 and conditions[0].sources else None


def _sizes_of(conditions: Sequence[Condition], sizes: Statistics) -> dict[int, int]:
    """What no index knows is taken for common, and so are all but the longest words."""
    by_length = sorted((one for one in conditions if one.text), key=lambda one: -len(one.text))
    passed_over = set(map(id, by_length[_MOST_WORDS:]))
    return {
        id(one): sizes.of(one)
        if one.sources and id(one) not in passed_over
        else max(sizes.all // 2, MOST_FETCHED + 1)
        for one in conditions
    }
