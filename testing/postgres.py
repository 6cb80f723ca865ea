"""A PostgreSQL of the tests' own, from Debian's binaries; also run as root.

`python -m testing.postgres --check` tells whether there is one. `Server` starts and stops a
cluster; `python -m testing.postgres --serve FILE --for PID` runs one until that process is gone.
Nothing about Django or our schema: see databases.py.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import psycopg

from testing.scratch import make_folder

OLDEST = 15
_STARTS = 5
_READY_WITHIN = 30.0
# As root the server must run as somebody else; Debian's package makes this user.
_USER = "postgres"
# What makes a throw-away cluster fast; the machine may lose power, the test run may not.
_CONFIGURATION = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "max_wal_size": "2GB",
    "listen_addresses": "127.0.0.1",
}


class PostgresMissing(Exception):
    """str() says what is missing, for the skipped tests."""


@cache
def binaries() -> Path:
    """The folder of the newest installed version's programs; raises PostgresMissing."""
    found = {
        int(match[1]): path
        for path in Path("/usr/lib/postgresql").glob("*/bin")
        if (match := re.fullmatch(r"/usr/lib/postgresql/(\d+)/bin", str(path)))
        and (path / "initdb").exists()
    }
    if not found or max(found) < OLDEST:
        raise PostgresMissing(f"no PostgreSQL {OLDEST} or newer (Debian package postgresql)")
    return found[max(found)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One cluster in a folder of its own. It may be stopped and started again on its port.

    The folder is a new one, or `folder`, where a cluster stays from one run to the next.
    `settings` come on top of those of the tests.
    """

    def __init__(
        self, folder: Path | None = None, *, settings: Mapping[str, str] | None = None
    ) -> None:
        self.bin = binaries()
        self.folder = folder or make_folder("goody-admin-postgres-")
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._settings = {**_CONFIGURATION, **(settings or {})}
        self._user = _USER if os.geteuid() == 0 else None
        self.folder.mkdir(exist_ok=True)
        if self._user:
            shutil.chown(self.folder, _USER, _USER)
        if not (self.folder / "data" / "PG_VERSION").exists():
            self._initialize()

    def _initialize(self) -> None:
        command = [
            *(str(self.bin / "initdb"), "--pgdata", str(self.folder / "data"), "--username", _USER),
            *(
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--auth=trust",
                "--no-sync",
                "--no-instructions",
            ),
        ]
        done = subprocess.run(
            command,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            user=self._user,
            group=self._user,
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr}")

    def url(self, database: str) -> str:
        return f"postgres://{_USER}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Return when it answers. The port stays the same from the first start on."""
        for _ in range(_STARTS):
            port = self.port or free_port()
            self._launch(port)
            if self._is_ready(port):
                self.port = port
                return
            self.stop()
        raise RuntimeError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()}")

    def _launch(self, port: int) -> None:
        settings = {**self._settings, "port": str(port), "unix_socket_directories": ""}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.folder / "data", *options],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A Ctrl-C in the terminal is for the test run, which then stops us.
                start_new_session=True,
                user=self._user,
                group=self._user,
            )

    def _is_ready(self, port: int) -> bool:
        assert self.process
        until = time.monotonic() + _READY_WITHIN
        while time.monotonic() < until and self.process.poll() is None:
            try:
                psycopg.connect(
                    host="127.0.0.1", port=port, user=_USER, dbname="postgres", connect_timeout=2
                ).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return self.process.poll() is None
        return False

    def stop(self, *, is_kept: bool = False) -> None:
        """Every connection is cut at once, as when the machine goes down; a cluster that is kept
        writes everything to its files first.
        """
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT if is_kept else signal.SIGQUIT)
        self.process.wait(_READY_WITHIN)
        self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def serve(announce_in: Path, owner: int) -> None:
    """Run a cluster until `owner` (a process id) is gone; its port is written when it answers."""
    server = Server()
    try:
        server.start()
        written = announce_in.with_suffix(".new")
        written.write_text(str(server.port))
        written.replace(announce_in)
        while _is_running(owner):
            time.sleep(0.2)
    finally:
        server.remove()
        if not _is_running(owner):
            # Killed: nobody else tidies up what the run's processes shared.
            shutil.rmtree(announce_in.parent, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def stop_serving(pid: int) -> None:
    """End what `--serve` started, and return when it is gone."""
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    until = time.monotonic() + _READY_WITHIN
    while _is_running(pid) and time.monotonic() < until:
        _reap(pid)
        time.sleep(0.02)


def _reap(pid: int) -> None:
    """Without xdist the server is a child of this process, and a zombie when it ended."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--for", dest="owner", type=int)
    arguments = parser.parse_args()
    if arguments.check:
        binaries()
    else:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        serve(arguments.serve, arguments.owner)


if __name__ == "__main__":
    main()
