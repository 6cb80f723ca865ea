"""The two writes: what each asks of an order, sends, takes as proof, and concludes from a read.

How a write is carried out, and how a lost answer is settled, is the same for both and stands in
sending.py and settling.py.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Protocol

from django.conf import settings

from goody.client import Client
from goody.types import CANCELABLE, ENDED, ORDER_STATUSES, Order
from orders.audit import Action
from orders.eligibility import Verdict, check_expiration, is_same_second, may_cancel, may_extend
from orders.models import WITHOUT_EFFECT, Operation, State


class Conclusion(Enum):
    """What one read of the order says about a write whose answer was lost."""

    APPLIED = "applied"
    # The order went another way; the write can have no effect any more.
    NOT_APPLIED = "not_applied"
    # Somebody set another expiration.
    SUPERSEDED = "superseded"
    # As it was before the write; it may still arrive.
    UNCHANGED = "unchanged"
    # An unknown status, or an end that may have followed an acceptance: nothing can be concluded.
    UNCLEAR = "unclear"


class Write(Protocol):
    def verdict(self, order: Order, *, now: datetime) -> Verdict: ...
    def send(self, client: Client, before_send: Callable[[], None]) -> Order: ...
    def is_confirmed_by(self, answer: Order) -> bool: ...
    def evaluate(self, order: Order) -> Conclusion: ...


class CancelWrite:
    """POST /v1/orders/{id}/cancel. Goody answers with status `failed`, or `canceled`."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation

    def verdict(self, order: Order, *, now: datetime) -> Verdict:
        return may_cancel(order, now=now)

    def send(self, client: Client, before_send: Callable[[], None]) -> Order:
        return client.cancel_order(self.operation.order_uuid, before_send=before_send)

    def is_confirmed_by(self, answer: Order) -> bool:
        return answer.id == self.operation.order_uuid and answer.status in ENDED

    def evaluate(self, order: Order) -> Conclusion:
        if order.status in ENDED:
            # Goody cancels nothing that was accepted: such an order failed for its own reasons.
            return Conclusion.APPLIED if _was_never_accepted(order) else Conclusion.UNCLEAR
        if order.status in CANCELABLE:
            return Conclusion.UNCHANGED
        return Conclusion.NOT_APPLIED if order.status in ORDER_STATUSES else Conclusion.UNCLEAR


def _was_never_accepted(order: Order) -> bool:
    """Only the answer to a single order tells; a list has no event times."""
    if order.event_times is None or "event_times.accepted_at" in order.problems:
        return False
    return order.event_times.accepted_at is None


class ExtendWrite:
    """POST /v1/orders/{id}/update_expiration; the proof is the answer's `expires_at`."""

    def __init__(self, operation: Operation, *, may_shorten: bool = False) -> None:
        assert operation.expiration is not None
        self.operation = operation
        self.expiration = operation.expiration
        self.may_shorten = may_shorten

    def verdict(self, order: Order, *, now: datetime) -> Verdict:
        verdict = may_extend(order, now=now)
        if not verdict.is_allowed:
            return verdict
        return check_expiration(
            order,
            self.expiration,
            now=now,
            may_shorten=self.may_shorten,
            # What an undo goes back to was Goody's own date.
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

    def evaluate(self, order: Order) -> Conclusion:
        if "expires_at" in order.problems:
            return Conclusion.UNCLEAR
        if is_same_second(order.expires_at, self.expiration):
            return Conclusion.APPLIED
        if order.status not in CANCELABLE:
            # Accepted or ended: its date has no meaning any more, and Goody may drop it.
            return Conclusion.NOT_APPLIED if order.status in ORDER_STATUSES else Conclusion.UNCLEAR
        if is_same_second(order.expires_at, self.operation.expires_before):
            return Conclusion.UNCHANGED
        return Conclusion.SUPERSEDED


def write_of(operation: Operation) -> Write:
    """The write behind a stored operation."""
    if operation.action == Action.ORDER_CANCEL:
        return CancelWrite(operation)
    # Whoever asked for a shorter one confirmed it then.
    return ExtendWrite(operation, may_shorten=True)


def may_undo(operation: Operation, *, now: datetime, by: Operation | None = None) -> bool:
    """May this extension be undone: applied, not an undo itself, its former date still ahead?

    There is no undo where there was no date before: Goody documents no way to take one off. `by`
    is the undo that asks; any other stands in its way, unless it ended without effect.
    """
    others = operation.undone_by.exclude(state__in=WITHOUT_EFFECT)
    if by is not None:
        others = others.exclude(pk=by.pk)
    return (
        operation.action == Action.ORDER_EXTEND
        and operation.state == State.APPLIED
        and operation.undoes_id is None
        and operation.expires_before is not None
        and operation.expires_before > now
        and not others.exists()
    )
