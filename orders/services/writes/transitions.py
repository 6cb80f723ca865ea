"""State transitions of operations, each stored together with its audit row.

A transaction is retried where that is safe, never around a call to Goody. The functions that end
an attempt choose the state from the error alone; send.py judges an answer of 200.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import InterfaceError, OperationalError, connection
from django.db import transaction as database_transaction
from django.utils import timezone

from goody.errors import GoodyError, NotFound, RateLimited, Rejected, ResponseExcerpt, Unauthorized
from goody.types import Order as GoodyOrder
from orders import goody_api
from orders.audit import record_observation, record_outcome
from orders.eligibility import Eligibility, order_snapshot
from orders.goody_api import CallsBlocked, CallsPaused, KeyRejected, NotConfigured
from orders.models import FailureClass, Operation, State
from orders.rights import Actor

from .job_items import store_item_outcome

_TRIES = 3
# States that Goody's own late answer overrules.
_OPEN_TO_PROOF = (State.UNKNOWN, State.NEEDS_HUMAN, State.NOT_APPLIED, State.SUPERSEDED)
# serialization_failure, deadlock_detected
_SAFE_TO_REPEAT = {"40001", "40P01"}


def transition_operation(
    operation: Operation, to: State, *, actor: Actor | None = None, note: str = "", **changes: Any
) -> Operation:
    """Make a transition and write its audit row; return the operation as it is afterwards.

    `actor` and `note` are those of a lead who settles by hand. If another process changed the
    state meanwhile (the lease had expired, another read was faster), Goody's own confirmation
    still counts and everything else is dropped.
    """
    was_sent = operation.state != State.PLANNED
    moved = (store_with_retries if was_sent else store_in_transaction)(
        lambda: _store(operation, to, actor=actor, note=note, changes=changes)
    )
    if moved is not None:
        operation.update_fields_from(moved)
        return operation
    operation.refresh_from_db()
    if changes.get("confirmed_at") and operation.state in _OPEN_TO_PROOF:
        return transition_operation(operation, to, **changes)
    return operation


def _store(
    operation: Operation, to: State, *, actor: Actor | None, note: str, changes: dict[str, Any]
) -> Operation | None:
    moved = Operation.objects.transition(operation, to, **changes)
    if moved is not None:
        now = timezone.now()
        record_outcome(moved, now=now, actor=actor, note=note)
        store_item_outcome(moved, now=now)
    return moved


def confirm_operation(operation: Operation, answer: GoodyOrder, *, now: datetime) -> Operation:
    """Close the operation as applied, because Goody's own answer proves the write.

    The order is read once more some minutes later. Returns the operation as stored.
    """
    confirmed = transition_operation(
        operation,
        State.APPLIED,
        closed_at=now,
        confirmed_at=now,
        may_take_effect=False,
        due_at=time_of_next_check(now),
        after=order_snapshot(answer),
        detail="",
    )
    if confirmed.state == State.APPLIED and confirmed.confirmed_at is None:
        # A read was faster, and could not tell who had done it.
        _observe(confirmed, "confirmed", confirmed_at=now)
    return confirmed


def close_by_read(
    operation: Operation, state: State, order: GoodyOrder, *, now: datetime, **changes: Any
) -> Operation:
    """Close the operation with the outcome that one or more reads show."""
    return transition_operation(
        operation,
        state,
        closed_at=now,
        effect_seen_at=now if state == State.APPLIED else None,
        due_at=time_of_next_check(now),
        after=order_snapshot(order),
        **changes,
    )


def time_of_next_check(now: datetime) -> datetime:
    """Return the time of the read that checks an outcome after it became known."""
    return now + timedelta(seconds=settings.OPERATION_CHECK_AFTER)


def record_effect(operation: Operation, *, now: datetime) -> None:
    """Record that a read shows the requested change after the operation closed without effect.

    The state stays the same, because the change may have been made by somebody else.
    """
    _observe(operation, "effect_seen", effect_seen_at=now, notice_at=now)


def confirm_settlement(operation: Operation, *, now: datetime) -> None:
    """Store that a read confirms the outcome that a lead recorded, and schedule another read."""
    _observe(operation, "effect_seen", effect_seen_at=now, due_at=time_of_next_check(now))


def record_contradiction(operation: Operation, order: GoodyOrder, *, now: datetime) -> None:
    """Store that reads show another state of the order than the write or the record."""
    _observe(
        operation,
        "contradicted",
        contradicted_at=now,
        contradiction=order_snapshot(order),
        notice_at=now,
        due_at=None,
    )


def withdraw_contradiction(operation: Operation, *, now: datetime) -> None:
    """Remove the contradiction, because a later read shows the write again.

    The contradicting reads showed an older copy.
    """
    seen_at = now if operation.is_recorded_by_hand_only else operation.effect_seen_at
    changes = {"contradicted_at": None, "contradiction": None, "effect_seen_at": seen_at}
    contradicted = Operation.objects.filter(
        pk=operation.pk, state=operation.state, contradicted_at=operation.contradicted_at
    )

    def store_withdrawal() -> None:
        if contradicted.update(**changes, notice_at=now):
            operation.refresh_from_db()
            record_observation(operation, outcome="effect_seen", now=now)

    store_with_retries(store_withdrawal)


def _observe(operation: Operation, outcome: str, **changes: Any) -> None:
    """Set columns and write an audit row, without a change of the state."""
    first = next(iter(changes))
    current = Operation.objects.filter(pk=operation.pk, state=operation.state, **{first: None})

    def store_observation() -> None:
        if current.update(**changes):
            for name, value in changes.items():
                setattr(operation, name, value)
            record_observation(operation, outcome=outcome, now=changes[first])

    store_with_retries(store_observation)


def store_in_transaction[T](store: Callable[[], T]) -> T:
    """Run `store` in one transaction; repeat it after a deadlock or serialization failure.

    A lock timeout (3 s on both databases) is not repeated.
    """
    return _repeat(store, lambda error: _sqlstate(error) in _SAFE_TO_REPEAT)


def store_with_retries[T](store: Callable[[], T]) -> T:
    """Store as `store_in_transaction`, and repeat it also after a lost connection.

    Goody has answered already, so the outcome must not be lost.
    """

    def is_worth_retrying(error: DatabaseFailure) -> bool:
        return isinstance(error, OperationalError | InterfaceError)

    return _repeat(store, is_worth_retrying)


def _repeat[T](store: Callable[[], T], is_worth_retrying: Callable[[DatabaseFailure], bool]) -> T:
    attempt = 0
    while True:
        attempt += 1
        try:
            with database_transaction.atomic():
                return store()
        except DatabaseFailure as error:
            if attempt == _TRIES or not is_worth_retrying(error):
                raise
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            time.sleep(0.05 * attempt)


def _sqlstate(error: DatabaseFailure) -> str:
    return getattr(error.__cause__, "sqlstate", "") or ""


def schedule_first_read(now: datetime) -> dict[str, Any]:
    """Return the column values that make an operation due for its first read."""
    first = settings.OPERATION_READS[0]
    return {"unknown_at": now, "due_at": now + timedelta(seconds=first)}


def refusal_for_rejection(error: Rejected) -> Eligibility:
    """Return the reason for which Goody rejected a write, as stored with its operation."""
    if isinstance(error, RateLimited):
        until = timezone.now() + goody_api.rate_limit_wait(error)
        return Eligibility(False, "rate_limited", until.isoformat())
    if isinstance(error, Unauthorized):
        return Eligibility(False, "key_rejected", "")
    if isinstance(error, NotFound):
        return Eligibility(False, "not_found", "")
    code = "forbidden" if error.status == HTTPStatus.FORBIDDEN else "rejected"
    return Eligibility(False, code, error.message)


def close_unsent(operation: Operation, error: CallsBlocked | GoodyError) -> Operation:
    """Close an operation of which no byte was sent, with the reason in `error`."""
    if isinstance(error, Rejected):
        return refuse_operation(operation, refusal_for_rejection(error), None)
    if isinstance(error, KeyRejected):
        return refuse_operation(operation, Eligibility(False, "key_rejected", ""), None)
    if isinstance(error, CallsPaused):
        return refuse_operation(
            operation, Eligibility(False, "rate_limited", error.until.isoformat()), None
        )
    if isinstance(error, NotConfigured):
        return close_not_sent(operation, "not_configured", "")
    assert isinstance(error, GoodyError)
    return close_not_sent(operation, error.kind, str(error))


def refuse_operation(
    operation: Operation, refusal: Eligibility, fresh: GoodyOrder | None
) -> Operation:
    """Close an operation as refused; after a refused POST its order is due for a read."""
    now = timezone.now()
    was_sent = operation.sent_at is not None
    return transition_operation(
        operation,
        State.REFUSED,
        closed_at=now,
        failure_class=FailureClass.REFUSED,
        failure_kind=refusal.code,
        detail=refusal.sentence,
        after=None if fresh is None else snapshot_after_refusal(fresh),
        due_at=schedule_first_read(now)["due_at"] if was_sent else None,
    )


def snapshot_after_refusal(order: GoodyOrder) -> dict[str, Any]:
    """Return the snapshot of an order, extended by the time of acceptance (ISO 8601 or None)."""
    accepted_at = order.event_times.accepted_at if order.event_times else None
    return {
        **order_snapshot(order),
        "accepted_at": accepted_at.isoformat() if accepted_at else None,
    }


def close_not_sent(operation: Operation, kind: str, detail: str, **changes: Any) -> Operation:
    return transition_operation(
        operation,
        State.NOT_SENT,
        closed_at=timezone.now(),
        failure_class=FailureClass.NOT_SENT,
        failure_kind=kind,
        detail=detail,
        # It may have been claimed already, directly before the first byte.
        sent_at=None,
        may_take_effect=False,
        **changes,
    )


def release_form(operation: Operation) -> Operation:
    """Close an operation that could not be claimed for sending; its form may be used again."""
    return close_not_sent(operation, "not_recorded", "", form_key=uuid4())


def mark_outcome_unknown(
    operation: Operation, kind: str, detail: str, evidence: ResponseExcerpt | None = None
) -> Operation:
    now = timezone.now()
    return transition_operation(
        operation,
        State.UNKNOWN,
        failure_class=FailureClass.AMBIGUOUS,
        failure_kind=kind,
        detail=detail,
        evidence=asdict(evidence) if evidence else None,
        **schedule_first_read(now),
    )
