"""Computes the columns of an order's row. Pure: no database.

Money is US cents. Times and UUIDs are texts as SQLite stores them and PostgreSQL parses them, so
that the sync can prepare rows outside the thread that writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from goody.types import CartItem, Order, Sender
from orders.compression import compress_json
from orders.eligibility import cents_released_by_cancel, recipient_name
from orders.models import Label
from orders.text import (
    fold_text,
    gift_token_digest,
    hex_digest,
    searchable_text,
    umlaut_spellings,
    word_starts_of_names,
)

_encode = msgspec.json.Encoder().encode
_LONGEST = 300
_PRODUCT, _BRAND, _SENDER, _WORKSPACE, _CARD = (
    kind.value
    for kind in (
        Label.Kind.PRODUCT,
        Label.Kind.BRAND,
        Label.Kind.SENDER,
        Label.Kind.WORKSPACE,
        Label.Kind.CARD,
    )
)


class LabelName(NamedTuple):
    """A name that many orders share. `id` is (kind, key) of its label."""

    id: tuple[str, str]
    name: str


@dataclass(frozen=True, slots=True)
class OrderLabelNames:
    """The label names of one order; `products` has (product, brand) of each item of the cart."""

    products: tuple[tuple[LabelName | None, LabelName | None], ...]
    sender: LabelName | None
    workspace: LabelName | None
    card: LabelName | None

    def __iter__(self) -> Iterator[LabelName]:
        pairs = (name for pair in self.products for name in pair)
        return filter(None, (*pairs, self.sender, self.workspace, self.card))


class MessageTexts(NamedTuple):
    """The folded message and thank-you note; "" if missing."""

    message: str
    note: str


@dataclass(frozen=True, slots=True)
class IndexData:
    """The values that the index stores for one order, apart from ids of labels and texts.

    `starts` are the word starts of its people's names, `packed` is its compressed JSON.
    """

    columns: dict[str, Any]
    names: OrderLabelNames
    texts: MessageTexts
    starts: Collection[str]
    packed: bytes


def format_database_time(at: datetime) -> str:
    """Return an aware UTC time as text that both databases parse.

    The time zone of every session is UTC.
    """
    return at.replace(tzinfo=None).isoformat(" ")


def make_index_data(order: Order) -> IndexData:
    columns = order_columns(order)
    return IndexData(
        columns,
        label_names(order),
        message_texts(order),
        word_starts_of_names(columns["people"]),
        compress_json(order.raw),
    )


def content_hash(order: Order) -> str:
    """Return a hash of an order that ignores its event times.

    It is equal for a list row and a single-order response of the same content.
    """
    return hex_digest(
        _encode(
            msgspec.structs.replace(order, raw=b"", event_times=None, unknown_fields=frozenset())
        )
    )


def event_times_json(order: Order) -> dict[str, str | None] | None:
    """Return the event times as JSON values; None if the response had none."""
    if order.event_times is None:
        return None
    times: dict[str, str | None] = msgspec.to_builtins(order.event_times)
    return times


def label_names(order: Order) -> OrderLabelNames:
    items = order.cart.items if order.cart else ()
    return OrderLabelNames(
        products=tuple(_product(item) for item in items),
        sender=_sender(order.sender),
        workspace=_named(_WORKSPACE, order.workspace_id, order.workspace_name),
        card=_named(_CARD, order.card_id, str(order.card_id or "")),
    )


def _product(item: CartItem) -> tuple[LabelName | None, LabelName | None]:
    product = item.product
    if product is None:
        return None, None
    brand = product.brand
    return (
        _named(_PRODUCT, product.id, product.name),
        _named(_BRAND, brand.id, brand.name) if brand else None,
    )


def _named(kind: str, given: object, name: str | None) -> LabelName | None:
    """Return the LabelName of a label; None without a name.

    Its key is Goody's id, or the folded name if Goody gave no id.
    """
    key = str(given) if given else fold_text(name or "")[:_LONGEST]
    return LabelName((kind, key), name or "") if key else None


def _sender(sender: Sender | None) -> LabelName | None:
    if sender is None:
        return None
    name = " ".join(filter(None, (sender.first_name, sender.last_name)))
    key = fold_text(sender.email or name)[:_LONGEST]
    shown = f"{name} <{sender.email}>" if name and sender.email else name or sender.email or ""
    return LabelName((_SENDER, key), shown) if key else None


def message_texts(order: Order) -> MessageTexts:
    return MessageTexts(_shared_text(order.message or ""), _shared_text(order.thank_you_note or ""))


@lru_cache(maxsize=500)
def _shared_text(text: str) -> str:
    """Return the searchable text of a message; the gifts of a batch share theirs."""
    return searchable_text(text)


def _token(link: str) -> str:
    """Return the last part of a gift link's path."""
    before, scheme, after = link.partition("://")
    path = (after if scheme else before).partition("#")[0].partition("?")[0]
    _, slash, token = path.rstrip("/").rpartition("/")
    return token if slash else ""


def order_columns(order: Order) -> dict[str, Any]:
    """Return the columns that depend only on the order."""
    name, email = recipient_name(order), order.recipient_email or ""
    folded_name, folded_email = fold_text(name), fold_text(email)
    cents, is_before_tax = cents_released_by_cancel(order)
    token = _token(order.individual_gift_link or "")
    items = order.cart.items if order.cart else ()
    return {
        "uuid": order.id.hex,
        "status": order.status[:100],
        # Goody's have 24 letters; PostgreSQL's indexes take no text of any length.
        "reference_id": (order.reference_id or "")[:_LONGEST],
        "gift_digest": gift_token_digest(token) if token else "",
        "recipient_name": name,
        "recipient_email": email,
        "name_key": folded_name[:_LONGEST] or None,
        "email_key": folded_email[:_LONGEST],
        "people": _people(name, folded_name, folded_email),
        "expires_at": order.expires_at and format_database_time(order.expires_at),
        "is_expiry_odd": "expires_at" in order.problems,
        "is_amount_odd": is_amount_odd(order),
        "is_odd": bool(order.problems),
        "amount_cents": cents,
        "is_before_tax": is_before_tax and cents is not None,
        "quantity": items[0].quantity if items else None,
        "item_count": len(items),
        "order_batch_id": order.order_batch_id and order.order_batch_id.hex,
        "is_swapped": bool(order.is_swapped),
        "is_payment_pending": is_payment_pending(order),
        "has_delivery_trouble": has_delivery_trouble(order),
        "content_hash": content_hash(order),
    }


def _people(name: str, folded_name: str, folded_email: str) -> str:
    parts = (folded_name, folded_email, *umlaut_spellings(name, folded_name))
    return " ".join(filter(None, parts))


def is_amount_odd(order: Order) -> bool:
    """Whether an amount that `cents_released_by_cancel` uses could not be read."""
    amounts = ("amounts", "amounts.amount_total", "amounts.amount_pre_tax_total")
    return any(path in order.problems for path in amounts)


def is_payment_pending(order: Order) -> bool:
    """Whether the order has a payment link. Goody's status then remains `accepted`."""
    return order.status == "pending_payment" or (
        order.status == "accepted" and bool(order.payment_link)
    )


def has_delivery_trouble(order: Order) -> bool:
    return any((one.status or "").startswith("failed") for one in order.shipments)
