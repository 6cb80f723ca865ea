"""A sync loses and duplicates no order, whatever happens between two of its steps.

In random histories orders are created, changed and canceled, also in batches, calls fail, and
processes end and are replaced. `make soak` runs many more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.utils import timezone

from goody.limits import ClientLimits
from orders import goody_api, services, sync
from orders.models import (
    Label,
    Order,
    OrderCount,
    OrderPayload,
    OtherProduct,
    SearchText,
    SeenActivity,
    SyncState,
    SyncWindow,
    WordStart,
)
from orders.sync import SyncJob, context
from testing.syncing import (
    StepHook,
    assert_counts_add_up,
    index_differences,
    run_jobs,
    run_jobs_or_wait,
    state,
    sync_orders,
)
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db

# On each database.
SYNCS = int(os.environ.get("SOAK_SYNCS", "8"))
# The maximum in each history.
EVENTS = 150
# Changes that the feed does not report: they are known only after a reread of the order.
UNTOLD = {"notify", "accept", "swap", "expiration", "thank"}
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429},
    {"kind": "cut", "at": "body"},
    {"kind": "cut", "at": "short"},
    {"kind": "body", "as": "truncated_json"},
    {"kind": "body", "as": "html"},
    {"kind": "mutate", "envelope": {"list_meta.total_count": None}},
    {"kind": "mutate", "envelope": {"list_meta.total_count": 7}},
    {"kind": "mutate", "envelope": {"data": []}},
)


@pytest.fixture(autouse=True)
def _short_waits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten waits after failures, and those of the breaker, to hundredths of a second."""
    settings.GOODY_LONGEST_WAIT = 0.02
    monkeypatch.setattr(context, "_FIRST_WAIT", 0.02)
    hasty = partial(ClientLimits, retry_base=0.02, breaker_probe_interval=0.05)
    monkeypatch.setattr(goody_api, "ClientLimits", hasty)


class RandomEvents:
    """Random events at Goody and here, between the steps of a first sync."""

    def __init__(self, emulator: Emulator, random: Random) -> None:
        self.emulator = emulator
        self.random = random
        # Orders whose latest change the feed does not report.
        self.unreported: set[str] = set()
        # A bound by progress, not by time: after the last event nothing hinders the sync.
        self._remaining = EVENTS

    def run(self) -> None:
        """Run one process after the other until the first sync is complete."""
        while not state().is_complete:
            stop = StepHook(self._is_process_ended)
            calls_at_once = self.random.randint(1, 4)
            run = sync.SyncRun(stop=stop, choose=first_sync, calls_at_once=calls_at_once)
            run_jobs_or_wait(run, stop)
        self.emulator.clear_faults()

    def _is_process_ended(self) -> bool:
        """Let something happen between two steps of a process."""
        if not self._remaining:
            return False
        self._remaining -= 1
        happens = (self.change, self.change, self.fail, self.end_process, self.pause)
        return self.random.choice(happens)()

    def change(self) -> bool:
        self.churn(seed=self.random.getrandbits(30), changes=self.random.randint(1, 9))
        return False

    def churn(self, *, seed: int, changes: int) -> int:
        """Make up to this number of random changes at Goody; return their number."""
        done = self.emulator.make_random_changes(seed=seed, changes=changes)["changes"]
        for one in done:
            if one["kind"] in UNTOLD:
                self.unreported.update(one["ids"])
            else:
                self.unreported.difference_update(one["ids"])
        return len(done)

    def fail(self) -> bool:
        """One fault at a time: while the breaker lets only single calls through, faults would
        come faster than calls meet them.
        """
        self.emulator.clear_faults()
        self.emulator.add_fault(
            self.random.choice(FAULTS), path=r"/v1/order(s|_activities)$", times=1
        )
        return False

    def end_process(self) -> bool:
        """End the process in any state; the next one continues."""
        return True

    def pause(self) -> bool:
        return False


def first_sync(state: SyncState, _now: datetime) -> SyncJob | None:
    return None if state.is_complete else SyncJob.FIRST


def catch_up() -> None:
    before = state().tried_at
    run_jobs(lambda state, _: SyncJob.INCREMENTAL if state.tried_at == before else None)


@pytest.mark.parametrize("seed", range(SYNCS))
def test_no_order_is_lost_or_duplicated(emulator: Emulator, settings: Any, seed: int) -> None:
    random = Random(seed)
    settings.SYNC_PER_PAGE = random.choice((11, 25, 40))
    settings.SYNC_WINDOW = random.choice((30, 60, 120))
    events = RandomEvents(emulator, random)
    events.run()
    catch_up()
    differences = index_differences(emulator)
    assert [wrong for wrong in differences if wrong[0] not in events.unreported] == []
    assert {order_id for order_id, what in differences if what == "lost"} == set()
    assert OrderPayload.objects.count() == Order.objects.count()
    assert_counts_add_up()


# --- Rebuilt ----------------------------------------------------------------------------------

# Columns about when and how an order was read.
ASIDE = {"id", "created_from", "event_times", "row_hash", "read_at"}
NAMED = ("product_id", "brand_id", "sender_id", "workspace_id", "card_id")


def contents() -> dict[str, dict[str, Any]]:
    """Return every order by its id, with names and texts instead of the ids of labels."""
    labels = dict(Label.objects.values_list("pk", "key"))
    texts = dict(SearchText.objects.values_list("pk", "folded"))
    rows = {}
    for row in Order.objects.all():
        fields = {f.attname: getattr(row, f.attname) for f in Order._meta.concrete_fields}
        for name in NAMED:
            fields[name] = labels.get(fields[name])
        for name in ("message_id", "note_id"):
            fields[name] = texts.get(fields[name])
        rows[str(row.uuid)] = {k: v for k, v in fields.items() if k not in ASIDE}
    return rows


def throw_away() -> None:
    """Delete the index and the sync state."""
    for table in (Order, OrderPayload, OtherProduct, WordStart, OrderCount, Label, SearchText):
        table.objects.all().delete()
    for table in (SyncState, SyncWindow, SeenActivity):
        table.objects.all().delete()


def backfill() -> None:
    run_jobs(lambda state, _: None if state.is_backfilled else SyncJob.BACKFILL)


@pytest.fixture
def later_than_goody() -> Iterator[None]:
    """The emulator's clock starts at midnight and is advanced by hours: ours is a day ahead."""
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        yield


@pytest.mark.usefixtures("later_than_goody")
def test_a_rebuilt_index_is_equal(emulator: Emulator, settings: Any) -> None:
    settings.SYNC_WINDOW = 200
    sync_orders()
    backfill()
    events, changes = RandomEvents(emulator, Random(7)), 0
    while changes < 2_000:
        changes += events.churn(seed=changes, changes=250)
        emulator.advance_clock(900)
        catch_up()
    for order_id in events.unreported:
        services.refresh_order(order_id=UUID(order_id), now=timezone.now())
    kept = contents()
    throw_away()
    sync_orders()
    backfill()
    rebuilt = contents()
    assert rebuilt.keys() == kept.keys()
    assert [one for one in kept if kept[one] != rebuilt[one]] == []
    assert index_differences(emulator) == []
