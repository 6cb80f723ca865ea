"""The full sync reads every order once, by creation windows up to a fixed moment.

It can be resumed at any time, because SyncWindow rows are marked in the transaction of their last
rows. Nothing is ever deleted. If many known orders are missing at Goody, the sync stops until an
admin resumes it.

Goody's lists have no creation times, so a first sync estimates them from the windows. The backfill
then reads them from the `created` activities of the feed, while the index is already in use.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils import timezone

from goody.errors import BadResponse, Rejected
from orders import index
from orders.models import SyncState, SyncWindow
from orders.models.durability import non_durable_transaction

from .context import SyncContext
from .fetching import Request
from .incremental_sync import log_missing_feed, read_orders
from .scan import WindowScan
from .scan_plans import (
    ActivitySource,
    InconsistentListing,
    OrderListSource,
    PlannedWindow,
    StoredPlan,
)
from .windows import WindowBounds

# The share of known orders that may be missing at Goody without an admin's consent.
_MAX_MISSING = 0.05
# How many of the orders that were not listed are read one by one.
_MAX_SINGLE_READS = 100
# Years before now that are tried for a time before the first order; each group concurrently.
_YEARS = ((1, 2), (4, 8, 16))
# How often the interval that holds the first order is reduced to a quarter.
_QUARTERINGS = 2
_YEAR = timedelta(days=365)


class MassDeletionSuspected(Exception):
    """Many known orders are missing at Goody. The sync waits until an admin resumes it."""


def run_full_sync(context: SyncContext, *, is_new: bool, deadline: float = math.inf) -> None:
    """Start a full sync (`is_new`) or continue one, until it is complete or `deadline` has passed.

    Raises SyncStopped, LeaseLost, InconsistentListing, MassDeletionSuspected, or a refusal by
    Goody.
    """
    if is_new:
        _start(context)
    state = SyncState.objects.current()
    plan = _FullSyncPlan(context, state)
    WindowScan(context, OrderListSource(are_new=not state.known_before), plan).run(
        deadline=deadline
    )
    if plan.failed:
        raise InconsistentListing(f"{len(plan.failed)} creation windows could not be settled")
    if not SyncWindow.objects.filter(done_at=None).exists():
        _finish(context, state)


def _start(context: SyncContext) -> None:
    """Store the end of the sync's time range and its first windows, after a check of the total."""
    now = timezone.now()
    context.writer.earliest_read_at = None
    until = now.replace(microsecond=0)
    watermark, is_feed_missing = _newest_activity(context, until)
    total: int | None = context.fetch(_orders_before(until)).response.total_count
    known = index.count_known_orders()
    if reason := mass_deletion_reason(known=known, total=total):
        _suspect(reason)
    first = _find_first(context, until)
    windows = [WindowBounds(None, first or until)]
    if first is not None:
        windows.append(WindowBounds(first, until))
    state = SyncState.objects.current()
    context.writer.call_before_commit(lambda: _store_windows(windows))
    context.writer.call_before_commit(
        lambda: context.lease.update_state(
            started_at=now,
            finished_at=_before(state.finished_at, now),
            is_full_wanted=False,
            total=total,
            imported=0,
            known_before=known,
            watermark=state.watermark or watermark,
            is_feed_missing=is_feed_missing,
        )
    )
    context.writer.flush()


def _before(finished_at: datetime | None, started_at: datetime) -> datetime | None:
    """Return the end of the previous sync, which must be before this start.

    The clock may have been set back since.
    """
    return finished_at and min(finished_at, started_at - timedelta.resolution)


def _started_at(context: SyncContext, state: SyncState) -> datetime:
    """Return the start of this full sync by the present clock.

    If the clock was set back meanwhile, the start moves before the first read since then. Otherwise
    orders read later would count as not read by this sync.
    """
    assert state.started_at is not None
    now = timezone.now()
    earliest = min(state.started_at, context.writer.earliest_read_at or now, now)
    if earliest < state.started_at:
        state.started_at = earliest
        state.finished_at = _before(state.finished_at, earliest)
        context.lease.update_state(started_at=state.started_at, finished_at=state.finished_at)
    return earliest


def _store_windows(windows: Sequence[WindowBounds]) -> None:
    SyncWindow.objects.all().delete()
    SyncWindow.objects.bulk_create(SyncWindow(after=a, before=b) for a, b in windows)


def mass_deletion_reason(*, known: int, total: int | None) -> str:
    """Return the reason to stop the sync because of the counts, before orders are read; or ""."""
    if total is None or not known:
        return ""
    if not total:
        return f"Goody lists no orders, and we know {known:,}."
    if total < known * (1 - _MAX_MISSING):
        return f"Goody lists {total:,} orders, and we know {known:,}."
    return ""


def _suspect(reason: str) -> None:
    """Raise MassDeletionSuspected, unless an admin has resumed the sync."""
    if not SyncState.objects.current().is_suspicion_accepted:
        raise MassDeletionSuspected(reason)


def _newest_activity(context: SyncContext, now: datetime) -> tuple[datetime | None, bool]:
    """Return the watermark from which to follow the feed, and whether the feed is missing.

    A watermark that is too early costs calls, one that is too late loses changes.
    """
    try:
        result = context.fetch(lambda client, policy: client.list_activities(policy=policy))
    except Rejected as refusal:
        log_missing_feed(refusal)
        return None, True
    except BadResponse:
        # Too large for one response: the newest time is unknown.
        return None, False
    times = [one.created_at for one in result.response.activities]
    return (min(max(times), now) if times else None), False


def _orders_before(moment: datetime) -> Request:
    return OrderListSource().page_request(WindowBounds(None, moment), page=1, per_page=1)


def _find_first(context: SyncContext, until: datetime) -> datetime | None:
    """Return a moment shortly before the first order, or None if no order was found.

    The search covers a limited number of years.
    """
    with_orders, without = until, None
    for years in _YEARS:
        moments = [until - n * _YEAR for n in years]
        with_orders, without = _narrow_to_first_order(context, with_orders, moments)
        if without is not None:
            break
    if without is None:
        return None
    for _ in range(_QUARTERINGS):
        quarter = (with_orders - without) / 4
        moments = [(with_orders - n * quarter).replace(microsecond=0) for n in (1, 2, 3)]
        with_orders, later = _narrow_to_first_order(context, with_orders, moments)
        without = later or without
    return without


def _narrow_to_first_order(
    context: SyncContext, with_orders: datetime, moments: Sequence[datetime]
) -> tuple[datetime, datetime | None]:
    """Return the earliest of the `moments` before which orders exist, and the next earlier one.

    `moments` are in descending order, and earlier than `with_orders`, before which orders exist.
    """
    results = context.fetch_all([_orders_before(moment) for moment in moments])
    for moment, result in zip(moments, results, strict=True):
        if not result.response.rows:
            return with_orders, moment
        with_orders = moment
    return with_orders, None


class _FullSyncPlan(StoredPlan):
    """The incomplete windows of the current full sync, newest first."""

    def __init__(self, context: SyncContext, state: SyncState) -> None:
        super().__init__()
        self._context = context
        self._state = state
        self.failed: set[int] = set()
        self._missing: dict[int, int] = {}

    def pending_windows(self) -> QuerySet[SyncWindow]:
        return SyncWindow.objects.filter(done_at=None)

    def mark_window_complete(self, window: PlannedWindow, total: int) -> None:
        self._check_missing(window)
        now = timezone.now()
        extra = index.count_created_between(*window.bounds) - total
        SyncWindow.objects.filter(pk=window.key).update(total=total, extra=extra, done_at=now)
        self._context.lease.update_state(imported=F("imported") + total)

    def replace_window(
        self, window: PlannedWindow, parts: Sequence[WindowBounds], total: int | None
    ) -> None:
        SyncWindow.objects.filter(pk=window.key).delete()
        SyncWindow.objects.bulk_create(
            SyncWindow(after=after, before=before, split_from=total) for after, before in parts
        )
        self.reload_windows()

    def handle_inconsistent_window(self, window: PlannedWindow) -> None:
        """Leave the window pending and continue with the others."""
        self.failed.add(window.key)

    def _check_missing(self, window: PlannedWindow) -> None:
        """Add up the known orders that were not listed in their windows."""
        state, (after, before) = self._state, window.bounds
        since = _started_at(self._context, state)
        if not state.known_before or after is None:
            return
        missing = index.count_orders_not_read_between(after, before, since=since)
        self._missing[window.key] = missing
        check_missing_orders(sum(self._missing.values()), known=state.known_before)


def check_missing_orders(missing: int, *, known: int) -> None:
    """Raise MassDeletionSuspected if too many known orders are no longer listed."""
    if missing > known * _MAX_MISSING:
        _suspect(f"{missing:,} of the {known:,} orders we know are not listed.")


def _finish(context: SyncContext, state: SyncState) -> None:
    """Read the unlisted orders one by one if they are few, and mark the sync as complete."""
    since = _started_at(context, state)
    check_missing_orders(index.count_orders_not_read(since=since), known=state.known_before)
    read_orders(context, index.order_ids_not_read_since(since=since, limit=_MAX_SINGLE_READS))
    context.lease.update_state(
        finished_at=max(timezone.now(), since),
        suspicion="",
        is_suspicion_accepted=False,
        problem="",
        failing_since=None,
        retry_at=None,
    )


# --- Backfill ---------------------------------------------------------------------------------


def backfill_created_at(context: SyncContext, *, deadline: float) -> None:
    """Replace estimated creation times by the exact ones of the feed.

    Return when no estimate is left, when `deadline` has passed, or when Goody refuses the feed.
    Orders without a `created` activity keep their estimate until they are read. Raises SyncStopped
    and LeaseLost.
    """
    try:
        plan = _BackfillPlan()
        source = ActivitySource(statuses=["created"])
        WindowScan(context, source, plan, may_split=False).run(deadline=deadline)
    except Rejected as refusal:
        log_missing_feed(refusal)
        context.lease.update_state(is_feed_missing=True)
        return
    if not _not_backfilled().exists():
        finished_at = SyncState.objects.current().finished_at
        # If the clock was set back, now may lie before the end of the full sync.
        context.lease.update_state(backfilled_at=max(filter(None, (timezone.now(), finished_at))))


def _not_backfilled() -> QuerySet[SyncWindow]:
    return SyncWindow.objects.filter(backfilled_at=None).exclude(done_at=None)


class _BackfillPlan(StoredPlan):
    """The windows with estimated creation times. Windows that cannot be read are skipped."""

    def pending_windows(self) -> QuerySet[SyncWindow]:
        return _not_backfilled()

    def next_window(self) -> PlannedWindow | None:
        while window := super().next_window():
            if index.has_estimates_between(*window.bounds):
                return window
            self._mark(window)
        return None

    def mark_window_complete(self, window: PlannedWindow, total: int) -> None:  # noqa: ARG002
        self._mark(window)

    def replace_window(
        self,
        window: PlannedWindow,
        parts: Sequence[WindowBounds],  # noqa: ARG002
        total: int | None,  # noqa: ARG002
    ) -> None:
        self._mark(window)

    def handle_inconsistent_window(self, window: PlannedWindow) -> None:
        self._mark(window)

    def _mark(self, window: PlannedWindow) -> None:
        with non_durable_transaction():
            SyncWindow.objects.filter(pk=window.key).update(backfilled_at=timezone.now())
