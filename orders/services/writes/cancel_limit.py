"""Limits the cancels by one person in an hour, to bound the damage by a stolen session.

Cancels of jobs do not count: jobs have limits of their own.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User

from orders.audit import AccountEvent, Action, record_account_event
from orders.models import AuditEntry, Operation, State
from orders.rights import Actor

_PERIOD = timedelta(hours=1)
# Nothing was sent, or Goody refused.
_WITHOUT_EFFECT = (State.NOT_SENT, State.REFUSED)


class CancelLimitReached(Exception):
    """The person canceled too many gifts within an hour. Nothing was recorded or sent."""

    def __init__(self, limit: int, until: datetime) -> None:
        super().__init__(f"{limit} cancels an hour")
        self.limit = limit
        self.until = until


def cancels_left(actor: Actor, *, now: datetime) -> int:
    """Return the number of gifts that the actor may still cancel within the hour."""
    limit: int = settings.CANCELS_PER_HOUR
    return max(0, limit - len(_recent(actor, now)))


def cancel_limit_ends_at(actor: Actor, *, now: datetime) -> datetime:
    """Return when the actor may cancel again, if the limit is reached."""
    recent = _recent(actor, now)
    place = len(recent) - settings.CANCELS_PER_HOUR
    return recent[max(place, 0)] + _PERIOD if recent else now


def _recent(actor: Actor, now: datetime) -> list[datetime]:
    """Return the times of the actor's cancels in the last hour, earliest first."""
    found = Operation.objects.filter(
        actor_id=actor.user_id,
        action=Action.ORDER_CANCEL,
        job=None,
        created_at__gt=now - _PERIOD,
        created_at__lte=now + _PERIOD,
    ).exclude(state__in=_WITHOUT_EFFECT)
    return list(found.order_by("created_at").values_list("created_at", flat=True))


def check_cancel_limit(actor: Actor, *, now: datetime) -> None:
    """Raise CancelLimitReached if the actor has canceled too many gifts within the hour.

    It locks the actor's row, which serializes the intents of one person: call it in the transaction
    of the intent.
    """
    # On SQLite the transaction has the whole file.
    assert actor.user_id is not None
    User.objects.select_for_update(no_key=True).filter(pk=actor.user_id).first()
    if not cancels_left(actor, now=now):
        raise CancelLimitReached(settings.CANCELS_PER_HOUR, cancel_limit_ends_at(actor, now=now))


def record_cancel_limit_reached(
    actor: Actor, reached: CancelLimitReached, *, now: datetime
) -> None:
    """Record in the audit, at most once an hour, that the actor reached the limit."""
    event = AccountEvent.CANCEL_LIMIT
    of_actor = AuditEntry.objects.filter(action=event, actor_id=actor.user_id)
    if not of_actor.filter(at__gt=now - _PERIOD).exists():
        record_account_event(actor, event, detail=f"{reached.limit} cancels an hour", now=now)
