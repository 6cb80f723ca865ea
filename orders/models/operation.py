"""Operations: writes to Goody, their states and the transitions between them.

orders.services decides which transition to make, orders.outcomes describes its result. A transition
is a conditional UPDATE whose row count is checked, because select_for_update locks nothing on
SQLite.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from orders.text import fold_text, searchable_text

from .statements import (
    among_ids,
    database_values,
    insert_row,
    select_where,
    update_where,
)


class State(models.TextChoices):
    PLANNED = "planned"
    WAITING = "waiting"
    SENDING = "sending"
    UNKNOWN = "unknown"
    NEEDS_HUMAN = "needs_human"
    APPLIED = "applied"
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    NOT_APPLIED = "not_applied"
    SUPERSEDED = "superseded"


OPEN_STATES = (
    State.PLANNED,
    State.WAITING,
    State.SENDING,
    State.UNKNOWN,
    State.NEEDS_HUMAN,
)

# The request may have reached Goody, and its outcome is being checked or needs a person.
UNSETTLED_STATES = (State.UNKNOWN, State.NEEDS_HUMAN)

LEASED_STATES = (State.PLANNED, State.SENDING)

# Closed without a change at Goody as far as is known. A later read may show the change after all.
WITHOUT_EFFECT = (State.REFUSED, State.NOT_SENT, State.NOT_APPLIED)

# The failure kind of an operation that a lead settled by hand.
BY_HAND = "by_hand"

# Unless Goody confirmed it.
CLOSED_BY_READS = (State.APPLIED, State.NOT_APPLIED, State.SUPERSEDED)

TRANSITIONS: dict[State, frozenset[State]] = {
    State.PLANNED: frozenset({State.WAITING, State.SENDING, State.REFUSED, State.NOT_SENT}),
    State.WAITING: frozenset({State.PLANNED, State.NOT_SENT}),
    State.SENDING: frozenset(
        {State.APPLIED, State.REFUSED, State.WAITING, State.NOT_SENT, State.UNKNOWN}
    ),
    State.UNKNOWN: frozenset(
        {State.APPLIED, State.NOT_APPLIED, State.SUPERSEDED, State.NEEDS_HUMAN}
    ),
    State.NEEDS_HUMAN: frozenset({State.APPLIED, State.NOT_APPLIED}),
    # When Goody's own answer to the request arrives after all.
    State.NOT_APPLIED: frozenset({State.APPLIED}),
    State.SUPERSEDED: frozenset({State.APPLIED}),
}


class FailureClass(models.TextChoices):
    """Whether a write that did not succeed may have reached Goody."""

    NOT_SENT = "A", "certainly not sent"
    REFUSED = "B", "definitely refused"
    AMBIGUOUS = "C", "may have been sent"


def _literals(states: Collection[State]) -> str:
    return ", ".join(f"'{state}'" for state in states)


# The states are literals, so that both databases use the partial index of open operations.
_OPEN = f"state IN ({_literals(OPEN_STATES)})"
_IS_OPEN = RawSQL(f"orders_operation.{_OPEN}", (), output_field=models.BooleanField())  # noqa: S611
_OF_FORM_OR_OPEN = f"form_key = %s OR (order_uuid = %s AND {_OPEN})"
_BLOCKING = (
    f"order_uuid = %s AND may_take_effect AND state IN ({_literals(CLOSED_BY_READS)})"
    " AND confirmed_at IS NULL ORDER BY created_at DESC"
)


class OperationQuerySet(models.QuerySet["Operation"]):
    def open(self) -> OperationQuerySet:
        return self.filter(state__in=OPEN_STATES)

    def on_orders(self, order_ids: Collection[uuid.UUID]) -> OperationQuerySet:
        return self.filter(order_uuid__in=order_ids)

    def history_of(self, order_ids: Collection[uuid.UUID]) -> tuple[Operation, ...]:
        """Return all writes on these orders, newest first."""
        if not order_ids:
            return ()
        condition, ids = among_ids("order_uuid", order_ids, using=self.db)
        newest_first = f"{condition} ORDER BY created_at DESC"
        return tuple(select_where(Operation, newest_first, [ids], using=self.db))

    def lease_expired(self, now: datetime) -> OperationQuerySet:
        return self.filter(_IS_OPEN, state__in=LEASED_STATES, lease_until__lte=now)

    def due_for_reading(self, now: datetime) -> OperationQuerySet:
        """Return unknown outcomes, and closed operations whose order must be read once more."""
        return self.filter(due_at__lte=now)

    def of_form_or_open(self, form_key: uuid.UUID, order_id: uuid.UUID) -> list[Operation]:
        """Return the operation of a form, and the open one on the order."""
        [key] = database_values(Operation, "form_key", [form_key], using=self.db)
        [order] = database_values(Operation, "order_uuid", [order_id], using=self.db)
        return select_where(Operation, _OF_FORM_OR_OPEN, [key, order], using=self.db)

    def find_blocking(self, order_id: uuid.UUID) -> Operation | None:
        """Return a closed, unconfirmed operation whose POST may still take effect, or None."""
        values = database_values(Operation, "order_uuid", [order_id], using=self.db)
        found = select_where(Operation, _BLOCKING, values, using=self.db)
        return found[0] if found else None

    def insert(self, operation: Operation) -> None:
        """Insert a new operation. Raises IntegrityError if the form or the order has one."""
        insert_row(operation, using=self.db)

    def with_later_notice(self, user_id: int | None) -> OperationQuerySet:
        """Return the person's operations with an unacknowledged notice about a later read."""
        return self.filter(actor_id=user_id, notice_at__isnull=False)

    def transition(self, operation: Operation, to: State, **changes: Any) -> Operation | None:
        """Change the state if the row still has the state of `operation`.

        Return a changed copy, or None if another process changed the state. `operation` is not
        changed, so that a failed transaction can be repeated.
        """
        if to not in TRANSITIONS.get(State(operation.state), frozenset()):
            raise ValueError(f"no transition from {operation.state} to {to}")
        [key] = database_values(Operation, "id", [operation.pk], using=self.db)
        current = [key, str(operation.state)]
        new = {"state": to, **changes}
        if not update_where(Operation, new, "id = %s AND state = %s", current, using=self.db):
            return None
        moved = copy.copy(operation)
        for name, value in new.items():
            setattr(moved, name, value)
        return moved


class Operation(models.Model):
    """One cancel or one change of an expiration, requested by one person. Times are UTC."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    order_uuid = models.UUIDField(db_index=True)
    reference_id = models.TextField(blank=True)
    action = models.CharField(max_length=40)
    state = models.CharField(max_length=20, choices=State, default=State.PLANNED)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=200)

    # The job of which it is one item.
    job = models.ForeignKey("Job", null=True, on_delete=models.PROTECT, related_name="operations")

    # The one-time key of the form, and a hash of everything it requested.
    form_key = models.UUIDField(unique=True)
    params_hash = models.CharField(max_length=64)

    # cancel
    reason = models.CharField(max_length=40, blank=True)
    note = models.TextField(blank=True)
    ticket = models.CharField(max_length=500, blank=True)
    # extend: the instant requested and the one it replaces; the extension that this one undoes
    expiration = models.DateTimeField(null=True)
    expires_before = models.DateTimeField(null=True)
    undoes = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="undone_by"
    )

    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    failure_class = models.CharField(max_length=1, choices=FailureClass, blank=True)
    failure_kind = models.CharField(max_length=40, blank=True)
    # Of an unusable answer: HTTP status, at most 200 redacted bytes, hash of the body.
    evidence = models.JSONField(null=True)
    # Shown beside the state: Goody's own words, or the difference that was found.
    detail = models.TextField(blank=True)

    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    # The POST may still take effect at Goody. Set when it is sent, and reset by Goody's
    # confirmation, or by a worker after OPERATION_EFFECT_WINDOW seconds of its monotonic clock.
    may_take_effect = models.BooleanField(default=False)
    closed_at = models.DateTimeField(null=True)
    # A planned or sending operation is abandoned when its lease has expired.
    lease_until = models.DateTimeField()

    unknown_at = models.DateTimeField(null=True)
    # When the worker reads the order next, and how often it has.
    due_at = models.DateTimeField(null=True, db_index=True)
    reads = models.PositiveIntegerField(default=0)

    # Goody's own answer to the request proved it.
    confirmed_at = models.DateTimeField(null=True)
    # Without that: a read showed the order as requested. Others may have done it.
    effect_seen_at = models.DateTimeField(null=True)
    # The time and the snapshot of a read, some minutes after the proof, that showed otherwise.
    contradicted_at = models.DateTimeField(null=True)
    contradiction = models.JSONField(null=True)
    # A later read showed something unexpected, and the person has not opened the page since.
    notice_at = models.DateTimeField(null=True)

    objects = OperationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["order_uuid"],
                condition=Q(state__in=[str(state) for state in OPEN_STATES]),
                name="one_open_operation_per_order",
            )
        ]
        indexes = [
            models.Index(
                fields=["actor"], condition=Q(notice_at__isnull=False), name="operation_notice"
            ),
            models.Index(
                fields=["order_uuid"],
                condition=Q(may_take_effect=True),
                name="operation_may_take_effect",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.order_uuid} {self.state}"

    def update_fields_from(self, moved: Operation) -> None:
        """Copy every field from `moved`. Callers keep a reference to this object."""
        for field in self._meta.concrete_fields:
            setattr(self, field.attname, getattr(moved, field.attname))

    def is_lease_expired(self, now: datetime) -> bool:
        return self.state in LEASED_STATES and self.lease_until <= now

    @property
    def may_take_effect_until(self) -> datetime | None:
        """The time until which the POST may still take effect; None if nothing was sent.

        It is only for display, because the clock may have been set since. `may_take_effect`
        decides.
        """
        if self.sent_at is None:
            return None
        return self.sent_at + timedelta(seconds=settings.OPERATION_EFFECT_WINDOW)

    @property
    def blocks_order(self) -> bool:
        """Whether the operation was closed without confirmation and may still take effect."""
        is_unproven = self.state in CLOSED_BY_READS and self.confirmed_at is None
        return is_unproven and self.may_take_effect

    @property
    def is_recorded_by_hand_only(self) -> bool:
        """Whether a lead recorded it as applied, and neither an answer nor a read confirmed it."""
        is_proven = self.confirmed_at is not None or self.effect_seen_at is not None
        is_by_hand = self.state == State.APPLIED and self.failure_kind == BY_HAND
        return is_by_hand and not is_proven

    @property
    def is_cancel_in_force(self) -> bool:
        """Whether the operation is a proven cancel that no later check has contradicted."""
        is_applied = self.action == "order.cancel" and self.state == State.APPLIED
        return is_applied and self.contradicted_at is None and not self.is_recorded_by_hand_only

    @property
    def awaits_read_after_refusal(self) -> bool:
        """Whether the order has not been read yet since its POST was refused."""
        is_refused = self.state == State.REFUSED and self.sent_at is not None
        return is_refused and self.after is None and self.due_at is not None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class OperationTextManager(models.Manager["OperationText"]):
    def store(self, operation: Operation) -> None:
        """Store the note and the ticket of a new operation."""
        texts = {
            OperationText.Kind.NOTE: searchable_text(operation.note),
            OperationText.Kind.TICKET: fold_text(operation.ticket),
        }
        self.bulk_create(
            OperationText(order_uuid=operation.order_uuid, kind=kind, folded=folded)
            for kind, folded in texts.items()
            if folded
        )


class OperationText(models.Model):
    """The folded note or ticket of an operation, stored with it and never changed."""

    class Kind(models.TextChoices):
        NOTE = "note"
        TICKET = "ticket"

    id = models.AutoField(primary_key=True)
    order_uuid = models.UUIDField(db_index=True)
    kind = models.CharField(max_length=10, choices=Kind)
    folded = models.TextField()

    objects = OperationTextManager()

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
