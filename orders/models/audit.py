"""The audit, which triggers of the database make append-only, and the records of reads."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from .operation import Operation
from .statements import database_values, insert_row, select_tuples


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def intents(self) -> AuditEntryQuerySet:
        return self.filter(intent=None)

    def insert(self, **columns: Any) -> None:
        """Insert an entry. It costs a third of create()."""
        insert_row(AuditEntry(**columns), using=self.db)

    def intent_id(self, operation: Operation) -> int:
        """Return the key of the intent of an operation, which has exactly one."""
        key = database_values(AuditEntry, "operation_id", [operation.pk], using=self.db)
        source = "orders_auditentry WHERE operation_id = %s AND intent_id IS NULL"
        [(found,)] = select_tuples(["id"], source, key, using=self.db)
        return int(found)


class AuditEntry(models.Model):
    """An intent, or the outcome of the entry in `intent`. Times are UTC."""

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    actor_name = models.CharField(max_length=200)
    action = models.CharField(max_length=40, db_index=True)
    order_uuid = models.UUIDField(null=True, db_index=True)
    reference_id = models.TextField(blank=True)
    operation = models.ForeignKey(
        "Operation", null=True, on_delete=models.PROTECT, related_name="audit"
    )
    # Also of the entries of its items' operations.
    job = models.ForeignKey("Job", null=True, on_delete=models.PROTECT, related_name="audit")
    intent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="outcomes")
    # cancel: the reason's code; free words beside it
    reason = models.CharField(max_length=40, blank=True)
    note = models.TextField(blank=True)
    ticket = models.CharField(max_length=500, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    outcome = models.CharField(max_length=20, blank=True)
    detail = models.TextField(blank=True)
    request_id = models.CharField(max_length=40, blank=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_name} {self.action}"


class OrderAccess(models.Model):
    """A person read an order or its raw JSON, or copied one of its links. Times are UTC.

    These records are separate from the audit, because each page view adds one and old ones are
    deleted.
    """

    class Kind(models.TextChoices):
        ORDER = "order", "read the order"
        RAW = "raw", "read the raw JSON"
        GIFT_LINK = "gift_link", "copied the gift link"
        PAYMENT_LINK = "payment_link", "copied the payment link"

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind)
    order_uuid = models.UUIDField(db_index=True)
    request_id = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "order accesses"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind} {self.order_uuid}"
