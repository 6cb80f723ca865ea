"""Parses the text of the search box into a `Query`.

A word matches any field that the person may see, and every word must match; signs around a word
are ignored ("Bolena, Ana" is two words). A quoted phrase ("Ana B") matches as it is written, and so
do quoted signs ("&", "a-"). One or two letters match the start of a word. A minus excludes (-ana,
-"Ana B", -status:paid). `OPERATORS` search single fields: no space follows the colon, a value with
spaces is quoted (sender:"Ana B"), case is ignored. Different operators narrow the search, a
repeated one widens it (status:paid status:shipped), except for dates, which are the two ends of a
window. Words such as "receipt" or "Ms" before another word are ignored, and "$44.10" is also
an amount.

No text is an error. An unknown operator is a word (12:30, https://...), and so is an unclosed
quote. An operator with an invalid value is left out, and `ParsedQuery.problems` explains it.

Time and memory are linear in the length of the text, and the size of the query is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from goody.types import ENDED, ORDER_STATUSES
from orders.days import RequestClock
from orders.text import fold_text, normalize_unicode

from . import dates
from .dates import FutureWindows, PastWindows, RelativeWindows, TimeWindow
from .query import FilterChoice, Query
from .terms import (
    INTRODUCING_WORD,
    MAX_LETTERS,
    MAX_WORD_LENGTH,
    SearchTerm,
    drop_introducing_words,
    folded_term_text,
    is_searchable_term,
    parse_amount,
    split_terms,
)

MAX_TERMS = 32
_MAX_QUOTED = 50


@dataclass(frozen=True, slots=True)
class SearchOperator:
    """An operator as listed in the help. `name` is the text before the value."""

    name: str
    example: str
    meaning: str


OPERATORS = (
    SearchOperator("status:", "status:opened,notified", "Orders in one of these statuses"),
    SearchOperator("expires:", "expires:<7d", "Expiring within 7 days; >3d is later than that"),
    SearchOperator("expires:", "expires:2026-10-12", "Expiring on a day, in a month or in a year"),
    SearchOperator(
        "expires:", "expires:past", "Past their expiration; none: those that never expire"
    ),
    SearchOperator("created:", "created:2026-10", "Created on a day, in a month or in a year"),
    SearchOperator("created:", "created:this-month", "Created this month; also last-month, today"),
    SearchOperator("created:", "created:>=2026-10-01", "Created from a day on; also >, <= and <"),
    SearchOperator("created:", "created:<30d", "Created in the last 30 days; >30d is before that"),
    SearchOperator(
        "sender:", 'sender:"Ana B"', "Sent by a person; part of a name or e-mail address"
    ),
    SearchOperator(
        "amount:", "amount:44.10", "With this amount, as $44.10 alone; 44 is any of $44"
    ),
    SearchOperator("amount:", "amount:>100", "With more than $100.00; also >=, < and <="),
    SearchOperator("workspace:", "workspace:sales", "In a workspace; part of its name"),
    SearchOperator("batch:", "batch:1a2b3c4d", "In a batch; its id or the beginning of it"),
    SearchOperator("product:", "product:candle", "With a product; part of its name"),
    SearchOperator("brand:", "brand:acme", "With something of a brand; part of its name"),
    SearchOperator("card:", "card:1a2b3c4d", "With a greeting card; part of its id"),
    SearchOperator("ticket:", "ticket:ZD-1234", "Changed by us for a ticket; part of its name"),
    SearchOperator("is:", "is:swapped", "The recipient chose something else"),
    SearchOperator("is:", "is:expired", "Past the expiration and never accepted"),
    SearchOperator("is:", "is:unpaid", "Accepted, and payment is pending"),
    SearchOperator("is:", "is:trouble", "A delivery is in trouble"),
    SearchOperator("is:", "is:odd", "Goody sent a value that cannot be read"),
    SearchOperator("is:", "is:attention", "Any of the last three, or an outcome is being checked"),
    SearchOperator(
        "-", "-status:delivered", "Without these: before a word, a quote or an operator"
    ),
    SearchOperator('"', '"ana b"', "Exactly this, spaces and signs included"),
)

# "status: expires: ...": each operator with a value once.
OPERATOR_NAMES = " ".join(dict.fromkeys(one.name for one in OPERATORS if one.name.endswith(":")))


class ParsedTerm(NamedTuple):
    """A term as typed, and its query.

    A term with several values has one ParsedTerm for each. `rest` is the term without this value:
    "status:paid" if the term is "status:paid,shipped" and the query is for "shipped".
    """

    text: str
    query: Query
    rest: str = ""


_NO_CONDITION = Query()


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """A text as typed, its query, and a sentence for each invalid term.

    `names` are the folded full names that the words may form. `exact` is the query for the ids and
    addresses in the text, and `without_exact` is the text without them.
    """

    text: str
    query: Query
    problems: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    terms: tuple[ParsedTerm, ...] = ()
    exact: Query = _NO_CONDITION
    without_exact: str = ""

    def text_without(self, terms: Iterable[ParsedTerm]) -> str:
        """Return the typed text without these terms."""
        text = normalize_unicode(self.text)
        for term in terms:
            text = _cut(text, term)
        return text


def _cut(text: str, term: ParsedTerm) -> str:
    """Return the text without the term and the words that introduce it.

    An occurrence within another term is removed only if there is no other.
    """
    pattern = re.escape(term.text)
    before_it = rf"(?:(?<!\S){INTRODUCING_WORD.pattern}\s+)*"
    match = re.search(rf"(?i:{before_it})(?<!\S){pattern}(?!\S)", text) or re.search(pattern, text)
    if match is None:
        return ""
    before, after = text[: match.start()].rstrip(), text[match.end() :].lstrip()
    return " ".join(filter(None, (before, term.rest, after)))


class InvalidOperatorValue(Exception):
    """The operator does not accept this value. The message names the accepted values."""


type _Reader = Callable[[SearchTerm, RequestClock], Query]


def parse_query(text: str, *, now: datetime, zone: ZoneInfo) -> ParsedQuery:
    """Parse the text of the search box. An invalid text raises nothing; see `problems`.

    `now` is aware; days are days of `zone`. The caller sets `may_search_messages` on the query.
    """
    clock = RequestClock(now, zone)
    parsed: list[ParsedTerm] = []
    problems: list[str] = []
    words: list[SearchTerm] = []
    typed = normalize_unicode(text[:MAX_LETTERS])
    all_terms = list(islice(split_terms(typed), MAX_TERMS + 1))
    if len(all_terms) > MAX_TERMS:
        problems.append(f"Only the first {MAX_TERMS} words are searched for.")
    for term in drop_introducing_words(all_terms[:MAX_TERMS]):
        try:
            parsed += _parse(term, clock)
        except InvalidOperatorValue as invalid:
            problems.append(f"“{_short(term.text)}” is not understood; {invalid}.")
        if is_searchable_term(term):
            words.append(term)
    query = reduce(Query.merged_with, (term.query for term in parsed), Query())
    if typed.strip() and not problems and query.matches_all_orders:
        problems.append(
            f"“{_short(typed.strip())}” has no letter or digit; put signs into quotes to search "
            "for them."
        )
    return ParsedQuery(text, query, tuple(problems), _names(words), tuple(parsed))


def _parse(term: SearchTerm, clock: RequestClock) -> list[ParsedTerm]:
    """Return the parsed terms: one for each status of a list, so that each can be removed alone.

    Raises InvalidOperatorValue.
    """
    read = _READERS[term.operator]
    query = read(term, clock)
    if term.operator != "status" or term.is_quoted or "," not in term.value:
        return [ParsedTerm(term.text, query)]
    values: dict[Query, list[str]] = {}
    for value in filter(None, term.value.split(",")):
        values.setdefault(read(term._replace(value=value), clock), []).append(value)
    return [
        ParsedTerm(term.text, one, _without_values(term, removed))
        for one, removed in values.items()
    ]


def _without_values(term: SearchTerm, removed: Sequence[str]) -> str:
    operator = term.text[: len(term.text) - len(term.value)]
    kept = [value for value in term.value.split(",") if value and value not in removed]
    return operator + ",".join(kept) if kept else ""


def _names(typed: Sequence[SearchTerm]) -> tuple[str, ...]:
    """Return the full names that the words may form, folded.

    These are the words as typed ("Ana B.") without signs, and in the order first name, last name
    ("B, Ana").
    """
    texts = [folded_term_text(term) for term in typed]
    if not any(texts):
        return ()
    comma = next((n for n, term in enumerate(typed, 1) if term.value.endswith(",")), 0)
    whole = [fold_text(term.value[:MAX_WORD_LENGTH]) for term in typed]
    spelled = (whole, texts, [*texts[comma:], *texts[:comma]])
    return tuple(dict.fromkeys(" ".join(filter(None, one)) for one in spelled))


def _words(term: SearchTerm, _: RequestClock) -> Query:
    text = (folded_term_text(term),)
    return Query(without_words=text) if term.is_excluded else Query(words=text)


def _status(term: SearchTerm, _: RequestClock) -> Query:
    names = [fold_text(name).replace(" ", "_").replace("-", "_") for name in term.value.split(",")]
    statuses = tuple(_STATUSES.get(name, name) for name in names if name)
    if not statuses or not set(statuses) <= set(ORDER_STATUSES):
        raise InvalidOperatorValue(f"write one of {', '.join(ORDER_STATUSES)}")
    return Query(without_statuses=statuses) if term.is_excluded else Query(statuses=statuses)


def _expires(term: SearchTerm, clock: RequestClock) -> Query:
    value = term.value.lower()
    if value == "none":
        return Query(has_expiry=term.is_excluded)
    if value == "past" and not term.is_excluded:
        return Query(expires_until=clock.now)
    hint = "write expires:<7d, expires:past, expires:none or a date such as expires:2026-10-12"
    start, end = _window(term, clock, relative=FutureWindows, hint=hint)
    return Query(expires_from=start, expires_until=end)


def _created(term: SearchTerm, clock: RequestClock) -> Query:
    hint = "write created:<30d or a date such as created:2026-10 or created:>=2026-10-12"
    start, end = _window(term, clock, relative=PastWindows, hint=hint)
    return Query(created_from=start, created_until=end)


def _amount(term: SearchTerm, _: RequestClock) -> Query:
    if term.is_excluded:
        raise InvalidOperatorValue(
            "an amount cannot be excluded: write what is wanted, with < or >"
        )
    amounts = parse_amount(term.value)
    if amounts is None:
        raise InvalidOperatorValue("write amount:44.10, amount:>100 or amount:<=50")
    return Query(amount_from=amounts.start, amount_until=amounts.end)


def _window(
    term: SearchTerm, clock: RequestClock, *, relative: RelativeWindows, hint: str
) -> TimeWindow:
    if term.is_excluded:
        raise InvalidOperatorValue("a time cannot be excluded: write what is wanted, with < or >")
    window = dates.parse_time_window(term.value, relative=relative, clock=clock)
    if window is None:
        raise InvalidOperatorValue(hint)
    return window


def _named(field: str, example: str) -> _Reader:
    """Return the parser of an operator whose value is a part of a name."""

    def read(term: SearchTerm, _: RequestClock) -> Query:
        if not (text := folded_term_text(term)):
            raise InvalidOperatorValue(
                f"write a part of the name directly behind it, as in {example}"
            )
        return _chosen(field, term, text)

    return read


def _ticket(term: SearchTerm, _: RequestClock) -> Query:
    if term.is_excluded or not (text := folded_term_text(term)):
        raise InvalidOperatorValue("write a part of the ticket's name, as in ticket:ZD-1234")
    return Query(tickets=(text,))


def _batch(term: SearchTerm, _: RequestClock) -> Query:
    digits = fold_text(term.value).removeprefix("urn:uuid:").strip("{}").replace("-", "")
    if not _HEX.fullmatch(digits):
        raise InvalidOperatorValue("write the id of a batch or its beginning, as in batch:1a2b3c4d")
    groups = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return _chosen("batches", term, "-".join(filter(None, groups)))


def _chosen(field: str, term: SearchTerm, text: str) -> Query:
    fields: dict[str, Any] = {
        f"without_{field}" if term.is_excluded else field: (FilterChoice(text=text),)
    }
    return Query(**fields)


def _is(term: SearchTerm, _: RequestClock) -> Query:
    if (field := FLAG_FIELDS.get(fold_text(term.value))) is None:
        raise InvalidOperatorValue(f"write {', '.join(f'is:{flag}' for flag in FLAG_FIELDS)}")
    fields: dict[str, Any] = {field: not term.is_excluded}
    return Query(**fields)


def _short(text: str) -> str:
    return text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…"


FLAG_FIELDS = {
    "swapped": "is_swapped",
    "expired": "is_expired_unaccepted",
    "unpaid": "is_payment_pending",
    "trouble": "has_delivery_trouble",
    "odd": "is_odd",
    "attention": "needs_attention",
}
NAME_FIELDS = {
    "sender": "senders",
    "workspace": "workspaces",
    "batch": "batches",
    "product": "products",
    "brand": "brands",
    "card": "cards",
}
# Other names of statuses.
_STATUSES = {
    "cancelled": ENDED[0],
    "canceled_or_failed": ENDED[0],
    "payment_pending": "pending_payment",
    "unpaid": "pending_payment",
}
_READERS: dict[str, _Reader] = {
    "": _words,
    "status": _status,
    "expires": _expires,
    "created": _created,
    "amount": _amount,
    "is": _is,
    "batch": _batch,
    "sender": _named("senders", "sender:ana"),
    "workspace": _named("workspaces", "workspace:sales"),
    "product": _named("products", "product:candle"),
    "brand": _named("brands", "brand:acme"),
    "card": _named("cards", "card:1a2b3c4d"),
    "ticket": _ticket,
}
_HEX = re.compile(r"[0-9a-f]{1,32}")
