"""The terms of a search: words, quotes, operators with their values, amounts of money. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple

from orders.text import fold_text, normalize_unicode

from .query import Query

MAX_LETTERS = 10_000
MAX_WORD_LENGTH = 100
# The operators with a value.
OPERATOR_KEYS = (
    *("status", "expires", "created", "amount", "sender", "workspace", "batch", "product"),
    *("brand", "card", "ticket", "is"),
)


class SearchTerm(NamedTuple):
    """A word, or an operator and its value.

    `text` is the whole term as typed. `operator` is "" for a word.
    """

    text: str
    is_excluded: bool
    operator: str
    value: str
    is_quoted: bool


def split_terms(text: str) -> Iterator[SearchTerm]:
    """Yield the terms of a text to which `normalize_text` was applied."""
    for match in _TERM.finditer(text):
        minus, operator, quoted, bare = match.groups()
        is_quoted = quoted is not None
        value = quoted if is_quoted else bare
        yield SearchTerm(match[0], bool(minus), (operator or "").lower(), value, is_quoted)


def drop_introducing_words(terms: list[SearchTerm]) -> list[SearchTerm]:
    """Return the terms without introducing words, such as "order" in "order 1234"."""
    return [
        one
        for one, following in zip_longest(terms, terms[1:])
        if not _is_introducing(one, following)
    ]


def _is_introducing(term: SearchTerm, following: SearchTerm | None) -> bool:
    """Whether a word only introduces the following term, such as "receipt" or "Ms"."""
    is_word = is_searchable_term(term) and not term.is_quoted
    is_before_word = following is not None and is_searchable_term(following)
    return is_word and is_before_word and INTRODUCING_WORD.fullmatch(term.value) is not None


def split_words(text: str) -> tuple[str, str]:
    """Return the words of a text, and its other terms: operators, exclusions and quotes."""
    words: list[str] = []
    rest: list[str] = []
    for term in split_terms(normalize_unicode(text[:MAX_LETTERS])):
        is_word = not (term.operator or term.is_excluded or term.is_quoted)
        (words if is_word else rest).append(term.text)
    return " ".join(words), " ".join(rest)


def query_of_words(text: str) -> Query:
    """Return the query of the words and quotes of a text, without its operators and exclusions."""
    all_terms = split_terms(normalize_unicode(text[:MAX_LETTERS]))
    return Query(words=tuple(folded_term_text(one) for one in all_terms if is_searchable_term(one)))


def is_searchable_term(term: SearchTerm) -> bool:
    return not (term.operator or term.is_excluded)


def folded_term_text(term: SearchTerm) -> str:
    """Return the folded text of a term.

    Unless it is quoted, signs around it and a prefix such as "ref:" are removed. The dollar sign of
    an amount is kept.
    """
    folded = fold_text(term.value[:MAX_WORD_LENGTH])[:MAX_WORD_LENGTH]
    if term.is_quoted:
        return folded
    if is_dollar_amount(money := folded.rstrip(".,;")):
        return money
    return _SIGNS_AROUND.sub("", folded if term.operator else _INTRODUCING_PREFIX.sub("", folded))


# Possessive by construction: no character is read twice.
_TERM = re.compile(
    rf'(?=\S)(-*)(?:({"|".join(OPERATOR_KEYS)}):)?(?:"([^"]*)"|("?[^\s"]*))', re.IGNORECASE
)
INTRODUCING_WORD = re.compile(r"(?:#|ref|reference|receipt|order|mr|mrs|ms)[.:#]*", re.IGNORECASE)
_INTRODUCING_PREFIX = re.compile(r"^(?:ref|reference|receipt|order)[.:#]+(?=\w)")
_SIGNS_AROUND = re.compile(r"^[\W_]+|[\W_]+$")


class AmountRange(NamedTuple):
    """Amounts in US cents from `start` up to `end`, which is excluded; None means unbounded."""

    start: int | None = None
    end: int | None = None


def parse_amount(value: str) -> AmountRange | None:
    """Return the range of amounts for a text such as "44.10", "$1,250" or ">100".

    The range of "44" is $44.00 to $44.99. Return None if the text is not an amount.
    """
    match = _AMOUNT.fullmatch(value)
    if match is None:
        return None
    comparison, dollars, cents = match.groups()
    exact = int(dollars.replace(",", "")) * 100 + int((cents or "").ljust(2, "0"))
    match comparison:
        case ">":
            return AmountRange(start=exact + 1)
        case ">=":
            return AmountRange(start=exact)
        case "<":
            return AmountRange(end=exact)
        case "<=":
            return AmountRange(end=exact + 1)
    return AmountRange(exact, exact + (1 if cents else 100))


def is_dollar_amount(word: str) -> bool:
    """Whether a word is an amount with a dollar sign, such as "$44.10"."""
    return word.startswith("$") and parse_amount(word) is not None


_AMOUNT = re.compile(r"(>=|<=|>|<)?\$?(\d{1,3}(?:,\d{3}){1,3}|\d{1,9})(?:\.(\d{1,2}))?")
