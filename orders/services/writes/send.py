"""Carrying out a write: intent, fresh read, POST, proof, outcome.

The intent is committed before anything is asked of Goody; no transaction is open during a call.
The move to `sending` is committed when the connection stands, directly before the first byte
leaves. From then on only Goody's answer, or a read of the order, says what became of it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import IntegrityError
from django.utils import timezone

from goody.errors import GoodyError, NotFound, OutcomeUnknown, Rejected
from goody.types import Order as GoodyOrder
from orders import goody_api
from orders.audit import Action, Actor, action, record_intent
from orders.eligibility import Verdict, differences, facts, is_same_second
from orders.goody_api import CallsBlocked
from orders.models import Operation, Order, State
from orders.outages import log_unrecorded

from .kinds import CancelWrite, ExtendWrite, Write, may_undo
from .reads import mark_missing, read_order, upsert_or_log
from .resolve import abandon_expired
from .transitions import (
    close_unsent,
    leave_unknown,
    not_sent,
    record,
    refuse,
    transition,
    verdict_of,
)

log = logging.getLogger(__name__)


class FormKeyReused(Exception):
    """The one-time key of the form came again with other parameters. Nothing was sent."""


class OrderBusy(Exception):
    """Another operation is open on this order. Nothing was sent and nothing waits in line."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(f"operation {operation.pk} is open")
        self.operation = operation


class NotRecorded(Exception):
    """The database refused the intent, so nothing was sent."""


class OutcomeNotRecorded(Exception):
    """Goody was asked, but the database could not take the outcome: it is being checked."""


class _LeaseLost(Exception):
    """The operation was taken to be abandoned before its first byte left."""


class _ReadTooOld(Exception):
    """Between the fresh read and the first byte lay too much time."""


class _ReadAge:
    """How old the fresh read is: from when its request left, since Goody may look at once."""

    def begin(self) -> None:
        self._began = time.monotonic()

    def check(self) -> None:
        if time.monotonic() - self._began > settings.OPERATION_FRESH_READ:
            raise _ReadTooOld


@dataclass(frozen=True)
class WriteRequest:
    """What a form asks for."""

    action: Action
    order_uuid: UUID
    reason: str = ""
    note: str = ""
    ticket: str = ""
    expiration: datetime | None = None
    undoes_id: UUID | None = None
    may_shorten: bool = False

    def stored(self) -> dict[str, Any]:
        """The fields of the operation; a tick is for this attempt only."""
        return {name: value for name, value in asdict(self).items() if name != "may_shorten"}

    def digest(self, actor: Actor) -> str:
        request = json.dumps({**asdict(self), "actor": actor.user_id}, sort_keys=True, default=str)
        return hashlib.sha256(request.encode()).hexdigest()


@action(Action.ORDER_CANCEL)
def cancel_order(
    *,
    actor: Actor,
    order_id: UUID,
    seen: dict[str, Any],
    form_key: UUID,
    reason: str,
    note: str,
    ticket: str,
    now: datetime,
) -> Operation:
    """Cancel a gift at Goody: irreversible, and it releases money.

    `seen` are the `eligibility.facts` that the person confirmed. Returns the operation in the
    state in which it ended or stands; an equal repeated submit returns the same one at once.
    Goody API: POST /v1/orders/{id}/cancel.

    Raises NotAllowed, FormKeyReused, OrderBusy, NotRecorded, OutcomeNotRecorded.
    """
    request = WriteRequest(Action.ORDER_CANCEL, order_id, reason=reason, note=note, ticket=ticket)
    operation, is_new = _open(request, actor=actor, seen=seen, form_key=form_key, now=now)
    if not is_new:
        return operation
    return _execute(operation, CancelWrite(operation), seen)


@action(Action.ORDER_EXTEND)
def extend_order(
    *,
    actor: Actor,
    order_id: UUID,
    seen: dict[str, Any],
    form_key: UUID,
    expiration: datetime,
    may_shorten: bool,
    undoes: UUID | None,
    now: datetime,
) -> Operation:
    """Set an order's expiration (aware datetime; Goody keeps whole seconds).

    `undoes` names the applied extension that this one takes back; the order must still stand as
    that one left it. Otherwise as `cancel_order`. Goody API:
    POST /v1/orders/{id}/update_expiration.
    """
    if expiration.tzinfo is None:
        raise ValueError("an expiration needs a time zone")
    request = WriteRequest(
        Action.ORDER_EXTEND,
        order_id,
        expiration=expiration.astimezone(UTC).replace(microsecond=0),
        undoes_id=undoes,
        may_shorten=may_shorten,
    )
    operation, is_new = _open(request, actor=actor, seen=seen, form_key=form_key, now=now)
    if not is_new:
        return operation
    write = ExtendWrite(operation, may_shorten=may_shorten or undoes is not None)
    return _execute(operation, write, seen)


def _open(
    request: WriteRequest, *, actor: Actor, seen: dict[str, Any], form_key: UUID, now: datetime
) -> tuple[Operation, bool]:
    """Commit the intent, or find the operation that an equal submit has opened already."""
    try:
        earlier = _earlier_submit(request, actor, form_key)
        if earlier is not None:
            return earlier, False
        operation = _intent(request, actor=actor, seen=seen, form_key=form_key, now=now)
        record(lambda: _store_intent(operation, actor))
    except IntegrityError as error:
        return _resolve_conflict(request, actor, form_key, error), False
    except DatabaseFailure as error:
        log_unrecorded(log, "an intent", error)
        raise NotRecorded from error
    return operation, True


def _store_intent(operation: Operation, actor: Actor) -> None:
    operation.save(force_insert=True)
    record_intent(operation, request_id=actor.request_id)


def _intent(
    request: WriteRequest, *, actor: Actor, seen: dict[str, Any], form_key: UUID, now: datetime
) -> Operation:
    assert actor.user_id is not None
    reference = Order.objects.filter(uuid=request.order_uuid).values_list("reference_id", flat=True)
    return Operation(
        **request.stored(),
        reference_id=reference.first() or "",
        actor_id=actor.user_id,
        actor_name=actor.name,
        form_key=form_key,
        params_hash=request.digest(actor),
        before=seen,
        created_at=now,
        lease_until=now + timedelta(seconds=settings.OPERATION_LEASE),
    )


def _earlier_submit(request: WriteRequest, actor: Actor, form_key: UUID) -> Operation | None:
    earlier = Operation.objects.filter(form_key=form_key).first()
    if earlier is not None and earlier.params_hash != request.digest(actor):
        raise FormKeyReused
    return earlier


def _resolve_conflict(
    request: WriteRequest, actor: Actor, form_key: UUID, error: IntegrityError
) -> Operation:
    """A constraint refused the intent: the same form in another thread, or another person."""
    earlier = _earlier_submit(request, actor, form_key)
    if earlier is not None:
        return earlier
    other = Operation.objects.on([request.order_uuid]).open().first()
    if other is not None:
        raise OrderBusy(other)
    # It closed between the refusal and this look, or another constraint refused; nothing was sent.
    log_unrecorded(log, "an intent", error)
    raise NotRecorded from error


def _execute(operation: Operation, write: Write, seen: dict[str, Any]) -> Operation:
    try:
        return _read_and_send(operation, write, seen)
    except DatabaseFailure as error:
        # Not the state: somebody else may have moved it on since. This is set with the claim.
        was_sent = operation.sent_at is not None
        log_unrecorded(log, f"operation {operation.pk}", error)
        raise (OutcomeNotRecorded if was_sent else NotRecorded) from error


def _read_and_send(operation: Operation, write: Write, seen: dict[str, Any]) -> Operation:
    asked_at, age = timezone.now(), _ReadAge()
    policy = goody_api.page_policy()
    try:
        fresh = read_order(operation.order_uuid, policy=policy, before_send=age.begin)
    except NotFound as error:
        mark_missing(operation.order_uuid, read_at=asked_at)
        return close_unsent(operation, error)
    except (CallsBlocked, GoodyError) as error:
        return close_unsent(operation, error)
    refusal = _refusal(operation, write, fresh, seen)
    if refusal is not None:
        return refuse(operation, refusal, fresh)
    return _send(operation, write, fresh, age)


def _refusal(
    operation: Operation, write: Write, fresh: GoodyOrder, seen: dict[str, Any]
) -> Verdict | None:
    """Why the fresh read forbids the write, if it does."""
    verdict = write.verdict(fresh, now=timezone.now())
    if verdict.code in ("ended", "accepted", "unknown_status"):
        return verdict
    moved = differences(seen, facts(fresh))
    if moved:
        words = "; ".join(str(difference) for difference in moved)
        return Verdict(False, "moved", f"The order changed since you looked. {words}.")
    if not verdict.is_allowed:
        return verdict
    return _undo_refusal(operation, fresh)


def _undo_refusal(operation: Operation, fresh: GoodyOrder) -> Verdict | None:
    undone = operation.undoes
    if undone is None:
        return None
    fits = (
        undone.order_uuid == operation.order_uuid
        and is_same_second(undone.expires_before, operation.expiration)
        and is_same_second(undone.expiration, fresh.expires_at)
    )
    if fits and may_undo(undone, now=timezone.now(), by=operation):
        return None
    return Verdict(False, "not_undoable", "This change can no longer be undone.")


def _send(operation: Operation, write: Write, fresh: GoodyOrder, age: _ReadAge) -> Operation:
    def claim() -> None:
        age.check()
        _claim_sending(operation, fresh)
        # The commit may have waited for a lock.
        age.check()

    try:
        answer = goody_api.ask(lambda client, _: write.send(client, claim))
    except _LeaseLost:
        abandon_expired(now=timezone.now(), order_id=operation.order_uuid)
        operation.refresh_from_db()
        return operation
    except _ReadTooOld:
        return not_sent(operation, "slow", "Too much time had passed since the order was read.")
    except OutcomeUnknown as error:
        return leave_unknown(operation, error.kind, str(error), error.evidence)
    except Rejected as error:
        return _after_rejection(operation, error)
    except (CallsBlocked, GoodyError) as error:
        return close_unsent(operation, error)
    return _judge(operation, write, answer)


def _claim_sending(operation: Operation, fresh: GoodyOrder) -> None:
    """Commit `sending`; whoever's lease ran out meanwhile sends nothing."""
    now = timezone.now()
    if now >= operation.lease_until:
        raise _LeaseLost
    moved = Operation.objects.transition(
        operation,
        State.SENDING,
        sent_at=now,
        lease_until=now + timedelta(seconds=settings.OPERATION_LEASE),
        before=facts(fresh),
        expires_before=fresh.expires_at,
        reference_id=fresh.reference_id or operation.reference_id,
    )
    if moved is None:
        raise _LeaseLost
    operation.copy_from(moved)


def _judge(operation: Operation, write: Write, answer: GoodyOrder) -> Operation:
    """Take an answer of 200 for what it proves."""
    is_proof = write.is_confirmed_by(answer)
    if answer.id == operation.order_uuid and operation.sent_at is not None:
        # A read that was under way beside the POST may show the order from before it.
        upsert_or_log([answer], read_at=timezone.now() if is_proof else operation.sent_at)
    if not is_proof:
        words = "Goody's answer contradicts the request."
        return leave_unknown(operation, "contradiction", words)
    now = timezone.now()
    return transition(operation, State.APPLIED, closed_at=now, after=facts(answer), detail="")


def _after_rejection(operation: Operation, error: Rejected) -> Operation:
    """A definite no. The order is read again, so that the page shows why."""
    closed = refuse(operation, verdict_of(error), None)
    read_at = timezone.now()
    try:
        _read_again(operation.order_uuid, read_at)
    except (CallsBlocked, GoodyError, DatabaseFailure):
        # The refusal stands recorded; the page is only older than it could be.
        log.info("the order of a refused write could not be read again")
    return closed


def _read_again(order_id: UUID, read_at: datetime) -> None:
    try:
        read_order(order_id, policy=goody_api.detail_policy())
    except NotFound:
        mark_missing(order_id, read_at=read_at)
