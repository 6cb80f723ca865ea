"""Following the activity feed: every minute what changed since the watermark.

The watermark is Goody's own time of the newest change up to which everything was read; it moves in
the transaction of the rows before it. Some minutes before it are looked at again each time, since
an activity may turn up late, and by their ids those are known that are no news.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from goody.errors import BadResponse, Rejected
from goody.types import Quarantined, RawActivity, RawActivityPage
from orders import services
from orders.index import Created, Row
from orders.models import CreatedFrom, SeenActivity, SyncState

from .asking import ask
from .fetching import Answered
from .lease import Lease
from .plans import InMemory, Window
from .sources import Ask, Page
from .walking import Tools, Walk
from .windows import SECOND, Bounds

log = logging.getLogger(__name__)

# How far before the full sync the feed is read where it had nothing at that time.
_DAY = timedelta(days=1)


class Feed:
    """Goody API: GET /v1/order_activities, all of them: each with its order as it is now.

    `newest` is the time of the newest change it has read.
    """

    work_out = None

    def __init__(self, newest: datetime) -> None:
        self.newest = newest

    def ask(self, bounds: Bounds, *, page: int, per_page: int) -> Ask:
        return lambda client, policy: client.list_activities(
            page=page,
            per_page=per_page,
            after=bounds.after,
            before=bounds.before,
            policy=policy,
        )

    def read(
        self,
        answer: RawActivityPage,
        bounds: Bounds,  # noqa: ARG002
        *,
        first: int,  # noqa: ARG002
        total: int | None,  # noqa: ARG002
    ) -> Page:
        self.newest = max([self.newest, *(one.created_at for one in answer.activities)])
        return _page_of(answer)


def _page_of(answer: RawActivityPage) -> Page:
    found = answer.activities
    return Page(
        ids=[one.id for one in found] + [one.id or one.raw for one in answer.quarantined],
        rows=[_row(one) for one in found],
        total=answer.total_count,
        beside=lambda: _note_seen(answer),
    )


def _row(activity: RawActivity) -> Row:
    if activity.order_status != "created":
        return Row(activity.order)
    return Row(activity.order, Created(activity.created_at, CreatedFrom.FEED))


def _note_seen(answer: RawActivityPage) -> None:
    seen = [SeenActivity(id=one.id, at=one.created_at) for one in answer.activities]
    SeenActivity.objects.bulk_create(seen, ignore_conflicts=True)
    odd = [Quarantined(reason=o.reason, id=o.order_id, raw=o.raw) for o in answer.quarantined]
    services.record_anomalies((), odd, now=timezone.now())


def note_missing(refusal: Rejected) -> None:
    """Goody refuses the feed: whatever it says, this account is taken to have none.

    Goody answers a lack of permission with 400 elsewhere, and may so here. It is logged since a 400
    may also be about something that we asked for.
    """
    log.warning("Goody refuses the activity feed, so orders are listed instead: %s", refusal.detail)


def follow_feed(tools: Tools, *, now: datetime) -> Iterator[float]:
    """Everything since the watermark. Raises LeaseLost, Doubt, or Goody's refusal of the feed."""
    state = SyncState.objects.current()
    assert state.started_at is not None
    watermark = state.watermark or state.started_at - _DAY
    after = watermark - timedelta(seconds=settings.SYNC_OVERLAP)
    try:
        answered = yield from ask(tools, _first_page(after))
    except BadResponse:
        # Too large for one answer; a walk has smaller pages.
        yield from _read_through(tools, watermark, Bounds(after, now + SECOND))
        return
    page = _page_of(answered.answer)
    newest = max([watermark, *(one.created_at for one in answered.answer.activities)])
    # A time that lies before us by our clock is not believed: changes until then would be missed.
    newest = min(newest, max(now, watermark))
    if _is_all(page) or _is_no_news(page, after):
        _take(tools, page, answered)
        if newest > watermark:
            tools.intake.then(lambda: _move(tools.lease, newest))
        tools.intake.flush()
        return
    # To the end of its second: Goody may keep fractions that it does not print.
    before = (newest if newest > watermark else now) + SECOND
    yield from _read_through(tools, watermark, Bounds(after, before))


def _read_through(tools: Tools, watermark: datetime, bounds: Bounds) -> Iterator[float]:
    feed = Feed(watermark)
    plan = _Plan(tools, bounds, feed)
    yield from Walk(tools, feed, plan, windows_at_once=1).steps()


def _first_page(after: datetime) -> Ask:
    return lambda client, policy: client.list_activities(
        per_page=settings.SYNC_PER_PAGE, after=after, policy=policy
    )


def _is_all(page: Page) -> bool:
    """One answer is one moment: nothing can have moved within it. After a full page one more may
    follow whatever Goody counts.
    """
    count = len(page.ids)
    return page.total == len(set(page.ids)) == count and count < int(settings.SYNC_PER_PAGE)


def _is_no_news(page: Page, after: datetime) -> bool:
    """As many as were seen before, and those on the page are among them."""
    seen = SeenActivity.objects.filter(at__gte=after)
    if page.total != seen.count():
        return False
    ids = [one for one in page.ids if isinstance(one, UUID)]
    return seen.filter(pk__in=ids).count() == len(page.ids)


def _take(tools: Tools, page: Page, answered: Answered) -> None:
    tools.intake.add(page.rows, read_at=answered.read_at)
    if page.beside is not None:
        tools.intake.then(page.beside)


def _move(lease: Lease, watermark: datetime) -> None:
    """Within the transaction of the rows before it."""
    overlap = timedelta(seconds=settings.SYNC_OVERLAP)
    SeenActivity.objects.filter(at__lt=watermark - overlap).delete()
    lease.write(watermark=watermark)


class _Plan(InMemory):
    """One catching up, the oldest window first: the watermark follows each.

    Not beyond what was seen: Goody's clock may be far behind ours.
    """

    def __init__(self, tools: Tools, bounds: Bounds, feed: Feed) -> None:
        super().__init__(bounds)
        self._tools = tools
        self._feed = feed
        self._watermark = feed.newest

    def done(self, window: Window, total: int) -> None:  # noqa: ARG002
        newest = min(window.bounds.before, self._feed.newest)
        if newest > self._watermark:
            _move(self._tools.lease, newest)
