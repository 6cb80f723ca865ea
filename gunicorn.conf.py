"""How gunicorn serves the dashboard; read by itself when gunicorn starts at the repository's top.

Threads, since a view waits for Goody. WEB_CONCURRENCY, PORT and the command line override.
"""

import gc
import logging
import os
import socket

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
threads = 8
# A write may wait 30 s for Goody; a stop lets it end.
graceful_timeout = 45
control_socket_disable = True
# A client that takes nothing any more would keep a thread for ever, and with a download a moment of
# the database. How slow one is that goes on taking does not matter.
STALL_TIMEOUT = float(os.environ.get("STALL_TIMEOUT", "60"))
accesslog = "-"
# The path without its query string: a search may carry a person's name.
access_log_format = '%(t)s %(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'


class Stalls(logging.Filter):
    """Tells in a line, and not as a fault of ours, that a client took nothing any more."""

    def filter(self, record):
        is_of_a_socket = record.msg == "Socket error processing request."
        if is_of_a_socket and record.exc_info and isinstance(record.exc_info[1], TimeoutError):
            record.msg = f"A client took nothing for {STALL_TIMEOUT:g} s and was cut off."
            record.exc_info = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def when_ready(server):
    """Linux ends a connection whose other side takes nothing for so long; connections have it from
    the socket that listens.
    """
    server.log.error_log.addFilter(Stalls())
    for listener in server.LISTENERS:
        if listener.sock.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
            milliseconds = int(STALL_TIMEOUT * 1000)
            listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)


def post_worker_init(worker):  # noqa: ARG001 - gunicorn's signature
    """What was loaded stays loaded: looking through it for garbage now and then takes 50 ms."""
    gc.collect()
    gc.freeze()
