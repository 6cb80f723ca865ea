"""The second walk: when each order was created, from the feed's `created` activities.

Goody's lists do not say it, so a first sync knows only the window. Nothing waits for this: lists
are served meanwhile. What the feed does not tell stays an estimate until the order is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from django.db.models import QuerySet
from django.utils import timezone

from goody.errors import Rejected
from orders import index
from orders.models import SyncState, SyncWindow
from orders.models.durability import rebuildable

from .feed import note_missing
from .plans import Stored, Window
from .sources import Births
from .walking import Tools, Walk
from .windows import Bounds


def date_orders(tools: Tools, *, may_go_on: Callable[[], bool]) -> Iterator[float]:
    """Go on until all is dated, it may not go on, or there is no feed. Raises LeaseLost."""
    try:
        yield from Walk(tools, Births(), _Plan(), may_cut=False).steps(may_go_on=may_go_on)
    except Rejected as refusal:
        note_missing(refusal)
        tools.lease.write(is_feed_missing=True)
        return
    if not _undated().exists():
        finished_at = SyncState.objects.current().finished_at
        # By a clock that was set back it would be before the sync whose orders it dates.
        tools.lease.write(dated_at=max(filter(None, (timezone.now(), finished_at))))


def _undated() -> QuerySet[SyncWindow]:
    return SyncWindow.objects.filter(dated_at=None).exclude(done_at=None)


class _Plan(Stored):
    """Windows that hold an order whose time is an estimate. What cannot be settled is left."""

    def todo(self) -> QuerySet[SyncWindow]:
        return _undated()

    def next(self) -> Window | None:
        while window := super().next():
            if index.has_undated(*window.bounds):
                return window
            self._mark(window)
        return None

    def done(self, window: Window, total: int) -> None:  # noqa: ARG002
        self._mark(window)

    def replace(self, window: Window, parts: Sequence[Bounds], total: int | None) -> None:  # noqa: ARG002
        self._mark(window)

    def doubt(self, window: Window) -> None:
        self._mark(window)

    def _mark(self, window: Window) -> None:
        with rebuildable():
            SyncWindow.objects.filter(pk=window.key).update(dated_at=timezone.now())
