"""The audit: append-only, by triggers in both databases (see the migration)."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def intents(self) -> AuditEntryQuerySet:
        return self.filter(intent=None)


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
