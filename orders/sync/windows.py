"""Creation windows: how they are cut, and when one counts as read. Pure: no database, no calls.

Goody's lists are offset pages over something that moves: rows repeat and vanish as pages shift. A
window of fixed bounds hardly moves, and its total says whether all of it was seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from math import ceil
from typing import NamedTuple

SECOND = timedelta(seconds=1)
# Cutting into more at once would trust too much in orders being spread evenly.
_MOST_PARTS = 16
# A window this much larger than wanted is read as it is.
_TOLERANCE = 1.5
REREADS = 5
# Of what cannot be halved any more.
_MOST_PASSES = 20


class Bounds(NamedTuple):
    """Created between these instants, both inclusive; `after` None is since ever."""

    after: datetime | None
    before: datetime

    @property
    def seconds(self) -> int:
        """How wide, in whole seconds; 0 where it has no lower bound and cannot be cut."""
        return 0 if self.after is None else int((self.before - self.after).total_seconds())

    @property
    def may_be_cut(self) -> bool:
        """One second is never halved: orders are born in batches."""
        return self.seconds > 1

    def is_in(self, other: Bounds) -> bool:
        is_after = other.after is None or (self.after is not None and self.after >= other.after)
        return is_after and self.before <= other.before


def cut(bounds: Bounds, parts: int) -> list[Bounds]:
    """The window in up to `parts` of equal length in whole seconds, the newest first.

    Neighbors share a bound, so that an order between two whole seconds lies in one of them.
    """
    seconds = bounds.seconds
    if bounds.after is None or seconds < 2:
        return [bounds]
    parts = min(parts, seconds)
    edges = [bounds.after + SECOND * (seconds * part // parts) for part in range(parts)]
    edges.append(bounds.before)
    return [Bounds(edges[i], edges[i + 1]) for i in reversed(range(parts))]


def is_too_large(bounds: Bounds, total: int, *, size: int) -> bool:
    return bounds.may_be_cut and total > size * _TOLERANCE


def parts_of(total: int, *, size: int) -> int:
    """Into how many a window with so many orders is cut for about `size` in each."""
    return max(2, min(_MOST_PARTS, ceil(total / size)))


def instant_of(bounds: Bounds, position: int, total: int) -> datetime:
    """About when the order at this position (from 0) of a window's list was created.

    As far as Goody's examples show, lists come newest first.
    """
    if bounds.after is None:
        return bounds.before
    share = min((position + 0.5) / max(total, 1), 1.0)
    return bounds.before - (bounds.before - bounds.after) * share


@dataclass(slots=True)
class Pass:
    """What one reading of all pages of a window brought.

    `ids` name the rows, also those that are no orders. `is_ended`: there was no page after it.
    `may_go_on`: its last page was full, so that one more may follow whatever Goody counts.
    """

    ids: set[object] = field(default_factory=set)
    rows: int = 0
    totals: set[int | None] = field(default_factory=set)
    is_ended: bool = False
    may_go_on: bool = False

    def add(self, ids: Iterable[object], total: int | None) -> int:
        """One page; returns how many of its rows are new."""
        before = len(self.ids)
        ids = list(ids)
        self.ids.update(ids)
        self.rows += len(ids)
        self.totals.add(total)
        return len(self.ids) - before

    @property
    def is_exact(self) -> bool:
        """Each row once, as many as Goody says, the same from the first page to the last."""
        return self.totals == {len(self.ids)}

    @property
    def is_orderly(self) -> bool:
        """Nothing seems to have moved: only the total does not fit, if there is one, or those of
        single pages, all of which speak of no more than came.
        """
        fits = len(self.totals) == 1 or not self.is_short
        return self.is_ended and self.rows == len(self.ids) and fits

    @property
    def is_short(self) -> bool:
        """Goody speaks of more than it gave."""
        return any(total is not None and total > len(self.ids) for total in self.totals)


class Verdict(Enum):
    MORE = auto()  # read on, to the end
    DONE = auto()
    AGAIN = auto()
    HALVE = auto()
    DOUBT = auto()  # nothing helps: not complete


def judge(passes: list[Pass], *, may_be_cut: bool) -> Verdict:
    """What the passes over a window say, the last of which has brought all pages it asked for."""
    last = passes[-1]
    if last.is_exact and (last.is_ended or not last.may_go_on):
        return Verdict.DONE
    if not last.is_ended:
        return Verdict.MORE
    if _settle_it(passes, may_be_cut=may_be_cut):
        return Verdict.DONE
    if may_be_cut and len(passes) > REREADS:
        return Verdict.HALVE
    return Verdict.DOUBT if len(passes) >= _MOST_PASSES else Verdict.AGAIN


def _settle_it(passes: list[Pass], *, may_be_cut: bool) -> bool:
    """Where the total is missing or wrong: twice the same rows, to the last page."""
    if len(passes) < 2 or passes[-1].ids != passes[-2].ids:
        return False
    if all(one.is_orderly for one in passes[-2:]):
        return True
    return not may_be_cut and not passes[-1].is_short
