"""python -m emulator: output, options and signals."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests


@contextmanager
def emulator(*options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running process and the first line that it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "emulator", "--orders", "60", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def address(line: str) -> str:
    found = re.match(r"Goody emulator on (http://\S+) ", line)
    assert found is not None
    return found[1]


def get(url: str, *, key: str) -> requests.Response:
    return requests.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=5)


def test_it_prints_its_address_and_data() -> None:
    with emulator("--seed", "7", "--now", "2026-11-22") as (_, line):
        summary = "(60 orders, seed 7, now 2026-11-22T00:00:00Z)"
        assert re.fullmatch(
            rf"Goody emulator on http://127\.0\.0\.1:\d+ {re.escape(summary)}\n", line
        )
        answer = get(f"{address(line)}/v1/orders", key="test-key").json()
        assert answer["list_meta"] == {"total_count": 60}


def test_the_data_of_the_demo() -> None:
    with emulator("--data", "demo", "--now", "2026-11-22T23:00:00Z") as (_, line):
        counted = re.search(r"\((\d+) orders, seed 1, now 2026-11-22T23:00:00Z\)", line)
        assert counted is not None
        answer = get(f"{address(line)}/v1/orders", key="test-key").json()
        assert answer["list_meta"] == {"total_count": int(counted[1])}
        assert answer["data"][0]["sender"]["email"].endswith("@larkfield.example")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_releases_the_port(number: signal.Signals) -> None:
    with emulator() as (process, line):
        url = address(line)
        session = requests.Session()
        assert session.get(f"{url}/_emulator/clock", timeout=5).status_code == 200
        process.send_signal(number)
        assert process.wait(5) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=5)


def test_a_port_in_use_is_one_line_and_exit_status_1() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        emulator("--port", str(taken.getsockname()[1])) as (process, line),
    ):
        assert line == ""
        assert process.wait(5) == 1
        assert process.stderr is not None
        assert re.fullmatch(r"Goody emulator: .*in use.*\n", process.stderr.read())


def test_the_key_comes_from_the_environment() -> None:
    with emulator(EMULATOR_API_KEY="another") as (_, line):
        assert get(f"{address(line)}/v1/me", key="another").status_code == 200
        assert get(f"{address(line)}/v1/me", key="test-key").status_code == 401


def test_switches_and_latency_from_the_command_line() -> None:
    options = ("--switch", "late_cancel=409", "--switch", "page_zero=first", "--latency", "0.2")
    with emulator(*options) as (_, line):
        switches = get(f"{address(line)}/_emulator/switches", key="").json()["switches"]
        assert (switches["late_cancel"], switches["page_zero"]) == ("409", "first")
        assert get(f"{address(line)}/v1/me", key="test-key").elapsed.total_seconds() >= 0.2


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--switch", "late_cancel=7"), "late_cancel must be one of"),
        (("--data", "live"), "invalid choice: 'live'"),
        (("--switch", "nonsense"), "unknown switch nonsense"),
        (("--now", "soon"), "not a date"),
        (("--now", "2200-01-01"), "not a date or date-time from 1980 to 2100"),
        (("--latency", "nan"), "invalid _seconds value"),
        (("--orders", "-1"), "between 0 and"),
    ],
)
def test_an_invalid_option_is_an_error(option: tuple[str, str], message: str) -> None:
    with emulator(*option) as (process, line):
        assert line == ""
        assert process.wait(5) != 0
        assert process.stderr is not None
        assert message in process.stderr.read()
