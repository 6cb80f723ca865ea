"""How gunicorn serves the dashboard; read by itself when gunicorn starts at the repository's top.

Threads, since a view waits for Goody. WEB_CONCURRENCY, PORT and the command line override.
"""

import gc
import os

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
threads = 8
# A write may wait 30 s for Goody; a stop lets it end.
graceful_timeout = 45
control_socket_disable = True
accesslog = "-"
# The path without its query string: a search may carry a person's name.
access_log_format = '%(t)s %(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'


def post_worker_init(worker):  # noqa: ARG001 - gunicorn's signature
    """What was loaded stays loaded: looking through it for garbage now and then takes 50 ms."""
    gc.collect()
    gc.freeze()
