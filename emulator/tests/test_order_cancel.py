"""POST /v1/orders/{id}/cancel: results, refusals and switches."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import requests

from emulator.tests.conftest import KEY, Goody


@pytest.mark.parametrize("status", ["created", "notified", "opened"])
def test_cancel_sets_failed(goody: Goody, status: str) -> None:
    order_id = goody.one(f"status={status}")
    before = goody.order(order_id)
    before.pop("event_times")
    response = goody.cancel(order_id)
    assert response.status_code == 200
    assert response.json() == {**before, "status": "failed"}
    assert goody.order(order_id)["status"] == "failed"


def test_a_cancel_has_no_event_time(goody: Goody) -> None:
    order_id = goody.one("status=opened")
    times = goody.order(order_id)["event_times"]
    goody.cancel(order_id)
    assert goody.order(order_id)["event_times"] == times


def test_cancel_status_may_be_canceled(goody: Goody) -> None:
    goody.control("switches", {"cancel_status": "canceled"})
    order_id = goody.one("status=notified")
    assert goody.cancel(order_id).json()["status"] == "canceled"
    assert goody.cancel(order_id).status_code == 400


@pytest.mark.parametrize("value", ["400", "200", "404", "409", "422"])
@pytest.mark.parametrize("status", ["accepted", "shipped", "delivered"])
def test_late_cancel(goody: Goody, value: str, status: str) -> None:
    goody.control("switches", {"late_cancel": value})
    order_id = goody.one(f"status={status}")
    response = goody.cancel(order_id)
    assert response.status_code == int(value)
    assert ("error" in response.json()) == (value != "200")
    assert goody.order(order_id)["status"] == status


@pytest.mark.parametrize("value", ["400", "200", "404", "409", "422"])
def test_repeated_cancel(goody: Goody, value: str) -> None:
    goody.control("switches", {"repeated_cancel": value})
    order_id = goody.one("status=notified")
    assert goody.cancel(order_id).status_code == 200
    again = goody.cancel(order_id)
    assert again.status_code == int(value)
    assert again.json().get("status") == ("failed" if value == "200" else None)
    assert [line["applied"] for line in goody.ledger(order_id)] == [True, False]


def test_expired_cancel(goody: Goody) -> None:
    first, second = (row["id"] for row in goody.found("unaccepted_expired=1&limit=2"))
    assert goody.cancel(first).status_code == 200
    goody.control("switches", {"expired_cancel": "409"})
    assert goody.cancel(second).status_code == 409
    assert goody.order(second)["status"] != "failed"


def test_cancel_of_an_unknown_order(goody: Goody) -> None:
    response = goody.cancel(str(uuid4()))
    assert (response.status_code, response.json()) == (404, {"error": "Order not found"})
    assert goody.ask("ledger")["entries"] == []


def test_cancel_is_a_post(goody: Goody) -> None:
    order_id = goody.one("status=notified")
    assert goody.get(f"/v1/orders/{order_id}/cancel").status_code == 405
    assert goody.order(order_id)["status"] == "notified"


def test_concurrent_cancels_apply_once(goody: Goody) -> None:
    order_id = goody.one("status=opened")
    url, headers = f"{goody.url}/v1/orders/{order_id}/cancel", {"Authorization": f"Bearer {KEY}"}

    def cancel(_: int) -> int:
        return requests.post(url, headers=headers, timeout=10).status_code

    with ThreadPoolExecutor(20) as pool:
        statuses = sorted(pool.map(cancel, range(40)))
    assert statuses == [200] + [400] * 39
    applied = [line for line in goody.ledger(order_id) if line["applied"]]
    assert len(applied) == 1
    assert goody.ask("calls")["posts"] == 40


def test_a_write_waits_for_the_lock_of_the_store(goody: Goody) -> None:
    """The test above alone could pass by chance."""
    order_id = goody.one("status=opened")
    store = goody.server.emulator.store
    with store.lock:
        for call in (goody.cancel, lambda *a, **o: goody.extend(*a, "2027-03-01T00:00Z", **o)):
            with pytest.raises(requests.ReadTimeout):
                call(order_id, timeout=0.2)
        assert store.status_of(store.find_row(order_id)) == "opened"
        assert store.ledger.entries == []
