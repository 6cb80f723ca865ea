"""Every night: does Goody still count as many orders in each creation window as the index has?

A count costs one call for a thousand orders. Windows that differ are listed again, and without a
feed all of them: nobody else tells what happens to an older order. What that brings is drift:
something that the minutes before should have brought.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from orders import index
from orders.models import SyncState, SyncWindow
from orders.models.durability import rebuildable

from .asking import Steps, ask
from .full import judge_missing
from .plans import InMemory
from .sources import Orders
from .walking import Tools, Walk
from .windows import Bounds

log = logging.getLogger(__name__)


def last_due(now: datetime) -> datetime:
    """The latest moment at or before `now` at which the clock of TIME_ZONE showed the hour."""
    zone = ZoneInfo(settings.TIME_ZONE)
    local = now.astimezone(zone)
    due = local.replace(hour=settings.SYNC_RECONCILE_HOUR, minute=0, second=0, microsecond=0)
    return due if due <= local else due - timedelta(days=1)


def reconcile(tools: Tools, *, may_go_on: Callable[[], bool]) -> Iterator[float]:
    """Begin, or go on with one. Raises LeaseLost, Doubt, Suspicious, or a refusal of Goody's."""
    state = SyncState.objects.current()
    if not state.is_reconcile_under_way:
        _begin(tools, state)
        state.refresh_from_db()
    while may_go_on():
        row = SyncWindow.objects.filter(checked_at=None).order_by("-before").first()
        if row is None:
            _finish(tools, state)
            return
        yield from _check(tools, row, is_feed_missing=state.is_feed_missing)


def _begin(tools: Tools, state: SyncState) -> None:
    """All windows are to be checked, whenever they were; what came since the newest becomes one,
    or the end of that one.
    """
    now = timezone.now()
    tools.intake.then(lambda: SyncWindow.objects.update(checked_at=None))
    tools.intake.then(lambda: _reach_until((state.synced_at or now).replace(microsecond=0)))
    tools.intake.then(
        lambda: tools.lease.write(
            reconcile_started_at=now, drift_new=0, drift_changed=0, drift_missing=0
        )
    )
    tools.intake.flush()


def _reach_until(before: datetime) -> None:
    newest = SyncWindow.objects.order_by("-before").first()
    if newest is None or newest.before >= before:
        return
    if (newest.total or 0) < settings.SYNC_WINDOW // 2:
        SyncWindow.objects.filter(pk=newest.pk).update(before=before)
    else:
        SyncWindow.objects.create(
            after=newest.before, before=before, done_at=before, dated_at=before
        )


def _check(tools: Tools, row: SyncWindow, *, is_feed_missing: bool) -> Iterator[float]:
    """One window: count, and list it again where the count differs from what it was."""
    bounds = Bounds(row.after, row.before)
    total = yield from _count(tools, bounds)
    extra = None if total is None else index.count_within(*bounds) - total
    if extra != row.extra or is_feed_missing:
        yield from _list_again(tools, bounds)
        extra = index.count_within(*bounds) - (total or 0) if total is not None else 0
        tools.lease.write(drift_missing=F("drift_missing") + max(0, extra - row.extra))
    checked = SyncWindow.objects.filter(pk=row.pk)
    with rebuildable():
        checked.update(total=total, extra=extra, checked_at=timezone.now())
    tools.lease.keep()


def _list_again(tools: Tools, bounds: Bounds) -> Iterator[float]:
    before = tools.intake.counts.copy()
    yield from Walk(tools, Orders(), InMemory(bounds)).steps()
    found = tools.intake.counts - before
    tools.lease.write(
        drift_new=F("drift_new") + found["new"], drift_changed=F("drift_changed") + found["changed"]
    )


def _count(tools: Tools, bounds: Bounds) -> Steps[int | None]:
    answered = yield from ask(tools, Orders().ask(bounds, page=1, per_page=1))
    total: int | None = answered.answer.total_count
    return total


def _finish(tools: Tools, state: SyncState) -> None:
    state.refresh_from_db()
    judge_missing(state.drift_missing, known=index.count_known())
    now = timezone.now()
    tools.lease.write(
        # By a clock that was set back it began later than it ends, and would for ever be under way.
        reconcile_started_at=min(state.reconcile_started_at or now, now),
        reconciled_at=now,
        suspicion="",
        is_suspicion_accepted=False,
        # Whether there is a feed by now is asked again from time to time.
        is_feed_missing=False,
    )
    log.info(
        "compared with Goody's counts: %d orders lacked, %d were out of date, %d are not listed",
        state.drift_new,
        state.drift_changed,
        state.drift_missing,
    )
