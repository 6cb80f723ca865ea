"""The list from the index: whole pages of 50 rows, signed in, one client, warm.

Every request of list_requests.py at ORDERS and at 10,000 orders, alternating with the bare view;
then random combinations; then the newest page and a search while a writer inserts orders as fast
as possible. LIST_ROUNDS (50) is the number of repetitions of each request, COMBINATIONS (500)
that of combinations. DATASET chooses the orders; the goals of "varied" are ratios to the bare view.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from bench import report
from bench.databases import (
    DATASET,
    ORDERS,
    SMALL_ORDER_COUNT,
    Database,
    Databases,
    filled_database,
    open_databases,
    temporary_copy,
)
from bench.list_requests import MeasuredRequest, RequestKind, fixed_requests, random_requests
from bench.report import Goal
from bench.serving import get_page, print_memory, running_web_server, sign_in_agent
from bench.timings import Timings, measure_alternately
from testing.serving import Process, Visitor

_ROUNDS = int(os.environ.get("LIST_ROUNDS", "50"))
_COMBINATIONS = int(os.environ.get("COMBINATIONS", "500"))
BARE = "bare 30 KB"
_TOO_BROAD, _ROW = "Too broad", "<tr id="
_NEWEST, _SEARCH = "newest page", "search, few hits"

# Of the median, in multiples of the bare view.
_TIMES_BARE = {RequestKind.PLAIN: 3.0, RequestKind.FEW: 4.0, RequestKind.MISS: 2.5}
_TIMES_BARE_VARIED = 8.0
# Of the 95th percentile, in milliseconds.
_MAX_P95 = 40.0
_MAX_P95_OF = {
    RequestKind.TYPING: 15.0,
    RequestKind.SIMILAR: 100.0,
    RequestKind.FACETS: 100.0,
    RequestKind.HARD: 600.0,
}
# Of random combinations.
_MAX_COMBINED_P95 = 120.0
_MAX_COMBINED_P99 = 300.0
# These take longer with more orders.
_GROWING = (RequestKind.FACETS, RequestKind.HARD)
_TIMES_SMALL = 2.0
_TIMES_IDLE = 2.0


def measure_list(vendor: str) -> None:
    with open_databases(vendor) as at:
        large, small = (
            filled_database(at, orders=ORDERS),
            filled_database(at, orders=SMALL_ORDER_COUNT),
        )
        with running_web_server(large.env) as web, running_web_server(small.env) as little:
            visitor = sign_in_agent(web)
            _measure_fixed_requests(large, visitor, small, sign_in_agent(little))
            _measure_random_requests(large, visitor)
            print_memory({"gunicorn": web.pid})
        _measure_during_writes(at, large)


def _measure_fixed_requests(
    large: Database, visitor: Visitor, small: Database, other: Visitor
) -> None:
    measured_requests = fixed_requests(large.values)
    asked = {BARE: partial(get_page, visitor, "/bare/")}
    asked |= {one.name: _request_of(visitor, one) for one in measured_requests}
    # Paired by position in the list: a name may contain the number of hits.
    asked |= {f"{n}": _request_of(other, one) for n, one in enumerate(fixed_requests(small.values))}
    series = measure_alternately(asked, rounds=_ROUNDS)
    bare = series[BARE].median
    report.print_title(
        f"List, {large.values['orders']:,} orders ({DATASET}), {large.vendor}",
        *("rows", "median", "p95 (ms)", "× bare", f"× {SMALL_ORDER_COUNT:,}"),
    )
    report.print_row(BARE, None, bare, series[BARE].p95, 1.0)
    goals: list[Goal] = []
    for number, measured in enumerate(measured_requests):
        one, little = series[measured.name], series[f"{number}"]
        judged = list(_judge(measured.kind, one, bare, little.median))
        missed = [goal for goal in judged if not goal.is_met]
        times = one.median / bare, one.median / little.median
        shown = _request_of(visitor, measured)()
        rows = "too broad" if _TOO_BROAD in shown else f"{shown.count(_ROW)}"
        report.print_row(measured.name, rows, one.median, one.p95, *times, goals=missed)
        goals += judged
    report.print_missed_goals(goals)


def _request_of(visitor: Visitor, measured: MeasuredRequest) -> partial[str]:
    return partial(get_page, visitor, measured.url, measured.headers)


def _judge(kind: RequestKind, one: Timings, bare: float, small: float) -> Iterator[Goal]:
    if DATASET == "varied":
        if kind not in (*_GROWING, RequestKind.TYPING):
            yield Goal("× bare", one.median / bare, _TIMES_BARE_VARIED)
        return
    if kind in _TIMES_BARE:
        yield Goal("× bare", one.median / bare, _TIMES_BARE[kind])
    yield Goal("p95", one.p95, _MAX_P95_OF.get(kind, _MAX_P95), " ms")
    if kind not in _GROWING:
        yield Goal(f"× {SMALL_ORDER_COUNT:,}", one.median / small, _TIMES_SMALL)


def _measure_random_requests(database: Database, visitor: Visitor) -> None:
    all_of_them = Timings("random combinations")
    slowest: list[tuple[float, str]] = []
    too_broad = 0
    for measured in random_requests(database.values, count=_COMBINATIONS):
        page = all_of_them.measure(_request_of(visitor, measured))
        slowest.append((all_of_them.milliseconds[-1], measured.url))
        too_broad += _TOO_BROAD in page
    report.print_title("Random combinations, each once", "median", "p95 (ms)", "p99", "longest")
    goals = [
        Goal("p95", all_of_them.p95, _MAX_COMBINED_P95, " ms"),
        Goal("p99", all_of_them.p99, _MAX_COMBINED_P99, " ms"),
        Goal("too broad", too_broad, 0),
    ]
    figures = all_of_them.median, all_of_them.p95, all_of_them.p99, max(all_of_them.milliseconds)
    report.print_row(f"{_COMBINATIONS} combinations", *figures, goals=goals)
    for milliseconds, url in sorted(slowest, reverse=True)[:3]:
        report.print_note(f"{milliseconds:,.1f} ms: {url}")


# --- while a sync writes ----------------------------------------------------------------------


def _measure_during_writes(at: Databases, database: Database) -> None:
    with ExitStack() as stack:
        copy = stack.enter_context(temporary_copy(at, database))
        visitor = sign_in_agent(stack.enter_context(running_web_server(copy.env)))
        asked = {
            _NEWEST: partial(get_page, visitor, "/orders/"),
            _SEARCH: partial(get_page, visitor, f"/orders/?q={database.values['twenty']}"),
        }
        idle = measure_alternately(asked, rounds=2 * _ROUNDS)
        with _writer(copy.env):
            busy = measure_alternately(asked, rounds=2 * _ROUNDS)
    _print_comparison(idle, busy)


@contextmanager
def _writer(env: Mapping[str, str]) -> Iterator[None]:
    """Start a process that inserts orders as fast as possible; return after its first insert."""
    writer = Process(["-m", "bench.index_writes", "flood"], env={**env, "PYTHONUNBUFFERED": "1"})
    try:
        while "storing" not in writer.output():
            if not writer.is_running():
                raise SystemExit(f"the writer ended:\n{writer.output()}")
            time.sleep(0.05)
        yield
        report.print_title("Reading while new orders are stored", "idle p95", "busy p95", "×")
        report.print_note(writer.output().splitlines()[-1])
    finally:
        writer.close()


def _print_comparison(idle: Mapping[str, Timings], busy: Mapping[str, Timings]) -> None:
    for name, before in idle.items():
        times = busy[name].p95 / before.p95
        goal = Goal("× idle", times, _TIMES_IDLE)
        report.print_row(name, before.p95, busy[name].p95, times, goals=[goal])
