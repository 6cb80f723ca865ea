"""What tests of the list share: an index that is full, and pages as a person reads them."""

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
    """As the sync leaves it: every order was read, and 40 seconds ago what was new."""
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
    """The address behind a link of that name."""
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
    """The active filters in words, each with the list without it."""
    found = re.findall(r'<span class="filter">(.*?) <a href="(.*?)"', text_of(response))
    return dict(found)


def synced_in(response: Any) -> str:
    """What the frame says of the index; "" where it says nothing."""
    found = re.findall(r'<p id="synced"[^>]*>(.*?)</p>', text_of(response))
    assert len(found) < 2
    return re.sub(r"<[^>]*>", "", found[0]) if found else ""


def watch_url(page: Any) -> str:
    found = re.search(
        r'<(?:div|p) id="news"[^>]* hx-get="(.*?)" hx-trigger="every 60s"', text_of(page)
    )
    assert found
    return found[1]


def news_in(part: Any) -> str:
    found = re.search(r'<p id="news"[^>]*>(.*?)</p>', text_of(part))
    assert found
    return found[1]


def walk(client: Client, first: str, label: str = "Next") -> list[list[str]]:
    """The ids of each page from the first one on."""
    pages, response = [], client.get(first)
    while True:
        pages.append(ids_in(response))
        if not has_link(response, label):
            return pages
        response = client.get(link(response, label))
