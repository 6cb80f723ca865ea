"""The age of the index in the frame of every page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders import sync
from orders.models import ApiLimits, SyncState
from orders.sync import SyncPhase
from testing.list_pages import RESULTS, URL, complete_sync, sync_status_in, text_of
from testing.search_oracle import NOW, store
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db

AGO = NOW - timedelta(hours=3)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


IMPORTING = {"finished_at": None, "imported": 412_900, "total": 1_000_000}
DOWN = {"problem": "Goody is unreachable", "failing_since": AGO}


@pytest.mark.parametrize(
    ("fields", "words", "is_amber"),
    [
        ({}, "synced 40 s ago", False),
        ({"synced_at": NOW + timedelta(minutes=5)}, "synced 0 s ago", False),
        ({"synced_at": NOW - timedelta(minutes=10)}, "synced 10 min ago", False),
        ({"synced_at": AGO}, "synced 3 h ago", True),
        ({"synced_at": None}, "synced 2 h ago", True),
        ({"started_at": NOW}, "synced 40 s ago", False),
        ({"is_feed_missing": True}, "newest synced 40 s ago", False),
        ({"synced_at": AGO, **DOWN}, "synced 3 h ago: Goody is unreachable", True),
        ({"synced_at": NOW, **DOWN}, "synced 0 s ago: Goody is unreachable", True),
        (
            {"synced_at": AGO, "suspicion": "Goody lists no orders, and we know 300."},
            "synced 3 h ago, stopped: an admin must look",
            True,
        ),
        (IMPORTING, "importing 41 %", False),
        ({**IMPORTING, "imported": 1_000_000}, "importing 99 %", False),
        ({**IMPORTING, "total": None}, "importing, 412,900 so far", False),
        ({**IMPORTING, "total": 0, "imported": 0}, "importing, 0 so far", False),
        ({**IMPORTING, **DOWN}, "importing 41 %: Goody is unreachable", True),
        (
            {**IMPORTING, "suspicion": "Goody lists no orders, and we know 300."},
            "importing 41 %, stopped: an admin must look",
            True,
        ),
        ({"started_at": None, "finished_at": None}, "not imported yet", False),
    ],
)
def test_age_and_state_of_the_index_are_described(
    as_role: Any, fields: dict[str, Any], words: str, is_amber: bool
) -> None:
    complete_sync(NOW, **fields)
    page = as_role("viewer").get("/settings/")
    assert sync_status_in(page) == words
    assert ('<p id="sync-status" class="topbar__sync is-soon" ' in text_of(page)) == is_amber


def test_before_anything_was_synced(as_role: Any) -> None:
    assert sync_status_in(as_role("viewer").get("/settings/")) == "not imported yet"


def test_blocked_calls_are_described(as_role: Any, settings: Any) -> None:
    settings.GOODY_API_KEY = "old"
    complete_sync(NOW)
    ApiLimits.objects.reject_key("old", now=timezone.now())
    assert sync.read_progress(NOW).phase is SyncPhase.PAUSED
    agent = as_role("agent")
    assert sync_status_in(agent.get("/settings/")) == "synced 40 s ago: Goody rejects the API key"
    ApiLimits.objects.accept_key()
    ApiLimits.objects.pause_until(NOW + timedelta(minutes=2))
    assert sync_status_in(agent.get("/settings/")) == "synced 40 s ago: Goody asks us to wait"
    ApiLimits.objects.update(paused_until=None)
    assert sync_status_in(agent.get("/settings/")) == "synced 40 s ago"


def test_the_exact_time_is_shown_too(as_role: Any) -> None:
    complete_sync(NOW)
    moment = '<time datetime="2026-11-22T11:59:20Z" title="22 Nov 2026, 11:59 UTC">'
    page = as_role("agent").get("/settings/")
    assert f"{moment}synced 40 s ago</time></p>" in text_of(page)


def test_it_links_to_the_system_page_for_admins(as_role: Any) -> None:
    complete_sync(NOW, suspicion="Goody lists no orders, and we know 300.")
    pages = {role: text_of(as_role(role).get("/settings/")) for role in ("lead", "admin")}
    link = re.compile(r'<p id="sync-status"[^>]*><a href="/system/">')
    assert [role for role, page in pages.items() if link.search(page)] == ["admin"]


def test_during_the_first_import_it_links_to_its_progress_for_all(as_role: Any) -> None:
    complete_sync(NOW, **IMPORTING)
    page = text_of(as_role("viewer").get("/settings/"))
    assert re.search(r'<p id="sync-status"[^>]*><a href="/setup/">importing 41 %</a></p>', page)


def test_sync_status_is_polled_and_renewed_with_a_list(as_role: Any) -> None:
    agent = as_role("agent")
    mark = re.search(r'<p id="sync-status"[^>]* hx-get="(.*?)" ', text_of(agent.get("/settings/")))
    assert mark
    complete_sync(NOW, synced_at=NOW - timedelta(seconds=7))
    alone, listed = agent.get(mark[1]), agent.get(URL, headers=RESULTS)
    assert sync_status_in(alone) == sync_status_in(listed) == "synced 7 s ago"
    assert "hx-swap-oob" not in text_of(alone)
    assert '<p id="sync-status" class="topbar__sync" hx-swap-oob="true" ' in text_of(listed)


def test_it_is_on_every_page_of_users_who_may_see_orders(as_role: Any, emulator: Emulator) -> None:
    complete_sync(NOW)
    order = f"/orders/{emulator.find_order_id()}/"
    admin = as_role("admin")
    paths = (URL, f"{URL}?q=nobody", order, f"{order}cancel/", "/orders/views/", "/orders/find/")
    paths += ("/audit/", "/system/", "/settings/", "/orders/nonsense/")
    said = {path: sync_status_in(admin.get(path)) for path in paths}
    assert said == dict.fromkeys(paths, "synced 40 s ago")
    assert sync_status_in(as_role("").get("/settings/")) == ""
    assert sync_status_in(as_role("").get(URL)) == ""


def test_sync_status_costs_one_query_per_page_and_none_in_fragments(as_role: Any) -> None:
    store(3)
    complete_sync(NOW)
    order = UUID(int=0)
    agent = as_role("admin")

    def reads(path: str, **headers: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            agent.get(path, headers=headers)
        return len([one for one in captured if SyncState._meta.db_table in one["sql"]])

    assert [reads(path) for path in (URL, "/settings/", "/system/", f"/orders/{order}/")] == [1] * 4
    assert reads(URL, **RESULTS) == 1
    assert reads("/orders/facets/") == 0
