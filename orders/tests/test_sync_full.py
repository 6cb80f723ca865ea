"""The full sync stores every order once, whatever the emulator responds meanwhile."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from orders import goody_api, sync
from orders.models import Anomaly, ApiLimits, CreationTimeSource, Order, SyncState, SyncWindow
from orders.sync import SyncJob, SyncPhase
from orders.sync.full_sync import mass_deletion_reason
from orders.sync.lease import Lease, LeaseLost
from testing.domain import exact_created_at, failing_statements
from testing.syncing import (
    SMALL,
    assert_counts_add_up,
    complete_windows,
    creation_times_at_goody,
    incomplete_windows,
    index_differences,
    run_jobs,
    run_sync_steps,
    run_until,
    state,
    sync_orders,
)
from testing.vendor import Emulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_windows")]

LIST = r"/v1/orders$"


def phase() -> SyncPhase:
    return sync.read_progress(timezone.now()).phase


def test_every_order_is_stored_once(emulator: Emulator) -> None:
    assert phase() is SyncPhase.NEVER_BEGUN
    counts = sync_orders()
    assert counts["new"] == 300
    assert index_differences(emulator) == []
    assert_counts_add_up()
    assert state().is_complete
    assert incomplete_windows() == 0
    assert 8 <= SyncWindow.objects.count() <= 60
    assert emulator.calls()["counts"]["GET /v1/orders"] < 120
    progress = sync.read_progress(timezone.now())
    assert (progress.phase, progress.imported, progress.total) == (SyncPhase.COMPLETE, 300, 300)
    assert progress.synced_at is not None


def test_estimated_creation_times_lie_in_the_window_of_the_order(
    emulator: Emulator,
) -> None:
    sync_orders()
    true = creation_times_at_goody(emulator)
    windows = [w for w in SyncWindow.objects.all() if w.after is not None]
    for row in Order.objects.filter(created_from=CreationTimeSource.WINDOW):
        assert row.created_at is not None
        at, told = true[str(row.uuid)], row.created_at
        assert any(w.after <= at <= w.before and w.after <= told <= w.before for w in windows)
        assert exact_created_at(row) is None


@pytest.mark.parametrize("fraction", ["0", "0.4"])
def test_a_batch_within_one_second_is_not_split(emulator: Emulator, fraction: str) -> None:
    emulator.set_switches(created_fraction=fraction)
    emulator.create_orders(count=130)
    sync_orders()
    assert index_differences(emulator) == []
    assert incomplete_windows() == 0


def test_an_account_without_orders(settings: Any) -> None:
    empty = Emulator(orders=0)
    try:
        settings.GOODY_API_URL = empty.url
        settings.GOODY_API_KEY = empty.key
        sync_orders()
    finally:
        empty.stop()
    assert state().is_complete
    assert Order.objects.count() == 0


# --- What Goody answers meanwhile -------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"envelope": {"list_meta.total_count": -1}},
        {"envelope": {"list_meta.total_count": None}},
        {"envelope": {"list_meta": None}},
        {"envelope": {"list_meta.total_count": 3}},
        {"envelope": {"list_meta.total_count": 999_999}},
        {"envelope": {"list_meta.total_count": SMALL["SYNC_PER_PAGE"]}},
        {"replace": [['"list_meta"', '"meta"']]},
    ],
    ids=["negative", "null", "no meta", "too small", "too large", "a page", "missing"],
)
def test_wrong_totals_lose_no_orders(emulator: Emulator, change: dict[str, Any]) -> None:
    emulator.add_fault({"kind": "mutate", **change}, path=LIST)
    sync_orders()
    assert index_differences(emulator) == []
    assert state().is_complete


FAULTS = [
    {"kind": "status", "status": 503},
    {"kind": "cut", "at": "body"},
    {"kind": "cut", "at": "unbounded"},
    {"kind": "body", "as": "html"},
    {"kind": "body", "as": "truncated_json"},
    {"kind": "body", "as": "huge", "bytes": 6_000_000},
    {"kind": "redirect"},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}},
    {"kind": "mutate", "replace": [['"data":[', '"data":[],"data":[']]},
]


def test_failed_calls_are_retried(emulator: Emulator) -> None:
    for number, fault in enumerate(FAULTS):
        emulator.add_fault(fault, path=LIST, times=1, skip=9 + 4 * number)
    sync_orders()
    assert index_differences(emulator) == []
    assert state().failing_since is None


def test_retry_after_is_honored_and_nothing_is_lost(emulator: Emulator, settings: Any) -> None:
    """Also by the calls that are queued for the thread that received it."""
    settings.SYNC_CALLS_AT_ONCE = 1
    emulator.add_fault(
        {"kind": "status", "status": 429, "headers": {"Retry-After": "2"}},
        path=LIST,
        times=1,
        skip=12,
    )
    run_until(lambda: phase() is SyncPhase.PAUSED)
    assert emulator.calls()["counts"]["GET /v1/orders"] == 13
    asked, before = emulator.calls()["total"], complete_windows()
    run_sync_steps(1)
    assert emulator.calls()["total"] == asked
    sync_orders()
    assert complete_windows() > before
    assert index_differences(emulator) == []


def test_a_rejected_key_pauses_the_sync_until_an_admin_checks_it(
    emulator: Emulator, settings: Any
) -> None:
    settings.SYNC_CALLS_AT_ONCE = 1
    emulator.add_fault({"kind": "status", "status": 401}, path=LIST, times=1, skip=12)
    run_until(lambda: phase() is SyncPhase.PAUSED)
    asked = emulator.calls()["total"]
    progress = sync.read_progress(timezone.now())
    assert (progress.phase, progress.problem) == (SyncPhase.PAUSED, "Goody rejects the API key")
    run_sync_steps(1)
    assert emulator.calls()["total"] == asked
    ApiLimits.objects.accept_key()
    sync_orders()
    assert index_differences(emulator) == []


def test_an_outage_of_goody_is_shown_and_the_sync_resumes_after_it(emulator: Emulator) -> None:
    emulator.add_fault({"kind": "status", "status": 503}, path=LIST, skip=12)
    run_until(lambda: phase() is SyncPhase.FAILING)
    progress = sync.read_progress(timezone.now())
    assert progress.problem in (
        "Goody reported an internal error",
        "Goody failed repeatedly, so calls to it are paused",
    )
    assert progress.failing_since is not None
    assert not progress.is_complete
    emulator.clear_faults()
    # The breaker's probe is not due for half a minute; another process has none.
    _forget_the_breaker()
    SyncState.objects.update(retry_at=None)
    sync_orders()
    assert index_differences(emulator) == []
    assert phase() is SyncPhase.COMPLETE


def _forget_the_breaker() -> None:
    goody_api._client.cache_clear()


def nested(depth: int) -> Any:
    """JSON nested deeper than anything that Goody documents."""
    return {"items": nested(depth - 1)} if depth else None


def test_unreadable_rows_do_not_affect_others(emulator: Emulator) -> None:
    odd, frozen, *_, poisoned = (row["id"] for row in emulator.find_orders(limit=90))
    emulator.change_order(odd, is_swapped="perhaps", brand_new_field=1)
    emulator.change_order(frozen, recipient_first_name="a\x00b", status="frozen")
    emulator.change_order(poisoned, cart=nested(40))
    counts = sync_orders()
    assert counts["quarantined"] == 1
    assert state().is_complete
    emulator.change_order(poisoned, cart=None)
    assert index_differences(emulator) == [(poisoned, "lost")]
    assert set(Anomaly.objects.values_list("kind", "key")) == {
        ("quarantined", poisoned),
        ("unknown_status", "frozen"),
        ("unknown_field", "brand_new_field"),
        ("bad_field", f"{odd} is_swapped"),
        ("bad_field", f"{frozen} recipient_first_name"),
    }


def test_pages_that_are_too_large_are_requested_in_smaller_ones(emulator: Emulator) -> None:
    """Neither their list nor the feed fits a page."""
    emulator.create_orders(count=20, message="x" * 300_000)
    sync_orders()
    assert index_differences(emulator) == []
    assert state().failing_since is None


# --- Resumed, leased --------------------------------------------------------------------------


def test_a_full_sync_resumes(emulator: Emulator) -> None:
    emulator.set_latency(0.05)
    rounds = before = 0

    def is_further() -> bool:
        return state().is_complete or complete_windows() > before

    while not state().is_complete:
        before = complete_windows()
        run_until(is_further)
        rounds += 1
    queries = [call["query"] for call in emulator.calls()["recent"]]
    assert rounds > 2
    assert index_differences(emulator) == []
    # Complete windows are not requested again; at most this many pages in progress are.
    assert len(queries) - len(set(queries)) <= rounds * 40


def test_a_full_sync_again_reads_everything_and_changes_nothing(emulator: Emulator) -> None:
    sync_orders()
    before = list(Order.objects.order_by("pk").values_list("pk", "uuid", "content_hash"))
    counts = sync_orders(full=True)
    assert counts["same"] >= 300
    assert counts["new"] == counts["changed"] == 0
    assert list(Order.objects.order_by("pk").values_list("pk", "uuid", "content_hash")) == before
    assert Order.objects.filter(read_at__lt=state().started_at).count() == 0


def test_one_process_at_a_time_holds_the_lease(settings: Any) -> None:
    settings.SYNC_LEASE = 30.0
    lease = Lease.acquire()
    assert lease is not None
    assert Lease.acquire() is None
    assert not sync.SyncRun(stop=threading.Event()).run()
    assert state().started_at is None
    lease.release()
    assert Lease.acquire() is not None


@pytest.mark.django_db(transaction=True)
def test_an_expired_lease_cannot_write(emulator: Emulator, settings: Any) -> None:
    settings.SYNC_LEASE = 30.0
    sleeper = Lease.acquire()
    assert sleeper is not None
    assert Lease.acquire() is None
    SyncState.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    other = Lease.acquire()
    assert other is not None
    with pytest.raises(LeaseLost):
        sleeper.update_state(total=5)
    sleeper.release()
    other.update_state(total=6)
    assert state().total == 6
    assert state().lease_until is not None


def test_a_lease_far_in_the_future_is_ignored(settings: Any) -> None:
    SyncState.objects.current()
    SyncState.objects.update(lease_until=timezone.now() + timedelta(days=1))
    assert Lease.acquire() is not None


@pytest.mark.django_db(transaction=True)
def test_a_database_error_is_logged_without_values_and_the_next_run_resumes(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    with failing_statements("orders_order", "INSERT"):
        run_jobs()
    [error] = [one for one in caplog.records if one.levelname == "ERROR"]
    assert error.getMessage().startswith("what the sync read could not be recorded: ")
    assert error.exc_info
    assert "Error: " not in caplog.text
    assert not Order.objects.exists()
    sync_orders()
    assert index_differences(emulator) == []


# --- Suspicious -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "total", "words"),
    [
        (0, 0, ""),
        (100, None, ""),
        (100, 95, ""),
        (100, 94, "Goody lists 94 orders, and we know 100."),
        (1200, 0, "Goody lists no orders, and we know 1,200."),
    ],
)
def test_which_totals_are_suspicious(known: int, total: int | None, words: str) -> None:
    assert mass_deletion_reason(known=known, total=total) == words


def hide(emulator: Emulator, count: int) -> None:
    for row in emulator.find_orders(limit=count):
        emulator.change_order(row["id"], hidden=True)


def test_many_missing_orders_stop_the_sync_until_an_admin_resumes_it(
    emulator: Emulator,
) -> None:
    sync_orders()
    hide(emulator, 20)
    SyncState.objects.update(is_full_wanted=True, synced_at=timezone.now())
    run_jobs(lambda state, _: None if state.is_stopped else SyncJob.AGAIN)
    progress = sync.read_progress(timezone.now())
    assert progress.phase is SyncPhase.SUSPICIOUS
    assert progress.problem == "Goody lists 280 orders, and we know 300."
    assert progress.is_complete
    asked = emulator.calls()["total"]
    run_jobs()
    assert emulator.calls()["total"] == asked
    assert Order.objects.count() == 300

    SyncState.objects.update(is_suspicion_accepted=True)
    sync_orders(full=True)
    assert phase() is SyncPhase.COMPLETE
    assert Order.objects.count() == 300


@pytest.mark.django_db(transaction=True)
def test_as_many_orders_of_another_account_stop_the_sync(
    emulator: Emulator,
) -> None:
    """The counts fit, but none of the known orders is among them."""
    sync_orders()
    Order.objects.update(created_from=CreationTimeSource.FEED)
    hide(emulator, 30)
    emulator.create_orders(count=30)
    SyncState.objects.update(is_full_wanted=True)
    run_jobs(lambda state, _: None if state.is_stopped else SyncJob.AGAIN)
    assert phase() is SyncPhase.SUSPICIOUS
    assert "orders we know are not listed" in sync.read_progress(timezone.now()).problem


def test_a_few_orders_that_are_not_listed_are_read_one_by_one(emulator: Emulator) -> None:
    sync_orders()
    hide(emulator, 5)
    sync_orders(full=True)
    assert phase() is SyncPhase.COMPLETE
    assert Order.objects.filter(missing_at=None).count() == 300
    assert emulator.calls()["counts"]["GET /v1/orders/{id}"] == 5


def test_an_unreadable_one_of_them_does_not_prevent_completion(emulator: Emulator) -> None:
    """It was readable before; now neither the list nor its detail is."""
    sync_orders()
    bad = emulator.find_orders(limit=1)[0]["id"]
    emulator.change_order(bad, cart=nested(40))
    sync_orders(full=True)
    assert phase() is SyncPhase.COMPLETE
    assert not state().is_full_sync_running
    assert emulator.calls()["counts"]["GET /v1/orders/{id}"] == 2
    assert Order.objects.filter(read_at__lt=state().started_at).count() == 1
    [anomaly] = Anomaly.objects.all()
    assert (anomaly.kind, anomaly.key) == ("quarantined", bad)


# --- Times ------------------------------------------------------------------------------------


def test_a_clock_far_from_goodys_loses_nothing(emulator: Emulator) -> None:
    """The emulator's clock is hours behind ours; orders come in during the sync."""
    run_until(lambda: complete_windows() > 0)
    assert incomplete_windows()
    emulator.create_orders(count=7)
    sync_orders()
    assert index_differences(emulator) == []
    assert state().watermark is not None
    assert state().watermark < datetime.now(UTC)


def test_a_first_sync_completes_after_the_clock_was_set_back(
    emulator: Emulator, clock: time_machine.Traveller
) -> None:
    run_until(lambda: complete_windows() > 0)
    assert incomplete_windows()
    clock.shift(-600)
    sync_orders()
    assert phase() is SyncPhase.COMPLETE
    assert index_differences(emulator) == []


@pytest.mark.parametrize("seconds", [1, 600, 100_000])
def test_orders_read_after_the_clock_was_set_back_are_not_missing(
    emulator: Emulator, clock: time_machine.Traveller, seconds: float
) -> None:
    sync_orders()
    Order.objects.update(created_from=CreationTimeSource.FEED)
    SyncState.objects.update(is_full_wanted=True)
    set_back: list[int] = []

    def set_the_clock_back() -> bool:
        if not set_back and state().is_full_sync_running and complete_windows() > 0:
            set_back.append(incomplete_windows())
            hide(emulator, 1)
            clock.shift(-seconds)
        return False

    def choose(state: SyncState, _now: datetime) -> SyncJob | None:
        is_due = state.is_full_wanted or state.is_full_sync_running
        return SyncJob.AGAIN if is_due and not state.is_stopped else None

    run_jobs(choose, stop_when=set_the_clock_back)
    assert set_back[0] > 0
    assert phase() is SyncPhase.COMPLETE
    assert incomplete_windows() == 0
    assert state().started_at < state().finished_at <= timezone.now()
