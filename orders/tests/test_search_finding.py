"""The search finds the same on both databases as a filter in plain Python over the same rows."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pytest

from orders import index, search
from orders.models import Label
from orders.search.deadline import time_limit
from orders.search.query import FilterChoice, Query, Sort
from orders.search.query_runner import QueryRunner
from testing import search_oracle
from testing.domain import ORDER_ID, order_json
from testing.search_oracle import NOW, Oracle

pytestmark = pytest.mark.django_db

SEEDS = 3
QUERIES = 50


def found(query: Query, *, size: int = 1000) -> list[Any]:
    return [hit.uuid for hit in search.find_page(query, size=size, now=NOW).hits]


def random_query(random: Random, oracle: Oracle) -> Query:
    """Return a random query of several conditions, most of which some order fulfills."""
    fields: dict[str, Any] = {}
    for _ in range(random.choice([1, 1, 2, 2, 3, 4])):
        fields |= random.choice(MAKERS)(random, oracle)
    if random.random() < 0.6:
        fields["sort"] = random.choice(list(Sort))
    if random.random() < 0.3:
        rows = random.sample(oracle.rows, random.choice([1, 3]))
        fields["names"] = tuple(row.name_key or "nobody" for row in rows)
    return Query(**fields, may_search_messages=random.random() < 0.5)


def _words(random: Random, oracle: Oracle) -> dict[str, Any]:
    row = random.choice(oracle.rows)
    names = [one.folded for one in oracle.labels.values()]
    texts = [row.people, row.reference_id.lower(), str(row.uuid), str(row.order_batch_id)]
    text = random.choice([*texts, *texts, random.choice(names), *oracle.texts.values(), "%_'\"\\"])
    start = random.randrange(max(1, len(text) - 1)) if random.random() < 0.6 else 0
    word = text[start : start + random.choice([1, 2, 2, 3, 4, 6, 8, 40])]
    name = random.choice(["words", "words", "words", "without_words"])
    more = tuple(random.choices(["ana", "tea", "example", "mai", "l"], k=random.choice([0, 0, 1])))
    return {name: (word, *more)}


def _statuses(random: Random, _: Oracle) -> dict[str, Any]:
    name = random.choice(["statuses", "statuses", "without_statuses"])
    return {name: tuple(random.sample(search_oracle.STATUSES, random.choice([1, 2, 3])))}


def _expiry(random: Random, _: Oracle) -> dict[str, Any]:
    low = NOW + timedelta(days=random.randrange(-25, 20))
    high = low + timedelta(days=random.randrange(0, 14), hours=1)
    return random.choice(
        [
            {"expires_from": low, "expires_until": high},
            {"expires_from": low},
            {"expires_until": high},
            {"has_expiry": random.random() < 0.5},
            {"is_expired_unaccepted": random.random() < 0.7},
        ]
    )


def _created(random: Random, _: Oracle) -> dict[str, Any]:
    low = NOW - timedelta(days=random.randrange(90))
    high = low + timedelta(days=random.randrange(1, 60))
    window = {"created_from": low, "created_until": high}
    return random.choice([window, {"created_from": low}, {"created_until": high}])


def _choices(random: Random, oracle: Oracle) -> dict[str, Any]:
    kind = random.choice(["workspace", "sender", "product", "brand"])
    labels = [one for one in oracle.labels.values() if one.kind == kind]
    some = [_choice(random, random.choice(labels)) for _ in range(random.choice([1, 1, 2]))]
    without = "without_" if random.random() < 0.3 else ""
    return {f"{without}{kind}es" if kind.endswith("ch") else f"{without}{kind}s": tuple(some)}


def _choice(random: Random, label: Label) -> FilterChoice:
    if random.random() < 0.5:
        return FilterChoice(id=label.pk)
    start = random.randrange(len(label.folded))
    return FilterChoice(
        text=label.folded[start : start + random.randrange(1, 6)].strip() or "nobody"
    )


def _batches(random: Random, oracle: Oracle) -> dict[str, Any]:
    batch = random.choice([row.order_batch_id for row in oracle.rows if row.order_batch_id])
    text = str(batch)[: random.choice([1, 2, 8, 9, 36])]
    return {random.choice(["batches", "batches", "without_batches"]): (FilterChoice(text=text),)}


def _flags(random: Random, _: Oracle) -> dict[str, Any]:
    name = random.choice(["is_swapped", "is_payment_pending", "has_delivery_trouble"])
    return {name: random.random() < 0.7}


def _amounts(random: Random, oracle: Oracle) -> dict[str, Any]:
    cents = random.choice(oracle.rows).amount_cents or 0
    return random.choice(
        [
            {"amount_from": cents},
            {"amount_until": cents + 1},
            {"amount_from": cents, "amount_until": cents + random.choice([1, 100])},
            {"words": (random.choice([*search_oracle.MONEY]),)},
            {"tickets": (random.choice(["zd", "40", "nothing"]),)},
            {"words": (random.choice(["zd-10", "called", "okafor called"]),)},
        ]
    )


def _exact(random: Random, oracle: Oracle) -> dict[str, Any]:
    rows = random.sample(oracle.rows, 5)
    return {
        "order_ids": tuple(row.uuid for row in rows[:2]),
        "references": (rows[2].reference_id,),
        "emails": (rows[3].recipient_email or "nobody@example.com",),
        "gift_tokens": (f"T{random.randrange(300)}",),
    }


MAKERS = [_words, _words, _words, _statuses, _expiry, _created, _choices, _choices, _batches,
          _flags, _exact, _amounts]  # fmt: skip


@pytest.fixture(params=["as configured", "short scans", "short scans and no fetch"])
def _access_paths(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shrink the limits of execute.py, so that a few hundred orders use every access path."""
    if request.param != "as configured":
        monkeypatch.setattr("orders.search.execute.MAX_SCANNED_ENTRIES", 3)
        monkeypatch.setattr("orders.search.execute._FIRST_CHUNK", 2)
        monkeypatch.setattr("orders.search.context._kept", {})
        monkeypatch.setattr("orders.search.word_conditions._MAX_LOOKED_UP", 6)
        monkeypatch.setattr("orders.search.word_conditions._MAX_TEXTS", 1)
    if request.param == "short scans and no fetch":
        monkeypatch.setattr("orders.search.execute.MAX_FETCHED", 0)


@pytest.mark.usefixtures("_access_paths")
@pytest.mark.parametrize("seed", range(SEEDS))
def test_search_finds_the_same_orders_as_the_oracle(oracle: Oracle, seed: int) -> None:
    random = Random(seed)
    for _ in range(QUERIES):
        query = random_query(random, oracle)
        expected = oracle.find(query)
        assert found(query) == expected, query
        with time_limit(60) as deadline:
            count = QueryRunner(deadline, query, now=NOW).count_matches(1000)
        assert count.n <= len(expected) if count.is_capped else count.n == len(expected), query


# --- what is typed ----------------------------------------------------------------------------


_TYPED = [
    *("%", "_", "%%%", "100%", "_un", "under_", "'", '"', '""', "\\", "\\\\\\", "o'b", "a*"),
    *("&", "o'", "e-", "l.", "p-", "@e", "李_", "\N{WRAPPED PRESENT}"),
    *("-lee", "AND", "NOT a", "people:", "(((", "NEAR(", "\ud7ff", "\U0010ffff", "👩\u200d🚀"),
    *("a" * 10_000, "x y " * 2500),
]  # fmt: skip


def test_special_characters_are_plain_text(oracle: Oracle) -> None:
    for word in _TYPED:
        query = Query(words=(word,), may_search_messages=True)
        assert found(query) == oracle.find(query), word
        without = Query(without_words=(word,))
        assert found(without) == oracle.find(without), word


def test_ten_thousand_characters_of_words(oracle: Oracle) -> None:
    many = tuple(f"w{n}" for n in range(400))
    assert found(Query(words=many)) == []
    assert found(Query(without_words=many)) == oracle.find(Query())
    ids = tuple(row.uuid for row in oracle.rows)
    more = tuple(search_oracle.uuid("nobody", n) for n in range(5000))
    assert found(Query(order_ids=ids[:40] + more)) == oracle.find(Query(order_ids=ids[:40]))


# --- names that change ----------------------------------------------------------------------------


def test_a_product_that_is_renamed_is_found_by_its_new_name_at_once(oracle: Oracle) -> None:
    def upsert_orders(name: str, read_at: Any) -> None:
        product = {"id": str(UUID(int=77)), "name": name, "brand": None}
        raw = order_json(cart={"items": [{"quantity": 1, "product": product}]})
        index.upsert_rows([index.OrderOfResponse(msgspec.json.encode(raw))], read_at=read_at)

    upsert_orders("Old lamp", NOW)
    assert found(Query(words=("old lamp",))) == [ORDER_ID]
    upsert_orders("New lamp", NOW + timedelta(minutes=1))
    assert found(Query(words=("old lamp",))) == []
    hits = search.find_page(Query(words=("new lamp",)), size=5, now=NOW).hits
    assert [hit.product for hit in hits] == ["New lamp"]
