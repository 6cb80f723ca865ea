"""The orders' lives, drawn once at start-up from seed and now, as compact columns.

Two years of batches, and for every order when it was notified, opened, accepted and so on, up to
now. The same seed draws the same lives on any day, only that much later. No texts, names or
amounts: those are computed row by row in render.py, from the same seed.
All times are whole Unix seconds, UTC. The vendor's documents give the statuses and their order;
how long each step takes and how often it happens is our invention.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

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

# What Goody's activity feed reports; it has no notified and no accepted.
REPORTED = (CREATED, OPENED, *range(PENDING_PAYMENT, CANCELED + 1))

SWAPPED, THANKED, HOSTILE, COMMERCE, DIRECT, LEAN = (1 << bit for bit in range(6))

MINUTE, HOUR, DAY = 60, 3600, 86400
SPAN = 730 * DAY
NO_TIME = 0

_EVENT_INDEX_BITS = 28
_FLUSH_EVERY = 20_000
_BORN_PER_SECOND = 40
_MAX_BATCH = 250

Draw = Callable[[], float]
Steps = list[tuple[int, int]]


def pack_event(*, at: int, index: int, code: int) -> int:
    """One status change as one integer that sorts by time, then order, then status."""
    return at << 32 | index << 4 | code


def unpack_event(packed: int) -> tuple[int, int, int]:
    """(time, order index, status code) of a packed event."""
    return packed >> 32, packed >> 4 & (1 << _EVENT_INDEX_BITS) - 1, packed & 0xF


def _zeros(typecode: str, count: int) -> "array[int]":
    return array(typecode, bytes(array(typecode).itemsize * count))


@dataclass
class Columns:
    """Row i is order i, oldest first. `events` has the reported changes to each status, sorted."""

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
        self.events = {code: array("Q") for code in REPORTED}

    def allot(self, count: int) -> None:
        """Make room for `count` orders, all zero."""
        self.created = _zeros("I", count)
        self.batch = _zeros("I", count)
        self.status = _zeros("B", count)
        self.flags = _zeros("H", count)
        self.thanked = _zeros("I", count)
        self.times = {code: _zeros("I", count) for code in self.times}

    def add_batch(self, *, expires: int, flags: int) -> int:
        """Open a batch whose first order is the next row; returns its number."""
        self.batch_start.append(len(self.created))
        self.batch_expires.append(expires)
        self.batch_flags.append(flags)
        return len(self.batch_start) - 1

    def add_order(self, *, batch: int, created: int) -> int:
        """Append a fresh order in status created; returns its row. The caller adds the event."""
        self.created.append(created)
        self.batch.append(batch)
        self.status.append(CREATED)
        self.flags.append(self.batch_flags[batch])
        self.thanked.append(NO_TIME)
        for column in self.times.values():
            column.append(NO_TIME)
        return len(self.created) - 1

    def cut(self, *, orders: int, batches: int) -> None:
        """Forget every order and batch beyond these counts."""
        for column in (self.created, self.batch, self.status, self.flags, self.thanked):
            del column[orders:]
        for column in self.times.values():
            del column[orders:]
        for column in (self.batch_start, self.batch_expires, self.batch_flags):
            del column[batches:]


def grow(*, orders: int, seed: int, now: int) -> Columns:
    """All columns for this many orders; equal arguments give equal columns."""
    return _Grower(orders=orders, seed=seed, now=now).run()


class _Grower:
    def __init__(self, *, orders: int, seed: int, now: int) -> None:
        self._count = orders
        self._now = now
        self._random = Random(f"emulator:{seed}:{orders}")
        self._draw = self._random.random
        self._columns = Columns()
        self._columns.allot(orders)
        self._waiting: dict[int, list[int]] = {code: [] for code in REPORTED}

    def run(self) -> Columns:
        sizes = self._batch_sizes()
        births = self._births(len(sizes))
        row, last = 0, 0
        for size, birth in zip(sizes, births, strict=True):
            last = self._grow_batch(row=row, size=size, birth=max(birth, last))
            row += size
        self._flush(before=None)
        return self._columns

    def _batch_sizes(self) -> list[int]:
        largest = min(_MAX_BATCH, 3 + self._count // 20)
        sizes, left = [], self._count
        while left > 0:
            sizes.append(min(left, 1 + int(self._draw() ** 16 * largest)))
            left -= sizes[-1]
        return sizes

    def _births(self, count: int) -> list[int]:
        """Sorted; a quarter within the last four weeks, so that there is something to cancel."""
        recent = count // 4
        spread = [int(self._draw() * SPAN) for _ in range(count - recent)]
        spread += [int(self._draw() ** 2 * 28 * DAY) for _ in range(recent)]
        oldest_first = sorted(spread, reverse=True)
        return [self._now - ago for ago in oldest_first[:-1]] + [self._now][:count]

    def _grow_batch(self, *, row: int, size: int, birth: int) -> int:
        columns, flags = self._columns, self._batch_kind()
        expires = self._expiry(birth=birth, flags=flags)
        columns.batch_start.append(row)
        columns.batch_expires.append(expires)
        columns.batch_flags.append(flags)
        batch, created = len(columns.batch_start) - 1, birth
        for n in range(size):
            created = min(birth + n // _BORN_PER_SECOND, self._now)
            self._grow_order(row + n, batch=batch, created=created, expires=expires, flags=flags)
        return created

    def _batch_kind(self) -> int:
        kind = self._draw()
        flags = COMMERCE if kind < 0.15 else DIRECT if kind < 0.19 else 0
        return flags | (HOSTILE if self._draw() < 0.01 else 0)

    def _expiry(self, *, birth: int, flags: int) -> int:
        """A day's last second on the US west coast, as in the vendor's examples; 0 for never."""
        kind = self._draw()
        if flags & DIRECT or kind < 0.12:
            return NO_TIME
        if kind < 0.37 and self._now - birth < 120 * DAY:
            return self._now + 30 * MINUTE + int(self._draw() ** 2 * 6 * DAY)
        days = (14, 30, 30, 45, 60, 90, 90, 180)[int(self._draw() * 8)]
        return birth - birth % DAY + days * DAY + 7 * HOUR - 1

    def _grow_order(self, row: int, *, batch: int, created: int, expires: int, flags: int) -> None:
        columns, status, now = self._columns, CREATED, self._now
        columns.created[row] = created
        columns.batch[row] = batch
        waiting = self._waiting
        waiting[CREATED].append(created << 32 | row << 4)
        accepted = NO_TIME
        for code, at in life(self._draw, born=created, expires=expires, flags=flags):
            if at > now:
                break
            columns.times[code][row] = at
            if code in waiting:
                waiting[code].append(at << 32 | row << 4 | code)
            status = code
            if code == ACCEPTED:
                accepted = at
        columns.status[row] = status
        columns.flags[row] = flags | self._order_flags(row, accepted=accepted, flags=flags)
        if row % _FLUSH_EVERY == _FLUSH_EVERY - 1:
            self._flush(before=created)

    def _order_flags(self, row: int, *, accepted: int, flags: int) -> int:
        kind, own = self._draw(), 0
        if kind < 0.02:
            own |= HOSTILE
        elif kind < 0.05:
            own |= LEAN
        if accepted:
            own |= self._after_acceptance(row, accepted=accepted, flags=flags)
        return own

    def _after_acceptance(self, row: int, *, accepted: int, flags: int) -> int:
        own, draw = 0, self._draw
        if not flags & DIRECT and draw() < 0.09:
            own |= SWAPPED
        thanked = accepted + MINUTE + int(draw() ** 5 * 20 * DAY)
        if draw() < 0.3 and thanked <= self._now:
            self._columns.thanked[row] = thanked
            own |= THANKED
        return own

    def _flush(self, *, before: int | None) -> None:
        """Events before this moment are final: later orders are born after it."""
        for code, waiting in self._waiting.items():
            waiting.sort()
            cut = len(waiting) if before is None else bisect_left(waiting, before << 32)
            self._columns.events[code].extend(waiting[:cut])
            del waiting[:cut]


def life(draw: Draw, *, born: int, expires: int, flags: int) -> Steps:
    """The steps an order takes after its creation, also beyond now, as (status code, time)."""
    kind = draw()
    if kind > 0.992:
        return []
    steps = [(NOTIFIED, born + 2 + int(draw() * 20))]
    if flags & DIRECT:
        return steps + _fulfilment(draw, accepted=born + 30, flags=flags)
    if kind < 0.04:
        steps.append((FAILED, born + HOUR + int(draw() ** 2 * 15 * DAY)))
    elif kind < 0.87:
        opened = born + MINUTE + int(draw() ** 4 * 20 * DAY)
        steps.append((OPENED, opened))
        steps += _after_opening(draw, opened=opened, expires=expires, flags=flags)
    return steps


def _after_opening(draw: Draw, *, opened: int, expires: int, flags: int) -> Steps:
    kind = draw()
    if kind < 0.02:
        return [(FAILED, opened + HOUR + int(draw() * 3 * DAY))]
    accepted = opened + 30 + int(draw() ** 3 * 4 * DAY)
    if kind > 0.9 or (expires and accepted >= expires):
        return []
    return _fulfilment(draw, accepted=accepted, flags=flags)


def _fulfilment(draw: Draw, *, accepted: int, flags: int) -> Steps:
    paying = accepted + 1 + int(draw() * 4)
    steps = [(ACCEPTED, accepted), (PENDING_PAYMENT, paying)]
    stuck = draw()
    if stuck > 0.995:
        return steps[:1]
    if stuck < (0.08 if flags & COMMERCE else 0.002):
        return steps
    paid = paying + 2 + int(draw() ** 3 * (2 * DAY if flags & COMMERCE else HOUR))
    ordered = paid + 10 * MINUTE + int(draw() * DAY)
    shipped = ordered + 6 * HOUR + int(draw() * 4 * DAY)
    steps += [(PAID, paid), (ORDERED, ordered)]
    if stuck < 0.98:
        steps.append((SHIPPED, shipped))
    if stuck < 0.94:
        steps.append((DELIVERED, shipped + DAY + int(draw() * 6 * DAY)))
    return steps
