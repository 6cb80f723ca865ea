"""Limits the orders that a person may change by bulk actions in 24 hours, by role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from orders.models import ItemState, Job, JobItem, Selection
from orders.rights import Actor

_PERIOD = timedelta(hours=24)
# Nothing was sent for these.
_UNUSED = (ItemState.SKIPPED, ItemState.NOT_RUN)

_VERBS = {Selection.Action.CANCEL: "cancel", Selection.Action.EXTEND: "extend"}


@dataclass(frozen=True, slots=True)
class BulkLimit:
    """The limit of a person's role, and the number of orders that count against it (`used`)."""

    action: Selection.Action
    limit: int
    used: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    def refusal(self, count: int) -> str:
        """Return why `count` further orders cannot be changed now; "" if they can."""
        if count <= self.remaining:
            return ""
        verb = _VERBS[self.action]
        if not self.remaining:
            return f"You can {verb} no more gifts now"
        more = "1 more gift" if self.remaining == 1 else f"{self.remaining:,} more gifts"
        return f"You can {verb} {more} now, not {count:,}"

    @property
    def sentence(self) -> str:
        return (
            f"Your role may {_VERBS[self.action]} {self.limit:,} gifts in 24 hours by bulk "
            f"actions; {self.used:,} of them are used."
        )


class BulkLimitReached(Exception):
    """The action would exceed the limit of the last 24 hours. Nothing was stored.

    `str()` is a sentence for the person.
    """


def check_bulk_limit(actor: Actor, action: Selection.Action, *, count: int, now: datetime) -> None:
    """Raise BulkLimitReached if fewer than `count` orders remain within the actor's limit.

    It locks the actor's row, which serializes the jobs of one person: call it in the transaction
    that stores the job.
    """
    # On SQLite the transaction has the whole file.
    assert actor.user_id is not None
    User.objects.select_for_update(no_key=True).filter(pk=actor.user_id).first()
    refusal = read_bulk_limit(actor, action, now=now).refusal(count)
    if refusal:
        raise BulkLimitReached(refusal)


def read_bulk_limit(actor: Actor, action: Selection.Action, *, now: datetime) -> BulkLimit:
    """Return the actor's limit, with the number of orders of the last 24 hours that count."""
    limits: dict[str, int] = {
        Selection.Action.CANCEL: settings.BULK_CANCELS_PER_DAY,
        Selection.Action.EXTEND: settings.BULK_EXTENSIONS_PER_DAY,
    }[action]
    since = now - _PERIOD
    # By their ends: a job may have waited for its approval, or have been paused, for a day.
    jobs = Job.objects.filter(Q(ended_at=None) | Q(ended_at__gt=since))
    jobs = jobs.filter(actor_id=actor.user_id, action=action)
    items = JobItem.objects.filter(Q(ended_at=None) | Q(ended_at__gt=since), job__in=jobs)
    used = items.exclude(state__in=_UNUSED).count()
    return BulkLimit(action, limits.get(str(actor.role), 0), used)
