"""The live pages: the time that the dashboard adds to Goody's own, and the memory of each process.

For the list (50 rows) and the detail, with Goody answering at once and after 100 ms: the whole
page, the same request to Goody directly, and the difference. ROUNDS (200) changes how often, and
GOODY_ORDERS (5000) how many orders the emulator has.
"""

from __future__ import annotations

import os
import tempfile
from functools import partial

from bench import report
from bench.serving import (
    get_page,
    prepare_database,
    print_memory,
    process_environment,
    running_web_server,
    running_worker,
    sign_in_agent,
)
from bench.timings import Timings, measure_alternately
from testing.serving import Visitor
from testing.vendor import Emulator

ROUNDS = int(os.environ.get("ROUNDS", "200"))
_ORDERS = int(os.environ.get("GOODY_ORDERS", "5000"))
_LATENCIES = (0.0, 0.1)
_WARM_UP = 20
_BEYOND = {"list": 15.0, "detail": 8.0}


def measure_live_pages() -> None:
    emulator = Emulator(orders=_ORDERS)
    try:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/core.sqlite3"
            # A worker that syncs would use CPU time during the measurement.
            env = process_environment(database_url=url, goody_url=emulator.url, SYNC_INTERVAL="0")
            _measure(emulator, env)
    finally:
        emulator.stop()


def _measure(emulator: Emulator, env: dict[str, str]) -> None:
    prepare_database(env)
    with running_web_server(env) as web, running_worker(env) as worker:
        visitor, order_id = sign_in_agent(web), emulator.find_order_id(status="notified")
        for latency in _LATENCIES:
            emulator.set_latency(latency)
            _compare(emulator, visitor, order_id, latency)
        print_memory({"gunicorn": web.pid, "worker": worker.pid})


def _compare(emulator: Emulator, visitor: Visitor, order_id: str, latency: float) -> None:
    direct = Visitor.without_login(emulator.url, {"Authorization": f"Bearer {emulator.key}"})
    rounds = ROUNDS if not latency else max(20, ROUNDS // 4)
    asked = {
        "list": partial(get_page, visitor, "/orders/?per_page=50"),
        "list, at Goody": partial(get_page, direct, "/v1/orders?page=1&per_page=50"),
        "detail": partial(get_page, visitor, f"/orders/{order_id}/"),
        "detail, at Goody": partial(get_page, direct, f"/v1/orders/{order_id}"),
        "bare 30 KB": partial(get_page, visitor, "/bare/"),
    }
    series = measure_alternately(asked, rounds=rounds, warm_up=_WARM_UP)
    report.print_title(
        f"Goody answers after {latency * 1000:.0f} ms", "median", "p95 (ms)", "× bare"
    )
    bare = series["bare 30 KB"].median
    for one in series.values():
        report.print_row(one.name, one.median, one.p95)
    for name in _BEYOND:
        _print_beyond(series[name], series[f"{name}, at Goody"], bare)


def _print_beyond(page: Timings, vendor: Timings, bare: float) -> None:
    own, own_p95 = page.median - vendor.median, page.p95 - vendor.p95
    goal = report.Goal("median", own, _BEYOND[page.name], " ms")
    report.print_row(f"{page.name} beyond Goody", own, own_p95, own / bare, goals=[goal])
