"""Names and texts that many orders share, stored once; orders refer to them by row id.

They are copied from orders by orders.index and belong to the index, which can be dropped.
"""

from __future__ import annotations

from django.db import models


class Label(models.Model):
    """A product, brand, sender, workspace or greeting card with its latest name."""

    class Kind(models.TextChoices):
        PRODUCT = "product", "Product"
        BRAND = "brand", "Brand"
        SENDER = "sender", "Sender"
        WORKSPACE = "workspace", "Workspace"
        # A greeting card, named by its id.
        CARD = "card", "Card"

    id = models.AutoField(primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind)
    # Goody's id. Senders have none: their folded address, or their folded name.
    key = models.TextField()
    name = models.TextField(blank=True)
    folded = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="label_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class LabelVersion(models.Model):
    """The version of the labels, in a single row.

    The token changes with every change of a label, which invalidates the copies in processes.
    """

    id = models.PositiveSmallIntegerField(primary_key=True)
    token = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.token


class SearchText(models.Model):
    """A folded message or thank-you note for searching. The orders of a batch share one row."""

    id = models.AutoField(primary_key=True)
    hash = models.CharField(max_length=32, unique=True)
    folded = models.TextField()

    def __str__(self) -> str:
        return f"text {self.pk}"
