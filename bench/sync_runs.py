"""The sync: a first one compared with a pager, one without changes, and unchanged pages.

`manage.py sync_orders` runs as a process with 8 concurrent calls and without a rate limit, against
a Goody that responds after 100 ms and one that responds at once. The pager requests the
pages one by one and ignores them. Memory is the maximum of the process. The CPU time of an order is
measured over the first and the last tenth of the orders, since it grows with the index.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psutil
import psycopg
import requests

from bench import report
from bench.databases import ORDERS, Databases, empty_database, filled_database, open_databases
from bench.report import Goal
from bench.serving import process_environment, run_command
from bench.timings import Timings
from testing.serving import TOP
from testing.vendor import KEY, Emulator

_AT_ONCE = "8"
_SLOW = 0.1
_PER_PAGE = 100
# The maximum of pages that the pager reads.
_PAGES = 200
_TIMES_PAGER = 5.0
_INSTANT = 4_000.0
_MEMORY = 200.0
_CALLS = 2.0
_PAGE_MS = 5.0
# The rate of the last tenth, by CPU time, in percent of that of the first tenth.
_KEPT_RATE = 80.0
_SAMPLE_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class FinishedCommand:
    """A command that ended: seconds, maximal memory (MB), samples of (orders, CPU seconds)."""

    seconds: float
    memory: float
    samples: list[tuple[int, float]]

    def cpu_per_order(self, start: int, end: int) -> float:
        """Return CPU microseconds per order, between the samples around these numbers."""
        first = [sample for sample in self.samples if sample[0] <= start][-1]
        last = next((one for one in self.samples if one[0] >= end), self.samples[-1])
        return 1e6 * (last[1] - first[1]) / max(last[0] - first[0], 1)


def measure_sync(vendor: str) -> None:
    emulator = Emulator(orders=ORDERS)
    try:
        with open_databases(vendor) as at:
            report.print_title(
                f"First sync, {ORDERS:,} orders, {vendor}", "a second", "× pager", "MB"
            )
            emulator.set_latency(_SLOW)
            pager = _page_through(emulator.url)
            report.print_row(f"sequential pager, {_SLOW * 1000:.0f} ms a call", pager, 1.0)
            with _new_index(at, emulator) as env:
                _print_first(f"sync, {_SLOW * 1000:.0f} ms a call", _sync(env), pager=pager)
                emulator.set_latency(0)
                _print_nothing_new(emulator, env)
            with _new_index(at, emulator) as env:
                done = _sync(env)
                _print_first("sync, a call answered at once", done, pager=None)
            _print_growth(done)
            _print_unchanged(at)
    finally:
        emulator.stop()


def _page_through(url: str) -> float:
    """Return the orders per second of the sequential pager."""
    pages = min(_PAGES, -(-ORDERS // _PER_PAGE))
    with requests.Session() as http:
        http.headers["Authorization"] = f"Bearer {KEY}"
        started = time.perf_counter()
        for page in range(1, pages + 1):
            answer = http.get(f"{url}/v1/orders", params={"page": page, "per_page": _PER_PAGE})
            answer.raise_for_status()
            answer.json()
        return min(pages * _PER_PAGE, ORDERS) / (time.perf_counter() - started)


@contextmanager
def _new_index(at: Databases, emulator: Emulator) -> Iterator[dict[str, str]]:
    with empty_database(at) as url:
        env = process_environment(
            database_url=url, goody_url=emulator.url, SYNC_CALLS_AT_ONCE=_AT_ONCE
        )
        run_command(["manage.py", "migrate", "--verbosity", "0"], env=env)
        yield env


def _sync(env: dict[str, str]) -> FinishedCommand:
    """Run `sync_orders`, from the start of its process to its end."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "sync_orders"],
        cwd=TOP,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    samples = [(0, 0.0)]
    while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
        times = psutil.Process(process.pid).cpu_times()
        samples.append((_imported(env["DATABASE_URL"]), times.user + times.system))
        time.sleep(_SAMPLE_EVERY)
    _, status, usage = ended
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"sync_orders ended with {process.returncode}")
    return FinishedCommand(time.perf_counter() - started, usage.ru_maxrss / 1024, samples)


def _imported(url: str) -> int:
    """Return the number of orders that the full sync has stored."""
    query = "SELECT COALESCE(max(imported), 0) FROM orders_syncstate"
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=60)) as connection:
            return int(connection.execute(query).fetchone()[0])
    with psycopg.connect(url) as server:
        row = server.execute(query).fetchone()
        return int(row[0]) if row else 0


def _print_first(name: str, done: FinishedCommand, *, pager: float | None) -> None:
    pace = ORDERS / done.seconds
    goals = [Goal("memory", done.memory, _MEMORY, " MB")]
    if pager is None:
        goals.insert(0, Goal("a second", pace, _INSTANT, is_floor=True))
    else:
        goals.insert(0, Goal("× pager", pace / pager, _TIMES_PAGER, is_floor=True))
    report.print_row(name, pace, pace / pager if pager else None, done.memory, goals=goals)


def _print_growth(done: FinishedCommand) -> None:
    tenth = max(ORDERS // 10, 1)
    first = done.cpu_per_order(0, tenth)
    last = done.cpu_per_order(ORDERS - tenth, ORDERS)
    report.print_title(
        "CPU time of an order in a first sync", "first tenth", "last (µs)", "kept (%)"
    )
    kept = 100 * first / last
    goal = Goal("kept rate", kept, _KEPT_RATE, " %", is_floor=True)
    report.print_row("sync_orders, all threads", first, last, kept, goals=[goal])


def _print_nothing_new(emulator: Emulator, env: dict[str, str]) -> None:
    _sync(env)
    before = emulator.calls()["total"]
    _sync(env)
    calls = emulator.calls()["total"] - before
    report.print_row(
        "calls of a sync with nothing new", calls, goals=[Goal("calls", calls, _CALLS)]
    )


def _print_unchanged(at: Databases) -> None:
    database = filled_database(at, orders=ORDERS)
    pages = Timings(
        "pages",
        json.loads(run_command(["-m", "bench.index_writes", "unchanged"], env=database.env)),
    )
    report.print_title(f"An unchanged page of {_PER_PAGE}", "median", "p95 (ms)")
    goal = Goal("median", pages.median, _PAGE_MS, " ms")
    report.print_row("compared and left alone", pages.median, pages.p95, goals=[goal])
