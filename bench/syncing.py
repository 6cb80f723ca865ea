"""The sync: a first one beside a pager that stores nothing, one with nothing new, known pages.

`manage.py sync_orders` as a process, with 8 calls allowed at once and no pace, against a Goody
that answers after 100 ms and one that answers at once; the pager asks for one page after the other
and looks at none. Memory is the most that the process ever had.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from bench import report
from bench.databases import ORDERS, Home, empty, filled, home
from bench.report import Goal
from bench.series import Series
from bench.serving import environment, run
from testing.serving import TOP
from testing.vendor import KEY, Emulator

_AT_ONCE = "8"
_SLOW = 0.1
_PER_PAGE = 100
# Of a pager that takes its time, so many pages tell enough.
_PAGES = 200
_TIMES_PAGER = 5.0
_INSTANT = 4_000.0
_MEMORY = 200.0
_CALLS = 2.0
_PAGE_MS = 5.0


@dataclass(frozen=True, slots=True)
class Run:
    """A command that ended: seconds, and the most memory it had (MB)."""

    seconds: float
    memory: float


def measure(vendor: str) -> None:
    emulator = Emulator(orders=ORDERS)
    try:
        with home(vendor) as at:
            report.title(f"First sync, {ORDERS:,} orders, {vendor}", "a second", "× pager", "MB")
            emulator.set_latency(_SLOW)
            pager = _page_through(emulator.url)
            report.line(f"sequential pager, {_SLOW * 1000:.0f} ms a call", pager, 1.0)
            with _new_index(at, emulator) as env:
                _print_first(f"sync, {_SLOW * 1000:.0f} ms a call", _sync(env), pager=pager)
                emulator.set_latency(0)
                _print_nothing_new(emulator, env)
            with _new_index(at, emulator) as env:
                _print_first("sync, a call answered at once", _sync(env), pager=None)
            _print_unchanged(at)
    finally:
        emulator.stop()


def _page_through(url: str) -> float:
    """Orders a second."""
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
def _new_index(at: Home, emulator: Emulator) -> Iterator[dict[str, str]]:
    with empty(at) as url:
        env = environment(database_url=url, goody_url=emulator.url, SYNC_CALLS_AT_ONCE=_AT_ONCE)
        run(["manage.py", "migrate", "--verbosity", "0"], env=env)
        yield env


def _sync(env: dict[str, str]) -> Run:
    """One `sync_orders`, from the start of its process to the end of it."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "sync_orders"],
        cwd=TOP,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"sync_orders ended with {process.returncode}")
    return Run(time.perf_counter() - started, usage.ru_maxrss / 1024)


def _print_first(name: str, done: Run, *, pager: float | None) -> None:
    pace = ORDERS / done.seconds
    goals = [Goal("memory", done.memory, _MEMORY, " MB")]
    if pager is None:
        goals.insert(0, Goal("a second", pace, _INSTANT, is_floor=True))
    else:
        goals.insert(0, Goal("× pager", pace / pager, _TIMES_PAGER, is_floor=True))
    report.line(name, pace, pace / pager if pager else None, done.memory, goals=goals)


def _print_nothing_new(emulator: Emulator, env: dict[str, str]) -> None:
    _sync(env)
    before = emulator.calls()["total"]
    _sync(env)
    calls = emulator.calls()["total"] - before
    report.line("calls of a sync with nothing new", calls, goals=[Goal("calls", calls, _CALLS)])


def _print_unchanged(at: Home) -> None:
    database = filled(at, orders=ORDERS)
    pages = Series("pages", json.loads(run(["-m", "bench.writing", "unchanged"], env=database.env)))
    report.title(f"A page of {_PER_PAGE} that is known already", "median", "p95 (ms)")
    goal = Goal("median", pages.median, _PAGE_MS, " ms")
    report.line("compared and left alone", pages.median, pages.p95, goals=[goal])
