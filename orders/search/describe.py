"""A query in words: back into the box, and as the list of what narrows a list of orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from goody.types import ENDED, ORDER_STATUSES
from orders import formats

from . import dates
from .dates import Back, Direction, FutureRange, Setting, Window
from .parse import FLAGS, NAMED, terms, text_of
from .query import Choice, Query

# The name of a picked row of a small table: ("senders", 12) -> "Ana Bolena".
type Names = Callable[[str, int], str]

_WINDOWS: dict[str, Direction] = {"expires": FutureRange, "created": Back}
_CHOICES = {
    "workspaces": ("Workspace: {}", "Not workspace: {}"),
    "batches": ("Batch: {}", "Not batch: {}"),
    "senders": ("From {}", "Not from {}"),
    "products": ("Product: {}", "Not product: {}"),
    "brands": ("Brand: {}", "Not brand: {}"),
}
_FLAGS = {
    "has_expiry": ("Has an expiration", "Never expires"),
    "is_expired_unaccepted": ("Expired, not accepted", "Accepted, or not expired"),
    "is_swapped": ("Swapped", "Not swapped"),
    "is_payment_pending": ("Payment pending", "Payment not pending"),
    "has_delivery_trouble": ("Delivery trouble", "No delivery trouble"),
}
_EXACT = {
    "order_ids": ("Order {}", "{:,} orders by their id"),
    "references": ("Receipt {}", "{:,} receipts"),
    "emails": ("To {}", "{:,} e-mail addresses"),
    # A link is as good as the gift: it is not repeated.
    "gift_tokens": ("A gift link", "{:,} gift links"),
}
_STATUSES = {"pending_payment": "payment pending", ENDED[0]: "canceled or failed"}


class Piece(NamedTuple):
    """One thing that narrows the list, and the query without it."""

    text: str
    without: Query


def describe(query: Query, *, names: Names, now: datetime, zone: ZoneInfo) -> list[Piece]:
    """What narrows the list, in words and in a fixed order. `now` is the instant with which the
    query was made: by it "within 7 days" is told from a date.
    """
    setting = Setting(now, zone)
    return [
        *_words(query),
        *_statuses(query),
        *(piece for name in _WINDOWS for piece in _window(query, name, setting)),
        *(piece for name in _CHOICES for piece in _choices(query, name, names)),
        *(piece for name in _FLAGS for piece in _flag(query, name)),
        *(piece for name in _EXACT for piece in _exact(query, name)),
        *_finding(query),
    ]


def _words(query: Query) -> Iterator[Piece]:
    for name, said in (("words", "“{}”"), ("without_words", "Not “{}”")):
        for word in getattr(query, name):
            yield Piece(said.format(word), query.dropping(name, word))


def _statuses(query: Query) -> Iterator[Piece]:
    for name, said in (("statuses", "Status: {}"), ("without_statuses", "Not status: {}")):
        for status in getattr(query, name):
            # The group of the ended ones is said once.
            if status == ENDED[0] or status not in ENDED:
                text = _STATUSES.get(status) or status.replace("_", " ")
                group = ENDED if status in ENDED else (status,)
                yield Piece(said.format(text), query.dropping(name, *group))


def _window(query: Query, name: str, setting: Setting) -> Iterator[Piece]:
    window = _window_of(query, name)
    if window == Window():
        return
    text = (
        f"{name.capitalize()} {dates.describe(window, direction=_WINDOWS[name], setting=setting)}"
    )
    if _is_past(name, window, setting):
        text = "Expired"
    yield Piece(text, query.without(f"{name}_from", f"{name}_until"))


def _window_of(query: Query, name: str) -> Window:
    return Window(getattr(query, f"{name}_from"), getattr(query, f"{name}_until"))


def _is_past(name: str, window: Window, setting: Setting) -> bool:
    return name == "expires" and window == Window(None, setting.now)


def _choices(query: Query, name: str, names: Names) -> Iterator[Piece]:
    for field, said in zip((name, f"without_{name}"), _CHOICES[name], strict=True):
        for choice in getattr(query, field):
            text = choice.text if choice.id is None else names(name, choice.id)
            yield Piece(said.format(text), query.dropping(field, choice))


def _flag(query: Query, name: str) -> Iterator[Piece]:
    if (value := getattr(query, name)) is not None:
        yes, no = _FLAGS[name]
        yield Piece(yes if value else no, query.without(name))


def _exact(query: Query, name: str) -> Iterator[Piece]:
    values = getattr(query, name)
    if values:
        one, several = _EXACT[name]
        text = one.format(_brief(values[0])) if len(values) == 1 else several.format(len(values))
        yield Piece(text, query.without(name))


def _brief(value: UUID | str) -> str:
    return formats.short_id(value) if isinstance(value, UUID) else value


def _finding(query: Query) -> Iterator[Piece]:
    if query.finding is not None:
        yield Piece("Found in a pasted text", query.without("finding", "found"))


def write_box(query: Query, *, now: datetime, zone: ZoneInfo) -> str:
    """The text that `parse_box` reads as this query, if it is asked at the same `now`; certain
    orders are named at its end, for `recognize`.

    Left out is what the box cannot say: rows picked by their id, statuses that Goody does not
    document, a finding, the sort.
    """
    return " ".join(_written(query, Setting(now, zone)))


def _written(query: Query, setting: Setting) -> Iterator[str]:
    for minus, prefix in (("", ""), ("-", "without_")):
        yield from (minus + _quoted(word) for word in getattr(query, f"{prefix}words"))
        yield from _written_statuses(minus, getattr(query, f"{prefix}statuses"))
        for operator, field in NAMED.items():
            for choice in getattr(query, prefix + field):
                yield from _written_choice(f"{minus}{operator}:", choice)
    for name in _WINDOWS:
        yield from (f"{name}:{value}" for value in _written_window(query, name, setting))
    if query.has_expiry is not None:
        yield f"{'-' if query.has_expiry else ''}expires:none"
    for flag, field in FLAGS.items():
        if (value := getattr(query, field)) is not None:
            yield f"{'' if value else '-'}is:{flag}"
    yield from (*map(str, query.order_ids), *query.references, *query.emails)
    yield from (f".../gift/{token}" for token in query.gift_tokens)


def _written_statuses(minus: str, statuses: tuple[str, ...]) -> Iterator[str]:
    known = [status for status in statuses if status in ORDER_STATUSES and status != ENDED[1]]
    if known:
        yield f"{minus}status:{','.join(known)}"


def _written_choice(operator: str, choice: Choice) -> Iterator[str]:
    if choice.id is None:
        yield operator + _quoted(choice.text)


def _written_window(query: Query, name: str, setting: Setting) -> list[str]:
    window = _window_of(query, name)
    if _is_past(name, window, setting):
        return ["past"]
    return dates.write(window, direction=_WINDOWS[name], setting=setting)


def _quoted(text: str) -> str:
    """As it stands where the box would read it so, else in quotes, which hold no quote."""
    read = list(terms(text))
    is_plain = len(read) == 1 and not read[0].is_excluded and not read[0].operator
    if is_plain and not read[0].is_quoted and text_of(read[0]) == text:
        return text
    return f'"{text.replace(chr(34), " ")}"'
