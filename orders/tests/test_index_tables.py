"""The tables around an order's row: its key, labels, search texts and counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.db import connection
from django.db.models import Q

from orders import index
from orders.index import CreationTime, OrderOfResponse, OrdersOfResponse
from orders.index.creation_keys import first_key
from orders.models import (
    CreationTimeSource,
    Label,
    Order,
    OrderCount,
    OrderPayload,
    OtherProduct,
    SearchText,
    WordStart,
)
from orders.text import gift_token_digest
from testing.domain import ORDER_ID, exact_created_at, order, order_json

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(seconds=1)
BORN = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
TIMES = {"created_at": "2026-03-01T08:30:00Z"}

pytestmark = pytest.mark.django_db


def raw(**fields: Any) -> bytes:
    return msgspec.json.encode(order_json(**fields))


def other_id(number: int) -> UUID:
    return UUID(int=number, version=4)


def list_row(
    created: datetime | None = None, source: int = CreationTimeSource.WINDOW, **fields: Any
) -> OrderOfResponse:
    known = CreationTime(created, CreationTimeSource(source)) if created else None
    return OrderOfResponse(raw(**fields), known)


def newest_first() -> list[UUID]:
    return list(Order.objects.order_by("-id").values_list("uuid", flat=True))


def found_by_text(text: str) -> list[int]:
    """Return the keys of the orders that the database's own text index finds."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            sql = "SELECT rowid FROM orders_order_fts WHERE orders_order_fts MATCH %s"
            cursor.execute(sql, [f'"{text}"'])
        else:
            cursor.execute("SELECT id FROM orders_order WHERE people LIKE %s", [f"%{text}%"])
        return [key for (key,) in cursor.fetchall()]


def tables() -> dict[str, Any]:
    """Return all stored data of the one order, except its key."""
    row = Order.objects.values().get()
    key = row.pop("id")
    labels = dict(Label.objects.values_list("id", "name"))
    texts = dict(SearchText.objects.values_list("id", "folded"))
    for name in ("product_id", "brand_id", "sender_id", "workspace_id"):
        row[name] = labels.get(row[name])
    for name in ("message_id", "note_id"):
        row[name] = texts.get(row[name])
    others = OtherProduct.objects.filter(order_id=key).values_list("product_id", flat=True)
    return {
        **row,
        "payload": OrderPayload.objects.get(pk=key).raw,
        "starts": sorted(WordStart.objects.filter(order_id=key).values_list("start", flat=True)),
        "others": [labels[product] for product in others],
        "is_found": found_by_text("okafor") == [key],
        "strays": WordStart.objects.exclude(order_id=key).count()
        + OtherProduct.objects.exclude(order_id=key).count()
        + OrderPayload.objects.exclude(pk=key).count(),
        "counts": list(OrderCount.objects.filter(~Q(n=0)).values_list("status", "n")),
    }


# --- the place ----------------------------------------------------------------------------------


def test_descending_key_is_newest_first_for_late_orders() -> None:
    ids = [other_id(n) for n in range(5)]
    for n in (3, 0, 4, 1, 2):
        at = BORN + timedelta(seconds=n)
        index.upsert_rows([list_row(at, id=str(ids[n]))], read_at=NOON)
    assert newest_first() == ids[::-1]


def test_orders_of_one_second_have_keys_of_their_own() -> None:
    ids = [other_id(n) for n in range(300)]
    for start in (0, 150):
        rows = [list_row(BORN, id=str(one)) for one in ids[start : start + 150]]
        index.upsert_rows(rows, read_at=NOON)
    keys = list(Order.objects.order_by("id").values_list("id", "uuid"))
    assert keys == [(first_key(BORN) + n, one) for n, one in enumerate(ids)]


def test_full_second_uses_keys_of_the_next() -> None:
    ids = [other_id(n) for n in range(4100)]
    rows = [list_row(BORN, id=str(one)) for one in ids]
    index.upsert_rows(rows, read_at=NOON)
    index.upsert_rows([list_row(BORN + timedelta(seconds=1), id=str(ORDER_ID))], read_at=NOON)
    assert newest_first() == [ORDER_ID, *ids[::-1]]


@pytest.mark.parametrize(
    ("sources", "kept"),
    [
        ([CreationTimeSource.WINDOW, CreationTimeSource.FEED], CreationTimeSource.FEED),
        ([CreationTimeSource.FEED, CreationTimeSource.WINDOW], CreationTimeSource.FEED),
        ([CreationTimeSource.WINDOW, CreationTimeSource.WINDOW], CreationTimeSource.WINDOW),
    ],
)
def test_most_exact_creation_time_is_kept(
    sources: list[CreationTimeSource], kept: CreationTimeSource
) -> None:
    times = [BORN, BORN + timedelta(hours=3)]
    for at, source in zip(times, sources, strict=True):
        index.upsert_rows([list_row(at, source)], read_at=NOON)
    row = Order.objects.get()
    wanted = times[sources.index(kept)]
    assert (row.created_at, row.created_from) == (wanted, kept)
    assert row.id == first_key(wanted)
    assert exact_created_at(row) == (wanted if kept == CreationTimeSource.FEED else None)


def test_an_order_without_a_creation_time_is_sorted_by_its_first_read() -> None:
    index.upsert_orders([order()], read_at=NOON)
    row = Order.objects.get()
    assert (row.id, row.created_at, row.created_from) == (first_key(NOON), None, 0)


def test_a_copy_is_complete_though_its_key_changed_after_it_was_read() -> None:
    index.upsert_rows([list_row(BORN)], read_at=NOON)
    row = Order.objects.get()
    index.upsert_rows([list_row(BORN + timedelta(days=1), CreationTimeSource.FEED)], read_at=NOON)
    assert Order.objects.get().id != row.id
    assert row.to_goody_order() == order()


# --- a new key, a new state: everything moves along -------------------------------------------

RICH = {
    "cart": {
        "items": [
            {"quantity": 2, "product": {"id": str(other_id(1)), "name": "Tea box"}},
            {"quantity": 1, "product": {"id": str(other_id(2)), "name": "Mug"}},
        ]
    },
    "message": "Danke für alles",
    "sender": {"first_name": "Lee", "last_name": "Okafor", "email": "Lee@example.com"},
    "workspace_id": str(other_id(9)),
    "workspace_name": "People team",
}


def test_stored_data_does_not_depend_on_the_sequence_of_reads() -> None:
    index.upsert_orders([order(**RICH)], read_at=NOON - timedelta(hours=1))
    index.upsert_rows([list_row(BORN + timedelta(days=3), **RICH)], read_at=NOON)
    index.upsert_orders([order(**RICH, status="opened", event_times=TIMES)], read_at=LATER)
    by_steps = tables()
    for model in (Order, OrderPayload, OtherProduct, WordStart, OrderCount):
        model.objects.all().delete()
    index.upsert_orders([order(**RICH, status="opened", event_times=TIMES)], read_at=LATER)
    at_once = tables()
    assert at_once == by_steps
    assert (at_once["strays"], at_once["is_found"]) == (0, True)
    assert at_once["counts"] == [("opened", 1)]
    assert at_once["others"] == ["Mug"]
    assert (at_once["product_id"], at_once["message_id"]) == ("Tea box", "danke fur alles fuer")


def test_a_person_who_is_renamed_is_found_by_the_new_name_alone() -> None:
    index.upsert_orders([order()], read_at=NOON)
    assert len(found_by_text("mira")) == 1
    index.upsert_orders([order(recipient_first_name="Joséphine")], read_at=LATER)
    assert (found_by_text("mira "), len(found_by_text("josephine"))) == ([], 1)
    assert set(WordStart.objects.values_list("start", flat=True)) == {"jo", "ok", "mi", "ex", "co"}


def test_changed_gift_removes_former_products() -> None:
    index.upsert_orders([order(**RICH)], read_at=NOON)
    index.upsert_orders([order()], read_at=LATER)
    assert OtherProduct.objects.count() == 0


def test_counts_follow_the_statuses() -> None:
    rows = [list_row(BORN, id=str(other_id(n)), status="opened") for n in range(3)]
    index.upsert_rows(rows, read_at=NOON)
    changed = list_row(BORN, id=str(other_id(1)), status="failed")
    index.upsert_rows([changed, rows[0]], read_at=LATER)
    counts = OrderCount.objects.order_by("status").values_list("workspace_id", "status", "n")
    assert list(counts) == [(0, "failed", 1), (0, "opened", 2)]


def test_a_gift_link_is_found_by_its_token_and_not_stored_in_the_row() -> None:
    index.upsert_orders(
        [order(individual_gift_link="https://gifts.example.com/gift/T0ken")], read_at=NOON
    )
    row = Order.objects.get()
    assert row.gift_digest == gift_token_digest("T0ken")
    assert "T0ken" not in str(Order.objects.values().get())


def test_unchanged_rows_are_not_parsed() -> None:
    given, rows = ([list_row(BORN, id=str(other_id(n))) for n in range(3)] for _ in range(2))
    first = index.upsert_rows(given, read_at=NOON)
    again = index.upsert_rows(rows, read_at=LATER)
    assert not any("order" in vars(row) for row in rows)
    assert (first.new, first.same, len(first.parsed)) == (3, 0, 3)
    assert (again.new, again.same, len(again.parsed)) == (0, 3, 0)
    assert again.order_ids == [other_id(n) for n in range(3)]
    assert set(Order.objects.values_list("read_at", flat=True)) == {LATER}


@pytest.mark.parametrize("is_dated_first", [True, False])
def test_duplicate_rows_are_merged(
    is_dated_first: bool,
) -> None:
    """In the feed one page may have an order's `created` and `notified` activities."""
    rows = [list_row(BORN, CreationTimeSource.FEED), list_row()]
    index.upsert_rows(rows if is_dated_first else rows[::-1], read_at=NOON)
    assert exact_created_at(Order.objects.get()) == BORN


def test_a_reference_of_any_length_is_stored() -> None:
    endless = "".join(Random(1).choices("ABCDEFGHJKéüж漢0123456789", k=15_000))
    rows = [list_row(BORN, reference_id=endless), list_row(BORN, id=str(other_id(1)))]
    remembered = index.upsert_rows(rows, read_at=NOON)
    assert (remembered.new, remembered.quarantined) == (2, [])
    assert Order.objects.get(uuid=ORDER_ID).to_goody_order().reference_id == endless


@pytest.mark.postgresql_only(reason="SQLite takes a text of any length into any column")
def test_rejected_order_is_returned_with_its_id() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_order ALTER COLUMN recipient_name TYPE varchar(20)")
    rows = [list_row(BORN, recipient_first_name="x" * 30), list_row(BORN, id=str(other_id(1)))]
    remembered = index.upsert_rows(rows, read_at=NOON)
    assert remembered.order_ids == newest_first() == [other_id(1)]
    assert (remembered.new, remembered.same) == (1, 0)
    assert [(one.id, one.reason) for one in remembered.quarantined] == [
        (ORDER_ID, "our database refuses it")
    ]


def test_invalid_row_is_quarantined() -> None:
    rows = [
        OrderOfResponse(b'{"status": "opened"}'),
        OrderOfResponse(b"{]"),
        OrderOfResponse(raw(status=7)),
        list_row(BORN, id=str(other_id(1))),
    ]
    remembered = index.upsert_rows(rows, read_at=NOON)
    assert remembered.order_ids == newest_first() == [other_id(1)]
    assert sorted(str(one.id) for one in remembered.quarantined) == [str(ORDER_ID), "None", "None"]


# --- several answers at once ------------------------------------------------------------------


def everything() -> list[list[Any]]:
    """Return all contents of the index, without the ids of rows."""
    return [
        list(Order.objects.order_by("id").values_list()),
        list(OrderPayload.objects.order_by("id").values_list()),
        sorted(OtherProduct.objects.values_list("order_id", "product_id")),
        sorted(WordStart.objects.values_list("start", "order_id")),
        sorted(OrderCount.objects.exclude(n=0).values_list("workspace_id", "status", "n")),
    ]


def forget_everything() -> None:
    """Delete the contents of the index, but keep labels and their ids."""
    for model in (OrderPayload, OtherProduct, WordStart, OrderCount):
        model.objects.all().delete()
    Order.objects.all().delete()


def random_answers(random: Random) -> list[OrdersOfResponse]:
    """Return random answers with repeated orders, changed or not, by older and newer requests."""
    answers = []
    for _ in range(8):
        rows = [
            list_row(
                BORN + timedelta(seconds=random.randrange(3)),
                id=str(other_id(random.randrange(12))),
                status=random.choice(["created", "opened"]),
                recipient_first_name=random.choice(["Ada", "Núria"]),
            )
            for _ in range(random.randrange(1, 5))
        ]
        rows += [OrderOfResponse(b"{]")] * random.choice([0, 0, 1])
        answers.append(OrdersOfResponse(rows, NOON + timedelta(seconds=random.randrange(4))))
    return answers


@pytest.mark.parametrize("seed", range(6))
def test_several_responses_at_once_equal_single_ones(seed: int) -> None:
    answers = random_answers(Random(seed))
    apart = [index.upsert_rows(one.rows, read_at=one.read_at) for one in answers]
    known = everything()
    forget_everything()
    together = index.upsert_responses(random_answers(Random(seed)))
    assert everything() == known
    assert together == apart


@pytest.mark.postgresql_only(reason="SQLite takes a text of any length into any column")
def test_rejected_order_is_returned_with_its_response() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_order ALTER COLUMN recipient_name TYPE varchar(20)")
    fine, odd = list_row(BORN, id=str(other_id(1))), list_row(BORN, recipient_first_name="x" * 30)
    first, second = index.upsert_responses(
        [OrdersOfResponse([fine], NOON), OrdersOfResponse([odd], LATER)]
    )
    assert (first.order_ids, first.new, first.quarantined) == ([other_id(1)], 1, [])
    assert (second.order_ids, second.new) == ([], 0)
    assert [one.id for one in second.quarantined] == [ORDER_ID]


def test_upsert_of_more_rows_than_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.index.statements.VALUES_AT_ONCE", 320)
    monkeypatch.setattr("orders.index.labels.VALUES_AT_ONCE", 7)
    numbers = range(1, 30)
    rows = [
        list_row(
            BORN,
            id=str(other_id(n)),
            message=f"Message {n}",
            cart={"items": [{"quantity": 1, "product": {"id": str(other_id(n)), "name": f"{n}"}}]},
        )
        for n in numbers
    ]
    assert index.upsert_rows(rows, read_at=NOON).new == len(numbers)
    names = dict(Label.objects.filter(kind=Label.Kind.PRODUCT).values_list("pk", "name"))
    texts = dict(SearchText.objects.values_list("pk", "folded"))
    stored = {
        row.uuid: (names[row.product_id], texts[row.message_id]) for row in Order.objects.all()
    }
    assert stored == {other_id(n): (f"{n}", f"message {n}") for n in numbers}
    again = index.upsert_rows([OrderOfResponse(row.raw) for row in rows], read_at=LATER)
    assert (again.new, again.same) == (0, len(numbers))
