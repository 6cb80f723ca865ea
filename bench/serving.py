"""The dashboard as it is measured: its environment, its processes, somebody who is signed in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psutil

from bench import report
from bench.report import Goal
from testing.serving import Process, Visitor, Web
from testing.vendor import KEY

# Where nobody answers: a list from the index asks nobody.
NOWHERE = "http://127.0.0.1:9"
_MOST_MEMORY = 150.0
_LEFT_OUT = ("PYTHONDONTWRITEBYTECODE",)


def environment(*, database_url: str, goody_url: str = NOWHERE, **more: str) -> dict[str, str]:
    """For every process of ours. The polite pace would be all that is measured: there is none.

    Nor is Python forbidden to keep what it compiled: it would take half of a command's start.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    return {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "SECRET_KEY": "only-for-the-benchmark",
        "HTTPS": "false",
        "LOG_LEVEL": "WARNING",
        "DATABASE_URL": database_url,
        "GOODY_API_URL": goody_url,
        "GOODY_API_KEY": KEY,
        "GOODY_CALLS_PER_SECOND": "100000",
        "GOODY_CALLS_BURST": "100000",
        **more,
    }


def run(arguments: list[str], *, env: Mapping[str, str], timeout: float = 60.0) -> str:
    """The output of a process that ends by itself; a failure ends the run."""
    process = Process(arguments, env=env)
    try:
        status = process.wait(timeout)
        output = process.output()
    finally:
        process.close()
    if status:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{output}")
    return output


def prepare(env: Mapping[str, str]) -> None:
    """Tables, and the demo's users."""
    for command in ("migrate", "create_demo_users"):
        run(["manage.py", command, "--verbosity", "0"], env=env)


def collect_static() -> None:
    """What the pages load, once for all parts."""
    env = environment(database_url="sqlite://:memory:")
    run(["manage.py", "collectstatic", "--noinput", "--verbosity", "0"], env=env)


@contextmanager
def serving(env: Mapping[str, str]) -> Iterator[Web]:
    """A gunicorn that answers."""
    web = Web(env=env)
    try:
        web.wait_until_ready()
        yield web
    finally:
        web.close()


@contextmanager
def working(env: Mapping[str, str]) -> Iterator[Process]:
    """A worker beside it."""
    worker = Process(["manage.py", "work"], env=env)
    try:
        yield worker
    finally:
        worker.close()


def agent(web: Web) -> Visitor:
    """Somebody who is signed in, on one connection."""
    visitor = Visitor(web.url)
    answer = visitor.post("/login/", {"username": "agent", "password": "agent-demo"})
    if answer.status_code != 302:
        raise SystemExit(f"could not sign in: {answer.status_code}")
    return visitor


def get(visitor: Visitor, path: str, headers: Mapping[str, str] | None = None) -> str:
    """The page; anything but a page ends the run."""
    answer = visitor.get(path, headers=headers)
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code}")
    return answer.text


def print_memory(leaders: Mapping[str, int]) -> None:
    """Of each process and its children."""
    report.title("Resident memory", "MB")
    for name, pid in leaders.items():
        leader = psutil.Process(pid)
        for process in (leader, *leader.children(recursive=True)):
            role = name if process == leader else f"{name}, its worker process"
            used = process.memory_info().rss / 2**20
            report.line(role, used, goals=[Goal("", used, _MOST_MEMORY, " MB")])
