"""The two kinds of write: the eligibility, the request, the proof and the conclusions of each.

Sending (send.py) and resolving an unknown outcome (resolve.py) are the same for both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from itertools import takewhile
from typing import Protocol

from django.conf import settings
from django.db.models import Subquery

from goody.client import Client
from goody.types import CANCELABLE, ENDED, ORDER_STATUSES, Order
from orders.audit import Action
from orders.eligibility import (
    Eligibility,
    HasStatus,
    check_expiration,
    is_same_second,
    may_cancel,
    may_extend,
)
from orders.models import WITHOUT_EFFECT, AuditEntry, Operation, State


class ReadConclusion(Enum):
    """The conclusion from one read of the order about a write whose answer was lost."""

    # The order is as the write requested; somebody else may have caused it.
    APPLIED = "applied"
    # The order was accepted or ended otherwise: the write can have no effect any more.
    NOT_APPLIED = "not_applied"
    # The order has an expiration that is neither the former nor the requested one.
    SUPERSEDED = "superseded"
    # As before the write, which may still arrive.
    UNCHANGED = "unchanged"
    # An unknown status, or an end that may have followed an acceptance.
    UNCLEAR = "unclear"


class WriteKind(Protocol):
    def check_eligibility(self, order: Order, *, now: datetime) -> Eligibility:
        """Return whether this write may be sent to the order, with the reason if not."""

    def send(self, client: Client, before_send: Callable[[], None]) -> Order:
        """Send the write once and return the order in the answer.

        Errors and `before_send` are those of Client.cancel_order.
        """

    def is_confirmed_by(self, answer: Order) -> bool:
        """Return whether an answer of 200 proves the write."""

    def conclude_from_read(self, order: Order) -> ReadConclusion:
        """Return the conclusion of a read about the write while its outcome is unknown."""

    def is_still_shown_by(self, order: Order) -> bool | None:
        """Return whether a read after the proof still shows the write; None if unreadable."""


class CancelWrite:
    """POST /v1/orders/{id}/cancel. Goody answers with status `failed`, or `canceled`."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation

    def check_eligibility(self, order: Order, *, now: datetime) -> Eligibility:
        return may_cancel(order, now=now)

    def send(self, client: Client, before_send: Callable[[], None]) -> Order:
        return client.cancel_order(self.operation.order_uuid, before_send=before_send)

    def is_confirmed_by(self, answer: Order) -> bool:
        return answer.id == self.operation.order_uuid and answer.status in ENDED

    def conclude_from_read(self, order: Order) -> ReadConclusion:
        if order.status in ENDED:
            # Goody cancels no accepted order: one that was accepted failed for another reason.
            return ReadConclusion.APPLIED if _was_never_accepted(order) else ReadConclusion.UNCLEAR
        if order.status in CANCELABLE:
            return ReadConclusion.UNCHANGED
        return (
            ReadConclusion.NOT_APPLIED if order.status in ORDER_STATUSES else ReadConclusion.UNCLEAR
        )

    def is_still_shown_by(self, order: Order) -> bool | None:
        return order.status in ENDED if order.status in ORDER_STATUSES else None


def _was_never_accepted(order: Order) -> bool:
    """Whether the order has event times, and no acceptance among them. Lists have none."""
    if order.event_times is None or "event_times.accepted_at" in order.problems:
        return False
    return order.event_times.accepted_at is None


class ExtendWrite:
    """POST /v1/orders/{id}/update_expiration. The answer's `expires_at` proves it."""

    def __init__(self, operation: Operation, *, may_shorten: bool = False) -> None:
        assert operation.expiration is not None
        self.operation = operation
        self.expiration = operation.expiration
        self.may_shorten = may_shorten

    def check_eligibility(self, order: Order, *, now: datetime) -> Eligibility:
        eligibility = may_extend(order, now=now)
        if not eligibility.is_allowed:
            return eligibility
        return check_expiration(
            order,
            self.expiration,
            now=now,
            may_shorten=self.may_shorten,
            # An undo goes back to a date that Goody had.
            max_days=None if self.operation.undoes_id else settings.EXTENSION_MAX_DAYS,
        )

    def send(self, client: Client, before_send: Callable[[], None]) -> Order:
        return client.update_expiration(
            self.operation.order_uuid, expiration=self.expiration, before_send=before_send
        )

    def is_confirmed_by(self, answer: Order) -> bool:
        return answer.id == self.operation.order_uuid and is_same_second(
            answer.expires_at, self.expiration
        )

    def conclude_from_read(self, order: Order) -> ReadConclusion:
        if "expires_at" in order.problems:
            return ReadConclusion.UNCLEAR
        if is_same_second(order.expires_at, self.expiration):
            return ReadConclusion.APPLIED
        if order.status not in CANCELABLE:
            # Accepted or ended: the expiration has no meaning any more, and Goody may drop it.
            return (
                ReadConclusion.NOT_APPLIED
                if order.status in ORDER_STATUSES
                else ReadConclusion.UNCLEAR
            )
        if is_same_second(order.expires_at, self.operation.expires_before):
            return ReadConclusion.UNCHANGED
        return ReadConclusion.SUPERSEDED

    def is_still_shown_by(self, order: Order) -> bool | None:
        if "expires_at" in order.problems or order.status not in ORDER_STATUSES:
            return None
        return order.status not in CANCELABLE or is_same_second(order.expires_at, self.expiration)


def write_kind_of(operation: Operation) -> WriteKind:
    """Return the cancel or the extension that a stored operation describes."""
    if operation.action == Action.ORDER_CANCEL:
        return CancelWrite(operation)
    # The person has confirmed that the expiration becomes earlier.
    return ExtendWrite(operation, may_shorten=True)


def may_undo_extension(operation: Operation, *, now: datetime) -> bool:
    """Return whether this extension may be undone.

    Only one that Goody itself confirmed (another date may be somebody else's), that is no undo,
    whose former expiration is in the future, and after which no other write may have changed the
    order. There is no undo to "no expiration": Goody documents no way to remove one.
    """
    return (
        operation.action == Action.ORDER_EXTEND
        and operation.state == State.APPLIED
        and operation.confirmed_at is not None
        and operation.contradicted_at is None
        and operation.undoes_id is None
        and operation.expires_before is not None
        and operation.expires_before > now
        and not has_later_write(operation)
    )


def has_later_write(operation: Operation) -> bool:
    """Whether an operation that was sent later may have changed the order.

    Such an operation may explain why the order differs from this operation's result. Operations are
    compared by the ids of their intents in the audit, because the clock may have been set.
    """
    intent = AuditEntry.objects.intents().filter(operation=operation).values("pk")[:1]
    sent = Operation.objects.on_orders([operation.order_uuid]).exclude(sent_at=None)
    later = sent.filter(audit__intent=None, audit__pk__gt=Subquery(intent))
    return later.exclude(state__in=WITHOUT_EFFECT, effect_seen_at=None).exists()


def confirmed_extension_not_shown(
    order: HasStatus, operations: Sequence[Operation]
) -> Operation | None:
    """Return the last extension if Goody confirmed it but this read shows an earlier expiration.

    Goody's confirmation outranks a read until a worker has checked the order, at least
    OPERATION_CHECK_AFTER seconds later. `operations` are those on the order, newest first.
    """
    if order.status not in CANCELABLE or "expires_at" in order.problems:
        return None
    sent = [one for one in operations if one.action == Action.ORDER_EXTEND and _has_effect(one)]
    recent = list(takewhile(_is_confirmed_and_unchecked, sent))
    if not recent or is_same_second(order.expires_at, recent[0].expiration):
        return None
    is_former = any(is_same_second(order.expires_at, one.expires_before) for one in recent)
    return recent[0] if is_former else None


def _has_effect(operation: Operation) -> bool:
    """Whether the operation was sent and may have changed the order."""
    may_have = operation.state not in WITHOUT_EFFECT or operation.effect_seen_at is not None
    return operation.sent_at is not None and may_have


def _is_confirmed_and_unchecked(operation: Operation) -> bool:
    """Whether Goody confirmed it and the worker has not checked it yet, regardless of the clock."""
    is_confirmed = operation.confirmed_at is not None and operation.contradicted_at is None
    return is_confirmed and operation.due_at is not None
