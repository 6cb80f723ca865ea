"""Helpers for tests of the list: a complete index, and parsing of list pages."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from typing import Any

from django.test import Client

from orders.models import SyncState

URL = "/orders/"
RESULTS = {"HX-Request": "true", "HX-Target": "section#results"}
TYPING = {**RESULTS, "HX-Source": "input#q"}


def complete_sync(now: datetime, **fields: Any) -> None:
    """Set the sync state: the full sync is complete, the last incremental one 40 seconds old."""
    given = {
        "started_at": now - timedelta(hours=2),
        "finished_at": now - timedelta(hours=1),
        "synced_at": now - timedelta(seconds=40),
        **fields,
    }
    SyncState.objects.update_or_create(pk=1, defaults=given)


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode())


def ids_in(response: Any) -> list[str]:
    return re.findall(r'<tr id="order-([0-9a-f-]{36})"', text_of(response))


def link(response: Any, label: str) -> str:
    """The URL of the link with that text."""
    found = re.search(rf'href="([^"]*)"[^>]*>{re.escape(label)}</a>', text_of(response))
    assert found, f"no link {label!r}"
    return found[1]


def has_link(response: Any, label: str) -> bool:
    return re.search(rf"<a [^>]*>{re.escape(label)}</a>", text_of(response)) is not None


def row_of(response: Any, order_id: object) -> str:
    found = re.search(rf'<tr id="order-{order_id}".*?</tr>', text_of(response), re.DOTALL)
    assert found, f"no row of {order_id}"
    return found[0]


def active_in(response: Any) -> dict[str, str]:
    """Each active filter's description with the URL that removes it."""
    found = re.findall(r'<span class="filter">(.*?) <a href="(.*?)"', text_of(response))
    return dict(found)


def sync_status_in(response: Any) -> str:
    """The index's age as the frame shows it, or ""."""
    found = re.findall(r'<p id="sync-status"[^>]*>(.*?)</p>', text_of(response))
    assert len(found) < 2
    return re.sub(r"<[^>]*>", "", found[0]) if found else ""


def changes_url(page: Any) -> str:
    found = re.search(
        r'<(?:div|p) id="changes"[^>]* hx-get="(.*?)" hx-trigger="every 60s"', text_of(page)
    )
    assert found
    return found[1]


def changes_in(part: Any) -> str:
    found = re.search(r'<p id="changes"[^>]*>(.*?)</p>', text_of(part))
    assert found
    return found[1]


def walk(client: Client, first: str, label: str = "Next") -> list[list[str]]:
    """The order ids of every page, following the link `label`."""
    pages, response = [], client.get(first)
    while True:
        pages.append(ids_in(response))
        if not has_link(response, label):
            return pages
        response = client.get(link(response, label))
