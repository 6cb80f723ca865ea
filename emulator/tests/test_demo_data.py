"""The demo's data: every status, something for every view, and no hostile texts."""

import re
from collections import Counter
from typing import Any

import pytest

from emulator import demo_texts
from emulator.clock import parse_datetime
from emulator.data_sets import DEMO
from emulator.order_columns import DAY, HOUR, STATUSES
from emulator.rules import OPEN
from emulator.sample_texts import HOSTILE
from emulator.store import OrderStore
from emulator.tests.conftest import NOW

Order = dict[str, Any]


def demo_store(*, orders: int = 5_000, seed: int = 1, now: int = NOW) -> OrderStore:
    return OrderStore(orders=orders, seed=seed, now=now, data=DEMO)


def all_orders(store: OrderStore) -> list[Order]:
    return [store.render_order_detail(index) for index in range(len(store))]


@pytest.fixture(scope="module", params=[0, 9, 18], ids="at {} h".format)
def hour(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def orders(hour: int) -> list[Order]:
    return all_orders(demo_store(now=NOW + hour * HOUR))


def test_orders_need_attention_at_any_hour(orders: list[Order], hour: int) -> None:
    now = NOW + hour * HOUR
    ahead = [
        parse_datetime(order["expires_at"]) - now
        for order in orders
        if order["status"] in OPEN and order["expires_at"]
    ]
    assert sum(left <= 0 for left in ahead) > 20
    assert sum(0 < left <= DAY for left in ahead) >= 1
    assert sum(0 < left <= 3 * DAY for left in ahead) > 5
    assert sum(0 < left <= 7 * DAY for left in ahead) > 20
    days = Counter(left // DAY for left in ahead)
    assert sum(days[day] > 0 for day in range(14)) > 10
    assert sum(days[day] > 0 for day in range(-14, 0)) > 10
    assert sum(order["status"] == "pending_payment" for order in orders) >= 2
    assert sum(bool(order["payment_link"]) for order in orders) >= 2
    assert sum(has_failed_shipment(order) for order in orders) > 5
    assert sum(order["is_swapped"] for order in orders) > 50
    assert sum(bool(order["thank_you_note"]) for order in orders) > 200


def has_failed_shipment(order: Order) -> bool:
    return any(shipment["status"].startswith("failed") for shipment in order["shipments"])


def test_every_status_that_goody_shows_occurs(orders: list[Order]) -> None:
    assert {order["status"] for order in orders} == set(STATUSES) - {"canceled"}


def test_no_text_is_hostile(orders: list[Order]) -> None:
    texts = {
        str(order[name])
        for order in orders
        for name in ("recipient_first_name", "recipient_last_name", "message", "thank_you_note")
    }
    assert not texts & set(HOSTILE)


def test_names_addresses_and_gifts_vary(orders: list[Order]) -> None:
    def different(name: str) -> int:
        return len({repr(order[name]) for order in orders})

    assert different("workspace_name") == len(demo_texts.WORKSPACES) == 5
    assert different("sender") == 25
    assert different("recipient_first_name") > 150
    assert different("recipient_last_name") > 150
    assert different("amounts") > 300
    latin = [order for order in orders if order["recipient_first_name"] < "\u0250"]
    assert 0.9 < len(latin) / len(orders) < 1


def test_addresses_are_of_reserved_domains(orders: list[Order]) -> None:
    addresses = {order["recipient_email"] for order in orders} | {
        order["sender"]["email"] for order in orders
    }
    addresses.discard(None)
    assert [one for one in addresses if not re.fullmatch(r"[a-z.]+@[a-z-]+\.example", one)] == []


def test_some_people_got_several_gifts(orders: list[Order]) -> None:
    counts = Counter(order["recipient_email"] for order in orders)
    del counts[None]
    assert 5 <= max(counts.values()) <= 30
    assert sum(count > 1 for count in counts.values()) > 200


def test_the_first_page_has_many_different_gifts() -> None:
    page, _ = demo_store().list_orders(after=None, before=None, skip=0, count=50)
    assert len({order["order_batch_id"] for order in page}) >= 12
    assert len({repr(order["amounts"]) for order in page}) >= 12


def test_later_on_a_day_orders_are_added_and_none_is_replaced() -> None:
    """A demo that is started again has the same orders under the same ids."""
    stores = [demo_store(orders=600, now=NOW + hours * HOUR) for hours in (7, 23)]
    morning, evening = (
        [
            (order["id"], order["event_times"]["created_at"], order["recipient_email"])
            for order in all_orders(store)
        ]
        for store in stores
    )
    assert evening[: len(morning)] == morning
    assert len(evening) <= 600


def test_another_day_moves_all_times_and_changes_nothing_else() -> None:
    here, later = (demo_store(orders=600, now=now).columns for now in (NOW, NOW + 100 * DAY))
    assert (here.status, here.flags) == (later.status, later.flags)
    for name, column in here.times.items():
        assert [at and at + 100 * DAY for at in column] == list(later.times[name])


@pytest.mark.parametrize("count", [0, 1, 7])
def test_small_numbers(count: int) -> None:
    assert len(demo_store(orders=count, now=NOW + 23 * HOUR)) <= count


def test_reset_restores_the_number_of_orders() -> None:
    store = demo_store(orders=200)
    before = len(store)
    store.create_batch(count=3, values={})
    store.reset()
    assert len(store) == before
