"""Applies a read of an order to the operations on it.

A single read decides an outcome if the order is canceled, accepted, or has the requested
expiration.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.db import Error as DatabaseFailure
from django.utils import timezone

from goody.types import CANCELABLE
from goody.types import Order as GoodyOrder
from orders.audit import Action
from orders.eligibility import order_snapshot
from orders.models import OPEN_STATES, Operation, State

from .kinds import ReadConclusion, has_later_write, write_kind_of
from .transitions import (
    close_by_read,
    confirm_settlement,
    record_contradiction,
    record_effect,
    snapshot_after_refusal,
    withdraw_contradiction,
)

log = logging.getLogger(__name__)

# Closed although the write was sent and Goody did not confirm it: it may take effect later.
_WITHOUT_PROOF = (State.NOT_APPLIED, State.SUPERSEDED, State.REFUSED)
_CLOSED_AT_ONCE = {
    ReadConclusion.APPLIED: State.APPLIED,
    ReadConclusion.NOT_APPLIED: State.NOT_APPLIED,
}


def reconcile_operations(order: GoodyOrder, operations: Iterable[Operation]) -> None:
    """Apply a read of the order to operations that had been sent before its request started.

    An operation's stored state shows whether it had been sent; clocks are never compared.
    """
    for operation in operations:
        if operation.sent_at is None:
            continue
        if operation.state == State.UNKNOWN:
            _reconcile_unknown(operation, order)
        elif operation.state == State.NEEDS_HUMAN:
            _reconcile_unresolved(operation, order)
        elif operation.state in _WITHOUT_PROOF:
            _reconcile_closed(operation, order)
        elif operation.is_recorded_by_hand_only:
            _reconcile_recorded(operation, order)
        elif operation.contradicted_at is not None and _shows_effect(operation, order):
            withdraw_contradiction(operation, now=timezone.now())


def _reconcile_unknown(operation: Operation, order: GoodyOrder) -> None:
    conclusion = write_kind_of(operation).conclude_from_read(order)
    state = _CLOSED_AT_ONCE.get(conclusion)
    if state is not None:
        close_by_read(operation, state, order, now=timezone.now())
    elif conclusion is ReadConclusion.SUPERSEDED:
        # For the page, which shows the other expiration meanwhile.
        current = Operation.objects.filter(pk=operation.pk, state=State.UNKNOWN)
        current.update(after=order_snapshot(order))


def _reconcile_unresolved(operation: Operation, order: GoodyOrder) -> None:
    """Close an operation that waits for a person, if the read shows its write."""
    if write_kind_of(operation).conclude_from_read(order) is ReadConclusion.APPLIED:
        close_by_read(operation, State.APPLIED, order, now=timezone.now())


def _reconcile_closed(operation: Operation, order: GoodyOrder) -> None:
    if operation.state == State.REFUSED and operation.after is None:
        # The read after a refusal decides the text of the message (refusals.py).
        operation.after = snapshot_after_refusal(order)
        refused = Operation.objects.filter(pk=operation.pk, after__isnull=True)
        refused.update(after=operation.after, due_at=None)
    if operation.effect_seen_at is None and _shows_effect(operation, order):
        record_effect(operation, now=timezone.now())


def _reconcile_recorded(operation: Operation, order: GoodyOrder) -> None:
    """Confirm or contradict an outcome that a lead recorded: the first read decides."""
    now = timezone.now()
    if _shows_effect(operation, order):
        if operation.contradicted_at is None:
            confirm_settlement(operation, now=now)
        else:
            withdraw_contradiction(operation, now=now)
    elif write_kind_of(operation).is_still_shown_by(order) is False and not has_later_write(
        operation
    ):
        record_contradiction(operation, order, now=now)


def _shows_effect(operation: Operation, order: GoodyOrder) -> bool:
    is_applied = write_kind_of(operation).conclude_from_read(order) is ReadConclusion.APPLIED
    return is_applied and _may_take_effect(operation) and not _is_explained_otherwise(operation)


def _may_take_effect(operation: Operation) -> bool:
    """Whether the write may still have an effect, given the order that the last read showed.

    Goody changes no expiration of an order that was accepted or had ended.
    """
    status = (operation.after or {}).get("status")
    return operation.action == Action.ORDER_CANCEL or status is None or status in CANCELABLE


def _is_explained_otherwise(operation: Operation) -> bool:
    """Whether another operation of the same kind may have caused the state that a read shows."""
    others = Operation.objects.on_orders([operation.order_uuid]).exclude(pk=operation.pk)
    alike = others.filter(action=operation.action, expiration=operation.expiration)
    sent = alike.exclude(sent_at=None)
    return sent.filter(state__in=[State.APPLIED, *OPEN_STATES]).exists()


def request_reads(orders: Iterable[GoodyOrder]) -> None:
    """Schedule reads of those orders that may show the outcome of a write.

    For orders from lists, the feed and the sync: these have no event times, or their request may
    have started before the write was sent. A database failure is logged: the worker reads them by
    its own schedule too.
    """
    given = {order.id: order for order in orders}
    try:
        operations = Operation.objects.history_of(given)
        wanted = [one for one in operations if _may_concern(given[one.order_uuid], one)]
        for one in wanted:
            # Another read may have closed it meanwhile, and scheduled its check.
            current = Operation.objects.filter(pk=one.pk, state=one.state)
            current.update(due_at=timezone.now())
    except DatabaseFailure as error:
        log.warning("reads of open operations could not be requested: %s", type(error).__name__)


def _may_concern(order: GoodyOrder, operation: Operation) -> bool:
    if operation.sent_at is None:
        return False
    conclusion = write_kind_of(operation).conclude_from_read(order)
    if operation.state == State.UNKNOWN:
        return conclusion is not ReadConclusion.UNCHANGED
    if operation.state == State.NEEDS_HUMAN:
        return conclusion in (ReadConclusion.APPLIED, ReadConclusion.UNCLEAR)
    is_open_to_effect = operation.state in _WITHOUT_PROOF and operation.effect_seen_at is None
    is_contradicted = operation.state == State.APPLIED and operation.contradicted_at is not None
    may_show_it = conclusion in (ReadConclusion.APPLIED, ReadConclusion.UNCLEAR)
    return (is_open_to_effect or is_contradicted) and may_show_it
