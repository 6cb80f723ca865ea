"""Orders more varied than the emulator's: few of them share a text, a name or a batch size.

They imitate no customer. The distributions are those that change the behavior of an index:
a million orders have 90,000 messages, 9,000 surnames, 2,500 products, 3,000 senders, and batches
whose sizes follow a Pareto distribution: half hold one order, the largest some ten thousand.
Statuses and the time from one to the next are the emulator's (`emulator.lifecycle`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate, product
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from emulator.lifecycle import random_status_changes
from emulator.order_columns import COMMERCE, DAY, DIRECT, HOUR, STATUSES
from orders.index import CreationTime, OrderOfResponse
from orders.models import CreationTimeSource

type Json = dict[str, Any]

_SPAN = 730 * DAY
_SURNAMES = 9_000
_MESSAGES = 90_000
_PRODUCTS = 2_500
_SENDERS = 3_000
_BRANDS = 300
_WORKSPACES = 60
_LARGEST_BATCH = 0.02
_CREATED_PER_SECOND = 40
_RECEIPT = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def _list(text: str) -> list[str]:
    return text.split(", ")


_ONSETS = _list("b, br, c, d, f, g, gr, h, j, k, kl, l, m, n, p, r, s, st, t, v, w, z")
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ei", "ou"]
_ENDINGS = ["man", "son", "ez", "ski", "ova", "berg", "dal", "ton", "ley", "ini"]
_GIFTS = _list(
    "tea, coffee, candle, mug, throw, plant, cookie, box, kit, set, basket, journal, honey, jam"
)
_TRAITS = _list(
    "black truffle, dark, white, wild, winter, summer, lavender, cedar, lemon, ginger, salted, "
    "smoked, organic, mini, grand, classic, vintage, copper, linen, garden"
)
_WORDS = _list(
    "thank, you, for, all, the, work, on, this, launch, and, happy, birthday, to, our, truffle, "
    "hunter, we, hope, that, a, quiet, winter, evening, with, good, tea, honey, or, jam, makes, "
    "up, for, late, nights, welcome, aboard, congratulations, on, ten, years, with, the, team, "
    "see, you, at, the, summer, garden, party, enjoy"
)
_encode = msgspec.json.Encoder().encode


def varied_rows(*, orders: int, seed: int, now: datetime) -> Iterator[OrderOfResponse]:
    """Yield rows in the form of lists and the feed, oldest first."""
    generator = _Generator(orders=orders, seed=seed, now=int(now.timestamp()))
    for order, created in generator.orders():
        yield OrderOfResponse(
            _encode(order),
            CreationTime(datetime.fromtimestamp(created, UTC), CreationTimeSource.FEED),
        )


class _Generator:
    def __init__(self, *, orders: int, seed: int, now: int) -> None:
        self._random = Random(f"varied:{seed}:{orders}")
        self._orders = orders
        self._now = now
        syllables = ["".join(pair) for pair in product(_ONSETS, _VOWELS)]
        self._surnames = self._names(syllables, _ENDINGS, _SURNAMES)
        self._first_names = self._names(syllables, ["", "a", "o", "n"], 800)
        self._messages = [self._sentence() for _ in range(_MESSAGES * orders // 1_000_000 + 1)]
        self._brands = [self._named(name) for name in self._names(syllables, ["& Co."], _BRANDS)]
        self._products = [self._product() for _ in range(_PRODUCTS)]
        self._senders = [self._sender() for _ in range(_SENDERS)]
        self._workspaces = [
            self._named(f"{name} team") for name in self._names(syllables, [""], _WORKSPACES)
        ]
        # A third of the orders are in the largest workspace, half of the rest in the next, ...
        self._weights = list(accumulate(1 / (rank + 1) ** 1.3 for rank in range(_WORKSPACES)))

    def orders(self) -> Iterator[tuple[Json, int]]:
        """Yield orders with the second of their creation."""
        last = 0
        sizes = list(self._batch_sizes())
        for size, created in zip(sizes, self._batch_times(len(sizes)), strict=True):
            batch, expires, flags = self._batch(created)
            last = max(last, created)
            for number in range(size):
                at = min(last + number // _CREATED_PER_SECOND, self._now)
                yield self._order(batch, created=at, expires=expires, flags=flags), at
            last = at

    def _batch_sizes(self) -> Iterator[int]:
        left, largest = self._orders, max(1, int(self._orders * _LARGEST_BATCH))
        while left:
            size = min(left, largest, int(self._random.paretovariate(0.9)))
            yield size
            left -= size

    def _batch_times(self, count: int) -> list[int]:
        """Return times of batches over two years, increasingly frequent."""
        return sorted(self._now - int(self._random.random() ** 1.5 * _SPAN) for _ in range(count))

    def _batch(self, created: int) -> tuple[Json, int, int]:
        draw = self._random
        kind = draw.random()
        flags = COMMERCE if kind < 0.1 else DIRECT if kind < 0.15 else 0
        items = [self._item() for _ in range(draw.choice([1, 1, 1, 1, 2, 3]))]
        [workspace] = draw.choices(self._workspaces, cum_weights=self._weights)
        return (
            {
                "order_batch_id": self._id(),
                "message": draw.choice(self._messages) if draw.random() < 0.9 else None,
                "sender": draw.choice(self._senders),
                "workspace_id": workspace["id"],
                "workspace_name": workspace["name"],
                "cart": {"items": items},
                "amounts": {"amount_pre_tax_total": sum(one["quantity"] for one in items) * 1900},
            },
            self._expires(created, flags),
            flags,
        )

    def _expires(self, created: int, flags: int) -> int:
        """Return the expiration; 0 means never. Some are extended by a year."""
        draw = self._random.random()
        if flags & DIRECT or draw < 0.15:
            return 0
        days = self._random.choice((7, 14, 30, 30, 60, 90, 90, 120, 180, 365))
        return created - created % DAY + days * DAY + 7 * HOUR - 1

    def _order(self, batch: Json, *, created: int, expires: int, flags: int) -> Json:
        draw = self._random
        status, accepted = STATUSES[0], False
        for code, at in random_status_changes(
            draw.random, created=created, expires=expires, flags=flags
        ):
            if at > self._now:
                break
            status = STATUSES[code]
            accepted = accepted or status == "accepted"
        first, last = draw.choice(self._first_names), draw.choice(self._surnames)
        mailbox = f"{first}.{last}{draw.randrange(100)}@company{draw.randrange(400)}.example"
        return {
            "id": self._id(),
            "status": status,
            "reference_id": "".join(draw.choices(_RECEIPT, k=24)),
            "individual_gift_link": f"https://gifts.ongoody.com/gift/{draw.getrandbits(96):024x}",
            "recipient_first_name": first,
            "recipient_last_name": last,
            "recipient_email": mailbox.lower() if draw.random() < 0.9 else None,
            "expires_at": _stamp(expires) if expires else None,
            "thank_you_note": self._note() if accepted else None,
            "is_swapped": accepted and draw.random() < 0.1,
            "payment_link": None,
            "shipments": [{"status": "failed"}] if accepted and draw.random() < 0.01 else [],
            **batch,
        }

    def _note(self) -> str | None:
        return self._random.choice(self._messages) if self._random.random() < 0.2 else None

    def _names(self, syllables: list[str], endings: list[str], count: int) -> list[str]:
        draw = self._random
        names: dict[str, None] = {}
        while len(names) < count:
            middle = draw.choice(syllables) if draw.random() < 0.7 else ""
            names[f"{draw.choice(syllables)}{middle}{draw.choice(endings)}".capitalize()] = None
        return list(names)

    def _sentence(self) -> str:
        draw = self._random
        words = draw.choices(_WORDS, k=draw.randrange(5, 25))
        return f"{' '.join(words).capitalize()}, {draw.choice(self._first_names)}!"

    def _product(self) -> Json:
        draw = self._random
        name = f"{draw.choice(_TRAITS)} {draw.choice(_GIFTS)} {draw.choice(self._surnames)}"
        return {**self._named(name.capitalize()), "brand": draw.choice(self._brands)}

    def _item(self) -> Json:
        """Return a product; some products are in many gifts, most in few."""
        rank = int(len(self._products) * self._random.random() ** 3)
        return {"quantity": self._random.choice([1, 1, 1, 2]), "product": self._products[rank]}

    def _sender(self) -> Json:
        first = self._random.choice(self._first_names)
        last = self._random.choice(self._surnames)
        email = f"{first}.{last}@sender.example.com".lower()
        return {"first_name": first, "last_name": last, "email": email}

    def _named(self, name: str) -> Json:
        return {"id": self._id(), "name": name}

    def _id(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))


def _stamp(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()[:19] + "Z"
