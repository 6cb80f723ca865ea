"""bin/demo as a process, and the scripts' search for an interpreter."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from orders.rights import Actor, Role
from testing.postgres import free_port
from testing.processes import wait_for

TOP = Path(__file__).resolve().parent.parent


class Demo:
    """bin/demo with its own data and ports."""

    def __init__(self, data: Path, **variables: str) -> None:
        self.port = free_port()
        self.emulator_port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = data / f"output-{self.port}"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                ["sh", "bin/demo"],
                cwd=TOP,
                env={
                    **os.environ,
                    "PORT": str(self.port),
                    "EMULATOR_PORT": str(self.emulator_port),
                    "ORDERS": "50",
                    "DEMO_DATA": str(data),
                    **variables,
                },
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def text(self) -> str:
        return self.output.read_text()

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.text()
        return "Ctrl-C" in self.text()

    def processes(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def kill(self) -> None:
        """Kill the remaining processes after a failed test."""
        if self.process.poll() is None:
            for process in (*self.processes(), psutil.Process(self.process.pid)):
                process.kill()
            self.process.wait(10)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for all starts, so that later ones find the data of earlier ones."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def demo(data: Path) -> Iterator[Callable[..., Demo]]:
    started: list[Demo] = []

    def start(**variables: str) -> Demo:
        started.append(Demo(data, **variables))
        wait_for(started[-1].is_ready, timeout=60, what="bin/demo to be ready")
        return started[-1]

    yield start
    for one in started:
        one.kill()


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def assert_nothing_left(demo: Demo, children: list[psutil.Process]) -> None:
    assert [child for child in children if child.is_running()] == []
    assert is_free(demo.port)
    assert is_free(demo.emulator_port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_demo_serves_until_a_signal(demo: Callable[..., Demo], number: signal.Signals) -> None:
    running = demo(GOODY_API_URL="https://goody.example.com")
    children = running.processes()

    page = log_in(running, "agent", "agent-demo").get(f"{running.url}/orders/?q=secret", timeout=10)
    os.kill(running.process.pid, number)

    assert page.status_code == 200
    assert running.process.wait(30) == 0
    assert len(children) >= 4  # emulator, gunicorn and its process, worker
    assert_nothing_left(running, children)
    text = running.text()
    assert f"http://localhost:{running.port}/" in text
    assert "agent-demo" in text
    assert "GOODY_API_URL=https://goody.example.com is left alone" in text
    assert "GET /orders/" in text
    assert "secret" not in text


def log_in(demo: Demo, name: str, password: str) -> requests.Session:
    browser = requests.Session()
    browser.get(f"{demo.url}/login/", timeout=10)
    token = browser.cookies["csrftoken"]
    form = {"csrfmiddlewaretoken": token, "username": name, "password": password}
    answer = browser.post(f"{demo.url}/login/", form, timeout=10, allow_redirects=False)
    assert answer.status_code == 302
    return browser


def test_demo_stops_when_a_part_of_it_ends(demo: Callable[..., Demo]) -> None:
    running = demo()
    children = running.processes()
    # A process that was just started may have no command line yet.
    wait_for(lambda: any(is_worker(child) for child in children), what="the worker's command line")

    next(child for child in children if is_worker(child)).kill()

    assert running.process.wait(30) == 1
    assert_nothing_left(running, children)
    assert "bin/demo: worker ended by itself" in running.text()


def is_worker(process: psutil.Process) -> bool:
    return "work" in process.cmdline()


@pytest.mark.parametrize("name", ["PORT", "EMULATOR_PORT"])
def test_demo_refuses_a_taken_port_before_it_starts_anything(name: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run_demo(tmp_path, **{name: str(port)})

    assert refused.returncode == 1
    assert re.fullmatch(
        rf"bin/demo: Port {port} cannot be used \(.*\); choose another with {name}=\.\.\.\n",
        refused.stderr,
    )
    assert refused.stdout == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"PORT": "http"}, "bin/demo: PORT=http is not a number from 1 to 65535\n"),
        ({"ORDERS": "-5"}, "bin/demo: ORDERS=-5 is not a number from 1 to 10000000\n"),
        (
            {"PORT": "9001", "EMULATOR_PORT": "9001"},
            "bin/demo: PORT and EMULATOR_PORT are both 9001\n",
        ),
    ],
)
def test_demo_refuses_what_makes_no_sense(
    variables: dict[str, str], line: str, tmp_path: Path
) -> None:
    refused = run_demo(tmp_path, **variables)

    assert (refused.returncode, refused.stderr) == (1, line)


def run_demo(data: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    ports = {"PORT": str(free_port()), "EMULATOR_PORT": str(free_port())}
    return subprocess.run(
        ["sh", "bin/demo"],
        cwd=TOP,
        env={**os.environ, **ports, "DEMO_DATA": str(data), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


# --- The demo's users -------------------------------------------------------------------------


@pytest.mark.django_db
def test_demo_users_have_the_printed_passwords_and_their_roles(settings: Any) -> None:
    settings.GOODY_API_URL = "http://127.0.0.1:8001"
    call_command("create_demo_users", verbosity=0)
    User.objects.get(username="lead").groups.clear()
    call_command("create_demo_users", verbosity=0)

    users = {user.username: user for user in User.objects.all()}
    assert users.keys() == {"viewer", "agent", "lead", "admin"}
    for name, user in users.items():
        assert user.check_password(f"{name}-demo")
        assert Actor.for_user(user).role == Role(name)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "url", ["", "https://api.ongoody.com", "http://127.0.0.1.example.com", "http://10.0.0.1"]
)
def test_demo_users_are_refused_away_from_loopback(url: str, settings: Any) -> None:
    settings.GOODY_API_URL = url

    with pytest.raises(CommandError, match="address of this machine"):
        call_command("create_demo_users", verbosity=0)

    assert not User.objects.exists()


# --- The search for an interpreter ------------------------------------------------------------


class Machine:
    """A PATH and a home with fake interpreters that only print their version."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bin"
        self.home = folder / "home"
        self.pyenv = folder / "pyenv"
        for made in (self.path, self.home, self.pyenv):
            made.mkdir()
        for tool in ("sh", "grep", "id", "cat"):
            (self.path / tool).symlink_to(f"/bin/{tool}" if tool != "id" else "/usr/bin/id")

    def add(
        self, name: str, version: str, *, modules: bool = True, folder: Path | None = None
    ) -> str:
        """Add an interpreter that runs the scripts' own check and claims that version."""
        place = (folder or self.path) / name
        place.parent.mkdir(parents=True, exist_ok=True)
        info = tuple(int(part) for part in version.split("."))
        hide = "" if modules else "sys.modules['ensurepip'] = None; "
        place.write_text(
            f'#!/bin/sh\nexec {sys.executable} -c "'
            f'import sys; sys.version_info = {info}; {hide}exec(sys.argv[1])" "$2"\n'
        )
        place.chmod(0o755)
        return str(place)

    def add_broken(self, name: str) -> None:
        """Add a pyenv shim whose version is not active."""
        (self.path / name).write_text("#!/bin/sh\nexit 127\n")
        (self.path / name).chmod(0o755)

    def run(self, commands: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-euc", f". {TOP}/bin/lib.sh; {commands}"],
            cwd=self.home,
            env={"PATH": str(self.path), "HOME": str(self.home), "PYENV_ROOT": str(self.pyenv)},
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_newest_version_is_preferred_wherever_it_is(machine: Machine) -> None:
    machine.add("python3", "3.13.0")
    machine.add("python3.12", "3.12.1")
    newest = machine.add("python3.14", "3.14.0", folder=machine.pyenv / "versions/3.14.0/bin")

    assert machine.run("find_python").stdout == f"{newest}\n"


def test_the_home_folder_is_searched_without_pyenv_root(machine: Machine) -> None:
    machine.add("python3", "3.11.2")
    there = machine.home / ".pyenv/versions/3.13.0/bin"
    found = machine.add("python3.13", "3.13.0", folder=there)

    assert machine.run("unset PYENV_ROOT; find_python").stdout == f"{found}\n"


def test_candidates_that_do_not_run_are_passed_over(machine: Machine) -> None:
    machine.add_broken("python3.14")
    machine.add("python3.13", "3.13.0", modules=False)
    machine.add("python3.12", "3.12.1")

    assert machine.run("find_python").stdout == "python3.12\n"


def test_a_plain_python3_will_do(machine: Machine) -> None:
    machine.add("python3", "3.15.0")

    assert machine.run("find_python").stdout == "python3\n"


def test_missing_interpreter_prints_the_command_to_install_it(machine: Machine) -> None:
    machine.add("python3", "3.11.2")

    refused = machine.run("is_root() { false; }; ensure_python")

    assert refused.returncode == 1
    assert (refused.stdout, refused.stderr) == ("", "apt-get install -y python3 python3-venv\n")


def test_root_installs_the_interpreter(machine: Machine) -> None:
    machine.add("python3", "3.11.2")
    installer = machine.path / "apt-get"
    installer.write_text(f'#!/bin/sh\necho "$@" >>{machine.home}/asked\n')
    installer.chmod(0o755)
    (machine.path / "env").symlink_to("/usr/bin/env")

    refused = machine.run("is_root() { true; }; ensure_python")

    assert (machine.home / "asked").read_text() == "install -y python3 python3-venv\n"
    assert refused.returncode == 1
    assert "Python 3.12 or newer is needed" in refused.stderr


def test_pins_are_installed_only_when_they_changed(machine: Machine) -> None:
    for tool in ("cmp", "cp"):
        (machine.path / tool).symlink_to(f"/usr/bin/{tool}")
    venv_python = machine.home / ".venv/bin/python"
    venv_python.parent.mkdir(parents=True)
    venv_python.write_text('#!/bin/sh\necho "$@" >>pip-calls\n')
    venv_python.chmod(0o755)
    pins = machine.home / "requirements.txt"
    calls = machine.home / "pip-calls"

    def install(text: str) -> int:
        pins.write_text(text)
        assert machine.run("install_requirements requirements.txt").returncode == 0
        return len(calls.read_text().splitlines())

    assert [install("a==1"), install("a==1"), install("a==2")] == [1, 1, 2]
    assert "--require-hashes -r requirements.txt" in calls.read_text()


# --- make ---------------------------------------------------------------------------------------


def test_every_file_of_the_makefile_exists() -> None:
    named = set(re.findall(r"[\w/]+\.py\b", (TOP / "Makefile").read_text()))

    assert {
        "orders/tests/test_operation_histories.py",
        "orders/tests/test_sync_property.py",
    } <= named
    assert [name for name in named if not (TOP / name).exists()] == []


# --- .env.example -----------------------------------------------------------------------------


def test_every_variable_of_the_settings_is_described_and_fixed_for_tests() -> None:
    settings = (TOP / "goodyadmin" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))
    described = set(re.findall(r"^#?([A-Z_]+)=", (TOP / ".env.example").read_text(), re.M))
    fixed = set(
        re.findall(r'^    "([A-Z_]+)":', (TOP / "testing" / "settings.py").read_text(), re.M)
    )

    assert read - described == set()
    assert described - read == {"PORT", "WEB_CONCURRENCY"}
    assert fixed == read
