"""The client reads the feed and the lists of the emulator completely and unchanged."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from goody.client import Client, ClientLimits
from goody.errors import NotFound, Rejected
from goody.types import (
    Order,
    QuarantinedOrder,
    parse_order,
    parse_order_row,
)
from testing.vendor import Emulator


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    client = Client(base_url=emulator.url, api_key=emulator.key, limits=ClientLimits(slots=1))
    yield client
    client.close()


def read_all_pages(ask: Callable[..., Any], rows: str, **asked: Any) -> list[Any]:
    """Return the rows of all pages; asserts that each page's total is their number."""
    found: list[Any] = []
    totals = set()
    for page in range(1, 1000):
        answer = ask(page=page, **asked)
        totals.add(answer.total_count)
        found += getattr(answer, rows)
        if len(getattr(answer, rows)) < 100:
            break
    assert totals == {len(found)}
    return found


def without_times(order: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in order.items() if name != "event_times"}


def test_raw_rows_equal_the_state_of_the_emulator(emulator: Emulator, client: Client) -> None:
    emulator.advance_clock(5)
    emulator.make_random_changes(seed=1, changes=200)
    rows = read_all_pages(client.list_raw_orders, "rows")
    truth = {key: without_times(order) for key, order in emulator.all_orders().items()}
    assert [json.loads(row) for row in rows] == list(reversed(truth.values()))
    for row in rows:
        order = parse_order_row(row)
        assert isinstance(order, Order)
        assert order.raw == row


def test_the_feed_brings_every_reported_change_and_the_order_as_it_is(
    emulator: Emulator, client: Client
) -> None:
    since = datetime.fromisoformat(emulator.control("GET", "clock")["now"])
    emulator.advance_clock(3600)
    changes = emulator.make_random_changes(seed=2, changes=150, kinds=["batch", "open", "cancel"])[
        "changes"
    ]
    names = {"batch": "created", "open": "opened", "cancel": "failed"}
    expected = sorted((order_id, names[one["kind"]]) for one in changes for order_id in one["ids"])
    since = since.replace(minute=30)
    activities = read_all_pages(client.list_activities, "activities", after=since)
    changed = [(json.loads(one.order), one.order_status) for one in activities]
    assert sorted((order["id"], status) for order, status in changed) == expected
    assert len({one.id for one in activities}) == len(activities)
    truth = emulator.all_orders()
    for order, _ in changed:
        assert order == without_times(truth[order["id"]])
    canceled = read_all_pages(
        client.list_activities, "activities", after=since, statuses=["failed"]
    )
    assert canceled == [one for one in activities if one.order_status == "failed"]
    assert read_all_pages(client.list_activities, "activities", after=since, before=since) == []


def test_our_cancel_comes_back_in_the_feed(emulator: Emulator, client: Client) -> None:
    emulator.advance_clock(60)
    order_id = UUID(emulator.find_order_id(status="notified"))
    client.cancel_order(order_id)
    newest = client.list_activities(per_page=1, statuses=["failed"]).activities[0]
    order = parse_order(newest.order)
    assert (order.id, newest.order_status, order.status) == (order_id, "failed", "failed")


def test_invalid_entry_does_not_affect_others(emulator: Emulator, client: Client) -> None:
    sound = client.list_activities(per_page=10)
    emulator.add_fault({"kind": "mutate", "set": {"created_at": None}, "row": 4}, times=1)
    spoiled = client.list_activities(per_page=10)
    assert spoiled.activities == (*sound.activities[:4], *sound.activities[5:])
    (odd,) = spoiled.quarantined
    lost = sound.activities[4]
    order_id = parse_order(lost.order).id
    assert (odd.reason, odd.id, odd.order_id) == ("no valid created_at", lost.id, order_id)
    assert client.get_order(order_id).id == order_id


def test_a_spoiled_order_in_an_entry_is_found_when_it_is_read(
    emulator: Emulator, client: Client
) -> None:
    emulator.add_fault({"kind": "mutate", "set": {"order.status": 7}, "row": 0}, times=1)
    found = client.list_activities(per_page=2)
    results = [parse_order_row(one.order) for one in found.activities]
    assert [type(one) for one in results] == [QuarantinedOrder, Order]


@pytest.mark.parametrize(("switch", "error"), [("404", NotFound), ("403", Rejected)])
def test_account_without_the_feed_is_recognized(
    emulator: Emulator, client: Client, switch: str, error: type[Rejected]
) -> None:
    emulator.set_switches(activities=switch)
    with pytest.raises(error) as caught:
        client.list_activities()
    assert caught.value.status == int(switch)
    assert emulator.calls()["counts"] == {"GET /v1/order_activities": 1}
