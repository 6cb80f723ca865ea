"""Compares Goody's order count of each creation window with the index, every night.

A count costs one call for a thousand orders. Windows whose count differs are listed again. Without
a feed all windows are, because nothing else reports changes of older orders. The differences found
are drift: changes that the incremental sync has missed.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from orders import index
from orders.models import SyncState, SyncWindow
from orders.models.durability import non_durable_transaction

from .context import SyncContext
from .full_sync import check_missing_orders
from .scan import WindowScan
from .scan_plans import InMemoryPlan, OrderListSource
from .windows import WindowBounds

log = logging.getLogger(__name__)


def last_reconcile_time(now: datetime) -> datetime:
    """Return the latest time up to `now` at which it was SYNC_RECONCILE_HOUR in TIME_ZONE."""
    zone = ZoneInfo(settings.TIME_ZONE)
    local = now.astimezone(zone)
    due = local.replace(hour=settings.SYNC_RECONCILE_HOUR, minute=0, second=0, microsecond=0)
    return due if due <= local else due - timedelta(days=1)


def compare_counts(context: SyncContext, *, deadline: float) -> None:
    """Start a comparison or continue one, until `deadline` has passed.

    Raises SyncStopped, LeaseLost, InconsistentListing, MassDeletionSuspected, or a refusal by
    Goody.
    """
    state = SyncState.objects.current()
    if not state.is_reconcile_under_way:
        _start(context, state)
        state.refresh_from_db()
    while time.monotonic() < deadline:
        row = SyncWindow.objects.filter(checked_at=None).order_by("-before").first()
        if row is None:
            _finish(context, state)
            return
        _check(context, row, is_feed_missing=state.is_feed_missing)


def _start(context: SyncContext, state: SyncState) -> None:
    """Mark all windows as not checked, and cover the time since the newest one."""
    now = timezone.now()
    synced_at = (state.synced_at or now).replace(microsecond=0)
    context.writer.call_before_commit(lambda: SyncWindow.objects.update(checked_at=None))
    context.writer.call_before_commit(lambda: _extend_windows(synced_at))
    context.writer.call_before_commit(
        lambda: context.lease.update_state(
            reconcile_started_at=now, drift_new=0, drift_changed=0, drift_missing=0
        )
    )
    context.writer.flush()


def _extend_windows(before: datetime) -> None:
    """Extend the newest window to `before`, or add a window if it is already large."""
    newest = SyncWindow.objects.order_by("-before").first()
    if newest is None or newest.before >= before:
        return
    if (newest.total or 0) < settings.SYNC_WINDOW // 2:
        SyncWindow.objects.filter(pk=newest.pk).update(before=before)
    else:
        SyncWindow.objects.create(
            after=newest.before, before=before, done_at=before, backfilled_at=before
        )


def _check(context: SyncContext, row: SyncWindow, *, is_feed_missing: bool) -> None:
    """Count a window, and list it again if its difference has changed since the last comparison."""
    bounds = WindowBounds(row.after, row.before)
    total = _count(context, bounds)
    extra = None if total is None else index.count_created_between(*bounds) - total
    if extra != row.extra or is_feed_missing:
        _list_again(context, bounds)
        extra = index.count_created_between(*bounds) - (total or 0) if total is not None else 0
        context.lease.update_state(drift_missing=F("drift_missing") + max(0, extra - row.extra))
    checked = SyncWindow.objects.filter(pk=row.pk)
    with non_durable_transaction():
        checked.update(total=total, extra=extra, checked_at=timezone.now())
    context.wait_and_renew_lease()


def _list_again(context: SyncContext, bounds: WindowBounds) -> None:
    before = context.writer.counts.copy()
    WindowScan(context, OrderListSource(), InMemoryPlan(bounds)).run()
    found = context.writer.counts - before
    context.lease.update_state(
        drift_new=F("drift_new") + found["new"], drift_changed=F("drift_changed") + found["changed"]
    )


def _count(context: SyncContext, bounds: WindowBounds) -> int | None:
    result = context.fetch(OrderListSource().page_request(bounds, page=1, per_page=1))
    total: int | None = result.response.total_count
    return total


def _finish(context: SyncContext, state: SyncState) -> None:
    state.refresh_from_db()
    check_missing_orders(state.drift_missing, known=index.count_known_orders())
    now = timezone.now()
    context.lease.update_state(
        # If the clock was set back, the comparison would start after its end, and never be over.
        reconcile_started_at=min(state.reconcile_started_at or now, now),
        reconciled_at=now,
        suspicion="",
        is_suspicion_accepted=False,
        # The account may have a feed by now: the next round tries it.
        is_feed_missing=False,
    )
    log.info(
        "compared with Goody's counts: %d orders lacked, %d were out of date, %d are not listed",
        state.drift_new,
        state.drift_changed,
        state.drift_missing,
    )
