"""Finding out what became of a write whose answer was lost: by reading the order, never by
sending again (one exception: an extension, see `_send_extension_again`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db.models import F
from django.utils import timezone

from goody.errors import GoodyError, NotFound
from goody.types import CANCELABLE, ENDED
from goody.types import Order as GoodyOrder
from orders import goody_api, index
from orders.audit import Action, Actor, action, record_resend
from orders.eligibility import facts
from orders.goody_api import CallsBlocked
from orders.models import LEASED_STATES, OPEN_STATES, FailureClass, Operation, State

from .kinds import Conclusion, write_of
from .transitions import record, schedule_first_read, transition

log = logging.getLogger(__name__)

# So many reads until the worker looks around again.
_AT_ONCE = 20
_CORRECTABLE = (State.NOT_APPLIED, State.SUPERSEDED)
# For news of their order.
_WAITING = (State.UNKNOWN, *_CORRECTABLE)
_CLOSED_BY = {
    Conclusion.APPLIED: State.APPLIED,
    Conclusion.NOT_APPLIED: State.NOT_APPLIED,
    Conclusion.SUPERSEDED: State.SUPERSEDED,
}


class NotSettleable(Exception):
    """The operation does not wait for a person (any more)."""


class _NotAgain(Exception):
    """The extension was sent again or settled meanwhile, or the read before it is too old."""


def due_operations(*, now: datetime) -> list[UUID]:
    """Ids of a few operations whose next read is due, the longest overdue first."""
    due = Operation.objects.due_for_reading(now).order_by("due_at")
    return list(due.values_list("pk", flat=True)[:_AT_ONCE])


def abandon_expired(*, now: datetime, order_id: UUID | None = None) -> int:
    """Take back what was left lying: a planned write was never sent, a sending one is unknown."""
    abandoned = Operation.objects.lease_expired(now)
    if order_id is not None:
        abandoned = abandoned.filter(order_uuid=order_id)
    return sum(_is_abandoned(operation, now) for operation in abandoned)


def _is_abandoned(operation: Operation, now: datetime) -> bool:
    """One row that cannot be moved must not keep the others lying."""
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


def restart_evidence(*, now: datetime) -> None:
    """The clock was set: what the spread of earlier reads seemed to prove, it does not prove.

    Every unknown outcome starts on its timetable anew, and no lease lies further ahead than one
    that is given now.
    """
    unknown = Operation.objects.filter(state=State.UNKNOWN)
    anew = schedule_first_read(now)
    unknown.update(first_unchanged_at=None, unchanged_reads=0, **anew)
    latest = now + timedelta(seconds=settings.OPERATION_LEASE)
    leased = Operation.objects.filter(state__in=LEASED_STATES, lease_until__gt=latest)
    leased.update(lease_until=latest)


def settle_operation(*, operation_id: UUID, now: datetime) -> None:
    """Read the order of an operation whose read is due once, and conclude what the read allows.

    Safe to call at any time and by many at once: a conditional UPDATE claims the read.
    """
    operation = _claim_read(operation_id, now)
    if operation is None:
        return
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
            _was_looked_at(operation)
        _give_up_if_late(operation, now)
        return
    index.upsert([order], read_at=read_at)
    reconcile(order, read_at=read_at)
    _was_looked_at(operation)
    operation.refresh_from_db()
    if operation.state == State.UNKNOWN and not _was_sent_since(operation, read_at):
        _count_open_read(operation, order, now=read_at)
    _give_up_if_late(operation, now)


def _was_looked_at(operation: Operation) -> None:
    """Of what was given up one answer is enough, unless a list asked for another one since."""
    asked = Operation.objects.filter(pk=operation.pk, due_at=operation.due_at)
    asked.filter(state=State.NOT_APPLIED).update(due_at=None)


def _was_sent_since(operation: Operation, read_at: datetime) -> bool:
    return operation.last_sent_at is not None and operation.last_sent_at >= read_at


def _claim_read(operation_id: UUID, now: datetime) -> Operation | None:
    due = Operation.objects.due_for_reading(now).filter(pk=operation_id)
    lease = now + timedelta(seconds=settings.OPERATION_LEASE)
    if not due.update(due_at=lease, reads=F("reads") + 1):
        return None
    operation = Operation.objects.get(pk=operation_id)
    operation.due_at = _next_read(operation, now)
    operation.save(update_fields=["due_at"])
    return operation


def _next_read(operation: Operation, now: datetime) -> datetime:
    """The next moment of the timetable; its last gap repeats."""
    assert operation.unknown_at is not None
    waits = (operation.unknown_at + timedelta(seconds=wait) for wait in settings.OPERATION_READS)
    later = next((moment for moment in waits if moment > now), None)
    return later or now + timedelta(seconds=settings.OPERATION_READS[-1])


def _give_up_if_late(operation: Operation, now: datetime) -> None:
    if operation.state != State.UNKNOWN:
        return
    assert operation.unknown_at is not None
    if now - operation.unknown_at >= timedelta(seconds=settings.OPERATION_NEEDS_HUMAN_AFTER):
        transition(operation, State.NEEDS_HUMAN, due_at=None)


def operations_on(order_id: UUID, *, now: datetime) -> tuple[Operation, ...]:
    """All writes on an order, the newest first; what was left lying is taken back before."""
    found = Operation.objects.history([order_id])
    if not any(one.is_lease_expired(now) for one in found):
        return found
    abandon_expired(now=now, order_id=order_id)
    return Operation.objects.history([order_id])


def reconcile(order: GoodyOrder, *, read_at: datetime) -> tuple[Operation, ...]:
    """Let every write that waits for news of this order hear what a read says.

    `read_at` is when the read started: a write that was sent later learns nothing from it.
    Returns all writes on the order as they stand afterwards, the newest first.
    """
    operations = operations_on(order.id, now=timezone.now())
    waiting = [one for one in operations if _waits_for_news(one, read_at)]
    for operation in waiting:
        reading = write_of(operation).evaluate(order)
        if operation.state == State.UNKNOWN:
            _close_by(operation, reading, order)
        elif reading is Conclusion.APPLIED:
            _correct(operation, order)
    return Operation.objects.history([order.id]) if waiting else operations


def reconcile_lists(lists: Iterable[tuple[Iterable[GoodyOrder], datetime]]) -> None:
    """As learn_from, for what lists or the feed said of many orders, few of which are waited for:
    the orders of each, and when the request for it started; in the order in which they were read.
    Where they leave open what became of a cancel, the worker is asked to read the order itself.

    A database that refuses keeps nobody from reading on: what waits reads for itself too.
    """
    told = [(order, read_at) for orders, read_at in lists for order in orders]
    try:
        writes = Operation.objects.history({order.id for order, _ in told})
        waiting = {one.order_uuid for one in writes if one.state in _WAITING}
        for order, read_at in told:
            if order.id in waiting:
                reconcile(order, read_at=read_at)
                _have_its_end_read(order)
    except DatabaseFailure as error:
        log.warning("what a list says about open operations is lost: %s", type(error).__name__)


def _have_its_end_read(order: GoodyOrder) -> None:
    """That it ended may be our cancel's doing: the order itself says whether it was accepted."""
    if order.status in ENDED:
        cancels = Operation.objects.on([order.id]).filter(action=Action.ORDER_CANCEL)
        cancels.filter(state__in=_WAITING).update(due_at=timezone.now())


def _waits_for_news(operation: Operation, read_at: datetime) -> bool:
    is_older = operation.last_sent_at is not None and operation.last_sent_at < read_at
    return is_older and operation.state in _WAITING


def _close_by(operation: Operation, reading: Conclusion, order: GoodyOrder) -> None:
    state = _CLOSED_BY.get(reading)
    if state is not None:
        transition(operation, state, closed_at=timezone.now(), due_at=None, after=facts(order))


def _correct(operation: Operation, order: GoodyOrder) -> None:
    """What was taken not to have arrived did arrive, later than anybody waited."""
    if not _may_have_arrived_late(operation) or _is_explained_otherwise(operation):
        return
    transition(
        operation,
        State.APPLIED,
        closed_at=timezone.now(),
        due_at=None,
        after=facts(order),
        failure_kind="late",
        detail="It turned out later that it had arrived.",
    )


def _may_have_arrived_late(operation: Operation) -> bool:
    """Only where the order stood open when it was given up: Goody changes no other."""
    stood = (operation.after or {}).get("status")
    return stood is None or stood in CANCELABLE


def _is_explained_otherwise(operation: Operation) -> bool:
    """Another write of ours of this kind did it, or may be doing it: one that was sent."""
    others = Operation.objects.on([operation.order_uuid]).exclude(pk=operation.pk)
    alike = others.filter(action=operation.action, expiration=operation.expiration)
    sent = alike.exclude(sent_at=None)
    return sent.filter(state__in=[State.APPLIED, *OPEN_STATES]).exists()


def _count_open_read(operation: Operation, order: GoodyOrder, *, now: datetime) -> None:
    """One more read that shows the order as before. Enough of them, over enough time, close it."""
    if write_of(operation).evaluate(order) is not Conclusion.UNCHANGED:
        return
    if _may_be_sent_again(operation) and _send_extension_again(operation, read_at=now):
        return
    first = operation.first_unchanged_at or now
    operation.first_unchanged_at = first
    operation.unchanged_reads += 1
    operation.save(update_fields=["first_unchanged_at", "unchanged_reads"])
    spread = timedelta(seconds=settings.OPERATION_NOT_APPLIED_SPREAD)
    if operation.unchanged_reads < settings.OPERATION_NOT_APPLIED_READS or now - first < spread:
        return
    if operation.failure_kind == "contradiction":
        transition(operation, State.NEEDS_HUMAN, due_at=None)
    else:
        transition(operation, State.NOT_APPLIED, closed_at=now, due_at=None, after=facts(order))


def _may_be_sent_again(operation: Operation) -> bool:
    return (
        operation.action == Action.ORDER_EXTEND
        and operation.resent_at is None
        # Goody did answer that one, only not as asked: the same again would get the same.
        and operation.failure_kind != "contradiction"
    )


def _send_extension_again(operation: Operation, *, read_at: datetime) -> bool:
    """Send an extension once more: a read has just shown exactly the expiry from before.

    Setting the same instant twice does no harm, unlike a cancel, which is never sent again.
    Returns whether a byte may have left: then the read before it says nothing any more.
    """
    write = write_of(operation)
    try:
        answer = goody_api.ask(
            lambda client, _: write.send(client, lambda: _claim_resend(operation, read_at=read_at))
        )
    except (_NotAgain, CallsBlocked, GoodyError) as error:
        log.info("extension %s was not confirmed again: %s", operation.pk, type(error).__name__)
        return operation.resent_at is not None
    if write.is_confirmed_by(answer):
        _take_proof(operation, answer)
    return True


def _take_proof(operation: Operation, answer: GoodyOrder) -> None:
    now = timezone.now()
    # A read that was under way beside the POST may show the order from before it.
    index.upsert([answer], read_at=now)
    transition(operation, State.APPLIED, closed_at=now, due_at=None, after=facts(answer), detail="")


def _claim_resend(operation: Operation, *, read_at: datetime) -> None:
    """Commit that it is sent again, to the audit too, and forget the reads that came before."""
    now = timezone.now()
    if operation.expiration is None or operation.expiration <= now:
        raise _NotAgain
    still = Operation.objects.filter(pk=operation.pk, state=State.UNKNOWN, resent_at=None)
    changes = {"resent_at": now, "unchanged_reads": 0, "first_unchanged_at": None}

    def store() -> None:
        if not still.update(**changes):
            raise _NotAgain
        # The row may have been waited for.
        if timezone.now() - read_at > timedelta(seconds=settings.OPERATION_FRESH_READ):
            raise _NotAgain
        record_resend(operation, now=now)

    record(store)
    for name, value in changes.items():
        setattr(operation, name, value)


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
