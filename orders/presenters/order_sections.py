"""The sections of an order's page: gift, money, shipments, people, ids.

Pure functions from an order to lines; order_page.py combines them with the operations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import NamedTuple
from uuid import UUID

from goody.types import ENDED, Cart, CartItem, CartSelection, Order, Sender, Shipment
from orders import eligibility, formats
from orders.formats import NOTHING

from .elements import Line
from .raw_values import RawValues
from .status import Badge, shipment_badge

UNKNOWN_YET = "not known yet"
NOT_GIVEN = "not given"
NOT_CHARGED = "Not charged: canceled before acceptance"
UNNAMED = "Unnamed recipient"


class Amount(NamedTuple):
    """Money with its label. The tones are classes of app.css."""

    label: str
    value: str
    label_tone: str
    tone: str


@dataclass(frozen=True, slots=True)
class GiftItem:
    """One line of a cart: "2 × Tea box", its brand, and the variants of each unit."""

    title: str
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
        title=f"{quantity} × {name}",
        brand=(product.brand.name if product and product.brand else None) or NOTHING,
        variants=[
            _selection(s) for s in selections if item.id is not None and s.cart_item_id == item.id
        ],
    )


def _selection(selection: CartSelection) -> str:
    unit = "unit ?" if selection.quantity_index is None else f"unit {selection.quantity_index + 1}"
    return f"{unit}: {', '.join(selection.variants) or 'no variants'}"


_AMOUNTS = (
    ("amount_product", "Products"),
    ("amount_shipping", "Shipping"),
    ("amount_processing_fee", "Processing fee"),
    ("amount_global_relay_cost", "International shipping"),
    ("amount_pre_tax_total", "Total before tax"),
    ("amount_tax", "Tax"),
    ("amount_total", "Total"),
    ("amount_credit_applied", "Credit applied"),
)
_ORIGINAL_AMOUNTS = (
    ("original_amount_product", "Products"),
    ("original_amount_shipping", "Shipping"),
    ("original_amount_pre_tax_total", "Total before tax"),
    ("original_amount_credit_applied", "Credit applied"),
)


def amount_lines(order: Order, raw: RawValues, *, is_uncharged: bool) -> list[Amount]:
    """Return every amount that Goody gives; nothing is computed.

    `is_uncharged`: the order ended and was certainly never accepted.
    """
    # With the total, all amounts are final.
    total = order.amounts.amount_total if order.amounts else None
    is_final = order.status in ENDED or total is not None
    missing = NOT_GIVEN if is_final else UNKNOWN_YET
    return [
        _amount(
            order.amounts,
            f"amounts.{name}",
            label,
            raw,
            NOT_CHARGED if is_uncharged and name == "amount_total" else missing,
        )
        for name, label in _AMOUNTS
    ]


def original_amount_lines(order: Order, raw: RawValues) -> list[Amount]:
    """Return the amounts before the swap; [] if Goody gave none."""
    if order.original_amounts is None and not raw.unreadable("original_amounts"):
        return []
    return [
        _amount(order.original_amounts, f"original_amounts.{name}", label, raw, NOT_GIVEN)
        for name, label in _ORIGINAL_AMOUNTS
    ]


def _amount(amounts: object, path: str, label: str, raw: RawValues, missing: str) -> Amount:
    name = path.rpartition(".")[2]
    cents: int | None = getattr(amounts, name, None)
    tone = "is-total" if name.endswith("total") else ""
    if cents is not None:
        return Amount(label, formats.money(cents), tone, tone)
    if unreadable := raw.unreadable(path):
        return Amount(label, unreadable, tone, "is-soon")
    return Amount(label, missing, tone, "muted")


@dataclass(frozen=True, slots=True)
class Parcel:
    title: str
    badge: Badge
    lines: list[Line]


def make_parcels(order: Order, raw: RawValues, *, zone: tzinfo) -> list[Parcel]:
    paths = raw.member_paths("shipments")
    unreadable = [
        Parcel("Shipment", Badge("warn", "alert", "Unreadable"), [Line("As sent", text)])
        for text in raw.unreadable_members("shipments")
    ]
    return [_parcel(one, next(paths), raw, zone) for one in order.shipments] + unreadable


def _parcel(shipment: Shipment, path: str, raw: RawValues, zone: tzinfo) -> Parcel:
    def text(label: str, name: str, missing: str) -> Line:
        value = getattr(shipment, name) or raw.unreadable(f"{path}.{name}") or missing
        return Line(label, value)

    def moment(label: str, name: str) -> Line:
        at = getattr(shipment, name)
        if at is None:
            return text(label, name, NOTHING)
        return Line(label, formats.date_time(at, zone), iso=formats.iso_utc(at))

    return Parcel(
        title=shipment.brand_name or "Unnamed brand",
        badge=shipment_badge(shipment.status),
        lines=[
            text("Carrier", "tracking_carrier", NOTHING),
            text("Tracking number", "tracking_number", NOT_GIVEN),
            # Text only: a URL in Goody's answer never becomes a link.
            text("Tracking page", "tracking_url", NOT_GIVEN),
            moment("Shipped", "shipped_at"),
            moment("Expected", "delivery_eta"),
            moment("Delivered", "delivered_at"),
        ],
    )


def shown_recipient(order: Order) -> str:
    return eligibility.recipient_name(order) or UNNAMED


def people_lines(order: Order, raw: RawValues) -> list[Line]:
    """Return recipient, sender, workspace and ids as lines, with texts to copy."""
    sender, views = order.sender, order.view_count_recipient

    def text(label: str, value: object, path: str, missing: str = NOTHING) -> Line:
        return Line(label, str(value) if value is not None else raw.unreadable(path) or missing)

    def copied(label: str, value: UUID | str | None, path: str) -> Line:
        return _copied(label, value) if value else text(label, None, path)

    return [
        text("Recipient", eligibility.recipient_name(order) or None, "recipient_first_name"),
        copied("E-mail", order.recipient_email, "recipient_email"),
        text("Views by the recipient", views, "view_count_recipient", UNKNOWN_YET),
        text("Sender", sender_name(sender) or None, "sender.first_name"),
        copied("Sender's e-mail", sender.email if sender else None, "sender.email"),
        text("Workspace", order.workspace_name or None, "workspace_name"),
        copied("Workspace id", order.workspace_id, "workspace_id"),
        copied("Batch id", order.order_batch_id, "order_batch_id"),
        copied("Card id", order.card_id, "card_id"),
        copied("Receipt reference", order.reference_id, "reference_id"),
        _copied("Order id", order.id),
    ]


def sender_name(sender: Sender | None) -> str:
    """Return the full name; "" if Goody gives neither first nor last name."""
    return " ".join(filter(None, (sender.first_name, sender.last_name))) if sender else ""


def _copied(label: str, value: UUID | str | None) -> Line:
    text = str(value) if value else ""
    return Line(label, text or NOTHING, copy=text)


def id_lines(order: Order) -> list[Line]:
    """Return the ids inside the gift and its shipments, to quote to Goody."""
    return [
        *_cart_ids("", order.cart),
        *(_copied(f"Selection {n}", s.id) for n, s in enumerate(order.cart_selections, 1)),
        *(
            _copied(f"Selection {n}, item it names", s.cart_item_id)
            for n, s in enumerate(order.cart_selections, 1)
        ),
        *(_copied(f"Shipment {n}", s.id) for n, s in enumerate(order.shipments, 1)),
        *_cart_ids("Original ", order.original_cart),
    ]


def _cart_ids(prefix: str, cart: Cart | None) -> list[Line]:
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
