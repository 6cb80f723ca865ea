"""Upserts: the changes of the index by one answer of Goody, in any sequence of answers."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.db import connection, transaction

from goody.types import Order as GoodyOrder
from goody.types import parse_order
from orders import index, search, services
from orders.models import Anomaly, Order, OrderPayload
from orders.search.query import Query
from orders.text import hex_digest
from testing.domain import ORDER_ID, open_order, order, order_json
from testing.faulty_server import FaultyServer, answer
from testing.vendor import Emulator

T1 = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
T2, T3 = T1 + timedelta(seconds=1), T1 + timedelta(seconds=2)
TIMES = {"created_at": "2026-11-01T10:00:00Z", "notified_at": "2026-11-01T10:01:00Z"}


def upsert_orders(given: GoodyOrder, at: datetime) -> None:
    index.upsert_orders([given], read_at=at)


def stored() -> tuple[str, datetime, datetime | None]:
    """Status by the row, by the payload, and when it was read: row and payload must agree."""
    row = Order.objects.get()
    assert row.to_goody_order().status == row.status
    return row.status, row.read_at, row.missing_at


@pytest.mark.django_db
def test_row_has_the_values_of_the_response() -> None:
    given = order(event_times=TIMES)
    upsert_orders(given, T1)
    row = Order.objects.get()
    created = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
    assert {
        "uuid": ORDER_ID,
        "status": "notified",
        "reference_id": "ABCDEFGHIJKLMNOPQRSTUVWX",
        "recipient_name": "Mira Okafor",
        "expires_at": datetime(2099, 1, 1, tzinfo=UTC),
        "created_at": created,
        "read_at": T1,
        "missing_at": None,
    }.items() <= vars(row).items()
    assert row.to_goody_order() == given


@pytest.mark.django_db
@pytest.mark.parametrize("order_of_arrival", ["older first", "newer first"])
@pytest.mark.parametrize(
    ("older", "newer"),
    [("notified", "opened"), ("accepted", "notified"), ("failed", "notified")],
)
def test_the_later_request_wins_whatever_the_status(
    order_of_arrival: str, older: str, newer: str
) -> None:
    arrivals = [(order(status=older), T1), (order(status=newer), T2)]
    for given, at in arrivals if order_of_arrival == "older first" else reversed(arrivals):
        upsert_orders(given, at)
    assert stored() == (newer, T2, None)


@pytest.mark.django_db
def test_of_two_requests_of_one_moment_the_first_answer_stays() -> None:
    upsert_orders(order(status="opened"), T1)
    upsert_orders(order(status="notified"), T1)
    assert stored() == ("opened", T1, None)


@pytest.mark.django_db
def test_an_older_answer_after_an_unchanged_one_changes_neither_row_nor_payload() -> None:
    upsert_orders(order(), T1)
    upsert_orders(order(), T3)
    upsert_orders(order(status="opened"), T2)
    assert stored() == ("notified", T3, None)


@pytest.mark.django_db
def test_an_unchanged_answer_renews_the_time_and_writes_nothing_else() -> None:
    upsert_orders(order(event_times=TIMES), T1)
    before = Order.objects.values().get(), OrderPayload.objects.values().get()
    upsert_orders(order(event_times=TIMES), T2)
    upsert_orders(order(), T3)  # as a list has it: without event times
    row, payload = Order.objects.values().get(), OrderPayload.objects.values().get()
    in_a_list = {"row_hash": hex_digest(order().raw)}
    assert row == before[0] | {"read_at": T3} | in_a_list
    assert payload == before[1]


@pytest.mark.django_db
def test_older_unchanged_response_keeps_the_read_time() -> None:
    upsert_orders(order(), T2)
    upsert_orders(order(), T1)
    assert stored() == ("notified", T2, None)


@pytest.mark.django_db
def test_event_times_are_kept_when_a_later_answer_lacks_them() -> None:
    upsert_orders(order(event_times=TIMES), T1)
    upsert_orders(order(status="opened"), T2)
    row = Order.objects.get()
    assert row.created_at == datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
    times = row.to_goody_order().event_times
    assert times == order(event_times=TIMES).event_times
    more = TIMES | {"opened_at": "2026-11-02T08:00:00Z"}
    upsert_orders(order(status="opened", event_times=more), T3)
    assert Order.objects.get().to_goody_order().event_times == order(event_times=more).event_times


@pytest.mark.django_db
def test_missing_is_flagged_and_never_deleted() -> None:
    upsert_orders(order(), T1)
    index.mark_missing(ORDER_ID, read_at=T2)
    assert stored() == ("notified", T1, T2)
    upsert_orders(order(), T3)
    assert stored() == ("notified", T3, None)


@pytest.mark.django_db
def test_a_404_is_compared_by_the_start_of_its_request_too() -> None:
    upsert_orders(order(), T2)
    index.mark_missing(ORDER_ID, read_at=T1)
    assert stored() == ("notified", T2, None)
    index.mark_missing(ORDER_ID, read_at=T3 + timedelta(seconds=1))
    upsert_orders(order(status="opened"), T3)
    assert stored() == ("opened", T3, T3 + timedelta(seconds=1))


@pytest.mark.django_db
def test_a_404_of_an_order_never_seen_stores_nothing() -> None:
    index.mark_missing(ORDER_ID, read_at=T1)
    assert Order.objects.count() == OrderPayload.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_many_answers_at_once_end_with_the_latest() -> None:
    statuses = ["created", "notified", "opened", "accepted", "paid", "shipped"]
    moments = [(order(status=s), T1 + timedelta(seconds=n)) for n, s in enumerate(statuses)]

    def store(given: GoodyOrder, at: datetime) -> None:
        try:
            upsert_orders(given, at)
        finally:
            connection.close()

    threads = [threading.Thread(target=store, args=moment) for moment in reversed(moments)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert stored() == ("shipped", moments[-1][1], None)


# --- F27, F28: odd and hostile rows -----------------------------------------------------------

ODD: dict[str, dict[str, Any]] = {
    "nulls": dict.fromkeys(order_json().keys() - {"id", "status"}),
    "wrong types": {"expires_at": 7, "cart": "tea", "amounts": [], "recipient_first_name": {}},
    "NUL": {"recipient_first_name": "a\x00b", "reference_id": "\x00", "message": "\x00" * 100},
    "surrogates": {"recipient_last_name": "\ud800x\udfff", "message": "\udc00"},
    "a megabyte": {"message": "m" * 1_000_000, "recipient_first_name": "n" * 1_000_000},
    "integers beyond any column": {
        "amounts": {"amount_total": 10**30},
        "view_count_recipient": -(2**63),
    },
    "times at the ends": {"expires_at": "9999-12-31T23:59:59Z"},
    "a time before the first": {"expires_at": "0001-01-01T00:00:00+14:00"},
    "an unknown status": {"status": "s" * 64},
}


def other_id(number: int) -> str:
    return str(UUID(int=number, version=4))


@pytest.mark.django_db
@pytest.mark.parametrize("name", ODD)
def test_unusual_row_is_cleaned_and_does_not_affect_others(name: str) -> None:
    rows = [order_json(id=other_id(1)), order_json(**ODD[name]), order_json(id=other_id(2))]
    orders = [parse_order(_dumps(row)) for row in rows]
    index.upsert_orders(orders, read_at=T1)
    assert set(Order.objects.values_list("uuid", flat=True)) == {one.id for one in orders}
    row = Order.objects.get(uuid=ORDER_ID)
    assert row.to_goody_order() == orders[1]
    assert not set(row.recipient_name + row.reference_id) & set("\x00\ud800\udfff")
    assert len(row.recipient_name) < 21_000


def _dumps(value: object) -> bytes:
    """With lone surrogates escaped, as Goody would; msgspec refuses to write them."""
    return json.dumps(value).encode()


@pytest.mark.django_db
def test_row_rejected_by_the_database_does_not_affect_others() -> None:
    good, bad = order(id=other_id(1)), order()
    impossible = msgspec.structs.replace(bad, reference_id="a\x00b")
    if connection.vendor == "postgresql":
        with transaction.atomic():
            index.upsert_orders([impossible, good], read_at=T1)
        assert [row.uuid for row in Order.objects.all()] == [good.id]
    else:
        index.upsert_orders([impossible, good], read_at=T1)
        assert Order.objects.count() == 2


@pytest.mark.django_db
def test_a_list_with_odd_rows_shows_the_rest_and_counts_the_odd_ones(settings: Any) -> None:
    rows = [
        order_json(id=other_id(1), status="on_hold"),
        {"id": "?", "status": "notified"},
        order_json(surprise=1, expires_at=7),
    ]
    body = _dumps({"data": rows, "list_meta": {"total_count": 3}})
    with FaultyServer(answer(200, body)) as server:
        settings.GOODY_API_URL, settings.GOODY_API_KEY = server.url, "test-key"
        for _ in range(2):
            listing = services.list_orders(
                page=1, per_page=50, created_after=None, created_before=None, now=T1
            )
    assert [row.hit.status for row in listing.rows] == ["on_hold", "notified"]
    assert (listing.total, listing.quarantined, listing.as_of) == (3, 1, T1)
    noted = Anomaly.objects.order_by("kind").values_list("kind", "key", "count")
    assert list(noted) == [
        ("bad_field", f"{ORDER_ID} expires_at", 1),
        ("quarantined", "no valid id", 1),
        ("unknown_field", "surprise", 1),
        ("unknown_status", "on_hold", 1),
    ]


@pytest.mark.django_db
def test_created_is_known_in_lists_after_a_single_read(emulator: Emulator) -> None:
    order_id = open_order(emulator)

    def created() -> datetime | None:
        listing = services.list_orders(
            page=1, per_page=25, created_after=None, created_before=None, now=datetime.now(UTC)
        )
        return next(row.hit.created_at for row in listing.rows if row.hit.uuid == order_id)

    assert created() is None
    services.refresh_order(order_id=order_id, now=datetime.now(UTC))
    times = emulator.get_order(order_id)["event_times"]
    assert created() == datetime.fromisoformat(times["created_at"])


@pytest.mark.django_db
def test_a_live_row_equals_its_row_in_the_index(emulator: Emulator) -> None:
    now = datetime.now(UTC)
    listing = services.list_orders(
        page=1, per_page=50, created_after=None, created_before=None, now=now
    )
    found = search.find_page(Query(), size=100, now=now).hits
    stored = {hit.uuid: hit._replace(created_from=0, created_at=None) for hit in found}
    assert {row.hit.uuid: row.hit for row in listing.rows} == stored
    assert len(stored) == 50
