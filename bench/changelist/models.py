"""Models of the orders for Django's admin: plain, and tuned for the changelist."""

from __future__ import annotations

from django.db import models

from goody.types import ORDER_STATUSES

_STATUSES = [(one, one) for one in ORDER_STATUSES]


class OrderColumns(models.Model):
    """Columns of both models; `id`, SQLite's rowid, rises in the order of creation."""

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


class PlainOrder(OrderColumns):
    """The plain model: the row contains the API's JSON; the indexes are Django's usual ones."""

    raw = models.JSONField()

    class Meta:
        ordering = ["-created_at"]


class TunedColumns(OrderColumns):
    """The tuned model: no JSON, and an index on every column that is filtered or searched."""

    class Meta:
        abstract = True
        ordering = ["-id"]
        indexes = [
            models.Index(fields=[name], name=f"%(class)s_{name}")
            for name in ("recipient_name", "product", "brand", "sender", "workspace", "is_swapped")
        ]


class TunedOrder(TunedColumns):
    """The tuned table without ANALYZE, which Django does not run."""


class AnalyzedOrder(TunedColumns):
    """The tuned table after ANALYZE, with which filters need no full scan for their values."""
