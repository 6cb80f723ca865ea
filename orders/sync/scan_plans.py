"""The sources of a scan (lists of Goody's API) and its plans (the creation windows to read)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from django.db.models import QuerySet

from goody.types import BadOrder, RawActivity, RawActivityPage, RawPage
from orders.index import CreationTime, OrderOfResponse
from orders.models import CreationTimeSource, SyncWindow

from .fetching import Request
from .windows import WindowBounds, estimate_created_at


class InconsistentListing(Exception):
    """Goody's responses contradict each other, so that rows may be missing."""


# --- Plans ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlannedWindow:
    """A window to read.

    `key` identifies it in the plan. `split_from` is the total of the window from which it was
    split.
    """

    key: int
    bounds: WindowBounds
    split_from: int | None = None


class WindowPlan(Protocol):
    """The windows of a scan. Methods that change the plan run in the transaction of the rows."""

    def next_window(self) -> PlannedWindow | None:
        """Return a window that is not read yet and was not returned before, or None."""

    def mark_window_complete(self, window: PlannedWindow, total: int) -> None:
        """Mark the window as read: all its rows are stored."""

    def replace_window(
        self, window: PlannedWindow, parts: Sequence[WindowBounds], total: int | None
    ) -> None:
        """Replace the window by the parts in which it is read."""

    def handle_inconsistent_window(self, window: PlannedWindow) -> None:
        """Handle a window for which Goody's responses are inconsistent."""


class InMemoryPlan:
    """A plan in memory: one window and the parts into which it is split, oldest first."""

    def __init__(self, bounds: WindowBounds) -> None:
        self._count = 1
        self._pending = [PlannedWindow(1, bounds)]

    def next_window(self) -> PlannedWindow | None:
        return self._pending.pop() if self._pending else None

    def mark_window_complete(self, window: PlannedWindow, total: int) -> None:
        """Do nothing, because the plan is not stored."""

    def replace_window(
        self,
        window: PlannedWindow,  # noqa: ARG002
        parts: Sequence[WindowBounds],
        total: int | None,
    ) -> None:
        for part in parts:
            self._count += 1
            self._pending.append(PlannedWindow(self._count, part, total))

    def handle_inconsistent_window(self, window: PlannedWindow) -> None:
        """Raise InconsistentListing: the rows of later windows would hide the gap."""
        before = f"{window.bounds.before:%Y-%m-%d %H:%M}"
        raise InconsistentListing(f"what Goody lists up to {before} does not add up")


class StoredPlan:
    """A plan of SyncWindow rows, newest first. Subclasses store the result of a window."""

    def __init__(self) -> None:
        self._remaining: deque[PlannedWindow] | None = None
        self._returned: set[int] = set()

    def pending_windows(self) -> QuerySet[SyncWindow]:
        """Return the windows to read."""
        raise NotImplementedError

    def next_window(self) -> PlannedWindow | None:
        if self._remaining is None:
            rows = self.pending_windows().order_by("-before")
            windows = (
                PlannedWindow(row.pk, WindowBounds(row.after, row.before), row.split_from)
                for row in rows
            )
            self._remaining = deque(one for one in windows if one.key not in self._returned)
        if not self._remaining:
            return None
        window = self._remaining.popleft()
        self._returned.add(window.key)
        return window

    def reload_windows(self) -> None:
        """Query the rows again after they changed."""
        self._remaining = None


# --- Sources ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WindowPage:
    """One page of a window: its rows, and `ids` that identify them.

    `before_commit` is called in the transaction that stores the rows.
    """

    ids: Sequence[object]
    rows: Sequence[OrderOfResponse]
    total: int | None
    before_commit: Callable[[], object] | None = None


class OrderSource(Protocol):
    """An endpoint of Goody that lists orders by creation window."""

    @property
    def prepare(self) -> Callable[[Any], Any] | None:
        """The function that precomputes values from a response (GoodyCall.prepare), or None."""

    def page_request(self, bounds: WindowBounds, *, page: int, per_page: int) -> Request:
        """Return the call for one page (from 1) of the window."""

    def parse_page(
        self, response: Any, bounds: WindowBounds, *, first: int, total: int | None
    ) -> WindowPage:
        """Parse the page whose first row is at position `first` (from 0) of `total`."""


class ListedRows(NamedTuple):
    """One page of Goody's order list."""

    rows: Sequence[OrderOfResponse]
    total_count: int | None


class OrderListSource:
    """Goody API: GET /v1/orders. Its rows have no creation time, so it is estimated.

    `are_new`: hardly any of the orders are stored yet, so all columns are computed in advance.
    """

    def __init__(self, *, are_new: bool = False) -> None:
        self._are_new = are_new

    def page_request(self, bounds: WindowBounds, *, page: int, per_page: int) -> Request:
        return lambda client, policy: client.list_raw_orders(
            page=page,
            per_page=per_page,
            created_after=bounds.after,
            created_before=bounds.before,
            policy=policy,
        )

    def prepare(self, response: RawPage) -> ListedRows:
        rows = [OrderOfResponse(raw) for raw in response.rows]
        for row in rows:
            row.precompute_values(with_columns=self._are_new)
        return ListedRows(rows, response.total_count)

    def parse_page(
        self, response: ListedRows, bounds: WindowBounds, *, first: int, total: int | None
    ) -> WindowPage:
        count = total or first + len(response.rows)
        for n, row in enumerate(response.rows):
            created_at = estimate_created_at(bounds, first + n, count)
            row.created = CreationTime(created_at, CreationTimeSource.WINDOW)
        return WindowPage(
            [_row_id(row) for row in response.rows], response.rows, response.total_count
        )


def _row_id(row: OrderOfResponse) -> object:
    """Return the order's id, or the whole row if it has no readable id."""
    try:
        return row.order_id
    except BadOrder:
        return row.raw


class ActivitySource:
    """Goody API: GET /v1/order_activities, each with its order in its present state.

    `statuses` selects the activities; without any, all are read. One with the status `created` has
    the exact creation time.
    """

    prepare = None

    def __init__(self, statuses: Sequence[str] = ()) -> None:
        self._statuses = statuses

    def page_request(self, bounds: WindowBounds, *, page: int, per_page: int) -> Request:
        return lambda client, policy: client.list_activities(
            page=page,
            per_page=per_page,
            after=bounds.after,
            before=bounds.before,
            statuses=self._statuses,
            policy=policy,
        )

    def parse_page(
        self,
        response: RawActivityPage,
        bounds: WindowBounds,  # noqa: ARG002
        *,
        first: int,  # noqa: ARG002
        total: int | None,  # noqa: ARG002
    ) -> WindowPage:
        return activity_page(response)


def activity_page(response: RawActivityPage) -> WindowPage:
    """Return the page of the feed with the orders of its activities."""
    ids = [one.id for one in response.activities]
    unreadable = [one.id or one.raw for one in response.quarantined]
    rows = [_activity_row(one) for one in response.activities]
    return WindowPage([*ids, *unreadable], rows, response.total_count)


def _activity_row(activity: RawActivity) -> OrderOfResponse:
    if activity.order_status != "created":
        return OrderOfResponse(activity.order)
    created = CreationTime(activity.created_at, CreationTimeSource.FEED)
    return OrderOfResponse(activity.order, created)
