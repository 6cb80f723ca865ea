"""Orders and their parts, as Goody's API documents them.

Money is in US cents, datetimes are aware and in UTC. A missing key and null are both None, or ()
for lists. An invalid value is None too, and is named in `Order.problems`.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

# By Goody's guide an order can be canceled until the recipient accepts it.
CANCELABLE = ("created", "notified", "opened")
# A cancel sets `failed`; `canceled` is documented too and is treated alike.
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


# Aware datetimes only.
type Instant = Annotated[datetime, msgspec.Meta(tz=True)]


MAX_STATUS = 64
# Larger integers are not exact in every JSON parser.
MAX_INT = 2**53
type Integer = Annotated[int, msgspec.Meta(ge=-MAX_INT, le=MAX_INT)]


class _Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The configuration of all structs below."""


class Brand(_Struct, frozen=True, kw_only=True):
    id: UUID | None = None
    name: str | None = None


class Product(_Struct, frozen=True, kw_only=True):
    id: UUID | None = None
    name: str | None = None
    brand: Brand | None = None


class CartItem(_Struct, frozen=True, kw_only=True):
    id: UUID | None = None
    quantity: Integer | None = None
    product: Product | None = None


class Cart(_Struct, frozen=True, kw_only=True):
    id: UUID | None = None
    items: tuple[CartItem, ...] = ()


class CartSelection(_Struct, frozen=True, kw_only=True):
    """The variants chosen for one unit of a cart item. The cart may not have `cart_item_id`."""

    id: UUID | None = None
    cart_item_id: UUID | None = None
    quantity_index: Integer | None = None
    variants: tuple[str, ...] = ()


class Shipment(_Struct, frozen=True, kw_only=True):
    """A shipment, about one for each brand. Goody gives tracking to approved partners only."""

    id: UUID | None = None
    status: str | None = None
    brand_name: str | None = None
    tracking_carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    shipped_at: Instant | None = None
    delivered_at: Instant | None = None
    delivery_eta: Instant | None = None


class Amounts(_Struct, frozen=True, kw_only=True):
    """US cents. None means not known yet, as tax and total are before acceptance; not zero."""

    amount_product: Integer | None = None
    amount_shipping: Integer | None = None
    amount_processing_fee: Integer | None = None
    amount_credit_applied: Integer | None = None
    amount_pre_tax_total: Integer | None = None
    amount_tax: Integer | None = None
    amount_total: Integer | None = None
    amount_global_relay_cost: Integer | None = None


class OriginalAmounts(_Struct, frozen=True, kw_only=True):
    """US cents before the recipient's swap, for which Goody has neither tax nor total."""

    original_amount_product: Integer | None = None
    original_amount_shipping: Integer | None = None
    original_amount_credit_applied: Integer | None = None
    original_amount_pre_tax_total: Integer | None = None


class Sender(_Struct, frozen=True, kw_only=True):
    """The Goody user who sent the gift."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None

    def __repr__(self) -> str:
        """No names or addresses in tracebacks."""
        return "Sender(...)"


class EventTimes(_Struct, frozen=True, kw_only=True):
    """When an order reached each status. Only GET /v1/orders/{id} has them."""

    created_at: Instant | None = None
    notified_at: Instant | None = None
    opened_at: Instant | None = None
    accepted_at: Instant | None = None
    # In Goody's examples, not in its schema.
    thank_you_added_at: Instant | None = None
    pending_payment_at: Instant | None = None
    paid_at: Instant | None = None
    shipped_at: Instant | None = None
    delivered_at: Instant | None = None


class Order(_Struct, frozen=True, kw_only=True):
    """A gift order. `id` and `status` are always valid; other fields may be None.

    An unknown `status` is kept. `raw` is the JSON as received; `parse_order(order.raw)` returns an
    equal order. `problems` has the dotted names ("cart.items.0.quantity") of the fields that were
    invalid, which are None, and of those whose text was cleaned. `unknown_fields` are the
    undocumented keys of the order object.
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
        """Id and status only, since tracebacks must not contain personal data."""
        return f"Order(id={self.id}, status={self.status!r})"
