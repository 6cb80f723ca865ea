"""The list in Chromium, next to Django's admin and Datasette with the same orders (SQLite).

For each site in turn: the first paint of the whole page, and the time from the click on the link to
the next page until that page is painted. For the dashboard alone: the time from a key in the search
box to the painted options, and the CPU time of a page turn in the browser. Then, once, also for a
lead, whose rows have checkboxes: the bytes over the wire, the number of elements, and the bytes of
a row's tags. "× bare" is the ratio to the first paint of a page of 30 KB without scripts and
styles, in the same browser and run.
BROWSER_ROUNDS (20) is the number of measurements of each kind.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from bench import report
from bench.databases import ORDERS, Database, filled_database, open_databases
from bench.list_pages import BARE
from bench.paint_times import (
    RECORD_TIMES,
    clear_times,
    read_duration,
    wait_for_first_paint,
    wait_for_paint,
)
from bench.peers import copy_orders_for_peers, running_datasette
from bench.report import Goal
from bench.serving import get_page, running_web_server, sign_in, sign_in_agent
from bench.timings import Timings
from testing.browser import launch_options
from testing.serving import Visitor

_ROUNDS = int(os.environ.get("BROWSER_ROUNDS", "20"))
_OURS, _ADMIN, _TABLE = "ours", "admin, tuned and analyzed", "Datasette"
_LEAD = "ours, as a lead"
_SETTLING_MS = 700
_TIMES_BARE = 1.2
_SWAP_MS = 40.0
_FIRST_VISIT = 50_000
_PAGE_TURN = 10_000
_NODES = 1_100
_ROW_BYTES = 700
_CPU = {"script": "ScriptDuration", "style": "RecalcStyleDuration", "layout": "LayoutDuration"}
_DELAY = re.compile(r'hx-trigger="input changed delay:(\d+)ms')
_BODY = re.compile(r"<tbody.*</tbody>", re.DOTALL)
_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Site:
    """A page of 50 orders, and the CSS selector of its link to the next page.

    `visitor` is a client that is signed in, whose cookies the browser gets.
    """

    name: str
    visitor: Visitor
    path: str
    next_link: str
    is_swapped: bool = False

    @property
    def url(self) -> str:
        return self.visitor.base + self.path


def measure_browser() -> None:
    with open_databases("sqlite") as at:
        database = filled_database(at, orders=ORDERS)
        peers = copy_orders_for_peers(database)
        env = {**database.env, "PEERS_DATABASE": f"sqlite:///{peers}"}
        with running_web_server(env) as web, running_datasette(peers) as datasette:
            sites = [*dashboard_sites(sign_in_agent(web)), datasette_site(datasette)]
            lead = list_site(sign_in(web, "lead"), name=_LEAD)
            with _running_browser() as browser:
                measure_sites(browser, sites, database, rounds=_ROUNDS)
                print_weights(browser, [sites[0], lead, *sites[1:]])


def dashboard_sites(visitor: Visitor) -> list[Site]:
    """Return our list, and Django's admin on the same server."""
    admin = "/peers/peers/analyzedorder/"
    return [list_site(visitor), Site(_ADMIN, visitor, admin, ".paginator a[href*='p=2']")]


def list_site(visitor: Visitor, *, name: str = _OURS) -> Site:
    """Return the dashboard's list as a site."""
    return Site(name, visitor, "/orders/", ".pager [rel=next]", is_swapped=True)


def datasette_site(visitor: Visitor) -> Site:
    return Site(_TABLE, visitor, "/peers/peers_analyzedorder?_sort_desc=id", "a[href*='_next=']")


@contextmanager
def _running_browser() -> Iterator[Browser]:
    with sync_playwright() as started:
        options = launch_options(started)
        if options is None:
            raise SystemExit("There is no Chromium: `sh bin/test` installs it.")
        browser = started.chromium.launch(**options)  # type: ignore[arg-type]
        try:
            yield browser
        finally:
            browser.close()


def measure_sites(
    browser: Browser,
    sites: Sequence[Site],
    database: Database,
    *,
    rounds: int,
    is_warm: bool = False,
) -> None:
    """Measure and print times. The first site is ours.

    The first round does not count, unless the browser `is_warm`.
    """
    ours = sites[0]
    contexts = {one.name: _context(browser, one) for one in sites}
    pages = {name: context.new_page() for name, context in contexts.items()}
    mine = pages[ours.name]
    asked: dict[str, Callable[[], float]] = {BARE: partial(_first_paint, mine, _bare_url(ours))}
    for site in sites:
        page = pages[site.name]
        asked[f"{site.name}: whole page"] = partial(_first_paint, page, site.url)
        asked[f"{site.name}: click to next page"] = partial(_page_turn, page, site)
    asked["key to options"] = partial(_typing, mine, ours, database.values["twenty"])
    series = _measure(asked, range(1 if is_warm else 0, rounds + 1))
    _print_times(series, delay=_debounce(ours))
    _print_cpu(mine, ours, rounds=rounds)
    for context in contexts.values():
        context.close()


def print_weights(browser: Browser, sites: Sequence[Site]) -> None:
    """Measure and print the weight of each site. Only ours has goals."""
    report.print_title(
        "Weight of a page of 50 orders",
        *("first visit", "page turn", "requests", "elements", "markup/row"),
    )
    for site in sites:
        _print_weight(browser, site, is_ours=site.name in (_OURS, _LEAD))


def _bare_url(site: Site) -> str:
    return f"{site.visitor.base}/bare/"


def _context(browser: Browser, site: Site) -> BrowserContext:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(RECORD_TIMES)
    for name, value in site.visitor.http.cookies.get_dict().items():
        context.add_cookies([{"name": name, "value": value, "url": site.visitor.base}])
    return context


def _debounce(site: Site) -> float:
    """Return the milliseconds that the search box waits for another key."""
    match = _DELAY.search(get_page(site.visitor, site.path))
    if match is None:
        raise SystemExit("the search box has no delay")
    return float(match[1])


def _measure(asked: Mapping[str, Callable[[], float]], rounds: range) -> dict[str, Timings]:
    """Return milliseconds of each kind, measured once a round. Round 0 does not count."""
    series = {name: Timings(name) for name in asked}
    for number in rounds:
        for name, measured in asked.items():
            took = measured()
            if number:
                series[name].milliseconds.append(took)
    return series


# --- times ------------------------------------------------------------------------------------


def _first_paint(page: Page, url: str) -> float:
    """Return the time from the start of the navigation to the first paint."""
    page.goto(url)
    return wait_for_first_paint(page)


def _open_settled(page: Page, site: Site) -> None:
    """Open the page and wait until all its requests have finished."""
    page.goto(site.url, wait_until="networkidle")
    page.wait_for_timeout(_SETTLING_MS)


def _page_turn(page: Page, site: Site) -> float:
    """Return the time from the click on the link to the next page to its first paint."""
    _open_settled(page, site)
    _click_next(page, site)
    wait_for_paint(page)
    return read_duration(page)


def _click_next(page: Page, site: Site) -> None:
    """Click with the mouse, because a locator's click runs scripts in the page."""
    link = page.locator(site.next_link).last
    link.scroll_into_view_if_needed()
    box = link.bounding_box()
    assert box is not None
    clear_times(page)
    place = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    if site.is_swapped:
        page.mouse.click(*place)
        return
    with page.expect_navigation(wait_until="load"):
        page.mouse.click(*place)


def _typing(page: Page, site: Site, word: str) -> float:
    """Return the time from the last key of a word to the painted options."""
    _open_settled(page, site)
    page.keyboard.press("/")
    page.keyboard.type(word[:-1])
    page.wait_for_timeout(_SETTLING_MS)
    clear_times(page)
    page.keyboard.press(word[-1])
    wait_for_paint(page)
    return read_duration(page)


def _print_times(series: Mapping[str, Timings], *, delay: float) -> None:
    bare = series[BARE].median
    report.print_title(f"In Chromium, {ORDERS:,} orders", "median", "p95 (ms)", "× bare")
    for name, one in series.items():
        goals = []
        if name == f"{_OURS}: click to next page":
            goals = [Goal("× bare", one.median / bare, _TIMES_BARE)]
        elif name == "key to options":
            waited = (one.median - delay) / bare
            goals = [Goal(f"× bare without the delay of {delay:.0f} ms", waited, _TIMES_BARE)]
        report.print_row(name, one.median, one.p95, one.median / bare, goals=goals)


# --- CPU time of a page turn --------------------------------------------------------------------


def _print_cpu(page: Page, site: Site, *, rounds: int) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    turns = [_cpu_of_page_turn(page, site, session) for _ in range(rounds)]
    session.detach()
    parts = {name: Timings(name, [one[name] for one in turns]) for name in _CPU}
    total = Timings("all", [sum(one.values()) for one in turns])
    report.print_title("CPU time of a page turn in the browser", *_CPU, "all (ms)", "p95")
    goal = Goal("median", total.median, _SWAP_MS, " ms")
    figures = (*(one.median for one in parts.values()), total.median, total.p95)
    report.print_row(site.name, *figures, goals=[goal])


def _cpu_of_page_turn(page: Page, site: Site, session: CDPSession) -> dict[str, float]:
    _open_settled(page, site)
    page.locator(site.next_link).last.scroll_into_view_if_needed()
    page.wait_for_timeout(_SETTLING_MS)
    before = _cpu_times(session)
    _click_next(page, site)
    page.wait_for_timeout(_SETTLING_MS)
    after = _cpu_times(session)
    return {name: after[name] - before[name] for name in _CPU}


def _cpu_times(session: CDPSession) -> dict[str, float]:
    """Return the milliseconds that the page has used so far."""
    metrics = {
        one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]
    }
    return {name: metrics[of] * 1000 for name, of in _CPU.items()}


# --- weight ---------------------------------------------------------------------------------------


class _Wire:
    """Counts requests and the bytes of their answers: headers and compressed bodies."""

    def __init__(self, page: Page) -> None:
        self.requests = 0
        self.bytes = 0.0
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.loadingFinished", self._finished)

    def _finished(self, event: Mapping[str, float]) -> None:
        self.requests += 1
        self.bytes += event["encodedDataLength"]

    def reset(self) -> None:
        self.requests, self.bytes = 0, 0.0


def _print_weight(browser: Browser, site: Site, *, is_ours: bool) -> None:
    context = _context(browser, site)
    page = context.new_page()
    wire = _Wire(page)
    _open_settled(page, site)
    first = wire.bytes
    nodes = int(page.evaluate("document.querySelectorAll('*').length"))
    wire.reset()
    _click_next(page, site)
    page.wait_for_timeout(_SETTLING_MS)
    turn, requests = wire.bytes, wire.requests
    context.close()
    row = _markup_of_a_row(get_page(site.visitor, site.path))
    goals = [
        Goal("first visit", first, _FIRST_VISIT, " B"),
        Goal("page turn", turn, _PAGE_TURN, " B"),
        Goal("requests", requests, 1),
        Goal("elements", nodes, _NODES),
        Goal("markup", row, _ROW_BYTES, " B"),
    ]
    report.print_row(
        site.name, first, turn, f"{requests}", f"{nodes:,}", row, goals=goals if is_ours else []
    )


def _markup_of_a_row(page: str) -> float:
    """Return the mean bytes of the tags of a row of the table."""
    body = _BODY.search(page)
    rows = _ROW.findall(body[0]) if body else []
    tags = [len(tag.encode()) for row in rows for tag in _TAG.findall(row)]
    return sum(tags) / max(len(rows), 1)
