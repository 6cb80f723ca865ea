"""Life as it goes on: what senders, recipients, shops and Goody do to orders, drawn at random.

Equal seeds do equal things to equal stores. Each change goes through the store's own doors, now,
and by itself: whoever reads meanwhile sees some of them. What a change means stands in store.py.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from random import Random

from emulator import words
from emulator.render import Json, stamp
from emulator.seed import DAY
from emulator.store import OPEN, Store

_LARGEST_BATCH = 40
_RECENT = 400
_LOOKS = 400
_DRAWS = 50
_ACCEPTED = ("accepted", "pending_payment", "paid", "ordered", "shipped", "delivered")


@dataclass(frozen=True)
class Kind:
    """One sort of change: how often, to orders in which status, and what it then does to one."""

    weight: int
    statuses: tuple[str, ...]
    values: Json = field(default_factory=dict)
    draw: Callable[[Random, Store], Json] = lambda _random, _store: {}


def _another_expiration(random: Random, store: Store) -> Json:
    """Mostly later, at times already past, at times none."""
    at = int(store.clock.now()) + random.randrange(-3 * DAY, 60 * DAY)
    return {"expires_at": None if random.random() < 0.1 else stamp(at)}


def _note(random: Random, _store: Store) -> Json:
    return {"thank_you_note": random.choice(words.NOTES)}


# `batch` makes orders; all others change one.
KINDS: dict[str, Kind] = {
    "batch": Kind(4, ()),
    "notify": Kind(8, ("created",), {"status": "notified"}),
    "open": Kind(8, ("created", "notified"), {"status": "opened"}),
    "accept": Kind(6, ("opened",), {"status": "accepted"}),
    "swap": Kind(2, ("opened",), {"status": "accepted", "swap": True}),
    "bill": Kind(5, ("accepted",), {"status": "pending_payment"}),
    "pay": Kind(5, ("pending_payment",), {"status": "paid"}),
    "order": Kind(4, ("paid",), {"status": "ordered"}),
    "ship": Kind(4, ("ordered",), {"status": "shipped"}),
    "deliver": Kind(4, ("shipped",), {"status": "delivered"}),
    "cancel": Kind(4, OPEN, {"status": "failed"}),
    "expiration": Kind(4, OPEN, draw=_another_expiration),
    "thank": Kind(3, _ACCEPTED, draw=_note),
}


def churn(store: Store, *, seed: int, changes: int, kinds: Collection[str] | None = None) -> Json:
    """So many changes, of these kinds only; fewer if nothing is left to change.

    Answers `counts` by kind and `changes`, in their order, each with its kind and order ids.
    Raises ValueError for an unknown kind, and if the clock stands before the newest order.
    """
    chosen = _chosen(kinds)
    random, done = Random(f"churn:{seed}"), []
    for _ in range(changes):
        change = _change(store, random, chosen)
        if change is None:
            break
        done.append(change)
    return {"counts": dict(Counter(change["kind"] for change in done)), "changes": done}


def _chosen(kinds: Collection[str] | None) -> dict[str, Kind]:
    unknown = set(kinds or ()) - KINDS.keys()
    if unknown:
        raise ValueError(f"unknown kind {', '.join(sorted(unknown))}; known: {', '.join(KINDS)}")
    return {name: kind for name, kind in KINDS.items() if kinds is None or name in kinds}


def _change(store: Store, random: Random, kinds: dict[str, Kind]) -> Json | None:
    """One change of a kind that finds an order to happen to."""
    names, weights = list(kinds), [kind.weight for kind in kinds.values()]
    for name in random.choices(names, weights, k=_DRAWS) if names else ():
        with store.lock:
            orders = _make(store, random) if name == "batch" else _alter(store, random, kinds[name])
        if orders:
            return {"kind": name, "ids": [order["id"] for order in orders]}
    return None


def _make(store: Store, random: Random) -> list[Json]:
    count = 1 + int(random.random() ** 3 * _LARGEST_BATCH)
    return store.create(count=count, values={})


def _alter(store: Store, random: Random, kind: Kind) -> list[Json]:
    for index in _candidates(random, len(store)):
        if store.status(index) in kind.statuses:
            return [store.play(index, {**kind.values, **kind.draw(random, store)})]
    return []


def _candidates(random: Random, count: int) -> Iterator[int]:
    """Rows to look at in turn; the newest come more often, since most happens to them."""
    recent = max(0, count - _RECENT)
    for _ in range(_LOOKS if count else 0):
        yield random.randrange(recent if random.random() < 0.5 else 0, count)
