"""The index: one slim row an order, and its payload beside it. Goody stays the only truth.

Columns only; orders.index fills them and nothing else writes them. All of it can be thrown away
and read from Goody again.
"""

from __future__ import annotations

import json
import zlib
from uuid import UUID

import msgspec
from django.db import models

from goody.types import EventTimes, parse_order
from goody.types import Order as GoodyOrder


class CreatedFrom(models.IntegerChoices):
    """How an order's creation time is known, the surest last."""

    NOWHERE = 0, "not known"
    WINDOW = 1, "estimated from the creation window it was listed in"
    FEED = 2, "the activity feed"
    DETAIL = 3, "the order itself"


# These name the second; the others are a place in the list and no date to show.
EXACT = (CreatedFrom.FEED, CreatedFrom.DETAIL)


class OrderQuerySet(models.QuerySet["Order"]):
    def find(self, order_id: UUID) -> Order | None:
        return self.filter(uuid=order_id).first()


class Order(models.Model):
    """The last copy of an order that Goody gave us, in the columns that lists need.

    `id` is the place by creation (orders.index.places): newest first is `-id` everywhere. It
    changes when the creation time becomes known better, so that nothing outside the index keeps
    it; `uuid` is Goody's id. Texts are "" where there is none; what is sorted by is NULL then.
    Which indexes there are stands in orders.schema.
    """

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(unique=True)
    status = models.CharField(max_length=100)
    reference_id = models.TextField(blank=True)
    # Of the token in the gift link: to be found by, not to be read.
    gift_digest = models.CharField(max_length=32, blank=True)

    recipient_name = models.TextField(blank=True)
    recipient_email = models.TextField(blank=True)
    # Folded (orders.search.folding): to sort by, to find one address, to find any part.
    name_key = models.TextField(null=True)
    email_key = models.TextField(blank=True)
    people = models.TextField(blank=True)

    created_at = models.DateTimeField(null=True)
    created_from = models.PositiveSmallIntegerField(
        choices=CreatedFrom, default=CreatedFrom.NOWHERE
    )
    expires_at = models.DateTimeField(null=True)
    is_expiry_odd = models.BooleanField(default=False)

    # US cents: what a cancel would release
    amount_cents = models.BigIntegerField(null=True)
    is_before_tax = models.BooleanField(default=False)

    # The first item of the cart, and how many items there are. Others: OtherProduct.
    product_id = models.IntegerField(null=True)
    brand_id = models.IntegerField(null=True)
    quantity = models.BigIntegerField(null=True)
    item_count = models.PositiveIntegerField(default=0)

    # Names and texts that many orders share: see names.py.
    sender_id = models.IntegerField(null=True)
    workspace_id = models.IntegerField(null=True)
    message_id = models.IntegerField(null=True)
    note_id = models.IntegerField(null=True)
    order_batch_id = models.UUIDField(null=True)

    is_swapped = models.BooleanField(default=False)
    is_payment_pending = models.BooleanField(default=False)
    has_delivery_trouble = models.BooleanField(default=False)

    event_times = models.JSONField(null=True)
    # Of the row as a list has it, "" when it was read alone; of what it says, event times aside.
    row_hash = models.CharField(max_length=32, blank=True)
    content_hash = models.CharField(max_length=32)
    # When our request started, so that an older answer that arrives late is recognised.
    read_at = models.DateTimeField()
    missing_at = models.DateTimeField(null=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.uuid} {self.status}"

    def as_goody(self) -> GoodyOrder:
        """The stored copy as the client would have given it, with the event times we know."""
        # By the id that never changes: the key may have, since this row was read.
        place = Order.objects.filter(uuid=self.uuid).values("pk")
        order = parse_order(OrderPayload.objects.get(pk__in=place).raw)
        times = self._known_times()
        if order.event_times is None and times is not None:
            order = msgspec.structs.replace(order, event_times=times)
        return order

    def _known_times(self) -> EventTimes | None:
        """Those of the last single read, or the creation time that the activity feed gave."""
        if self.event_times is not None:
            return msgspec.convert(self.event_times, EventTimes)
        is_exact = self.created_from in EXACT and self.created_at is not None
        return EventTimes(created_at=self.created_at) if is_exact else None


class OrderPayload(models.Model):
    """The raw JSON of one order, packed. Its key is the order's."""

    id = models.BigAutoField(primary_key=True)
    packed = models.BinaryField()

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def raw(self) -> bytes:
        """The JSON as Goody sent it."""
        return unpack(bytes(self.packed))


class OtherProduct(models.Model):
    """A product of a cart beside the first one, so that a mixed gift is found by each."""

    id = models.BigAutoField(primary_key=True)
    order_id = models.BigIntegerField()
    product_id = models.IntegerField()
    brand_id = models.IntegerField(null=True)

    def __str__(self) -> str:
        return f"product {self.product_id} of order {self.order_id}"


class WordStart(models.Model):
    """By which one or two folded letters the people of an order are found."""

    pk = models.CompositePrimaryKey("start", "order_id")
    start = models.CharField(max_length=8)
    order_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.start} {self.order_id}"


class OrderCount(models.Model):
    """How many orders a workspace (0: none) has in a status; kept in step by orders.index."""

    workspace_id = models.IntegerField(default=0)
    status = models.CharField(max_length=100)
    n = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "status"], name="order_count_once")
        ]

    def __str__(self) -> str:
        return f"{self.n} {self.status}"


# What most orders' JSON has in common, for the packing. A change needs a number of its own, since
# what was packed with the old one must still be read.
_COMMON = json.dumps(
    {
        "view_count_recipient": 1,
        "payment_link": None,
        "thank_you_note": None,
        "card_id": None,
        "original_amounts": {"original_amount_product": 3200, "original_amount_shipping": 600},
        "original_cart": {"id": "", "items": [{"id": "", "quantity": 1, "product": {"id": ""}}]},
        "shipments": [
            {
                "id": "",
                "status": "delivered",
                "brand_name": "",
                "tracking_carrier": "UPS",
                "shipped_at": "2026-06-03T12:25:15Z",
                "delivered_at": "2026-06-03T12:25:15Z",
                "delivery_eta": "2026-06-03T12:25:15Z",
            }
        ],
        "individual_gift_link": "https://gifts.ongoody.com/gift/",
        "recipient_first_name": "",
        "recipient_last_name": None,
        "recipient_email": "@example.com",
        "message": "Thank you for everything",
        "sender": {"first_name": "", "last_name": "", "email": "@example.com"},
        "workspace_id": "",
        "workspace_name": "",
        "order_batch_id": "",
        "expires_at": "2026-06-03T06:59:59Z",
        "is_swapped": False,
        "cart_selections": [],
        "cart": {
            "id": "",
            "items": [
                {
                    "id": "",
                    "quantity": 1,
                    "product": {"id": "", "name": "", "brand": {"id": "", "name": ""}},
                }
            ],
        },
        "amounts": {
            "amount_product": 3200,
            "amount_shipping": 600,
            "amount_processing_fee": 150,
            "amount_credit_applied": None,
            "amount_pre_tax_total": 3950,
            "amount_tax": None,
            "amount_total": None,
            "amount_global_relay_cost": None,
        },
        "event_times": None,
        "reference_id": "",
        "status": "created",
        "id": "",
    },
    separators=(",", ":"),
).encode()
_PACKING = b"\x01"


def pack(raw: bytes) -> bytes:
    squeeze = zlib.compressobj(level=1, wbits=-15, memLevel=9, zdict=_COMMON)
    return _PACKING + squeeze.compress(raw) + squeeze.flush()


def unpack(packed: bytes) -> bytes:
    """Raises ValueError for anything that `pack` did not make."""
    if packed[:1] != _PACKING:
        raise ValueError("packed in a way that this version does not know")
    return zlib.decompressobj(wbits=-15, zdict=_COMMON).decompress(packed[1:])
