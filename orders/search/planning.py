"""Which way to take to the hits.

This is decided here and not by the databases: neither knows that a walk may end after fifty hits,
and where they err it is by seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from .sizes import Sizes
from .sql import Condition

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
class Way:
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

    first: Way
    last: Way
    fetch: Way | None = None
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
    sizes: Sizes,
) -> Plan:
    """For the first `n` orders by `column`. `everything` is all orders in that order; `window` is
    what bounds the keys of all sources.
    """
    guides = [one for one in conditions if one.is_sorted_by(column)]

    def is_scanned(one: Condition) -> bool:
        return column == "id" and any(source.is_scanned for source in one.sources)

    if len(conditions) == len(guides) <= 1 and not any(map(is_scanned, guides)):
        # Nothing is to be tested on the way.
        way = Way((*guides, everything)[0])
        return Plan(way, way)
    share = min(1.0, sizes.of(window) / sizes.all) if window else 1.0
    size_of = {one: int(n * share) + 1 for one, n in _sizes_of(conditions, sizes).items()}
    size_of[id(everything)] = int(sizes.all * share) + 1
    if window in conditions:
        size_of[id(window)] = size_of[id(everything)]

    def fraction(one: Condition) -> float:
        return min(1.0, size_of[id(one)] / size_of[id(everything)])

    # First and last names go together.
    names = [one for one in conditions if one.text]
    others = prod(fraction(one) for one in conditions if not one.text)
    share_of_names = max(sizes.share_of_people(names), prod(map(fraction, names)))
    all_together = max(others * share_of_names, _NEXT_TO_NOTHING)

    def expected(guide: Condition) -> float:
        """As if each were spread evenly among the others."""
        return n * fraction(guide) / all_together

    def cost(guide: Condition) -> float:
        """In entries. Where the index ends before there are enough, all will be fetched after."""
        size = size_of[id(guide)]
        walked = expected(guide) if expected(guide) < size else size * 2.5
        return walked + size * _SCANNING * is_scanned(guide)

    def to_the_end(guide: Condition) -> float:
        return size_of[id(guide)] * (1 + _SCANNING * is_scanned(guide))

    def way_of(guide: Condition) -> Way:
        tests = tuple(other for other in conditions if other is not guide)
        return Way(guide, tests, size_of[id(guide)], expected(guide))

    first = min((*guides, everything), key=cost)
    last = min((*guides, everything), key=to_the_end)
    few = [one for one in conditions if one.sources and size_of[id(one)] <= MOST_FETCHED]
    fetch = min(few, key=lambda one: size_of[id(one)], default=None)
    taken = way_of(first)
    return Plan(
        first=taken,
        last=taken if last is first else way_of(last),
        fetch=way_of(fetch) if fetch else None,
        is_fetch_cheaper=fetch is not None and size_of[id(fetch)] * _FETCHING < cost(first),
        only=_only(conditions) if column == "id" else None,
    )


def _only(conditions: Sequence[Condition]) -> Condition | None:
    return conditions[0] if len(conditions) == 1 and conditions[0].sources else None


def _sizes_of(conditions: Sequence[Condition], sizes: Sizes) -> dict[int, int]:
    """What no index knows is taken for common, and so are all but the longest words."""
    by_length = sorted((one for one in conditions if one.text), key=lambda one: -len(one.text))
    passed_over = set(map(id, by_length[_MOST_WORDS:]))
    return {
        id(one): sizes.of(one)
        if one.sources and id(one) not in passed_over
        else max(sizes.all // 2, MOST_FETCHED + 1)
        for one in conditions
    }
