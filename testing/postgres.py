"""Temporary PostgreSQL clusters, started from Debian's binaries, also as root.

`python -m testing.postgres --check` fails without the binaries. `Server` starts and stops a
cluster; `python -m testing.postgres --serve FILE --for PID` runs one until that process ends.
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
# PostgreSQL refuses to run as root; Debian's package creates this user.
_USER = "postgres"
# A temporary cluster needs no durability.
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
    """PostgreSQL's programs are missing. `str()` is the reason for skipped tests."""


@cache
def binaries() -> Path:
    """Return the folder with the newest installed version's programs. Raises PostgresMissing."""
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
    """One cluster in its own folder; it keeps its port when it is stopped and started again.

    `folder` keeps a cluster between runs; without it the folder is temporary. `settings` extend
    the settings of the tests.
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
        """Start the server and return when it accepts connections."""
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
                # Ctrl-C in the terminal reaches the test run, which stops the server.
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
        """Close every connection at once; a kept cluster writes a checkpoint first."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT if is_kept else signal.SIGQUIT)
        self.process.wait(_READY_WITHIN)
        self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def serve(announce_in: Path, owner: int) -> None:
    """Run a cluster until the process `owner` ends; write its port when it accepts connections."""
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
            # The run was killed: remove the folder that its processes shared.
            shutil.rmtree(announce_in.parent, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def stop_serving(pid: int) -> None:
    """Stop the process that `--serve` started and wait for its end."""
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    until = time.monotonic() + _READY_WITHIN
    while _is_running(pid) and time.monotonic() < until:
        _reap(pid)
        time.sleep(0.02)


def _reap(pid: int) -> None:
    """Wait for the ended server, which is a child of this process without xdist."""
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
