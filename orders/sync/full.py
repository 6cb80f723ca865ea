"""The full sync: every order once, by windows of creation up to a frozen moment.

Resumable at any moment: which windows are done stands in SyncWindow, marked in the transaction of
their last rows. Nothing is ever deleted, and where much of what we know is missing it stops for a
person to look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils import timezone

from goody.errors import BadResponse, Rejected
from orders import index
from orders.models import SyncState, SyncWindow

from .asking import Steps, ask, ask_all
from .feed import note_missing
from .plans import Stored, Window
from .rereading import read_each
from .sources import Ask, Orders
from .trouble import Doubt, Suspicious
from .walking import Tools, Walk
from .windows import Bounds

# Of the orders we know, so many may be missing at Goody before a person must look.
_MISSING = 0.05
# Of those that were not listed, so many are read one by one.
_MOST_READ = 100
# How far back is looked for a time before the first order, so many at once; and how closely it is
# found: each time within the quarter of what was left.
_YEARS = ((1, 2), (4, 8, 16))
_QUARTERINGS = 2
_YEAR = timedelta(days=365)


def full_sync(
    tools: Tools, *, anew: bool, may_go_on: Callable[[], bool] = lambda: True
) -> Iterator[float]:
    """Begin a full sync, or go on with one; ends when it is complete or may not go on.

    `anew`: none is under way. Raises LeaseLost, Doubt, Suspicious, or a refusal of Goody's.
    """
    if anew:
        yield from _begin(tools)
    state = SyncState.objects.current()
    plan = _Plan(tools, state)
    yield from Walk(tools, Orders(are_new=not state.known_before), plan).steps(may_go_on=may_go_on)
    if plan.doubtful:
        raise Doubt(f"{len(plan.doubtful)} creation windows could not be settled")
    if not SyncWindow.objects.filter(done_at=None).exists():
        yield from _finish(tools, state)


def _begin(tools: Tools) -> Iterator[float]:
    """Freeze the moment, count, and lay out the first windows."""
    now = timezone.now()
    tools.intake.earliest = None
    frozen = now.replace(microsecond=0)
    watermark, is_feed_missing = yield from _newest_activity(tools, frozen)
    answered = yield from ask(tools, _orders_before(frozen))
    total: int | None = answered.answer.total_count
    known = index.count_known()
    if complaint := suspicion(known=known, total=total):
        _stop(complaint)
    earliest = yield from _find_earliest(tools, frozen)
    windows = [Bounds(None, earliest or frozen)]
    if earliest is not None:
        windows.append(Bounds(earliest, frozen))
    state = SyncState.objects.current()
    tools.intake.then(lambda: _lay_out(windows))
    tools.intake.then(
        lambda: tools.lease.write(
            started_at=now,
            finished_at=_earlier(state.finished_at, now),
            is_full_wanted=False,
            total=total,
            imported=0,
            known_before=known,
            watermark=state.watermark or watermark,
            is_feed_missing=is_feed_missing,
        )
    )
    tools.intake.flush()


def _earlier(finished_at: datetime | None, started_at: datetime) -> datetime | None:
    """When the sync before ended, by a clock that may have been set back: before this one began."""
    return finished_at and min(finished_at, started_at - timedelta.resolution)


def _begun(tools: Tools, state: SyncState) -> datetime:
    """Since when this full sync has read, by the clock as it is now.

    Where that was set back, what is read now would count as read before it began: so it began no
    later than that.
    """
    assert state.started_at is not None
    earliest = min(state.started_at, tools.intake.earliest or timezone.now(), timezone.now())
    if earliest < state.started_at:
        state.started_at = earliest
        state.finished_at = _earlier(state.finished_at, earliest)
        tools.lease.write(started_at=state.started_at, finished_at=state.finished_at)
    return earliest


def _lay_out(windows: Sequence[Bounds]) -> None:
    SyncWindow.objects.all().delete()
    SyncWindow.objects.bulk_create(SyncWindow(after=a, before=b) for a, b in windows)


def suspicion(*, known: int, total: int | None) -> str:
    """Why a person must look before orders are read, from the counts alone; "" if nobody must."""
    if total is None or not known:
        return ""
    if not total:
        return f"Goody lists no orders, and we know {known:,}."
    if total < known * (1 - _MISSING):
        return f"Goody lists {total:,} orders, and we know {known:,}."
    return ""


def _stop(complaint: str) -> None:
    """Raises Suspicious, unless somebody has looked and let it go on."""
    if not SyncState.objects.current().is_suspicion_accepted:
        raise Suspicious(complaint)


def _newest_activity(tools: Tools, now: datetime) -> Steps[tuple[datetime | None, bool]]:
    """From where the feed is to be followed, by Goody's clock; and whether there is no feed.

    A mark that is too early costs calls, one that is too late loses changes.
    """
    try:
        answered = yield from ask(
            tools, lambda client, policy: client.list_activities(policy=policy)
        )
    except Rejected as refusal:
        note_missing(refusal)
        return None, True
    except BadResponse:
        # Too large for one answer: no mark is early enough.
        return None, False
    times = [one.created_at for one in answered.answer.activities]
    return (min(max(times), now) if times else None), False


def _orders_before(moment: datetime) -> Ask:
    return Orders().ask(Bounds(None, moment), page=1, per_page=1)


def _find_earliest(tools: Tools, frozen: datetime) -> Steps[datetime | None]:
    """A moment before the first order, not long before; None where there seems to be none."""
    some, none = frozen, None
    for years in _YEARS:
        some, none = yield from _narrow(tools, some, [frozen - n * _YEAR for n in years])
        if none is not None:
            break
    if none is None:
        return None
    for _ in range(_QUARTERINGS):
        quarter = (some - none) / 4
        moments = [(some - n * quarter).replace(microsecond=0) for n in (1, 2, 3)]
        some, earlier = yield from _narrow(tools, some, moments)
        none = earlier or none
    return none


def _narrow(
    tools: Tools, some: datetime, moments: Sequence[datetime]
) -> Steps[tuple[datetime, datetime | None]]:
    """Of ever earlier moments the last with orders before it, or `some`; and the next, if any."""
    answers = yield from ask_all(tools, [_orders_before(moment) for moment in moments])
    for moment, answered in zip(moments, answers, strict=True):
        if not answered.answer.rows:
            return some, moment
        some = moment
    return some, None


class _Plan(Stored):
    """The windows of the full sync that is under way, the newest first."""

    def __init__(self, tools: Tools, state: SyncState) -> None:
        super().__init__()
        self._tools = tools
        self._state = state
        self.doubtful: set[int] = set()
        self._missing: dict[int, int] = {}

    def todo(self) -> QuerySet[SyncWindow]:
        return SyncWindow.objects.filter(done_at=None)

    def done(self, window: Window, total: int) -> None:
        self._look_for_missing(window)
        now = timezone.now()
        extra = index.count_within(*window.bounds) - total
        SyncWindow.objects.filter(pk=window.key).update(total=total, extra=extra, done_at=now)
        self._tools.lease.write(imported=F("imported") + total)

    def replace(self, window: Window, parts: Sequence[Bounds], total: int | None) -> None:
        SyncWindow.objects.filter(pk=window.key).delete()
        SyncWindow.objects.bulk_create(
            SyncWindow(after=after, before=before, cut_from=total) for after, before in parts
        )
        self.look_again()

    def doubt(self, window: Window) -> None:
        """The others are read; this one stays undone."""
        self.doubtful.add(window.key)

    def _look_for_missing(self, window: Window) -> None:
        """Count what we know of this window and Goody did not list; too much of it is odd."""
        state, (after, before) = self._state, window.bounds
        since = _begun(self._tools, state)
        if not state.known_before or after is None:
            return
        missing = index.count_unread_within(after, before, since=since)
        self._missing[window.key] = missing
        judge_missing(sum(self._missing.values()), known=state.known_before)


def judge_missing(missing: int, *, known: int) -> None:
    """Raises Suspicious where too much of what we know is not listed any more."""
    if missing > known * _MISSING:
        _stop(f"{missing:,} of the {known:,} orders we know are not listed.")


def _finish(tools: Tools, state: SyncState) -> Iterator[float]:
    """What was not listed is asked for by itself, as far as that is a few orders."""
    since = _begun(tools, state)
    judge_missing(index.count_unread(since=since), known=state.known_before)
    yield from read_each(tools, index.unread(since=since, limit=_MOST_READ))
    tools.lease.write(
        finished_at=max(timezone.now(), since),
        suspicion="",
        is_suspicion_accepted=False,
        problem="",
        failing_since=None,
        retry_at=None,
    )
