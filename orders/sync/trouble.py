"""What keeps a sync from going on for now, and how long it waits before it tries again."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import DateTimeField, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from orders.goody_api import CallsBlocked, Paused
from orders.services import why_not_fresh

from .lease import Lease

# At most so long a wait after a first failure, seconds; it doubles with each further one.
_FIRST = 0.5
# After so many, all waits are the longest one.
_MOST_DOUBLINGS = 30
# How soon it is looked whether somebody opened the gate.
_LOOK = timedelta(seconds=5)


class Doubt(Exception):
    """Goody's answers contradict each other, so that nobody can say that all was read."""


class Suspicious(Exception):
    """What we know is missing at Goody: a person must look before it goes on."""


class Trouble:
    """Failures in a row, told on the state row while they last."""

    def __init__(self, lease: Lease, *, chance: Callable[[], float] = random.random) -> None:
        self._lease = lease
        self._chance = chance
        self._count = 0

    def note(self, error: Exception) -> float:
        """A call failed, or none could be made: the seconds to wait. Raises LeaseLost.

        A closed gate is no failure, and is looked at often enough to keep the lease.
        """
        now = timezone.now()
        if isinstance(error, CallsBlocked):
            self._lease.keep()
            until = error.until if isinstance(error, Paused) else now + _LOOK
            return min(max((until - now).total_seconds(), 0.0), _often_enough())
        doublings = min(self._count, _MOST_DOUBLINGS)
        wait = min(self._chance() * _FIRST * 2.0**doublings, _often_enough())
        self._count += 1
        tell(self._lease, why_not_fresh(error), now=now, wait=wait)
        return wait

    def is_over(self) -> None:
        """A call worked."""
        if self._count:
            self._count = 0
            self._lease.write(problem="", failing_since=None, retry_at=None)


def _often_enough() -> float:
    """Seconds after which the lease is renewed in time."""
    return float(settings.SYNC_LEASE) / 4


def tell(lease: Lease, problem: str, *, now: datetime, wait: float) -> None:
    """Say on the state row what is wrong, since when, and when it is tried again."""
    since = Coalesce("failing_since", Value(now, output_field=DateTimeField()))
    retry_at = now + timedelta(seconds=wait)
    lease.write(problem=problem[:500], failing_since=since, retry_at=retry_at)
