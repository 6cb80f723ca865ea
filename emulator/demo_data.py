"""The demo's data: half a year of gifts of an invented company, up to now.

The occasion of a batch determines its size, gift, sender, message and expiration. With the same
seed, the orders are the same on every day, moved in time; during a day, orders are only added.
"""

import unicodedata
from functools import lru_cache
from itertools import accumulate
from random import Random

from emulator import demo_texts
from emulator.carts import CartLine, render_cart_lines
from emulator.demo_occasions import OCCASIONS, Occasion
from emulator.digest_random import DigestRandom, derive_uuid
from emulator.generator import OrderGenerator
from emulator.lifecycle import StatusChanges, random_status_changes
from emulator.messages import Json
from emulator.order_columns import (
    DAY,
    DELIVERED,
    DIRECT,
    FAILED,
    HOSTILE,
    HOUR,
    NEVER,
    NOTIFIED,
    OPENED,
    OrderColumns,
)
from emulator.renderer import BatchValues, OrderRenderer
from emulator.stored_order import StoredOrder

_SPAN = 183 * DAY
_NEWEST_BATCHES, _MAX_NEWEST_BATCH = 30, 4
# After this time, most orders are delivered or canceled.
_USUALLY_ENDED_AFTER = 21 * DAY
# The share of the orders of the last two days that are only created.
_NOT_NOTIFIED = 0.05
# The days before and after the present one with many unaccepted gifts that expire on them, and the
# shares of these gifts before today and from today on.
_EXPIRING_DAYS = 14
_EXPIRED, _EXPIRING = 0.12, 0.25
_WEIGHTS = tuple(accumulate(occasion.weight for occasion in OCCASIONS))
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "ı": "i", "'": None})


@lru_cache(maxsize=4096)
def occasion_of_batch(seed: int, number: int) -> Occasion:
    drawn = DigestRandom(seed, "occasion", number).randbelow(_WEIGHTS[-1])
    return next(
        occasion for occasion, weight in zip(OCCASIONS, _WEIGHTS, strict=True) if drawn < weight
    )


class DemoGenerator(OrderGenerator):
    """Generates at most `orders` orders: those of today that are later than `now` are left out."""

    def __init__(self, *, orders: int, seed: int, now: int) -> None:
        super().__init__(orders=orders, seed=seed, now=now)
        self._seed = seed
        self._midnight = now - now % DAY + DAY

    def generate(self) -> OrderColumns:
        columns = super().generate()
        columns.truncate(orders=self.rows, batches=len(columns.batch_start))
        return columns

    def draw_batch_sizes(self) -> list[int]:
        """Return the batch sizes, oldest first.

        The newest batches are small, so that the first page shows many different gifts.
        """
        sizes: list[int] = []
        left = self._count
        while left > 0:
            largest = occasion_of_batch(self._seed, len(sizes)).largest
            sizes.append(min(left, 1 + int(self._draw() ** 2 * largest)))
            left -= sizes[-1]
        for n in range(max(1, len(sizes) - _NEWEST_BATCHES), len(sizes)):
            surplus = max(0, sizes[n] - _MAX_NEWEST_BATCH)
            sizes[n] -= surplus
            sizes[0] += surplus
        return sizes

    def draw_creation_times(self, count: int) -> list[int]:
        """Return sorted times between 07:00 and 23:00 UTC, also those later than now."""
        days = [self._midnight - DAY - int(self._draw() * _SPAN) // DAY * DAY for _ in range(count)]
        return sorted(day + 7 * HOUR + int(self._draw() * 16 * HOUR) for day in days)

    def draw_batch_flags(self) -> int:
        return occasion_of_batch(self._seed, len(self._columns.batch_start)).flags

    def draw_expiration(self, *, created: int, flags: int) -> int:
        """Return the last second of a day on the US west coast."""
        number = len(self._columns.batch_start)
        if flags & DIRECT or DigestRandom(self._seed, "lasting", number).randbelow(20) == 0:
            return NEVER
        days = occasion_of_batch(self._seed, number).days
        return created - created % DAY + days * DAY + 7 * HOUR - 1

    def add_order(self, row: int, *, batch: int, created: int, expires: int, flags: int) -> None:
        # Each order has its own draws, so that no order depends on how far another one is by now.
        self._draw = Random(f"demo:{self._seed}:{row}").random
        super().add_order(row, batch=batch, created=created, expires=expires, flags=flags)

    def draw_status_changes(self, *, created: int, expires: int, flags: int) -> StatusChanges:
        """Return the (status code, time) of every step of an order, also those in the future.

        Few old orders are in transit. Some of the new ones and of those that expire soon are open.
        """
        if created > self._midnight - 2 * DAY and self._draw() < _NOT_NOTIFIED:
            return []
        steps: StatusChanges = []
        for _ in range(3):
            steps = random_status_changes(self._draw, created=created, expires=expires, flags=flags)
            has_ended = bool(steps) and steps[-1][0] in (DELIVERED, FAILED)
            if has_ended or created > self._midnight - _USUALLY_ENDED_AFTER:
                break
        if self._draw() < self._unaccepted_share(expires):
            return [(code, at) for code, at in steps if code in (NOTIFIED, OPENED)]
        return steps

    def _unaccepted_share(self, expires: int) -> float:
        days = (expires - self._midnight) // DAY + 1
        if expires == NEVER or abs(days) > _EXPIRING_DAYS:
            return 0.0
        return _EXPIRING if days >= 0 else _EXPIRED

    def draw_order_flags(self, row: int, *, accepted: int, flags: int) -> int:
        return super().draw_order_flags(row, accepted=accepted, flags=flags) & ~HOSTILE


class DemoRenderer(OrderRenderer):
    """Renders the orders of a DemoGenerator of the same seed."""

    workspace_names = demo_texts.WORKSPACES
    notes = demo_texts.NOTES
    variants = demo_texts.VARIANTS

    def render_recipient(self, facts: StoredOrder, draws: DigestRandom) -> Json:
        is_internal = occasion_of_batch(self.seed, facts.batch).is_internal
        # Half of the gifts go to a tenth of the people.
        people = max(1, self.people // (10 if draws.randbelow(2) else 1))
        person = (draws.randbelow(65_536) << 16 | draws.randbelow(65_536)) % people
        first, last, email = _person(self.seed, person, is_internal=is_internal)
        return {
            "recipient_first_name": first,
            "recipient_last_name": None if draws.randbelow(60) == 0 else last,
            "recipient_email": None if draws.randbelow(30) == 0 else email,
        }

    def render_cart(self, key: str, draws: DigestRandom, *, batch: int) -> tuple[Json, Json]:
        gifts = occasion_of_batch(self.seed, batch).gifts
        first = draws.randbelow(len(gifts))
        lines = [CartLine(*gifts[first], quantity=1 + (draws.randbelow(20) == 0))]
        if draws.randbelow(6) == 0:
            lines.append(CartLine(*gifts[first - 1], quantity=1))
        return render_cart_lines(key, lines, draws, seed=self.seed)

    def render_batch(self, number: int, flags: int) -> BatchValues:  # noqa: ARG002
        draws = DigestRandom(self.seed, "batch", number)
        occasion = occasion_of_batch(self.seed, number)
        workspace: Json = self.workspaces[occasion.workspace]
        senders = demo_texts.SENDERS[occasion.workspace]
        first, last = senders[draws.randbelow(len(senders))]
        cart, amounts = self.render_cart(f"batch:{number}", draws, batch=number)
        return BatchValues(
            id=self.batch_ids.encode(number),
            message=occasion.messages[draws.randbelow(len(occasion.messages))],
            card_id=derive_uuid(self.seed, "card", draws.randbelow(12)),
            sender={
                "first_name": first,
                "last_name": last,
                "email": f"{_mailbox(first, last)}@{demo_texts.COMPANY_DOMAIN}",
            },
            workspace_id=workspace["id"],
            workspace_name=workspace["name"],
            cart=cart,
            amounts=amounts,
        )


@lru_cache(maxsize=4096)
def _person(seed: int, number: int, *, is_internal: bool) -> tuple[str, str, str]:
    """Return first name, last name and address."""
    draws = DigestRandom(seed, "person", number, is_internal)
    domains = demo_texts.CUSTOMER_DOMAINS
    domain = demo_texts.COMPANY_DOMAIN if is_internal else domains[draws.randbelow(len(domains))]
    others = demo_texts.OTHER_NAMES
    if draws.randbelow(40) == 0:
        first, last, mailbox = others[draws.randbelow(len(others))]
    else:
        first = demo_texts.FIRST_NAMES[draws.randbelow(len(demo_texts.FIRST_NAMES))]
        last = demo_texts.LAST_NAMES[draws.randbelow(len(demo_texts.LAST_NAMES))].replace("-", " ")
        mailbox = _mailbox(first, last)
    return first, last, f"{mailbox}@{domain}"


def _mailbox(first: str, last: str) -> str:
    name = f"{first}.{last}".lower().translate(_LETTERS).replace(" ", "")
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
