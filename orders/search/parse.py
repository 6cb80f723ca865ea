"""The box: what people type, as a `Query`.

Words are looked for in every field that the person can see, each of them somewhere; signs around
them do not count ("Bolena, Ana" is two words). "Ana B" in quotes is looked for as it stands, and so
are signs ("&", "a-"); one or two letters alone begin a word, in quotes or not. A minus excludes
(-ana, -"Ana B", -status:paid). `OPERATORS` are what narrows single fields; there is no space behind
the colon, a value with spaces is put into quotes (sender:"Ana B"), and capitals never matter.
Different operators narrow each other, one that is repeated widens (status:paid status:shipped),
dates excepted: two of them are the two ends of a window.

Nothing that is typed is an error. An operator we do not know is a word like any other (12:30,
https://...), and so is a quote that is never closed. An operator of ours whose value cannot be
understood narrows nothing, and `Box.problems` says so in a sentence.

Time and memory are linear in the text, and what comes out is bounded, however long that is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from goody.types import ENDED, ORDER_STATUSES
from orders.text import fold, plain

from . import dates
from .dates import Back, Direction, FutureRange, Setting, Window
from .query import Choice, Query

MOST_LETTERS = 10_000
MOST_TERMS = 32
LONGEST_WORD = 100
_QUOTED_LETTERS = 50


@dataclass(frozen=True, slots=True)
class Operator:
    """One line of the help: `name` is what is typed before the value."""

    name: str
    example: str
    meaning: str


OPERATORS = (
    Operator("status:", "status:opened,notified", "Orders in one of these statuses"),
    Operator("expires:", "expires:<7d", "Expiring within 7 days; >3d is later than that"),
    Operator("expires:", "expires:2026-10-12", "Expiring on a day, in a month or in a year"),
    Operator("expires:", "expires:past", "Past their expiration; none: those that never expire"),
    Operator("created:", "created:2026-10", "Created on a day, in a month or in a year"),
    Operator("created:", "created:>=2026-10-01", "Created from a day on; also >, <= and <"),
    Operator("created:", "created:<30d", "Created in the last 30 days; >30d is before that"),
    Operator("sender:", 'sender:"Ana B"', "Sent by a person; part of a name or e-mail address"),
    Operator("workspace:", "workspace:sales", "In a workspace; part of its name"),
    Operator("batch:", "batch:1a2b3c4d", "In a batch; its id or the beginning of it"),
    Operator("product:", "product:candle", "With a product; part of its name"),
    Operator("brand:", "brand:acme", "With something of a brand; part of its name"),
    Operator("is:", "is:swapped", "The recipient chose something else"),
    Operator("is:", "is:expired", "Past the expiration and never accepted"),
    Operator("is:", "is:unpaid", "Accepted, and payment is pending"),
    Operator("is:", "is:trouble", "A delivery is in trouble"),
    Operator("-", "-status:delivered", "Without these: before a word, a quote or an operator"),
    Operator('"', '"ana b"', "Exactly this, spaces and signs included"),
)

# "status: expires: ...": the operators that take a value, each once.
OPERATOR_NAMES = " ".join(dict.fromkeys(one.name for one in OPERATORS if one.name.endswith(":")))


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """`text` as it was typed, what it asks for, and a sentence for each piece that says nothing.

    `names`: whom its words may name in full, folded.
    """

    text: str
    query: Query
    problems: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class Term(NamedTuple):
    """A word or an operator as it was typed; `operator` is "" for words, `text` is all of it."""

    text: str
    is_excluded: bool
    operator: str
    value: str
    is_quoted: bool


class InvalidValue(Exception):
    """The value is none for this operator; the message says what to write instead."""


type _Reader = Callable[[Term, Setting], Query]


def parse_query(text: str, *, now: datetime, zone: ZoneInfo) -> ParsedQuery:
    """What the text asks for. `now` is aware; days are those of `zone`. Raises nothing.

    Whether messages are searched is not the box's to say: set `may_search_messages` on the query.
    """
    setting = Setting(now, zone)
    query = Query()
    problems: list[str] = []
    words: list[Term] = []
    typed = plain(text[:MOST_LETTERS])
    for count, term in enumerate(terms(typed)):
        if count == MOST_TERMS:
            problems.append(f"Only the first {MOST_TERMS} words are searched for.")
            break
        try:
            query = query.merged(_read(term, setting))
        except InvalidValue as invalid:
            problems.append(f"“{_short(term.text)}” is not understood; {invalid}.")
        if not (term.operator or term.is_excluded):
            words.append(term)
    if typed.strip() and not problems and query.is_everything:
        problems.append(
            f"“{_short(typed.strip())}” has no letter or digit; put signs into quotes to search "
            "for them."
        )
    return ParsedQuery(text, query, tuple(problems), _names(words))


def terms(text: str) -> Iterator[Term]:
    """The words and operators of a text that is `plain` already."""
    for found in _TERM.finditer(text):
        minus, operator, quoted, bare = found.groups()
        is_quoted = quoted is not None
        value = quoted if is_quoted else bare
        yield Term(found[0], bool(minus), (operator or "").lower(), value, is_quoted)


def _read(term: Term, setting: Setting) -> Query:
    return _READERS[term.operator](term, setting)


def text_of(term: Term) -> str:
    """The folded text to look for: without signs around it, unless they are quoted."""
    folded = fold(term.value[:LONGEST_WORD])[:LONGEST_WORD]
    return folded if term.is_quoted else _SIGNS_AROUND.sub("", folded)


def _names(typed: Sequence[Term]) -> tuple[str, ...]:
    """As it stands ("Ana B."), without the signs, and the first name first ("B, Ana")."""
    texts = [text_of(term) for term in typed]
    if not any(texts):
        return ()
    comma = next((n for n, term in enumerate(typed, 1) if term.value.endswith(",")), 0)
    whole = [fold(term.value[:LONGEST_WORD]) for term in typed]
    spelled = (whole, texts, [*texts[comma:], *texts[:comma]])
    return tuple(dict.fromkeys(" ".join(filter(None, one)) for one in spelled))


def _words(term: Term, _: Setting) -> Query:
    text = (text_of(term),)
    return Query(without_words=text) if term.is_excluded else Query(words=text)


def _status(term: Term, _: Setting) -> Query:
    names = [fold(name).replace(" ", "_").replace("-", "_") for name in term.value.split(",")]
    statuses = tuple(_STATUSES.get(name, name) for name in names if name)
    if not statuses or not set(statuses) <= set(ORDER_STATUSES):
        raise InvalidValue(f"write one of {', '.join(ORDER_STATUSES)}")
    return Query(without_statuses=statuses) if term.is_excluded else Query(statuses=statuses)


def _expires(term: Term, setting: Setting) -> Query:
    value = term.value.lower()
    if value == "none":
        return Query(has_expiry=term.is_excluded)
    if value == "past" and not term.is_excluded:
        return Query(expires_until=setting.now)
    hint = "write expires:<7d, expires:past, expires:none or a date such as expires:2026-10-12"
    start, end = _window(term, setting, direction=FutureRange, hint=hint)
    return Query(expires_from=start, expires_until=end)


def _created(term: Term, setting: Setting) -> Query:
    hint = "write created:<30d or a date such as created:2026-10 or created:>=2026-10-12"
    start, end = _window(term, setting, direction=Back, hint=hint)
    return Query(created_from=start, created_until=end)


def _window(term: Term, setting: Setting, *, direction: Direction, hint: str) -> Window:
    if term.is_excluded:
        raise InvalidValue("a time cannot be excluded: write what is wanted, with < or >")
    window = dates.read(term.value, direction=direction, setting=setting)
    if window is None:
        raise InvalidValue(hint)
    return window


def _named(field: str, example: str) -> _Reader:
    """A reader of parts of names."""

    def read(term: Term, _: Setting) -> Query:
        if not (text := text_of(term)):
            raise InvalidValue(f"write a part of the name directly behind it, as in {example}")
        return _chosen(field, term, text)

    return read


def _batch(term: Term, _: Setting) -> Query:
    digits = fold(term.value).removeprefix("urn:uuid:").strip("{}").replace("-", "")
    if not _HEX.fullmatch(digits):
        raise InvalidValue("write the id of a batch or its beginning, as in batch:1a2b3c4d")
    groups = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return _chosen("batches", term, "-".join(filter(None, groups)))


def _chosen(field: str, term: Term, text: str) -> Query:
    said: dict[str, Any] = {f"without_{field}" if term.is_excluded else field: (Choice(text=text),)}
    return Query(**said)


def _is(term: Term, _: Setting) -> Query:
    if (field := FLAGS.get(fold(term.value))) is None:
        raise InvalidValue(f"write {', '.join(f'is:{flag}' for flag in FLAGS)}")
    said: dict[str, Any] = {field: not term.is_excluded}
    return Query(**said)


def _short(text: str) -> str:
    return text if len(text) <= _QUOTED_LETTERS else f"{text[:_QUOTED_LETTERS]}…"


FLAGS = {
    "swapped": "is_swapped",
    "expired": "is_expired_unaccepted",
    "unpaid": "is_payment_pending",
    "trouble": "has_delivery_trouble",
}
NAMED = {
    "sender": "senders",
    "workspace": "workspaces",
    "batch": "batches",
    "product": "products",
    "brand": "brands",
}
# What people call a status that Goody calls otherwise.
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
    "is": _is,
    "batch": _batch,
    "sender": _named("senders", "sender:ana"),
    "workspace": _named("workspaces", "workspace:sales"),
    "product": _named("products", "product:candle"),
    "brand": _named("brands", "brand:acme"),
}
# Each alternative takes what it can in one go, so that no text makes it look twice.
_TERM = re.compile(
    rf'(?=\S)(-*)(?:({"|".join(filter(None, _READERS))}):)?(?:"([^"]*)"|("?[^\s"]*))', re.IGNORECASE
)
_SIGNS_AROUND = re.compile(r"^[\W_]+|[\W_]+$")
_HEX = re.compile(r"[0-9a-f]{1,32}")
