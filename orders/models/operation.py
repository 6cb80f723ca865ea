"""A write to Goody: from the intent to the proven outcome.

States and the moves between them. Who may make a move, and what is told about it, is decided
in orders.services and orders.outcomes; here a move is a conditional UPDATE whose row count is
looked at, so that it is right on SQLite (where select_for_update locks nothing) as well.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from .statements import marks, prepared, rows_where


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

LEASED_STATES = (State.PLANNED, State.SENDING)

# Closed, as far as is known without a change at Goody. A later read may still correct the last.
WITHOUT_EFFECT = (State.REFUSED, State.NOT_SENT, State.NOT_APPLIED)

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
    # If a later read shows that it did arrive.
    State.NOT_APPLIED: frozenset({State.APPLIED}),
    State.SUPERSEDED: frozenset({State.APPLIED}),
}


class FailureClass(models.TextChoices):
    """Why a write did not simply succeed."""

    NOT_SENT = "A", "certainly not sent"
    REFUSED = "B", "definitely refused"
    AMBIGUOUS = "C", "may have been sent"


class OperationQuerySet(models.QuerySet["Operation"]):
    def open(self) -> OperationQuerySet:
        return self.filter(state__in=OPEN_STATES)

    def on(self, order_ids: Collection[uuid.UUID]) -> OperationQuerySet:
        return self.filter(order_uuid__in=order_ids)

    def history(self, order_ids: Collection[uuid.UUID]) -> tuple[Operation, ...]:
        """All writes on these orders, the newest first."""
        if not order_ids:
            return ()
        ids = prepared(Operation, "order_uuid", order_ids, using=self.db)
        condition = f"order_uuid IN ({marks(ids)}) ORDER BY created_at DESC"
        return tuple(rows_where(Operation, condition, ids, using=self.db))

    def lease_expired(self, now: datetime) -> OperationQuerySet:
        return self.filter(state__in=LEASED_STATES, lease_until__lte=now)

    def due_for_reading(self, now: datetime) -> OperationQuerySet:
        """Unknown outcomes, and those given up that a list gave a reason to look at once more."""
        return self.filter(state__in=(State.UNKNOWN, State.NOT_APPLIED), due_at__lte=now)

    def transition(self, operation: Operation, to: State, **changes: Any) -> Operation | None:
        """Make one move if the row still stands where `operation` saw it.

        Returns the operation as it stands afterwards, or None if somebody else moved it. The
        one given is left as it is, so that a transaction that fails can be tried again.
        """
        if to not in TRANSITIONS.get(State(operation.state), frozenset()):
            raise ValueError(f"no transition from {operation.state} to {to}")
        standing = self.filter(pk=operation.pk, state=operation.state)
        if not standing.update(state=to, **changes):
            return None
        moved = copy.copy(operation)
        for name, value in {"state": to, **changes}.items():
            setattr(moved, name, value)
        return moved


class Operation(models.Model):
    """One cancel or one change of an expiration, asked for by one person (times UTC)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    order_uuid = models.UUIDField(db_index=True)
    reference_id = models.TextField(blank=True)
    action = models.CharField(max_length=40)
    state = models.CharField(max_length=20, choices=State, default=State.PLANNED)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=200)

    # The one-time key of the form, and a hash of all it asked for.
    form_key = models.UUIDField(unique=True)
    params_hash = models.CharField(max_length=64)

    # cancel
    reason = models.CharField(max_length=40, blank=True)
    note = models.TextField(blank=True)
    ticket = models.CharField(max_length=500, blank=True)
    # extend: the instant asked for, and the one it replaces; the extension that this one undoes
    expiration = models.DateTimeField(null=True)
    expires_before = models.DateTimeField(null=True)
    undoes = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="undone_by"
    )

    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    failure_class = models.CharField(max_length=1, choices=FailureClass, blank=True)
    failure_kind = models.CharField(max_length=40, blank=True)
    # Of an answer that was no answer: status, at most 200 redacted bytes, hash of the body.
    evidence = models.JSONField(null=True)
    # What a person is told beside the state: Goody's own words, the difference, who was first.
    detail = models.TextField(blank=True)

    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    # An extension whose answer was lost is sent once more.
    resent_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    # A planned or sending whose lease ran out is taken to be abandoned.
    lease_until = models.DateTimeField()

    # Reading an unknown outcome
    unknown_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True, db_index=True)
    reads = models.PositiveIntegerField(default=0)
    unchanged_reads = models.PositiveIntegerField(default=0)
    first_unchanged_at = models.DateTimeField(null=True)

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

    def __str__(self) -> str:
        return f"{self.action} {self.order_uuid} {self.state}"

    def copy_from(self, moved: Operation) -> None:
        """Take over what a move changed, in the object that others hold."""
        for field in self._meta.concrete_fields:
            setattr(self, field.attname, getattr(moved, field.attname))

    def is_lease_expired(self, now: datetime) -> bool:
        return self.state in LEASED_STATES and self.lease_until <= now

    @property
    def last_sent_at(self) -> datetime | None:
        """A read that began before this says nothing of it."""
        return self.resent_at or self.sent_at

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES
