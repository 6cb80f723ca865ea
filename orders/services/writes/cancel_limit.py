"""Limits the cancels by one person in an hour, to bound the damage by a stolen session.

Cancels of jobs do not count: jobs have limits of their own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

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


class CancelAllowance(NamedTuple):
    """How many gifts a person may still cancel within the hour, and if none, until when."""

    left: int
    blocked_until: datetime | None = None


def cancel_allowance(actor: Actor, *, now: datetime) -> CancelAllowance:
    """Return the allowance after the actor's cancels of the last hour."""
    limit: int = settings.CANCELS_PER_HOUR
    found = Operation.objects.filter(
        actor_id=actor.user_id,
        action=Action.ORDER_CANCEL,
        job=None,
        created_at__gt=now - _PERIOD,
        created_at__lte=now + _PERIOD,
    ).exclude(state__in=_WITHOUT_EFFECT)
    times = list(found.order_by("created_at").values_list("created_at", flat=True))
    if len(times) < limit:
        return CancelAllowance(limit - len(times))
    # The next one is possible when only `limit - 1` of them are less than an hour old.
    return CancelAllowance(0, (times[len(times) - limit] if limit else now) + _PERIOD)


def check_cancel_limit(actor: Actor, *, now: datetime) -> None:
    """Raise CancelLimitReached if the actor has canceled too many gifts within the hour.

    It locks the actor's row, which serializes the intents of one person: call it in the transaction
    of the intent.
    """
    # On SQLite the transaction has the whole file.
    assert actor.user_id is not None
    User.objects.select_for_update(no_key=True).filter(pk=actor.user_id).first()
    blocked_until = cancel_allowance(actor, now=now).blocked_until
    if blocked_until is not None:
        raise CancelLimitReached(settings.CANCELS_PER_HOUR, blocked_until)


def record_cancel_limit_reached(
    actor: Actor, reached: CancelLimitReached, *, now: datetime
) -> None:
    """Record in the audit, at most once an hour, that the actor reached the limit."""
    event = AccountEvent.CANCEL_LIMIT
    of_actor = AuditEntry.objects.filter(action=event, actor_id=actor.user_id)
    if not of_actor.filter(at__gt=now - _PERIOD).exists():
        record_account_event(actor, event, detail=f"{reached.limit} cancels an hour", now=now)
