"""The list beside its peers, on the same orders, in one run: each asked in turn with ours.

Django's own admin, plain and tuned (changelist/); Datasette with its limits tuned and a trigram
index, on the file of the tuned admin; at 10,000 orders a plain scan of the API with requests. On
SQLite, whatever DATABASE says. What takes seconds is asked three times.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import requests

from bench import report
from bench.databases import FOLDER, ORDERS, SMALL, Database, filled, home
from bench.listing import BARE
from bench.report import Goal
from bench.series import Request, in_turn
from bench.serving import agent, get, run, serving
from testing.postgres import free_port
from testing.serving import TOP, Visitor, wait_for
from testing.vendor import KEY, Emulator

_DATASETTE = TOP / ".venv-bench" / "bin" / "datasette"
_ROUNDS = 50
_COPYING = 1_800.0
# How many times faster than this one, by what is asked.
_PLAIN = {"newest": 300.0, "status": 300.0, "search": 100.0}
_TUNED = {"newest": 6.0, "status": 8.0, "search": 40.0}
_FACTOR_DATASETTE = 4.0
_SCAN = {0.0: 150.0, 0.1: 1000.0}
_LIMITS = {
    "default_page_size": "50",
    "sql_time_limit_ms": "10000",
    "facet_time_limit_ms": "200",
    "suggest_facets": "off",
    "num_sql_threads": "2",
    "cache_size_kb": "100000",
}


def measure() -> None:
    if not _DATASETTE.exists():
        raise SystemExit("Datasette is not installed: `sh bin/bench` (`make bench`) installs it.")
    print(subprocess.check_output([_DATASETTE, "--version"], text=True).strip())
    with home("sqlite") as at:
        _beside_admin_and_datasette(filled(at, orders=ORDERS))
        _beside_a_scan(filled(at, orders=SMALL))


def _beside_admin_and_datasette(database: Database) -> None:
    peers = copied_for_peers(database)
    env = {**database.env, "PEERS_DATABASE": f"sqlite:///{peers}"}
    with serving(env) as web, _datasette(peers) as datasette:
        visitor = agent(web)
        for what, (asked, paths) in _questions(database).items():
            requested: dict[str, Request] = {
                BARE: partial(get, visitor, "/bare/"),
                "ours": partial(get, visitor, asked),
                "admin, plain": partial(get, visitor, f"/peers/peers/plainorder/?{paths[0]}"),
                "admin, tuned": partial(get, visitor, f"/peers/peers/slimorder/?{paths[0]}"),
                "Datasette": partial(get, datasette, f"/peers/peers_slimorder?{paths[1]}"),
            }
            _compare(what, requested)


def _questions(database: Database) -> dict[str, tuple[str, tuple[str, str]]]:
    """What is asked -> our path, and the parameters of the admin's and of Datasette's."""
    facts = database.facts
    word, common = facts["twenty"], "delivered"
    newest = {"_sort_desc": "id"}
    return {
        "newest": ("/orders/", ("", urlencode(newest))),
        "status": (
            f"/orders/?status={common}",
            (f"status__exact={common}", urlencode({"status": common, **newest})),
        ),
        "search": (
            f"/orders/?{urlencode({'q': word})}",
            (urlencode({"q": word}), urlencode({"_search": word, **newest})),
        ),
        "search, many hits": (
            f"/orders/?{urlencode({'q': facts['many']})}",
            (urlencode({"q": facts["many"]}), urlencode({"_search": facts["many"], **newest})),
        ),
    }


def _compare(what: str, requested: Mapping[str, Request]) -> None:
    series = in_turn(requested, rounds=_ROUNDS)
    bare, mine = series[BARE].median, series["ours"].median
    report.title(f"{what}, {ORDERS:,} orders", "median", "p95 (ms)", "× bare", "× ours")
    for one in series.values():
        times = one.median / mine
        goals = [] if one.name in (BARE, "ours") else list(_goals(what, one.name, times))
        report.line(one.name, one.median, one.p95, one.median / bare, times, goals=goals)


def _goals(what: str, peer: str, times: float) -> Iterator[Goal]:
    by_peer = {
        "admin, plain": _PLAIN.get(what),
        "admin, tuned": _TUNED.get(what),
        "Datasette": _FACTOR_DATASETTE,
    }
    if limit := by_peer[peer]:
        yield Goal("faster", times, limit, " times", is_floor=True)


# --- their databases and servers --------------------------------------------------------------


def copied_for_peers(database: Database) -> Path:
    """The peers' file beside the index's, made if it is not there or is older."""
    path = database.path.with_name("peers.sqlite3")
    made_from = path.with_suffix(".txt")
    wanted = f"{database.path} {database.path.stat().st_ino}"
    if not path.exists() or not made_from.exists() or made_from.read_text() != wanted:
        report.note("copying the orders for the peers, once")
        for old in path.parent.glob("peers.*"):
            old.unlink()
        env = {**database.env, "PEERS_DATABASE": f"sqlite:///{path}"}
        run(["-m", "bench.copying"], env=env, timeout=_COPYING)
        made_from.write_text(wanted)
    return path


@contextmanager
def _datasette(path: Path) -> Iterator[Visitor]:
    """A Datasette on a file that may change, as an index does while a sync keeps it."""
    port = free_port()
    limits = [part for name, value in _LIMITS.items() for part in ("--setting", name, value)]
    command = [_DATASETTE, "serve", path, "--port", str(port)]
    with (FOLDER / "datasette.log").open("wb") as log:
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
    emulator = Emulator(orders=SMALL)
    try:
        with serving(database.env) as web:
            visitor = agent(web)
            for latency, limit in _SCAN.items():
                emulator.set_latency(latency)
                report.title(
                    f"One of {SMALL:,} orders, {latency * 1000:.0f} ms a call",
                    *("median", "p95 (ms)", "× ours"),
                )
                _compare_with_scan(emulator.url, visitor, database.facts["twenty"], limit)
    finally:
        emulator.stop()


def _compare_with_scan(url: str, visitor: Visitor, word: str, limit: float) -> None:
    asked: dict[str, Request] = {
        "ours": partial(get, visitor, f"/orders/?{urlencode({'q': word})}"),
        "a scan with requests": partial(scan, url, word),
    }
    ours, scanned = in_turn(asked, rounds=_ROUNDS, warm_up=1).values()
    times = scanned.median / ours.median
    goal = Goal("faster", times, limit, " times", is_floor=True)
    report.line(ours.name, ours.median, ours.p95, 1.0)
    report.line(scanned.name, scanned.median, scanned.p95, times, goals=[goal])


def scan(url: str, word: str) -> int:
    """How many orders hold the word: what one does who has nothing but the API."""
    found = 0
    with requests.Session() as http:
        http.headers["Authorization"] = f"Bearer {KEY}"
        for page in range(1, SMALL // 100 + 1):
            answer = http.get(f"{url}/v1/orders", params={"page": page, "per_page": 100})
            answer.raise_for_status()
            found += sum(word in _people(order) for order in answer.json()["data"])
    return found


def _people(order: Mapping[str, str | None]) -> str:
    names = ("recipient_first_name", "recipient_last_name", "recipient_email")
    return " ".join(order.get(name) or "" for name in names).lower()
