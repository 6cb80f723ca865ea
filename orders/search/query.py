"""The filters and sorts of a list of orders, independent of SQL and URLs.

A `Query` is normalized when it is created: texts are folded, values unique, times in UTC, and
`failed` and `canceled`, which are one group, always together. Equal queries compare and hash equal.
An order must match every field. In a field with several values (`statuses`, `senders`, ...) it must
match one of them. Exceptions: it must match each of the `words`, and none of a `without_...` field.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from goody.types import ENDED, ORDER_STATUSES
from orders.text import fold_text


class Sort(StrEnum):
    """The sort of a list; the values are those of the URL.

    Orders with equal values are sorted by creation in the same direction; orders without a value
    come last, newest first. STATUS sorts by the order in which a gift has the statuses, with
    undocumented ones last, and orders of one status are newest first. BEST begins with the
    recipients whose full name is one of `Query.names`; without names it is the default sort.
    """

    NEWEST = "-created"
    OLDEST = "created"
    EXPIRES_SOONEST = "expires"
    EXPIRES_LATEST = "-expires"
    AMOUNT_SMALLEST = "amount"
    AMOUNT_LARGEST = "-amount"
    RECIPIENT = "recipient"
    RECIPIENT_REVERSED = "-recipient"
    STATUS = "status"
    STATUS_REVERSED = "-status"
    BEST = "best"

    @property
    def key(self) -> str:
        """The sort key: "created", "expires", "amount", "recipient", "status" or "best"."""
        return self.value.removeprefix("-")

    @property
    def is_descending(self) -> bool:
        return self.value.startswith("-")

    @property
    def reversed(self) -> Sort:
        """The opposite direction; BEST has none."""
        if self is Sort.BEST:
            return self
        return Sort(self.key if self.is_descending else f"-{self.key}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterChoice:
    """A workspace, sender, batch, product or brand to filter by.

    It is the label with this `id`, or every label whose name contains the folded `text`. The name
    of a sender is first name, last name and e-mail address. A batch has no name: `text` is a prefix
    of its id, in lower case with dashes; 36 characters identify one batch.
    """

    text: str = ""
    id: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", fold_text(self.text))
        if (self.id is None) == (not self.text):
            raise ValueError("A choice has either an id or a text.")


type Choices = tuple[FilterChoice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Conditions on the orders of the index. A query without conditions matches all orders."""

    # Folded; each must be in a field that the person may see. One or two letters or digits must be
    # the start of a word (`text.word_starts`). A phrase contains spaces.
    words: tuple[str, ...] = ()
    without_words: tuple[str, ...] = ()

    # Folded full names that the words may be. They only sort.
    names: tuple[str, ...] = ()

    # Statuses of Goody, also undocumented ones.
    statuses: tuple[str, ...] = ()
    without_statuses: tuple[str, ...] = ()

    # Aware UTC; the first instant is included, the second is not. An order without the time matches
    # no window. An accepted or ended order matches no window of expirations, since its expiration
    # has no effect.
    expires_from: datetime | None = None
    expires_until: datetime | None = None
    has_expiry: bool | None = None
    # Past its expiration and still created, notified or opened.
    is_expired_unaccepted: bool | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None

    # US cents that a cancel would release; the first is included, the second is not.
    amount_from: int | None = None
    amount_until: int | None = None

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
    cards: Choices = ()
    without_cards: Choices = ()

    # Folded; the ticket of a write on the order contains one of them.
    tickets: tuple[str, ...] = ()

    is_swapped: bool | None = None
    is_payment_pending: bool | None = None
    has_delivery_trouble: bool | None = None
    # A field could not be read as Goody sent it.
    is_odd: bool | None = None
    # Delivery trouble, a pending payment, a value that cannot be read, or a write on the order
    # whose outcome is not known.
    needs_attention: bool | None = None

    # An order must match one value of these four fields. The address is the recipient's.
    order_ids: tuple[UUID, ...] = ()
    references: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    gift_tokens: tuple[str, ...] = ()

    # The orders of a finding, or of a selection for a bulk action, or of both.
    finding: UUID | None = None
    selection: UUID | None = None
    found: tuple[UUID, ...] = ()

    # Do `words` match messages and thank-you notes? Depends on the role of the person.
    may_search_messages: bool = False

    # None: see `order`.
    sort: Sort | None = None

    def __post_init__(self) -> None:
        for name, default in _DEFAULTS.items():
            # Most fields of most queries have their default.
            if (value := getattr(self, name)) != default:
                object.__setattr__(self, name, _normal(name, value))

    @property
    def effective_sort(self) -> Sort:
        """The sort of the list.

        By default a window of expirations is sorted by expiration, soonest first, and expired
        orders by expiration, latest first; other lists have the best matches first, or the newest.
        """
        if self.sort is not None and (self.sort is not Sort.BEST or self.names):
            return self.sort
        if self.has_expiry_window:
            return Sort.EXPIRES_SOONEST
        if self.is_expired_unaccepted:
            return Sort.EXPIRES_LATEST
        return Sort.BEST if self.names else Sort.NEWEST

    @property
    def with_default_sort(self) -> Self:
        """The query in the default sort."""
        return self.without_fields("sort", "names")

    @property
    def has_expiry_window(self) -> bool:
        return self.expires_from is not None or self.expires_until is not None

    @property
    def matches_all_orders(self) -> bool:
        """Whether every order matches."""
        return self.with_default_sort.without_fields("may_search_messages") == Query()

    def without_fields(self, *names: str) -> Self:
        """Return the query with the defaults of these fields."""
        return replace(self, **{name: _DEFAULTS[name] for name in names})

    def merged_with(self, other: Query) -> Self:
        """Return the query with the conditions of both.

        The values of a field are joined and windows intersected. In a field with a single value,
        the value of `other` is used.
        """
        joined = {
            name: _merge(name, getattr(self, name), more)
            for name, default in _DEFAULTS.items()
            if (more := getattr(other, name)) != default
        }
        return replace(self, **joined)


_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Query)}


def _normal(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return _utc(value)
    match name:
        case "words" | "without_words" | "names" | "emails" | "tickets":
            return _unique(filter(None, map(fold_text, value)))
        case "statuses" | "without_statuses":
            return _grouped(value)
        case "references":
            return _unique(map(str.upper, value))
    return _unique(value) if isinstance(value, tuple) else value


def _unique[T](values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("The time has no zone.")
    return at.astimezone(UTC)


def _grouped(statuses: tuple[str, ...]) -> tuple[str, ...]:
    """Return the statuses in the order in which a gift has them, undocumented ones last.

    The statuses of an ended order are one group: one of them adds the others.
    """
    wanted = set(statuses)
    if not wanted.isdisjoint(ENDED):
        wanted.update(ENDED)
    known = [status for status in ORDER_STATUSES if status in wanted]
    return (*known, *sorted(wanted.difference(known)))


def _merge(name: str, mine: Any, more: Any) -> Any:
    if isinstance(more, tuple):
        return mine + more
    if mine is not None and name.endswith("_from"):
        return max(mine, more)
    if mine is not None and name.endswith("_until"):
        return min(mine, more)
    return more
