"""Run the demo: an emulated Goody, the dashboard and one worker, until a signal or a failure.

Started by bin/demo. Only the standard library, since `--check` runs before anything is installed.
The children are in sessions of their own, so that Ctrl-C reaches only us and we stop them in order.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

TOP = Path(__file__).resolve().parent.parent
READY_WITHIN = 60.0
# Longer than gunicorn's own graceful_timeout.
STOPPED_WITHIN = 50.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Fixed here so that neither .env nor the shell changes the demo.
FIXED = {
    "DJANGO_SETTINGS_MODULE": "goodyadmin.settings",
    "DEBUG": "false",
    "HTTPS": "false",
    "BEHIND_PROXY": "false",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
    "CSRF_TRUSTED_ORIGINS": "",
    "GOODY_CA_BUNDLE": "",
    "WEB_CONCURRENCY": "1",
    "PYTHONUNBUFFERED": "1",
}


class DemoError(Exception):
    """An error that is shown as one line."""


@dataclass(frozen=True)
class DemoSettings:
    port: int
    emulator_port: int
    orders: int
    data: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> DemoSettings:
        """Return the settings of the environment. Raises DemoError if one is invalid."""
        choices = cls(
            port=_number(environ, "PORT", 8000, most=65535),
            emulator_port=_number(environ, "EMULATOR_PORT", 8001, most=65535),
            orders=_number(environ, "ORDERS", 5000, most=10_000_000),
            data=Path(environ.get("DEMO_DATA") or TOP / "data" / "demo").absolute(),
        )
        if choices.port == choices.emulator_port:
            raise DemoError(f"PORT and EMULATOR_PORT are both {choices.port}")
        return choices

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}/"

    @property
    def emulator_url(self) -> str:
        return f"http://127.0.0.1:{self.emulator_port}"


def _number(environ: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise DemoError(f"{name}={text} is not a number from 1 to {most}")
    return int(text)


def check_port(port: int, name: str) -> None:
    """Check that the port is free. Raises DemoError when something else listens there."""
    with socket.socket() as probe:
        # As gunicorn binds: what a former run left in TIME_WAIT is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DemoError(
                f"Port {port} cannot be used ({error.strerror}); choose another with {name}=..."
            ) from error


def check_settings(choices: DemoSettings) -> None:
    check_port(choices.port, "PORT")
    check_port(choices.emulator_port, "EMULATOR_PORT")


def child_environment(choices: DemoSettings) -> dict[str, str]:
    """Return the environment of every child process."""
    key = os.environ.get("EMULATOR_API_KEY") or "test-key"
    return {
        **os.environ,
        **FIXED,
        "PORT": str(choices.port),
        "SECRET_KEY": secret_key(choices.data / "secret_key"),
        "DATABASE_URL": f"sqlite:///{choices.data / 'demo.sqlite3'}",
        "GOODY_API_URL": choices.emulator_url,
        "GOODY_API_KEY": key,
        "EMULATOR_API_KEY": key,
    }


def secret_key(path: Path) -> str:
    """Return the stored key, or a new one. Sessions survive a restart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        written = path.with_suffix(".new")
        written.touch(mode=0o600)
        written.write_text(secrets.token_urlsafe(50))
        written.replace(path)
    return path.read_text()


def non_emulator_url() -> str:
    """Return the GOODY_API_URL that the demo will not use, if one is set."""
    if url := os.environ.get("GOODY_API_URL"):
        return url
    dotenv = TOP / ".env"
    lines = dotenv.read_text().splitlines() if dotenv.exists() else []
    values = [line.partition("=")[2].strip() for line in lines if line.startswith("GOODY_API_URL=")]
    return values[-1] if values else ""


@dataclass
class ChildProcesses:
    """The processes that were started, in order."""

    env: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    stop_signal: int = 0

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.stop_signal:
            self._signal_all(signal.SIGKILL)
        self.stop_signal = number

    def start(self, name: str, *arguments: str) -> None:
        self.running[name] = subprocess.Popen(
            [sys.executable, *arguments], cwd=TOP, env=self.env, start_new_session=True
        )

    def wait_for_exit(self, name: str) -> None:
        """Wait for a child that ends by itself."""
        self.wait_for(lambda: self.running[name].poll() is not None, what=name)
        status = self.running.pop(name).returncode
        if status:
            raise DemoError(f"{name} failed (exit status {status})")

    def wait_for(self, condition: Callable[[], bool], *, what: str) -> None:
        until = time.monotonic() + READY_WITHIN
        while not condition():
            if self.stop_signal:
                raise KeyboardInterrupt
            self.check_alive(but=what)
            if time.monotonic() > until:
                raise DemoError(f"{what} was not ready within {READY_WITHIN:.0f} s")
            time.sleep(0.05)

    def check_alive(self, *, but: str = "") -> None:
        for name, child in self.running.items():
            if name != but and child.poll() is not None:
                raise DemoError(f"{name} ended by itself (exit status {child.returncode})")

    def wait_for_signal(self) -> None:
        """Return when a signal came; raises DemoError when a child ended."""
        while not self.stop_signal:
            self.check_alive()
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop all processes; the emulator last, so that calls in progress get their answers."""
        until = time.monotonic() + STOPPED_WITHIN
        emulator = self.running.pop("emulator", None)
        self._end(list(self.running.values()), until)
        self._end([emulator] if emulator else [], until)

    def _end(self, children: list[subprocess.Popen[bytes]], until: float) -> None:
        for child in children:
            _signal_group(child, signal.SIGTERM, leader_only=True)
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, until - time.monotonic()))
            # Remaining processes of the session.
            _signal_group(child, signal.SIGKILL)
            child.wait()

    def _signal_all(self, number: int) -> None:
        for child in self.running.values():
            _signal_group(child, number)


def _signal_group(
    child: subprocess.Popen[bytes], number: int, *, leader_only: bool = False
) -> None:
    with suppress(ProcessLookupError):
        if leader_only:
            child.send_signal(number)
        else:
            os.killpg(child.pid, number)


def is_answering(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def serve(choices: DemoSettings, children: ChildProcesses) -> None:
    """Start everything, print the logins, and wait for a signal."""
    children.start(
        "emulator",
        *("-m", "emulator", "--data", "demo"),
        *("--port", str(choices.emulator_port), "--orders", str(choices.orders)),
    )
    children.start("preparation", "-m", "bin.prepare")
    children.wait_for_exit("preparation")
    children.start("dashboard", "-m", "gunicorn", "goodyadmin.wsgi")
    children.wait_for(
        lambda: is_answering(f"{choices.emulator_url}/_emulator/clock"), what="emulator"
    )
    children.wait_for(
        lambda: is_answering(f"http://127.0.0.1:{choices.port}/readyz"), what="dashboard"
    )
    # Started last, since it has nothing to do before and would delay the pages.
    children.start("worker", "manage.py", "work")
    print_logins(choices)
    children.wait_for_signal()


def print_logins(choices: DemoSettings) -> None:
    print(f"\nGoody Admin: {choices.url}")
    print("Log in as viewer, agent, lead or admin; each password is the name and -demo: agent-demo")
    print(f"Emulated Goody: {choices.emulator_url}    Ctrl-C stops everything\n", flush=True)


def main() -> int:
    choices = DemoSettings.from_environment(os.environ)
    check_settings(choices)
    if "--check" in sys.argv[1:]:
        return 0
    if other := non_emulator_url():
        print(
            f"The demo has an emulator of its own; GOODY_API_URL={other} is left alone.", flush=True
        )
    children = ChildProcesses(child_environment(choices))
    for number in STOP_SIGNALS:
        signal.signal(number, children.on_signal)
    try:
        with suppress(KeyboardInterrupt):
            serve(choices, children)
    finally:
        children.stop()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DemoError as error:
        sys.exit(f"bin/demo: {error}")
