"""Stores the words of people's names and addresses, from which searches are corrected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Any

from django.db import connections

from orders.models.statements import placeholders
from orders.text import letter_runs, trigrams

from .statements import VALUES_AT_ONCE, BulkInsert

_WORDS = BulkInsert("INSERT INTO orders_spelling (word)", "(%s)", "ON CONFLICT DO NOTHING")
_TRIGRAMS = BulkInsert(
    "INSERT INTO orders_spellingtrigram (trigram, word)", "(%s, %s)", "ON CONFLICT DO NOTHING"
)


def store_spellings(people: Iterable[str], *, using: str) -> None:
    """Store the new words of these folded names and addresses. Two writers may store the same."""
    words = {word for text in people for word in letter_runs(text)}
    with connections[using].cursor() as cursor:
        fresh = sorted(words.difference(_known(cursor, words)))
        if fresh:
            _WORDS.run(cursor, [(word,) for word in fresh])
            _TRIGRAMS.run(cursor, [(one, word) for word in fresh for one in sorted(trigrams(word))])


def _known(cursor: Any, words: Iterable[str]) -> Iterator[str]:
    for some in batched(words, VALUES_AT_ONCE):
        sql = f"SELECT word FROM orders_spelling WHERE word IN ({placeholders(some)})"  # noqa: S608
        cursor.execute(sql, some)
        yield from (word for (word,) in cursor.fetchall())
