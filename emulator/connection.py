"""A client connection: complete responses, and transport faults."""

import os
import select
import socket
import struct
import time
from collections.abc import Iterable
from threading import Event

from emulator.messages import Response

_POLL_INTERVAL = 0.1


class ClientConnection:
    """Writes to a client's socket. Nothing may be written after close() or reset()."""

    def __init__(self, client: socket.socket, *, stopping: Event, has_bodies: bool = True) -> None:
        self._client = client
        self._stopping = stopping
        self._has_bodies = has_bodies
        self.is_open = True

    def send(self, response: Response) -> None:
        """Send a complete response, without its body to HEAD; the connection stays open."""
        body = response.body if self._has_bodies else b""
        self.send_bytes(response.encode_head(length=len(response.body)) + body)

    def send_bytes(self, data: bytes) -> None:
        self._client.sendall(data)

    def send_slowly(self, data: bytes, *, size: int, interval: float) -> None:
        """Send `size` bytes every `interval` seconds while the client is connected."""
        for start in range(0, len(data), size):
            self.send_bytes(data[start : start + size])
            if not self.wait_while_connected(interval):
                return

    def send_chunks(self, chunks: Iterable[bytes]) -> None:
        """Send in chunked transfer coding, without the final chunk."""
        for chunk in chunks:
            if self._stopping.is_set():
                return
            self.send_bytes(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")

    def close(self) -> None:
        """Let the server close the connection (FIN)."""
        self.is_open = False

    def reset(self) -> None:
        """Abort the connection: the client gets RST instead of FIN."""
        self.is_open = False
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The file objects of the socket keep it open; only closing its descriptor sends the RST.
        os.close(self._client.detach())

    def wait_while_connected(self, seconds: float) -> bool:
        """Send nothing for `seconds`. Return False at once if the client or the server stops."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._stopping.is_set() or self._has_client_left(min(left, _POLL_INTERVAL)):
                return False
        return True

    def _has_client_left(self, seconds: float) -> bool:
        poll = select.poll()  # select() rejects descriptors above 1,023.
        poll.register(self._client, select.POLLIN)
        if not poll.poll(seconds * 1000):
            return False
        try:
            data = self._client.recv(1, socket.MSG_PEEK)
        except ConnectionError:
            return True
        if data:
            # With unread data poll() returns at once.
            self._stopping.wait(seconds)
        return not data
