"""A lease on the state row lets one process sync at a time, with a fencing token.

Acquiring the lease increments the token. Every transaction of a sync renews the lease with its own
token. If a process was suspended past the end of its lease, the renewal fails and the transaction
is rolled back.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from orders.models import SyncState
from orders.models.durability import non_durable_transaction

# The share of the lease's length after which it is renewed even if nothing is written.
_RENEW_AFTER = 0.3


class LeaseLost(Exception):
    """Another process holds the lease, so nothing more may be written."""


class Lease:
    """The right to sync. It expires by the wall clock, which processes share."""

    def __init__(self, token: int) -> None:
        self._token = token
        self._renewed = time.monotonic()

    @classmethod
    def acquire(cls) -> Lease | None:
        """Return the lease, or None if another process holds it.

        An expiry too far in the future was written before the clock was set back, and is ignored.
        """
        now, length = timezone.now(), _length()
        state = SyncState.objects.current()
        if state.lease_until is not None and now < state.lease_until <= now + 2 * length:
            return None
        unchanged = SyncState.objects.filter(token=state.token, lease_until=state.lease_until)
        with non_durable_transaction():
            acquired = unchanged.update(token=state.token + 1, lease_until=now + length)
        return cls(state.token + 1) if acquired else None

    def update_state(self, **changes: Any) -> None:
        """Update the state row and renew the lease. Raises LeaseLost, and then changes nothing."""
        own = SyncState.objects.filter(token=self._token, lease_until__isnull=False)
        changes.setdefault("lease_until", timezone.now() + _length())
        with non_durable_transaction():
            if not own.update(**changes):
                raise LeaseLost
        self._renewed = time.monotonic()

    def renew_if_due(self) -> None:
        """Renew the lease when due. Raises LeaseLost."""
        if time.monotonic() - self._renewed > settings.SYNC_LEASE * _RENEW_AFTER:
            self.update_state()

    def release(self) -> None:
        """Release the lease, so that another process can acquire it at once."""
        with non_durable_transaction():
            SyncState.objects.filter(token=self._token).update(lease_until=None)


def _length() -> timedelta:
    return timedelta(seconds=settings.SYNC_LEASE)
