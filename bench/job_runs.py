"""Measures jobs: rate, CPU time of an item, memory, the list during a job, killed workers.

A job cancels new orders. The rate is measured with a Goody that answers after 100 ms. CPU time and
memory of the worker are measured without a rate limit, with a Goody that answers at once. JOB_ITEMS
(5,000) is the number of items of a large job, JOB_KILLS (2,000) that of the job whose workers are
killed.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial

import psutil
import psycopg

from bench import report
from bench.databases import (
    ORDERS,
    Databases,
    empty_database,
    filled_database,
    open_databases,
    temporary_copy,
)
from bench.report import Goal
from bench.serving import (
    get_page,
    prepare_database,
    process_environment,
    run_command,
    running_web_server,
    running_worker,
    sign_in_agent,
)
from bench.timings import Timings, measure_alternately
from testing.redis_server import RedisServer
from testing.serving import Process
from testing.vendor import Emulator

_FEW, _MANY = 50, int(os.environ.get("JOB_ITEMS", "5000"))
_KILLED = int(os.environ.get("JOB_KILLS", "2000"))
_ROUNDS = int(os.environ.get("LIST_ROUNDS", "50"))
_SLOW = 0.1
# Items a second, with two calls of 100 ms for each.
_PACE = 3.0
_PACED = 60
_UNBOUNDED = "100000"
_DEFAULT_PACE = "2"
_KILL_EVERY = 3.0
_SHORT = {"BULK_LEASE": "5", "OPERATION_LEASE": "5", "OPERATION_READS": "0.5,1,2,3"}
_SETTLED_AFTER = {"OPERATION_NOT_APPLIED_SPREAD": "2", "OPERATION_EFFECT_WINDOW": "2"}

_KEPT_PACE = 95.0
_OWN_MS = 10.0
_MEMORY_GROWTH = 32.0
_TIMES_IDLE = 2.0


def measure_jobs(vendor: str) -> None:
    emulator = Emulator(orders=100)
    try:
        with open_databases(vendor) as at:
            report.print_title(f"Jobs, {vendor}", "items/s", "kept (%)", "CPU (ms)", "MB")
            _print_pace(at, emulator)
            _print_cost_and_memory(at, emulator)
            _print_kills(at, emulator, "queued in the database")
            if vendor == "postgresql":
                with running_redis() as url:
                    _print_kills(at, emulator, "queued in Redis", TASKS_URL=url)
            _print_lists(at, emulator)
    finally:
        emulator.stop()


def _print_pace(at: Databases, emulator: Emulator) -> None:
    emulator.set_latency(_SLOW)
    with _new_database(at, emulator, BULK_ITEMS_PER_SECOND=str(_PACE)) as env:
        _create_job(env, _PACED)
        with running_worker(env):
            # The first items begin at once.
            _wait_for_ended(env, 5)
            started = time.perf_counter()
            _wait_for_ended(env, _PACED)
            pace = (_PACED - 5) / (time.perf_counter() - started)
    emulator.set_latency(0)
    kept = 100 * pace / _PACE
    goal = Goal("kept", kept, _KEPT_PACE, " %", is_floor=True)
    report.print_row(f"{_SLOW * 1000:.0f} ms a call, {_PACE:g} a second", pace, kept, goals=[goal])


def _print_cost_and_memory(at: Databases, emulator: Emulator) -> None:
    memory = {}
    for count in (_FEW, _MANY):
        with _new_database(at, emulator) as env:
            _create_job(env, count)
            with running_worker(env) as worker:
                _wait_for_ended(env, 1)
                process, started = psutil.Process(worker.pid), time.perf_counter()
                before = _cpu_seconds(process)
                _wait_for_ended(env, count)
                pace = (count - 1) / (time.perf_counter() - started)
                cost = 1000 * (_cpu_seconds(process) - before) / (count - 1)
                memory[count] = process.memory_info().rss / 2**20
        goals = [Goal("own cost", cost, _OWN_MS, " ms")]
        if count == _MANY:
            growth = memory[_MANY] - memory[_FEW]
            goals.append(Goal("growth", growth, _MEMORY_GROWTH, " MB"))
        report.print_row(f"{count:,} items", pace, None, cost, memory[count], goals=goals)


@contextmanager
def running_redis() -> Iterator[str]:
    """Start a Redis or Valkey and yield its TASKS_URL."""
    server = RedisServer()
    try:
        yield server.url
    finally:
        server.stop()


def _print_kills(at: Databases, emulator: Emulator, name: str, **more: str) -> None:
    """Run a job with two workers, of which one is killed and replaced every few seconds."""
    more |= {**_SHORT, **_SETTLED_AFTER, "WEB_CONCURRENCY": "2" if at.vendor != "sqlite" else "1"}
    with _new_database(at, emulator, **more) as env, running_web_server(env):
        _create_job(env, _KILLED)
        posts, applied = emulator.posts(), _applied(emulator)
        workers = [_worker(env), _worker(env)]
        kills = 0
        while (ended := _ended(env)) < _KILLED:
            time.sleep(_KILL_EVERY)
            # A worker that has just started does nothing yet.
            if _ended(env) > ended:
                workers.pop(0).kill()
                workers.append(_worker(env))
                kills += 1
        while _query(env, _UNSETTLED):
            time.sleep(0.5)
        for worker in workers:
            worker.close()
        unexplained = emulator.posts() - posts - _query(env, _SENT)
        untrue = abs(_applied(emulator) - applied - _query(env, _DONE))
    goals = [
        # The process may die after the operation was marked as sent and before the first byte.
        Goal("POSTs without an operation", max(unexplained, 0), 0),
        Goal("untrue outcomes", untrue, 0),
    ]
    report.print_row(f"{_KILLED:,} items, {kills} kills, {name}", goals=goals)


def _applied(emulator: Emulator) -> int:
    """Return the number of cancels that Goody has applied."""
    return sum(entry["applied"] for entry in emulator.ledger(kind="cancel"))


def _print_lists(at: Databases, emulator: Emulator) -> None:
    database = filled_database(at, orders=ORDERS)
    with temporary_copy(at, database) as copy:
        env = _environment(copy.url, emulator, BULK_ITEMS_PER_SECOND=_DEFAULT_PACE)
        prepare_database(env)
        with running_web_server(env) as web:
            visitor = sign_in_agent(web)
            idle = _measure_list(partial(get_page, visitor, "/orders/"))
            _create_job(env, _MANY)
            with running_worker(env):
                _wait_for_ended(env, 1)
                busy = _measure_list(partial(get_page, visitor, "/orders/"))
    ratio = busy.p95 / idle.p95
    report.print_title(f"The list of {ORDERS:,} orders beside a job", "p95 (ms)", "× idle")
    report.print_row("idle", idle.p95)
    goal = Goal("× idle", ratio, _TIMES_IDLE)
    report.print_row("while a job runs at the default pace", busy.p95, ratio, goals=[goal])


def _measure_list(request: partial[str]) -> Timings:
    return measure_alternately({"list": request}, rounds=_ROUNDS)["list"]


@contextmanager
def _new_database(at: Databases, emulator: Emulator, **more: str) -> Iterator[dict[str, str]]:
    with empty_database(at) as url:
        env = _environment(url, emulator, **more)
        prepare_database(env)
        yield env


def _environment(url: str, emulator: Emulator, **more: str) -> dict[str, str]:
    unbounded = {
        "BULK_ITEMS_PER_SECOND": _UNBOUNDED,
        "BULK_APPROVAL_ABOVE": _UNBOUNDED,
        "BULK_MAX_ORDERS": _UNBOUNDED,
        "BULK_CANCELS_PER_DAY": f"admin={_UNBOUNDED}",
        "BULK_CANCEL_GRACE": "0",
        "SYNC_INTERVAL": "0",
    }
    return process_environment(database_url=url, goody_url=emulator.url, **{**unbounded, **more})


def _worker(env: Mapping[str, str]) -> Process:
    return Process(["manage.py", "work"], env=env)


def _create_job(env: Mapping[str, str], count: int) -> None:
    run_command(["-m", "bench.new_job", str(count)], env=env, timeout=600)


def _wait_for_ended(env: Mapping[str, str], count: int) -> None:
    while _ended(env) < count:
        time.sleep(0.1)


_ENDED = "SELECT count(*) FROM orders_jobitem WHERE ended_at IS NOT NULL"
_SENT = "SELECT count(*) FROM orders_operation WHERE sent_at IS NOT NULL"
_DONE = "SELECT count(*) FROM orders_jobitem WHERE state = 'done'"
_UNSETTLED = "SELECT count(*) FROM orders_operation WHERE state IN ('planned','sending','unknown')"


def _ended(env: Mapping[str, str]) -> int:
    return _query(env, _ENDED)


def _query(env: Mapping[str, str], query: str) -> int:
    url = env["DATABASE_URL"]
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=60)) as connection:
            return int(connection.execute(query).fetchone()[0])
    with psycopg.connect(url) as server:
        row = server.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
