"""The web server: gunicorn keeps the processes, waitress reads requests, threads run Django.

gunicorn's own thread worker gives a thread to a connection whose request is still being sent, so
that eight clients that send half a request stop the site. Here a request occupies a thread only
when it was read whole, within limits of size and time. docs/architecture.md has the trial.
"""

from .gunicorn_worker import GunicornWorker

__all__ = ["GunicornWorker"]
