"""Concurrency groups: kinds of requests that wait for something other than the CPU.

The web server (goodyadmin.server) has separate threads for each group, and limits the time that a
request waits for one. It calls the view's `concurrency_group` to get the group.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from goody.errors import Unavailable
from orders.presenters.order_page import READ

PROBE = "probe"
LOGIN = "login"
GOODY_READ = "goody-read"
GOODY_WRITE = "goody-write"
DOWNLOAD = "download"


def in_concurrency_group[V: Callable[..., Any]](
    *, has_copy: bool = False, **groups: str
) -> Callable[[V], V]:
    """Set a view's group for each method: `@in_concurrency_group(POST=GOODY_WRITE)`.

    A HEAD request counts as a GET. With `has_copy`, GETs that only show the stored copy of an order
    are in no group: polls, and the first GET of a browser whose script then loads a fresh read.
    """

    def group_of(method: str, query: str, cookies: str) -> str:
        names = {part.partition("=")[0] for part in query.split("&")}
        shows_copy = READ not in names and ("script=on" in cookies or "poll" in names)
        if has_copy and method == "GET" and shows_copy:
            return ""
        return groups.get(method, "")

    def decorate(view: V) -> V:
        view.concurrency_group = group_of  # type: ignore[attr-defined]
        return view

    return decorate


# Fewer than the threads of the requests that name no group, of which some call Goody by exception.
_PAGE_SLOTS = threading.BoundedSemaphore(2)
_PAGE_SLOT_WAIT = 2.0


@contextmanager
def page_call_slot() -> Iterator[None]:
    """Limit the calls to Goody of views that rarely make one.

    Raises Unavailable when too many such calls are in progress in this process.
    """
    if not _PAGE_SLOTS.acquire(timeout=_PAGE_SLOT_WAIT):
        raise Unavailable("slots")
    try:
        yield
    finally:
        _PAGE_SLOTS.release()
