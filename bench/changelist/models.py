"""The orders as somebody would model them who has no index in mind, and tuned for the admin."""

from __future__ import annotations

from django.db import models

from goody.types import ORDER_STATUSES

_STATUSES = [(one, one) for one in ORDER_STATUSES]


class Columns(models.Model):
    """What both have; `id` rises in the order of creation, and is what SQLite finds rows by."""

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(unique=True)
    status = models.CharField(max_length=100, choices=_STATUSES, db_index=True)
    recipient_name = models.CharField(max_length=300)
    recipient_email = models.CharField(max_length=300, db_index=True)
    product = models.CharField(max_length=300)
    brand = models.CharField(max_length=300)
    sender = models.CharField(max_length=300)
    workspace = models.CharField(max_length=300)
    reference_id = models.CharField(max_length=100)
    amount_cents = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(db_index=True)
    expires_at = models.DateTimeField(null=True, db_index=True)
    is_swapped = models.BooleanField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.uuid} {self.status}"


class PlainOrder(Columns):
    """The plain model: the API's JSON is in the row; the indexes are the usual ones."""

    raw = models.JSONField()

    class Meta:
        ordering = ["-created_at"]


class Slim(Columns):
    """Without it, and with an index on everything that is filtered or searched."""

    class Meta:
        abstract = True
        ordering = ["-id"]
        indexes = [
            models.Index(fields=[name], name=f"%(class)s_{name}")
            for name in ("recipient_name", "product", "brand", "sender", "workspace", "is_swapped")
        ]


class SlimOrder(Slim):
    """As Django leaves it: without ANALYZE."""


class AnalyzedOrder(Slim):
    """With the statistics by which SQLite finds the few values of a filter without a full scan."""
