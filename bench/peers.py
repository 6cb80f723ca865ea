"""The list compared with its peers on the same orders: their requests alternate with ours.

Django's own admin, plain, tuned, and tuned and analyzed (changelist/); Datasette with tuned limits
and a trigram index on the analyzed table, with and without suggested facets; at 10,000 orders a
plain scan of the API with requests. Always on SQLite. Requests that take seconds
are repeated three times.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import requests

from bench import report
from bench.databases import (
    DATABASE_FOLDER,
    ORDERS,
    SMALL_ORDER_COUNT,
    Database,
    filled_database,
    hash_files,
    open_databases,
)
from bench.list_pages import BARE
from bench.report import Goal
from bench.serving import get_page, run_command, running_web_server, sign_in_agent
from bench.timings import Request, measure_alternately
from testing.postgres import free_port
from testing.serving import TOP, Visitor, wait_for
from testing.vendor import KEY, Emulator

_DATASETTE = TOP / ".venv-bench" / "bin" / "datasette"
_ROUNDS = 50
_COPYING = 1_800.0
_PLAIN, _TUNED, _ANALYZED = "admin, plain", "admin, tuned", "admin, tuned and analyzed"
_TABLE, _LEAN = "Datasette", "Datasette, no facets suggested"
# How many times faster than a scan, by its latency.
_SCAN = {0.0: 150.0, 0.1: 1000.0}
_LIMITS = {
    "default_page_size": "50",
    "sql_time_limit_ms": "10000",
    "facet_time_limit_ms": "1000",
    "facet_suggest_time_limit_ms": "5",
    "num_sql_threads": "2",
    "cache_size_kb": "100000",
}


def measure_peers() -> None:
    _require_datasette()
    print(subprocess.check_output([_DATASETTE, "--version"], text=True).strip())
    with open_databases("sqlite") as at:
        _beside_admin_and_datasette(filled_database(at, orders=ORDERS))
        _beside_a_scan(filled_database(at, orders=SMALL_ORDER_COUNT))


def _require_datasette() -> None:
    if not _DATASETTE.exists():
        raise SystemExit("Datasette is not installed: `sh bin/bench` (`make bench`) installs it.")


def _beside_admin_and_datasette(database: Database) -> None:
    peers = copy_orders_for_peers(database)
    env = {**database.env, "PEERS_DATABASE": f"sqlite:///{peers}"}
    with running_web_server(env) as web, running_datasette(peers) as datasette:
        visitor = sign_in_agent(web)
        for asked in _peer_requests(database):
            _compare(asked, _requests(asked, visitor, datasette))


def _requests(asked: _PeerRequest, visitor: Visitor, datasette: Visitor) -> dict[str, partial[str]]:
    admin, table = "/peers/peers/{}order/", "/peers/peers_analyzedorder"
    lean = {**asked.datasette, "_nosuggest": "1", "_nofacet": "1"}
    return {
        BARE: partial(get_page, visitor, "/bare/"),
        "ours": partial(get_page, visitor, _url("/orders/", asked.ours)),
        _PLAIN: partial(get_page, visitor, _url(admin.format("plain"), asked.admin)),
        _TUNED: partial(get_page, visitor, _url(admin.format("slim"), asked.admin)),
        _ANALYZED: partial(get_page, visitor, _url(admin.format("analyzed"), asked.admin)),
        _TABLE: partial(get_page, datasette, _url(table, asked.datasette)),
        _LEAN: partial(get_page, datasette, _url(table, lean)),
    }


def _url(path: str, params: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(params)}" if params else path


@dataclass(frozen=True, slots=True)
class _PeerRequest:
    """One request as parameters for us, the admin and Datasette, and the speed-ups to reach."""

    name: str
    ours: Mapping[str, str]
    admin: Mapping[str, str]
    datasette: Mapping[str, str]
    goals: Mapping[str, float]


def _peer_requests(database: Database) -> Iterator[_PeerRequest]:
    few, many, common = database.values["twenty"], database.values["many"], "delivered"
    newest = {"_sort_desc": "id"}
    goals = {_PLAIN: 300.0, _TUNED: 6.0, _TABLE: 4.0}
    yield _PeerRequest("newest", {}, {}, newest, goals)
    yield _PeerRequest(
        "common status",
        {"status": common},
        {"status__exact": common},
        {"status": common, **newest},
        {_PLAIN: 300.0, _TUNED: 8.0, _TABLE: 4.0},
    )
    goals = {_PLAIN: 100.0, _TUNED: 40.0, _TABLE: 4.0}
    yield _PeerRequest(
        "search, few hits", {"q": few}, {"q": few}, {"_search": few, **newest}, goals
    )
    goals = {_TABLE: 4.0}
    yield _PeerRequest(
        "search, many hits", {"q": many}, {"q": many}, {"_search": many, **newest}, goals
    )


def _compare(asked: _PeerRequest, requested: Mapping[str, partial[str]]) -> None:
    first = _first_order(requested["ours"]())
    series = measure_alternately(requested, rounds=_ROUNDS)
    bare, mine = series[BARE].median, series["ours"].median
    report.print_title(f"{asked.name}, {ORDERS:,} orders", "median", "p95 (ms)", "× bare", "× ours")
    for name, one in series.items():
        times, limit = one.median / mine, asked.goals.get(name)
        goals = [Goal("faster", times, limit, " times", is_floor=True)] if limit else []
        report.print_row(name, one.median, one.p95, one.median / bare, times, goals=goals)
        if name != BARE and first not in requested[name]().replace("-", ""):
            report.print_note(f"{name} shows other orders than ours")


def _first_order(page: str) -> str:
    """Return the id of the first row, in the database's format."""
    found = re.search('<tr id="order-([^"]+)"', page)
    return found[1].replace("-", "") if found else ""


# --- their databases and servers --------------------------------------------------------------


def copy_orders_for_peers(database: Database) -> Path:
    """Return the peers' file next to the index's, created if it does not exist or is older."""
    path = database.path.with_name("peers.sqlite3")
    made_from = path.with_suffix(".txt")
    made_by = hash_files("bench/changelist", "bench/peer_tables.py")
    wanted = f"{database.path} {database.path.stat().st_ino} {made_by}"
    if not path.exists() or not made_from.exists() or made_from.read_text() != wanted:
        report.print_note("copying the orders for the peers, once")
        for old in path.parent.glob("peers.*"):
            old.unlink()
        env = {**database.env, "PEERS_DATABASE": f"sqlite:///{path}"}
        run_command(["-m", "bench.peer_tables"], env=env, timeout=_COPYING)
        made_from.write_text(wanted)
    return path


@contextmanager
def running_datasette(path: Path) -> Iterator[Visitor]:
    """Start Datasette on a file that may change, like an index during a sync."""
    _require_datasette()
    port = free_port()
    limits = [part for name, value in _LIMITS.items() for part in ("--setting", name, value)]
    command = [_DATASETTE, "serve", path, "--port", str(port)]
    with (DATABASE_FOLDER / "datasette.log").open("wb") as log:
        process = subprocess.Popen([*map(str, command), *limits], stdout=log, stderr=log)
    visitor = Visitor.without_login(f"http://127.0.0.1:{port}", {})
    try:
        wait_for(lambda: _answers(visitor), timeout=60, what="Datasette answers")
        yield visitor
    finally:
        process.terminate()
        process.wait(10)


def _answers(visitor: Visitor) -> bool:
    try:
        return visitor.get("/-/versions.json").ok
    except requests.ConnectionError:
        return False


# --- scanning the API -------------------------------------------------------------------------


def _beside_a_scan(database: Database) -> None:
    emulator = Emulator(orders=SMALL_ORDER_COUNT)
    try:
        with running_web_server(database.env) as web:
            visitor = sign_in_agent(web)
            for latency, limit in _SCAN.items():
                emulator.set_latency(latency)
                report.print_title(
                    f"One of {SMALL_ORDER_COUNT:,} orders, {latency * 1000:.0f} ms a call",
                    *("median", "p95 (ms)", "× ours"),
                )
                _compare_with_scan(emulator.url, visitor, database.values["twenty"], limit)
    finally:
        emulator.stop()


def _compare_with_scan(url: str, visitor: Visitor, word: str, limit: float) -> None:
    asked: dict[str, Request] = {
        "ours": partial(get_page, visitor, f"/orders/?{urlencode({'q': word})}"),
        "a scan with requests": partial(scan_api, url, word),
    }
    ours, scanned = measure_alternately(asked, rounds=_ROUNDS, warm_up=1).values()
    times = scanned.median / ours.median
    goal = Goal("faster", times, limit, " times", is_floor=True)
    report.print_row(ours.name, ours.median, ours.p95, 1.0)
    report.print_row(scanned.name, scanned.median, scanned.p95, times, goals=[goal])


def scan_api(url: str, word: str) -> int:
    """Count the orders that contain the word, by the API alone."""
    found = 0
    with requests.Session() as http:
        http.headers["Authorization"] = f"Bearer {KEY}"
        for page in range(1, SMALL_ORDER_COUNT // 100 + 1):
            answer = http.get(f"{url}/v1/orders", params={"page": page, "per_page": 100})
            answer.raise_for_status()
            found += sum(word in _people(order) for order in answer.json()["data"])
    return found


def _people(order: Mapping[str, str | None]) -> str:
    names = ("recipient_first_name", "recipient_last_name", "recipient_email")
    return " ".join(order.get(name) or "" for name in names).lower()
