"""The store of orders: reads, Goody's two writes, and changes by other people.

The generated columns are never modified; changes are stored separately until a reset. Times are
Unix seconds, UTC. Thread-safe: one lock guards everything.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from emulator.clock import Clock, format_datetime, parse_datetime
from emulator.data_sets import DATA_SETS, RANDOM
from emulator.feed import FEED_STATUSES, ActivityFeed
from emulator.ledger import WriteLedger
from emulator.messages import Json
from emulator.order_columns import (
    CREATED,
    DAY,
    LEAN,
    STATUSES,
    SWAPPED,
    THANKED,
    pack_event,
    unpack_event,
)
from emulator.renderer import render_event_times, without_empty_fields
from emulator.rules import ApiError, may_cancel, may_set_expiration
from emulator.stored_order import StoredOrder
from emulator.switches import Switches


@dataclass
class OrderChanges:
    """The changes to one order since the start. `fields` replace rendered ones."""

    status: str | None = None
    is_expiration_changed: bool = False
    expires: int | None = None
    thanked: int | None = None
    flags: int = 0
    times: dict[str, int] = field(default_factory=dict)
    fields: Json = field(default_factory=dict)

    def set_expiration(self, at: int | None) -> None:
        """Store the expiration in Unix seconds; None: the order never expires."""
        self.is_expiration_changed, self.expires = True, at


class OrderStore:
    """The orders of one seed with the changes made to them."""

    def __init__(self, *, orders: int, seed: int, now: int, data: str = RANDOM) -> None:
        data_set = DATA_SETS[data]
        self.clock = Clock(now)
        self.switches = Switches()
        self.lock = RLock()
        self.columns = data_set.generator(orders=orders, seed=seed, now=now).generate()
        self.feed = ActivityFeed(self.columns.events)
        self.renderer = data_set.renderer(seed=seed, people=max(1, orders * 3 // 5), now=now)
        self.ledger = WriteLedger()
        self._changes: dict[int, OrderChanges] = {}
        self._hidden: set[int] = set()
        self._added_events: list[int] = []
        self._generated = len(self), len(self.columns.batch_start)

    def __len__(self) -> int:
        return len(self.columns.created)

    # --- Reading ---

    def find_row(self, order_id: str) -> int:
        """Return the row of an order; raises ApiError 404. Goody API: GET /v1/orders/{id}."""
        index = self.renderer.order_ids.decode(order_id)
        if index is None or index >= len(self):
            raise ApiError(404, "Order not found")
        return index

    def list_orders(
        self, *, after: float | None, before: float | None, skip: int, count: int
    ) -> tuple[list[Json], int]:
        """Return (orders without event_times, total), newest first.

        Goody API: GET /v1/orders.

        `after` and `before` bound the creation time, inclusive. Goody documents no order of this
        list; its examples show this one.
        """
        with self.lock:
            found = self._visible(self._creation_window(after=after, before=before))
            return [self._row(index) for index in found[skip : skip + count]], len(found)

    def list_activities(
        self,
        *,
        after: float | None,
        before: float | None,
        statuses: Collection[str] | None,
        skip: int,
        count: int,
    ) -> tuple[list[Json], int]:
        """Return (activities, total), newest first. Goody API: GET /v1/order_activities.

        Each has its order in the present state. `statuses` None: all.
        """
        shift = float(self.switches["created_fraction"])
        with self.lock:
            found = self.feed.window(
                after=None if after is None else after - shift,
                before=None if before is None else before - shift,
                statuses=statuses,
                hidden=self._hidden,
            )
            return self._activities(found.newest_events(skip=skip, count=count)), len(found)

    def render_order(self, index: int) -> Json:
        """Return an order without event_times."""
        with self.lock:
            return self._row(index)

    def render_order_detail(self, index: int) -> Json:
        """Return an order with event_times."""
        with self.lock:
            return {**self._row(index), "event_times": render_event_times(self.stored_order(index))}

    def status_of(self, index: int) -> str:
        change = self._changes.get(index)
        if change is not None and change.status is not None:
            return change.status
        return STATUSES[self.columns.status[index]]

    def expiration_of(self, index: int) -> int | None:
        """Return the expiration in Unix seconds; None if the order never expires."""
        change = self._changes.get(index)
        if change is not None and change.is_expiration_changed:
            return change.expires
        return self.columns.batch_expires[self.columns.batch[index]] or None

    def is_expired(self, index: int) -> bool:
        expires = self.expiration_of(index)
        return expires is not None and expires <= self.clock.now()

    def is_hidden(self, index: int) -> bool:
        """Whether lists and the feed leave the order out."""
        return index in self._hidden

    def stored_order(self, index: int) -> StoredOrder:
        columns, change = self.columns, self._changes.get(index) or OrderChanges()
        batch = columns.batch[index]
        times = {
            STATUSES[code]: at for code, column in columns.times.items() if (at := column[index])
        }
        return StoredOrder(
            index=index,
            batch=batch,
            status=self.status_of(index),
            flags=columns.flags[index] | change.flags,
            batch_flags=columns.batch_flags[batch],
            expires=self.expiration_of(index),
            thanked=columns.thanked[index] if change.thanked is None else change.thanked,
            times={"created": columns.created[index], **times, **change.times},
        )

    def rows_newest_first(self) -> Iterator[int]:
        """Return all rows."""
        return iter(range(len(self) - 1, -1, -1))

    def _creation_window(self, *, after: float | None, before: float | None) -> range:
        shift = float(self.switches["created_fraction"])
        created = self.columns.created
        low = 0 if after is None else bisect_left(created, after - shift)
        high = len(created) if before is None else bisect_right(created, before - shift)
        return range(low, max(low, high))

    def _visible(self, window: range) -> Sequence[int]:
        """Return the rows of a window without hidden ones, newest first."""
        if not any(index in window for index in self._hidden):
            return window[::-1]
        return [index for index in reversed(window) if index not in self._hidden]

    def _activities(self, packed: list[int]) -> list[Json]:
        events = [unpack_event(event) for event in packed]
        orders = {index: self._row(index) for index in {index for _, index, _ in events}}
        return [
            {
                "id": self.renderer.activity_id(event),
                "order_status": FEED_STATUSES[code],
                "created_at": format_datetime(at),
                "order": orders[index],
            }
            for event, (at, index, code) in zip(packed, events, strict=True)
        ]

    def _row(self, index: int) -> Json:
        facts = self.stored_order(index)
        order = self.renderer.render_order(facts)
        if facts.flags & LEAN and self.switches["lean_orders"] == "on":
            order = without_empty_fields(order)
        change = self._changes.get(index)
        return {**order, **change.fields} if change is not None else order

    # --- Goody's two writes ---

    def cancel_order(self, index: int) -> tuple[Json, Json]:
        """Return (order, ledger entry). Goody API: POST .../cancel. Raises ApiError."""
        with self.lock, self._record("cancel", index) as entry:
            entry["applied"] = may_cancel(
                self.switches, status=self.status_of(index), is_expired=self.is_expired(index)
            )
            if entry["applied"]:
                self._set_status(index, self.switches["cancel_status"])
            return self._row(index), entry

    def update_expiration(self, index: int, expires: int | None) -> tuple[Json, Json]:
        """Return (order, ledger entry). Goody API: POST .../update_expiration. Raises ApiError.

        `expires` None: the order never expires.
        """
        with self.lock, self._record("update_expiration", index) as entry:
            entry["applied"] = may_set_expiration(
                self.switches,
                status=self.status_of(index),
                is_expired=self.is_expired(index),
                expires=expires,
                now=self.clock.now(),
            )
            if entry["applied"]:
                self._change(index).set_expiration(expires)
            return self._row(index), entry

    # --- Changes by others ---

    def change_order(self, index: int, values: Json) -> Json:
        """Change an order as another person could at Goody; return it with event_times.

        `status` also sets its event time, except `created`. `expires_at` is ISO 8601 or null.
        `thank_you_note` also sets or clears thank_you_added_at. "swap": true swaps an accepted
        order. "hidden": true removes it from lists and the feed. Other fields replace those of the
        rendered JSON. Raises ValueError.
        """
        values = _parse_expiration(values)
        with self.lock, self._record("control", index) as entry:
            change = self._change(index)
            if "expires_at" in values:
                change.set_expiration(values.pop("expires_at"))
            if "status" in values:
                self._set_status(index, str(values.pop("status")))
            if "thank_you_note" in values:
                change.thanked = int(self.clock.now()) if values["thank_you_note"] else 0
                change.flags |= THANKED
            if values.pop("swap", False):
                change.flags |= SWAPPED
            if "hidden" in values:
                self._set_hidden(index, bool(values.pop("hidden")))
            change.fields.update(values)
            entry["applied"] = True
            return self.render_order_detail(index)

    def create_batch(self, *, count: int, values: Json) -> list[Json]:
        """Create a batch of orders now, each changed by `values` as by change_order().

        Raises ValueError, and creates nothing, for invalid values or if the clock is before the
        creation of the newest order.
        """
        _parse_expiration(values)
        now = int(self.clock.now())
        with self.lock:
            if len(self) and now < self.columns.created[-1]:
                raise ValueError("the clock is before the creation of the newest order")
            batch = self.columns.add_batch(start=len(self), expires=now + 30 * DAY, flags=0)
            rows = [self.columns.add_order(batch=batch, created=now) for _ in range(count)]
            for index in rows:
                self._add_event(index, CREATED, now)
                if values:
                    self.change_order(index, values)
            return [self.render_order_detail(index) for index in rows]

    def reset(self) -> None:
        """Restore the initial orders, ledger, clock and switches."""
        with self.lock:
            for event in self._added_events:
                self.feed.remove(event)
            self.columns.truncate(orders=self._generated[0], batches=self._generated[1])
            self._added_events, self._changes, self._hidden = [], {}, set()
            self.ledger.entries.clear()
            self.clock.reset()
            self.switches.reset()

    def _record(self, kind: str, index: int) -> AbstractContextManager[Json]:
        return self.ledger.record_write(
            at=format_datetime(int(self.clock.now())),
            order_id=self.renderer.order_ids.encode(index),
            kind=kind,
            summarize=lambda: self._summary(index),
        )

    def _summary(self, index: int) -> Json:
        expires = self.expiration_of(index)
        return {
            "status": self.status_of(index),
            "expires_at": None if expires is None else format_datetime(expires),
        }

    def _change(self, index: int) -> OrderChanges:
        return self._changes.setdefault(index, OrderChanges())

    def _set_status(self, index: int, status: str) -> None:
        change, now = self._change(index), int(self.clock.now())
        change.status = status
        if status in STATUSES and status != "created":  # An order is created once.
            change.times[status] = now
            self._add_event(index, STATUSES.index(status), now)

    def _set_hidden(self, index: int, is_hidden: bool) -> None:
        if is_hidden:
            self._hidden.add(index)
        else:
            self._hidden.discard(index)

    def _add_event(self, index: int, code: int, at: int) -> None:
        event = pack_event(at=at, index=index, code=code)
        if self.feed.add(event):
            self._added_events.append(event)


def _parse_expiration(values: Json) -> Json:
    """Return a copy with expires_at in Unix seconds; raises ValueError."""
    if "expires_at" not in values:
        return dict(values)
    return {**values, "expires_at": _parse_optional(values["expires_at"])}


def _parse_optional(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("expires_at must be an ISO 8601 date-time or null")
    return int(parse_datetime(value))
