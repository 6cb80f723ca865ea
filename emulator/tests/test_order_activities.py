"""GET /v1/order_activities: entries, pages, windows and statuses."""

from array import array
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.feed import FEED_STATUSES, ActivityFeed
from emulator.ids import is_uuid
from emulator.order_columns import FEED_CODES, STATUSES, pack_event, unpack_event
from emulator.tests.conftest import Goody

Entry = dict[str, Any]
FEED = "/v1/order_activities"
ACTIVITY_STATUSES = {
    "created", "opened", "pending_payment", "paid", "ordered", "shipped", "delivered", "failed",
}  # fmt: skip


def page(goody: Goody, query: str = "") -> tuple[list[Entry], int]:
    answer = goody.get(f"{FEED}?{query}").json()
    assert answer.keys() == {"data", "list_meta"}
    return answer["data"], answer["list_meta"]["total_count"]


def read_all_pages(goody: Goody, query: str = "") -> list[Entry]:
    """Return every page, until one is short."""
    found: list[Entry] = []
    for number in range(1, 1000):
        rows, total = page(goody, f"per_page=97&page={number}&{query}")
        found += rows
        if len(rows) < 97:
            break
    assert len(found) == total
    return found


def brief(entry: Entry) -> tuple[str, str, str]:
    return entry["order"]["id"], entry["order_status"], entry["created_at"]


def of(goody: Goody, order_id: str) -> list[str]:
    """Return the statuses of one order, newest first."""
    return [one["order_status"] for one in read_all_pages(goody) if one["order"]["id"] == order_id]


@pytest.fixture(scope="module")
def everything(shared: Goody) -> list[Entry]:
    return read_all_pages(shared)


def test_every_status_change_of_every_order_has_one_entry(
    shared: Goody, everything: list[Entry]
) -> None:
    actual = sorted(brief(entry) for entry in everything)
    store = shared.server.emulator.store
    expected = []
    for index in range(len(store)):
        order_id = store.renderer.order_ids.encode(index)
        times = shared.order(order_id)["event_times"] if index % 50 == 0 else None
        for status, at in store.stored_order(index).times.items():
            if status in ACTIVITY_STATUSES:
                stamp = _stamp(at)
                expected.append((order_id, status, stamp))
                if times and f"{status}_at" in times:
                    assert times[f"{status}_at"] == stamp
    assert actual == sorted(expected)


def _stamp(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_entries_are_newest_first_and_as_documented(
    everything: list[Entry],
) -> None:
    moments = [entry["created_at"] for entry in everything]
    assert moments == sorted(moments, reverse=True)
    assert {entry["order_status"] for entry in everything} == ACTIVITY_STATUSES
    assert {frozenset(entry) for entry in everything} == {
        frozenset(("id", "order_status", "created_at", "order"))
    }


def test_entries_of_an_order_end_with_created(everything: list[Entry]) -> None:
    by_order: dict[str, list[str]] = {}
    for entry in everything:
        by_order.setdefault(entry["order"]["id"], []).append(entry["order_status"])
    assert len(by_order) == 5_000
    for statuses in by_order.values():
        assert statuses[-1] == "created"
        assert [s for s in reversed(STATUSES) if s in statuses] == statuses


def test_an_entry_has_its_order_in_the_present_state_without_event_times(shared: Goody) -> None:
    entries, _ = page(shared, "per_page=100&page=40&statuses=created")
    for entry in entries:
        order = shared.order(entry["order"]["id"])
        assert order.pop("event_times")["created_at"] == entry["created_at"]
        assert entry["order"] == order
    assert {entry["order"]["status"] for entry in entries} > {"created", "delivered"}


def test_ids_are_distinct_uuids_and_stay(goody: Goody) -> None:
    before = read_all_pages(goody)
    ids = [entry["id"] for entry in before]
    assert all(is_uuid(text) for text in ids)
    assert len(set(ids) | {entry["order"]["id"] for entry in before}) == len(ids) + 600
    goody.control("orders", {"count": 2})
    assert [entry["id"] for entry in read_all_pages(goody)][2:] == ids
    goody.control("reset")
    assert [entry["id"] for entry in read_all_pages(goody)] == ids


@pytest.mark.parametrize(
    "statuses", ["created", "failed", "opened,paid", "ordered, shipped", "created,opened,delivered"]
)
def test_statuses_filter(shared: Goody, everything: list[Entry], statuses: str) -> None:
    wanted = [one for one in everything if one["order_status"] in statuses.replace(" ", "")]
    assert 0 < len(wanted) < len(everything)
    for number in (1, len(wanted) // 200, len(wanted) // 100 + 1):
        rows, total = page(shared, f"statuses={statuses}&per_page=100&page={number}")
        assert rows == wanted[(number - 1) * 100 : number * 100]
        assert total == len(wanted)


def test_blank_statuses_and_bounds_are_no_filter(shared: Goody, everything: list[Entry]) -> None:
    rows, total = page(shared, "statuses=&after=&before=")
    assert (rows, total) == (everything[:20], len(everything))


@pytest.mark.parametrize("number", [1, 2, 37, 120, 246])
def test_any_page(shared: Goody, everything: list[Entry], number: int) -> None:
    rows, total = page(shared, f"per_page=100&page={number}")
    assert rows == everything[(number - 1) * 100 : number * 100]
    assert total == len(everything)


@pytest.mark.parametrize(("first", "last"), [(0, 1), (10, 400), (9_000, 12_345), (20_000, 20_001)])
def test_windows_are_inclusive_at_both_ends(
    shared: Goody, everything: list[Entry], first: int, last: int
) -> None:
    before, after = everything[first]["created_at"], everything[last]["created_at"]
    wanted = [one for one in everything if after <= one["created_at"] <= before]
    assert read_all_pages(shared, f"after={after}&before={before}") == wanted
    inner = [one for one in wanted if after < one["created_at"] < before]
    later, sooner = _moved(after, 1), _moved(before, -1)
    assert read_all_pages(shared, f"after={later}&before={sooner}") == inner
    wide = f"after={after[:-1]}%2B0000&before={before[:-1]}.9Z&statuses=created"
    assert read_all_pages(shared, wide) == [
        one for one in wanted if one["order_status"] == "created"
    ]


def _moved(text: str, seconds: int) -> str:
    moment = datetime.fromisoformat(text) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_empty_and_reversed_windows_are_empty(shared: Goody) -> None:
    assert page(shared, "before=2001-01-01T00:00:00Z") == ([], 0)
    assert page(shared, "after=2040-01-01T00:00:00Z") == ([], 0)
    reversed_window = "after=2026-06-01T00:00:00Z&before=2026-01-01T00:00:00Z"
    assert page(shared, reversed_window) == ([], 0)
    assert page(shared, f"{reversed_window}&page=2") == ([], 0)


def test_parameters_follow_the_rules_of_all_lists(goody: Goody) -> None:
    for query in ("page=0", "per_page=0", "page=x", "after=yesterday", "before=2026-01-01"):
        assert goody.get(f"{FEED}?{query}").status_code == 400
    assert len(page(goody, "per_page=500")[0]) == 100
    assert page(goody, "page=999999999999")[0] == []
    goody.control("switches", {"past_end": "404", "bad_filter": "ignore"})
    assert goody.get(f"{FEED}?page=999").status_code == 404
    assert page(goody, "after=yesterday") == page(goody)
    assert goody.get(FEED, key="wrong").status_code == 401
    assert goody.ask("calls")["counts"]["GET /v1/order_activities"] > 5


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_cancel_is_an_entry_failed(goody: Goody, status: str) -> None:
    goody.control("switches", {"cancel_status": status})
    goody.control("clock", {"advance_seconds": 60})
    order_id, (_, before) = goody.one("status=notified"), page(goody)
    assert goody.cancel(order_id).json()["status"] == status
    assert goody.cancel(order_id).status_code == 400
    (entry, *_), after = page(goody)
    assert after == before + 1
    assert (entry["order_status"], entry["order"]["id"]) == ("failed", order_id)
    assert entry["order"]["status"] == status
    assert entry["created_at"] == goody.ledger(order_id)[0]["at"]
    assert page(goody, "statuses=failed&per_page=1")[0] == [entry]


def test_notified_accepted_and_changes_of_fields_have_no_entry(goody: Goody) -> None:
    (order,) = goody.control("orders", {"count": 1})["orders"]
    changes: list[dict[str, Any]] = [
        {"status": "notified"},
        {"status": "opened"},
        {"expires_at": "2027-01-01T00:00:00Z"},
        {"status": "accepted", "swap": True},
        {"thank_you_note": "Thanks"},
        {"status": "pending_payment"},
        {"status": "frozen"},
        {"status": "paid"},
    ]
    for change in changes:
        goody.control("clock", {"advance_seconds": 60})
        goody.control(f"orders/{order['id']}", change)
    goody.extend(order["id"], "2027-03-01T00:00:00Z")
    assert of(goody, order["id"]) == ["paid", "pending_payment", "opened", "created"]
    newest, _ = page(goody, "per_page=4")
    assert {entry["order"]["status"] for entry in newest} == {"paid"}
    assert newest[0]["order"]["thank_you_note"] == "Thanks"


def test_the_same_change_within_a_second_has_one_entry(goody: Goody) -> None:
    order_id = goody.one("status=notified")
    goody.server.emulator.store.clock.set(1_795_400_000.0)
    for _ in range(2):
        goody.control(f"orders/{order_id}", {"status": "opened"})
    assert of(goody, order_id)[0] == "opened"
    ids = [entry["id"] for entry in read_all_pages(goody)]
    assert len(set(ids)) == len(ids)


def test_a_hidden_order_is_in_no_list_but_can_be_read(goody: Goody) -> None:
    before, lists = read_all_pages(goody), goody.get("/v1/orders?per_page=100&page=2").json()
    order_id = lists["data"][7]["id"]
    goody.control(f"orders/{order_id}", {"hidden": True})
    after = goody.get("/v1/orders?per_page=100&page=2").json()
    assert after["list_meta"] == {"total_count": 599}
    assert after["data"][:-1] == [row for row in lists["data"] if row["id"] != order_id]
    assert read_all_pages(goody) == [entry for entry in before if entry["order"]["id"] != order_id]
    assert goody.order(order_id)["id"] == order_id
    goody.control(f"orders/{order_id}", {"hidden": False})
    assert goody.get("/v1/orders?per_page=100&page=2").json() == lists
    assert page(goody) == (before[:20], len(before))


def test_an_unknown_status_matches_nothing_or_is_400(goody: Goody) -> None:
    assert page(goody, "statuses=frozen,accepted,canceled") == ([], 0)
    assert page(goody, "statuses=frozen,created")[1] == 600
    assert page(goody, "statuses=pending_user_approval") == ([], 0)
    goody.control("switches", {"unknown_activity_status": "400"})
    for unknown in ("frozen", "created,frozen", "canceled", "Created", ","):
        response = goody.get(f"{FEED}?statuses={unknown}")
        assert response.status_code == 400
        assert response.json().keys() == {"error"}
    assert page(goody, "statuses=pending_user_approval,created")[1] == 600


@pytest.mark.parametrize(
    ("status", "message"), [(404, "Not Found"), (403, "Forbidden"), (400, "Bad Request")]
)
def test_an_account_without_the_feed(goody: Goody, status: int, message: str) -> None:
    goody.control("switches", {"activities": str(status)})
    response = goody.get(FEED)
    assert (response.status_code, response.json()) == (status, {"error": message})
    assert goody.get("/v1/orders").status_code == 200


def test_stored_times_may_have_fractions(goody: Goody) -> None:
    newest = page(goody, "per_page=1")[0]
    on = newest[0]["created_at"]
    assert page(goody, f"before={on}&per_page=1")[0] == newest
    goody.control("switches", {"created_fraction": "0.4"})
    assert page(goody, f"before={on}&per_page=1")[0] != newest
    assert page(goody, f"before={on[:-1]}.5Z&per_page=1")[0] == newest
    assert newest[0] in read_all_pages(goody, f"after={on}")


EVENTS = st.sets(
    st.builds(
        lambda at, index, code: pack_event(at=at, index=index, code=code),
        st.integers(0, 30),
        st.integers(0, 5),
        st.sampled_from(range(len(STATUSES))),
    )
)


@given(
    events=EVENTS,
    bounds=st.tuples(st.floats(-2, 33) | st.none(), st.floats(-2, 33) | st.none()),
    statuses=st.none() | st.sets(st.sampled_from([*FEED_STATUSES.values(), "frozen"])),
    hidden=st.sets(st.integers(0, 5), max_size=2),
    part=st.tuples(st.integers(0, 40), st.integers(1, 10)),
)
def test_the_feed_equals_a_plain_list(
    events: set[int],
    bounds: tuple[float | None, float | None],
    statuses: set[str] | None,
    hidden: set[int],
    part: tuple[int, int],
) -> None:
    feed = ActivityFeed({code: array("Q") for code in FEED_CODES})
    for packed in sorted(events, key=lambda one: one * 7919 % 1013):
        assert feed.add(packed) is (unpack_event(packed)[2] in FEED_CODES)
        assert not feed.add(packed)
    (after, before), (skip, count) = bounds, part

    def is_wanted(packed: int) -> bool:
        at, index, code = unpack_event(packed)
        return (
            (after is None or after <= at)
            and (before is None or at <= before)
            and code in FEED_CODES
            and (statuses is None or FEED_STATUSES[code] in statuses)
            and index not in hidden
        )

    wanted = sorted(filter(is_wanted, events), reverse=True)
    window = feed.window(after=after, before=before, statuses=statuses, hidden=hidden)
    assert len(window) == len(wanted)
    assert window.newest_events(skip=skip, count=count) == wanted[skip : skip + count]
