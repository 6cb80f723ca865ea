"""The sections of an order's page: progress, gift, money, shipments, people, ids.

Pure functions from an order to lines; order_page.py combines them with the operations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import NamedTuple
from uuid import UUID

from goody.types import Cart, CartSelection, EventTimes, Order, Sender, Shipment
from orders import eligibility, formats
from orders.formats import NOTHING

from .elements import Line

UNKNOWN_YET = "not known yet"
UNNAMED = "Unnamed recipient"


class Amount(NamedTuple):
    """Money with its label. The tones are classes of app.css."""

    label: str
    value: str
    label_tone: str
    tone: str


class Step(NamedTuple):
    """A stage on the rail: `state` is done, now, unknown or ahead, `current` says "step" for now;
    `iso` and `when` are "" where Goody gives no time.
    """

    name: str
    label: str
    state: str
    word: str
    current: str
    iso: str
    when: str
    # What stands in place of a time.
    missing: str = ""


# (status, label, field of the event times)
_STAGES = (
    ("created", "Created", "created_at"),
    ("notified", "Notified", "notified_at"),
    ("opened", "Opened", "opened_at"),
    ("accepted", "Accepted", "accepted_at"),
    ("paid", "Paid", "paid_at"),
    ("shipped", "Shipped", "shipped_at"),
    ("delivered", "Delivered", "delivered_at"),
)
_RANK = {status: rank for rank, (status, _, _) in enumerate(_STAGES)} | {
    "pending_payment": 3,
    "ordered": 4,
}
_STEP_WORDS = {
    "done": "done",
    "now": "now",
    "unknown": "time unknown",
    "ahead": "not reached",
}


def rail(order: Order, *, zone: tzinfo) -> list[Step]:
    """Created to delivered. A stage is done when Goody gives its time, never because of later ones.

    One behind the present status that has no time may have been skipped or not: Goody publishes no
    state machine.
    """
    # Ended and unknown statuses stand nowhere on it: only what has a time is done.
    here = _RANK.get(order.status, -1)
    return [
        _step(stage, rank - here, _time_of(order.event_times, stage[2]), zone)
        for rank, stage in enumerate(_STAGES)
    ]


def _time_of(times: EventTimes | None, field: str) -> datetime | None:
    return getattr(times, field) if times is not None else None


def _step(stage: tuple[str, str, str], ahead: int, at: datetime | None, zone: tzinfo) -> Step:
    state = "unknown" if ahead < 0 else "ahead"
    if ahead == 0:
        state = "now"
    elif at is not None:
        state = "done"
    return Step(
        name=stage[0],
        label=stage[1],
        state=state,
        word=_STEP_WORDS[state],
        current="step" if state == "now" else "",
        iso=formats.iso(at) if at else "",
        when=formats.date_time(at, zone) if at else "",
        missing=_STEP_WORDS["unknown"] if state == "unknown" else "",
    )


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a cart: "2 × Tea box", its brand, and the variants of each unit."""

    title: str
    brand: str
    variants: list[str]


@dataclass(frozen=True, slots=True)
class Gift:
    """What is in a cart. `unmatched` are selections that name none of its items."""

    items: list[Item]
    unmatched: list[str]


def gift(cart: Cart | None, selections: Iterable[CartSelection] = ()) -> Gift:
    """A cart with its chosen variants; selections that match no item stand apart."""
    chosen = list(selections)
    items = cart.items if cart else ()
    known = {item.id for item in items if item.id is not None}
    return Gift(
        items=[
            Item(
                title=_title(item.quantity, item.product.name if item.product else None),
                brand=_brand(item),
                variants=[
                    _selection(s)
                    for s in chosen
                    if item.id is not None and s.cart_item_id == item.id
                ],
            )
            for item in items
        ],
        unmatched=[_selection(s) for s in chosen if s.cart_item_id not in known],
    )


def _title(quantity: int | None, name: str | None) -> str:
    return f"{quantity if quantity is not None else '?'} × {name or 'unnamed product'}"


def _brand(item: object) -> str:
    product = getattr(item, "product", None)
    return (product.brand.name if product and product.brand else None) or NOTHING


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


def money(order: Order) -> list[Amount]:
    """Every amount Goody gives. Nothing is computed: what null means is not known yet."""
    return [_amount(name, label, order.amounts) for name, label in _AMOUNTS]


def original_money(order: Order) -> list[Amount]:
    """The amounts before the swap; [] when the gift was not swapped."""
    if order.original_amounts is None:
        return []
    return [_amount(name, label, order.original_amounts) for name, label in _ORIGINAL_AMOUNTS]


def _amount(name: str, label: str, amounts: object) -> Amount:
    cents: int | None = getattr(amounts, name, None)
    tone = "is-total" if name.endswith("total") else ""
    if cents is None:
        return Amount(label, UNKNOWN_YET, tone, "muted")
    return Amount(label, formats.money(cents), tone, tone)


@dataclass(frozen=True, slots=True)
class Parcel:
    title: str
    status: str
    lines: list[Line]


def parcels(order: Order, *, zone: tzinfo) -> list[Parcel]:
    """Goody's shipments. Their statuses are undocumented: shown as they come, only readable."""
    return [_parcel(shipment, zone) for shipment in order.shipments]


def _parcel(shipment: Shipment, zone: tzinfo) -> Parcel:
    return Parcel(
        title=shipment.brand_name or "Unnamed brand",
        status=(shipment.status or NOTHING).replace("_", " "),
        lines=[
            Line("Carrier", shipment.tracking_carrier or NOTHING),
            Line("Tracking number", shipment.tracking_number or "not given"),
            # As text: an address out of an answer is never made a link.
            Line("Tracking page", shipment.tracking_url or "not given"),
            _moment("Shipped", shipment.shipped_at, zone),
            _moment("Expected", shipment.delivery_eta, zone),
            _moment("Delivered", shipment.delivered_at, zone),
        ],
    )


def _moment(label: str, at: datetime | None, zone: tzinfo) -> Line:
    return Line(label, formats.date_time(at, zone), iso=formats.iso(at) if at else "")


def recipient(order: Order) -> str:
    return eligibility.recipient_name(order) or UNNAMED


def people(order: Order) -> list[Line]:
    """Who gets it, who sent it, and where it belongs, each with what can be copied."""
    sender = order.sender
    views = order.view_count_recipient
    return [
        Line("Recipient", eligibility.recipient_name(order) or NOTHING),
        _copied("E-mail", order.recipient_email),
        Line("Views by the recipient", UNKNOWN_YET if views is None else str(views)),
        Line("Sender", sender_name(sender) or NOTHING),
        _copied("Sender's e-mail", sender.email if sender else None),
        Line("Workspace", order.workspace_name or NOTHING),
        _copied("Workspace id", order.workspace_id),
        _copied("Batch id", order.order_batch_id),
        _copied("Card id", order.card_id),
        _copied("Receipt reference", order.reference_id),
        _copied("Order id", order.id),
    ]


def sender_name(sender: Sender | None) -> str:
    """ "" where Goody gives neither name."""
    return " ".join(filter(None, (sender.first_name, sender.last_name))) if sender else ""


def _copied(label: str, value: UUID | str | None) -> Line:
    text = str(value) if value else ""
    return Line(label, text or NOTHING, copy=text)


def ids(order: Order) -> list[Line]:
    """The ids inside the gift and its shipments, for whoever has to quote one to Goody."""
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
