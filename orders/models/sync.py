"""How far the index is filled: one row of state, and the creation windows of a full sync.

orders.sync moves them, by conditional updates under the token of its lease.
"""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Subquery

from .gate import VendorGate

_ONLY = 1


class SyncStateQuerySet(models.QuerySet["SyncState"]):
    def current(self) -> SyncState:
        state, _ = self.get_or_create(pk=_ONLY)
        return state

    def with_gate(self) -> SyncStateQuerySet:
        """With what the gate says, in the same query; also where there is no gate yet."""
        gate = VendorGate.objects.order_by("pk")
        return self.annotate(
            gate_paused_until=Subquery(gate.values("paused_until")[:1]),
            gate_rejected_key=Subquery(gate.values("rejected_key")[:1]),
        )


class SyncState(models.Model):
    """The only row. Times are ours (UTC) but for `watermark`, which is Goody's own."""

    # Who may sync: counted up by each that takes the lease, so that a late one is refused.
    token = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)

    # The full sync: the latest that began, and the latest that ended.
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    total = models.PositiveBigIntegerField(null=True)
    imported = models.PositiveBigIntegerField(default=0)
    known_before = models.PositiveBigIntegerField(default=0)

    is_full_wanted = models.BooleanField(default=False)

    # Why it was stopped for a person to look at; what was accepted is not asked again.
    suspicion = models.TextField(blank=True)
    is_suspicion_accepted = models.BooleanField(default=False)

    # The feed has been read up to here; without one the newest windows are listed again.
    watermark = models.DateTimeField(null=True)
    is_feed_missing = models.BooleanField(default=False)
    tried_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)

    problem = models.TextField(blank=True)
    failing_since = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)

    # Only of with_gate().
    gate_paused_until: datetime | None
    gate_rejected_key: str | None

    objects = SyncStateQuerySet.as_manager()

    def __str__(self) -> str:
        return "state of the sync"

    @property
    def is_complete(self) -> bool:
        """Was every order read once? Never judged by how many rows there are."""
        return self.finished_at is not None

    @property
    def is_full_under_way(self) -> bool:
        if self.started_at is None:
            return False
        return self.finished_at is None or self.finished_at < self.started_at

    @property
    def is_stopped(self) -> bool:
        """Does it wait for an admin?"""
        return bool(self.suspicion) and not self.is_suspicion_accepted


class SyncWindow(models.Model):
    """Orders created between two instants, both inclusive; `after` None is since ever.

    Windows share their bounds, so that an order stored with a fraction of a second lies in one.
    """

    after = models.DateTimeField(null=True)
    before = models.DateTimeField()
    # How many orders it holds: as its parent made likely; as Goody said when it was read.
    expected = models.PositiveBigIntegerField(null=True)
    total = models.PositiveBigIntegerField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-before"]

    def __str__(self) -> str:
        return f"{self.after} to {self.before}"
