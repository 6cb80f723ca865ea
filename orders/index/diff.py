"""What is compared when an answer of Goody meets the index: its orders, and our copies of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, Self
from uuid import UUID

import msgspec

from goody.types import QUARANTINE_BYTES, BadOrder, Quarantined, parse_order
from goody.types import Order as GoodyOrder
from orders.models import CreatedFrom
from orders.text import digest

from .columns import Derived, derive, times_of

# No answer is this much older than another: what was read later than that was read by a clock
# that has been set back since.
_CLOCK_WAS_SET = timedelta(minutes=5)


class Created(NamedTuple):
    """When an order was created (aware UTC), and how that is known."""

    at: datetime
    source: CreatedFrom


def is_surer(one: Created | None, other: Created | None) -> bool:
    return one is not None and (other is None or one.source > other.source)


class _Id(msgspec.Struct):
    id: UUID


_decode_id = msgspec.json.Decoder(_Id).decode


class Row:
    """One order of an answer: its bytes, and what the answer says of its creation.

    What follows from the bytes is worked out when it is first asked for, most of it never where
    the bytes are those we know.
    """

    def __init__(self, raw: bytes, created: Created | None = None) -> None:
        self.raw = raw
        self.created = created

    @classmethod
    def of(cls, order: GoodyOrder) -> Self:
        """An order that was parsed already. The answer to a single order, which alone tells the
        event times, has no `row_hash`: a list has other bytes for the same.
        """
        times = order.event_times
        created = times and times.created_at and Created(times.created_at, CreatedFrom.DETAIL)
        row = cls(order.raw, created or None)
        row.order_id, row.order = order.id, order
        if times is not None:
            row.row_hash = ""
        return row

    @cached_property
    def order_id(self) -> UUID:
        """Raises BadOrder where not even the id can be read."""
        try:
            return _decode_id(self.raw).id
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self.order.id

    @cached_property
    def row_hash(self) -> str:
        return digest(self.raw)

    @cached_property
    def order(self) -> GoodyOrder:
        """Raises BadOrder."""
        return parse_order(self.raw)

    @cached_property
    def derived(self) -> Derived:
        """Raises BadOrder."""
        return derive(self.order)

    def prepare(self, *, with_columns: bool) -> None:
        """Compute what comparing the row needs; `with_columns` if it will probably be inserted."""
        with suppress(BadOrder):
            _ = self.row_hash, self.order_id
            if with_columns:
                _ = self.derived

    def quarantined(self, error: BadOrder) -> Quarantined:
        order_id = error.order_id or self.__dict__.get("order_id")
        return Quarantined(reason=str(error), id=order_id, raw=self.raw[:QUARANTINE_BYTES])


@dataclass(frozen=True, slots=True)
class Answer:
    """The orders of one answer, whose request started at `read_at` (aware UTC)."""

    rows: Sequence[Row]
    read_at: datetime


@dataclass(slots=True)
class UpsertResult:
    """What came of an answer.

    `order_ids`: all that were given and could be read, in their order. `created`: of which of them
    the creation time is known to the second. `parsed`: those that are new or have changed.
    """

    order_ids: list[UUID] = field(default_factory=list)
    created: dict[UUID, datetime] = field(default_factory=dict)
    new: int = 0
    changed: int = 0
    same: int = 0
    parsed: list[GoodyOrder] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)


def _instant(stored: datetime) -> datetime:
    """SQLite's columns hold UTC and do not say so."""
    return stored if stored.tzinfo else stored.replace(tzinfo=UTC)


class Stored(NamedTuple):
    """What of a stored copy is compared with an answer, or changed beside its row."""

    id: int
    uuid: UUID
    row_hash: str
    content_hash: str
    read_at: datetime
    missing_at: datetime | None
    created_at: datetime | None
    created_from: int
    status: str
    workspace_id: int | None
    people: str
    item_count: int
    event_times: dict[str, str | None] | None = None

    @classmethod
    def from_database(cls, values: Sequence[Any]) -> Self:
        """The columns as they come, in the order of the fields, of either database."""
        key, uuid, row_hash, content, read_at, missing_at, created_at, *others, times = values
        return cls._make(
            (
                key,
                uuid if isinstance(uuid, UUID) else UUID(uuid),
                row_hash,
                content,
                _instant(read_at),
                missing_at and _instant(missing_at),
                created_at and _instant(created_at),
                *others,
                json.loads(times) if isinstance(times, str) else times,
            )
        )

    def is_later_than(self, read_at: datetime) -> bool:
        """Did a request that started later, or at that moment, say this already?"""
        return read_at <= self.read_at <= read_at + _CLOCK_WAS_SET

    def is_repeated_by(self, given: Row) -> bool:
        """Says this answer nothing that the copy does not say already? Raises BadOrder."""
        if self.missing_at is not None:
            return False
        if given.row_hash and given.row_hash == self.row_hash:
            return True
        if self.content_hash != given.derived.columns["content_hash"]:
            return False
        return times_of(given.order) in (None, self.event_times)

    def better(self, created: Created | None) -> Created | None:
        """The creation time, if the answer knows it better than the copy does."""
        if created is None or created.source < self.created_from:
            return None
        is_as_sure = created.source == self.created_from
        if is_as_sure and (created.source == CreatedFrom.WINDOW or created.at == self.created_at):
            return None
        return created
