"""Rendering of orders as the JSON objects of Goody's API. Goody API: Order, EventTimes.

Rendering is deterministic: names, texts and amounts are computed from the seed when they are
needed, so that a million orders take no memory for them.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from emulator import sample_texts
from emulator.carts import add_tax, render_cart, render_cart_selections, render_original_amounts
from emulator.clock import format_datetime
from emulator.digest_random import (
    DigestRandom,
    alphanumeric_token,
    derive_uuid,
    digest_of_parts,
    uppercase_token,
)
from emulator.ids import IdCodec
from emulator.messages import Json
from emulator.order_columns import COMMERCE, HOSTILE, SWAPPED, THANKED
from emulator.shipments import render_shipments
from emulator.stored_order import StoredOrder

_EVENT_TIMES = (
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
_NOT_ACCEPTED = ("created", "notified", "opened", "failed", "canceled")
_LEFT_OUT_WHEN_EMPTY = (
    "recipient_last_name",
    "is_swapped",
    "view_count_recipient",
    "payment_link",
    "card_id",
    "thank_you_note",
    "original_cart",
    "original_amounts",
)


@dataclass(frozen=True, slots=True)
class BatchValues:
    """The values that all orders of a batch share."""

    id: str
    message: str | None
    card_id: str | None
    sender: Json
    workspace_id: str | None
    workspace_name: str | None
    cart: Json
    amounts: Json


class OrderRenderer:
    """Renders the orders of one seed, generated at `now`; `people` is the number of recipients."""

    workspace_names: tuple[str, ...] = sample_texts.WORKSPACES
    notes: tuple[str, ...] = sample_texts.NOTES
    variants: tuple[tuple[str, ...], ...] = sample_texts.VARIANTS

    def __init__(self, *, seed: int, people: int, now: int) -> None:
        self.order_ids = IdCodec(seed=seed, name="order")
        self.batch_ids = IdCodec(seed=seed, name="batch")
        self.workspaces = [
            {"id": derive_uuid(seed, "workspace", n), "name": name}
            for n, name in enumerate(self.workspace_names)
        ]
        self.seed = seed
        self.people = people
        self._now = now
        self._batch = lru_cache(maxsize=512)(self.render_batch)

    def activity_id(self, event: int) -> str:
        """Return the id of a feed entry, which stays the same."""
        return derive_uuid(self.seed, "activity", event)

    def render_order(self, facts: StoredOrder) -> Json:
        """Return the order without event_times, as lists and the answers to writes have it."""
        batch = self._batch(facts.batch, facts.batch_flags)
        draws = DigestRandom(self.seed, "order", facts.index)
        recipient = self.render_recipient(facts, draws)
        note, views = self._note(facts, draws), _views(facts, draws)
        gift, original = self._gift(facts, batch, draws)
        return {
            "id": self.order_ids.encode(facts.index),
            "status": facts.status,
            "individual_gift_link": "https://gifts.ongoody.com/gift/"
            + alphanumeric_token(draws.digest[24:48]),
            **recipient,
            "card_id": batch.card_id,
            "message": batch.message,
            "thank_you_note": note,
            "view_count_recipient": views,
            "is_swapped": original["original_cart"] is not None,
            "order_batch_id": batch.id,
            "expires_at": None if facts.expires is None else format_datetime(facts.expires),
            **gift,
            "sender": batch.sender,
            "workspace_id": batch.workspace_id,
            "workspace_name": batch.workspace_name,
            **original,
            "payment_link": _payment_link(facts),
            "reference_id": uppercase_token(draws.digest[:24]),
        }

    def render_recipient(self, facts: StoredOrder, draws: DigestRandom) -> Json:
        """Return the names and the address of the recipient."""
        person = draws.randbelow(256) << 16 | int.from_bytes(draws.digest[60:62], "big")
        person %= self.people
        first, last = sample_texts.PEOPLE[
            digest_of_parts(self.seed, "person", person)[0] % len(sample_texts.PEOPLE)
        ]
        email = _email(first, last, person)
        if facts.flags & HOSTILE:
            first = sample_texts.HOSTILE[draws.randbelow(len(sample_texts.HOSTILE))]
            last = sample_texts.HOSTILE[draws.randbelow(len(sample_texts.HOSTILE))]
        return {
            "recipient_first_name": first,
            "recipient_last_name": None if draws.randbelow(10) == 0 else last,
            "recipient_email": None if draws.randbelow(12) == 0 else email,
        }

    def _gift(
        self, facts: StoredOrder, batch: BatchValues, draws: DigestRandom
    ) -> tuple[Json, Json]:
        """Return (cart, shipments and amounts as they are now, those before a swap)."""
        cart, amounts = batch.cart, batch.amounts
        is_accepted = facts.status not in _NOT_ACCEPTED
        original: Json = {"original_cart": None, "original_amounts": None}
        if facts.flags & SWAPPED and is_accepted:
            original = {"original_cart": cart, "original_amounts": render_original_amounts(amounts)}
            cart, amounts = self.render_cart(f"swap:{facts.index}", draws, batch=facts.batch)
        amounts = add_tax(amounts, draws) if is_accepted else amounts
        gift: Json = {"cart": cart}
        if facts.flags & COMMERCE:
            gift["cart_selections"] = render_cart_selections(
                cart, facts.index, draws, variants=self.variants
            )
        gift["shipments"] = render_shipments(facts, cart, draws, now=self._now)
        return {**gift, "amounts": amounts}, original

    def render_cart(self, key: str, draws: DigestRandom, *, batch: int) -> tuple[Json, Json]:  # noqa: ARG002
        """Return (cart, amounts before tax) of a batch, or of an order of it after a swap."""
        return render_cart(key, draws, seed=self.seed)

    def _note(self, facts: StoredOrder, draws: DigestRandom) -> str | None:
        number = draws.randbelow(1000)
        if not facts.flags & THANKED or not facts.thanked:
            return None
        notes = sample_texts.HOSTILE if facts.flags & HOSTILE else self.notes
        return notes[number % len(notes)]

    def render_batch(self, number: int, flags: int) -> BatchValues:
        """Return what the orders of a batch share. `flags` are the batch's."""
        draws = DigestRandom(self.seed, "batch", number)
        workspace: Json = self.workspaces[draws.randbelow(len(self.workspaces))]
        if flags & COMMERCE and draws.randbelow(4) == 0:
            workspace = {"id": None, "name": None}
        cart, amounts = self.render_cart(f"batch:{number}", draws, batch=number)
        messages = sample_texts.HOSTILE if flags & HOSTILE else sample_texts.MESSAGES
        message = messages[draws.randbelow(len(messages))]
        card = derive_uuid(self.seed, "card", draws.randbelow(12)) if draws.randbelow(3) else None
        return BatchValues(
            id=self.batch_ids.encode(number),
            message=message,
            card_id=card,
            sender=_sender(draws.randbelow(len(sample_texts.SENDERS))),
            workspace_id=workspace["id"],
            workspace_name=workspace["name"],
            cart=cart,
            amounts=amounts,
        )


def render_event_times(facts: StoredOrder) -> Json:
    """Return event_times of GET /v1/orders/{id}: null until the event."""
    times = {**facts.times, "thank_you_added": facts.thanked}
    values = {name: times.get(name.removesuffix("_at")) for name in _EVENT_TIMES}
    return {name: format_datetime(at) if at else None for name, at in values.items()}


def without_empty_fields(order: Json) -> Json:
    """Return the order without what the schema does not require and is null, false or 0."""
    return {k: v for k, v in order.items() if k not in _LEFT_OUT_WHEN_EMPTY or v}


@lru_cache(maxsize=256)
def _mailbox(first: str, last: str) -> str:
    plain = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z.]+", "", plain.lower()).strip(".") or "guest"


def _email(first: str, last: str, person: int) -> str:
    domain = sample_texts.MAIL_DOMAINS[person % len(sample_texts.MAIL_DOMAINS)]
    return f"{_mailbox(first, last)}{person}@{domain}"


def _sender(n: int) -> Json:
    first, last = sample_texts.SENDERS[n]
    email = f"{_mailbox(first, last)}{n}@sender.example.com"
    return {"first_name": first, "last_name": last, "email": email}


def _views(facts: StoredOrder, draws: DigestRandom) -> int:
    """Return the number of views. Goody may count none for an opened order."""
    views = draws.randbelow(6)
    return views if facts.times.get("opened") else 0


def _payment_link(facts: StoredOrder) -> str | None:
    """Return the link, which accepted orders have too in Goody's example of order.gift_accepted."""
    if facts.status not in ("accepted", "pending_payment") or not facts.flags & COMMERCE:
        return None
    key = alphanumeric_token(digest_of_parts("payment", facts.index)[:24])
    return f"https://checkout.ongoody.com/checkout?key={key}"
