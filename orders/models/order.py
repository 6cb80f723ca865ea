"""The index: a narrow row for each order, and its JSON in a separate table.

Only orders.index writes these tables. They can be dropped and read from Goody again.
"""

from __future__ import annotations

from uuid import UUID

import msgspec
from django.db import models

from goody.types import EventTimes, parse_order
from goody.types import Order as GoodyOrder
from orders.compression import decompress_json


class CreationTimeSource(models.IntegerChoices):
    """The source of an order's creation time, from the least to the most exact one."""

    NOWHERE = 0, "not known"
    WINDOW = 1, "estimated from the creation window it was listed in"
    FEED = 2, "the activity feed"
    DETAIL = 3, "the order itself"


# Sources that tell the second. Estimates only sort orders and are never shown.
EXACT_SOURCES = (CreationTimeSource.FEED, CreationTimeSource.DETAIL)


class OrderQuerySet(models.QuerySet["Order"]):
    def find(self, order_id: UUID) -> Order | None:
        return self.filter(uuid=order_id).first()


class Order(models.Model):
    """The latest copy of an order, in the columns that lists use.

    `id` is the creation key (orders.index.creation_keys): newest first is `-id` everywhere. It
    changes when a more exact creation time becomes known, so only the index stores it. `uuid` is
    Goody's id. Missing texts are "", or NULL in columns that lists are sorted by. The database
    indexes are in orders.schema.
    """

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(unique=True)
    status = models.CharField(max_length=100)
    reference_id = models.TextField(blank=True)
    # Of the token in the gift link, which is a secret: orders can be found by it, not read.
    gift_digest = models.CharField(max_length=32, blank=True)

    recipient_name = models.TextField(blank=True)
    recipient_email = models.TextField(blank=True)
    # Folded (orders.text): the name to sort by, the address to look up, both to search in.
    name_key = models.TextField(null=True)
    email_key = models.TextField(blank=True)
    people = models.TextField(blank=True)

    created_at = models.DateTimeField(null=True)
    created_from = models.PositiveSmallIntegerField(
        choices=CreationTimeSource, default=CreationTimeSource.NOWHERE
    )
    expires_at = models.DateTimeField(null=True)
    # The expiration, what a cancel would release, or any field could not be read as sent.
    is_expiry_odd = models.BooleanField(default=False)
    is_amount_odd = models.BooleanField(default=False)
    is_odd = models.BooleanField(default=False)

    # US cents that a cancel would release.
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
    card_id = models.IntegerField(null=True)
    message_id = models.IntegerField(null=True)
    note_id = models.IntegerField(null=True)
    order_batch_id = models.UUIDField(null=True)

    is_swapped = models.BooleanField(default=False)
    is_payment_pending = models.BooleanField(default=False)
    has_delivery_trouble = models.BooleanField(default=False)

    event_times = models.JSONField(null=True)
    # Of the bytes of the row in a list ("" after a single read), and of the content without event
    # times.
    row_hash = models.CharField(max_length=32, blank=True)
    content_hash = models.CharField(max_length=32)
    # The start of our request, by which an older response that arrives late is recognized.
    read_at = models.DateTimeField()
    missing_at = models.DateTimeField(null=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.uuid} {self.status}"

    def to_goody_order(self) -> GoodyOrder:
        """Return the stored order as the client parses it, with the stored event times."""
        # By Goody's id: the creation key may have changed since this row was read.
        place = Order.objects.filter(uuid=self.uuid).values("pk")
        order = parse_order(OrderPayload.objects.get(pk__in=place).raw)
        times = self._known_times()
        if order.event_times is None and times is not None:
            order = msgspec.structs.replace(order, event_times=times)
        return order

    def _known_times(self) -> EventTimes | None:
        """Return the event times of the last single read, or the creation time from the feed."""
        if self.event_times is not None:
            return msgspec.convert(self.event_times, EventTimes)
        is_exact = self.created_from in EXACT_SOURCES and self.created_at is not None
        return EventTimes(created_at=self.created_at) if is_exact else None


class OrderPayload(models.Model):
    """The compressed JSON of the order with the same key."""

    id = models.BigAutoField(primary_key=True)
    packed = models.BinaryField()

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def raw(self) -> bytes:
        """The JSON as Goody sent it."""
        return decompress_json(bytes(self.packed))


class OtherProduct(models.Model):
    """A product after the first in a cart, so that searches for each product find the order."""

    id = models.BigAutoField(primary_key=True)
    order_id = models.BigIntegerField()
    product_id = models.IntegerField()
    brand_id = models.IntegerField(null=True)

    def __str__(self) -> str:
        return f"product {self.product_id} of order {self.order_id}"


class WordStart(models.Model):
    """One or two folded letters at the start of a word in the names of an order's people."""

    pk = models.CompositePrimaryKey("start", "order_id")
    start = models.CharField(max_length=8)
    order_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.start} {self.order_id}"


class OrderCount(models.Model):
    """The number of orders per workspace and status, maintained by orders.index.

    Workspace 0 stands for orders without one.
    """

    workspace_id = models.IntegerField(default=0)
    status = models.CharField(max_length=100)
    n = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace_id", "status"], name="order_count_once")
        ]

    def __str__(self) -> str:
        return f"{self.n} {self.status}"


class ExpiryRange(models.Model):
    """The earliest and the latest expiration of the orders created in a period
    (orders.index.expiry_ranges).
    """

    period = models.BigIntegerField(primary_key=True)
    earliest = models.DateTimeField()
    latest = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.earliest} to {self.latest}"
