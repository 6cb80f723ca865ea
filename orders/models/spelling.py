"""The words of people's names and addresses, from which misspelled searches are corrected.

Part of the index, which can be dropped. A word stays when no order has it any more: corrections
without orders are not offered.
"""

from __future__ import annotations

from django.db import models


class Spelling(models.Model):
    """A folded word of letters in the name or address of a recipient or sender."""

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
