"""Access records: who read which order.

They are separate from the audit, because each page view adds one and old ones are deleted.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models


class OrderAccess(models.Model):
    """A person read an order or its raw JSON, or copied one of its links. Times are UTC."""

    class Kind(models.TextChoices):
        ORDER = "order", "read the order"
        RAW = "raw", "read the raw JSON"
        GIFT_LINK = "gift_link", "copied the gift link"
        PAYMENT_LINK = "payment_link", "copied the payment link"

    at = models.DateTimeField(db_index=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind)
    order_uuid = models.UUIDField(db_index=True)
    request_id = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "order accesses"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind} {self.order_uuid}"
