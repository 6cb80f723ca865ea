"""Findings: which orders a pasted text names. What it names is looked up in the index; ids that
are not there are asked of Goody, once and not many.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any
from uuid import UUID

from django.conf import settings

from goody.errors import GoodyError, Unavailable
from orders.audit import Actor
from orders.goody_api import CallsBlocked
from orders.models import Finding, Order, SyncState
from orders.search.deadline import SECONDS, Deadline, deadline
from orders.search.paste import Pasted
from orders.text import gift_digest

from .reading import OrderNotFound, refresh_order

MOST_NAMED = 1_000
MOST_ORDERS = 1_000
MOST_ASKED = 10
# So many values in one query.
_AT_ONCE = 500


class NoSuchFinding(Exception):
    """It is another person's, or was kept long enough, or never was: all the same to who asks."""


@dataclass(slots=True)
class _Found:
    """`is_index_whole`: what is not in the index is not there."""

    is_index_whole: bool
    orders: dict[UUID, None] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)

    def lacks(self, *names: str) -> None:
        """Neither in the index nor, as an order, at Goody: it may be of one not imported yet."""
        (self.missing if self.is_index_whole else self.unasked).extend(names)


def make_finding(*, actor: Actor, pasted: Pasted, now: datetime) -> Finding:
    """Look up everything that is named and keep what was found, for the actor alone.

    At most MOST_NAMED things are looked up and MOST_ORDERS orders kept; `was_cut` says if there
    were more. Goody is asked for at most MOST_ASKED ids, and no longer than for a page. Raises
    SearchTimeout where looking up takes longer than a search may.
    """
    assert actor.user_id is not None
    state = SyncState.objects.look()
    found = _Found(is_index_whole=state is not None and state.is_complete)
    kept = _first(pasted, MOST_NAMED)
    with deadline(SECONDS) as given:
        unknown = _look_up(kept, found, given)
    _ask_goody(unknown, found, now=now)
    return Finding.objects.create(
        owner_id=actor.user_id,
        order_ids=[str(one) for one in found.orders][:MOST_ORDERS],
        missing=found.missing,
        unasked=found.unasked,
        was_cut=kept.count < pasted.count or len(found.orders) > MOST_ORDERS,
        created_at=now,
    )


def finding_of(*, actor: Actor, finding_id: UUID, now: datetime) -> Finding:
    """The actor's own finding. Raises NoSuchFinding once its week is over, and for anybody else."""
    finding = Finding.objects.alive(now).filter(pk=finding_id, owner_id=actor.user_id).first()
    if finding is None:
        raise NoSuchFinding
    return finding


def sweep_findings(*, now: datetime) -> int:
    """Delete those whose week is over; how many there were."""
    expired = Finding.objects.expired(now)
    # Mostly there are none, and a look takes no lock.
    return expired.delete()[0] if expired.exists() else 0


def _first(pasted: Pasted, most: int) -> Pasted:
    """As many as `most` of all that is named."""
    kept: dict[str, Any] = {}
    for name in ("ids", "references", "emails", "gift_tokens"):
        kept[name] = getattr(pasted, name)[:most]
        most -= len(kept[name])
    return Pasted(**kept)


def _look_up(kept: Pasted, found: _Found, given: Deadline) -> list[UUID]:
    """Returned are ids that are neither an order's nor a batch's in the index."""
    strange = _take("uuid", kept.ids, found, given)
    unknown = _take("order_batch_id", strange, found, given)
    # A gift link's token looks like a reference where it stands alone.
    tokens = {gift_digest(one): one for one in _take("reference_id", kept.references, found, given)}
    links = {gift_digest(one): _hint(one) for one in kept.gift_tokens}
    for column, named in (
        ("gift_digest", tokens),
        ("email_key", {text: text for text in kept.emails}),
        ("gift_digest", links),
    ):
        # What stands in the column -> what people read where it does not.
        found.lacks(*(named[one] for one in _take(column, list(named), found, given)))
    return unknown


def _take[T](column: str, values: Sequence[T], found: _Found, given: Deadline) -> list[T]:
    """Note the orders with these values in the column; returned are the values without any."""
    seen: set[T] = set()
    for some in batched(values, _AT_ONCE):
        orders = Order.objects.filter(**{f"{column}__in": some})
        # Apart from the orders: a single batch may have more of them than are kept.
        seen.update(given.all(orders.order_by(column).values_list(column, flat=True).distinct()))
        newest = orders.order_by("-id").values_list("uuid", flat=True)
        found.orders.update(dict.fromkeys(given.all(newest[: MOST_ORDERS + 1])))
    return [value for value in values if value not in seen]


def _hint(token: str) -> str:
    """A gift link is as good as the gift: it is told by its end."""
    return f"gift link ending in {token[-4:]}"


def _ask_goody(ids: Sequence[UUID], found: _Found, *, now: datetime) -> None:
    """One after the other while Goody answers."""
    until = time.monotonic() + settings.GOODY_PAGE_DEADLINE
    waiting = list(ids)
    while waiting and len(ids) - len(waiting) < MOST_ASKED and time.monotonic() < until:
        try:
            found.orders[refresh_order(order_id=waiting[0], now=now).order.id] = None
        except OrderNotFound:
            found.lacks(str(waiting[0]))
        except (CallsBlocked, Unavailable):
            break
        except GoodyError:
            found.unasked.append(str(waiting[0]))
        del waiting[0]
    found.unasked += map(str, waiting)
