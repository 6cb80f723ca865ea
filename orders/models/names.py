"""What many orders share, stored once: products, brands, senders, workspaces, and texts.

An order's row holds their small ids. They are copies of what orders say, kept by orders.index, and
go with the index when it is thrown away.
"""

from __future__ import annotations

from django.db import models


class Label(models.Model):
    """One product, brand, sender or workspace, by the name that Goody gave it last."""

    class Kind(models.TextChoices):
        PRODUCT = "product", "Product"
        BRAND = "brand", "Brand"
        SENDER = "sender", "Sender"
        WORKSPACE = "workspace", "Workspace"

    id = models.AutoField(primary_key=True)
    kind = models.CharField(max_length=10, choices=Kind)
    # Goody's id; of a sender, who has none, the folded address, else the name.
    key = models.TextField()
    name = models.TextField(blank=True)
    folded = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "key"], name="label_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class LabelVersion(models.Model):
    """One row whose token is another after every change of a label: each process keeps a copy of
    them, and sees by it that the copy is old."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    token = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.token


class SearchText(models.Model):
    """A message or a thank-you note, folded, to be searched. Those of a batch are the same text."""

    id = models.AutoField(primary_key=True)
    hash = models.CharField(max_length=32, unique=True)
    folded = models.TextField()

    def __str__(self) -> str:
        return f"text {self.pk}"
