"""Every minute: what changed since the last time, and what no feed tells.

Without the feed the newest orders are listed again instead. Some orders are read one by one in
turn, since the feed knows no expirations, thank-you notes, accepts or notifications.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from goody.errors import Rejected
from orders import index
from orders.models import SyncState

from .feed import follow_feed, note_missing
from .plans import InMemory
from .rereading import read_each
from .sources import Orders
from .walking import Tools, Walk
from .windows import Bounds

# Goody's clock may be behind ours, and creation times may be estimates.
_MARGIN = timedelta(days=1)


def bring_up_to_date(tools: Tools) -> Iterator[float]:
    """One round. Raises LeaseLost, Doubt, or a refusal of Goody's."""
    now = timezone.now()
    tools.lease.write(tried_at=now)
    if SyncState.objects.current().is_feed_missing:
        yield from _list_newest(tools, now)
    else:
        yield from _follow_or_list(tools, now)
    tools.lease.write(synced_at=now, problem="", failing_since=None, retry_at=None)


def _follow_or_list(tools: Tools, now: datetime) -> Iterator[float]:
    try:
        yield from follow_feed(tools, now=now)
    except Rejected as refusal:
        note_missing(refusal)
        tools.lease.write(is_feed_missing=True)
        yield from _list_newest(tools, now)


def _list_newest(tools: Tools, now: datetime) -> Iterator[float]:
    """The newest windows by creation, instead of the feed; what is older comes at night."""
    after = index.instant_of_newest(settings.SYNC_WINDOW)
    bounds = Bounds(after - _MARGIN if after else None, now.replace(microsecond=0))
    yield from Walk(tools, Orders(), InMemory(bounds)).steps()


def read_in_turn(tools: Tools) -> Iterator[float]:
    """Some of the orders of which the feed does not tell what happens to them next."""
    now = timezone.now()
    tools.lease.write(reread_at=now)
    share = settings.SYNC_INTERVAL / 60
    limit = max(0, round(settings.SYNC_REREADS_PER_MINUTE * share))
    yield from read_each(tools, index.least_recently_read(now=now, limit=limit))
