"""Describes a query in words, one text for each condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from goody.types import ENDED
from orders import formats
from orders.days import RequestClock

from . import dates
from .dates import FutureWindows, PastWindows, RelativeWindows, TimeWindow
from .query import Query

# The name of a label by field and id: ("senders", 12) -> "Ana Bolena".
type Names = Callable[[str, int], str]

_WINDOWS: dict[str, RelativeWindows] = {"expires": FutureWindows, "created": PastWindows}
_CHOICES = {
    "workspaces": ("Workspace: {}", "Not workspace: {}"),
    "batches": ("Batch: {}", "Not batch: {}"),
    "senders": ("From {}", "Not from {}"),
    "products": ("Product: {}", "Not product: {}"),
    "brands": ("Brand: {}", "Not brand: {}"),
    "cards": ("Card: {}", "Not card: {}"),
}
_FLAGS = {
    "has_expiry": ("Has an expiration", "Never expires"),
    "is_expired_unaccepted": ("Expired, not accepted", "Accepted, or not expired"),
    "is_swapped": ("Swapped", "Not swapped"),
    "is_payment_pending": ("Payment pending", "Payment not pending"),
    "has_delivery_trouble": ("Delivery trouble", "No delivery trouble"),
    "is_odd": ("Unreadable values", "No unreadable values"),
    "needs_attention": ("Needs attention", "Needs no attention"),
}
_EXACT = {
    "order_ids": ("Order {}", "{:,} orders by their id"),
    "references": ("Receipt {}", "{:,} receipts"),
    "emails": ("To {}", "{:,} e-mail addresses"),
    # A gift link is a secret.
    "gift_tokens": ("A gift link", "{:,} gift links"),
}
_STATUSES = {"pending_payment": "payment pending", ENDED[0]: "canceled or failed"}


def describe_query(query: Query, *, names: Names, now: datetime, zone: ZoneInfo) -> list[str]:
    """Return each condition of the query in words, in the order of its fields.

    `now` is the instant of the query, relative to which "within 7 days" is recognized.
    """
    clock = RequestClock(now, zone)
    return [
        *_words(query),
        *_statuses(query),
        *(text for name in _WINDOWS for text in _window(query, name, clock)),
        *_amount(query),
        *(text for name in _CHOICES for text in _choices(query, name, names)),
        *(f"Ticket: {ticket}" for ticket in query.tickets),
        *(text for name in _FLAGS for text in _flag(query, name)),
        *(text for name in _EXACT for text in _exact(query, name)),
        *_finding(query),
    ]


def _words(query: Query) -> Iterator[str]:
    for name, template in (("words", "“{}”"), ("without_words", "Not “{}”")):
        yield from (template.format(word) for word in getattr(query, name))


def _statuses(query: Query) -> Iterator[str]:
    for name, template in (("statuses", "Status: {}"), ("without_statuses", "Not status: {}")):
        for status in getattr(query, name):
            # `failed` and `canceled` are one group.
            if status == ENDED[0] or status not in ENDED:
                yield template.format(_STATUSES.get(status) or status.replace("_", " "))


def _window(query: Query, name: str, clock: RequestClock) -> Iterator[str]:
    window = TimeWindow(getattr(query, f"{name}_from"), getattr(query, f"{name}_until"))
    if name == "expires" and window == TimeWindow(None, clock.now):
        yield "Expired"
    elif window != TimeWindow():
        text = dates.describe_window(window, relative=_WINDOWS[name], clock=clock)
        yield f"{name.capitalize()} {text}"


def _amount(query: Query) -> Iterator[str]:
    start, end = query.amount_from, query.amount_until
    if start is not None and end is not None:
        last = formats.money(end - 1)
        yield f"Amount {last}" if start == end - 1 else f"Amount {formats.money(start)} to {last}"
    elif start is not None:
        yield f"Amount at least {formats.money(start)}"
    elif end is not None:
        yield f"Amount at most {formats.money(end - 1)}"


def _choices(query: Query, name: str, names: Names) -> Iterator[str]:
    for field, template in zip((name, f"without_{name}"), _CHOICES[name], strict=True):
        for choice in getattr(query, field):
            text = choice.text if choice.id is None else names(name, choice.id)
            yield template.format(text)


def _flag(query: Query, name: str) -> Iterator[str]:
    if (value := getattr(query, name)) is not None:
        yes, no = _FLAGS[name]
        yield yes if value else no


def _exact(query: Query, name: str) -> Iterator[str]:
    if values := getattr(query, name):
        one, several = _EXACT[name]
        yield one.format(_short(values[0])) if len(values) == 1 else several.format(len(values))


def _short(value: UUID | str) -> str:
    return formats.id_prefix(value) if isinstance(value, UUID) else value


def _finding(query: Query) -> Iterator[str]:
    if query.finding is not None:
        yield "Found in a pasted text"
    if query.selection is not None:
        yield "Selected orders"
