"""The web server: gunicorn keeps the processes, waitress reads requests, threads run Django.

gunicorn's own thread worker assigns a thread to a connection before its request has arrived, so
that eight clients that send half a request block the site. Here a request occupies a thread only
when it was read whole, within limits of size and time. docs/architecture.md has the trial.
"""

from .gunicorn_worker import GunicornWorker

__all__ = ["GunicornWorker"]
