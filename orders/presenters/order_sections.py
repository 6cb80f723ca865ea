"""The sections of an order's page: gift, delivery, ids. Pure functions of the order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from goody.types import (
    CANCELABLE,
    ENDED,
    ORDER_STATUSES,
    Cart,
    CartItem,
    CartSelection,
    Order,
    Sender,
    Shipment,
)
from orders import eligibility, formats
from orders.days import RequestClock
from orders.eligibility import ExpiryKind
from orders.formats import MISSING_VALUE
from orders.forms.listing import MAX_NAME_LENGTH
from orders.viewer import Viewer

from .elements import LabeledValue
from .raw_values import RawValues
from .status import Badge, shipment_badge

UNNAMED = "Unnamed recipient"
UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class GiftItem:
    """One line of a cart: quantity, product and brand, and the variants of each unit."""

    quantity: str
    name: str
    brand: str
    variants: list[str]


@dataclass(frozen=True, slots=True)
class Gift:
    """The content of a cart.

    `unmatched` are selections that match no item of the cart. `unreadable` describes the parts of
    the cart that could not be read.
    """

    items: list[GiftItem]
    unmatched: list[str]
    unreadable: str = ""


def current_gift(order: Order, raw: RawValues) -> Gift:
    """Return the cart with its chosen variants."""
    return _gift(order.cart, order.cart_selections, "cart", raw)


def original_gift(order: Order, raw: RawValues) -> Gift | None:
    """Return the cart before the swap; None if Goody gave none."""
    if order.original_cart is None and not raw.unreadable("original_cart"):
        return None
    return _gift(order.original_cart, (), "original_cart", raw)


def _gift(
    cart: Cart | None, selections: Iterable[CartSelection], path: str, raw: RawValues
) -> Gift:
    chosen = list(selections)
    items = cart.items if cart else ()
    known = {item.id for item in items if item.id is not None}
    paths = raw.member_paths(f"{path}.items")
    return Gift(
        items=[_item(item, chosen, next(paths), raw) for item in items],
        unmatched=[_selection(s) for s in chosen if s.cart_item_id not in known],
        unreadable=raw.unreadable(path) or "; ".join(raw.unreadable_members(f"{path}.items")),
    )


def _item(item: CartItem, selections: list[CartSelection], path: str, raw: RawValues) -> GiftItem:
    product = item.product
    name = product.name if product else None
    name = name or raw.unreadable(f"{path}.product.name") or "unnamed product"
    unread = raw.unreadable(f"{path}.quantity")
    quantity = f"({unread})" if unread else "?" if item.quantity is None else str(item.quantity)
    return GiftItem(
        quantity=quantity,
        name=name,
        brand=(product.brand.name if product and product.brand else None) or MISSING_VALUE,
        variants=[
            _selection(s) for s in selections if item.id is not None and s.cart_item_id == item.id
        ],
    )


def _selection(selection: CartSelection) -> str:
    unit = "unit ?" if selection.quantity_index is None else f"unit {selection.quantity_index + 1}"
    return f"{unit}: {', '.join(selection.variants) or 'no variants'}"


class ShipmentEvent(NamedTuple):
    """A dated event of a parcel: "shipped" on a day. `at` has the time and the zone."""

    label: str
    iso: str
    day: str
    at: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """A shipment in one line; `unreadable` are its values that could not be read."""

    brand: str
    badge: Badge
    carrier: str
    number: str
    tracking_url: str
    moments: list[ShipmentEvent]
    unreadable: list[str]


def no_parcels_sentence(order: Order) -> str:
    """Return the sentence in place of parcels, by status."""
    if order.status in CANCELABLE:
        return "Nothing is sent before the gift is accepted."
    is_under_way = order.status in ORDER_STATUSES and order.status not in ENDED
    return "No parcel yet." if is_under_way else "No parcel."


def make_parcels(order: Order, raw: RawValues, *, clock: RequestClock) -> list[Parcel]:
    paths = raw.member_paths("shipments")
    unreadable = [
        Parcel("Parcel", Badge("warn", "alert", "Unreadable"), "", "", "", [], [text])
        for text in raw.unreadable_members("shipments")
    ]
    return [_parcel(one, next(paths), raw, clock) for one in order.shipments] + unreadable


_PARCEL_TEXTS = ("brand_name", "tracking_carrier", "tracking_number", "tracking_url", "status")
_PARCEL_TIMES = (
    ("shipped_at", "shipped"),
    ("delivery_eta", "ETA"),
    ("delivered_at", "delivered"),
)


def _parcel(shipment: Shipment, path: str, raw: RawValues, clock: RequestClock) -> Parcel:
    names = (*_PARCEL_TEXTS, *(name for name, _ in _PARCEL_TIMES))
    unread = ((name, raw.unreadable(f"{path}.{name}")) for name in names)
    return Parcel(
        brand=shipment.brand_name or "Unnamed brand",
        badge=shipment_badge(shipment.status),
        carrier=shipment.tracking_carrier or "",
        number=shipment.tracking_number or "",
        tracking_url=shipment.tracking_url or "",
        moments=[
            _moment(label, at, clock)
            for name, label in _PARCEL_TIMES
            if (at := getattr(shipment, name)) is not None
        ],
        unreadable=[f"{name}: {text}" for name, text in unread if text],
    )


def _moment(label: str, at: datetime, clock: RequestClock) -> ShipmentEvent:
    return ShipmentEvent(
        label,
        formats.iso_utc(at),
        formats.compact_day(at, clock.now, clock.zone),
        formats.date_time(at, clock.zone),
    )


def displayed_recipient(order: Order) -> str:
    return eligibility.recipient_name(order) or UNNAMED


def sender_name(sender: Sender | None) -> str:
    """Return the full name; "" if Goody gives neither first nor last name."""
    return " ".join(filter(None, (sender.first_name, sender.last_name))) if sender else ""


def sender_key(sender: Sender | None) -> str:
    """Return the value of the list's parameter `sender`: the e-mail address, or the name."""
    return ((sender.email if sender else "") or sender_name(sender))[:MAX_NAME_LENGTH]


# --- ids --------------------------------------------------------------------------------------


def id_lines(order: Order, raw: RawValues, *, viewer: Viewer) -> list[LabeledValue]:
    """Return the ids, which Goody's support asks for, and fields that no other section shows."""
    return [
        *_own_ids(order, raw),
        *_other_fields(order, raw, viewer),
        *_cart_ids("", order.cart),
        *_part_ids(order),
        *_cart_ids("Original ", order.original_cart),
    ]


def _own_ids(order: Order, raw: RawValues) -> list[LabeledValue]:
    given: tuple[tuple[str, UUID | str | None, str], ...] = (
        ("Order id", order.id, "id"),
        ("Receipt", order.reference_id, "reference_id"),
        ("Batch id", order.order_batch_id, "order_batch_id"),
        ("Workspace id", order.workspace_id, "workspace_id"),
        ("Card id", order.card_id, "card_id"),
    )
    return [
        _copied(label, value)
        if value
        else LabeledValue(label, raw.unreadable(path) or MISSING_VALUE)
        for label, value, path in given
    ]


def _other_fields(order: Order, raw: RawValues, viewer: Viewer) -> Iterator[LabeledValue]:
    yield LabeledValue(
        "Workspace", order.workspace_name or raw.unreadable("workspace_name") or MISSING_VALUE
    )
    if order.sender and order.sender.email:
        yield LabeledValue("Sender's e-mail", order.sender.email, copy=order.sender.email)
    expiry = eligibility.classify_expiry(order, viewer.now)
    if expiry.kind is ExpiryKind.IRRELEVANT and expiry.at is not None:
        text = f"{formats.date_time(expiry.at, viewer.zone)}, without effect by now"
        yield LabeledValue("Expiration", text, iso=formats.iso_utc(expiry.at))
    for name in ("sender.first_name", "sender.last_name", "sender.email", "recipient_last_name"):
        if unreadable := raw.unreadable(name):
            yield LabeledValue(name, unreadable)


def _copied(label: str, value: UUID | str | None) -> LabeledValue:
    """Return the shortened id, with a button that copies the whole id."""
    text = str(value) if value else ""
    return LabeledValue(label, formats.shorten_id(text) or MISSING_VALUE, copy=text)


def _part_ids(order: Order) -> Iterator[LabeledValue]:
    for number, one in enumerate(order.cart_selections, 1):
        yield _copied(f"Selection {number}", one.id)
        yield _copied(f"Selection {number}, item it names", one.cart_item_id)
    for number, parcel in enumerate(order.shipments, 1):
        yield _copied(f"Parcel {number}", parcel.id)


def _cart_ids(prefix: str, cart: Cart | None) -> list[LabeledValue]:
    if cart is None:
        return []
    lines = [_copied(f"{prefix}cart".capitalize(), cart.id)]
    for number, item in enumerate(cart.items, 1):
        product = item.product
        brand = product.brand if product else None
        label = f"{prefix}item {number}".capitalize()
        lines += [
            _copied(label, item.id),
            _copied(f"{label}, product", product.id if product else None),
            _copied(f"{label}, brand", brand.id if brand else None),
        ]
    return lines
