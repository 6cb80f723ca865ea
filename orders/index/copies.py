"""What is compared when an answer of Goody meets the index: its orders, and our copies of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self
from uuid import UUID

import msgspec

from goody.types import BadOrder, Quarantined, parse_order
from goody.types import Order as GoodyOrder
from orders.models import CreatedFrom
from orders.search.digests import digest

from .columns import content_hash, times_of

# No answer is this much older than another: what was read later than that was read by a clock
# that has been set back since.
_CLOCK_WAS_SET = timedelta(minutes=5)


class Created(NamedTuple):
    """When an order was created (aware UTC), and how that is known."""

    at: datetime
    source: CreatedFrom


def is_surer(one: Created | None, other: Created | None) -> bool:
    return one is not None and (other is None or one.source > other.source)


@dataclass(frozen=True, slots=True)
class Row:
    """An order's bytes as a list or the feed had them, and what that says of its creation."""

    raw: bytes
    created: Created | None = None


@dataclass(slots=True)
class Remembered:
    """What came of an answer.

    `order_ids`: all that were given and could be read, in their order. `created`: of which of them
    the creation time is known to the second. `parsed`: those whose bytes were not known already.
    """

    order_ids: list[UUID] = field(default_factory=list)
    created: dict[UUID, datetime] = field(default_factory=dict)
    new: int = 0
    changed: int = 0
    same: int = 0
    parsed: list[GoodyOrder] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)


class _Id(msgspec.Struct):
    id: UUID


_decode_id = msgspec.json.Decoder(_Id).decode


@dataclass(slots=True)
class Given:
    """One order of an answer; parsed only when its bytes are not those we know.

    `row_hash` is "" for the answer to a single order: a list has other bytes for the same.
    """

    order_id: UUID
    raw: bytes
    row_hash: str
    created: Created | None
    parsed: GoodyOrder | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Raises BadOrder where not even the id can be read."""
        try:
            order_id, parsed = _decode_id(row.raw).id, None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            parsed = parse_order(row.raw)
            order_id = parsed.id
        return cls(order_id, row.raw, digest(row.raw), row.created, parsed)

    @classmethod
    def from_order(cls, order: GoodyOrder) -> Self:
        times = order.event_times
        if times is None:
            return cls(order.id, order.raw, digest(order.raw), None, order)
        created = Created(times.created_at, CreatedFrom.DETAIL) if times.created_at else None
        return cls(order.id, order.raw, "", created, order)

    @property
    def order(self) -> GoodyOrder:
        """Raises BadOrder."""
        if self.parsed is None:
            self.parsed = parse_order(self.raw)
        return self.parsed

    def quarantined(self, error: BadOrder) -> Quarantined:
        return Quarantined(reason=str(error), id=self.order_id, raw=self.raw[:2000])


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

    def is_repeated_by(self, given: Given) -> bool:
        """Says this answer nothing that the copy does not say already? Raises BadOrder."""
        if self.missing_at is not None:
            return False
        if given.row_hash and given.row_hash == self.row_hash:
            return True
        if self.content_hash != content_hash(given.order):
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
