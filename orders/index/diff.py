"""Compares the orders of a response with the stored rows."""

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

from goody.types import QUARANTINE_BYTES, BadOrder, QuarantinedOrder, parse_order
from goody.types import Order as GoodyOrder
from orders.models import CreationTimeSource
from orders.text import hex_digest

from .columns import IndexData, event_times_json, make_index_data

# No response is processed so late: a stored read that is later than this by even more was made
# before the clock was set back.
_MAX_DELAY = timedelta(minutes=5)


class CreationTime(NamedTuple):
    """The creation time of an order (aware UTC), and its source."""

    at: datetime
    source: CreationTimeSource


def is_more_exact_time(one: CreationTime | None, other: CreationTime | None) -> bool:
    return one is not None and (other is None or one.source > other.source)


class _Id(msgspec.Struct):
    id: UUID


_decode_id = msgspec.json.Decoder(_Id).decode


class OrderOfResponse:
    """One order of a response: its bytes, and the creation time if the response contains it.

    Other values are computed from the bytes on first access, which is rarely needed if the bytes
    are unchanged.
    """

    def __init__(self, raw: bytes, created: CreationTime | None = None) -> None:
        self.raw = raw
        self.created = created

    @classmethod
    def from_order(cls, order: GoodyOrder) -> Self:
        """Return the row of a parsed order.

        A single-order response, which alone has event times, gets no `row_hash`, because the bytes
        of the same order in a list differ.
        """
        times = order.event_times
        created = (
            times and times.created_at and CreationTime(times.created_at, CreationTimeSource.DETAIL)
        )
        row = cls(order.raw, created or None)
        row.order_id, row.order = order.id, order
        if times is not None:
            row.row_hash = ""
        return row

    @cached_property
    def order_id(self) -> UUID:
        """The order's id. Raises BadOrder if not even the id is readable."""
        try:
            return _decode_id(self.raw).id
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self.order.id

    @cached_property
    def row_hash(self) -> str:
        return hex_digest(self.raw)

    @cached_property
    def order(self) -> GoodyOrder:
        """The parsed order. Raises BadOrder."""
        return parse_order(self.raw)

    @cached_property
    def index_data(self) -> IndexData:
        """The values derived from the order. Raises BadOrder."""
        return make_index_data(self.order)

    def precompute_values(self, *, with_columns: bool) -> None:
        """Compute the values needed for the comparison.

        `with_columns`: also those for an insert, if that is likely.
        """
        with suppress(BadOrder):
            _ = self.row_hash
            if with_columns:
                _ = self.index_data
                self.order_id = self.order.id
            else:
                _ = self.order_id

    def to_quarantined_order(self, error: BadOrder) -> QuarantinedOrder:
        order_id = error.order_id or self.__dict__.get("order_id")
        return QuarantinedOrder(reason=str(error), id=order_id, raw=self.raw[:QUARANTINE_BYTES])


@dataclass(frozen=True, slots=True)
class OrdersOfResponse:
    """The orders of one response, whose request started at `read_at` (aware UTC)."""

    rows: Sequence[OrderOfResponse]
    read_at: datetime


@dataclass(slots=True)
class UpsertResult:
    """The result of upserting one response.

    `order_ids` are the ids of its readable orders, in the order of the response. `created` has the
    exact creation times that are stored for them, by id. `parsed` are the new and changed orders.
    """

    order_ids: list[UUID] = field(default_factory=list)
    created: dict[UUID, datetime] = field(default_factory=dict)
    new: int = 0
    changed: int = 0
    same: int = 0
    parsed: list[GoodyOrder] = field(default_factory=list)
    quarantined: list[QuarantinedOrder] = field(default_factory=list)


def _instant(stored: datetime) -> datetime:
    """Return a stored time as aware UTC; SQLite returns naive times in UTC."""
    return stored if stored.tzinfo else stored.replace(tzinfo=UTC)


class StoredRow(NamedTuple):
    """The columns of a stored order that are compared or needed to update related rows."""

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
        """Return the stored order from column values in the order of the fields.

        Either database's types are accepted.
        """
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
        """Whether the row was stored from a request that started at `read_at` or later."""
        return read_at <= self.read_at <= read_at + _MAX_DELAY

    def is_same_as(self, given: OrderOfResponse) -> bool:
        """Whether the given row is equal to the stored one. Raises BadOrder."""
        if self.missing_at is not None:
            return False
        if given.row_hash and given.row_hash == self.row_hash:
            return True
        if self.content_hash != given.index_data.columns["content_hash"]:
            return False
        return event_times_json(given.order) in (None, self.event_times)

    def more_exact_creation(self, created: CreationTime | None) -> CreationTime | None:
        """Return the given creation time if it is more exact than the stored one, else None."""
        if created is None or created.source < self.created_from:
            return None
        is_as_sure = created.source == self.created_from
        if is_as_sure and (
            created.source == CreationTimeSource.WINDOW or created.at == self.created_at
        ):
            return None
        return created
