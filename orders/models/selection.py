"""Selections: the orders that a person chose for a bulk action, with their snapshots."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec
from django.conf import settings
from django.db import models

from .job import Job

LIFETIME = timedelta(hours=24)


class FrozenOrder(NamedTuple):
    """An order of a selection.

    `snapshot` (eligibility.order_snapshot) and `content_hash` (of the index) are those of the
    moment of selection. In a selection that undoes a bulk extension, `expiration` is the
    former one, and `undoes_id` the operation to undo.
    """

    order_id: UUID
    snapshot: dict[str, Any]
    content_hash: str
    expiration: datetime | None = None
    undoes_id: UUID | None = None

    def serialize(self) -> list[Any]:
        """Return the JSON value that a selection stores."""
        return list(msgspec.to_builtins(self))


class SelectionQuerySet(models.QuerySet["Selection"]):
    def active(self, now: datetime) -> SelectionQuerySet:
        return self.filter(created_at__gt=now - LIFETIME)

    def expired(self, now: datetime) -> SelectionQuerySet:
        return self.filter(created_at__lte=now - LIFETIME)


class Selection(models.Model):
    """A fixed list of orders for one action, visible to its owner for a day.

    `description` is the list in words from which they were selected, `list_url` its URL.
    """

    class Action(models.TextChoices):
        """The values are those of audit.Action."""

        EXTEND = "order.extend", "Extend"
        CANCEL = "order.cancel", "Cancel"
        EXPORT = "order.export", "Download CSV"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="selections"
    )
    action = models.CharField(max_length=40, choices=Action)
    description = models.TextField(blank=True, default="")
    list_url = models.TextField(blank=True, default="")
    # As of FrozenOrder.serialize, in the order of the list.
    orders = models.JSONField(default=list)
    # The job whose extensions the selection undoes.
    undoes = models.ForeignKey(Job, null=True, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_index=True)

    objects = SelectionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"selection {self.pk}"

    @property
    def frozen_orders(self) -> list[FrozenOrder]:
        return msgspec.convert(self.orders, list[FrozenOrder])

    @property
    def order_ids(self) -> tuple[UUID, ...]:
        return tuple(UUID(one[0]) for one in self.orders)

    @property
    def expires_at(self) -> datetime:
        return self.created_at + LIFETIME
