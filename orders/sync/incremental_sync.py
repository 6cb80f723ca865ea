"""Keeps a complete index up to date: reads changes since the watermark, and single orders.

Goody's activity feed reports most changes. If an account has no feed, the newest orders are listed
again instead. The feed reports no expirations, thank-you notes, accepts and notifications, so
orders for which these are likely are read one by one.

The watermark is Goody's time of the newest change up to which everything was read. It is updated in
the transaction of the rows before it. The last minutes before it are read again each time, because
activities may appear late; known activities are recognized by their ids.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from goody.errors import BadResponse, GoodyError, NotFound, Rejected
from goody.types import QuarantinedOrder, RawActivityPage
from orders import index, services
from orders.models import SeenActivity, SyncState

from .context import SyncContext
from .fetching import CallResult, Request
from .lease import Lease
from .scan import WindowScan
from .scan_plans import (
    ActivitySource,
    InMemoryPlan,
    OrderListSource,
    PlannedWindow,
    WindowPage,
    activity_page,
)
from .windows import SECOND, WindowBounds

log = logging.getLogger(__name__)

# Goody's clock may be behind ours, and creation times may be estimates.
_MARGIN = timedelta(days=1)
# How far before the full sync the feed is read where it was empty at that time.
_FEED_START = timedelta(days=1)
# Attempts to read a single order before it is left alone for a while.
_ATTEMPTS = 2
# After this number of failures in a row the orders are not the cause, and the rest is postponed.
_MAX_FAILURES = 3


def sync_changes(context: SyncContext) -> None:
    """Read the changes since the watermark, and reread orders that the feed does not report.

    Raises SyncStopped, LeaseLost, InconsistentListing, or a refusal by Goody.
    """
    now = timezone.now()
    context.lease.update_state(tried_at=now)
    if SyncState.objects.current().is_feed_missing:
        _list_newest(context, now)
    else:
        _follow_feed_or_list(context, now)
    context.lease.update_state(synced_at=now, problem="", failing_since=None, retry_at=None)


def _follow_feed_or_list(context: SyncContext, now: datetime) -> None:
    try:
        follow_feed(context, now=now)
    except Rejected as refusal:
        log_missing_feed(refusal)
        context.lease.update_state(is_feed_missing=True)
        _list_newest(context, now)


def _list_newest(context: SyncContext, now: datetime) -> None:
    """List the newest orders instead of the feed. Older orders are listed every night."""
    after = index.newest_created_at(settings.SYNC_WINDOW)
    bounds = WindowBounds(after - _MARGIN if after else None, now.replace(microsecond=0))
    WindowScan(context, OrderListSource(), InMemoryPlan(bounds)).run()


# --- The feed ---------------------------------------------------------------------------------


class _FeedSource(ActivitySource):
    """All activities. Their ids are stored with the rows.

    `newest` is the time of the newest activity that was read.
    """

    def __init__(self, newest: datetime) -> None:
        super().__init__()
        self.newest = newest

    def parse_page(
        self,
        response: RawActivityPage,
        bounds: WindowBounds,  # noqa: ARG002
        *,
        first: int,  # noqa: ARG002
        total: int | None,  # noqa: ARG002
    ) -> WindowPage:
        self.newest = max([self.newest, *(one.created_at for one in response.activities)])
        return _page(response)


def _page(response: RawActivityPage) -> WindowPage:
    return replace(activity_page(response), before_commit=lambda: _store_seen(response))


def _store_seen(response: RawActivityPage) -> None:
    seen = [SeenActivity(id=one.id, at=one.created_at) for one in response.activities]
    SeenActivity.objects.bulk_create(seen, ignore_conflicts=True)
    unreadable = [
        QuarantinedOrder(reason=one.reason, id=one.order_id, raw=one.raw)
        for one in response.quarantined
    ]
    services.record_anomalies((), unreadable, now=timezone.now())


def log_missing_feed(refusal: Rejected) -> None:
    """Log that the account is assumed to have no feed, with the status of the refusal.

    Other endpoints of Goody answer a lack of permission with 400. But a 400 may also be caused by
    one of our parameters, so it is logged.
    """
    log.warning("Goody refuses the activity feed, so orders are listed instead: %s", refusal.detail)


def follow_feed(context: SyncContext, *, now: datetime) -> None:
    """Read all activities since the watermark.

    Raises SyncStopped, LeaseLost, InconsistentListing, or Goody's refusal of the feed.
    """
    state = SyncState.objects.current()
    assert state.started_at is not None
    watermark = state.watermark or state.started_at - _FEED_START
    after = watermark - timedelta(seconds=settings.SYNC_OVERLAP)
    try:
        result = context.fetch(_first_page(after))
    except BadResponse:
        # Too large for one response; a scan requests smaller pages.
        _scan_feed(context, watermark, WindowBounds(after, now + SECOND))
        return
    page = _page(result.response)
    newest = max([watermark, *(one.created_at for one in result.response.activities)])
    # A watermark in the future by our clock would skip all changes until then.
    newest = min(newest, max(now, watermark))
    if _is_only_page(page) or _has_no_unseen(page, after):
        _store_page(context, page, result)
        if newest > watermark:
            context.writer.call_before_commit(lambda: _move_watermark(context.lease, newest))
        context.writer.flush()
        return
    # To the end of that second: Goody may store fractions that it does not print.
    before = (newest if newest > watermark else now) + SECOND
    _scan_feed(context, watermark, WindowBounds(after, before))


def _scan_feed(context: SyncContext, watermark: datetime, bounds: WindowBounds) -> None:
    feed = _FeedSource(watermark)
    plan = _FeedPlan(context.lease, bounds, feed)
    WindowScan(context, feed, plan, windows_at_once=1).run()


def _first_page(after: datetime) -> Request:
    return lambda client, policy: client.list_activities(
        per_page=settings.SYNC_PER_PAGE, after=after, policy=policy
    )


def _is_only_page(page: WindowPage) -> bool:
    """Whether this single page has all rows. After a full page there may be another one."""
    count = len(page.ids)
    return page.total == len(set(page.ids)) == count and count < int(settings.SYNC_PER_PAGE)


def _has_no_unseen(page: WindowPage, after: datetime) -> bool:
    """Whether the total is the number of seen activities, and all on the page are among them."""
    seen = SeenActivity.objects.filter(at__gte=after)
    if page.total != seen.count():
        return False
    ids = [one for one in page.ids if isinstance(one, UUID)]
    return seen.filter(pk__in=ids).count() == len(page.ids)


def _store_page(context: SyncContext, page: WindowPage, result: CallResult) -> None:
    context.writer.add(page.rows, read_at=result.read_at)
    if page.before_commit is not None:
        context.writer.call_before_commit(page.before_commit)


def _move_watermark(lease: Lease, watermark: datetime) -> None:
    """Store the watermark, in the transaction of the rows before it."""
    overlap = timedelta(seconds=settings.SYNC_OVERLAP)
    SeenActivity.objects.filter(at__lt=watermark - overlap).delete()
    lease.update_state(watermark=watermark)


class _FeedPlan(InMemoryPlan):
    """The windows since the watermark, oldest first; the watermark is updated after each.

    It is never after the newest activity that was read, because Goody's clock may be far behind
    ours.
    """

    def __init__(self, lease: Lease, bounds: WindowBounds, feed: _FeedSource) -> None:
        super().__init__(bounds)
        self._lease = lease
        self._feed = feed
        self._watermark = feed.newest

    def mark_window_complete(self, window: PlannedWindow, total: int) -> None:  # noqa: ARG002
        newest = min(window.bounds.before, self._feed.newest)
        if newest > self._watermark:
            _move_watermark(self._lease, newest)


# --- Single orders ----------------------------------------------------------------------------


def reread_orders(context: SyncContext) -> None:
    """Read a limited number of orders whose next changes the feed does not report."""
    now = timezone.now()
    context.lease.update_state(reread_at=now)
    share = settings.SYNC_INTERVAL / 60
    limit = max(0, round(settings.SYNC_REREADS_PER_MINUTE * share))
    read_orders(context, index.orders_to_reread(now=now, limit=limit))


def read_orders(context: SyncContext, order_ids: Iterable[UUID]) -> None:
    """Read these orders; mark those that Goody does not know as missing, without deleting them.

    An unreadable order is recorded as an anomaly, which exempts it from rereading for a while
    (index.orders_to_reread), and does not stop the others.
    """
    failures = 0
    for order_id in order_ids:
        error = _read(context, order_id)
        failures = failures + 1 if error else 0
        if failures == _MAX_FAILURES:
            log.warning("%d orders in a row could not be read, the last one: %s", failures, error)
            return


def _read(context: SyncContext, order_id: UUID) -> GoodyError | None:
    """Read an order. Return why it is unreadable although Goody answers other requests, or None."""
    for _ in range(_ATTEMPTS):
        result = context.fetch_without_retry(
            lambda client, policy: client.get_order(order_id, policy=policy)
        )
        error = result.error
        if error is None:
            services.apply_read(result.response, read_at=result.read_at)
            break
        if isinstance(error, NotFound):
            services.mark_missing(order_id, read_at=result.read_at)
            return None
        # Waits as long as Goody fails as a whole. A refusal shows that it does not.
        with suppress(Rejected):
            context.fetch(lambda client, policy: client.get_me(policy=policy))
    else:
        services.record_unreadable(order_id, reason=str(error), now=timezone.now())
    context.wait_and_renew_lease()
    return error
