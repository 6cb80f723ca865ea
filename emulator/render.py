"""One order as the JSON object Goody gives, computed from its columns and the seed.

Pure: equal arguments give equal objects, at any time, so that a million orders cost no memory for
their texts. Field names and shapes: Goody API, schema Order. No state and no rules here.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from string import ascii_letters, ascii_uppercase, digits
from struct import Struct
from typing import Any

from emulator import words
from emulator.ids import IdSpace, uuid_text
from emulator.seed import COMMERCE, DAY, DIRECT, HOSTILE, HOUR, SWAPPED, THANKED

Json = dict[str, Any]

EVENT_TIMES = (
    "created_at",
    "notified_at",
    "opened_at",
    "accepted_at",
    "thank_you_added_at",  # In Goody's examples, absent from its schema.
    "pending_payment_at",
    "paid_at",
    "shipped_at",
    "delivered_at",
)
_BEFORE_ACCEPTANCE = ("created", "notified", "opened", "failed", "canceled")
_UNDER_WAY = (
    "shipped",
    "pending",
    "tracking",
    "failed",
    "failed_unset_tracking",
    "failed_with_reship",
)
_ARRIVING = (*_UNDER_WAY, "delivered", "delivered")
_LEFT_OUT_WHEN_LEAN = (
    "recipient_last_name",
    "is_swapped",
    "view_count_recipient",
    "payment_link",
    "card_id",
    "thank_you_note",
    "original_cart",
    "original_amounts",
)


def _alphabet(characters: str) -> bytes:
    """A table for bytes.translate() that turns a digest into these characters."""
    return bytes(ord(characters[n % len(characters)]) for n in range(256))


_RECEIPT = _alphabet(ascii_uppercase + digits)
_TOKEN = _alphabet(ascii_letters + digits)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store knows of an order. `times`: status name -> Unix seconds, also created."""

    index: int
    batch: int
    status: str
    flags: int
    batch_flags: int
    expires: int | None
    thanked: int
    times: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Batch:
    """What all orders of one batch share."""

    id: str
    message: str | None
    card_id: str | None
    sender: Json
    workspace_id: str | None
    workspace_name: str | None
    cart: Json
    amounts: Json


def stamp(at: int) -> str:
    """Unix seconds as Goody prints times: whole seconds, UTC, Z."""
    return datetime.fromtimestamp(at, UTC).isoformat()[:19] + "Z"


_NUMBERS = Struct(">31H")


class _Bytes:
    """A stream of small numbers from one digest, in a fixed order of use."""

    __slots__ = ("_at", "_numbers", "digest")

    def __init__(self, digest: bytes) -> None:
        self.digest = digest
        self._numbers: tuple[int, ...] = _NUMBERS.unpack_from(digest)
        self._at = 0

    def below(self, limit: int) -> int:
        self._at = (self._at + 1) % 31
        return self._numbers[self._at] % limit


def _digest(*parts: object) -> bytes:
    return blake2b(":".join(map(str, parts)).encode()).digest()


def _uuid(*parts: object) -> str:
    return uuid_text(int.from_bytes(_digest(*parts)[:16], "big"))


class Renderer:
    """Writes orders of one seed, drawn at `now`; `people` is how many recipients exist."""

    def __init__(self, *, seed: int, people: int, now: int) -> None:
        self.order_ids = IdSpace(seed=seed, name="order")
        self.batch_ids = IdSpace(seed=seed, name="batch")
        self.workspaces = [
            {"id": _uuid(seed, "workspace", n), "name": name}
            for n, name in enumerate(words.WORKSPACES)
        ]
        self._seed = seed
        self._people = people
        self._now = now
        self._batch = lru_cache(maxsize=512)(self._render_batch)

    def activity_id(self, packed: int) -> str:
        """The id of an entry of the feed: always the same for the same event."""
        return _uuid(self._seed, "activity", packed)

    def row(self, facts: Facts) -> Json:
        """The order without event_times, as in lists and in the answers of the two writes."""
        batch = self._batch(facts.batch, facts.batch_flags)
        bits = _Bytes(_digest(self._seed, "order", facts.index))
        recipient = self._recipient(facts, bits)
        note, views = _note(facts, bits), _views(facts, bits)
        gift, sent = self._gift(facts, batch, bits)
        return {
            "id": self.order_ids.encode(facts.index),
            "status": facts.status,
            "individual_gift_link": "https://gifts.ongoody.com/gift/" + _token(bits.digest[24:48]),
            **recipient,
            "card_id": batch.card_id,
            "message": batch.message,
            "thank_you_note": note,
            "view_count_recipient": views,
            "is_swapped": bool(sent),
            "order_batch_id": batch.id,
            "expires_at": None if facts.expires is None else stamp(facts.expires),
            **gift,
            "sender": batch.sender,
            "workspace_id": batch.workspace_id,
            "workspace_name": batch.workspace_name,
            "original_cart": None,
            "original_amounts": None,
            **sent,
            "payment_link": _payment_link(facts),
            "reference_id": bits.digest[:24].translate(_RECEIPT).decode(),
        }

    def detail(self, facts: Facts) -> Json:
        """The order with event_times, as GET /v1/orders/{id} alone gives it."""
        order = self.row(facts)
        order["event_times"] = event_times(facts)
        return order

    def _recipient(self, facts: Facts, bits: _Bytes) -> Json:
        person = bits.below(256) << 16 | int.from_bytes(bits.digest[60:62], "big")
        person %= self._people
        first, last = words.PEOPLE[_digest(self._seed, "person", person)[0] % len(words.PEOPLE)]
        email = _email(first, last, person)
        if facts.flags & HOSTILE:
            first = words.HOSTILE[bits.below(len(words.HOSTILE))]
            last = words.HOSTILE[bits.below(len(words.HOSTILE))]
        return {
            "recipient_first_name": first,
            "recipient_last_name": None if bits.below(10) == 0 else last,
            "recipient_email": None if bits.below(12) == 0 else email,
        }

    def _gift(self, facts: Facts, batch: _Batch, bits: _Bytes) -> tuple[Json, Json]:
        """Content, shipments and costs; and after a swap those that were sent."""
        cart, amounts, sent = batch.cart, batch.amounts, Json()
        before = facts.status in _BEFORE_ACCEPTANCE
        if facts.flags & SWAPPED and not before:
            sent = {"original_cart": cart, "original_amounts": _original(amounts)}
            cart, amounts = self._cart("swap", facts.index, bits)
        amounts = amounts if before else _taxed(amounts, bits)
        gift: Json = {"cart": cart}
        if facts.flags & COMMERCE:
            gift["cart_selections"] = _selections(cart, facts.index, bits)
        gift["shipments"] = _shipments(facts, cart, bits, now=self._now)
        return {**gift, "amounts": amounts}, sent

    def _render_batch(self, number: int, flags: int) -> _Batch:
        bits = _Bytes(_digest(self._seed, "batch", number))
        workspace = self.workspaces[bits.below(len(self.workspaces))]
        homeless = bool(flags & COMMERCE) and bits.below(4) == 0
        cart, amounts = self._cart("batch", number, bits)
        texts = words.HOSTILE if flags & HOSTILE else words.MESSAGES
        return _Batch(
            id=self.batch_ids.encode(number),
            message=texts[bits.below(len(texts))],
            card_id=None if bits.below(3) == 0 else _uuid(self._seed, "card", bits.below(12)),
            sender=_sender(bits.below(len(words.SENDERS))),
            workspace_id=None if homeless else workspace["id"],
            workspace_name=None if homeless else workspace["name"],
            cart=cart,
            amounts=amounts,
        )

    def _cart(self, kind: str, number: int, bits: _Bytes) -> tuple[Json, Json]:
        items, product = [], 0
        for n in range(1 + (bits.below(4) == 0) + (bits.below(9) == 0)):
            item, price = self._item(f"{kind}:{number}:{n}", bits)
            items.append(item)
            product += price
        cart = {"id": _uuid(self._seed, "cart", kind, number), "items": items}
        return cart, _amounts(product, bits)

    def _item(self, key: str, bits: _Bytes) -> tuple[Json, int]:
        brand, products = words.BRANDS[bits.below(len(words.BRANDS))]
        name, price = products[bits.below(len(products))]
        quantity = 1 + (bits.below(6) == 0)
        item = {
            "id": _uuid(self._seed, "item", key),
            "quantity": quantity,
            "product": {
                "id": _uuid("product", name),
                "name": name,
                "brand": {"id": _uuid("brand", brand), "name": brand},
            },
        }
        return item, price * quantity


def event_times(facts: Facts) -> Json:
    """Every time of Goody's examples, null until the event."""
    times = {**facts.times, "thank_you_added": facts.thanked}
    found = {name: times.get(name.removesuffix("_at")) for name in EVENT_TIMES}
    return {name: stamp(at) if at else None for name, at in found.items()}


@lru_cache(maxsize=256)
def _mailbox(first: str, last: str) -> str:
    plain = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z.]+", "", plain.lower()).strip(".") or "guest"


def _email(first: str, last: str, person: int) -> str:
    domain = words.MAIL_DOMAINS[person % len(words.MAIL_DOMAINS)]
    return f"{_mailbox(first, last)}{person}@{domain}"


def _sender(n: int) -> Json:
    first, last = words.SENDERS[n]
    email = f"{_mailbox(first, last)}{n}@sender.example.com"
    return {"first_name": first, "last_name": last, "email": email}


def _note(facts: Facts, bits: _Bytes) -> str | None:
    pick = bits.below(1000)
    if not facts.flags & THANKED or not facts.thanked:
        return None
    texts = words.HOSTILE if facts.flags & HOSTILE else words.NOTES
    return texts[pick % len(texts)]


def _views(facts: Facts, bits: _Bytes) -> int:
    """Goody may count none for an opened order."""
    views = bits.below(6)
    return views if facts.times.get("opened") else 0


def _payment_link(facts: Facts) -> str | None:
    """Of accepted orders too, as in Goody's example of the event order.gift_accepted."""
    if facts.status not in ("accepted", "pending_payment") or not facts.flags & COMMERCE:
        return None
    token = _token(_digest("payment", facts.index)[:24])
    return f"https://checkout.ongoody.com/checkout?key={token}"


def _token(digest: bytes) -> str:
    return digest.translate(_TOKEN).decode()


def _amounts(product: int, bits: _Bytes) -> Json:
    shipping = (0, 600, 950, 1200)[bits.below(4)]
    fee = None if bits.below(20) == 0 else product // 20
    amounts = {
        "amount_product": product,
        "amount_shipping": shipping,
        "amount_processing_fee": fee,
        "amount_pre_tax_total": product + shipping + (fee or 0),
        "amount_tax": None,
        "amount_total": None,
        "amount_global_relay_cost": None,
    }
    if bits.below(15) == 0:
        amounts["amount_credit_applied"] = min(product, 1000)
    return amounts


def _taxed(amounts: Json, bits: _Bytes) -> Json:
    """Tax, total and international shipping are known from acceptance on."""
    relay = 1850 if bits.below(25) == 0 else None
    tax = amounts["amount_product"] * (0, 6, 7, 8, 9)[bits.below(5)] // 100
    total = amounts["amount_pre_tax_total"] + tax + (relay or 0)
    return {
        **amounts,
        "amount_tax": tax,
        "amount_total": total,
        "amount_global_relay_cost": relay,
    }


def _original(amounts: Json) -> Json:
    return {
        "original_amount_product": amounts["amount_product"],
        "original_amount_shipping": amounts["amount_shipping"],
        "original_amount_credit_applied": amounts.get("amount_credit_applied"),
        "original_amount_pre_tax_total": amounts["amount_pre_tax_total"],
    }


def _selections(cart: Json, index: int, bits: _Bytes) -> list[Json]:
    """Chosen variants. As in two of Goody's three examples, some name no item of the cart."""
    stray = bits.below(3) == 0
    selections = []
    for item in cart["items"]:
        for unit in range(item["quantity"]):
            key = f"{index}:{item['id']}:{unit}"
            selections.append(
                {
                    "id": _uuid("selection", key),
                    "cart_item_id": _uuid("stray", key) if stray else item["id"],
                    "quantity_index": unit,
                    "variants": list(words.VARIANTS[bits.below(len(words.VARIANTS))]),
                }
            )
    return selections


def _shipments(facts: Facts, cart: Json, bits: _Bytes, *, now: int) -> list[Json]:
    """One a brand; none until shipping starts."""
    if facts.status not in ("shipped", "delivered"):
        return []
    brands = dict.fromkeys(item["product"]["brand"]["name"] for item in cart["items"])
    statuses = _shipment_statuses(facts, len(brands), bits, now=now)
    named = zip(brands, statuses, strict=True)
    return [_shipment(facts, n, brand, status, bits) for n, (brand, status) in enumerate(named)]


def _shipment(facts: Facts, n: int, brand: str, status: str, bits: _Bytes) -> Json:
    shipped = facts.times.get("shipped") if status not in ("pending", "tracking") else None
    delivered = _delivered(facts, bits) if status.startswith("delivered") else None
    shipment: Json = {
        "id": _uuid("shipment", facts.index, n),
        "status": status,
        "brand_name": brand,
        "tracking_carrier": words.CARRIERS[bits.below(len(words.CARRIERS))],
        "shipped_at": stamp(shipped) if shipped else None,
        "delivered_at": stamp(delivered) if delivered else None,
        "delivery_eta": stamp(shipped - shipped % DAY + 4 * DAY + 17 * HOUR) if shipped else None,
    }
    if facts.flags & DIRECT:
        number = _digest("parcel", facts.index, n).hex()[:16].upper()
        shipment["tracking_number"] = f"1Z{number}"
        shipment["tracking_url"] = f"https://tracking.example.com/parcel/1Z{number}"
    return shipment


def _shipment_statuses(facts: Facts, count: int, bits: _Bytes, *, now: int) -> list[str]:
    """Of a shipped order one moves; the others are anywhere, also delivered if there was time."""
    if facts.status == "delivered":
        return ["delivered_override" if bits.below(12) == 0 else "delivered" for _ in range(count)]
    possible = _UNDER_WAY if facts.times["shipped"] + 2 * DAY > now else _ARRIVING
    statuses = [possible[bits.below(len(possible))] for _ in range(count - 1)]
    statuses.insert(bits.below(count), "shipped")
    return statuses


def _delivered(facts: Facts, bits: _Bytes) -> int:
    """With the order, or within two days of shipping where another shipment is still moving."""
    if facts.status == "delivered":
        return facts.times["delivered"]
    return facts.times["shipped"] + DAY + bits.below(12 * HOUR)


def without_empty_fields(order: Json) -> Json:
    """The order without what the schema does not require and is null, false or 0."""
    empty = (None, False, 0)
    left_out = [name for name in _LEFT_OUT_WHEN_LEAN if order.get(name) in empty]
    return {name: value for name, value in order.items() if name not in left_out}
