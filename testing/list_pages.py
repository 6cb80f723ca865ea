"""Helpers for tests of the list: a complete index, and parsing of list pages."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.test import Client

from orders import index
from orders.days import RequestClock
from orders.forms.listing import ListingForm
from orders.index import CreationTime, OrderOfResponse
from orders.models import CreationTimeSource, Order, SyncState
from orders.search import labels
from orders.search.parse import parse_query
from testing.search_oracle import NOW, Oracle, make_rows, uuid

# The orders in the index of the fixture `full`.
COUNT = 150
URL = "/orders/"
RESULTS = {"HX-Request": "true", "HX-Target": "section#results"}


def complete_sync(now: datetime, **fields: Any) -> None:
    """Store the state of a complete full sync and of an incremental sync 40 seconds ago."""
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
    """Return the URL of the link with that text."""
    found = re.search(rf'href="([^"]*)"[^>]*>{re.escape(label)}</a>', text_of(response))
    assert found, f"no link {label!r}"
    return found[1]


def has_link(response: Any, label: str) -> bool:
    return re.search(rf"<a [^>]*>{re.escape(label)}</a>", text_of(response)) is not None


def row_of(response: Any, order_id: object) -> str:
    found = re.search(rf'<tr id="order-{order_id}".*?</tr>', text_of(response), re.DOTALL)
    assert found, f"no row of {order_id}"
    return found[0]


def active_filters_in(response: Any) -> dict[str, str]:
    """Return each active filter, as its button describes it, with the URL that removes it."""
    found = re.findall(
        r'<a class="filter__remove" href="(.*?)" aria-label="Remove: (.*?)">', text_of(response)
    )
    return {text: url for url, text in found}


def sync_status_in(response: Any) -> str:
    """Return the index's age as the frame shows it, or ""."""
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


def follow_pages(client: Client, first: str, label: str = "Next") -> list[list[str]]:
    """Return the order ids of every page, following the link `label`."""
    pages, response = [], client.get(first)
    while True:
        pages.append(ids_in(response))
        if not has_link(response, label):
            return pages
        response = client.get(link(response, label))


def expected_ids(oracle: Oracle, said: str, *, may_search_messages: bool = True) -> list[str]:
    """Return the ids that the oracle finds for a query string, in list order."""
    form = ListingForm(QueryDict(said))
    assert form.is_valid(), form.errors
    filters, zone = form.filters, ZoneInfo("UTC")
    box = parse_query(filters.q, now=NOW, zone=zone)
    asked = filters.query(RequestClock(NOW, zone), labels.find_label_id).merged_with(box.query)
    query = replace(
        asked, sort=filters.sort, names=box.names, may_search_messages=may_search_messages
    )
    return [str(one) for one in oracle.find(query)]


def listed_ids(client: Client, said: str) -> list[str]:
    """Return the ids on all pages of the list with this query string."""
    return [one for page in follow_pages(client, f"{URL}?{said}&per_page=100") for one in page]


def store_new_orders(count: int) -> list[str]:
    """Store new orders that were created at NOW; return their ids, newest first."""
    rows = [
        OrderOfResponse(
            row.raw.replace(str(uuid("order", number)).encode(), str(uuid4()).encode()), at
        )
        for number, row in enumerate(make_rows(count, seed=9))
        if (at := CreationTime(NOW, CreationTimeSource.FEED))
    ]
    index.upsert_rows(rows, read_at=NOW)
    return [str(one.uuid) for one in Order.objects.order_by("-id")[:count]]
