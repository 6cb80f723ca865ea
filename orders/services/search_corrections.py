"""Suggests searches for similar names when a search finds nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from orders.search import MatchCount, QueryRunner, SearchTimeout
from orders.search.deadline import time_limit
from orders.search.query import Query
from orders.search.spelling import correct_spelling
from orders.search.terms import query_of_words, split_words
from orders.text import LETTER_RUNS, fold_text, normalize_unicode

# Of all that is done for one search.
SECONDS = 0.25
MAX_SIMILAR = 3
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
            for name in correct_spelling(fold_text(words), deadline, limit=_MAX_COUNTED):
                runners = (
                    QueryRunner(deadline, base.merged_with(one), now=now) for one in _queries(name)
                )
                one = next(filter(None, (_search(name, runner) for runner in runners)), None)
                if one is not None:
                    box = " ".join(filter(None, (one.name, rest)))
                    found.append(replace(one, text=box))
                if len(found) == MAX_SIMILAR:
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
