"""One client connection: whole answers, and the ways an answer can go wrong on the socket.

What is to go wrong is decided in faults.py.
"""

import os
import select
import socket
import struct
import time
from collections.abc import Iterable
from threading import Event

from emulator.messages import Answer

_LOOK_EVERY = 0.1


class Wire:
    """Writes to one connection. After close or reset nothing may be written."""

    def __init__(
        self, connection: socket.socket, *, stopping: Event, has_bodies: bool = True
    ) -> None:
        self._connection = connection
        self._stopping = stopping
        self._has_bodies = has_bodies
        self.is_open = True

    def send(self, answer: Answer) -> None:
        """A whole answer with Content-Length, in one piece; the connection stays open.

        To HEAD the same without its body.
        """
        body = answer.body if self._has_bodies else b""
        self.raw(answer.head(length=len(answer.body)) + body)

    def raw(self, data: bytes) -> None:
        self._connection.sendall(data)

    def drip(self, data: bytes, *, size: int, interval: float) -> None:
        """Pieces of `size` bytes, one each `interval` seconds, while the client is there."""
        for start in range(0, len(data), size):
            self.raw(data[start : start + size])
            if not self.hang(interval):
                return

    def chunks(self, pieces: Iterable[bytes]) -> None:
        """Chunked transfer coding, without the final chunk."""
        for piece in pieces:
            if self._stopping.is_set():
                return
            self.raw(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

    def close(self) -> None:
        """An orderly end after what was sent (FIN)."""
        self.is_open = False

    def reset(self) -> None:
        """An abrupt end: the peer gets RST, not FIN."""
        self.is_open = False
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The stream objects around the socket hold it open; the RST needs the descriptor closed.
        os.close(self._connection.detach())

    def hang(self, seconds: float) -> bool:
        """Say nothing for so long; False, and sooner, if the client leaves or we stop."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._stopping.is_set() or self._client_left(min(left, _LOOK_EVERY)):
                return False
        return True

    def _client_left(self, seconds: float) -> bool:
        watch = select.poll()  # select would refuse descriptors above 1,023.
        watch.register(self._connection, select.POLLIN)
        if not watch.poll(seconds * 1000):
            return False
        try:
            more = self._connection.recv(1, socket.MSG_PEEK)
        except ConnectionError:
            return True
        if more:
            # It is still there, and poll would not wait any longer.
            self._stopping.wait(seconds)
        return not more
