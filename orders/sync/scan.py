"""Reads creation windows page by page, with concurrent calls whose results are unordered.

A scan may end at any moment. The rows that it has read are either stored or read again later,
because its plan records which windows are complete.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings

from goody.errors import GoodyError
from orders.goody_api import CallsBlocked

from .context import SyncContext, is_permanent_error
from .fetching import CallResult, GoodyCall, NoRateCapacity
from .scan_plans import OrderSource, PlannedWindow, WindowPlan
from .windows import (
    WindowBounds,
    WindowReader,
    WindowState,
    is_window_too_large,
    split_window,
    window_part_count,
)

# The longest wait for a result, seconds: without and with rows that could be written instead.
_LONG_WAIT, _SHORT_WAIT = 0.25, 0.02
# If splitting has no effect, a window of up to this multiple of the size is read unsplit.
_MAX_UNSPLIT = 10
# Statuses with which a page past the end may be answered.
_PAST_THE_END = (400, 404)
# For windows that are split without a total.
_PARTS_WITHOUT_TOTAL = 16


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Identifies a call of a scan."""

    window: PlannedWindow
    attempt: int
    page: int


class WindowScan:
    """Reads the windows of a plan from one source."""

    def __init__(
        self,
        context: SyncContext,
        source: OrderSource,
        plan: WindowPlan,
        *,
        windows_at_once: int = 1_000,
        may_split: bool = True,
    ) -> None:
        self._context = context
        self._source = source
        self._plan = plan
        self._windows_at_once = windows_at_once
        self._may_split = may_split
        # The window of each total that a split did not reduce; two such windows that do not
        # contain each other show that the totals ignore the bounds, and they are ignored then.
        self._unreduced: dict[int, WindowBounds] = {}
        self._ignores_totals = False
        self._open: dict[int, tuple[PlannedWindow, WindowReader]] = {}

    def run(self, *, deadline: float = math.inf) -> None:
        """Read until the plan has no more windows.

        After `deadline` (of time.monotonic()) no further window is started. Raises SyncStopped,
        LeaseLost, what the plan raises, and permanent errors of Goody.
        """
        while True:
            wait = self._submit(self._next_requests(may_start=time.monotonic() < deadline))
            if not self._open and self._context.fetchers.is_idle:
                break
            self._context.wait_and_renew_lease(max(wait, self._collect()))
        self._context.writer.flush()

    def _next_requests(self, *, may_start: bool) -> list[PageRequest]:
        """Return the next calls. Pages of windows in progress come first."""
        requests: list[PageRequest] = []
        for window, reader in self._open.values():
            self._add_pages(requests, window, reader)
        while may_start and self._has_capacity(requests) and (opened := self._plan.next_window()):
            reader = WindowReader(opened.bounds, settings.SYNC_PER_PAGE)
            self._open[opened.key] = opened, reader
            self._add_pages(requests, opened, reader)
        return requests

    def _has_capacity(self, requests: list[PageRequest]) -> bool:
        has_capacity = len(requests) < self._context.fetchers.capacity
        return has_capacity and len(self._open) < self._windows_at_once

    def _add_pages(
        self, requests: list[PageRequest], window: PlannedWindow, reader: WindowReader
    ) -> None:
        while len(requests) < self._context.fetchers.capacity:
            page = reader.next_page()
            if page is None:
                break
            requests.append(PageRequest(window, reader.attempt, page))

    def _submit(self, requests: list[PageRequest]) -> float:
        """Submit the calls; return the seconds to wait if they are blocked."""
        if not requests:
            return 0.0
        try:
            self._context.fetchers.submit([self._call(request) for request in requests])
        except (CallsBlocked, NoRateCapacity) as blocked:
            for request in requests:
                self._open[request.window.key][1].requeue(request.page)
            return self._context.backoff.record_failure(blocked)
        return 0.0

    def _call(self, key: PageRequest) -> GoodyCall:
        _, reader = self._open[key.window.key]
        request = self._source.page_request(reader.bounds, page=key.page, per_page=reader.per_page)
        return GoodyCall(key, request, self._source.prepare)

    def _collect(self) -> float:
        """Process results, and write when a batch is full or no result is waiting.

        Return the seconds to wait after an error.
        """
        writer, fetchers = self._context.writer, self._context.fetchers
        wait, timeout = 0.0, _SHORT_WAIT if writer.has_rows else _LONG_WAIT
        is_any = False
        while not writer.is_full and (result := fetchers.collect_result(timeout=timeout)):
            wait, timeout = max(wait, self._process(result)), 0.0
            is_any = True
        if writer.is_full or not is_any:
            writer.flush()
        return wait

    def _process(self, result: CallResult) -> float:
        request: PageRequest = result.key
        window, reader = self._open.get(request.window.key, (request.window, None))
        if reader is None or reader.attempt != request.attempt:
            return 0.0
        if not result.was_sent:
            # The next submit returns how long to wait.
            reader.requeue(request.page)
            return 0.0
        if result.error is not None:
            return self._process_error(window, reader, request.page, result.error)
        self._context.backoff.record_success(read_at=result.read_at)
        self._process_page(window, reader, request.page, result)
        return 0.0

    def _process_page(
        self, window: PlannedWindow, reader: WindowReader, number: int, result: CallResult
    ) -> None:
        first = (number - 1) * reader.per_page
        page = self._source.parse_page(
            result.response, window.bounds, first=first, total=reader.total
        )
        if self._ignores_totals:
            page = replace(page, total=None)
        reader.add_page(number, page.ids, page.total)
        if number == 1 and self._should_split(window, page.total):
            # The rows are dropped: smaller windows give better estimates of their creation.
            parts = window_part_count(page.total or 0, size=settings.SYNC_WINDOW)
            self._split(window, parts, page.total)
            return
        self._context.writer.add(page.rows, read_at=result.read_at)
        if page.before_commit is not None:
            self._context.writer.call_before_commit(page.before_commit)
        self._finish_window(window, reader)

    def _should_split(self, window: PlannedWindow, total: int | None) -> bool:
        """Whether to split the window.

        A window that a split did not reduce is split again only if it is too large to read.
        """
        size = settings.SYNC_WINDOW
        if total is None or not self._may_split:
            return False
        if not is_window_too_large(window.bounds, total, size=size):
            return False
        if window.split_from is None or total < window.split_from:
            return True
        self._note_unreduced(window.bounds, total)
        return bool(total > size * _MAX_UNSPLIT)

    def _note_unreduced(self, bounds: WindowBounds, total: int) -> None:
        """Record a window with the total of the window from which it was split.

        One part may contain all orders of the whole window; two parts cannot.
        """
        before = self._unreduced.get(total)
        if before is not None and not bounds.is_within(before):
            self._ignores_totals = True
        self._unreduced[total] = bounds

    def _process_error(
        self, window: PlannedWindow, reader: WindowReader, page: int, error: GoodyError
    ) -> float:
        if page > 1 and error.status in _PAST_THE_END:
            reader.add_page(page, [], None)
            self._finish_window(window, reader)
        elif error.kind == "too_large" and reader.may_shrink_pages:
            reader.restart(with_smaller_pages=True)
        elif is_permanent_error(error) and error.kind != "too_large":
            raise error
        else:
            reader.requeue(page)
            return self._context.backoff.record_failure(error)
        return 0.0

    def _finish_window(self, window: PlannedWindow, reader: WindowReader) -> None:
        state = reader.window_state(size=settings.SYNC_WINDOW)
        if state is None:
            return
        if state is WindowState.SPLIT:
            parts = 2 if reader.total is not None else _PARTS_WITHOUT_TOTAL
            self._split(window, parts, reader.total)
            return
        del self._open[window.key]
        if state is WindowState.INCONSISTENT:
            self._context.writer.call_before_commit(
                lambda: self._plan.handle_inconsistent_window(window)
            )
            return
        total = len(reader.passes[-1].ids)
        self._context.writer.call_before_commit(
            lambda: self._plan.mark_window_complete(window, total)
        )

    def _split(self, window: PlannedWindow, parts: int, total: int | None) -> None:
        del self._open[window.key]
        bounds: Sequence[WindowBounds] = split_window(window.bounds, parts)
        self._context.writer.call_before_commit(
            lambda: self._plan.replace_window(window, bounds, total)
        )
        self._context.writer.flush()
