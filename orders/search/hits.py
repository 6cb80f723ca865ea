"""The rows of a list as plain values, with label names instead of label ids."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from goody.types import Order
from orders.eligibility import cents_released_by_cancel, recipient_name
from orders.index.columns import (
    has_delivery_trouble,
    is_amount_odd,
    is_payment_pending,
    label_names,
)
from orders.models import EXACT_SOURCES, CreationTimeSource

from .labels import Labels
from .sql import SqlDialect


class Hit(NamedTuple):
    """One order of a list. Times are aware UTC, money is US cents, missing texts are ""."""

    uuid: UUID
    status: str
    reference_id: str
    recipient_name: str
    recipient_email: str
    product: str
    brand: str
    quantity: int | None
    # Of the cart. `product` and `quantity` are those of the first item.
    item_count: int
    amount_cents: int | None
    is_before_tax: bool
    sender: str
    workspace: str
    order_batch_id: UUID | None
    # None if it is not known to the second.
    created_at: datetime | None
    created_from: int
    expires_at: datetime | None
    is_expiry_odd: bool
    is_amount_odd: bool
    is_swapped: bool
    is_payment_pending: bool
    has_delivery_trouble: bool
    read_at: datetime
    missing_at: datetime | None

    @property
    def problems(self) -> tuple[str, ...]:
        """The unreadable fields, in the form of `Order.problems`, for orders.eligibility."""
        return ("expires_at",) if self.is_expiry_odd else ()


def hit_from_order(
    order: Order, *, created_at: datetime | None, read_at: datetime, missing_at: datetime | None
) -> Hit:
    """Return the hit of an order from Goody, equal to the hit of its row in the index."""
    names = label_names(order)
    product, brand = names.products[0] if names.products else (None, None)
    items = order.cart.items if order.cart else ()
    cents, is_before_tax = cents_released_by_cancel(order)
    return Hit(
        uuid=order.id,
        status=order.status,
        reference_id=order.reference_id or "",
        recipient_name=recipient_name(order),
        recipient_email=order.recipient_email or "",
        product=product.name if product else "",
        brand=brand.name if brand else "",
        quantity=items[0].quantity if items else None,
        item_count=len(items),
        amount_cents=cents,
        is_before_tax=is_before_tax and cents is not None,
        sender=names.sender.name if names.sender else "",
        workspace=names.workspace.name if names.workspace else "",
        order_batch_id=order.order_batch_id,
        created_at=created_at,
        created_from=CreationTimeSource.DETAIL if created_at else CreationTimeSource.NOWHERE,
        expires_at=order.expires_at,
        is_expiry_odd="expires_at" in order.problems,
        is_amount_odd=is_amount_odd(order),
        is_swapped=bool(order.is_swapped),
        is_payment_pending=is_payment_pending(order),
        has_delivery_trouble=has_delivery_trouble(order),
        read_at=read_at,
        missing_at=missing_at,
    )


_TIMES = frozenset({"created_at", "expires_at", "read_at", "missing_at"})
_COLUMNS = (
    *("uuid", "status", "reference_id", "recipient_name", "recipient_email"),
    *("product_id", "brand_id", "quantity", "item_count", "amount_cents", "is_before_tax"),
    *("sender_id", "workspace_id", "order_batch_id", "created_at", "created_from", "expires_at"),
    *("is_expiry_odd", "is_amount_odd", "is_swapped", "is_payment_pending", "has_delivery_trouble"),
    *("read_at", "missing_at"),
)
_NAMED = [_COLUMNS.index(f"{name}_id") for name in ("product", "brand", "sender", "workspace")]
_INSTANTS = [at for at, name in enumerate(_COLUMNS) if name in _TIMES]
_ID, _BATCH = _COLUMNS.index("uuid"), _COLUMNS.index("order_batch_id")
_CREATED_AT, _CREATED_FROM = _COLUMNS.index("created_at"), _COLUMNS.index("created_from")
_FLAGS = [at for at, name in enumerate(_COLUMNS) if name.startswith(("is_", "has_"))]


def hit_columns(dialect: SqlDialect) -> str:
    """Return the SELECT list of the columns of `o` that make a hit."""
    return ", ".join(
        dialect.select_time(f"o.{name}") if name in _TIMES else f"o.{name}" for name in _COLUMNS
    )


def make_hits(rows: Iterable[tuple[Any, ...]], labels: Labels, *, vendor: str) -> list[Hit]:
    """Return hits from rows whose last values are those of `hit_columns`."""
    make = _from_postgresql if vendor == "postgresql" else _from_sqlite
    return [make(row[-len(_COLUMNS) :], labels.names) for row in rows]


def _from_postgresql(row: tuple[Any, ...], names: dict[int, str]) -> Hit:
    values = list(row)
    _finish(values, names)
    return Hit(*values)


def _from_sqlite(row: tuple[Any, ...], names: dict[int, str]) -> Hit:
    values = list(row)
    for at in _INSTANTS:
        if values[at] is not None:
            values[at] = datetime.fromisoformat(values[at])
    for at in _FLAGS:
        values[at] = bool(values[at])
    values[_ID] = _parse_uuid(values[_ID])
    if values[_BATCH] is not None:
        values[_BATCH] = _parse_uuid(values[_BATCH])
    _finish(values, names)
    return Hit(*values)


def _parse_uuid(text: str) -> UUID:
    # UUID() takes three times as long.
    return msgspec.convert(text, UUID)


def _finish(values: list[Any], names: dict[int, str]) -> None:
    for at in _NAMED:
        values[at] = names.get(values[at], "")
    if values[_CREATED_FROM] not in EXACT_SOURCES:
        values[_CREATED_AT] = None
