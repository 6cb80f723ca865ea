"""Name resolution with a timeout.

The system's resolver cannot be interrupted and may block for many seconds. It runs in a daemon
thread, which is abandoned after the timeout.
"""

import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

# A running lookup is shared by all callers, unless it has run this long.
_SHARE_SECONDS = 10.0

type Address = tuple[socket.AddressFamily, tuple[Any, ...]]


@dataclass
class _Lookup:
    host: str
    port: int
    started: float = field(default_factory=time.monotonic)
    done: threading.Event = field(default_factory=threading.Event)
    addresses: list[Address] = field(default_factory=list)
    error: OSError | None = None

    def run(self) -> None:
        try:
            self.addresses = _getaddrinfo(self.host, self.port)
        except (OSError, UnicodeError) as error:
            self.error = error if isinstance(error, OSError) else socket.gaierror(str(error))
        finally:
            self.done.set()

    @property
    def may_be_shared(self) -> bool:
        return not self.done.is_set() and time.monotonic() - self.started < _SHARE_SECONDS


_lock = threading.Lock()
_running: dict[tuple[str, int], _Lookup] = {}


def resolve_host(host: str, port: int, *, timeout: float) -> list[Address]:
    """Return the addresses of a host, within `timeout` seconds. Raises OSError (TimeoutError)."""
    try:
        return _getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):
        lookup = _get_or_start(host, port)
    if not lookup.done.wait(max(timeout, 0)):
        raise TimeoutError("name lookup timed out")
    if lookup.error is not None:
        raise lookup.error
    return lookup.addresses


def _get_or_start(host: str, port: int) -> _Lookup:
    """Return the running lookup of this name, or a new one."""
    with _lock:
        lookup = _running.get((host, port))
        if lookup is None or not lookup.may_be_shared:
            lookup = _running[host, port] = _Lookup(host, port)
            threading.Thread(target=lookup.run, name="goody-lookup", daemon=True).start()
        return lookup


def _getaddrinfo(host: str, port: int, *, flags: int = 0) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _, _, _, address in found]
