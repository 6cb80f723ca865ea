"""Findings: the orders whose identifiers are in a pasted text. The text is never stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import models

LIFETIME = timedelta(days=7)


class FindingQuerySet(models.QuerySet["Finding"]):
    def active(self, now: datetime) -> FindingQuerySet:
        return self.filter(created_at__gt=now - LIFETIME)

    def expired(self, now: datetime) -> FindingQuerySet:
        return self.filter(created_at__lte=now - LIFETIME)


class Finding(models.Model):
    """A fixed list of orders, visible to its owner for a week."""

    class Role(models.TextChoices):
        """The field of an order that contains a value of the text."""

        ORDER = "order", "Order id"
        BATCH = "batch", "Batch"
        RECEIPT = "receipt", "Receipt"
        GIFT_LINK = "gift_link", "Gift link"
        RECIPIENT = "recipient", "Recipient"
        SENDER = "sender", "Sender"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="findings"
    )
    # Order ids as strings.
    order_ids = models.JSONField(default=list)
    # What the text names, in its order, and the orders that have it: see orders.services.findings.
    matches = models.JSONField(default=list)
    # The address of the person who wrote the text, "" if it is not known.
    writer = models.TextField(blank=True, default="")
    # Ids, references and addresses without an order, as shown to people.
    missing = models.JSONField(default=list)
    # Not in the index, but perhaps at Goody: it was not asked for the id, or the first sync was
    # not complete.
    unasked = models.JSONField(default=list)
    # Addresses of our own, which were not looked up.
    left_out = models.JSONField(default=list)
    # Links that mail filters replaced by ones that do not contain them.
    hidden = models.JSONField(default=list)
    # Whether the text named more than a finding holds.
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
