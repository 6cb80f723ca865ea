"""The incremental sync: the activity feed, accounts without one, and rereads of single orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.utils import timezone

from orders import goody_api, index, services, sync
from orders.models import (
    Anomaly,
    CreationTimeSource,
    Operation,
    Order,
    SeenActivity,
    State,
    SyncState,
)
from orders.sync import SyncJob, SyncPhase, due_job
from testing.domain import exact_created_at, read_if_due, store_operation
from testing.syncing import (
    SMALL,
    creation_times_at_goody,
    index_differences,
    run_jobs,
    state,
    sync_orders,
)
from testing.vendor import Emulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_windows")]

FEED = r"/v1/order_activities"


@pytest.fixture(params=["0", "0.4"], ids=["whole seconds", "fractions"])
def filled(emulator: Emulator, request: pytest.FixtureRequest) -> Emulator:
    """An emulator whose orders are all in the index; its calls count from zero.

    Times are stored in whole seconds, as they are printed, or finer.
    """
    emulator.set_switches(created_fraction=request.param)
    sync_orders()
    emulator.control("DELETE", "calls")
    return emulator


def asked(emulator: Emulator) -> dict[str, int]:
    counts: dict[str, int] = emulator.calls()["counts"]
    emulator.control("DELETE", "calls")
    return counts


def one_round(*, stop_when: Callable[[], bool] = lambda: False) -> None:
    """Run the jobs that the worker runs in a minute, and no others."""
    before = state().tried_at
    run_jobs(
        lambda state, _: SyncJob.INCREMENTAL if state.tried_at == before else None,
        stop_when=stop_when,
    )


def is_failing() -> bool:
    return sync.read_progress(timezone.now()).phase is SyncPhase.FAILING


def test_nothing_new_costs_one_call_and_writes_no_order(filled: Emulator) -> None:
    one_round()
    before = list(Order.objects.order_by("pk").values_list("pk", "content_hash"))
    asked(filled)
    one_round()
    assert asked(filled) == {"GET /v1/order_activities": 1}
    assert list(Order.objects.order_by("pk").values_list("pk", "content_hash")) == before


def test_nothing_new_costs_one_call_after_many_activities(filled: Emulator) -> None:
    """There are more activities in the overlap than fit a page."""
    filled.create_orders(count=90)
    one_round()
    asked(filled)
    one_round()
    assert asked(filled) == {"GET /v1/order_activities": 1}


def test_a_batch_larger_than_a_page_is_read_in_the_next_round(filled: Emulator) -> None:
    """The whole batch is in the newest second of the feed."""
    filled.advance_clock(60)
    filled.create_orders(count=90)
    one_round()
    assert index_differences(filled) == []
    assert state().watermark == max(a.at for a in SeenActivity.objects.all())
    asked(filled)
    one_round()
    assert asked(filled) == {"GET /v1/order_activities": 1}


def test_changes_are_read_in_the_next_round(filled: Emulator) -> None:
    done = filled.make_random_changes(
        seed=1, changes=40, kinds=["batch", "open", "cancel", "bill", "pay", "order"]
    )
    assert done["counts"]["batch"] > 0
    one_round()
    assert index_differences(filled) == []
    progress = sync.read_progress(timezone.now())
    assert progress.phase is SyncPhase.COMPLETE
    assert progress.synced_at == state().tried_at


def test_the_feed_gives_a_new_order_its_creation_time(filled: Emulator) -> None:
    created = filled.create_orders(count=3)[0]["id"]
    one_round()
    row = Order.objects.get(uuid=created)
    assert row.created_from == CreationTimeSource.FEED
    assert exact_created_at(row) == creation_times_at_goody(filled)[created]


def test_a_long_outage_is_caught_up_with_in_order(filled: Emulator) -> None:
    for seed in range(6):
        filled.make_random_changes(seed=seed, changes=60, kinds=["batch", "open", "cancel", "bill"])
        filled.advance_clock(3600)
    goody_now = datetime.fromisoformat(filled.control("GET", "clock")["now"])
    with time_machine.travel(max(goody_now, timezone.now())):
        one_round()
    assert index_differences(filled) == []
    newest = max(a.at for a in SeenActivity.objects.all())
    assert state().watermark == newest


def test_watermark_is_not_after_the_newest_activity_read(filled: Emulator) -> None:
    """The local clock is hours ahead of Goody's, where everything happened in one second."""
    *busy, later = (row["id"] for row in filled.find_orders(limit=31))
    for order_id in busy:
        filled.change_order(order_id, status="failed")
    watermark = datetime.fromisoformat(filled.control("GET", "clock")["now"])
    SyncState.objects.update(watermark=watermark)
    one_round()
    assert state().watermark == watermark
    filled.change_order(later, status="failed")
    one_round()
    assert index_differences(filled) == []


def test_watermark_stays_after_an_incomplete_read(filled: Emulator) -> None:
    before = state().watermark
    filled.advance_clock(60)
    filled.create_orders(count=150)
    filled.add_fault({"kind": "status", "status": 503}, path=FEED, skip=3)
    one_round(stop_when=is_failing)
    assert state().watermark == before
    assert is_failing()
    filled.clear_faults()
    SyncState.objects.update(retry_at=None)
    goody_api._client.cache_clear()
    one_round()
    assert index_differences(filled) == []
    assert state().watermark > before


@pytest.mark.parametrize(
    "change",
    [
        {"envelope": {"list_meta.total_count": -1}},
        {"envelope": {"list_meta.total_count": 5}},
        {"envelope": {"list_meta.total_count": 5_000}},
        {"envelope": {"list_meta.total_count": SMALL["SYNC_PER_PAGE"]}},
    ],
    ids=["negative", "too small", "too large", "a page"],
)
def test_wrong_totals_lose_no_change(filled: Emulator, change: dict[str, Any]) -> None:
    filled.create_orders(count=50)
    filled.add_fault({"kind": "mutate", **change}, path=FEED)
    one_round()
    assert index_differences(filled) == []


def test_an_activity_that_appears_late_is_found(filled: Emulator) -> None:
    """It lies before the watermark, and nothing new comes after it."""
    early, late = (row["id"] for row in filled.find_orders(status="notified", limit=2))
    filled.change_order(early, status="opened", hidden=True)
    filled.advance_clock(300)
    filled.change_order(late, status="opened")
    one_round()
    assert Order.objects.get(uuid=early).status == "notified"
    filled.change_order(early, hidden=False)
    one_round()
    assert Order.objects.get(uuid=early).status == "opened"


def test_the_watermark_is_never_in_the_future(filled: Emulator) -> None:
    filled.advance_clock(10 * 86_400)
    filled.create_orders(count=1)
    one_round()
    assert state().watermark <= timezone.now()
    filled.create_orders(count=1)
    one_round()
    assert index_differences(filled) == []


def test_an_unreadable_activity_does_not_affect_others(filled: Emulator) -> None:
    filled.create_orders(count=5)
    odd = {"kind": "mutate", "set": {"created_at": "yesterday"}}
    filled.add_fault(odd, path=FEED, times=1)
    one_round()
    assert len(index_differences(filled)) == 1
    one_round()
    assert index_differences(filled) == []


def test_a_feed_page_that_is_too_large_is_requested_in_smaller_ones(filled: Emulator) -> None:
    before = state().watermark
    filled.advance_clock(60)
    filled.create_orders(count=20, message="x" * 300_000)
    one_round()
    assert index_differences(filled) == []
    assert state().watermark > before
    assert state().failing_since is None


def lost_cancel(filled: Emulator, state: State = State.UNKNOWN) -> Operation:
    """Return a cancel without an answer, still unknown or closed as not applied."""
    now = timezone.now()
    return store_operation(
        order_uuid=UUID(filled.find_order_id(status="opened")),
        state=state,
        sent_at=now - timedelta(seconds=5),
        unknown_at=now,
        due_at=now + timedelta(hours=1) if state == State.UNKNOWN else None,
        after={"status": "opened"},
    )


def test_a_change_of_an_order_lets_the_worker_read_it_at_once(filled: Emulator) -> None:
    one = lost_cancel(filled)
    filled.change_order(one.order_uuid, status="paid")
    one_round()
    assert services.operations_due_for_reading(now=timezone.now()) == [one.pk]
    assert read_if_due(one) == State.NOT_APPLIED


@pytest.mark.parametrize("state", [State.UNKNOWN, State.NOT_APPLIED])
@pytest.mark.parametrize("was_accepted", [False, True])
def test_the_order_itself_says_whether_a_cancel_ended_it(
    filled: Emulator, state: State, was_accepted: bool
) -> None:
    """A list does not show whether the gift was accepted before it ended."""
    one = lost_cancel(filled, state)
    if was_accepted:
        filled.change_order(one.order_uuid, status="accepted")
    filled.change_order(one.order_uuid, status="failed")
    one_round()
    assert Operation.objects.get(pk=one.pk).state == state
    assert services.operations_due_for_reading(now=timezone.now()) == [one.pk]
    is_resolved = state == State.UNKNOWN and not was_accepted
    assert read_if_due(one) == (State.APPLIED if is_resolved else state)
    assert (Operation.objects.get(pk=one.pk).effect_seen_at is None) == was_accepted
    assert services.operations_due_for_reading(now=timezone.now()) == []


def test_requested_read_is_repeated_until_goody_answers(filled: Emulator, clock: Any) -> None:
    one = lost_cancel(filled, State.NOT_APPLIED)
    filled.change_order(one.order_uuid, status="failed")
    one_round()
    path = f"/v1/orders/{one.order_uuid}"
    filled.add_fault({"kind": "status", "status": 503}, path=path)
    assert read_if_due(one) == State.NOT_APPLIED
    filled.clear_faults()
    filled.add_fault({"kind": "status", "status": 404}, path=path, times=1)
    clock.shift(timedelta(minutes=31))
    assert services.operations_due_for_reading(now=timezone.now()) == [one.pk]
    assert read_if_due(one) == State.NOT_APPLIED
    assert Operation.objects.get(pk=one.pk).due_at is None


# --- Without the feed -------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["404", "403", "400"])
def test_without_the_feed_the_newest_orders_are_listed_again(
    emulator: Emulator, status: str
) -> None:
    emulator.set_switches(activities=status)
    sync_orders()
    assert state().is_feed_missing
    assert not sync.read_progress(timezone.now()).has_feed
    emulator.create_orders(count=30)
    emulator.change_order(emulator.find_order_id(status="created"), status="opened")
    one_round()
    assert index_differences(emulator) == []
    assert due_job(state(), timezone.now()) is not SyncJob.BACKFILL


@pytest.mark.parametrize("status", [404, 403, 400, 422])
def test_a_feed_that_is_refused_later_is_replaced_by_listing(
    emulator: Emulator, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    sync_orders()
    emulator.add_fault({"kind": "status", "status": status}, path=FEED)
    emulator.create_orders(count=3)
    one_round()
    [warning] = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    assert warning.startswith("Goody refuses the activity feed, so orders are listed instead: ")
    assert f"'status': {status}" in warning
    assert state().is_feed_missing
    assert index_differences(emulator) == []
    asked(emulator)
    one_round()
    assert "GET /v1/order_activities" not in asked(emulator)


# --- Rereads --------------------------------------------------------------------------------


def _reread_once(state: SyncState, _now: datetime) -> SyncJob | None:
    return SyncJob.REREAD if state.reread_at is None else None


def long_ago(order_id: str) -> None:
    """Date the last read of the order an hour back."""
    Order.objects.filter(uuid=order_id).update(read_at=timezone.now() - timedelta(hours=1))


def test_orders_whose_changes_the_feed_does_not_report_are_reread(
    filled: Emulator, settings: Any
) -> None:
    expiring, accepted = (row["id"] for row in filled.find_orders(limit=2))
    now = timezone.now()
    filled.change_order(expiring, expires_at=(now + timedelta(days=1)).isoformat())
    filled.change_order(accepted, status="accepted", thank_you_note="Thanks")
    Order.objects.filter(uuid=expiring).update(
        status="opened", expires_at=now + timedelta(hours=30)
    )
    Order.objects.filter(uuid=accepted).update(status="accepted")
    for order_id in (expiring, accepted):
        long_ago(order_id)
    assert set(map(str, index.orders_to_reread(now=timezone.now(), limit=9))) == {
        expiring,
        accepted,
    }
    run_jobs(_reread_once)
    assert asked(filled)["GET /v1/orders/{id}"] == 2
    assert index_differences(filled) == []
    assert Order.objects.get(uuid=accepted).created_from == CreationTimeSource.DETAIL


def test_rereads_are_limited_and_start_with_the_least_recently_read(
    filled: Emulator, settings: Any
) -> None:
    settings.SYNC_REREADS_PER_MINUTE = 3
    rows = list(Order.objects.all()[:5])
    for age, row in enumerate(rows):
        Order.objects.filter(pk=row.pk).update(
            status="opened",
            expires_at=timezone.now() + timedelta(hours=5),
            read_at=timezone.now() - timedelta(hours=1 + age),
        )
    Order.objects.exclude(pk__in=[row.pk for row in rows]).update(read_at=timezone.now())
    run_jobs(_reread_once)
    read = Order.objects.filter(read_at__gt=timezone.now() - timedelta(minutes=5))
    assert {row.uuid for row in rows[2:]} <= {one.uuid for one in read}
    assert asked(filled)["GET /v1/orders/{id}"] == 3
    assert due_job(state(), timezone.now()) is not SyncJob.REREAD


def in_turn(emulator: Emulator, count: int) -> list[UUID]:
    """Return the only orders that are due for rereads, in that sequence."""
    now = timezone.now()
    Order.objects.update(read_at=now)
    found = [UUID(row["id"]) for row in emulator.find_orders(limit=count)]
    for age, order_id in enumerate(found):
        Order.objects.filter(uuid=order_id).update(
            status="opened",
            expires_at=now + timedelta(hours=30),
            read_at=now - timedelta(hours=9 - age),
        )
    return found


def read_in_turn(*, stop_when: Callable[[], bool] = lambda: False) -> None:
    SyncState.objects.update(reread_at=None)
    run_jobs(_reread_once, stop_when=stop_when)


def detail(order_id: object) -> str:
    return rf"/v1/orders/{order_id}$"


def was_read(order_id: UUID) -> bool:
    """Whether the order was read in the last five minutes."""
    return Order.objects.get(uuid=order_id).read_at > timezone.now() - timedelta(minutes=5)


def anomalies() -> list[tuple[str, str]]:
    return list(Anomaly.objects.values_list("kind", "key"))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 403},
        {"kind": "status", "status": 400},
        {"kind": "mutate", "set": {"status": None}},
        {"kind": "body", "as": "huge", "bytes": 2_000_000},
    ],
    ids=["500", "403", "400", "unreadable", "too large"],
)
def test_an_unreadable_order_does_not_affect_others(
    filled: Emulator, settings: Any, fault: dict[str, Any]
) -> None:
    settings.SYNC_REREADS_PER_MINUTE = 1
    bad, good = in_turn(filled, 2)
    filled.add_fault(fault, path=detail(bad))
    read_in_turn()
    assert anomalies() == [("quarantined", str(bad))]
    assert state().failing_since is None
    read_in_turn()
    assert asked(filled) == {"GET /v1/orders/{id}": 3, "GET /v1/me": 2}
    assert was_read(good)
    # It is first again after an hour.
    read_in_turn()
    assert asked(filled) == {}
    filled.clear_faults()
    Anomaly.objects.update(last_seen_at=timezone.now() - timedelta(minutes=61))
    read_in_turn()
    assert was_read(bad)


def test_an_order_is_unreadable_also_where_the_key_may_not_read_me(filled: Emulator) -> None:
    bad, good = in_turn(filled, 2)
    filled.add_fault({"kind": "status", "status": 500}, path=detail(bad))
    filled.add_fault({"kind": "status", "status": 403}, path=r"/v1/me$")
    read_in_turn()
    assert anomalies() == [("quarantined", str(bad))]
    assert was_read(good)


def test_an_outage_makes_no_order_unreadable(filled: Emulator) -> None:
    due_ones = in_turn(filled, 2)
    filled.add_fault({"kind": "status", "status": 503}, path="/v1/")
    read_in_turn(stop_when=is_failing)
    assert anomalies() == []
    assert is_failing()
    filled.clear_faults()
    SyncState.objects.update(retry_at=None)
    goody_api._client.cache_clear()
    read_in_turn()
    assert all(was_read(one) for one in due_ones)
    assert anomalies() == []


def test_after_three_unreadable_orders_in_a_row_the_rest_waits(filled: Emulator) -> None:
    due_ones = in_turn(filled, 5)
    filled.add_fault({"kind": "status", "status": 500}, path=detail("[^/]+"))
    read_in_turn()
    assert sorted(anomalies()) == sorted(("quarantined", str(one)) for one in due_ones[:3])
    filled.clear_faults()
    read_in_turn()
    assert index.orders_to_reread(now=timezone.now(), limit=9) == []
