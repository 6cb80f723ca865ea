"""Random changes to orders, like those by senders, recipients, shops and Goody.

Equal seeds make equal changes to equal orders. Every change takes the store's lock anew, so that
concurrent readers see the list change.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from random import Random

from emulator import sample_texts
from emulator.clock import format_datetime
from emulator.messages import Json
from emulator.order_columns import DAY
from emulator.rules import OPEN
from emulator.store import OrderStore

_LARGEST_BATCH = 40
_RECENT_ORDERS = 400
_MAX_CANDIDATES = 400
_MAX_KINDS_TRIED = 50
_ACCEPTED = ("accepted", "pending_payment", "paid", "ordered", "shipped", "delivered")


@dataclass(frozen=True)
class ChangeKind:
    """A kind of change: its relative frequency, the statuses that allow it, and the new values."""

    weight: int
    statuses: tuple[str, ...]
    values: Json = field(default_factory=dict)
    draw_values: Callable[[Random, OrderStore], Json] = lambda _random, _store: {}


def _draw_expiration(random: Random, store: OrderStore) -> Json:
    """Return an expiration: mostly later than now, sometimes past or null."""
    at = int(store.clock.now()) + random.randrange(-3 * DAY, 60 * DAY)
    return {"expires_at": None if random.random() < 0.1 else format_datetime(at)}


def _draw_note(random: Random, _store: OrderStore) -> Json:
    return {"thank_you_note": random.choice(sample_texts.NOTES)}


# `batch` creates orders; the others change one.
CHANGE_KINDS: dict[str, ChangeKind] = {
    "batch": ChangeKind(4, ()),
    "notify": ChangeKind(8, ("created",), {"status": "notified"}),
    "open": ChangeKind(8, ("created", "notified"), {"status": "opened"}),
    "accept": ChangeKind(6, ("opened",), {"status": "accepted"}),
    "swap": ChangeKind(2, ("opened",), {"status": "accepted", "swap": True}),
    "bill": ChangeKind(5, ("accepted",), {"status": "pending_payment"}),
    "pay": ChangeKind(5, ("pending_payment",), {"status": "paid"}),
    "order": ChangeKind(4, ("paid",), {"status": "ordered"}),
    "ship": ChangeKind(4, ("ordered",), {"status": "shipped"}),
    "deliver": ChangeKind(4, ("shipped",), {"status": "delivered"}),
    "cancel": ChangeKind(4, OPEN, {"status": "failed"}),
    "expiration": ChangeKind(4, OPEN, draw_values=_draw_expiration),
    "thank": ChangeKind(3, _ACCEPTED, draw_values=_draw_note),
}


def make_random_changes(
    store: OrderStore, *, seed: int, changes: int, kinds: Collection[str] | None = None
) -> Json:
    """Make up to `changes` changes of these kinds, fewer if no order is left to change.

    Returns `counts` by kind, and `changes` in sequence, each with its kind and order ids. Raises
    ValueError for an unknown kind and where OrderStore.create_batch() does.
    """
    selected = _select_kinds(kinds)
    random, done = Random(f"churn:{seed}"), []
    for _ in range(changes):
        change = _make_change(store, random, selected)
        if change is None:
            break
        done.append(change)
    return {"counts": dict(Counter(change["kind"] for change in done)), "changes": done}


def _select_kinds(names: Collection[str] | None) -> dict[str, ChangeKind]:
    unknown = set(names or ()) - CHANGE_KINDS.keys()
    if unknown:
        raise ValueError(
            f"unknown kind {', '.join(sorted(unknown))}; known: {', '.join(CHANGE_KINDS)}"
        )
    return {name: kind for name, kind in CHANGE_KINDS.items() if names is None or name in names}


def _make_change(store: OrderStore, random: Random, kinds: dict[str, ChangeKind]) -> Json | None:
    """Return one change of a kind for which an order is found; None if there is none."""
    names, weights = list(kinds), [kind.weight for kind in kinds.values()]
    for name in random.choices(names, weights, k=_MAX_KINDS_TRIED) if names else ():
        with store.lock:
            if name == "batch":
                orders = _create_batch(store, random)
            else:
                orders = _change_order(store, random, kinds[name])
        if orders:
            return {"kind": name, "ids": [order["id"] for order in orders]}
    return None


def _create_batch(store: OrderStore, random: Random) -> list[Json]:
    count = 1 + int(random.random() ** 3 * _LARGEST_BATCH)
    return store.create_batch(count=count, values={})


def _change_order(store: OrderStore, random: Random, kind: ChangeKind) -> list[Json]:
    for index in _draw_candidates(random, len(store)):
        if store.status_of(index) in kind.statuses:
            values = {**kind.values, **kind.draw_values(random, store)}
            return [store.change_order(index, values)]
    return []


def _draw_candidates(random: Random, count: int) -> Iterator[int]:
    """Yield random rows, half of them among the newest orders, which change most."""
    recent = max(0, count - _RECENT_ORDERS)
    for _ in range(_MAX_CANDIDATES if count else 0):
        yield random.randrange(recent if random.random() < 0.5 else 0, count)
