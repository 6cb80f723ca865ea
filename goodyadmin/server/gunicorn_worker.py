"""gunicorn's worker process: waitress's event loop over the sockets that gunicorn bound."""

from __future__ import annotations

import gc
import math
import os
import socket
from typing import Any

from django.conf import settings
from gunicorn.workers.base import Worker as BaseWorker
from waitress import wasyncore
from waitress.adjustments import Adjustments

from .connections import TcpListener, UnixListener
from .dispatcher import Dispatcher, GroupLimit

# Seconds between two looks at the deadlines when nothing happens.
_TURN = 0.5
_HEADER_BYTES = 64 * 1024
# Bytes of a response that may wait in memory for the client; beyond that the thread waits.
_OUTPUT_BYTES = 1024 * 1024


def group_limits() -> dict[str, GroupLimit]:
    """Return the limit of each concurrency group; "" is for requests without a group.

    Each group has its own threads, so that calls to Goody that hang do not delay other pages. Pages
    only use the CPU: more of them at once would slow each other down. Probes are always answered,
    because an overloaded process would otherwise be considered dead and restarted.
    """
    slow = settings.GOODY_QUEUE_WAIT
    return {
        "": GroupLimit(4, settings.QUEUE_WAIT),
        "probe": GroupLimit(2, math.inf, is_always_accepted=True),
        # A password hash takes 0.7 s of a processor.
        "login": GroupLimit(1, slow),
        "goody-read": GroupLimit(4, slow),
        "goody-write": GroupLimit(4, slow),
        "download": GroupLimit(2, slow),
    }


class GunicornWorker(BaseWorker):  # type: ignore[misc]
    """The `worker_class` for gunicorn."""

    def run(self) -> None:
        # Otherwise collections of the loaded modules, which stay, would take 50 ms now and then.
        gc.collect()
        gc.freeze()
        self._connections: dict[int, Any] = {}
        self._dispatcher = Dispatcher(
            threads=sum(limit.at_once for limit in group_limits().values()),
            queue_size=settings.QUEUE_SIZE,
            limits=group_limits(),
        )
        listeners = [self._listen(one.sock) for one in self.sockets]
        while self.alive and self.ppid == os.getppid():
            self._turn()
        for listener in listeners:
            listener.stop_accepting()
        while not all(listener.close_idle() for listener in listeners):
            self._turn()

    def _listen(self, listening: socket.socket) -> Any:
        kind = UnixListener if listening.family == socket.AF_UNIX else TcpListener
        return kind(
            self.wsgi,
            self._connections,
            _sock=listening,
            dispatcher=self._dispatcher,
            adj=self._adjustments(listening),
            bind_socket=False,
            sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
        )

    def _adjustments(self, listening: socket.socket) -> Adjustments:
        return Adjustments(
            sockets=[listening],
            backlog=self.cfg.backlog,
            connection_limit=settings.MAX_CONNECTIONS,
            max_request_header_size=_HEADER_BYTES,
            max_request_body_size=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
            # Nothing that is received or sent goes to a file.
            inbuf_overflow=settings.DATA_UPLOAD_MAX_MEMORY_SIZE * 2,
            outbuf_overflow=_OUTPUT_BYTES * 64,
            outbuf_high_watermark=_OUTPUT_BYTES,
            cleanup_interval=1,
            ident=None,
            asyncore_use_poll=True,
            # Which of a proxy's headers count is decided in Django.
            clear_untrusted_proxy_headers=False,
        )

    def _turn(self) -> None:
        self.notify()
        wasyncore.loop(timeout=_TURN, map=self._connections, use_poll=True, count=1)
        self._dispatcher.refuse_overdue()
