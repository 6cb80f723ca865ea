"""Creation windows: splits them, and decides when one has been read completely.

It uses no database and makes no calls. Goody's lists are offset pages over a collection that
changes: rows repeat and disappear as pages shift. The rows of a window with fixed bounds hardly
change, and its total shows whether all of them were read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from math import ceil
from typing import NamedTuple

SECOND = timedelta(seconds=1)
# Splitting into more parts would rely on an even distribution of orders over time.
_MAX_PARTS = 16
# A window up to this many times the wanted size is read without splitting it.
_TOLERANCE = 1.5
MAX_REREADS = 5
# For windows that cannot be split any further.
_MAX_PASSES = 20
# A pass with this many times the wanted rows whose total does not match is unbounded: split it.
_UNBOUNDED = 3
_MIN_PER_PAGE = 10


class WindowBounds(NamedTuple):
    """The bounds of a window, both inclusive. `after` is None without a lower bound."""

    after: datetime | None
    before: datetime

    @property
    def seconds(self) -> int:
        """The width in whole seconds; 0 without a lower bound, since that cannot be split."""
        return 0 if self.after is None else int((self.before - self.after).total_seconds())

    @property
    def is_splittable(self) -> bool:
        """Whether the window is wider than a second. Orders are created in batches."""
        return self.seconds > 1

    def is_within(self, other: WindowBounds) -> bool:
        is_after = other.after is None or (self.after is not None and self.after >= other.after)
        return is_after and self.before <= other.before


def split_window(bounds: WindowBounds, parts: int) -> list[WindowBounds]:
    """Return up to `parts` windows of equal length in whole seconds, newest first.

    Adjacent windows share a bound, so that an order between two whole seconds is in one of them.
    """
    seconds = bounds.seconds
    if bounds.after is None or seconds < 2:
        return [bounds]
    parts = min(parts, seconds)
    edges = [bounds.after + SECOND * (seconds * part // parts) for part in range(parts)]
    edges.append(bounds.before)
    return [WindowBounds(edges[i], edges[i + 1]) for i in reversed(range(parts))]


def is_window_too_large(bounds: WindowBounds, total: int, *, size: int) -> bool:
    return bounds.is_splittable and total > size * _TOLERANCE


def window_part_count(total: int, *, size: int) -> int:
    """Return the number of parts of about `size` orders in a window of `total` orders."""
    return max(2, min(_MAX_PARTS, ceil(total / size)))


def estimate_created_at(bounds: WindowBounds, position: int, total: int) -> datetime:
    """Return the approximate creation time of the order at `position` (from 0) in a window.

    Goody's examples list the newest order first.
    """
    if bounds.after is None:
        return bounds.before
    share = min((position + 0.5) / max(total, 1), 1.0)
    return bounds.before - (bounds.before - bounds.after) * share


@dataclass(slots=True)
class WindowPass:
    """The result of reading all pages of a window once.

    `ids` identify the rows, including those that are not orders. `is_ended`: no page follows.
    `may_continue`: the last page was full, so that another may follow despite the total.
    """

    ids: set[object] = field(default_factory=set)
    rows: int = 0
    totals: set[int | None] = field(default_factory=set)
    is_ended: bool = False
    may_continue: bool = False

    def add_page(self, ids: Iterable[object], total: int | None) -> int:
        """Add one page and return the number of new rows."""
        before = len(self.ids)
        ids = list(ids)
        self.ids.update(ids)
        self.rows += len(ids)
        self.totals.add(total)
        return len(self.ids) - before

    @property
    def is_exact(self) -> bool:
        """Whether each row appeared once and all pages gave the number of rows as their total."""
        return self.totals == {len(self.ids)}

    @property
    def is_stable(self) -> bool:
        """Whether no row repeated and no total exceeds the number of rows."""
        fits = len(self.totals) == 1 or not self.is_short
        return self.is_ended and self.rows == len(self.ids) and fits

    @property
    def is_short(self) -> bool:
        """Whether a total exceeds the number of rows that were returned."""
        return any(total is not None and total > len(self.ids) for total in self.totals)


class WindowState(Enum):
    READ_ON = auto()  # request the next page
    COMPLETE = auto()
    REPEAT = auto()
    SPLIT = auto()
    INCONSISTENT = auto()  # repeating and splitting are exhausted


def evaluate_passes(passes: list[WindowPass], *, is_splittable: bool) -> WindowState:
    """Return the state of a window after these passes, of which the last has read all pages."""
    last = passes[-1]
    if last.is_exact and (last.is_ended or not last.may_continue):
        return WindowState.COMPLETE
    if not last.is_ended:
        return WindowState.READ_ON
    if _do_passes_agree(passes, is_splittable=is_splittable):
        return WindowState.COMPLETE
    if is_splittable and len(passes) > MAX_REREADS:
        return WindowState.SPLIT
    return WindowState.INCONSISTENT if len(passes) >= _MAX_PASSES else WindowState.REPEAT


def _do_passes_agree(passes: list[WindowPass], *, is_splittable: bool) -> bool:
    """Whether the last two passes returned the same rows although a total is missing or wrong."""
    if len(passes) < 2 or passes[-1].ids != passes[-2].ids:
        return False
    if all(one.is_stable for one in passes[-2:]):
        return True
    return not is_splittable and not passes[-1].is_short


@dataclass(slots=True)
class WindowReader:
    """The passes over one window, and the pages to request next.

    Pages within the total may be requested concurrently, later ones one by one until a page has no
    new row.
    """

    bounds: WindowBounds
    per_page: int
    passes: list[WindowPass] = field(default_factory=lambda: [WindowPass()])
    total: int | None = None
    # Increases with each restart; responses to requests of an earlier attempt are discarded.
    attempt: int = 1
    _next: int = 1
    _last: int = 1
    _requeued: list[int] = field(default_factory=list)
    _in_flight: int = 0

    def next_page(self) -> int | None:
        """Return the next page (from 1) to request; None while no other may be requested."""
        if self._requeued:
            page = self._requeued.pop(0)
        elif self._next <= self._last:
            page = self._next
            self._next += 1
        else:
            return None
        self._in_flight += 1
        return page

    def requeue(self, page: int) -> None:
        """Schedule the page again after its call failed."""
        self._in_flight -= 1
        self._requeued.append(page)

    def add_page(self, page: int, ids: Sequence[object], total: int | None) -> None:
        """Record the response for a page, which may be an empty one past the end."""
        self._in_flight -= 1
        current = self.passes[-1]
        added = current.add_page(ids, total) if ids or page == 1 else 0
        if page == 1:
            self.total = total
            self._last = max(1, ceil((total or 0) / self.per_page))
        if page >= self._last:
            current.may_continue = len(ids) >= self.per_page
        if not added:
            current.is_ended = True
        if not ids:
            # An empty page is the end, regardless of the total.
            self._last = min(self._last, page)

    def window_state(self, *, size: int) -> WindowState | None:
        """Return COMPLETE, SPLIT or INCONSISTENT; None while pages remain to be read."""
        if self._in_flight or self._requeued or self._next <= self._last:
            return None
        state = evaluate_passes(self.passes, is_splittable=self.bounds.is_splittable)
        if state is WindowState.READ_ON:
            return self._read_on(size)
        if state is WindowState.REPEAT:
            self.restart()
            return None
        return state

    def _read_on(self, size: int) -> WindowState | None:
        last = self.passes[-1]
        is_unbounded = last.rows > size * _UNBOUNDED and not last.is_exact
        if self.bounds.is_splittable and is_unbounded:
            return WindowState.SPLIT
        self._last += 1
        return None

    @property
    def may_shrink_pages(self) -> bool:
        return self.per_page > _MIN_PER_PAGE

    def restart(self, *, with_smaller_pages: bool = False) -> None:
        """Start another pass at page 1. A pass with smaller pages replaces the current one."""
        if with_smaller_pages:
            self.per_page = max(_MIN_PER_PAGE, self.per_page // 4)
            self.passes.pop()
        self.passes.append(WindowPass())
        self.attempt += 1
        self._next = self._last = 1
        self._requeued, self._in_flight = [], 0
