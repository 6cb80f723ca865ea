"""The parameters of a list, as its URL says them, and what each asks of the index.

The URL is the only state of a list: `Filters` is made from one and writes the same one again. Each
parameter is a small Query of its own, and so is what stands in the box; a list asks them merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache, reduce
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import get_script_prefix, reverse

from orders.days import start_of
from orders.search import expiry_preset
from orders.search.query import Choice, Query, Sort

SIZES = (25, 50, 100)
DEFAULT_SIZE = 50

# `expires` in the URL.
PRESETS = {
    "24h": "Next 24 hours",
    "3d": "Next 3 days",
    "7d": "Next 7 days",
    "14d": "Next 14 days",
    "expired": "Expired, not accepted",
    "never": "No expiry",
}

_DAY = timedelta(days=1)
# What narrows no list. `view` is the saved one from which this one was made.
_LOOKS = ("view", "sort", "per_page")

# Goody's id of a product, brand or workspace, or the address of a sender: the row that has it, if
# any. So an address outlives the index, which gives out its small numbers anew.
type Lookup = Callable[[str, str], int | None]


class Reading(NamedTuple):
    """When (aware UTC) and in whose days a list is asked for, and who knows the names."""

    now: datetime
    zone: ZoneInfo
    id_of: Lookup


class Part(NamedTuple):
    """One parameter that narrows the list, and the filters without it."""

    name: str
    value: Any
    without: Filters


class Filters(NamedTuple):
    """One field a parameter, in the order in which the URL names them. Days are the viewer's.

    A page makes some twenty of them, for its links.
    """

    q: str = ""
    finding: UUID | None = None
    status: tuple[str, ...] = ()
    created_after: date | None = None
    created_before: date | None = None
    expires: str = ""
    expires_after: date | None = None
    expires_before: date | None = None
    workspace: str = ""
    batch: str = ""
    sender: str = ""
    product: str = ""
    brand: str = ""
    swapped: bool | None = None
    payment: bool | None = None
    delivery: bool | None = None
    view: int | None = None
    sort: Sort | None = None
    per_page: int = DEFAULT_SIZE

    def params(self) -> list[tuple[str, str]]:
        """What the URL says: only what differs from a plain list."""
        said = []
        for name, value, default in zip(self._fields, self, _DEFAULTS, strict=True):
            if value != default:
                values = value if isinstance(value, tuple) else (value,)
                said += [(name, _written(name, one)) for one in values]
        return said

    @property
    def query_string(self) -> str:
        return urlencode(self.params())

    def url(self, *, position: str = "", name: str = "order_list") -> str:
        """The address of the list, or of a part of it; its first page without a position."""
        said = self.params()
        if position:
            said.append(("position", position))
        path = _path(name, get_script_prefix())
        return f"{path}?{urlencode(said)}" if said else path

    def but(self, **changes: Any) -> Self:
        return self._replace(**changes)

    def parts(self) -> Iterator[Part]:
        """What narrows the list beside the box, one value after the other."""
        for name, value, default in zip(self._fields, self, _DEFAULTS, strict=True):
            if name == "q" or name in _LOOKS or value == default:
                continue
            if isinstance(value, tuple):
                for one in value:
                    rest = tuple(other for other in value if other != one)
                    yield Part(name, one, self.but(**{name: rest}))
            else:
                yield Part(name, value, self.but(**{name: default}))

    @property
    def is_everything(self) -> bool:
        """Does nothing narrow the list?"""
        return not self.q and next(self.parts(), None) is None

    @property
    def is_only_a_window(self) -> bool:
        """Does it ask nothing that Goody's own list cannot answer?"""
        return self == Filters(
            created_after=self.created_after,
            created_before=self.created_before,
            view=self.view,
            per_page=self.per_page,
        )

    def created_bounds(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """Where the days of creation begin and end (aware UTC); skipped hours are minded.

        Goody includes both. It may keep fractions that cannot be sent: of an end within the last
        second it would leave some out, and at midnight it takes one second of the next day instead.
        """
        after, before = self.created_after, self.created_before
        start = start_of(after, zone) if after else None
        end = start_of(before + _DAY, zone) if before else None
        return start, end

    def cleared(self) -> Self:
        """The same list of all orders."""
        return type(self)(sort=self.sort, per_page=self.per_page)

    def query(self, reading: Reading) -> Query:
        """What is asked beside the box."""
        asked = reduce(
            Query.merged,
            (query_of(part.name, part.value, reading) for part in self.parts()),
            Query(),
        )
        return replace(asked, sort=self.sort)


_DEFAULTS = tuple(Filters._field_defaults.values())


@lru_cache(maxsize=64)
def _path(name: str, prefix: str) -> str:  # noqa: ARG001 - `reverse` puts the prefix in front
    return reverse(name)


def query_of(name: str, value: Any, reading: Reading) -> Query:
    """What one parameter asks."""
    return _QUERIES[name](value, reading)


def _written(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return FLAGS[name][value]
    return value.isoformat() if isinstance(value, date) else str(value)


def _choosing(field: str, kind: str) -> Callable[[str, Reading], Query]:
    """The row of the index's small tables with that id, else all whose name holds the text."""

    def read(value: str, reading: Reading) -> Query:
        known = reading.id_of(kind, value)
        choice = Choice(text=value) if known is None else Choice(id=known)
        chosen: dict[str, Any] = {field: (choice,)}
        return Query(**chosen)

    return read


# False and True as the URL writes them.
FLAGS = {
    "swapped": ("no", "yes"),
    "payment": ("no", "pending"),
    "delivery": ("no", "trouble"),
}
_QUERIES: dict[str, Callable[[Any, Reading], Query]] = {
    "finding": lambda value, _: Query(finding=value),
    "status": lambda value, _: Query(statuses=(value,)),
    "created_after": lambda day, at: Query(created_from=start_of(day, at.zone)),
    "created_before": lambda day, at: Query(created_until=start_of(day + _DAY, at.zone)),
    "expires": lambda preset, at: Query(**expiry_preset(preset, now=at.now)),
    "expires_after": lambda day, at: Query(expires_from=start_of(day, at.zone)),
    "expires_before": lambda day, at: Query(expires_until=start_of(day + _DAY, at.zone)),
    "workspace": _choosing("workspaces", "workspace"),
    "batch": lambda text, _: Query(batches=(Choice(text=text),)),
    "sender": _choosing("senders", "sender"),
    "product": _choosing("products", "product"),
    "brand": _choosing("brands", "brand"),
    "swapped": lambda value, _: Query(is_swapped=value),
    "payment": lambda value, _: Query(is_payment_pending=value),
    "delivery": lambda value, _: Query(has_delivery_trouble=value),
}
