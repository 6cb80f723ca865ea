"""Finds out by reads what became of a write whose answer was lost. Nothing is ever sent again.

A read may conclude from what it shows at once (canceled, accepted, the requested expiration). That
the write did not arrive is concluded only by the worker, from several reads (evidence.py). Closed
operations are read once more: after a proof to see whether it holds, after a failure to see
whether the write took effect after all.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db.models import Case, F, When
from django.utils import timezone

from goody.errors import GoodyError, NotFound
from goody.types import CANCELABLE
from goody.types import Order as GoodyOrder
from orders import goody_api, index
from orders.audit import Action, Actor, action
from orders.eligibility import facts
from orders.goody_api import CallsBlocked
from orders.models import LEASED_STATES, OPEN_STATES, FailureClass, Operation, State
from orders.services.heartbeat import is_worker_alive

from .evidence import Evidence
from .kinds import Conclusion, write_of
from .transitions import (
    close_by_read,
    facts_after_refusal,
    record_contradiction,
    record_effect,
    schedule_first_read,
    transition,
)

log = logging.getLogger(__name__)

# Operations that the worker reads before it looks for other due work.
_BATCH_SIZE = 20
# Closed although the write was sent and Goody did not confirm it: it may take effect later.
_WITHOUT_PROOF = (State.NOT_APPLIED, State.SUPERSEDED, State.REFUSED)
_CLOSED_AT_ONCE = {
    Conclusion.APPLIED: State.APPLIED,
    Conclusion.NOT_APPLIED: State.NOT_APPLIED,
}
_WITHOUT_EFFECT = (Conclusion.UNCHANGED, Conclusion.SUPERSEDED)


class NotSettleable(Exception):
    """The operation does not wait for a person, or not any more."""


def due_operations(*, now: datetime) -> list[UUID]:
    """Ids of at most 20 operations whose order is due for a read, unknown outcomes first."""
    is_closed = Case(When(state=State.UNKNOWN, then=0), default=1)
    due = Operation.objects.due_for_reading(now).order_by(is_closed, "due_at")
    return list(due.values_list("pk", flat=True)[:_BATCH_SIZE])


def abandon_expired(*, now: datetime, order_id: UUID | None = None) -> int:
    """Close planned operations whose lease has expired; those being sent become unknown."""
    abandoned = Operation.objects.lease_expired(now)
    if order_id is not None:
        abandoned = abandoned.filter(order_uuid=order_id)
    return sum(_is_abandoned(operation, now) for operation in abandoned)


def _is_abandoned(operation: Operation, now: datetime) -> bool:
    """A row that cannot be changed must not prevent the others from being abandoned."""
    try:
        _abandon(operation, now)
    except DatabaseFailure as error:
        log.warning("operation %s stays abandoned: %s", operation.pk, type(error).__name__)
        return False
    return True


def _abandon(operation: Operation, now: datetime) -> None:
    if operation.state == State.PLANNED:
        transition(
            operation,
            State.NOT_SENT,
            closed_at=now,
            failure_class=FailureClass.NOT_SENT,
            failure_kind="lease",
        )
    else:
        transition(
            operation,
            State.UNKNOWN,
            failure_class=FailureClass.AMBIGUOUS,
            failure_kind="lease",
            **schedule_first_read(now),
        )


def restart_schedule(*, now: datetime, clock_was_set: bool = False) -> None:
    """Schedule all pending reads from now on. For a worker that starts, or whose clock was set.

    Times that were stored by another clock mean nothing: no read, check or lease may lie further
    ahead than one that is scheduled now.
    """
    first = schedule_first_read(now)
    changes = first if clock_was_set else {"due_at": first["due_at"]}
    Operation.objects.filter(state=State.UNKNOWN).update(**changes)
    check = now + timedelta(seconds=settings.OPERATION_CHECK_AFTER)
    pending = Operation.objects.exclude(due_at=None)
    pending.exclude(state__in=(State.UNKNOWN, State.REFUSED)).update(due_at=check)
    pending.filter(state=State.REFUSED).update(due_at=first["due_at"])
    latest = now + timedelta(seconds=settings.OPERATION_LEASE)
    leased = Operation.objects.filter(state__in=LEASED_STATES, lease_until__gt=latest)
    leased.update(lease_until=latest)


def settle_operation(*, operation_id: UUID, now: datetime, evidence: Evidence) -> None:
    """Read the order of an operation that is due, and conclude what the read allows.

    Safe to call at any time and by several processes: a conditional UPDATE claims the read.
    `evidence` is that of the calling process.
    """
    operation = _claim_read(operation_id, now, evidence)
    if operation is None:
        return
    started = evidence.start_read(operation_id)
    order = _read(operation)
    if evidence.was_clock_set():
        # The read was due by another clock. The caller restarts the schedule.
        return
    if order is None:
        _give_up_if_late(operation, now, evidence)
    elif operation.state == State.APPLIED:
        _check(operation, order)
    else:
        reconcile(order, [operation])
        _mark_read(operation)
        _weigh(operation, order, evidence, started=started)
        _give_up_if_late(operation, now, evidence)


def _claim_read(operation_id: UUID, now: datetime, evidence: Evidence) -> Operation | None:
    due = Operation.objects.due_for_reading(now).filter(pk=operation_id)
    delay = _delay_after(evidence.reads_started(operation_id) + 1)
    if not due.update(due_at=now + timedelta(seconds=delay), reads=F("reads") + 1):
        return None
    return Operation.objects.get(pk=operation_id)


def _delay_after(reads: int) -> float:
    """Seconds from the read with that number (from 1) to the next one; the last delay repeats."""
    moments: Sequence[float] = settings.OPERATION_READS
    return moments[reads] - moments[reads - 1] if reads < len(moments) else moments[-1]


def _read(operation: Operation) -> GoodyOrder | None:
    """The order, stored in the index as well; None if it could not be read."""
    read_at = timezone.now()
    try:
        order = goody_api.ask(
            lambda client, left: client.get_order(operation.order_uuid, policy=left),
            policy=goody_api.worker_policy(),
        )
    except (CallsBlocked, GoodyError) as error:
        log.info("operation %s could not be checked: %s", operation.pk, type(error).__name__)
        if isinstance(error, NotFound):
            index.mark_missing(operation.order_uuid, read_at=read_at)
            _mark_read(operation)
        return None
    index.upsert([order], read_at=read_at)
    return order


def _mark_read(operation: Operation) -> None:
    """One answer is enough for a closed operation, unless another read was requested since."""
    requested = Operation.objects.filter(pk=operation.pk, due_at=operation.due_at)
    requested.exclude(state=State.UNKNOWN).update(due_at=None)


def _check(operation: Operation, order: GoodyOrder) -> None:
    """Compare an order with what an applied write left, some minutes after its proof."""
    is_kept = write_of(operation).is_kept_by(order)
    if is_kept is None:
        # The next read may be readable.
        return
    if not is_kept and not _has_later_write(operation):
        log.warning("operation %s was proven, but Goody shows the order otherwise", operation.pk)
        record_contradiction(operation, order, now=timezone.now())
    _mark_read(operation)


def _has_later_write(operation: Operation) -> bool:
    """Whether another write to the order was sent afterwards, which explains a difference."""
    later = Operation.objects.on([operation.order_uuid]).filter(sent_at__gt=operation.sent_at)
    return later.exclude(state=State.REFUSED).exists()


def _weigh(operation: Operation, order: GoodyOrder, evidence: Evidence, *, started: float) -> None:
    """Count a read that does not show the write; enough of them close the operation.

    Until then the POST may still arrive and the order takes no other write, also where somebody
    has set another expiration meanwhile.
    """
    operation.refresh_from_db()
    conclusion = write_of(operation).evaluate(order)
    if operation.state != State.UNKNOWN or conclusion not in _WITHOUT_EFFECT:
        return
    evidence.add_without_effect(operation.pk, at=started)
    if not evidence.is_sufficient(operation.pk):
        return
    if conclusion is Conclusion.SUPERSEDED:
        close_by_read(operation, State.SUPERSEDED, order, now=timezone.now())
    elif operation.failure_kind == "contradiction":
        transition(operation, State.NEEDS_HUMAN, due_at=None)
    else:
        close_by_read(operation, State.NOT_APPLIED, order, now=timezone.now())
    evidence.forget(operation.pk)


def _give_up_if_late(operation: Operation, now: datetime, evidence: Evidence) -> None:
    """After a day without a conclusion a person decides."""
    if operation.state != State.UNKNOWN:
        return
    assert operation.unknown_at is not None
    is_late = now - operation.unknown_at >= timedelta(seconds=settings.OPERATION_NEEDS_HUMAN_AFTER)
    # A new process does not know what its clock did before.
    if is_late and evidence.reads_started(operation.pk) >= settings.OPERATION_NOT_APPLIED_READS:
        transition(operation, State.NEEDS_HUMAN, due_at=None)


def operations_on(order_id: UUID, *, now: datetime) -> tuple[Operation, ...]:
    """All operations on an order, newest first, after abandoning those with an expired lease."""
    found = Operation.objects.history([order_id])
    if not any(one.is_lease_expired(now) for one in found):
        return found
    abandon_expired(now=now, order_id=order_id)
    return Operation.objects.history([order_id])


def find_operation(order_id: UUID, operation_id: UUID, *, now: datetime) -> Operation | None:
    """One operation on an order as it stands, after abandoning those with an expired lease."""
    return next((one for one in operations_on(order_id, now=now) if one.pk == operation_id), None)


def is_worker_missing(operation: Operation, *, now: datetime) -> bool:
    """Whether the outcome depends on reads of the worker, and no worker is running."""
    is_waiting = operation.state == State.UNKNOWN or (
        operation.state == State.REFUSED and operation.due_at is not None
    )
    return is_waiting and not is_worker_alive(now=now)


def reconcile(order: GoodyOrder, operations: Iterable[Operation]) -> None:
    """Apply a read of the order to operations that had been sent before its request started.

    Which had is known from their stored state, never from a comparison of clocks.
    """
    for operation in operations:
        if operation.sent_at is None:
            continue
        if operation.state == State.UNKNOWN:
            _reconcile_unknown(operation, order)
        elif operation.state in _WITHOUT_PROOF:
            _reconcile_closed(operation, order)


def _reconcile_unknown(operation: Operation, order: GoodyOrder) -> None:
    conclusion = write_of(operation).evaluate(order)
    state = _CLOSED_AT_ONCE.get(conclusion)
    if state is not None:
        close_by_read(operation, state, order, now=timezone.now())
    elif conclusion is Conclusion.SUPERSEDED:
        # For the page, which shows the other expiration meanwhile.
        current = Operation.objects.filter(pk=operation.pk, state=State.UNKNOWN)
        current.update(after=facts(order))


def _reconcile_closed(operation: Operation, order: GoodyOrder) -> None:
    if operation.state == State.REFUSED and operation.after is None:
        # The read that follows a refusal: outcomes.py words the refusal by what it shows.
        operation.after = facts_after_refusal(order)
        refused = Operation.objects.filter(pk=operation.pk, after__isnull=True)
        refused.update(after=operation.after, due_at=None)
    if operation.effect_seen_at is None and _shows_effect(operation, order):
        record_effect(operation, now=timezone.now())


def _shows_effect(operation: Operation, order: GoodyOrder) -> bool:
    is_applied = write_of(operation).evaluate(order) is Conclusion.APPLIED
    return is_applied and _may_take_effect(operation) and not _is_explained_otherwise(operation)


def _may_take_effect(operation: Operation) -> bool:
    """Goody changes no expiration of an order that was accepted or had ended."""
    status = (operation.after or {}).get("status")
    return operation.action == Action.ORDER_CANCEL or status is None or status in CANCELABLE


def _is_explained_otherwise(operation: Operation) -> bool:
    """Another operation of the same kind did it, or may be doing it."""
    others = Operation.objects.on([operation.order_uuid]).exclude(pk=operation.pk)
    alike = others.filter(action=operation.action, expiration=operation.expiration)
    sent = alike.exclude(sent_at=None)
    return sent.filter(state__in=[State.APPLIED, *OPEN_STATES]).exists()


def request_reads(orders: Iterable[GoodyOrder]) -> None:
    """Let the worker read those of the orders at once that may show what became of a write.

    For orders from lists, the feed and the sync: these have no event times, or their request may
    have started before the write was sent. A database failure is logged: the worker reads them by
    its own schedule too.
    """
    given = {order.id: order for order in orders}
    try:
        operations = Operation.objects.history(given)
        wanted = [one.pk for one in operations if _may_concern(given[one.order_uuid], one)]
        if wanted:
            Operation.objects.filter(pk__in=wanted).update(due_at=timezone.now())
    except DatabaseFailure as error:
        log.warning("reads of open operations could not be requested: %s", type(error).__name__)


def _may_concern(order: GoodyOrder, operation: Operation) -> bool:
    if operation.sent_at is None:
        return False
    conclusion = write_of(operation).evaluate(order)
    if operation.state == State.UNKNOWN:
        return conclusion is not Conclusion.UNCHANGED
    is_open_to_effect = operation.state in _WITHOUT_PROOF and operation.effect_seen_at is None
    return is_open_to_effect and conclusion in (Conclusion.APPLIED, Conclusion.UNCLEAR)


@action(Action.OPERATION_SETTLE)
def settle_by_hand(
    *, actor: Actor, operation_id: UUID, is_applied: bool, note: str, now: datetime
) -> Operation:
    """Record what a lead saw on Goody's own page. Raises NotAllowed, NotSettleable."""
    operation = Operation.objects.get(pk=operation_id)
    if operation.state != State.NEEDS_HUMAN:
        raise NotSettleable
    state = State.APPLIED if is_applied else State.NOT_APPLIED
    detail = f"{actor.name} looked at Goody's own page and recorded this."
    settled = transition(
        operation,
        state,
        actor=actor,
        note=note,
        closed_at=now,
        failure_kind="by_hand",
        detail=detail,
    )
    if (settled.state, settled.detail) != (state, detail):
        # Another lead was faster.
        raise NotSettleable
    return settled


def acknowledge(operation: Operation, *, actor: Actor) -> None:
    """The person who requested the write has opened its page: end the notice about it."""
    if operation.notice_at is not None and operation.actor_id == actor.user_id:
        Operation.objects.filter(pk=operation.pk).update(notice_at=None)
