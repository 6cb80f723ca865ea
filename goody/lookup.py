"""Name lookup that can be given up.

The system's resolver cannot be interrupted and may hang for many seconds. It runs in a daemon
thread that is abandoned when time is up; nothing has been sent to anybody by then.
"""

import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

# A lookup that hangs is shared by all who ask meanwhile, but not for ever.
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
            self.addresses = _ask(self.host, self.port)
        except (OSError, UnicodeError) as error:
            self.error = error if isinstance(error, OSError) else socket.gaierror(str(error))
        finally:
            self.done.set()

    @property
    def may_be_shared(self) -> bool:
        return not self.done.is_set() and time.monotonic() - self.started < _SHARE_SECONDS


_lock = threading.Lock()
_under_way: dict[tuple[str, int], _Lookup] = {}


def resolve(host: str, port: int, *, timeout: float) -> list[Address]:
    """The addresses of a host, within `timeout` seconds. Raises OSError (TimeoutError)."""
    try:
        return _ask(host, port, flags=socket.AI_NUMERICHOST)
    except (socket.gaierror, UnicodeError):
        lookup = _join(host, port)
    if not lookup.done.wait(max(timeout, 0)):
        raise TimeoutError("name lookup timed out")
    if lookup.error is not None:
        raise lookup.error
    return lookup.addresses


def _join(host: str, port: int) -> _Lookup:
    """The lookup of this name that is under way, or a new one."""
    with _lock:
        lookup = _under_way.get((host, port))
        if lookup is None or not lookup.may_be_shared:
            lookup = _under_way[host, port] = _Lookup(host, port)
            threading.Thread(target=lookup.run, name="goody-lookup", daemon=True).start()
        return lookup


def _ask(host: str, port: int, *, flags: int = 0) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _, _, _, address in found]
