"""`make bench` on a few orders: filling, requests, and copies for the peers."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from itertools import chain
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Browser

from bench import databases
from bench.browser_pages import list_site, measure_sites, print_weights
from bench.bulk_preview import longest_list, match_count, select_all
from bench.databases import Database, filled_database, open_databases
from bench.expiring_page import gifts_by_window
from bench.list_requests import fixed_requests, random_requests
from bench.peers import copy_orders_for_peers
from bench.serving import collect_static, get_page, running_web_server, sign_in, sign_in_agent

ORDERS = 300


@pytest.fixture(scope="module", params=["emulator", "varied"])
def database(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Database]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(databases, "DATASET", request.param)
        patch.setattr(databases, "DATABASE_FOLDER", tmp_path_factory.mktemp("bench"))
        with open_databases("sqlite") as at:
            yield filled_database(at, orders=ORDERS)


@pytest.fixture(scope="module")
def _static_files() -> None:
    collect_static()


@pytest.mark.usefixtures("_static_files")
def test_every_request_has_an_answer(database: Database) -> None:
    rows = {}
    with running_web_server(database.env) as web:
        visitor = sign_in_agent(web)
        for measured in chain(
            fixed_requests(database.values), random_requests(database.values, count=20)
        ):
            page = get_page(visitor, measured.url, measured.headers)
            rows[measured.name] = page.count("<tr id=")
        gifts = gifts_by_window(get_page(visitor, "/expiring/"))
        lead = sign_in(web, "lead")
        query = longest_list(lead)
        selected = match_count(lead, query)
        preview = get_page(lead, select_all(lead, query, "cancel"))
    assert selected == _count_created(database, query) > 0
    assert f"{selected} gifts selected" in preview
    assert len(rows) == len(fixed_requests(database.values)) + 20
    assert gifts["14d"] != "0"
    assert rows["newest page"] == rows["sort -recipient"] == 50
    assert rows["search, nobody: 0 hits"] == rows["adversarial term"] == 0
    assert rows["two e-mail addresses"] >= 2
    assert rows["search, one: 1 hits"] == rows["typing, one hit"] == 1
    assert rows[f"search, most: {database.values['most_hits']} hits"] == 50


def _count_created(database: Database, query: str) -> int:
    """Return the number of orders created on the days (UTC) of the list."""
    days = [value for _, value in parse_qsl(query)]
    with sqlite3.connect(database.path) as connection:
        rows = connection.execute(
            "SELECT count(*) FROM orders_order WHERE date(created_at) BETWEEN ? AND ?", days
        )
        return int(rows.fetchone()[0])


def test_the_peers_have_the_same_orders_and_find_them(database: Database) -> None:
    with sqlite3.connect(copy_orders_for_peers(database)) as connection:
        for table in ("peers_plainorder", "peers_tunedorder", "peers_analyzedorder"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (ORDERS,)
        # Datasette detects and queries the full-text table like this.
        recognized = connection.execute(
            "SELECT name FROM sqlite_master"
            """ WHERE sql LIKE '%VIRTUAL TABLE%USING FTS%content="peers_analyzedorder"%'"""
        )
        assert recognized.fetchall() == [("peers_analyzedorder_fts",)]
        found = connection.execute(
            "SELECT recipient_email FROM peers_analyzedorder WHERE rowid IN (SELECT rowid FROM"
            " peers_analyzedorder_fts WHERE peers_analyzedorder_fts MATCH ?)",
            [f'"{database.values["email"]}"'],
        )
        assert set(found) == {(database.values["email"],)}
        analyzed = connection.execute("SELECT DISTINCT tbl FROM sqlite_stat1").fetchall()
        assert analyzed == [("peers_analyzedorder",)]


@pytest.mark.usefixtures("_static_files")
@pytest.mark.parametrize("database", ["emulator"], indirect=True)
def test_the_list_is_measured_in_a_browser(
    database: Database, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_web_server(database.env) as web:
        ours, lead = list_site(sign_in_agent(web)), list_site(sign_in(web, "lead"))
        measure_sites(browser, [ours], database, rounds=1, is_warm=True)
        print_weights(browser, [ours, lead])
    printed = capsys.readouterr().out
    for name in ("bare 30 KB", "ours: click to next page", "key to options"):
        assert re.search(rf"^  {name} +\d", printed, re.MULTILINE)
    for name in ("first visit", "page turn", "requests", "elements", "markup"):
        assert len(re.findall(rf"{name} [\d,.]+ ≤ [\d,]+ ?B? met", printed)) == 2
