"""Helpers for tests of whole pages: reading pages, filling in and submitting dialogs.

They use Django's client; testing/walkthroughs.py does the same with processes.
"""

from __future__ import annotations

import html
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from orders.models import AuditEntry, Operation
from testing.domain import goody_time, in_days
from testing.processes import hidden_fields

type Json = dict[str, Any]

LIST = "/orders/"
DIALOG = {
    "HX-Request": "true",
    "HX-Target": "div#dialog-body",
    "HX-Current-URL": "http://testserver/orders/",
}
RESULTS = {"HX-Request": "true", "HX-Target": "section#results"}
HOSTILE = "<script>alert(1)</script>"
WAITS = "Goody asks us to wait until"


def read(answer: HttpResponse) -> str:
    """Return the text of the page, after checks that apply to every page."""
    page = answer.content.decode()
    assert "Traceback" not in page
    assert HOSTILE not in page
    return html.unescape(page)


def is_a_list(page: str) -> bool:
    return any(sign in page for sign in ("<tr id=", "There are no orders yet", "No order matches"))


def no_bug_was_logged(caplog: pytest.LogCaptureFixture) -> bool:
    return [r for r in caplog.records if r.levelno >= logging.ERROR] == []


def submit(client: Client, path: str, fields: Json, headers: Json | None = None) -> HttpResponse:
    return client.post(path, fields, headers=headers or {})


def cancel_fields(client: Client, order_id: object) -> Json:
    return _fields(client, f"/orders/{order_id}/cancel/") | {"reason": "duplicate"}


def extend_fields(client: Client, order_id: object) -> Json:
    fields = _fields(client, f"/orders/{order_id}/expiration/")
    return fields | {"expiration": goody_time(in_days(97))}


def _fields(client: Client, path: str) -> Json:
    page = client.get(path).content.decode()
    fields = hidden_fields(page)
    assert "form_key" in fields, page
    return fields


WRITES: dict[str, Callable[[Client, object], Json]] = {
    "cancel": cancel_fields,
    "expiration": extend_fields,
}


def the_operation() -> Operation:
    return Operation.objects.get()


def outcomes() -> list[str]:
    rows = AuditEntry.objects.filter(order_uuid__isnull=False).order_by("id")
    return list(rows.values_list("outcome", flat=True))
