"""`make bench`: what the dashboard adds to Goody's own time, over HTTP through gunicorn.

For the list (50 rows) and the detail, with the emulator answering at once and after 100 ms: the
whole page as an agent who is signed in gets it, the same order or page of orders asked of the
emulator directly, and the difference. Beside them a bare view of 30 KB through the same gunicorn,
and the memory of each process. One client, warm, the three taken in turn so that a machine that
drifts drifts for all of them. ROUNDS (200) and ORDERS (5000) change how much.
"""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from testing.serving import Process, Visitor, Web
from testing.vendor import Emulator

ROUNDS = int(os.environ.get("ROUNDS", "200"))
ORDERS = int(os.environ.get("ORDERS", "5000"))
WARM_UP = 20
LATENCIES = (0.0, 0.1)


@dataclass
class Series:
    """Milliseconds of one kind of request."""

    name: str
    took: list[float] = field(default_factory=list)

    def measure(self, request: Callable[[], object]) -> None:
        start = time.perf_counter()
        request()
        self.took.append((time.perf_counter() - start) * 1000)

    @property
    def median(self) -> float:
        return statistics.median(self.took)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.took, n=20)[-1]


def main() -> None:
    print(_machine())
    with tempfile.TemporaryDirectory() as folder, _running(Path(folder)) as (emulator, web, worker):
        visitor = _agent(web)
        order_id = emulator.find_id(status="notified")
        for latency in LATENCIES:
            emulator.set_latency(latency)
            rounds = ROUNDS if not latency else max(20, ROUNDS // 4)
            _compare(emulator, visitor, order_id, latency=latency, rounds=rounds)
        _print_memory({"gunicorn": web.pid, "worker": worker.pid})


def _machine() -> str:
    return (
        f"{platform.system()} {platform.machine()}, {psutil.cpu_count()} cores, "
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB, Python {platform.python_version()}; "
        f"{ORDERS} orders, {ROUNDS} rounds"
    )


@contextmanager
def _running(folder: Path) -> Iterator[tuple[Emulator, Web, Process]]:
    emulator = Emulator(orders=ORDERS)
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "SECRET_KEY": "only-for-the-benchmark",
        "HTTPS": "false",
        "LOG_LEVEL": "WARNING",
        "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
        "GOODY_API_URL": emulator.url,
        "GOODY_API_KEY": emulator.key,
        # The polite pace would be all that is measured.
        "GOODY_CALLS_PER_SECOND": "100000",
        "GOODY_CALLS_BURST": "100000",
    }
    started: list[Process] = []
    try:
        for command in ("migrate", "create_demo_users"):
            _finish(Process(["manage.py", command, "--verbosity", "0"], env=env))
        _finish(Process(["manage.py", "collectstatic", "--noinput", "--verbosity", "0"], env=env))
        web = Web(env=env)
        worker = Process(["manage.py", "work"], env=env)
        started += [web, worker]
        web.wait_until_ready()
        yield emulator, web, worker
    finally:
        for process in started:
            process.close()
        emulator.stop()


def _finish(process: Process) -> None:
    status = process.wait()
    output = process.output()
    process.close()
    if status:
        raise SystemExit(output)


def _agent(web: Web) -> Visitor:
    visitor = Visitor(web.url)
    answer = visitor.post("/login/", {"username": "agent", "password": "agent-demo"})
    if answer.status_code != 302:
        raise SystemExit(f"could not sign in: {answer.status_code}")
    return visitor


def _compare(
    emulator: Emulator, visitor: Visitor, order_id: str, *, latency: float, rounds: int
) -> None:
    direct = Visitor.without_login(emulator.url, {"Authorization": f"Bearer {emulator.key}"})
    pages = {
        "list": (visitor, "/orders/?per_page=50"),
        "list, at Goody": (direct, "/v1/orders?page=1&per_page=50"),
        "detail": (visitor, f"/orders/{order_id}/"),
        "detail, at Goody": (direct, f"/v1/orders/{order_id}"),
        "bare 30 KB": (visitor, "/bare/"),
    }
    series = {name: Series(name) for name in pages}
    for number in range(rounds + WARM_UP):
        for name, (client, path) in pages.items():
            if number == WARM_UP:
                series[name].took.clear()
            series[name].measure(lambda client=client, path=path: _get(client, path))
    _print(series, latency)


def _get(client: Visitor, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code}")


def _print(series: dict[str, Series], latency: float) -> None:
    print(f"\nGoody answers after {latency * 1000:.0f} ms       median      p95 (ms)")
    for one in series.values():
        print(f"  {one.name:<24}{one.median:>10.2f}{one.p95:>10.2f}")
    bare = series["bare 30 KB"]
    for name in ("list", "detail"):
        page, vendor = series[name], series[f"{name}, at Goody"]
        own, own_p95 = page.median - vendor.median, page.p95 - vendor.p95
        print(
            f"  {name} beyond Goody{'':<{10 - len(name)}}{own:>10.2f}{own_p95:>10.2f}"
            f"   {own / bare.median:.1f} times the bare view"
        )


def _print_memory(leaders: dict[str, int]) -> None:
    print("\nResident memory (MB)")
    for name, pid in leaders.items():
        leader = psutil.Process(pid)
        for process in (leader, *leader.children(recursive=True)):
            role = name if process == leader else f"{name}, its worker process"
            print(f"  {role:<34}{process.memory_info().rss / 2**20:>8.0f}")


if __name__ == "__main__":
    main()
