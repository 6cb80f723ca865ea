"""The orders as they are now, and Goody's rules for reading and changing them.

The seed's columns are never touched; a change lies over them in `_changes` until reset. Every
change, and every attempt at one, is written to the ledger. No HTTP and no faults here. Times are
Unix seconds, UTC. Thread-safe: one lock around everything.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from emulator import seed as seeds
from emulator.clock import Clock, read_instant
from emulator.feed import SHOWN_AS, Feed
from emulator.render import Facts, Json, Renderer, event_times, stamp, without_empty_fields
from emulator.seed import CREATED, LEAN, STATUSES, SWAPPED, THANKED, unpack_event
from emulator.switches import Switches

OPEN = ("created", "notified", "opened")
ENDED = ("failed", "canceled")
FAR = 3653 * seeds.DAY
_SENTENCES = {
    "late_cancel": "Order can no longer be canceled",
    "repeated_cancel": "Order is already canceled",
    "expired_cancel": "Order has expired",
    "late_expiration": "Expiration can no longer be changed",
    "expired_expiration": "Order has expired",
    "past_date": "Expiration must be in the future",
    "far_date": "Expiration is too far in the future",
}


class RefusalError(Exception):
    """Goody says no: the HTTP status and the sentence of its error envelope."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.entry: Json | None = None


@dataclass
class Change:
    """What was changed on one order since the seed."""

    status: str | None = None
    has_own_expiry: bool = False
    expires: int | None = None
    thanked: int | None = None
    flags: int = 0
    times: dict[str, int] = field(default_factory=dict)
    fields: Json = field(default_factory=dict)

    def expire(self, at: int | None) -> None:
        """None: never."""
        self.has_own_expiry, self.expires = True, at


class Store:
    """The orders of one seed, with the changes made to them."""

    def __init__(self, *, orders: int, seed: int, now: int) -> None:
        self.clock = Clock(now)
        self.switches = Switches()
        self.lock = RLock()
        self.columns = seeds.grow(orders=orders, seed=seed, now=now)
        self.feed = Feed(self.columns.events)
        self.renderer = Renderer(seed=seed, people=max(1, orders * 3 // 5), now=now)
        self.ledger: list[Json] = []
        self._changes: dict[int, Change] = {}
        self._hidden: set[int] = set()
        self._new_events: list[int] = []
        self._seeded = orders, len(self.columns.batch_start)

    def __len__(self) -> int:
        return len(self.columns.created)

    # -- reading ---------------------------------------------------------------------------

    def find(self, order_id: str) -> int:
        """Row of an id; raises RefusalError 404. Goody API: GET /v1/orders/{id}."""
        index = self.renderer.order_ids.decode(order_id)
        if index is None or index >= len(self):
            raise RefusalError(404, "Order not found")
        return index

    def page(
        self, *, after: float | None, before: float | None, skip: int, count: int
    ) -> tuple[list[Json], int]:
        """(orders without event_times, all in the window). Goody API: GET /v1/orders.

        Created within, inclusive at both ends. Newest first: Goody documents no order for this
        list, its examples show this one.
        """
        with self.lock:
            found = self._shown(self._window(after=after, before=before))
            return [self._row(index) for index in found[skip : skip + count]], len(found)

    def activities(
        self,
        *,
        after: float | None,
        before: float | None,
        statuses: Collection[str] | None,
        skip: int,
        count: int,
    ) -> tuple[list[Json], int]:
        """(activities, all in the window), newest first. Goody API: GET /v1/order_activities.

        Each with its order as it is now; `statuses` None: every status.
        """
        shift = float(self.switches["created_fraction"])
        with self.lock:
            found = self.feed.window(
                after=None if after is None else after - shift,
                before=None if before is None else before - shift,
                statuses=statuses,
                hidden=self._hidden,
            )
            return self._entries(found.newest(skip=skip, count=count)), len(found)

    def row(self, index: int) -> Json:
        """One order without event_times."""
        with self.lock:
            return self._row(index)

    def detail(self, index: int) -> Json:
        """One order with event_times."""
        with self.lock:
            order = self._row(index)
            order["event_times"] = event_times(self.facts(index))
            return order

    def status(self, index: int) -> str:
        change = self._changes.get(index)
        if change is not None and change.status is not None:
            return change.status
        return STATUSES[self.columns.status[index]]

    def expires(self, index: int) -> int | None:
        """None: never."""
        change = self._changes.get(index)
        if change is not None and change.has_own_expiry:
            return change.expires
        return self.columns.batch_expires[self.columns.batch[index]] or None

    def facts(self, index: int) -> Facts:
        """Everything known of an order, changes included."""
        columns, change = self.columns, self._changes.get(index) or Change()
        batch = columns.batch[index]
        times = {
            STATUSES[code]: at for code, column in columns.times.items() if (at := column[index])
        }
        return Facts(
            index=index,
            batch=batch,
            status=self.status(index),
            flags=columns.flags[index] | change.flags,
            batch_flags=columns.batch_flags[batch],
            expires=self.expires(index),
            thanked=columns.thanked[index] if change.thanked is None else change.thanked,
            times={"created": columns.created[index], **times, **change.times},
        )

    def newest_first(self) -> Iterator[int]:
        return iter(range(len(self) - 1, -1, -1))

    def is_hidden(self, index: int) -> bool:
        """Whether the order is left out of lists and of the feed."""
        return index in self._hidden

    def _window(self, *, after: float | None, before: float | None) -> range:
        shift = float(self.switches["created_fraction"])
        created = self.columns.created
        low = 0 if after is None else bisect_left(created, after - shift)
        high = len(created) if before is None else bisect_right(created, before - shift)
        return range(low, max(low, high))

    def _shown(self, window: range) -> Sequence[int]:
        """Newest first, without what is hidden."""
        if not any(index in window for index in self._hidden):
            return window[::-1]
        return [index for index in reversed(window) if index not in self._hidden]

    def _entries(self, events: list[int]) -> list[Json]:
        told = [unpack_event(packed) for packed in events]
        orders = {index: self._row(index) for index in {index for _, index, _ in told}}
        return [
            {
                "id": self.renderer.activity_id(packed),
                "order_status": SHOWN_AS[code],
                "created_at": stamp(at),
                "order": orders[index],
            }
            for packed, (at, index, code) in zip(events, told, strict=True)
        ]

    def _row(self, index: int) -> Json:
        facts = self.facts(index)
        order = self.renderer.row(facts)
        if facts.flags & LEAN and self.switches["lean_orders"] == "on":
            order = without_empty_fields(order)
        change = self._changes.get(index)
        return {**order, **change.fields} if change is not None else order

    # -- Goody's two writes ----------------------------------------------------------------

    def cancel(self, index: int) -> tuple[Json, Json]:
        """(order, ledger entry). Goody API: POST /v1/orders/{id}/cancel.

        Raises RefusalError by the switches; a refused attempt is in the ledger too.
        """
        with self.lock, self._noted("cancel", index) as entry:
            entry["applied"] = self._allowed(self._cancel_switch(index))
            if entry["applied"]:
                self._set_status(index, self.switches["cancel_status"])
            return self._row(index), entry

    def update_expiration(self, index: int, expires: int | None) -> tuple[Json, Json]:
        """(order, ledger entry); None means never. Goody API: POST .../update_expiration.

        Raises RefusalError by the switches; a refused attempt is in the ledger too.
        """
        with self.lock, self._noted("update_expiration", index) as entry:
            entry["applied"] = self._allowed(self._expiration_switch(index, expires))
            if entry["applied"]:
                self._change(index).expire(expires)
            return self._row(index), entry

    def _cancel_switch(self, index: int) -> str | None:
        status = self.status(index)
        if status in ENDED:
            return "repeated_cancel"
        if status not in OPEN:
            return "late_cancel"
        return "expired_cancel" if self.is_expired(index) else None

    def _expiration_switch(self, index: int, expires: int | None) -> str | None:
        if self.status(index) not in OPEN:
            return "late_expiration"
        if self.is_expired(index) and self.switches["expired_expiration"] != "accept":
            return "expired_expiration"
        if expires is not None and expires <= self.clock.now():
            return "past_date"
        if expires is not None and expires > self.clock.now() + FAR:
            return "far_date"
        return None

    def _allowed(self, switch: str | None) -> bool:
        """Whether to apply; False is an answer of 200 that changes nothing."""
        position = "accept" if switch is None else self.switches[switch]
        if switch is None or position in ("accept", "200"):
            return position == "accept"
        sentence = "Order not found" if position == "404" else _SENTENCES[switch]
        raise RefusalError(int(position), sentence)

    def is_expired(self, index: int) -> bool:
        expires = self.expires(index)
        return expires is not None and expires <= self.clock.now()

    # -- others change things --------------------------------------------------------------

    def play(self, index: int, values: Json) -> Json:
        """Someone else at Goody changes fields of an order now; returns it with event_times.

        A status notes its event time, but for created; expires_at takes ISO 8601 or null; a
        thank_you_note sets or clears thank_you_added_at; "swap": true makes an accepted order
        swapped; "hidden": true takes it out of lists and the feed; any other field is shown as
        given. Raises ValueError.
        """
        values = _readable(values)
        with self.lock, self._noted("control", index) as entry:
            change = self._change(index)
            if "expires_at" in values:
                change.expire(values.pop("expires_at"))
            if "status" in values:
                self._set_status(index, str(values.pop("status")))
            if "thank_you_note" in values:
                change.thanked = int(self.clock.now()) if values["thank_you_note"] else 0
                change.flags |= THANKED
            if values.pop("swap", False):
                change.flags |= SWAPPED
            if "hidden" in values:
                self._hide(index, bool(values.pop("hidden")))
            change.fields.update(values)
            entry["applied"] = True
            return self.detail(index)

    def create(self, *, count: int, values: Json) -> list[Json]:
        """A new batch of orders, created now, each then changed by `values` as play() does.

        Raises ValueError, before anything is made, for values that cannot be read and if the clock
        stands before the newest order.
        """
        _readable(values)
        now = int(self.clock.now())
        with self.lock:
            if len(self) and now < self.columns.created[-1]:
                raise ValueError("the clock stands before the newest order")
            expires = now + 30 * seeds.DAY
            batch = self.columns.add_batch(expires=expires, flags=0)
            rows = [self.columns.add_order(batch=batch, created=now) for _ in range(count)]
            for index in rows:
                self._add_event(index, CREATED, now)
                if values:
                    self.play(index, values)
            return [self.detail(index) for index in rows]

    def reset(self) -> None:
        """Back to the seed: no changes, no new orders, an empty ledger, clock and switches too."""
        with self.lock:
            for packed in self._new_events:
                self.feed.remove(packed)
            self.columns.cut(orders=self._seeded[0], batches=self._seeded[1])
            self._new_events, self._changes, self.ledger = [], {}, []
            self._hidden = set()
            self.clock.reset()
            self.switches.reset()

    @contextmanager
    def _noted(self, kind: str, index: int) -> Iterator[Json]:
        """A ledger entry round a write; `answered` is filled in by whoever answers."""
        entry: Json = {
            "at": stamp(int(self.clock.now())),
            "order_id": self.renderer.order_ids.encode(index),
            "kind": kind,
            "before": self._brief(index),
            "after": None,
            "applied": False,
            "answered": "200",
        }
        self.ledger.append(entry)
        try:
            yield entry
        except RefusalError as refusal:
            entry["answered"] = str(refusal.status)
            refusal.entry = entry
            raise
        finally:
            entry["after"] = self._brief(index)

    def _brief(self, index: int) -> Json:
        expires = self.expires(index)
        return {
            "status": self.status(index),
            "expires_at": None if expires is None else stamp(expires),
        }

    def _change(self, index: int) -> Change:
        return self._changes.setdefault(index, Change())

    def _set_status(self, index: int, status: str) -> None:
        change, now = self._change(index), int(self.clock.now())
        change.status = status
        if status in STATUSES and status != "created":  # Created it is once.
            change.times[status] = now
            self._add_event(index, STATUSES.index(status), now)

    def _hide(self, index: int, is_hidden: bool) -> None:
        if is_hidden:
            self._hidden.add(index)
        else:
            self._hidden.discard(index)

    def _add_event(self, index: int, code: int, at: int) -> None:
        packed = seeds.pack_event(at=at, index=index, code=code)
        if self.feed.add(packed):
            self._new_events.append(packed)


def _readable(values: Json) -> Json:
    """A copy with expires_at as it is kept; raises ValueError."""
    if "expires_at" not in values:
        return dict(values)
    return {**values, "expires_at": _instant(values["expires_at"])}


def _instant(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("expires_at takes an ISO 8601 date-time or null")
    return int(read_instant(value))
