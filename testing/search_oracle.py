"""A reference implementation of the search in plain Python, and orders that cover every rule.

The oracle reads all rows from the database and filters and sorts them in memory. The search must
find the same orders.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from goody.types import CANCELABLE, ENDED, ORDER_STATUSES
from orders import index
from orders.index import CreationTime, OrderOfResponse
from orders.index.creation_keys import first_key
from orders.models import (
    CreationTimeSource,
    Label,
    Operation,
    OperationText,
    Order,
    OtherProduct,
    SearchText,
)
from orders.search.query import FilterChoice, Query, Sort
from orders.text import folded_words, gift_token_digest, word_starts, word_starts_of_names

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
_DAY = timedelta(days=1)

FIRST = ["Ana", "José", "Mira", "小龍", "Łukasz", "Al", "O'Brien", "Marie-Anne", "Ольга", "100%"]
LAST = ["Okafor", "Núñez", "李", "B", "Lee", "佐藤", "_under_", "van Berg", "", "Mai"]
PRODUCTS = ["Tea box", "Café beans", "Mug", "Mai Tai kit", "抹茶 set", "A", "Okafor's tea"]
BRANDS = ["Leaf & Lane", "Mug Co", "Ana", "茶"]
SENDERS = [("Lee", "Okafor"), ("Ana", "B"), ("Zoë", ""), ("", "")]
WORKSPACES = ["People team", "Sales", "Mai"]
MESSAGES = ["Thank you, Ana", "Danke für alles", "mug mug", None, "100% tea", "謝謝你們"]
STATUSES = [
    *("created", "notified", "opened", "accepted", "pending_payment", "paid", "ordered"),
    *("shipped", "delivered", "failed", "canceled", "on_hold"),
    # The statuses that an expiration window includes.
    *("created", "notified", "opened"),
]


# Words that are amounts, with their cents.
MONEY = {"$1": range(100, 200), "$25.00": range(2500, 2501), "$99": range(9900, 10000)}


def uuid(*parts: object) -> UUID:
    return UUID(int=Random(":".join(map(str, parts))).getrandbits(128), version=4)


def make_rows(count: int, *, seed: int) -> list[OrderOfResponse]:
    random = Random(seed)
    return [_row(random, number) for number in range(count)]


def _row(random: Random, number: int) -> OrderOfResponse:
    pick = random.choice
    created = NOW - timedelta(minutes=random.randrange(60 * 24 * 90))
    if random.random() < 0.3:
        created = NOW - _DAY * random.randrange(5)
    order = {
        "id": str(uuid("order", number)),
        "status": pick(STATUSES),
        "reference_id": f"{uuid('reference', number).hex.upper()[:24]}",
        "recipient_first_name": pick([*FIRST, None]),
        "recipient_last_name": pick([*LAST, None]),
        "recipient_email": pick([None, *(f"p{n}_{pick('ab')}@example.com" for n in range(40))]),
        "individual_gift_link": f"https://gifts.example.com/gift/T{number}",
        "expires_at": _expiry(random),
        "cart": {"items": [_item(random) for _ in range(pick([0, 1, 1, 1, 2, 3]))]},
        "amounts": {"amount_pre_tax_total": pick([None, 100, 100, 2500, 9900, number])},
        "card_id": pick([None, *(str(uuid("card", n)) for n in range(5))]),
        "message": pick(MESSAGES),
        "thank_you_note": pick([None, None, *MESSAGES]),
        "sender": _sender(pick(SENDERS)),
        "is_swapped": random.random() < 0.1,
        "payment_link": "https://pay.example.com/1" if random.random() < 0.3 else None,
        "shipments": [{"status": pick(["delivered", "failed"])}] if number % 9 == 0 else [],
        "order_batch_id": str(uuid("batch", random.randrange(30))) if number % 7 else None,
        **_workspace(pick([*WORKSPACES, None])),
    }
    known = pick(
        [None, CreationTimeSource.WINDOW, CreationTimeSource.FEED, CreationTimeSource.FEED]
    )
    return OrderOfResponse(
        msgspec.json.encode(order), CreationTime(created, known) if known else None
    )


def _expiry(random: Random) -> str | None:
    if random.random() < 0.2:
        return None
    days = random.choice([*range(-20, 20), *[0] * 8])
    at: datetime = NOW + _DAY * days + timedelta(hours=random.choice([0, 0, 5, 11]))
    return at.isoformat()


def _item(random: Random) -> dict[str, Any]:
    product, brand = random.choice(PRODUCTS), random.choice([*BRANDS, None])
    named = {"id": str(uuid("brand", brand)), "name": brand} if brand else None
    return {
        "quantity": random.randrange(1, 4),
        "product": {"id": str(uuid("product", product)), "name": product, "brand": named},
    }


def _sender(name: tuple[str, str]) -> dict[str, Any] | None:
    if name == ("", ""):
        return None
    return {
        "first_name": name[0],
        "last_name": name[1],
        "email": f"{name[0].lower()}@sender.example.com",
    }


def _workspace(name: str | None) -> dict[str, Any]:
    if name is None:
        return {"workspace_id": None, "workspace_name": None}
    return {"workspace_id": str(uuid("workspace", name)), "workspace_name": name}


def store(count: int = 300, *, seed: int = 1) -> None:
    """Store the orders by reads a minute apart. Every fortieth is missing at Goody."""
    rows = make_rows(count, seed=seed)
    for start in range(0, count, 100):
        read_at = NOW - timedelta(minutes=start / 100)
        index.upsert_rows(rows[start : start + 100], read_at=read_at)
    for number in range(0, count, 40):
        for kind, folded in (("ticket", f"zd-{number % 7}0"), ("note", f"okafor called {number}")):
            OperationText.objects.create(order_uuid=uuid("order", number), kind=kind, folded=folded)
        index.mark_missing(uuid("order", number), read_at=NOW + _DAY)


# Lists of every kind.
LISTS = [
    *(Query(sort=sort) for sort in Sort),
    Query(statuses=("opened", "failed", "on_hold")),
    Query(words=("example",), sort=Sort.AMOUNT_LARGEST),
    Query(has_expiry=False, sort=Sort.EXPIRES_SOONEST),
    Query(expires_from=NOW, expires_until=NOW + timedelta(days=9)),
    Query(is_expired_unaccepted=True),
    Query(needs_attention=True),
    Query(needs_attention=False, sort=Sort.STATUS),
    Query(statuses=("opened", "on_hold", "canceled"), sort=Sort.STATUS_REVERSED),
    Query(words=("example",), names=("ana lee", "jose nunez", "小龍", "nobody")),
    Query(words=("ana",), names=("ana",), statuses=("opened", "delivered", "paid")),
    Query(words=("ana",), names=("nobody",)),
    *(Query(words=(word,)) for word in MONEY),
    Query(tickets=("zd-1", "40")),
    Query(words=("called",)),
    Query(words=("zd-0",), statuses=("created", "paid")),
    Query(words=("ana", "$1"), sort=Sort.RECIPIENT),
    Query(amount_from=101, sort=Sort.AMOUNT_SMALLEST),
    Query(amount_from=100, amount_until=2501, words=("lee",)),
    Query(amount_until=100, statuses=("opened", "paid")),
    Query(amount_from=2500, expires_from=NOW - timedelta(days=9)),
]


# --- the oracle ---------------------------------------------------------------------------------


@dataclass
class Oracle:
    """All orders of the database in memory."""

    now: datetime = NOW

    @cached_property
    def rows(self) -> list[Order]:
        return list(Order.objects.all())

    @cached_property
    def labels(self) -> dict[int, Label]:
        return Label.objects.in_bulk()

    @cached_property
    def texts(self) -> dict[int, str]:
        return dict(SearchText.objects.values_list("pk", "folded"))

    @cached_property
    def unknown_outcomes(self) -> set[UUID]:
        open_ = Operation.objects.filter(state__in=("unknown", "needs_human"))
        return set(open_.values_list("order_uuid", flat=True))

    @cached_property
    def other_products(self) -> dict[int, list[tuple[int, int | None]]]:
        found: dict[int, list[tuple[int, int | None]]] = {}
        for other in OtherProduct.objects.all():
            pair = other.product_id, other.brand_id
            found.setdefault(other.order_id, []).append(pair)
        return found

    def find(self, query: Query) -> list[UUID]:
        """Return the ids of all matching orders, in list order."""
        found = [row for row in self.rows if self.matches(query, row)]
        return [row.uuid for row in _sorted(found, query)]

    def matches(self, query: Query, row: Order) -> bool:
        return all(test(query, row) for test in self._tests)

    @cached_property
    def _tests(self) -> list[Callable[[Query, Order], bool]]:
        return [
            self._words, self._statuses, self._expiry, self._creation, self._choices,
            self._flags, self._exact, self._amounts, self._tickets,
        ]  # fmt: skip

    def _words(self, query: Query, row: Order) -> bool:
        may = query.may_search_messages
        return all(self._has(word, row, may) for word in query.words) and not any(
            self._has(word, row, may) for word in query.without_words
        )

    @cached_property
    def operations(self) -> dict[UUID, list[OperationText]]:
        found: dict[UUID, list[OperationText]] = {}
        for text in OperationText.objects.all():
            found.setdefault(text.order_uuid, []).append(text)
        return found

    def _tickets(self, query: Query, row: Order) -> bool:
        texts = [one for one in self.operations.get(row.uuid, []) if one.kind == "ticket"]
        return not query.tickets or any(
            ticket in one.folded for ticket in query.tickets for one in texts
        )

    def _amounts(self, query: Query, row: Order) -> bool:
        low, high = query.amount_from, query.amount_until
        if low is None and high is None:
            return True
        cents = row.amount_cents
        return cents is not None and (low or 0) <= cents and (high is None or cents < high)

    def _has(self, word: str, row: Order, may_search_messages: bool) -> bool:
        names = [self.labels[pk].folded for pk in self._label_ids(row)]
        texts = [row.people, *names]
        if word in MONEY and row.amount_cents in MONEY[word]:
            return True
        if len(word) <= 2:
            if "".join(folded_words(word)) != word:
                return any(word in text for text in texts)
            starts = folded_words(word)
            return all(_starts(one, word_starts_of_names(row.people)) for one in starts) or any(
                all(_starts(one, word_starts(name)) for one in starts) for name in names
            )
        texts += [one.folded for one in self.operations.get(row.uuid, [])]
        if may_search_messages:
            texts += [self.texts.get(row.message_id or 0, ""), self.texts.get(row.note_id or 0, "")]
        return any(word in text for text in texts) or (len(word) >= 6 and self._begins(word, row))

    def _begins(self, word: str, row: Order) -> bool:
        ids = [str(row.uuid), row.uuid.hex]
        if row.order_batch_id:
            ids += [str(row.order_batch_id), row.order_batch_id.hex]
        if row.card_id:
            card = UUID(self.labels[row.card_id].key)
            ids += [str(card), card.hex]
        return row.reference_id.startswith(word.upper()) or any(one.startswith(word) for one in ids)

    def _label_ids(self, row: Order) -> set[int]:
        ids = {row.product_id, row.brand_id, row.sender_id, row.workspace_id}
        ids.update(pk for pair in self.other_products.get(row.pk, []) for pk in pair)
        return {pk for pk in ids if pk is not None}

    def _statuses(self, query: Query, row: Order) -> bool:
        if query.statuses and row.status not in query.statuses:
            return False
        return row.status not in query.without_statuses

    def _expiry(self, query: Query, row: Order) -> bool:
        at = row.expires_at
        if query.has_expiry is not None and query.has_expiry != (at is not None):
            return False
        is_expired = at is not None and at < self.now and row.status in CANCELABLE
        if query.is_expired_unaccepted not in (None, is_expired):
            return False
        has_window = query.expires_from is not None or query.expires_until is not None
        if has_window and row.status not in CANCELABLE:
            return False
        return _within(at, query.expires_from, query.expires_until)

    def _creation(self, query: Query, row: Order) -> bool:
        low, high = query.created_from, query.created_until
        if low is None and high is None:
            return True
        return (
            row.created_at is not None
            and (low is None or row.pk >= first_key(low))
            and (high is None or row.pk < first_key(high))
        )

    def _choices(self, query: Query, row: Order) -> bool:
        others = self.other_products.get(row.pk, [])
        in_cart = {row.product_id, *(product for product, _ in others)}
        brands = {row.brand_id, *(brand for _, brand in others)}
        return all(
            self._is_chosen(chosen, ids) is not False and self._is_chosen(without, ids) is not True
            for chosen, without, ids in (
                (query.workspaces, query.without_workspaces, {row.workspace_id}),
                (query.senders, query.without_senders, {row.sender_id}),
                (query.cards, query.without_cards, {row.card_id}),
                (query.products, query.without_products, in_cart),
                (query.brands, query.without_brands, brands),
            )
        ) and self._batches(query, row)

    def _is_chosen(self, choices: Iterable[FilterChoice], ids: set[int | None]) -> bool | None:
        choices = list(choices)
        if not choices:
            return None
        return any(
            one.id == pk if one.id is not None else one.text in self.labels[pk].folded
            for one in choices
            for pk in ids
            if pk is not None
        )

    def _batches(self, query: Query, row: Order) -> bool:
        shown = str(row.order_batch_id or "?")
        ids = [shown, shown.replace("-", "")]

        def begins(choices: Iterable[FilterChoice]) -> bool:
            return any(one.startswith(choice.text) for choice in choices for one in ids)

        if query.batches and not begins(query.batches):
            return False
        return not begins(query.without_batches)

    def _flags(self, query: Query, row: Order) -> bool:
        names = ("is_swapped", "is_payment_pending", "has_delivery_trouble", "is_odd")
        if not all(getattr(query, name) in (None, getattr(row, name)) for name in names):
            return False
        is_flagged = row.is_payment_pending or row.has_delivery_trouble or row.is_odd
        needs_attention = is_flagged or row.uuid in self.unknown_outcomes
        return query.needs_attention in (None, needs_attention)

    def _exact(self, query: Query, row: Order) -> bool:
        digests = [gift_token_digest(token) for token in query.gift_tokens]
        named = (query.order_ids, query.references, query.emails, query.gift_tokens)
        return not any(named) or (
            row.uuid in query.order_ids
            or row.reference_id in query.references
            or row.email_key in query.emails
            or row.gift_digest in digests
        )


def _starts(start: str, starts: set[str]) -> bool:
    return start in starts if len(start) > 1 else any(one.startswith(start) for one in starts)


def _within(at: datetime | None, low: datetime | None, high: datetime | None) -> bool:
    if low is None and high is None:
        return True
    return at is not None and (low is None or at >= low) and (high is None or at < high)


def _sorted(rows: list[Order], query: Query) -> list[Order]:
    sort = query.effective_sort
    if sort is Sort.BEST:
        return sorted(rows, key=lambda row: (row.name_key not in query.names, -row.pk))
    if sort.key == "status":
        ranks = {status: rank for rank, status in enumerate(ORDER_STATUSES)}
        ranks |= dict.fromkeys(ENDED, ranks[ENDED[0]])
        newest = sorted(rows, key=lambda row: -row.pk)
        names = sorted({row.status for row in rows} - ranks.keys())
        ranks |= {status: len(ORDER_STATUSES) + n for n, status in enumerate(names)}
        return sorted(newest, key=lambda row: ranks[row.status], reverse=sort.is_descending)
    column = {
        "created": "pk", "expires": "expires_at", "amount": "amount_cents", "recipient": "name_key"
    }[sort.key]  # fmt: skip
    valued = [row for row in rows if getattr(row, column) is not None]
    empty = [row for row in rows if getattr(row, column) is None]
    valued.sort(key=lambda row: (getattr(row, column), row.pk), reverse=sort.is_descending)
    return valued + sorted(empty, key=lambda row: -row.pk)
