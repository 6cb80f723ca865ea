"""Limits of sign-in attempts, shared by all web processes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models


class SignInLimitQuerySet(models.QuerySet["SignInLimit"]):
    def delete_old(self, *, now: datetime) -> int:
        """Delete the rows that no attempt has changed for a day, and return their number."""
        count, _ = self.filter(last_at__lt=now - timedelta(days=1)).delete()
        return count


class SignInLimit(models.Model):
    """The failed attempts for one account or from one network address. Times are UTC."""

    # A digest: somebody may have typed a password for the user name.
    key = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)
    blocked_until = models.DateTimeField()

    objects = SignInLimitQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.key[:8]} {self.failures}"
