"""One window being read: which of its pages are asked for next, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from .windows import Bounds, Pass, Verdict, judge

# So many rows without an end, although Goody spoke of fewer or of none: cut it.
_RUNAWAY = 3
_SMALLEST_PAGE = 10


@dataclass(slots=True)
class Reading:
    """The passes over one window. Pages within what Goody counts may be asked for side by side,
    those beyond it one after the other until one brings nothing."""

    bounds: Bounds
    per_page: int
    passes: list[Pass] = field(default_factory=lambda: [Pass()])
    total: int | None = None
    # Counted up by each new beginning: answers to an earlier one are of no use any more.
    round: int = 1
    _next: int = 1
    _through: int = 1
    _lost: list[int] = field(default_factory=list)
    _under_way: int = 0

    def next_page(self) -> int | None:
        """The page to ask for now, which counts as asked for; None if there is none yet."""
        if self._lost:
            page = self._lost.pop(0)
        elif self._next <= self._through:
            page = self._next
            self._next += 1
        else:
            return None
        self._under_way += 1
        return page

    def lose(self, page: int) -> None:
        """The call brought nothing: the page is asked for again."""
        self._under_way -= 1
        self._lost.append(page)

    def take(self, page: int, ids: Sequence[object], total: int | None) -> None:
        """A page was answered; an empty one beyond the last is one too."""
        self._under_way -= 1
        this = self.passes[-1]
        fresh = this.add(ids, total) if ids or page == 1 else 0
        if page == 1:
            self.total = total
            self._through = max(1, ceil((total or 0) / self.per_page))
        if page >= self._through:
            this.may_go_on = len(ids) >= self.per_page
        if not fresh:
            this.is_ended = True
        if not ids:
            # Whatever Goody counts, there is nothing after it.
            self._through = min(self._through, page)

    def verdict(self, *, size: int) -> Verdict | None:
        """None while pages are on their way. MORE, AGAIN and smaller pages are seen to here."""
        if self._under_way or self._lost or self._next <= self._through:
            return None
        verdict = judge(self.passes, may_be_cut=self.bounds.may_be_cut)
        if verdict is Verdict.MORE:
            return self._read_on(size)
        if verdict is Verdict.AGAIN:
            self.begin_again()
            return None
        return verdict

    def _read_on(self, size: int) -> Verdict | None:
        last = self.passes[-1]
        is_runaway = last.rows > size * _RUNAWAY and not last.is_exact
        if self.bounds.may_be_cut and is_runaway:
            return Verdict.HALVE
        self._through += 1
        return None

    @property
    def may_have_smaller_pages(self) -> bool:
        return self.per_page > _SMALLEST_PAGE

    def begin_again(self, *, with_smaller_pages: bool = False) -> None:
        if with_smaller_pages:
            self.per_page = max(_SMALLEST_PAGE, self.per_page // 4)
            self.passes.pop()
        self.passes.append(Pass())
        self.round += 1
        self._next = self._through = 1
        self._lost, self._under_way = [], 0
