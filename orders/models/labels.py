"""Names, texts and words of orders, each stored once.

Orders refer to labels and texts by row id. Words of people's names and addresses correct misspelled
searches. orders.index copies them from orders; they are part of the index, which can be dropped.
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


class Spelling(models.Model):
    """A folded word of letters in the name or address of a recipient or sender.

    It stays when no order contains it any more: corrections without orders are not offered.
    """

    word = models.CharField(max_length=30, primary_key=True)

    def __str__(self) -> str:
        return self.word


class SpellingTrigram(models.Model):
    """Three adjacent characters of a word, to which a space is added at both ends."""

    pk = models.CompositePrimaryKey("trigram", "word")
    trigram = models.CharField(max_length=3)
    word = models.CharField(max_length=30)

    def __str__(self) -> str:
        return f"{self.trigram} {self.word}"
