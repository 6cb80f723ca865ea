"""The measured dashboard: its environment, its processes, a signed-in client."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psutil

from bench import report
from bench.report import Goal
from testing.serving import Process, Visitor, WebProcess
from testing.vendor import KEY

# An address without a server: a list from the index never calls Goody.
NOWHERE = "http://127.0.0.1:9"
_MOST_MEMORY = 150.0
_LEFT_OUT = ("PYTHONDONTWRITEBYTECODE",)


def process_environment(
    *, database_url: str, goody_url: str = NOWHERE, **more: str
) -> dict[str, str]:
    """Return the environment of every measured process, without a rate limit.

    Byte code caching stays on; without it, compiling takes half of a command's start.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
    return {
        **inherited,
        "DJANGO_SETTINGS_MODULE": "bench.settings",
        "SECRET_KEY": "only-for-the-benchmark-0123456789-abcdefghijklmnopqrstuvwxyz",
        "HTTPS": "false",
        "LOG_LEVEL": "WARNING",
        "DATABASE_URL": database_url,
        "GOODY_API_URL": goody_url,
        "GOODY_API_KEY": KEY,
        "GOODY_CALLS_PER_SECOND": "100000",
        "GOODY_CALLS_BURST": "100000",
        **more,
    }


def run_command(arguments: list[str], *, env: Mapping[str, str], timeout: float = 60.0) -> str:
    """Return the output of a finished process; a failure ends the benchmark."""
    process = Process(arguments, env=env)
    try:
        status = process.wait(timeout)
        output = process.output()
    finally:
        process.close()
    if status:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{output}")
    return output


def prepare_database(env: Mapping[str, str]) -> None:
    """Migrate and create the demo's users."""
    for command in ("migrate", "create_demo_users"):
        run_command(["manage.py", command, "--verbosity", "0"], env=env)


def collect_static() -> None:
    """Collect the static files once for all benchmarks."""
    env = process_environment(database_url="sqlite://:memory:")
    run_command(["manage.py", "collectstatic", "--noinput", "--verbosity", "0"], env=env)


@contextmanager
def running_web_server(env: Mapping[str, str]) -> Iterator[WebProcess]:
    """Start a web server and wait until it answers."""
    web = WebProcess(env=env)
    try:
        web.wait_until_ready()
        yield web
    finally:
        web.close()


@contextmanager
def running_worker(env: Mapping[str, str]) -> Iterator[Process]:
    """Start a worker."""
    worker = Process(["manage.py", "work"], env=env)
    try:
        yield worker
    finally:
        worker.close()


def sign_in_agent(web: WebProcess) -> Visitor:
    """Return a signed-in agent on one connection."""
    return sign_in(web, "agent")


def sign_in(web: WebProcess, role: str) -> Visitor:
    """Return the signed-in demo user with that role on one connection."""
    visitor = Visitor(web.url)
    answer = visitor.post("/login/", {"username": role, "password": f"{role}-demo"})
    if answer.status_code != 302:
        raise SystemExit(f"could not sign in: {answer.status_code}")
    return visitor


def get_page(visitor: Visitor, path: str, headers: Mapping[str, str] | None = None) -> str:
    """Return the body of a page; a status other than 200 ends the benchmark."""
    answer = visitor.get(path, headers=headers)
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status_code}")
    return answer.text


def print_memory(leaders: Mapping[str, int]) -> None:
    """Print the resident memory (MB) of each process and of each of its children."""
    report.print_title("Resident memory", "MB")
    for name, pid in leaders.items():
        leader = psutil.Process(pid)
        for process in (leader, *leader.children(recursive=True)):
            role = name if process == leader else f"{name}, its worker process"
            used = process.memory_info().rss / 2**20
            report.print_row(role, used, goals=[Goal("", used, _MOST_MEMORY, " MB")])
