"""Child processes and an HTTP visitor, without Django; processes.py builds a dashboard of them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import requests

TOP = Path(__file__).resolve().parent.parent
READY_WITHIN = 20.0


def wait_for[T](condition: Callable[[], T], *, timeout: float = 10.0, what: str = "") -> T:
    """Poll until the result is true and return it; fail after `timeout` seconds."""
    until = time.monotonic() + timeout
    while not (answer := condition()):
        assert time.monotonic() < until, f"not within {timeout} s: {what or condition}"
        time.sleep(0.02)
    return answer


class Process:
    """A child process in its own session; failure messages include its output."""

    def __init__(
        self,
        arguments: list[str],
        *,
        env: Mapping[str, str],
        pass_fds: tuple[int, ...] = (),
        logs_to: Path | None = None,
    ) -> None:
        # Closed in close().
        self._output: IO[bytes] = logs_to.open("wb") if logs_to else TemporaryFile()  # noqa: SIM115
        self._is_output_kept = logs_to is None
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=TOP,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            start_new_session=True,
            pass_fds=pass_fds,
        )
        self.pid = self._process.pid

    def output(self) -> str:
        if not self._is_output_kept:
            return "(its output went elsewhere)"
        with Path(f"/proc/self/fd/{self._output.fileno()}").open(errors="replace") as copy:
            return copy.read()

    def is_running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        """Send the signal to the process and all its children."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL to the process and its children."""
        self.signal(signal.SIGKILL)
        self._process.wait(10)

    def stop(self, *, timeout: float = 50.0) -> int:
        """Send SIGTERM to the leader, as a service manager does; return the exit status."""
        self._process.terminate()
        try:
            return self._process.wait(timeout)
        finally:
            self.kill()

    def wait(self, timeout: float = 60.0) -> int:
        """Wait for the end of the process; return its exit status."""
        return self._process.wait(timeout)

    def close(self) -> None:
        self.kill()
        self._output.close()


class WebProcess(Process):
    """One gunicorn with one worker process, on a port of its own."""

    def __init__(self, *, env: Mapping[str, str], logs_to: Path | None = None) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            super().__init__(
                [*("-m", "gunicorn", "--bind", f"fd://{listening.fileno()}"), "goodyadmin.wsgi"],
                env=env,
                pass_fds=(listening.fileno(),),
                logs_to=logs_to,
            )

    def wait_until_ready(self) -> None:
        wait_for(self._is_ready, timeout=READY_WITHIN, what=f"{self.url}/readyz")

    def _is_ready(self) -> bool:
        assert self.is_running(), f"gunicorn ended:\n{self.output()}"
        try:
            return requests.get(f"{self.url}/readyz", timeout=READY_WITHIN).ok
        except requests.ConnectionError:
            return False


class Visitor:
    """An HTTP client with cookies and the CSRF token; it takes paths instead of URLs."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.http = requests.Session()
        self.http.trust_env = False
        self.get("/login/")

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> requests.Response:
        return self.http.get(self.base + path, headers=headers, timeout=60, allow_redirects=False)

    def post(
        self,
        path: str,
        data: Mapping[str, object],
        *,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        # A copy may hold the cookie twice, with and without a domain, with one value.
        token = self.http.cookies.get_dict()["csrftoken"]
        return self.http.post(
            self.base + path,
            data={"csrfmiddlewaretoken": token, **data},
            headers=headers,
            timeout=60,
            allow_redirects=False,
        )

    @classmethod
    def without_login(cls, base: str, headers: Mapping[str, str]) -> Visitor:
        """Return a visitor that sends these headers with every request and does not log in."""
        other = cls.__new__(cls)
        other.base = base
        other.http = requests.Session()
        other.http.trust_env = False
        other.http.headers.update(headers)
        return other

    def copy(self, base: str = "") -> Visitor:
        """Return the same session on another connection, optionally to another web process."""
        other = Visitor.__new__(Visitor)
        other.base = base or self.base
        other.http = requests.Session()
        other.http.trust_env = False
        # Without the domain: a cookie jar treats another port as another site.
        other.http.cookies.update(self.http.cookies.get_dict())
        return other


def hidden_fields(html: str) -> dict[str, str]:
    """Return the hidden inputs of a page by name."""
    inputs = re.findall(r"<input\b[^>]*type=[\"']?hidden[^>]*>", html)
    pairs = [
        (re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)) for tag in inputs
    ]
    return {name[1]: value[1] for name, value in pairs if name and value}
