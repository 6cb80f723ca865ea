"""The gate to Goody: what must hold in every process at once, as one row.

A key that Goody rejected, a wait that Goody asked for, and the pace of calls.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.db import connections, models

from .durability import rebuildable
from .statements import prepare_values, select_where

_ONLY = 1
# Each failed try is somebody else's success, so that this bounds the callers at one moment.
_TRIES = 200
# In SQL of our own: see statements.py.
_TAKE = "UPDATE orders_apilimits SET next_call_at = %s"
_TAKE_AFTER = f"{_TAKE} WHERE next_call_at = %s AND id = %s"
_TAKE_FIRST = f"{_TAKE} WHERE next_call_at IS NULL AND id = %s"


class ApiLimitsQuerySet(models.QuerySet["ApiLimits"]):
    def current(self) -> ApiLimits:
        limits = self.look()
        return limits if limits.pk else self.get_or_create(pk=_ONLY)[0]

    def look(self) -> ApiLimits:
        """As `current`, without making one: unsaved defaults where there is none yet."""
        found = select_where(ApiLimits, "id = %s", [_ONLY], using=self.db)
        return found[0] if found else ApiLimits()

    def reject_key(self, api_key: str, *, now: datetime) -> None:
        """Close the gate to this key (401). Another key, or an admin's check, opens it again."""
        self.current()
        self.filter(pk=_ONLY).update(rejected_key=fingerprint(api_key), rejected_at=now)

    def accept_key(self) -> None:
        self.filter(pk=_ONLY).update(rejected_key="", rejected_at=None)

    def pause_until(self, until: datetime) -> None:
        """Honor a wait that Goody asked for (429); a shorter one never ends a longer one."""
        self.current()
        # One that lies days ahead was set before the clock was set back.
        gone_astray = until + timedelta(days=1)
        self.filter(pk=_ONLY).filter(
            models.Q(paused_until=None)
            | models.Q(paused_until__lt=until)
            | models.Q(paused_until__gt=gone_astray)
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
        """As reserve_calls, for one; returns the seconds to wait, or None."""
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
    ) -> list[float]:
        """Take the next `count` places in the common pace; return the seconds to wait for each.

        Places are `1 / per_second` apart; up to `burst` of them may be taken at once after a
        quiet time. A conditional UPDATE decides, so that processes never share a place. Empty, and
        no place taken, if the first wait would be over `longest` seconds. `gate` is the row where
        it was read just now.
        """
        gap = timedelta(seconds=1 / per_second)
        rested, last = now - gap * burst, now + timedelta(seconds=longest)
        for _ in range(_TRIES):
            taken = (limits or self.current()).next_call_at
            limits = None
            # Nobody takes a place that far ahead: the clock was set back.
            is_sane = taken is not None and taken <= last + gap
            place = max(taken, rested) if taken is not None and is_sane else rested
            if place > last:
                return []
            if self._take(taken, place + gap * count):
                places = (place + gap * number for number in range(count))
                return [max(0.0, (one - now).total_seconds()) for one in places]
        return []

    def _take(self, taken: datetime | None, then: datetime) -> bool:
        connection = connections[self.db]
        instants = [at for at in (then, taken) if at]
        values = prepare_values(ApiLimits, "next_call_at", instants, using=self.db)
        with rebuildable(using=self.db), connection.cursor() as cursor:
            cursor.execute(_TAKE_AFTER if taken else _TAKE_FIRST, [*values, _ONLY])
            return bool(cursor.rowcount)


class ApiLimits(models.Model):
    rejected_key = models.CharField(max_length=64, blank=True)
    rejected_at = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    next_call_at = models.DateTimeField(null=True)

    objects = ApiLimitsQuerySet.as_manager()

    def __str__(self) -> str:
        return "gate to Goody"

    def is_key_rejected(self, api_key: str) -> bool:
        return bool(self.rejected_key) and self.rejected_key == fingerprint(api_key)

    def is_paused(self, now: datetime) -> bool:
        return self.paused_until is not None and self.paused_until > now


def fingerprint(api_key: str) -> str:
    """Tells keys apart without storing one."""
    return hashlib.sha256(b"goody-admin:" + api_key.encode()).hexdigest()
