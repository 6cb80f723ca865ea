"""How far the index is filled: one row of state, and the creation windows of a full sync.

orders.sync moves them, by conditional updates under the token of its lease.
"""

from __future__ import annotations

from django.db import models

from orders.text import FOLDING_VERSION

from .api_limits import ApiLimits
from .statements import row_beside, rows_where

_ONLY = 1


class SyncStateQuerySet(models.QuerySet["SyncState"]):
    def current(self) -> SyncState:
        state, _ = self.get_or_create(pk=_ONLY)
        return state

    def look(self) -> SyncState | None:
        """As `current`, without making one."""
        found = rows_where(SyncState, "id = %s", [_ONLY], using=self.db)
        return found[0] if found else None

    def get_with_limits(self) -> tuple[SyncState | None, ApiLimits]:
        """As `look`, and the gate in the same read: the frame of every page tells of both."""
        state, limits = row_beside(SyncState, ApiLimits, _ONLY, using=self.db) or (None, None)
        return state, limits or ApiLimits()


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
    # When changes were last looked for, last found all, when orders were last read in turn.
    tried_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)
    reread_at = models.DateTimeField(null=True)

    # When the feed had told the creation times of all orders of the latest full sync.
    dated_at = models.DateTimeField(null=True)

    # The comparison of counts: the latest that began and that ended, and what it found: orders
    # that the index lacked, had in an older form, and has although Goody lists them no more.
    reconcile_started_at = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(null=True)
    drift_new = models.PositiveBigIntegerField(default=0)
    drift_changed = models.PositiveBigIntegerField(default=0)
    drift_missing = models.PositiveBigIntegerField(default=0)

    # How the index is folded (orders.text), and up to which order it has been folded again.
    folding_version = models.PositiveSmallIntegerField(default=FOLDING_VERSION)
    refolded_until = models.UUIDField(null=True)

    problem = models.TextField(blank=True)
    failing_since = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)

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
    def is_refolding(self) -> bool:
        """Is a part of the index folded in another way than searches are?"""
        return self.folding_version != FOLDING_VERSION

    @property
    def is_dated(self) -> bool:
        return self.dated_at is not None and self.dated_at >= (self.finished_at or self.dated_at)

    @property
    def is_reconcile_under_way(self) -> bool:
        if self.reconcile_started_at is None:
            return False
        return self.reconciled_at is None or self.reconciled_at < self.reconcile_started_at

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
    # How many the window held that this one was cut from.
    cut_from = models.PositiveBigIntegerField(null=True)
    # How many orders it held when it was read, and how many more the index has of that time:
    # those that Goody lists no more.
    total = models.PositiveBigIntegerField(null=True)
    extra = models.BigIntegerField(default=0)
    # When it was read, when its orders were dated by the feed, when it was last counted again.
    done_at = models.DateTimeField(null=True)
    dated_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-before"]

    def __str__(self) -> str:
        return f"{self.after} to {self.before}"


class SeenActivity(models.Model):
    """An activity of the time that is looked at again, by Goody's id: it is no news any more."""

    id = models.UUIDField(primary_key=True)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.id} at {self.at}"
