"""Suggests searches for similar names and addresses when a search finds nothing.

Each word of letters is replaced by similar words of the index, which share trigrams with it and are
ranked by edit distance. Combinations of words that are the full name or the address of a recipient,
or the address of a sender, come first; those without matches are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import nsmallest
from itertools import product
from math import prod
from operator import itemgetter
from typing import NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from orders.models import Label
from orders.text import LETTER_RUNS, fold_text, letter_runs, normalize_unicode, trigrams

from .deadline import SearchDeadline, SearchTimeout, time_limit
from .query import Query
from .query_runner import MatchCount, QueryRunner
from .terms import query_of_words, split_words

# Candidates of a word that are ranked, and those that are combined with others.
_MAX_CANDIDATES = 300
_MAX_SIMILAR = 12
_MAX_WORDS = 8
_SHORT = 6
_MAX_COMBINATIONS = 5_000
_MAX_LOOKED_UP = 200

# Of all that is done for one search.
SECONDS = 0.25
_MAX_SEARCHES = 3
_MAX_COUNTED = 8
_COUNTED_TO = 1_000
# Unlike an address or the beginning of one.
_NAME = re.compile(r"[^@._\d]+")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class SimilarSearch:
    """A search for a name or address that is similar to the typed one.

    `text` is the text for the search box, `name` the name or address as spelled in an order,
    `count` the number of matches.
    """

    text: str
    name: str
    count: MatchCount


@dataclass(frozen=True, slots=True)
class SimilarSearches:
    """Searches for similar names. Unless `is_complete`, the deadline ended the search for more."""

    searches: tuple[SimilarSearch, ...]
    is_complete: bool


def similar_searches(text: str, *, base: Query, now: datetime) -> SimilarSearches:
    """Return searches for texts similar to one without matches, most similar first.

    Each of them has matches. `base` has the other conditions of the search, which are no words.
    Never raises SearchTimeout.
    """
    words, rest = split_words(text)
    base = base.merged_with(query_of_words(rest))
    found: list[SimilarSearch] = []
    try:
        with time_limit(SECONDS) as deadline:
            for name in _correct(fold_text(words), deadline, limit=_MAX_COUNTED):
                runners = (
                    QueryRunner(deadline, base.merged_with(one), now=now) for one in _queries(name)
                )
                one = next(filter(None, (_search(name, runner) for runner in runners)), None)
                if one is not None:
                    box = " ".join(filter(None, (one.name, rest)))
                    found.append(replace(one, text=box))
                if len(found) == _MAX_SEARCHES:
                    break
    except SearchTimeout:
        return SimilarSearches(tuple(found), is_complete=False)
    return SimilarSearches(tuple(found), is_complete=True)


def _queries(folded: str) -> Iterator[Query]:
    """Yield the queries of a corrected text.

    An address is searched as that of a recipient first, then as that of a sender.
    """
    if "@" in folded:
        yield Query(emails=(folded,))
    yield query_of_words(folded)


def _search(folded: str, runner: QueryRunner) -> SimilarSearch | None:
    """Return the search for a corrected text, None if it has no match."""
    rows = runner.fetch_rows(1, selected="o.recipient_name")
    if not rows:
        return None
    name = _as_written(folded, rows[0][2])
    return SimilarSearch(name, name, runner.count_matches(_COUNTED_TO))


def _as_written(folded: str, recipient: str) -> str:
    """Return the text with its words in the spelling of the recipient's name."""
    if not _NAME.fullmatch(folded):
        return folded
    spellings = {fold_text(word): word for word in _WORD.findall(normalize_unicode(recipient))}
    return LETTER_RUNS.sub(lambda run: spellings.get(run[0], run[0]), folded)


class _Word(NamedTuple):
    """A word that may replace a typed one, with its edit distance and dissimilarity."""

    distance: int
    dissimilarity: float
    text: str


def _correct(typed: str, deadline: SearchDeadline, *, limit: int) -> list[str]:
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
