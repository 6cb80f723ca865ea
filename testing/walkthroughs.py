"""Submit dialogs of a running dashboard, concurrently or while something else happens.

Requests use real connections (see processes.py). The tests check the answers.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

import requests

from testing.processes import Visitor, hidden_fields

# Settings under which no limit expires, even on a busy machine.
LONG_LIMITS = {
    "GOODY_CONNECT_TIMEOUT": "10",
    "GOODY_PAGE_DEADLINE": "30",
    "GOODY_DETAIL_DEADLINE": "30",
    "GOODY_WORKER_DEADLINE": "30",
    "GOODY_WRITE_DEADLINE": "30",
    "RELATED_DEADLINE": "5",
    "OPERATION_FRESH_READ": "30",
}
HTMX = {"HX-Request": "true", "HX-Target": "div#dialog-body"}


def htmx_from(visitor: Visitor, path: str) -> dict[str, str]:
    """Return headers of a dialog request that htmx sends from the page at `path`."""
    return {**HTMX, "HX-Current-URL": visitor.base + path}


@dataclass(frozen=True)
class Form:
    """An opened dialog with its input; it may be submitted repeatedly."""

    path: str
    data: Mapping[str, object]

    def having(self, **typed: object) -> Form:
        return replace(self, data={**self.data, **typed})

    def submit(
        self, visitor: Visitor, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        return visitor.post(self.path, self.data, headers=headers)


def cancel_form(visitor: Visitor, order_id: object) -> Form:
    return _opened(visitor, f"/orders/{order_id}/cancel/").having(reason="duplicate")


def expiration_form(visitor: Visitor, order_id: object, expiration: str) -> Form:
    return _opened(visitor, f"/orders/{order_id}/expiration/").having(expiration=expiration)


def _opened(visitor: Visitor, path: str) -> Form:
    answer = visitor.get(path)
    assert answer.status_code == 200, answer.text
    fields = hidden_fields(answer.text)
    assert "form_key" in fields, answer.text
    # Each visitor sends its own CSRF token.
    fields.pop("csrfmiddlewaretoken")
    return Form(path, fields)


def submit_concurrently(
    form: Form, visitors: Sequence[Visitor], *, htmx_page: str = ""
) -> list[requests.Response]:
    """Submit the same form at the same moment on one connection for each visitor.

    With `htmx_page`, htmx submits it from the page at that path.
    """
    barrier = threading.Barrier(len(visitors))

    def submit(visitor: Visitor) -> requests.Response:
        barrier.wait(30)
        return form.submit(visitor, htmx_from(visitor, htmx_page) if htmx_page else None)

    with ThreadPoolExecutor(len(visitors)) as pool:
        return list(pool.map(submit, visitors))


@contextmanager
def submitting(
    form: Form, visitor: Visitor, headers: Mapping[str, str] | None = None
) -> Iterator[Future[requests.Response]]:
    """Submit in the background during the block; yields the future of the answer."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(form.submit, visitor, headers)
