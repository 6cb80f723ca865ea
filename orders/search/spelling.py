"""Corrects misspelled names and addresses to those of existing orders.

Each word of letters is replaced by similar words of the index, which share trigrams with it and are
ranked by edit distance. Combinations of words that are the full name or the address of a recipient,
or the address of a sender, come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nsmallest
from itertools import product
from math import prod
from operator import itemgetter
from typing import NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from orders.models import Label
from orders.text import LETTER_RUNS, letter_runs, trigrams

from .deadline import SearchDeadline

# Candidates of a word that are ranked, and those that are combined with others.
_MAX_CANDIDATES = 300
_MAX_SIMILAR = 12
_MAX_WORDS = 8
_SHORT = 6
_MAX_COMBINATIONS = 5_000
_MAX_LOOKED_UP = 200


class _Word(NamedTuple):
    """A word that may replace a typed one, with its edit distance and dissimilarity."""

    distance: int
    dissimilarity: float
    text: str


def correct_spelling(typed: str, deadline: SearchDeadline, *, limit: int) -> list[str]:
    """Return corrections of a folded text, also folded, the most similar first.

    Names and addresses of existing orders precede other texts. The corrections of an address are
    addresses, then beginnings of addresses. Raises SearchTimeout.
    """
    runs = letter_runs(typed)
    if not runs or len(runs) > _MAX_WORDS:
        return []
    choices = [_similar(run, deadline) for run in runs]
    while prod(map(len, choices)) > _MAX_COMBINATIONS:
        choices = [some[: max(1, len(some) - 1)] for some in choices]
    combined = nsmallest(_MAX_LOOKED_UP, product(*choices), key=_distance)
    texts = [_replaced(typed, words) for words in combined]
    texts = [one for one in dict.fromkeys(texts) if one != typed]
    named = _named(texts, deadline)
    if "@" in typed:
        # Other addresses may begin with the corrected one's local part, as emma.novak12 does.
        starts = dict.fromkeys(one.partition("@")[0] for one in texts)
        return [*(one for one in texts if one in named), *starts][:limit]
    return sorted(texts, key=lambda one: one not in named)[:limit]


def _similar(typed: str, deadline: SearchDeadline) -> list[_Word]:
    """Return the typed word, then similar words of the index, nearest first."""
    wanted, most, size = sorted(_trigrams(typed)), _most_edits(typed), len(typed)
    # Each edit changes the length by one at most: most words need not be grouped.
    rows = deadline.fetch_rows(
        "SELECT word, count(*) FROM orders_spellingtrigram"  # noqa: S608
        f" WHERE trigram IN ({', '.join(['%s'] * len(wanted))})"
        " AND length(word) BETWEEN %s AND %s GROUP BY word HAVING count(*) >= %s"
        " ORDER BY count(*) DESC, abs(length(word) - %s), word LIMIT %s",
        [*wanted, size - most, size + most, _least_shared(typed), size, _MAX_CANDIDATES],
    )
    found = [
        _Word(distance, 1 - JaroWinkler.similarity(typed, word), word)
        for word, _ in rows
        if word != typed and (distance := OSA.distance(typed, word, score_cutoff=most)) <= most
    ]
    # A word that no person has costs as much as the smallest correction.
    own = _Word(0 if typed in (word for word, _ in rows) else 1, 0.0, typed)
    return [own, *sorted(found)[:_MAX_SIMILAR]]


def _trigrams(word: str) -> set[str]:
    """Return the trigrams of the word.

    For a short word, those of the word with two adjacent letters swapped are included, since
    "psot" and "post" have no other trigram in common.
    """
    swaps = range(len(word) - 1) if len(word) < _SHORT else ()
    swapped = (f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}" for at in swaps)
    return trigrams(word).union(*map(trigrams, swapped))


def _least_shared(word: str) -> int:
    return 1 if len(word) < _SHORT else 2


def _most_edits(word: str) -> int:
    return 1 if len(word) < _SHORT else 2 if len(word) < 10 else 3


def _distance(words: Iterable[_Word]) -> tuple[int, float]:
    words = tuple(words)
    return sum(one.distance for one in words), sum(one.dissimilarity for one in words)


def _replaced(typed: str, words: Iterable[_Word]) -> str:
    """Return the text with its first run of letters replaced by the first word, and so on."""
    texts = (one.text for one in words)
    return LETTER_RUNS.sub(lambda _: next(texts), typed)


def _named(texts: Sequence[str], deadline: SearchDeadline) -> set[str]:
    """Return the texts that are a recipient's full name or a recipient's or sender's address."""
    if not texts:
        return set()
    marks = ", ".join(["%s"] * len(texts))
    column = "email_key" if "@" in texts[0] else "name_key"
    sql = f"SELECT DISTINCT {column} FROM orders_order WHERE {column} IN ({marks})"  # noqa: S608
    named = set(map(itemgetter(0), deadline.fetch_rows(sql, texts)))
    senders = Label.objects.filter(kind=Label.Kind.SENDER, key__in=texts)
    return named.union(deadline.fetch_all(senders.values_list("key", flat=True)))
