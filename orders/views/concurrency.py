"""Concurrency groups: kinds of requests that wait for something other than the processor.

The web server (goodyadmin.server) gives each group threads of its own and lets a request wait for
one of them only so long. It reads `concurrency_groups` of the view.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from goody.errors import Unavailable

PROBE = "probe"
LOGIN = "login"
GOODY_READ = "goody-read"
GOODY_WRITE = "goody-write"
DOWNLOAD = "download"


def in_group[V: Callable[..., Any]](**groups: str) -> Callable[[V], V]:
    """Name a view's group for each method: `@in_group(GET=GOODY_READ, POST=GOODY_WRITE)`.

    A HEAD request counts as a GET.
    """

    def decorate(view: V) -> V:
        view.concurrency_groups = groups  # type: ignore[attr-defined]
        return view

    return decorate


# Fewer than the threads of the requests that name no group, of which some call Goody by exception.
_PAGE_SLOTS = threading.BoundedSemaphore(2)
_PAGE_SLOT_WAIT = 2.0


@contextmanager
def page_slot() -> Iterator[None]:
    """For a call to Goody by a view whose requests mostly call nobody.

    Raises Unavailable when too many such calls are under way in this process.
    """
    if not _PAGE_SLOTS.acquire(timeout=_PAGE_SLOT_WAIT):
        raise Unavailable("slots")
    try:
        yield
    finally:
        _PAGE_SLOTS.release()
