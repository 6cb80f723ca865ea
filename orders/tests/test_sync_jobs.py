"""The backfill of creation times, the nightly comparison of counts, and which job is due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from orders import sync
from orders.models import CreationTimeSource, Order, OrderPayload, SyncState, SyncWindow
from orders.sync import SyncJob, SyncPhase, due_job
from orders.sync.reconcile import last_reconcile_time
from testing.domain import exact_created_at
from testing.syncing import (
    creation_times_at_goody,
    index_differences,
    run_jobs,
    run_until,
    state,
    sync_orders,
)
from testing.vendor import Emulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_windows")]


@pytest.fixture
def filled(emulator: Emulator) -> Emulator:
    """An emulator whose orders are all in the index; its calls count from zero."""
    sync_orders()
    emulator.control("DELETE", "calls")
    return emulator


def backfill(*, stop_when: Callable[[], bool] = lambda: False) -> None:
    run_jobs(
        lambda state, _: None if state.is_backfilled else SyncJob.BACKFILL, stop_when=stop_when
    )


def backfilled() -> int:
    return SyncWindow.objects.exclude(backfilled_at=None).count()


def reconcile() -> SyncState:
    before = state().reconciled_at

    def choose(state: SyncState, _now: datetime) -> SyncJob | None:
        return SyncJob.RECONCILE if state.reconciled_at == before and not state.is_stopped else None

    run_jobs(choose)
    return state()


# --- Backfill ---------------------------------------------------------------------------------


def test_the_backfill_reads_every_creation_time(filled: Emulator) -> None:
    backfill()
    true = creation_times_at_goody(filled)
    rows = Order.objects.all()
    assert {str(row.uuid): exact_created_at(row) for row in rows} == true
    assert set(rows.values_list("created_from", flat=True)) == {CreationTimeSource.FEED}
    # So they are sorted by creation.
    assert [true[str(row.uuid)] for row in rows] == sorted(true.values(), reverse=True)
    assert index_differences(filled) == []
    assert state().is_backfilled


def test_the_backfill_resumes_and_costs_nothing_once_it_is_complete(filled: Emulator) -> None:
    backfill(stop_when=lambda: backfilled() > 0)
    assert 0 < backfilled() < SyncWindow.objects.count()
    backfill()
    assert SyncWindow.objects.filter(backfilled_at=None).count() == 0
    filled.control("DELETE", "calls")
    sync_orders(full=True)
    assert due_job(state(), timezone.now()) is SyncJob.REREAD
    filled.control("DELETE", "calls")
    backfill()
    assert filled.calls()["total"] == 0


def test_an_order_without_activity_keeps_its_estimate(filled: Emulator) -> None:
    victim = filled.find_orders(limit=50)[-1]["id"]
    filled.change_order(victim, hidden=True)
    backfill()
    assert state().is_backfilled
    assert Order.objects.get(uuid=victim).created_from == CreationTimeSource.WINDOW
    assert Order.objects.filter(created_from=CreationTimeSource.FEED).count() == 299


def test_the_backfill_ends_after_the_clock_was_set_back(
    filled: Emulator, clock: time_machine.Traveller
) -> None:
    clock.shift(-600)
    backfill()
    assert state().is_backfilled
    assert Order.objects.exclude(created_from=CreationTimeSource.FEED).count() == 0


# --- Comparison -------------------------------------------------------------------------------


def test_comparing_a_window_without_drift_costs_one_call(filled: Emulator) -> None:
    backfill()
    reconcile()
    filled.control("DELETE", "calls")
    found = reconcile()
    assert filled.calls()["total"] == SyncWindow.objects.count()
    assert (found.drift_new, found.drift_changed, found.drift_missing) == (0, 0, 0)


def test_each_window_is_counted_once_after_the_clock_was_set_back(
    filled: Emulator, clock: time_machine.Traveller
) -> None:
    backfill()
    run_until(
        lambda: SyncWindow.objects.exclude(checked_at=None).exists(), lambda *_: SyncJob.RECONCILE
    )
    left = SyncWindow.objects.filter(checked_at=None).count()
    assert 0 < left < SyncWindow.objects.count()
    clock.shift(-600)
    filled.control("DELETE", "calls")
    assert not reconcile().is_reconcile_under_way
    assert filled.calls()["total"] == left


def test_a_window_whose_count_differs_is_listed_again(filled: Emulator) -> None:
    backfill()
    lost = Order.objects.all()[40]
    OrderPayload.objects.filter(pk=lost.pk).delete()
    Order.objects.filter(pk=lost.pk).delete()
    found = reconcile()
    assert (found.drift_new, found.drift_changed, found.drift_missing) == (1, 0, 0)
    assert index_differences(filled) == []
    found = reconcile()
    assert (found.drift_new, found.drift_changed, found.drift_missing) == (0, 0, 0)


def test_the_comparison_finds_orders_that_no_round_brought(filled: Emulator) -> None:
    filled.create_orders(count=5)
    SyncState.objects.update(synced_at=timezone.now())
    found = reconcile()
    assert found.drift_new == 5
    assert index_differences(filled) == []


def test_an_order_not_listed_any_more_is_counted_once_and_kept(filled: Emulator) -> None:
    backfill()
    victim = filled.find_orders(limit=50)[-1]["id"]
    filled.change_order(victim, hidden=True)
    assert reconcile().drift_missing == 1
    assert reconcile().drift_missing == 0
    assert Order.objects.filter(uuid=victim).exists()


def test_the_comparison_stops_when_many_orders_are_missing(filled: Emulator) -> None:
    backfill()
    for row in filled.find_orders(limit=60)[-20:]:
        filled.change_order(row["id"], hidden=True)
    reconcile()
    progress = sync.read_progress(timezone.now())
    assert progress.phase is SyncPhase.SUSPICIOUS
    assert progress.problem == "20 of the 300 orders we know are not listed."
    assert due_job(state(), timezone.now()) is None
    SyncState.objects.update(is_suspicion_accepted=True)
    reconcile()
    assert sync.read_progress(timezone.now()).phase is SyncPhase.COMPLETE
    assert not state().is_suspicion_accepted
    assert Order.objects.count() == 300


def test_the_feed_is_tried_again_after_the_comparison(emulator: Emulator) -> None:
    emulator.set_switches(activities="404")
    sync_orders()
    assert state().is_feed_missing
    emulator.set_switches(activities="on")
    reconcile()
    assert not state().is_feed_missing
    emulator.create_orders(count=2)
    sync_orders()
    assert index_differences(emulator) == []


@pytest.mark.parametrize("status", ["404", "403", "400"])
def test_an_account_still_without_a_feed_is_kept_up_to_date(
    emulator: Emulator, status: str
) -> None:
    """Whichever job requests the feed first: the next round, or the backfill."""
    emulator.set_switches(activities=status)
    sync_orders()
    for tried_at in (None, timezone.now()):
        reconcile()
        assert not state().is_feed_missing
        SyncState.objects.update(tried_at=tried_at)
        run_jobs()
        assert state().is_feed_missing
        emulator.create_orders(count=2)
        sync_orders()
        assert sync.read_progress(timezone.now()).phase is SyncPhase.COMPLETE
        assert index_differences(emulator) == []


def test_without_a_feed_the_comparison_lists_every_order(emulator: Emulator) -> None:
    """Nothing else reports a change of an old order, and the count of its window is unchanged."""
    emulator.set_switches(activities="404")
    sync_orders()
    oldest = Order.objects.earliest("pk")
    emulator.change_order(str(oldest.uuid), recipient_first_name="Quetzal")
    sync_orders()
    assert len(index_differences(emulator)) == 1
    assert reconcile().drift_changed == 1
    assert index_differences(emulator) == []


@pytest.mark.parametrize(
    ("now", "zone", "hour", "last"),
    [
        ("2026-11-24T03:00:00+00:00", "UTC", 3, "2026-11-24T03:00:00+00:00"),
        ("2026-11-24T02:59:59+00:00", "UTC", 3, "2026-11-23T03:00:00+00:00"),
        ("2026-11-24T02:59:59+00:00", "Asia/Tokyo", 3, "2026-11-23T18:00:00+00:00"),
        ("2026-11-24T12:00:00+00:00", "America/New_York", 3, "2026-11-24T08:00:00+00:00"),
    ],
)
def test_the_hour_of_the_comparison_is_in_the_time_zone(
    settings: Any, now: str, zone: str, hour: int, last: str
) -> None:
    settings.TIME_ZONE, settings.SYNC_RECONCILE_HOUR = zone, hour
    assert last_reconcile_time(datetime.fromisoformat(now)) == datetime.fromisoformat(last)


# --- What is due ------------------------------------------------------------------------------

NIGHT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
EVENING = NIGHT - timedelta(hours=6)


def a_state(**fields: Any) -> SyncState:
    """Return a sync state that is complete, backfilled and up to date."""
    return SyncState(
        **{
            "started_at": EVENING - timedelta(hours=1),
            "finished_at": EVENING,
            "backfilled_at": EVENING,
            "tried_at": EVENING,
            "reread_at": EVENING,
            **fields,
        }
    )


MINUTE = timedelta(seconds=60)
STOPPED = {"finished_at": None, "suspicion": "odd"}


@pytest.mark.parametrize(
    ("fields", "now", "job"),
    [
        ({"started_at": None, "finished_at": None}, EVENING, SyncJob.FIRST),
        ({"finished_at": None}, EVENING, SyncJob.FIRST),
        ({}, EVENING, None),
        ({}, EVENING + MINUTE, SyncJob.INCREMENTAL),
        ({"tried_at": None}, EVENING, SyncJob.INCREMENTAL),
        # The clock was set back.
        ({"tried_at": EVENING + 9 * MINUTE}, EVENING, SyncJob.INCREMENTAL),
        ({"reread_at": None}, EVENING, SyncJob.REREAD),
        ({"is_full_wanted": True}, EVENING, SyncJob.AGAIN),
        ({"started_at": EVENING + MINUTE / 2}, EVENING, SyncJob.AGAIN),
        ({"backfilled_at": None}, EVENING, SyncJob.BACKFILL),
        ({"backfilled_at": None, "is_feed_missing": True}, EVENING, None),
        ({"tried_at": NIGHT, "reread_at": NIGHT}, NIGHT + MINUTE / 2, SyncJob.RECONCILE),
        (
            {"tried_at": NIGHT, "reread_at": NIGHT, "reconciled_at": NIGHT},
            NIGHT + MINUTE / 2,
            None,
        ),
        ({"reconcile_started_at": EVENING}, EVENING, SyncJob.RECONCILE),
        ({"finished_at": None, "suspicion": "odd"}, EVENING, None),
        (
            {"finished_at": None, "suspicion": "odd", "is_suspicion_accepted": True},
            EVENING,
            SyncJob.FIRST,
        ),
        ({"finished_at": None, "retry_at": EVENING + MINUTE}, EVENING, None),
        ({"finished_at": None, "retry_at": EVENING}, EVENING, SyncJob.FIRST),
        ({"finished_at": None, "retry_at": EVENING + 90 * MINUTE}, EVENING, SyncJob.FIRST),
    ],
)
def test_which_job_is_due(
    fields: dict[str, Any], now: datetime, job: SyncJob | None, settings: Any
) -> None:
    settings.TIME_ZONE, settings.SYNC_RECONCILE_HOUR = "UTC", 3
    assert due_job(a_state(**fields), now) is job
