"""Everything a list of orders can be asked, in the words of the domain: no SQL, no URL.

A `Query` is normalized when it is made: texts are folded, values unique, instants in UTC, and
`failed` stands beside `canceled`, which are one group to us. Equal questions are equal and hash
equal. Different fields narrow each other; the values of one field widen it (`statuses`, `senders`,
`order_ids`, ...), except that each of the `words` must match. What is said in `without_...` must
not match at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from goody.types import ENDED, ORDER_STATUSES
from orders.text import fold


class Sort(StrEnum):
    """What a list is sorted by; empty values come last in either direction, newest first.

    The values are those of the URL. Orders that are equal in it follow by their creation, in the
    same direction. BEST: those first whose recipient is called by one of `Query.names`, each newest
    first; without any name it says nothing.
    """

    NEWEST = "-created"
    OLDEST = "created"
    EXPIRES_SOONEST = "expires"
    EXPIRES_LATEST = "-expires"
    AMOUNT_SMALLEST = "amount"
    AMOUNT_LARGEST = "-amount"
    RECIPIENT = "recipient"
    RECIPIENT_REVERSED = "-recipient"
    BEST = "best"

    @property
    def key(self) -> str:
        """ "created", "expires", "amount", "recipient" or "best"."""
        return self.value.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        return self.value.startswith("-")

    @property
    def reversed(self) -> Sort:
        """The same the other way round; nobody asks for the worst first."""
        if self is Sort.BEST:
            return self
        return Sort(self.key if self.is_descending else f"-{self.key}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A workspace, sender, batch, product or brand: one of the index's small tables by its `id`
    there (picked from a list), or all whose name holds the folded `text`.

    The name of a sender is their first and last name and e-mail address. A batch has no name but
    its id: `text` is the beginning of that, in small letters with dashes (36 characters: exactly
    that batch).
    """

    text: str = ""
    id: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", fold(self.text))
        if (self.id is None) == (not self.text):
            raise ValueError("A choice is either an id or a text.")


type Choices = tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question about the orders in the index; without anything said, all of them."""

    # Folded, each somewhere in a field that a person can see. One or two letters or digits: at the
    # start of a word (`folding.word_starts`). A phrase holds spaces.
    words: tuple[str, ...] = ()
    without_words: tuple[str, ...] = ()

    # Folded: what recipients may be called of whom the whole name was typed. They narrow nothing.
    names: tuple[str, ...] = ()

    # Values of Goody, unknown ones as they came.
    statuses: tuple[str, ...] = ()
    without_statuses: tuple[str, ...] = ()

    # Aware UTC, from the first instant on and before the second. A window leaves out orders
    # whose time is not known or not set; one of expirations also those that are accepted or
    # ended, whose date means nothing any more.
    expires_from: datetime | None = None
    expires_until: datetime | None = None
    has_expiry: bool | None = None
    # Past its expiration and still created, notified or opened.
    is_expired_unaccepted: bool | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None

    workspaces: Choices = ()
    without_workspaces: Choices = ()
    batches: Choices = ()
    without_batches: Choices = ()
    senders: Choices = ()
    without_senders: Choices = ()
    products: Choices = ()
    without_products: Choices = ()
    brands: Choices = ()
    without_brands: Choices = ()

    is_swapped: bool | None = None
    is_payment_pending: bool | None = None
    has_delivery_trouble: bool | None = None
    # A field could not be read as Goody sent it.
    is_odd: bool | None = None

    # Exactly these; the e-mail address is the recipient's. What is named in any of the four
    # matches: a pasted list names some orders by address and others by id.
    order_ids: tuple[UUID, ...] = ()
    references: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    gift_tokens: tuple[str, ...] = ()

    # Only orders that were found in a pasted text: those of `finding`, however few they are.
    finding: UUID | None = None
    found: tuple[UUID, ...] = ()

    # Whether `words` look into messages and thank-you notes too: a right of the person's role.
    may_search_messages: bool = False

    # None: whatever `order` says is best.
    sort: Sort | None = None

    def __post_init__(self) -> None:
        for name, nothing in _NOTHING.items():
            # Most is not said in most queries.
            if (value := getattr(self, name)) != nothing:
                object.__setattr__(self, name, _normal(name, value))

    @property
    def order(self) -> Sort:
        """How the list is sorted: as asked, else a window of expirations soonest first, what is
        expired by how long ago, and anything else the best matches first, or the newest.
        """
        if self.sort is not None and (self.sort is not Sort.BEST or self.names):
            return self.sort
        if self.has_expiry_window:
            return Sort.EXPIRES_SOONEST
        if self.is_expired_unaccepted:
            return Sort.EXPIRES_LATEST
        return Sort.BEST if self.names else Sort.NEWEST

    @property
    def unsorted(self) -> Self:
        """The same orders, in whatever order is the cheapest."""
        return self.without("sort", "names")

    @property
    def has_expiry_window(self) -> bool:
        return self.expires_from is not None or self.expires_until is not None

    @property
    def is_everything(self) -> bool:
        """Does every order match?"""
        return self.unsorted.without("may_search_messages") == Query()

    def without(self, *names: str) -> Self:
        """The query with these fields as if nothing had been said in them."""
        return replace(self, **{name: _NOTHING[name] for name in names})

    def merged(self, other: Query) -> Self:
        """Both at once, as a box and the filters beside it: values of one field are joined,
        windows cut, and where only one can be right it is the other's.
        """
        joined = {
            name: _merge(name, getattr(self, name), more)
            for name, nothing in _NOTHING.items()
            if (more := getattr(other, name)) != nothing
        }
        return replace(self, **joined)


# What each field says when nothing is said.
_NOTHING: dict[str, Any] = {field.name: field.default for field in fields(Query)}


def _normal(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return _utc(value)
    match name:
        case "words" | "without_words" | "names" | "emails":
            return _unique(filter(None, map(fold, value)))
        case "statuses" | "without_statuses":
            return _grouped(value)
        case "references":
            return _unique(map(str.upper, value))
    return _unique(value) if isinstance(value, tuple) else value


def _unique[T](values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("A time without a zone is no instant.")
    return at.astimezone(UTC)


def _grouped(statuses: tuple[str, ...]) -> tuple[str, ...]:
    """In the order of a gift's life, unknown values last; one of the ended ones means all."""
    given = set(statuses)
    if not given.isdisjoint(ENDED):
        given.update(ENDED)
    known = [status for status in ORDER_STATUSES if status in given]
    return (*known, *sorted(given.difference(known)))


def _merge(name: str, mine: Any, more: Any) -> Any:
    if isinstance(more, tuple):
        return mine + more
    if mine is not None and isinstance(more, datetime):
        return max(mine, more) if name.endswith("_from") else min(mine, more)
    return more
