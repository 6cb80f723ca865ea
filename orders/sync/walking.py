"""Walking through windows: several calls at once, whatever order the answers come in.

A walk can be left at any moment. What it has read is in the index by then or will be read again;
which windows are done is kept by its plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from django.conf import settings

from goody.errors import GoodyError, RateLimited, Rejected, Unauthorized
from orders.goody_api import CallsBlocked

from .fetching import Answered, Call, Crowded, Fetchers
from .intake import Intake
from .lease import Lease
from .plans import Plan, Window
from .reading import Reading
from .sources import Source
from .trouble import Trouble
from .windows import Bounds, Verdict, cut, is_too_large, parts_of

# The longest to wait for an answer before others are looked after, seconds; and where rows wait
# to be written.
_LONG, _SHORT = 0.25, 0.02
# Where orders are born in masses cutting does not help: a window of so many times the size is read
# as it is.
_READABLE = 10
# What a page that does not exist may be answered with.
_PAST_THE_END = (400, 404)
# Of windows that are cut without a count to go by.
_BLIND_PARTS = 16


@dataclass(slots=True)
class Tools:
    """What every part of a sync works with."""

    lease: Lease
    fetchers: Fetchers
    intake: Intake
    trouble: Trouble


@dataclass(frozen=True, slots=True)
class _About:
    """What a call is for."""

    window: Window
    round: int
    page: int


class Walk:
    """Reads the windows of a plan from one source."""

    def __init__(
        self,
        tools: Tools,
        source: Source,
        plan: Plan,
        *,
        windows_at_once: int = 1_000,
        may_cut: bool = True,
    ) -> None:
        self._tools = tools
        self._source = source
        self._plan = plan
        self._windows_at_once = windows_at_once
        self._may_cut = may_cut
        # Cuts that did not help, by what Goody counted; whether its counts are taken for none.
        self._in_vain: dict[int, Bounds] = {}
        self._is_blind = False
        self._open: dict[int, tuple[Window, Reading]] = {}

    def steps(self, *, may_go_on: Callable[[], bool] = lambda: True) -> Iterator[float]:
        """Read until no window is left; each step yields how many seconds to leave it alone.

        When it may not go on, the windows that were begun are ended. Raises LeaseLost, what the
        plan raises, or a refusal of Goody's that asking again will not change.
        """
        while True:
            wait = self._ask(self._wanted(may_begin=may_go_on()))
            if not self._open and self._tools.fetchers.is_idle:
                break
            wait = max(wait, self._collect())
            self._tools.lease.keep()
            yield wait
        self._tools.intake.flush()

    def _wanted(self, *, may_begin: bool) -> list[_About]:
        """What to ask for now: windows that were begun come first."""
        wanted: list[_About] = []
        for begun in self._open.values():
            self._add_pages(wanted, *begun)
        while may_begin and self._is_room(wanted) and (window := self._plan.next()):
            reading = Reading(window.bounds, settings.SYNC_PER_PAGE)
            self._open[window.key] = window, reading
            self._add_pages(wanted, window, reading)
        return wanted

    def _is_room(self, wanted: list[_About]) -> bool:
        is_room = len(wanted) < self._tools.fetchers.room
        return is_room and len(self._open) < self._windows_at_once

    def _add_pages(self, wanted: list[_About], window: Window, reading: Reading) -> None:
        while len(wanted) < self._tools.fetchers.room:
            page = reading.next_page()
            if page is None:
                break
            wanted.append(_About(window, reading.round, page))

    def _ask(self, wanted: list[_About]) -> float:
        """Make the calls; returns the seconds to wait where the gate is closed."""
        if not wanted:
            return 0.0
        try:
            self._tools.fetchers.ask([self._call(about) for about in wanted])
        except (CallsBlocked, Crowded) as closed:
            for about in wanted:
                self._open[about.window.key][1].lose(about.page)
            return self._tools.trouble.note(closed)
        return 0.0

    def _call(self, about: _About) -> Call:
        _, reading = self._open[about.window.key]
        ask = self._source.ask(reading.bounds, page=about.page, per_page=reading.per_page)
        return Call(about, ask, self._source.work_out)

    def _collect(self) -> float:
        """Take in what was answered; write when there is enough, or nothing better to do."""
        intake, fetchers = self._tools.intake, self._tools.fetchers
        wait, timeout = 0.0, _SHORT if intake.is_waiting else _LONG
        is_any = False
        while not intake.is_enough and (answered := fetchers.collect(timeout=timeout)):
            wait, timeout = max(wait, self._take(answered)), 0.0
            is_any = True
        if intake.is_enough or not is_any:
            intake.flush()
        return wait

    def _take(self, answered: Answered) -> float:
        """One answer; returns the seconds to wait after one that was none."""
        about: _About = answered.about
        window, reading = self._open.get(about.window.key, (about.window, None))
        if reading is None or reading.round != about.round:
            return 0.0
        if not answered.is_made:
            # No failure of its own: the gate says how long to wait.
            reading.lose(about.page)
            return 0.0
        if answered.error is not None:
            return self._take_error(window, reading, about.page, answered.error)
        self._tools.trouble.is_over()
        self._take_page(window, reading, about.page, answered)
        return 0.0

    def _take_page(self, window: Window, reading: Reading, number: int, answered: Answered) -> None:
        first = (number - 1) * reading.per_page
        page = self._source.read(answered.answer, window.bounds, first=first, total=reading.total)
        if self._is_blind:
            page = replace(page, total=None)
        reading.take(number, page.ids, page.total)
        if number == 1 and self._is_too_large(window, page.total):
            # Not its rows: what a smaller window says of when they were created is better.
            parts = parts_of(page.total or 0, size=settings.SYNC_WINDOW)
            self._replace(window, cut(window.bounds, parts), page.total)
            return
        self._tools.intake.add(page.rows, read_at=answered.read_at)
        if page.beside is not None:
            self._tools.intake.then(page.beside)
        self._conclude(window, reading)

    def _is_too_large(self, window: Window, total: int | None) -> bool:
        """Is it to be cut? Not once more where that did not help and the whole can be read."""
        size = settings.SYNC_WINDOW
        if total is None or not self._may_cut or not is_too_large(window.bounds, total, size=size):
            return False
        if window.cut_from is None or total < window.cut_from:
            return True
        self._note_in_vain(window.bounds, total)
        return bool(total > size * _READABLE)

    def _note_in_vain(self, bounds: Bounds, total: int) -> None:
        """One part may hold all that the whole held; two of them cannot."""
        before = self._in_vain.get(total)
        self._is_blind = self._is_blind or (before is not None and not bounds.is_in(before))
        self._in_vain[total] = bounds

    def _take_error(self, window: Window, reading: Reading, page: int, error: GoodyError) -> float:
        if page > 1 and error.status in _PAST_THE_END:
            reading.take(page, [], None)
            self._conclude(window, reading)
        elif error.kind == "too_large" and reading.may_have_smaller_pages:
            reading.begin_again(with_smaller_pages=True)
        elif isinstance(error, Rejected) and not isinstance(error, RateLimited | Unauthorized):
            raise error
        else:
            reading.lose(page)
            return self._tools.trouble.note(error)
        return 0.0

    def _conclude(self, window: Window, reading: Reading) -> None:
        verdict = reading.verdict(size=settings.SYNC_WINDOW)
        if verdict is None:
            return
        if verdict is Verdict.HALVE:
            parts = 2 if reading.total is not None else _BLIND_PARTS
            self._replace(window, cut(window.bounds, parts), reading.total)
            return
        del self._open[window.key]
        if verdict is Verdict.DOUBT:
            self._tools.intake.then(lambda: self._plan.doubt(window))
            return
        total = len(reading.passes[-1].ids)
        self._tools.intake.then(lambda: self._plan.done(window, total))

    def _replace(self, window: Window, parts: Sequence[Bounds], total: int | None) -> None:
        del self._open[window.key]
        self._tools.intake.then(lambda: self._plan.replace(window, parts, total))
        self._tools.intake.flush()
