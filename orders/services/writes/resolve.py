"""Determines by reads the outcome of a write whose answer was lost. Nothing is ever sent again.

reconcile.py applies a single read. Only the worker concludes that a write did not arrive, from
several reads (evidence.py). The orders of closed operations are read once more: after a proof to
check it, after a failure to check whether the write took effect after all.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db.models import Case, F, When
from django.utils import timezone

from goody.errors import GoodyError, NotFound
from goody.types import Order as GoodyOrder
from orders import goody_api
from orders.audit import Action, audited_action
from orders.goody_api import CallsBlocked, CallsPaused
from orders.models import (
    BY_HAND,
    LEASED_STATES,
    FailureClass,
    Operation,
    State,
)
from orders.rights import Actor
from orders.services.health import is_worker_alive

from .evidence import ReadEvidence
from .index_updates import mark_missing, upsert_or_log
from .kinds import ReadConclusion, has_later_write, write_kind_of
from .reconcile import reconcile_operations
from .transitions import (
    close_by_read,
    record_contradiction,
    schedule_first_read,
    transition_operation,
)

log = logging.getLogger(__name__)

# Operations that the worker reads before it looks for other due work.
_BATCH_SIZE = 20
_WITHOUT_EFFECT = (ReadConclusion.UNCHANGED, ReadConclusion.SUPERSEDED)


class NotSettleable(Exception):
    """The operation does not (or no longer) wait for a lead to settle it by hand."""


def operations_due_for_reading(*, now: datetime) -> list[UUID]:
    """Return the ids of at most 20 operations that are due for a read, unknown ones first."""
    is_closed = Case(When(state=State.UNKNOWN, then=0), default=1)
    due = Operation.objects.due_for_reading(now).order_by(is_closed, "due_at")
    return list(due.values_list("pk", flat=True)[:_BATCH_SIZE])


def abandon_expired_operations(*, now: datetime, order_id: UUID | None = None) -> int:
    """Close planned operations whose lease has expired; "sending" ones become unknown."""
    abandoned = Operation.objects.lease_expired(now)
    if order_id is not None:
        abandoned = abandoned.filter(order_uuid=order_id)
    return sum(_is_abandoned(operation, now) for operation in abandoned)


def _is_abandoned(operation: Operation, now: datetime) -> bool:
    """Abandon one operation; log a database failure and return False.

    A row that cannot be changed must not prevent the others from being abandoned.
    """
    try:
        _abandon(operation, now)
    except DatabaseFailure as error:
        log.warning("operation %s stays abandoned: %s", operation.pk, type(error).__name__)
        return False
    return True


def _abandon(operation: Operation, now: datetime) -> None:
    if operation.state == State.PLANNED:
        transition_operation(
            operation,
            State.NOT_SENT,
            closed_at=now,
            failure_class=FailureClass.NOT_SENT,
            failure_kind="lease",
        )
    else:
        transition_operation(
            operation,
            State.UNKNOWN,
            failure_class=FailureClass.AMBIGUOUS,
            failure_kind="lease",
            **schedule_first_read(now),
        )


def restart_read_schedule(*, now: datetime, clock_was_set: bool = False) -> None:
    """Reschedule all pending reads, when a worker starts or its clock was set.

    Times that were stored by another clock are meaningless: no read, check or lease may be further
    in the future than one that is scheduled now.
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


def end_effect_windows(*, evidence: ReadEvidence) -> None:
    """Let orders take other writes when an unconfirmed POST cannot take effect any more.

    The worker calls it in each turn. `evidence` is that of the calling process.
    """
    sent = Operation.objects.filter(may_take_effect=True)
    over = evidence.ended_effect_windows(sent.values_list("pk", flat=True))
    if over:
        Operation.objects.filter(pk__in=over).update(may_take_effect=False)


def settle_operation(*, operation_id: UUID, now: datetime, evidence: ReadEvidence) -> None:
    """Read the order of a due operation, and close the operation if the read decides it.

    Safe to call at any time and by several processes: a conditional UPDATE claims the read.
    `evidence` is that of the calling process.
    """
    operation = _claim_read(operation_id, now, evidence)
    if operation is None:
        return
    claimed = operation.due_at
    sent_before = _with_others(operation)
    started = evidence.start_read(operation_id, state=operation.state)
    order = _read(operation, evidence)
    if evidence.was_clock_set():
        # The read was due by another clock. The caller restarts the schedule.
        return
    if order is None:
        _give_up_if_late(operation, now, evidence)
    elif operation.state == State.APPLIED:
        reconcile_operations(order, sent_before)
        if _is_check_complete(operation, order, evidence, started=started):
            evidence.forget(operation.pk)
            _mark_read(operation, claimed)
    else:
        reconcile_operations(order, sent_before)
        _mark_read(operation, claimed)
        _count_read_without_effect(operation, order, evidence, started=started)
        _give_up_if_late(operation, now, evidence)


def _with_others(operation: Operation) -> list[Operation]:
    """Return the operation and all others on its order, which the same read concerns."""
    others = Operation.objects.history_of([operation.order_uuid])
    return [operation, *(one for one in others if one.pk != operation.pk)]


def _claim_read(operation_id: UUID, now: datetime, evidence: ReadEvidence) -> Operation | None:
    due = Operation.objects.due_for_reading(now).filter(pk=operation_id)
    delay = _delay_after(evidence.reads_started(operation_id) + 1)
    if not due.update(due_at=now + timedelta(seconds=delay), reads=F("reads") + 1):
        return None
    return Operation.objects.get(pk=operation_id)


def _delay_after(reads: int) -> float:
    """Return the seconds from read number `reads` (from 1) to the next; the last delay repeats."""
    moments: Sequence[float] = settings.OPERATION_READS
    return moments[reads] - moments[reads - 1] if reads < len(moments) else moments[-1]


def _read(operation: Operation, evidence: ReadEvidence) -> GoodyOrder | None:
    """Read the order and store it in the index; return None if it could not be read."""
    read_at = timezone.now()
    try:
        order = goody_api.call_goody(
            lambda client, left: client.get_order(operation.order_uuid, policy=left),
            policy=goody_api.worker_retry_policy(),
        )
    except CallsPaused as pause:
        _postpone(operation, pause.until, evidence)
        return None
    except (CallsBlocked, GoodyError) as error:
        log.info("operation %s could not be checked: %s", operation.pk, type(error).__name__)
        if isinstance(error, NotFound):
            mark_missing(operation.order_uuid, read_at=read_at)
            _mark_read(operation, operation.due_at)
        return None
    upsert_or_log([order], read_at=read_at)
    return order


def _postpone(operation: Operation, until: datetime, evidence: ReadEvidence) -> None:
    """Schedule the read for the time at which calls are possible again.

    Nothing was read, so the delay to the next read does not grow.
    """
    evidence.discard_read(operation.pk)
    claimed = Operation.objects.filter(pk=operation.pk, due_at=operation.due_at)
    claimed.update(due_at=until, reads=F("reads") - 1)


def _mark_read(operation: Operation, claimed: datetime | None) -> None:
    """Remove the next read of a closed operation from the schedule, since one was just made.

    `claimed` is the `due_at` that the claim of this read stored. If `due_at` has changed since,
    another read was requested and stays scheduled. An unknown outcome keeps its schedule.
    """
    requested = Operation.objects.filter(pk=operation.pk, due_at=claimed)
    requested.exclude(state=State.UNKNOWN).update(due_at=None)


def _is_check_complete(
    operation: Operation, order: GoodyOrder, evidence: ReadEvidence, *, started: float
) -> bool:
    """Compare the order with an applied write, and return whether no further read is required.

    This is the check some minutes after the proof. Goody may serve an older copy, so that a
    contradiction requires as many reads as the outcome "not applied".
    """
    is_kept = write_kind_of(operation).is_still_shown_by(order)
    if is_kept is None:
        # The next read may be readable.
        return False
    if is_kept or operation.contradicted_at is not None or has_later_write(operation):
        return True
    evidence.add_without_effect(operation.pk, at=started)
    if not evidence.is_sufficient(operation.pk):
        return False
    log.warning("operation %s was proven, but Goody shows the order otherwise", operation.pk)
    record_contradiction(operation, order, now=timezone.now())
    return True


def _count_read_without_effect(
    operation: Operation, order: GoodyOrder, evidence: ReadEvidence, *, started: float
) -> None:
    """Count a read that does not show the write; enough of them close the operation.

    Until then the POST may still arrive and the order takes no other write, also where somebody
    has set another expiration meanwhile.
    """
    operation.refresh_from_db()
    conclusion = write_kind_of(operation).conclude_from_read(order)
    if operation.state != State.UNKNOWN or conclusion not in _WITHOUT_EFFECT:
        return
    evidence.add_without_effect(operation.pk, at=started)
    if not evidence.is_sufficient(operation.pk):
        return
    if conclusion is ReadConclusion.SUPERSEDED:
        close_by_read(operation, State.SUPERSEDED, order, now=timezone.now(), may_take_effect=False)
    elif operation.failure_kind == "contradiction":
        transition_operation(operation, State.NEEDS_HUMAN, due_at=None)
    else:
        close_by_read(
            operation, State.NOT_APPLIED, order, now=timezone.now(), may_take_effect=False
        )
    evidence.forget(operation.pk)


def _give_up_if_late(operation: Operation, now: datetime, evidence: ReadEvidence) -> None:
    """Change the state to `needs_human` after a day without a conclusion.

    The clock may have been set since the outcome became unknown: this process must itself have
    read for as long as the POST may take effect.
    """
    if operation.state != State.UNKNOWN:
        return
    assert operation.unknown_at is not None
    is_late = now - operation.unknown_at >= timedelta(seconds=settings.OPERATION_NEEDS_HUMAN_AFTER)
    if is_late and evidence.has_read_long_enough(operation.pk):
        transition_operation(operation, State.NEEDS_HUMAN, due_at=None)


def operations_on(order_id: UUID, *, now: datetime) -> tuple[Operation, ...]:
    """Return all operations on an order, newest first.

    Those with an expired lease are abandoned before.
    """
    found = Operation.objects.history_of([order_id])
    if not any(one.is_lease_expired(now) for one in found):
        return found
    abandon_expired_operations(now=now, order_id=order_id)
    return Operation.objects.history_of([order_id])


def is_worker_missing(operation: Operation, *, now: datetime) -> bool:
    """Whether the outcome or the end of its effect depends on a worker, and none is running."""
    is_waiting = (
        operation.state == State.UNKNOWN
        or operation.awaits_read_after_refusal
        or operation.blocks_order
    )
    return is_waiting and not is_worker_alive(now=now)


@audited_action(Action.OPERATION_SETTLE)
def settle_by_hand(
    *, actor: Actor, operation_id: UUID, is_applied: bool, note: str, now: datetime
) -> Operation:
    """Record the outcome that a lead saw on Goody's own page. Raises NotAllowed, NotSettleable.

    The record is no proof: the order is read at once, and any read may contradict it.
    """
    operation = Operation.objects.get(pk=operation_id)
    if operation.state != State.NEEDS_HUMAN:
        raise NotSettleable
    state = State.APPLIED if is_applied else State.NOT_APPLIED
    detail = f"{actor.name} looked at Goody's own page and recorded this."
    settled = transition_operation(
        operation,
        state,
        actor=actor,
        note=note,
        closed_at=now,
        due_at=schedule_first_read(now)["due_at"],
        failure_kind=BY_HAND,
        detail=detail,
    )
    if (settled.state, settled.detail) != (state, detail):
        # Another lead was faster.
        raise NotSettleable
    return settled


def acknowledge_notice(operation: Operation, *, actor: Actor) -> None:
    """End the notice about an operation, because its requester has opened its page."""
    if operation.notice_at is not None and operation.actor_id == actor.user_id:
        Operation.objects.filter(pk=operation.pk).update(notice_at=None)
