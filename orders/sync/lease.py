"""One sync at a time, whoever runs it: a lease on the state row, with a token that fences.

Whoever takes the lease counts the token up. Everything a sync writes, it writes in a transaction
that renews the lease under its own token: one that slept past its lease is refused and rolled back.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from orders.models import SyncState
from orders.models.durability import rebuildable

# Of the lease's length: after this much of it, it is renewed also where nothing is written.
_RENEW_AFTER = 0.3


class LeaseLost(Exception):
    """Somebody else syncs now; nothing more may be written."""


class Lease:
    """The right to sync. Times of the lease are the wall clock's, since processes share it."""

    def __init__(self, token: int) -> None:
        self._token = token
        self._renewed = time.monotonic()

    @classmethod
    def take(cls) -> Lease | None:
        """The lease if nobody holds it. One that lies too far ahead was set by another clock."""
        now, length = timezone.now(), _length()
        state = SyncState.objects.current()
        if state.lease_until is not None and now < state.lease_until <= now + 2 * length:
            return None
        mine = SyncState.objects.filter(token=state.token, lease_until=state.lease_until)
        with rebuildable():
            taken = mine.update(token=state.token + 1, lease_until=now + length)
        return cls(state.token + 1) if taken else None

    def write(self, **changes: Any) -> None:
        """Change the state row and renew the lease. Raises LeaseLost, and nothing is changed."""
        mine = SyncState.objects.filter(token=self._token, lease_until__isnull=False)
        changes.setdefault("lease_until", timezone.now() + _length())
        with rebuildable():
            if not mine.update(**changes):
                raise LeaseLost
        self._renewed = time.monotonic()

    def keep(self) -> None:
        """Renew it if it is time. Raises LeaseLost."""
        if time.monotonic() - self._renewed > settings.SYNC_LEASE * _RENEW_AFTER:
            self.write()

    def release(self) -> None:
        """Let others have it at once."""
        with rebuildable():
            SyncState.objects.filter(token=self._token).update(lease_until=None)


def _length() -> timedelta:
    return timedelta(seconds=settings.SYNC_LEASE)
