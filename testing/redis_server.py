"""A Redis or Valkey server of Debian's package, on a Unix socket of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from testing.parent_death import kill_with_parent
from testing.scratch import make_folder
from testing.serving import wait_for

_PROGRAMS = ("redis-server", "valkey-server")


class RedisMissing(Exception):
    """Neither Redis nor Valkey is installed."""


def redis_executable() -> str:
    """Return the path of the installed server's executable. Raises RedisMissing."""
    found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if found is None:
        raise RedisMissing("no Redis (Debian package redis-server or valkey)")
    return found


class RedisServer:
    """A running server without files. `url` is a value for TASKS_URL."""

    def __init__(self) -> None:
        path = redis_executable()
        self._folder = make_folder("goody-admin-redis-")
        socket = self._folder / "socket"
        options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir"]
        self._process = subprocess.Popen(
            [path, *options, str(self._folder)],
            stdout=subprocess.DEVNULL,
            preexec_fn=kill_with_parent(),  # noqa: PLW1509 - one system call
        )
        self.url = f"unix://{socket}?db=0"
        wait_for(socket.exists, what="Redis to start")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        shutil.rmtree(self._folder, ignore_errors=True)


if __name__ == "__main__":
    try:
        print(Path(redis_executable()).name)
    except RedisMissing as error:
        sys.exit(str(error))
