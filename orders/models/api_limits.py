"""The limits of calls to Goody that apply to all processes, in one row.

These are a rejected key, a pause that Goody requested, and the rate of calls.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.db import models

from .durability import execute_non_durable
from .statements import database_values, select_where

_ONLY = 1
# A try fails only if another call succeeded, so that this bounds the concurrent callers.
_TRIES = 200
# In SQL of our own: see statements.py.
_TAKE = "UPDATE orders_apilimits SET {0} = %s"
_TAKE_AFTER = _TAKE + " WHERE {0} = %s AND id = %s"
_TAKE_FIRST = _TAKE + " WHERE {0} IS NULL AND id = %s"


class ApiLimitsQuerySet(models.QuerySet["ApiLimits"]):
    def current(self) -> ApiLimits:
        limits = self.get_or_default()
        return limits if limits.pk else self.get_or_create(pk=_ONLY)[0]

    def get_or_default(self) -> ApiLimits:
        """Return `current`, or unsaved defaults if there is no row yet."""
        found = select_where(ApiLimits, "id = %s", [_ONLY], using=self.db)
        return found[0] if found else ApiLimits()

    def reject_key(self, api_key: str, *, now: datetime) -> None:
        """Stop calls with this key (401) until the key changes or an admin checks it."""
        self.current()
        self.filter(pk=_ONLY).update(rejected_key=key_fingerprint(api_key), rejected_at=now)

    def accept_key(self) -> None:
        self.filter(pk=_ONLY).update(rejected_key="", rejected_at=None)

    def pause_until(self, until: datetime) -> None:
        """Stop all calls until the given time (429). A shorter pause never ends a longer one."""
        self.current()
        # A pause that ends days later was set before the clock was set back.
        implausible = until + timedelta(days=1)
        self.filter(pk=_ONLY).filter(
            models.Q(paused_until=None)
            | models.Q(paused_until__lt=until)
            | models.Q(paused_until__gt=implausible)
        ).update(paused_until=until)

    def reserve_call(
        self,
        *,
        now: datetime,
        per_second: float,
        burst: int,
        longest: float,
        limits: ApiLimits | None = None,
    ) -> float | None:
        """Reserve one call; return the seconds until it may start.

        Returns None if that exceeds `longest` seconds; see `reserve_calls`.
        """
        waits = self.reserve_calls(
            1, now=now, per_second=per_second, burst=burst, longest=longest, limits=limits
        )
        return waits[0] if waits else None

    def reserve_calls(
        self,
        count: int,
        *,
        now: datetime,
        per_second: float,
        burst: int,
        longest: float,
        limits: ApiLimits | None = None,
        column: str = "next_call_at",
    ) -> list[float]:
        """Reserve the next `count` calls; return the seconds to wait for each.

        Calls are `1 / per_second` apart; after a quiet time up to `burst` of them may start at
        once. A conditional UPDATE prevents two processes from reserving the same calls. If the
        first wait would exceed `longest` seconds, nothing is reserved and the list is empty.
        `limits` is the row, if it has just been read. `column` is "next_item_at" for the items of
        jobs, which have a pace of their own.
        """
        gap = timedelta(seconds=1 / per_second)
        earliest, last = now - gap * burst, now + timedelta(seconds=longest)
        for _ in range(_TRIES):
            taken: datetime | None = getattr(limits or self.current(), column)
            limits = None
            # No call is reserved that far ahead: the clock was set back.
            is_sane = taken is not None and taken <= last + gap
            place = max(taken, earliest) if taken is not None and is_sane else earliest
            if place > last:
                return []
            if self._take(column, taken, place + gap * count):
                places = (place + gap * number for number in range(count))
                return [max(0.0, (one - now).total_seconds()) for one in places]
        return []

    def _take(self, column: str, taken: datetime | None, then: datetime) -> bool:
        instants = [at for at in (then, taken) if at]
        values = database_values(ApiLimits, column, instants, using=self.db)
        statement = (_TAKE_AFTER if taken else _TAKE_FIRST).format(column)
        return bool(execute_non_durable(statement, [*values, _ONLY], using=self.db))


class ApiLimits(models.Model):
    rejected_key = models.CharField(max_length=64, blank=True)
    rejected_at = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    next_call_at = models.DateTimeField(null=True)
    # When a worker may begin the next item of a job.
    next_item_at = models.DateTimeField(null=True)

    objects = ApiLimitsQuerySet.as_manager()

    def __str__(self) -> str:
        return "limits of calls to Goody"

    def is_key_rejected(self, api_key: str) -> bool:
        return bool(self.rejected_key) and self.rejected_key == key_fingerprint(api_key)

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and self.paused_until > now


def key_fingerprint(api_key: str) -> str:
    """Return a hash that distinguishes keys without storing them."""
    return hashlib.sha256(b"goody-admin:" + api_key.encode()).hexdigest()
