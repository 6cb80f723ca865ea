"""An order and its parts, as Goody's documentation names them.

Shapes only; reading.py fills them. Money is in integer US cents, every datetime is aware and in
UTC. Goody leaves keys out or sends null for the same thing: both are None here, and () for lists.
A value of a wrong type is None too, and then named in `Order.problems`.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

# Goody's guide: an order may be canceled until its recipient accepts it.
CANCELABLE = ("created", "notified", "opened")
# What canceling yields is `failed`; `canceled` is in the enumeration and means the same to us.
ENDED = ("failed", "canceled")
ORDER_STATUSES = (
    "created",
    "notified",
    "opened",
    "accepted",
    "pending_payment",
    "paid",
    "ordered",
    "shipped",
    "delivered",
    "failed",
    "canceled",
)


# Aware: a time without a zone is no instant.
type Instant = Annotated[datetime, msgspec.Meta(tz=True)]


MAX_STATUS = 64
# The largest integer that every JSON reader and both databases hold without loss.
MAX_INT = 2**53
type Integer = Annotated[int, msgspec.Meta(ge=-MAX_INT, le=MAX_INT)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Common configuration of everything below. The types are as strict as reading.py is."""


class Brand(_Part, frozen=True, kw_only=True):
    id: UUID | None = None
    name: str | None = None


class Product(_Part, frozen=True, kw_only=True):
    id: UUID | None = None
    name: str | None = None
    brand: Brand | None = None


class CartItem(_Part, frozen=True, kw_only=True):
    id: UUID | None = None
    quantity: Integer | None = None
    product: Product | None = None


class Cart(_Part, frozen=True, kw_only=True):
    id: UUID | None = None
    items: tuple[CartItem, ...] = ()


class CartSelection(_Part, frozen=True, kw_only=True):
    """The chosen variants of one unit. `cart_item_id` may match no item of the cart."""

    id: UUID | None = None
    cart_item_id: UUID | None = None
    quantity_index: Integer | None = None
    variants: tuple[str, ...] = ()


class Shipment(_Part, frozen=True, kw_only=True):
    """One parcel, roughly one per brand. Tracking is shown to few partners: usually None."""

    id: UUID | None = None
    status: str | None = None
    brand_name: str | None = None
    tracking_carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    shipped_at: Instant | None = None
    delivered_at: Instant | None = None
    delivery_eta: Instant | None = None


class Amounts(_Part, frozen=True, kw_only=True):
    """US cents. None means not known yet (tax and total before acceptance), never zero."""

    amount_product: Integer | None = None
    amount_shipping: Integer | None = None
    amount_processing_fee: Integer | None = None
    amount_credit_applied: Integer | None = None
    amount_pre_tax_total: Integer | None = None
    amount_tax: Integer | None = None
    amount_total: Integer | None = None
    amount_global_relay_cost: Integer | None = None


class OriginalAmounts(_Part, frozen=True, kw_only=True):
    """US cents, before the recipient's swap. Goody gives neither tax nor total of that time."""

    original_amount_product: Integer | None = None
    original_amount_shipping: Integer | None = None
    original_amount_credit_applied: Integer | None = None
    original_amount_pre_tax_total: Integer | None = None


class Sender(_Part, frozen=True, kw_only=True):
    """The Goody user who sent the gift."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None

    def __repr__(self) -> str:
        """No names or addresses in tracebacks."""
        return "Sender(...)"


class EventTimes(_Part, frozen=True, kw_only=True):
    """When an order reached each stage. Only GET /v1/orders/{id} answers with them."""

    created_at: Instant | None = None
    notified_at: Instant | None = None
    opened_at: Instant | None = None
    accepted_at: Instant | None = None
    # Not in Goody's schema, but in its examples.
    thank_you_added_at: Instant | None = None
    pending_payment_at: Instant | None = None
    paid_at: Instant | None = None
    shipped_at: Instant | None = None
    delivered_at: Instant | None = None


class Order(_Part, frozen=True, kw_only=True):
    """One gift order. `id` and `status` are always usable, the rest as far as Goody gave it.

    An unknown `status` is kept as it came. `raw` is this order's JSON as received, and
    `parse_order(order.raw)` gives this order again at any later time. `problems` names, with dots
    and list positions ("cart.items.0.quantity"), each field that was of a wrong type (then None)
    or had to be cleaned (then the cleaned text). `unknown_fields` are the undocumented keys of the
    order itself.
    """

    id: UUID
    status: str
    raw: bytes
    problems: tuple[str, ...] = ()
    unknown_fields: frozenset[str] = frozenset()

    reference_id: str | None = None
    recipient_first_name: str | None = None
    recipient_last_name: str | None = None
    recipient_email: str | None = None
    individual_gift_link: str | None = None
    cart: Cart | None = None
    cart_selections: tuple[CartSelection, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    amounts: Amounts | None = None
    original_cart: Cart | None = None
    original_amounts: OriginalAmounts | None = None
    is_swapped: bool | None = None
    sender: Sender | None = None
    workspace_id: UUID | None = None
    workspace_name: str | None = None
    order_batch_id: UUID | None = None
    expires_at: Instant | None = None
    card_id: UUID | None = None
    message: str | None = None
    thank_you_note: str | None = None
    view_count_recipient: Integer | None = None
    payment_link: str | None = None
    event_times: EventTimes | None = None

    def __repr__(self) -> str:
        """Id and status only: an order is full of personal data and lands in tracebacks."""
        return f"Order(id={self.id}, status={self.status!r})"
