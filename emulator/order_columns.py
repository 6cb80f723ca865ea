"""The generated orders as arrays, and their status changes as packed integers.

An order is a row number, oldest first. Times are whole Unix seconds, UTC; 0 means never.
"""

from array import array
from dataclasses import dataclass, field

STATUSES = (
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
(CREATED, NOTIFIED, OPENED, ACCEPTED, PENDING_PAYMENT) = range(5)
(PAID, ORDERED, SHIPPED, DELIVERED, FAILED, CANCELED) = range(5, 11)

# The statuses of Goody's activity feed; it has neither notified nor accepted.
FEED_CODES = (CREATED, OPENED, *range(PENDING_PAYMENT, CANCELED + 1))

# Flags of orders. HOSTILE: texts that attack the page. LEAN: see the switch lean_orders.
SWAPPED, THANKED, HOSTILE, COMMERCE, DIRECT, LEAN = (1 << bit for bit in range(6))

MINUTE, HOUR, DAY = 60, 3600, 86400
NEVER = 0

_EVENT_INDEX_BITS = 28


def pack_event(*, at: int, index: int, code: int) -> int:
    """Return a status change as an integer that sorts by time, then order, then status."""
    return at << 32 | index << 4 | code


def unpack_event(event: int) -> tuple[int, int, int]:
    """Return (time, row of the order, status code) of a packed event."""
    return event >> 32, event >> 4 & (1 << _EVENT_INDEX_BITS) - 1, event & 0xF


def _zeros(typecode: str, count: int) -> "array[int]":
    return array(typecode, bytes(array(typecode).itemsize * count))


@dataclass
class OrderColumns:
    """One array for each field of orders and batches. `events`: sorted events by status code."""

    created: "array[int]" = field(default_factory=lambda: array("I"))
    batch: "array[int]" = field(default_factory=lambda: array("I"))
    status: "array[int]" = field(default_factory=lambda: array("B"))
    flags: "array[int]" = field(default_factory=lambda: array("H"))
    thanked: "array[int]" = field(default_factory=lambda: array("I"))
    times: dict[int, "array[int]"] = field(default_factory=dict)
    events: dict[int, "array[int]"] = field(default_factory=dict)
    batch_start: "array[int]" = field(default_factory=lambda: array("I"))
    batch_expires: "array[int]" = field(default_factory=lambda: array("I"))
    batch_flags: "array[int]" = field(default_factory=lambda: array("H"))

    def __post_init__(self) -> None:
        self.times = {code: array("I") for code in range(NOTIFIED, CANCELED + 1)}
        self.events = {code: array("Q") for code in FEED_CODES}

    def allocate(self, count: int) -> None:
        """Set the columns of orders to `count` zeros."""
        self.created = _zeros("I", count)
        self.batch = _zeros("I", count)
        self.status = _zeros("B", count)
        self.flags = _zeros("H", count)
        self.thanked = _zeros("I", count)
        self.times = {code: _zeros("I", count) for code in self.times}

    def add_batch(self, *, start: int, expires: int, flags: int) -> int:
        """Append a batch whose first order is row `start`; returns its number."""
        self.batch_start.append(start)
        self.batch_expires.append(expires)
        self.batch_flags.append(flags)
        return len(self.batch_start) - 1

    def add_order(self, *, batch: int, created: int) -> int:
        """Append an order in status created; returns its row. The caller adds the event."""
        self.created.append(created)
        self.batch.append(batch)
        self.status.append(CREATED)
        self.flags.append(self.batch_flags[batch])
        self.thanked.append(NEVER)
        for column in self.times.values():
            column.append(NEVER)
        return len(self.created) - 1

    def truncate(self, *, orders: int, batches: int) -> None:
        """Delete all orders and batches beyond these counts, but not their events."""
        for column in (self.created, self.batch, self.status, self.flags, self.thanked):
            del column[orders:]
        for column in self.times.values():
            del column[orders:]
        for column in (self.batch_start, self.batch_expires, self.batch_flags):
            del column[batches:]
