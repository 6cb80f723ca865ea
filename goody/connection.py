"""Connections to Goody that end when their time is up and know whether anything was sent.

requests' own timeout is per read, so a server that sends a byte a second keeps a call alive for
ever. Here every read and write of the socket gets what is left of one deadline. And just before
the first byte of a request leaves, its `Exchange` is marked: that mark, and no guess from the type
of an exception, tells "certainly not sent" from "may have been sent".

What an answer means is not decided here.
"""

import functools
import http.client
import io
import socket
import ssl
import sys
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, Retry
from urllib3.connection import HTTPConnection, HTTPSConnection

from goody.limits import Deadline
from goody.lookup import resolve

# As much as one read may fetch beyond the headers while they are being counted.
_BUFFER = 8192


class TooLarge(Exception):
    """The answer has more bytes than we are willing to read."""


class BeforeSendFailed(Exception):
    """Carries nothing: the caller's own exception waits in `Exchange.before_send_error`."""


@dataclass(kw_only=True)
class Exchange:
    """One request and its answer, as far as they have come.

    `stage` is dns, connect, tls, ready or sent. `is_reused` tells that a pooled connection carried
    it, `is_answered` that at least one byte came back.
    """

    deadline: Deadline
    connect_deadline: Deadline
    header_bytes: int
    body_bytes: int
    before_send: Callable[[], None] | None = None

    stage: str = "dns"
    may_have_left: bool = False
    is_reused: bool = True
    is_answered: bool = False
    before_send_error: BaseException | None = None
    _readable: int = 0

    def mark_sending(self) -> None:
        """Called with the connection standing and before each byte; acts before the first."""
        if self.may_have_left:
            return
        self.stage = "ready"
        self._run_before_send()
        if self.deadline.has_passed:
            raise TimeoutError("no time left to send")
        self.may_have_left = True
        self.stage = "sent"

    def _run_before_send(self) -> None:
        if self.before_send is None:
            return
        try:
            self.before_send()
        except BaseException as error:  # noqa: BLE001
            # urllib3 swallows or wraps whatever looks like a network error, and this may.
            self.before_send_error = error
            raise BeforeSendFailed from None

    def expect_headers(self) -> None:
        self._readable = self.header_bytes + _BUFFER

    def expect_body(self) -> None:
        """Chunk sizes count too, so a little more than the body may come over the wire."""
        self._readable = self.body_bytes + self.body_bytes // 4 + self.header_bytes

    def count(self, received: int) -> None:
        """Note bytes that came in. Raises TooLarge."""
        self.is_answered = self.is_answered or received > 0
        self._readable -= received
        if self._readable < 0:
            raise TooLarge


current_exchange: ContextVar[Exchange] = ContextVar("current_exchange")


class _Reader(io.RawIOBase):
    """A socket's bytes, each read with what is left of the deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, exchange: Exchange) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_time_left(self._exchange.deadline))
        _acknowledge_at_once(self._sock)
        received = self._raw.readinto(buffer) or 0
        self._exchange.count(received)
        return received

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """http.client's response, reading through _Reader."""

    def __init__(self, sock: socket.socket, *args: Any, exchange: Exchange, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._exchange = exchange
        raw: io.RawIOBase = self.fp.detach()
        self.fp = io.BufferedReader(_Reader(raw, sock, exchange), _BUFFER)

    def begin(self) -> None:
        self._exchange.expect_headers()
        super().begin()
        self._exchange.expect_body()


def _acknowledge_at_once(sock: socket.socket) -> None:
    """Spare us 40 ms where a server writes headers and body apart, with Nagle's algorithm on.

    On a reused connection Linux delays the acknowledgement for which such a server waits. The
    option does not last, so it is set again for each read; other systems do not have it.
    """
    if sys.platform == "linux":
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _time_left(deadline: Deadline) -> float:
    remaining = deadline.remaining
    if remaining <= 0:
        raise TimeoutError("the deadline has passed")
    return remaining


def _open(host: str, port: int, exchange: Exchange) -> socket.socket:
    """A TCP connection to the first address that answers, all within the connect deadline."""
    limit = exchange.connect_deadline
    exchange.stage = "dns"
    addresses = resolve(host, port, timeout=limit.remaining)
    exchange.stage = "connect"
    failure: OSError = OSError("no address")
    for position, (family, address) in enumerate(addresses):
        share = _time_left(limit) / (len(addresses) - position)
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(share)
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(_time_left(limit))  # what the TLS handshake gets
            exchange.stage = "tls"
            return sock
    raise failure


if TYPE_CHECKING:
    _Base = HTTPConnection
else:
    _Base = object


class _Bounded(_Base):
    """What both kinds of connection have in common. One exchange at a time."""

    _exchange: Exchange

    def connect(self) -> None:
        self._exchange = current_exchange.get()
        self._exchange.is_reused = False
        super().connect()

    def _new_conn(self) -> socket.socket:
        # _dns_host keeps a trailing dot, which the certificate's name does not have.
        return _open(self._dns_host, self.port or 0, self._exchange)

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._exchange = current_exchange.get()
        self.response_class = functools.partial(_Response, exchange=self._exchange)  # type: ignore[assignment]
        super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        """All bytes of a request pass here; ours are always bytes, never files or iterables."""
        if self.sock is None:
            self.connect()
        self._exchange.mark_sending()
        unsent = memoryview(data)
        while unsent:
            self.sock.settimeout(_time_left(self._exchange.deadline))
            unsent = unsent[self.sock.send(unsent) :]


class _PlainConnection(_Bounded, HTTPConnection):
    pass


class _SecureConnection(_Bounded, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class Adapter(HTTPAdapter):
    """requests' adapter with our connections, one TLS context and no retries of its own.

    Extra connections beyond `connections` are closed after use rather than waited for: the slots
    bound them, and a wait in the pool would know no deadline.
    """

    def __init__(self, *, tls: ssl.SSLContext, connections: int) -> None:
        self._tls = tls
        super().__init__(
            pool_connections=1,
            pool_maxsize=connections,
            max_retries=Retry(0, read=False),
        )

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        self.poolmanager = PoolManager(
            num_pools=connections,
            maxsize=maxsize,
            block=block,
            ssl_context=self._tls,
            **pool_kwargs,
        )
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """Where to connect; how to verify stands in the TLS context alone."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the base class would load the default certificates into our context."""
