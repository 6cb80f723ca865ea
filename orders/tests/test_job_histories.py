"""Random histories of three people, one job of 50 gifts and one sync, with faults and kills.

They are judged by what the audit page says at the end and by the writes that reached Goody. A seed
repeats a history; `make soak` plays many more.
"""

from __future__ import annotations

import os
import random
import re
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from html import unescape
from typing import Any
from uuid import UUID

import msgspec
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from goody.types import CANCELABLE, parse_order
from orders import bulk, services
from orders.audit import Action
from orders.bulk import runner
from orders.eligibility import order_snapshot
from orders.models import ApiLimits, Job, JobItem, Operation
from orders.models.job import JobItemQuerySet
from orders.rights import Actor
from orders.services.writes import send
from testing.domain import WorkerEvidence, actor, cancel, extend, in_days, read_if_due
from testing.jobs import PARAMS, run_job, run_now, settle_everything
from testing.syncing import run_jobs
from testing.users import make_user
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db(transaction=True)

HISTORIES = int(os.environ.get("SOAK_JOBS", "10"))
ORDERS = 50
EVENTS = 16
FAULTS: list[dict[str, Any]] = [
    {"kind": "apply_then_reset"},
    {"kind": "apply_then_status", "status": 502},
    {"kind": "late_apply", "seconds": 3600},
    {"kind": "cut"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 409},
    {"kind": "status", "status": 429},
]
# Where a process may die: the function there runs before, or not.
BOUNDARIES: list[tuple[Any, str, bool]] = [
    (JobItemQuerySet, "claim", True),
    (send, "commit_intent", True),
    (send, "_claim_sending", True),
    (send, "mark_outcome_unknown", False),
    (send, "confirm_operation", False),
    (send, "confirm_operation", True),
    (runner, "run_item", True),
]


@pytest.fixture(autouse=True)
def _short_slices(settings: Any) -> None:
    settings.BULK_CANCEL_GRACE, settings.BULK_SLICE = 0, 0.15
    settings.SYNC_INTERVAL = 60.0


class Killed(BaseException):
    """The process dies here: nothing after it runs, and open transactions are rolled back."""


def snapshot_of(order: dict[str, Any]) -> dict[str, Any]:
    return order_snapshot(parse_order(msgspec.json.encode(order)))


class History:
    def __init__(
        self, emulator: Emulator, clock: Any, monkeypatch: pytest.MonkeyPatch, seed: str
    ) -> None:
        self.emulator = emulator
        self.clock = clock
        self.monkeypatch = monkeypatch
        self.chance = random.Random(seed)
        self.evidence = WorkerEvidence()
        self.lead, self.ana, self.ben = (
            actor("lead"),
            actor("agent", "ana"),
            actor("agent", "ben"),
        )
        self.orders = [
            UUID(one["id"]) for one in emulator.create_orders(count=ORDERS + 5, status="notified")
        ]
        self.snapshots = {UUID(key): snapshot_of(order) for key, order in self.truth().items()}
        self.job = self._start()

    def truth(self) -> dict[str, dict[str, Any]]:
        """Return the orders of this history as Goody has them, by id."""
        ids = set(map(str, self.orders))
        return {key: order for key, order in self.emulator.all_orders().items() if key in ids}

    def _start(self) -> Job:
        is_cancel = self.chance.random() < 0.7
        until = None if is_cancel else in_days(44)
        return bulk.create_job(
            actor=self.lead,
            action=Action.ORDER_CANCEL if is_cancel else Action.ORDER_EXTEND,
            items=[bulk.NewItem(one, self.snapshots[one], until) for one in self.orders[:ORDERS]],
            params=PARAMS,
            description="",
            form_key=UUID(int=self.chance.getrandbits(128)),
            now=timezone.now(),
        )

    # -- events --------------------------------------------------------------------------------

    def worker_runs_the_job(self) -> None:
        self._inject_fault()
        run_job(self.job)

    def worker_dies_in_the_job(self) -> None:
        where, name, runs_before = self.chance.choice(BOUNDARIES)
        original: Callable[..., Any] = getattr(where, name)

        def dies(*args: Any, **kwargs: Any) -> Any:
            if runs_before:
                original(*args, **kwargs)
            raise Killed

        self._inject_fault()
        with self.monkeypatch.context() as patched:
            patched.setattr(where, name, dies)
            try:
                run_job(self.job)
            except Killed:
                self.clock.shift(61)

    def ana_cancels(self) -> None:
        self._submit(self.ana, lambda given: cancel(**given))

    def ben_extends(self) -> None:
        until = in_days(self.chance.randint(31, 300))
        self._submit(self.ben, lambda given: extend(**given, expiration=until))

    def goody_changes_an_order(self) -> None:
        order_id = self.chance.choice(self.orders)
        if self.emulator.get_order(order_id)["status"] in CANCELABLE:
            self.emulator.change_order(order_id, status=self.chance.choice(["opened", "accepted"]))

    def a_late_write_arrives(self) -> None:
        self.emulator.control("POST", "late")

    def time_passes(self) -> None:
        self._read_what_is_due(self.chance.choice([1, 30, 61, 200]))

    def _read_what_is_due(self, later: float) -> None:
        self.clock.shift(later)
        services.end_effect_windows(evidence=self.evidence)
        services.abandon_expired_operations(now=timezone.now())
        # Several batches may be due.
        while due := services.operations_due_for_reading(now=timezone.now()):
            for operation_id in due:
                read_if_due(Operation.objects.get(pk=operation_id), self.evidence)

    # -- how -----------------------------------------------------------------------------------

    def _inject_fault(self) -> None:
        if self.chance.random() < 0.6:
            skip = self.chance.randint(0, 4)
            self.emulator.add_fault(self.chance.choice(FAULTS), method="POST", times=1, skip=skip)
        if self.chance.random() < 0.2:
            self.emulator.add_fault({"kind": "status", "status": 503}, method="GET", times=1)

    def _submit(self, who: Actor, submit: Callable[[dict[str, Any]], Operation]) -> None:
        order_id = self.chance.choice(self.orders)
        self._inject_fault()
        with suppress(services.OrderBusy, services.OrderInJob):
            submit({"order_id": order_id, "snapshot": self.snapshots[order_id], "actor": who})

    def play(self, settings: Any) -> None:
        for number in range(EVENTS):
            if number == EVENTS // 2:
                run_jobs()
            (event,) = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
            event(self)
            self.emulator.clear_faults()
        self.a_late_write_arrives()
        ApiLimits.objects.update(paused_until=None, rejected_key="")
        settings.BULK_SLICE = 60
        settle_everything(run_now(self.job), self.clock)
        for _ in range(2):
            self._read_what_is_due(301)


WEIGHTS = {
    History.worker_runs_the_job: 10,
    History.worker_dies_in_the_job: 4,
    History.ana_cancels: 2,
    History.ben_extends: 2,
    History.goody_changes_an_order: 2,
    History.a_late_write_arrives: 1,
    History.time_passes: 5,
}


# --- the judgment -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """What one row of the audit page says about a cancel or an extension of an order."""

    who: str
    kind: str
    job: str
    outcome: str
    detail: str

    @property
    def is_done(self) -> bool:
        return self.outcome in DONE

    @property
    def was_sent(self) -> bool:
        return "Nothing was sent" not in self.detail


DONE = ("Canceled", "Canceled at Goody", "Expiration changed", "Changed at Goody")
_ROW = re.compile(r'<tr id="entry-\d+">(.*?)</tr>', re.DOTALL)
_CELL = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


def told_on_the_audit_page(client: Client) -> dict[str, list[Told]]:
    """Return what all pages of the audit say, by the id of the order; "" for rows of jobs."""
    found: dict[str, list[Told]] = defaultdict(list)
    url: str | None = "/audit/"
    while url:
        page = client.get(url).content.decode()
        for row in _ROW.findall(page):
            order_id, told = _told(row)
            found[order_id].append(told)
        older = re.search(r'href="([^"]*)" rel="next"', page)
        url = unescape(older[1]) if older else None
    return found


def _told(row: str) -> tuple[str, Told]:
    _, who, what, order, _, outcome = _CELL.findall(row)
    order_id = re.search(r'href="/orders/([^/"]+)/"', order)
    job = re.search(r'href="/jobs/([^/"]+)/"', order)
    main, _, detail = outcome.partition('<span class="cell__sub">')
    action = _text(what)
    return order_id[1] if order_id else "", Told(
        who=_text(who).split()[0],
        kind="cancel" if "ancel" in action else "update_expiration",
        job=job[1] if job else "",
        outcome=_text(main),
        detail=_text(detail),
    )


def _text(html: str) -> str:
    return " ".join(unescape(_TAG.sub(" ", html)).split())


def judge(history: History, client: Client) -> None:
    told = told_on_the_audit_page(client)
    writes = defaultdict(list)
    for entry in history.emulator.ledger():
        writes[entry["order_id"]].append(entry)
    for order_id, order in history.truth().items():
        _judge_order(history, order, told.pop(order_id, []), writes[order_id])
    assert set(told) == {""}
    assert [(row.who, row.job) for row in told[""]] == [("Lead", str(history.job.pk))]
    counts = JobItem.objects.filter(job=history.job).counts()
    assert (counts.ended, counts.unknown) == (ORDERS, 0)


def _judge_order(
    history: History, order: dict[str, Any], rows: list[Told], entries: list[dict[str, Any]]
) -> None:
    assert {row.job for row in rows if row.who == "Lead"} <= {str(history.job.pk)}
    assert {row.job for row in rows if row.who != "Lead"} <= {""}
    for kind in ("cancel", "update_expiration"):
        sent = [entry for entry in entries if entry["kind"] == kind]
        applied = [entry for entry in sent if entry["applied"]]
        said = [row for row in rows if row.kind == kind and row.was_sent]
        done = [row for row in said if row.is_done]
        # Each operation sent one request at most, and none that says so sent one.
        assert len(sent) <= len(said), (sent, rows)
        assert not done or applied, (entries, rows)
        if kind == "cancel":
            assert bool(done) == (order["status"] == "failed"), (order["status"], rows)
    dates = {entry["after"]["expires_at"] for entry in entries if entry["kind"] != "cancel"}
    assert not dates or order["expires_at"] in dates


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_random_history_of_a_job_is_told_truly(
    emulator: Emulator,
    clock: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    # Each database has histories of its own.
    history = History(emulator, clock, monkeypatch, f"{connection.vendor} {seed}")
    history.play(settings)
    client = Client()
    client.force_login(make_user("admin"))
    judge(history, client)
