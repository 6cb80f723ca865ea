"""Updates the item of a job in the transactions that change its operation.

The outcome is therefore stored only once, and is not lost when a worker dies.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db.models import F

from orders.models import (
    RUNNABLE_JOB_STATES,
    FailureClass,
    ItemClaim,
    ItemState,
    Job,
    JobItem,
    Operation,
    State,
)

# Attempts of one item after which the reason counts as permanent.
MAX_ATTEMPTS = 5
# Beyond this exponent all waits are the longest one.
_MAX_DOUBLINGS = 20
# Reasons outside the order: the whole job waits for their end, however long.
_NOT_OF_THE_ORDER = frozenset(
    {"rate_limited", "key_rejected", "not_configured", "dns", "connect", "tls", "breaker"}
)
# Goody refused, although nothing was wrong with the order as far as it was read.
_REFUSED_BY_GOODY = frozenset({"rejected", "forbidden", "not_found"})


class ClaimLost(Exception):
    """Another worker has taken the item over, or the job has ended. Nothing was sent."""


def link_item(claim: ItemClaim, operation: Operation) -> None:
    """Store the operation of a claimed item. Raises ClaimLost.

    Call it in the transaction of the intent: a worker that was suspended past the end of its lease
    records no intent, and so sends nothing.
    """
    if not JobItem.objects.link_operation(claim, operation):
        raise ClaimLost


def store_item_outcome(operation: Operation, *, now: datetime) -> None:
    """Store the outcome of an operation in its item.

    Call it in the transaction of the transition.
    """
    if operation.job_id is None:
        return
    before, changes = _states_before(operation), _outcome(operation)
    if changes is not None:
        changes = {"ended_at": now, "due_at": None, **changes}
        JobItem.objects.store_outcome(operation, changes, among=before)
    elif item := JobItem.objects.filter(operation=operation, state__in=before).first():
        _store_next_attempt(item, operation, now=now)


def _states_before(operation: Operation) -> list[ItemState]:
    """Return the item states that an outcome may replace. A late proof also replaces "failed"."""
    states = [ItemState.RUNNING, ItemState.UNKNOWN]
    return [*states, ItemState.FAILED] if operation.state == State.APPLIED else states


def _outcome(operation: Operation) -> dict[str, Any] | None:
    """Return the item's columns, or None if the item is to be tried again."""
    if operation.state == State.APPLIED:
        return {"state": ItemState.DONE, "reason": "", "detail": ""}
    kind, detail = operation.failure_kind, operation.detail
    if operation.state == State.REFUSED:
        if kind == "rate_limited" or (kind == "key_rejected" and operation.sent_at is None):
            return None
        was_asked = operation.sent_at is not None or kind in _REFUSED_BY_GOODY
        state = ItemState.FAILED if was_asked else ItemState.SKIPPED
        return {"state": state, "reason": kind, "detail": detail}
    if operation.state == State.NOT_SENT:
        return None
    is_unknown = operation.is_open
    state = ItemState.UNKNOWN if is_unknown else ItemState.FAILED
    return {"state": state, "reason": operation.state, "detail": detail}


def _store_next_attempt(item: JobItem, operation: Operation, *, now: datetime) -> None:
    current = JobItem.objects.filter(pk=item.pk, operation=operation, state=item.state)
    changes = _next_attempt(item, operation, now=now)
    current.update(**{"ended_at": now, "due_at": None, **changes})


def _next_attempt(item: JobItem, operation: Operation, *, now: datetime) -> dict[str, Any]:
    """Return the columns of an item whose request Goody has certainly not carried out.

    It is tried again with a new form key, so that the former operation cannot be sent.
    """
    kind = operation.failure_kind
    why = {"reason": kind, "detail": _sentence(operation)}
    if item.attempts >= MAX_ATTEMPTS and kind not in _NOT_OF_THE_ORDER:
        return {"state": ItemState.FAILED, **why}
    # The UPDATE locks the job, so that a stop at the same time sees the item.
    running = Job.objects.filter(pk=item.job_id, state__in=RUNNABLE_JOB_STATES)
    if not running.update(version=F("version")):
        return {"state": ItemState.NOT_RUN, "reason": "", "detail": ""}
    due_at = time_of_next_attempt(item.attempts, now=now)
    if kind == "rate_limited":
        due_at = max(due_at, datetime.fromisoformat(operation.detail))
    return {
        "state": ItemState.WAITING,
        "due_at": due_at,
        "ended_at": None,
        "form_key": uuid4(),
        **why,
    }


def time_of_next_attempt(attempts: int, *, now: datetime) -> datetime:
    """Return the time of the next attempt of an item, by exponential backoff."""
    doublings = min(max(attempts - 1, 0), _MAX_DOUBLINGS)
    wait = min(settings.BULK_RETRY_WAIT * 2.0**doublings, settings.GOODY_LONGEST_WAIT)
    return now + timedelta(seconds=wait)


def _sentence(operation: Operation) -> str:
    if operation.failure_kind == "rate_limited":
        return "Goody asked us to wait."
    if operation.failure_class == FailureClass.NOT_SENT and operation.failure_kind == "lease":
        return "The attempt was interrupted before anything left."
    return operation.detail
