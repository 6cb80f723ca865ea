"""Connections with a deadline that record whether any byte of a request may have been sent.

The timeout of requests applies to each read, so that a server that sends a byte a second could keep
a call running forever. Here each read and write of the socket may take the time that is left of one
deadline. Just before the first byte of a request is sent, its `Exchange` is marked: this mark, and
not the type of an exception, distinguishes "certainly not sent" from "may have been sent".
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
from goody.resolver import resolve_host

# A buffered read of headers may read this much beyond them.
_BUFFER = 8192


class ResponseTooLarge(Exception):
    """The response has more bytes than allowed."""


class BeforeSendHookFailed(Exception):
    """before_send raised; its exception is in `Exchange.before_send_error`."""


@dataclass(kw_only=True)
class Exchange:
    """The progress of one request and its response.

    `stage` is dns, connect, tls, ready or sent. `is_reused`: a pooled connection is used.
    `is_answered`: at least one byte was received.
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
        """Call before_send and mark the exchange as sent, if this is the first byte."""
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
            # urllib3 would swallow or wrap an exception that looks like a network error.
            self.before_send_error = error
            raise BeforeSendHookFailed from None

    def set_header_limit(self) -> None:
        """Apply the limit of the headers to the bytes that are received from now on."""
        self._readable = self.header_bytes + _BUFFER

    def set_body_limit(self) -> None:
        """Apply the limit of the body to the bytes that are received from now on.

        It is somewhat higher than the configured one, because chunk sizes are counted too.
        """
        self._readable = self.body_bytes + self.body_bytes // 4 + self.header_bytes

    def count_received_bytes(self, received: int) -> None:
        """Count received bytes. Raises ResponseTooLarge beyond the limit."""
        self.is_answered = self.is_answered or received > 0
        self._readable -= received
        if self._readable < 0:
            raise ResponseTooLarge


current_exchange: ContextVar[Exchange] = ContextVar("current_exchange")


class _Reader(io.RawIOBase):
    """Reads from a socket; each read may take the remaining time of the deadline."""

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
        self._exchange.count_received_bytes(received)
        return received

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An HTTPResponse that reads through _Reader."""

    def __init__(self, sock: socket.socket, *args: Any, exchange: Exchange, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._exchange = exchange
        raw: io.RawIOBase = self.fp.detach()
        self.fp = io.BufferedReader(_Reader(raw, sock, exchange), _BUFFER)

    def begin(self) -> None:
        self._exchange.set_header_limit()
        super().begin()
        self._exchange.set_body_limit()


def _acknowledge_at_once(sock: socket.socket) -> None:
    """Avoid a delay of 40 ms if the server sends headers and body separately (Nagle's algorithm).

    Such a server waits for an acknowledgement, which Linux delays on a reused connection. The
    option is not permanent, so it is set before each read; only Linux has it.
    """
    if sys.platform == "linux":
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _time_left(deadline: Deadline) -> float:
    remaining = deadline.remaining
    if remaining <= 0:
        raise TimeoutError("the deadline has passed")
    return remaining


def _connect(host: str, port: int, exchange: Exchange) -> socket.socket:
    """Connect to the first address that accepts, before the connect deadline."""
    limit = exchange.connect_deadline
    exchange.stage = "dns"
    addresses = resolve_host(host, port, timeout=limit.remaining)
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
            sock.settimeout(_time_left(limit))  # for the TLS handshake
            exchange.stage = "tls"
            return sock
    raise failure


if TYPE_CHECKING:
    _Base = HTTPConnection
else:
    _Base = object


class _DeadlineConnection(_Base):
    """Mixin for plain and TLS connections. One exchange at a time."""

    _exchange: Exchange

    def connect(self) -> None:
        self._exchange = current_exchange.get()
        self._exchange.is_reused = False
        super().connect()

    def _new_conn(self) -> socket.socket:
        # _dns_host keeps a trailing dot, which certificates do not have.
        return _connect(self._dns_host, self.port or 0, self._exchange)

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._exchange = current_exchange.get()
        self.response_class = functools.partial(_Response, exchange=self._exchange)  # type: ignore[assignment]
        super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        """Send all of `data`, which is bytes: the client sends no files or iterables."""
        if self.sock is None:
            self.connect()
        self._exchange.mark_sending()
        unsent = memoryview(data)
        while unsent:
            self.sock.settimeout(_time_left(self._exchange.deadline))
            unsent = unsent[self.sock.send(unsent) :]


class _PlainConnection(_DeadlineConnection, HTTPConnection):
    pass


class _SecureConnection(_DeadlineConnection, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class DeadlineAdapter(HTTPAdapter):
    """An HTTPAdapter with deadline connections, one TLS context and no retries.

    Connections beyond `connections` are closed after use rather than waited for: the slots bound
    their number, and a wait in the pool would ignore the deadline.
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
        """Return the host parameters alone; verification is configured in the TLS context."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Do nothing: the base class would load the default certificates into the context."""
