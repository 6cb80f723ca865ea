"""Models for the administrators: heartbeats, and anomalies in Goody's responses."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F


class Heartbeat(models.Model):
    """The heartbeat of one thread of one worker process. Times are UTC."""

    worker = models.CharField(max_length=120)
    role = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["worker", "role"], name="one_heartbeat")]

    def __str__(self) -> str:
        return f"{self.worker} {self.role}"


class AnomalyQuerySet(models.QuerySet["Anomaly"]):
    def record_occurrence(self, kind: str, key: str, *, detail: str = "", now: datetime) -> None:
        """Count one occurrence. The detail of the first occurrence is kept."""
        existing = self.filter(kind=kind, key=key[:200])
        if not existing.update(count=F("count") + 1, last_seen_at=now):
            self.bulk_create(
                [
                    Anomaly(
                        kind=kind,
                        key=key[:200],
                        detail=detail[:2000],
                        first_seen_at=now,
                        last_seen_at=now,
                    )
                ],
                ignore_conflicts=True,
            )


class Anomaly(models.Model):
    class Kind(models.TextChoices):
        UNKNOWN_FIELD = "unknown_field", "Undocumented field"
        UNKNOWN_STATUS = "unknown_status", "Undocumented status"
        BAD_FIELD = "bad_field", "Field of an unexpected type"
        QUARANTINED = "quarantined", "Order that could not be read"

    kind = models.CharField(max_length=30, choices=Kind)
    key = models.CharField(max_length=200)
    detail = models.TextField(blank=True)
    count = models.PositiveIntegerField(default=1)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    objects = AnomalyQuerySet.as_manager()

    class Meta:
        ordering = ["-last_seen_at"]
        verbose_name_plural = "anomalies"
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="anomaly_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
