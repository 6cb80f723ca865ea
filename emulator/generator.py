"""Generation of two years of batches and orders, up to now, from a seed.

The same seed gives the same data on any day, moved in time. Texts, names and amounts are not
generated here: renderer.py computes them for each order.
"""

from bisect import bisect_left
from random import Random

from emulator.lifecycle import StatusChanges, random_status_changes
from emulator.order_columns import (
    ACCEPTED,
    COMMERCE,
    CREATED,
    DAY,
    DIRECT,
    FEED_CODES,
    HOSTILE,
    HOUR,
    LEAN,
    MINUTE,
    NEVER,
    SWAPPED,
    THANKED,
    OrderColumns,
    pack_event,
)

_SPAN = 730 * DAY
_FLUSH_INTERVAL = 20_000
_ORDERS_PER_SECOND = 40
_MAX_BATCH = 250
# The exponent of the distribution of batch sizes: few are large, but they have most orders.
_TAIL = 0.8
# The newest batches are small, so that the first pages of the list have many different gifts.
_NEWEST_BATCHES, _MAX_NEWEST_BATCH = 40, 5


class OrderGenerator:
    """Generates the columns of `orders` orders. Equal arguments give equal columns.

    `rows` is the number of orders generated so far.
    """

    def __init__(self, *, orders: int, seed: int, now: int) -> None:
        self.rows = 0
        self._count = orders
        self._now = now
        self._draw = Random(f"emulator:{seed}:{orders}").random
        self._columns = OrderColumns()
        self._columns.allocate(orders)
        self._pending: dict[int, list[int]] = {code: [] for code in FEED_CODES}

    def generate(self) -> OrderColumns:
        """Return the columns; batches that begin after now are left out."""
        sizes = self.draw_batch_sizes()
        times = self.draw_creation_times(len(sizes))
        last = 0
        for size, created in zip(sizes, times, strict=True):
            if created > self._now:
                break
            last = self._add_batch(row=self.rows, size=size, created=max(created, last))
            self.rows += size
        self._flush(before=None)
        return self._columns

    def draw_batch_sizes(self) -> list[int]:
        """Oldest first, in a bounded Pareto distribution: most have one order, some hundreds."""
        largest = min(_MAX_BATCH, 3 + self._count // 20)
        beyond = (largest + 1) ** -_TAIL
        sizes, left = [], self._count
        while left > 0:
            size = int((1 - self._draw() * (1 - beyond)) ** (-1 / _TAIL))
            sizes.append(min(left, size))
            left -= sizes[-1]
        return _with_small_newest(sizes)

    def draw_creation_times(self, count: int) -> list[int]:
        """Return sorted times, a quarter of them in the last four weeks, for many open orders."""
        recent = count // 4
        ages = [int(self._draw() * _SPAN) for _ in range(count - recent)]
        ages += [int(self._draw() ** 2 * 28 * DAY) for _ in range(recent)]
        oldest_first = sorted(ages, reverse=True)
        return [self._now - age for age in oldest_first[:-1]] + [self._now][:count]

    def _add_batch(self, *, row: int, size: int, created: int) -> int:
        """Fill the rows of a batch; return the creation time of its last order."""
        flags = self.draw_batch_flags()
        expires = self.draw_expiration(created=created, flags=flags)
        batch = self._columns.add_batch(start=row, expires=expires, flags=flags)
        at = created
        for n in range(size):
            at = min(created + n // _ORDERS_PER_SECOND, self._now)
            self.add_order(row + n, batch=batch, created=at, expires=expires, flags=flags)
        return at

    def draw_batch_flags(self) -> int:
        """Return the flags of the next batch."""
        kind = self._draw()
        flags = COMMERCE if kind < 0.15 else DIRECT if kind < 0.19 else 0
        return flags | (HOSTILE if self._draw() < 0.01 else 0)

    def draw_expiration(self, *, created: int, flags: int) -> int:
        """Return mostly the last second of a day on the US west coast, as in Goody's examples."""
        kind = self._draw()
        if flags & DIRECT or kind < 0.12:
            return NEVER
        if kind < 0.37 and 2 * DAY < self._now - created < 120 * DAY:
            return self._now + 30 * MINUTE + int(self._draw() ** 2 * 6 * DAY)
        days = (14, 30, 30, 45, 60, 90, 90, 180)[int(self._draw() * 8)]
        return created - created % DAY + days * DAY + 7 * HOUR - 1

    def add_order(self, row: int, *, batch: int, created: int, expires: int, flags: int) -> None:
        """Fill a row. `expires` and `flags` are the batch's."""
        columns, pending, now = self._columns, self._pending, self._now
        columns.created[row] = created
        columns.batch[row] = batch
        pending[CREATED].append(pack_event(at=created, index=row, code=CREATED))
        status, accepted = CREATED, NEVER
        for code, at in self.draw_status_changes(created=created, expires=expires, flags=flags):
            if at > now:
                break
            columns.times[code][row] = at
            if code in pending:
                pending[code].append(pack_event(at=at, index=row, code=code))
            status = code
            if code == ACCEPTED:
                accepted = at
        columns.status[row] = status
        columns.flags[row] = flags | self.draw_order_flags(row, accepted=accepted, flags=flags)
        if row % _FLUSH_INTERVAL == _FLUSH_INTERVAL - 1:
            self._flush(before=created)

    def draw_status_changes(self, *, created: int, expires: int, flags: int) -> StatusChanges:
        """Return the (status code, time) of every step of an order, also those in the future."""
        return random_status_changes(self._draw, created=created, expires=expires, flags=flags)

    def draw_order_flags(self, row: int, *, accepted: int, flags: int) -> int:
        """Return an order's own flags. `accepted` NEVER: not accepted so far."""
        kind, drawn = self._draw(), 0
        if kind < 0.02:
            drawn |= HOSTILE
        elif kind < 0.05:
            drawn |= LEAN
        if accepted:
            drawn |= self._draw_accepted_flags(row, accepted=accepted, flags=flags)
        return drawn

    def _draw_accepted_flags(self, row: int, *, accepted: int, flags: int) -> int:
        drawn, draw = 0, self._draw
        if not flags & DIRECT and draw() < 0.09:
            drawn |= SWAPPED
        thanked = accepted + MINUTE + int(draw() ** 5 * 20 * DAY)
        if draw() < 0.3 and thanked <= self._now:
            self._columns.thanked[row] = thanked
            drawn |= THANKED
        return drawn

    def _flush(self, *, before: int | None) -> None:
        """Move the events before `before` (None: all) to the columns.

        No order that is generated later has an event before that time.
        """
        for code, pending in self._pending.items():
            pending.sort()
            cut = len(pending)
            if before is not None:
                cut = bisect_left(pending, pack_event(at=before, index=0, code=0))
            self._columns.events[code].extend(pending[:cut])
            del pending[:cut]


def _with_small_newest(sizes: list[int]) -> list[int]:
    """Return the same sizes, with large ones among the newest exchanged for older small ones."""
    newest = max(0, len(sizes) - _NEWEST_BATCHES)
    large = [n for n in range(newest, len(sizes)) if sizes[n] > _MAX_NEWEST_BATCH]
    small = [n for n in range(newest) if sizes[n] <= _MAX_NEWEST_BATCH]
    for n, other in zip(large, reversed(small), strict=False):
        sizes[n], sizes[other] = sizes[other], sizes[n]
    return sizes
