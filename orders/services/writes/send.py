"""Carries out a write: intent, fresh read, POST, proof, outcome.

The intent is committed before the first call to Goody; no transaction is open during a call. The
transition to `sending` is committed when the connection is established, directly before the first
byte is sent. From then on the outcome is only known from Goody's answer or from a read of the
order.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.utils import timezone
from msgspec import structs

from goody.client import RetryPolicy
from goody.errors import GoodyError, NotFound, OutcomeUnknown, Rejected, Unavailable
from goody.types import Order as GoodyOrder
from orders import goody_api
from orders.audit import Action, audited_action
from orders.eligibility import (
    Eligibility,
    compare_snapshots,
    ineligible_after_cancel,
    is_same_second,
    order_snapshot,
)
from orders.goody_api import CallsBlocked, NotConfigured
from orders.models import ItemClaim, Operation, State
from orders.outages import log_storage_failure
from orders.rights import Actor

from .cancel_limit import CancelLimitReached, record_cancel_limit_reached
from .index_updates import mark_missing, store_answer
from .intents import (
    NotRecorded,
    SubmittedWrite,
    TooManyWrites,
    WriteRequest,
    abandon_unclaimed,
    commit_intent,
    find_earlier_submit,
)
from .kinds import (
    CancelWrite,
    ExtendWrite,
    WriteKind,
    confirmed_extension_not_shown,
    may_undo_extension,
)
from .reads import read_order, store_read
from .resolve import abandon_expired_operations
from .transitions import (
    close_not_sent,
    close_unsent,
    confirm_operation,
    mark_outcome_unknown,
    refusal_for_rejection,
    refuse_operation,
)

log = logging.getLogger(__name__)


class OutcomeNotRecorded(Exception):
    """The write was sent, but the database failed to store the outcome: it is being checked."""


class _LeaseLost(Exception):
    """The lease expired, or another process abandoned the operation, before a byte left."""


class _ReadTooOld(Exception):
    """Too much time passed between the fresh read and the first byte."""


class _ReadAge:
    """The age of the fresh read, counted from when its request left."""

    def begin(self) -> None:
        self._began = time.monotonic()

    def check(self) -> None:
        if time.monotonic() - self._began > settings.OPERATION_FRESH_READ:
            raise _ReadTooOld


@audited_action(Action.ORDER_CANCEL)
def cancel_order(
    *,
    actor: Actor,
    order_id: UUID,
    snapshot: dict[str, Any],
    form_key: UUID,
    reason: str,
    note: str,
    ticket: str,
    now: datetime,
    claim: ItemClaim | None = None,
) -> Operation:
    """Cancel a gift at Goody: irreversible, and it releases money.

    `snapshot` is the `eligibility.order_snapshot` that the person confirmed. Returns the operation
    in its present state; a repeated equal submit returns the same operation at once. `claim` is
    that of a job's item. Goody API: POST /v1/orders/{id}/cancel.

    Raises NotAllowed, FormKeyReused, OrderBusy, OrderInJob, TooManyWrites, CancelLimitReached,
    ClaimLost, NotRecorded, OutcomeNotRecorded.
    """
    request = WriteRequest(Action.ORDER_CANCEL, order_id, reason=reason, note=note, ticket=ticket)
    submit = SubmittedWrite(request, actor, form_key, claim)
    return _perform(submit, CancelWrite, snapshot=snapshot, now=now)


@audited_action(Action.ORDER_EXTEND)
def extend_order(
    *,
    actor: Actor,
    order_id: UUID,
    snapshot: dict[str, Any],
    form_key: UUID,
    expiration: datetime,
    may_shorten: bool,
    reason: str,
    ticket: str,
    undoes: UUID | None,
    now: datetime,
    claim: ItemClaim | None = None,
) -> Operation:
    """Set an order's expiration (aware datetime; Goody stores whole seconds).

    `reason` is free text, stored as the operation's note; it and `ticket` may be "". `undoes` is
    the id of a confirmed extension to undo, whose expiration the order must still have. Otherwise
    as `cancel_order`. Goody API: POST /v1/orders/{id}/update_expiration.
    """
    if expiration.tzinfo is None:
        raise ValueError("an expiration needs a time zone")
    request = WriteRequest(
        Action.ORDER_EXTEND,
        order_id,
        note=reason,
        ticket=ticket,
        expiration=expiration.astimezone(UTC).replace(microsecond=0),
        undoes_id=undoes,
        may_shorten=may_shorten,
    )
    submit = SubmittedWrite(request, actor, form_key, claim)
    write = partial(ExtendWrite, may_shorten=may_shorten or undoes is not None)
    return _perform(submit, write, snapshot=snapshot, now=now)


def _perform(
    submit: SubmittedWrite,
    write: Callable[[Operation], WriteKind],
    *,
    snapshot: dict[str, Any],
    now: datetime,
) -> Operation:
    """Take a slot, commit the intent, send the write and return the operation.

    Without a slot nothing is recorded.
    """
    earlier = find_earlier_submit(submit)
    if earlier is not None:
        return earlier
    with ExitStack() as held:
        _take_slot(held, submit)
        try:
            operation, is_new = commit_intent(submit, snapshot=snapshot, now=now)
        except CancelLimitReached as reached:
            # The last cancel may have been that of an equal submit.
            earlier = find_earlier_submit(submit)
            if earlier is not None:
                return earlier
            record_cancel_limit_reached(submit.actor, reached, now=now)
            raise
        return _execute(operation, write(operation), snapshot) if is_new else operation


def _take_slot(held: ExitStack, submit: SubmittedWrite) -> None:
    """Enter a write slot into `held`; raise TooManyWrites if none is free in time.

    Raises OrderBusy if a write to the same order holds the slots.
    """
    try:
        held.enter_context(goody_api.write_slot())
    except NotConfigured:
        # The attempt is recorded, and ends without a call.
        return
    except Unavailable as error:
        if find_earlier_submit(submit) is None:
            raise TooManyWrites from error


def _execute(operation: Operation, write: WriteKind, snapshot: dict[str, Any]) -> Operation:
    try:
        return _read_and_send(operation, write, snapshot)
    except DatabaseFailure as error:
        log_storage_failure(log, f"operation {operation.pk}", error)
        # Not the state, which another process may have changed: sent_at is set with the claim, and
        # reset where no byte left after it.
        if operation.sent_at is not None:
            raise OutcomeNotRecorded from error
        abandon_unclaimed(operation)
        raise NotRecorded from error


def _read_and_send(operation: Operation, write: WriteKind, snapshot: dict[str, Any]) -> Operation:
    asked_at, age = timezone.now(), _ReadAge()
    policy = goody_api.page_retry_policy()
    try:
        fresh, operations = read_order(
            operation.order_uuid, policy=policy, before_send=age.begin, is_stored=False
        )
    except NotFound as error:
        mark_missing(operation.order_uuid, read_at=asked_at)
        return close_unsent(operation, error)
    except (CallsBlocked, GoodyError) as error:
        return close_unsent(operation, error)
    refusal = _refusal(operation, write, fresh, snapshot=snapshot, operations=operations)
    if refusal is not None:
        done = refuse_operation(operation, refusal, fresh)
    else:
        done = _send(operation, write, fresh, age)
    if done.confirmed_at is None:
        # Otherwise the answer, which is newer, has been stored.
        store_read(fresh, read_at=asked_at)
    if done.awaits_read_after_refusal:
        _read_after_refusal(done)
    return done


def _refusal(
    operation: Operation,
    write: WriteKind,
    fresh: GoodyOrder,
    *,
    snapshot: dict[str, Any],
    operations: Sequence[Operation],
) -> Eligibility | None:
    """Return the reason why the fresh read forbids the write, or None.

    `operations` are those on the order, newest first.
    """
    if any(one.is_cancel_in_force for one in operations):
        # Goody confirmed a cancel; a read that still shows the order open is an old one.
        return ineligible_after_cancel()
    extension = confirmed_extension_not_shown(fresh, operations)
    if extension is not None:
        if operation.action == Action.ORDER_EXTEND:
            return _older_read()
        # The page shows the confirmed expiration too.
        fresh = structs.replace(fresh, expires_at=extension.expiration)
    eligibility = write.check_eligibility(fresh, now=timezone.now())
    if eligibility.code in ("ended", "accepted", "unknown_status"):
        return eligibility
    moved = compare_snapshots(snapshot, order_snapshot(fresh))
    if moved:
        words = "; ".join(str(difference) for difference in moved)
        return Eligibility(False, "moved", f"The order changed since you looked. {words}.")
    if not eligibility.is_allowed:
        return eligibility
    return _undo_refusal(operation, fresh)


def _older_read() -> Eligibility:
    return Eligibility(
        False,
        "older_read",
        "Goody's answer does not show the last change of the expiration yet, although Goody "
        "confirmed that change. Try again in a few minutes.",
    )


def _undo_refusal(operation: Operation, fresh: GoodyOrder) -> Eligibility | None:
    undone = operation.undoes
    if undone is None:
        return None
    fits = (
        undone.order_uuid == operation.order_uuid
        and is_same_second(undone.expires_before, operation.expiration)
        and is_same_second(undone.expiration, fresh.expires_at)
    )
    if fits and may_undo_extension(undone, now=timezone.now()):
        return None
    return Eligibility(False, "not_undoable", "This change can no longer be undone.")


def _send(operation: Operation, write: WriteKind, fresh: GoodyOrder, age: _ReadAge) -> Operation:
    def claim() -> None:
        age.check()
        _claim_sending(operation, fresh)
        # The commit may have waited for a lock.
        age.check()

    try:
        answer = goody_api.call_goody(
            lambda client, _: write.send(client, claim), policy=_post_policy()
        )
    except _LeaseLost:
        abandon_expired_operations(now=timezone.now(), order_id=operation.order_uuid)
        operation.refresh_from_db()
        return operation
    except _ReadTooOld:
        # The claim may be committed, but no byte left.
        operation.sent_at = None
        return close_not_sent(
            operation, "slow", "Too much time had passed since the order was read."
        )
    except OutcomeUnknown as error:
        return mark_outcome_unknown(operation, error.kind, str(error), error.excerpt)
    except Rejected as error:
        return refuse_operation(operation, refusal_for_rejection(error), None)
    except (CallsBlocked, GoodyError) as error:
        operation.sent_at = None
        return close_unsent(operation, error)
    # Answers to writes have no event times.
    answer = structs.replace(answer, event_times=answer.event_times or fresh.event_times)
    return _check_answer(operation, write, answer)


def _post_policy() -> RetryPolicy:
    """Return a policy by which a POST waits for the rate limit while its read is fresh."""
    return RetryPolicy(deadline=max(settings.OPERATION_FRESH_READ, 0.0), attempts=1)


def _claim_sending(operation: Operation, fresh: GoodyOrder) -> None:
    """Commit `sending`. Raises _LeaseLost if the lease has expired: nothing is sent then."""
    now = timezone.now()
    if now >= operation.lease_until:
        raise _LeaseLost
    moved = Operation.objects.transition(
        operation,
        State.SENDING,
        sent_at=now,
        may_take_effect=True,
        lease_until=now + timedelta(seconds=settings.OPERATION_LEASE),
        before=order_snapshot(fresh),
        expires_before=fresh.expires_at,
        reference_id=fresh.reference_id or operation.reference_id,
    )
    if moved is None:
        raise _LeaseLost
    operation.update_fields_from(moved)


def _check_answer(operation: Operation, write: WriteKind, answer: GoodyOrder) -> Operation:
    """Store the outcome that an answer of 200 proves, then the order in the index."""
    sent_at, is_proof = operation.sent_at, write.is_confirmed_by(answer)
    try:
        if is_proof:
            return confirm_operation(operation, answer, now=timezone.now())
        words = "Goody's answer contradicts the request."
        return mark_outcome_unknown(operation, "contradiction", words)
    finally:
        if answer.id == operation.order_uuid and sent_at is not None:
            store_answer(answer, sent_at=sent_at, is_proof=is_proof)


def _read_after_refusal(operation: Operation) -> None:
    """Read the order of a POST that Goody refused, which decides the message.

    A proxy may have sent the request twice, so that an earlier copy was applied. If this read
    fails, the worker repeats it.
    """
    read_at = timezone.now()
    try:
        read_order(operation.order_uuid, policy=goody_api.detail_retry_policy())
    except NotFound:
        mark_missing(operation.order_uuid, read_at=read_at)
    except (CallsBlocked, GoodyError, DatabaseFailure):
        log.info("the order of a refused write could not be read again")
    else:
        operation.refresh_from_db()
