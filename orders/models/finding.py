"""What was found in a pasted text: which orders it named, and what it named that is none.

The text itself is never stored.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models

LIFETIME = timedelta(days=7)


class FindingQuerySet(models.QuerySet["Finding"]):
    def alive(self, now: datetime) -> FindingQuerySet:
        return self.filter(created_at__gt=now - LIFETIME)

    def expired(self, now: datetime) -> FindingQuerySet:
        return self.filter(created_at__lte=now - LIFETIME)


class Finding(models.Model):
    """A list of certain orders, for a week and for its owner alone."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="findings"
    )
    # Of orders, as texts.
    order_ids = models.JSONField(default=list)
    # Ids, references and addresses that name no order, as people read them.
    missing = models.JSONField(default=list)
    # What is not in the index either, and of which nobody can say that it is nowhere: Goody was
    # not asked for the id, or not every order had been imported.
    unasked = models.JSONField(default=list)
    # Was more named than a finding holds?
    was_cut = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_index=True)

    objects = FindingQuerySet.as_manager()

    def __str__(self) -> str:
        return f"finding {self.pk}"

    @property
    def orders(self) -> tuple[UUID, ...]:
        return tuple(map(UUID, self.order_ids))

    @property
    def expires_at(self) -> datetime:
        return self.created_at + LIFETIME
