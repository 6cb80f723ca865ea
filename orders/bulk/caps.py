"""How many orders a person may change by bulk actions in 24 hours, by role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User

from orders.models import ItemState, JobItem, Selection
from orders.rights import Actor

_PERIOD = timedelta(hours=24)
# Nothing was sent for these.
_UNUSED = (ItemState.SKIPPED, ItemState.NOT_RUN)

_VERBS = {Selection.Action.CANCEL: "cancel", Selection.Action.EXTEND: "extend"}


@dataclass(frozen=True, slots=True)
class BulkCap:
    """The limit of a person's role, and how many orders count against it."""

    action: Selection.Action
    limit: int
    used: int

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)

    def refusal(self, count: int) -> str:
        """Return why so many orders cannot be changed now; "" if they can."""
        if count <= self.left:
            return ""
        return f"You can {_VERBS[self.action]} {self.left:,} more gifts now, and not {count:,}"

    @property
    def sentence(self) -> str:
        return (
            f"Your role may {_VERBS[self.action]} {self.limit:,} gifts in 24 hours by bulk "
            f"actions; {self.used:,} of them are used."
        )


class CapReached(Exception):
    """The person may not change so many orders by bulk actions today. Nothing was stored.

    `str()` is the refusal in words.
    """


def check_cap(actor: Actor, action: Selection.Action, *, count: int, now: datetime) -> None:
    """Raise CapReached if the limit leaves fewer than `count` orders.

    Call it in the transaction that stores them: its lock serializes the jobs of one person.
    """
    # On SQLite the transaction has the whole file.
    assert actor.user_id is not None
    User.objects.select_for_update(no_key=True).filter(pk=actor.user_id).first()
    refusal = read_cap(actor, action, now=now).refusal(count)
    if refusal:
        raise CapReached(refusal)


def read_cap(actor: Actor, action: Selection.Action, *, now: datetime) -> BulkCap:
    """Return the actor's limit, and how many orders of the last 24 hours count against it."""
    limits: dict[str, int] = {
        Selection.Action.CANCEL: settings.BULK_CANCELS_PER_DAY,
        Selection.Action.EXTEND: settings.BULK_EXTENSIONS_PER_DAY,
    }[action]
    items = JobItem.objects.filter(
        job__actor_id=actor.user_id, job__action=action, job__created_at__gt=now - _PERIOD
    )
    used = items.exclude(state__in=_UNUSED).count()
    return BulkCap(action, limits.get(str(actor.role), 0), used)
