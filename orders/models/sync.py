"""The state of the sync: one row, the windows of a full sync, and known activities.

orders.sync changes them by conditional updates with the token of its lease.
"""

from __future__ import annotations

from django.db import models

from orders.text import FOLDING_VERSION

from .api_limits import ApiLimits
from .statements import select_from_two_models, select_where

_ONLY = 1


class SyncStateQuerySet(models.QuerySet["SyncState"]):
    def current(self) -> SyncState:
        state, _ = self.get_or_create(pk=_ONLY)
        return state

    def get_or_none(self) -> SyncState | None:
        """Return `current`, or None instead of creating the row."""
        found = select_where(SyncState, "id = %s", [_ONLY], using=self.db)
        return found[0] if found else None

    def get_with_limits(self) -> tuple[SyncState | None, ApiLimits]:
        """Return the state (or None) and the API limits by one query: every page reads them."""
        state, limits = select_from_two_models(SyncState, ApiLimits, _ONLY, using=self.db) or (
            None,
            None,
        )
        return state, limits or ApiLimits()


class SyncState(models.Model):
    """The state of the sync, in a single row.

    Times are UTC by our clock, except `watermark`, which is Goody's.
    """

    # The fencing token: acquiring the lease increments it, and writes under an earlier token are
    # refused.
    token = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)

    # The start of the latest full sync, and the end of the latest complete one.
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    total = models.PositiveBigIntegerField(null=True)
    imported = models.PositiveBigIntegerField(default=0)
    known_before = models.PositiveBigIntegerField(default=0)

    is_full_wanted = models.BooleanField(default=False)

    # Why the sync stopped for an admin, and whether an admin has resumed it.
    suspicion = models.TextField(blank=True)
    is_suspicion_accepted = models.BooleanField(default=False)

    # The feed has been read up to here. Without a feed, the newest windows are listed again.
    watermark = models.DateTimeField(null=True)
    is_feed_missing = models.BooleanField(default=False)
    # The latest start of a round, the latest complete round, the latest rereads.
    tried_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)
    reread_at = models.DateTimeField(null=True)

    # When the backfill of creation times after the latest full sync was complete.
    backfilled_at = models.DateTimeField(null=True)

    # The nightly comparison: its latest start and end, and the orders that it found to be unknown,
    # out of date, and not listed any more.
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
        """Whether a full sync has been completed. It is never derived from the number of rows."""
        return self.finished_at is not None

    @property
    def is_full_sync_running(self) -> bool:
        if self.started_at is None:
            return False
        return self.finished_at is None or self.finished_at < self.started_at

    @property
    def is_refolding(self) -> bool:
        """Whether a part of the index was folded by another version than the present one."""
        return self.folding_version != FOLDING_VERSION

    @property
    def is_backfilled(self) -> bool:
        return self.backfilled_at is not None and self.backfilled_at >= (
            self.finished_at or self.backfilled_at
        )

    @property
    def is_reconcile_under_way(self) -> bool:
        if self.reconcile_started_at is None:
            return False
        return self.reconciled_at is None or self.reconciled_at < self.reconcile_started_at

    @property
    def is_stopped(self) -> bool:
        """Whether the sync waits for an admin."""
        return bool(self.suspicion) and not self.is_suspicion_accepted


class SyncWindow(models.Model):
    """The window of orders created between two instants, both inclusive.

    `after` None means no lower bound. Adjacent windows share a bound, so that an order stored with
    a fraction of a second is in one of them.
    """

    after = models.DateTimeField(null=True)
    before = models.DateTimeField()
    # The total of the window that was split into this one and others.
    split_from = models.PositiveBigIntegerField(null=True)
    # The number of orders when the window was read, and how many more the index has: those that
    # Goody does not list any more.
    total = models.PositiveBigIntegerField(null=True)
    extra = models.BigIntegerField(default=0)
    # When it was read, backfilled, and last compared.
    done_at = models.DateTimeField(null=True)
    backfilled_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-before"]

    def __str__(self) -> str:
        return f"{self.after} to {self.before}"


class SeenActivity(models.Model):
    """The id of a processed activity, stored as long as the feed may be read there again."""

    id = models.UUIDField(primary_key=True)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.id} at {self.at}"
