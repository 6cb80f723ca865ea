"""Heartbeats: the time at which each worker last reported."""

from __future__ import annotations

from django.db import models


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
