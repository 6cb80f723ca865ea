"""/expiring/: every count equals its list, days of any length, money that is not known."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
import pytest
import time_machine
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders import formats, index
from orders.days import RequestClock
from orders.forms.listing import ListingForm
from orders.index import OrderOfResponse
from orders.models import Order, Profile, Selection
from orders.search import iterate_hits, labels
from orders.services.expiring import MAX_GROUPS, WINDOWS
from testing.list_pages import complete_sync, listed_ids, text_of
from testing.search_oracle import NOW, Oracle, uuid

pytestmark = pytest.mark.django_db
URL = "/expiring/"


class Counted(NamedTuple):
    """A row of the page as it is shown."""

    name: str
    under: str
    url: str
    gifts: int
    money: str
    left_out: str


_WINDOW = re.compile(
    r'<h2 class="window__name">(?P<name>.*?)</h2>\s*<p class="window__gifts">'
    r'(?:<a href="(?P<url>[^"]*)">)?(?P<gifts>[\d,]+)<span.*?</p>\s*'
    r'<p>(?P<money>.*?)(?:<span class="cell__sub">and (?P<left_out>.*?)</span>)?</p>',
    re.DOTALL,
)
_ROW = re.compile(
    r'<th scope="row">(?:<a href="(?P<url>[^"]*)">)?<bdi>(?P<name>.*?)</bdi>(?:</a>)?'
    r'(?:<span class="cell__sub clip"><bdi>(?P<under>.*?)</bdi></span>)?</th>\s*'
    r'<td class="num">(?P<gifts>[\d,]+)<span.*?</span></td>\s*<td class="num">(?P<money>.*?)'
    r'(?:<span class="cell__sub">and (?P<left_out>.*?)</span>)?</td>',
    re.DOTALL,
)


def _counted(found: re.Match[str]) -> Counted:
    given = {name: text or "" for name, text in found.groupdict().items()}
    given.setdefault("under", "")
    return Counted(**{**given, "gifts": int(given["gifts"].replace(",", ""))})


def windows_in(page: Any) -> list[Counted]:
    return [_counted(found) for found in _WINDOW.finditer(text_of(page))]


def table_in(page: Any, name: str) -> list[Counted]:
    """Return the rows of a table: "days" (in their order), "workspaces" or "senders"."""
    if name == "days":
        return [*table_in(page, "past-days")[::-1], *table_in(page, "days to come")]
    table_id = name.partition(" ")[0]
    pattern = rf'<table class="[^"]*" id="{table_id}">.*?</table>'
    found = re.search(pattern, text_of(page), re.DOTALL)
    return [_counted(row) for row in _ROW.finditer(found[0])] if found else []


def all_rows(page: Any) -> list[Counted]:
    tables = (table_in(page, name) for name in ("days", "workspaces", "senders"))
    return [*windows_in(page), *(row for table in tables for row in table)]


def chart_links_in(page: Any) -> list[tuple[str, str]]:
    """Return the URL and the tooltip of each bar."""
    return re.findall(r'<a class="chart__day" href="(.*?)".*?<title>(.*?)</title>', text_of(page))


def store(*orders: dict[str, Any]) -> None:
    """Store opened gifts; each argument has the fields that differ."""
    rows = [
        OrderOfResponse(
            msgspec.json.encode(
                {
                    "id": str(uuid("expiring", number)),
                    "status": "opened",
                    "amounts": {"amount_pre_tax_total": 1000},
                    **fields,
                }
            ),
            None,
        )
        for number, fields in enumerate(orders)
    ]
    index.upsert_rows(rows, read_at=NOW)


def at(*, hours: float = 0, **fields: Any) -> dict[str, Any]:
    """Return the fields of a gift that expires so many hours after NOW."""
    return {"expires_at": (NOW + timedelta(hours=hours)).isoformat(), **fields}


@pytest.fixture
def agent(as_role: Any) -> Client:
    return as_role("agent")  # type: ignore[no-any-return]


def use_zone(client: Client, zone: str) -> None:
    user = client.user  # type: ignore[attr-defined]
    Profile.objects.update_or_create(user=user, defaults={"time_zone": zone})


def page_at(moment: datetime, client: Client, zone: str) -> Any:
    """Return the page at that instant, after comparing it with the lists."""
    with time_machine.travel(moment, tick=False):
        client.logout()
        client.force_login(client.user)  # type: ignore[attr-defined]
        complete_sync(moment)
        page = client.get(URL)
    assert_lists_are_exact(page, RequestClock(moment, ZoneInfo(zone)))
    return page


def held(ids: list[str]) -> Counted:
    """Return what the page must show for these orders, computed from their rows."""
    rows = Order.objects.filter(uuid__in=ids)
    readable = [row.amount_cents for row in rows if not row.is_amount_odd]
    known = [cents for cents in readable if cents is not None]
    missing = {
        "not known yet": len(readable) - len(known),
        "unreadable": len(rows) - len(readable),
    }
    left_out = ", ".join(f"{n} {words}" for words, n in missing.items() if n)
    if known or not ids:
        money = formats.money(sum(known)) if ids else "—"
        return Counted("", "", "", len(ids), money, left_out)
    only = [words for words, n in missing.items() if n]
    money = only[0].capitalize() if len(only) == 1 else left_out
    return Counted("", "", "", len(ids), money, "")


def listed(url: str, clock: RequestClock) -> list[str]:
    """Return the ids of all orders in the list at that URL."""
    form = ListingForm(QueryDict(urlsplit(url).query))
    assert form.is_valid(), form.errors
    query = form.filters.query(clock, labels.find_label_id)
    return [str(one.uuid) for one in iterate_hits(query, now=clock.now)]


def assert_lists_are_exact(page: Any, clock: RequestClock) -> None:
    """Compare the gifts and the money of every row with the list behind it."""
    rows = all_rows(page)
    for row in rows:
        if row.url:
            assert row._replace(name="", under="", url="") == held(listed(row.url, clock)), row
    assert {row.name for row in rows if row.gifts and not row.url} <= {
        "No workspace given",
        "No sender given",
    }
    by_url = {row.url: row for row in table_in(page, "days")}
    for url, title in chart_links_in(page):
        day = by_url.pop(url)
        assert title.startswith(f"{day.name}{f' ({day.under})' if day.under else ''}: {day.gifts} ")
    assert by_url == {}


@pytest.mark.usefixtures("search_time")
@pytest.mark.parametrize(
    ("zone", "window"), [*(("UTC", one) for one in WINDOWS), ("Asia/Kathmandu", "7d")]
)
def test_every_count_equals_the_list_that_it_links_to(
    agent: Client, full: Oracle, zone: str, window: str
) -> None:
    use_zone(agent, zone)
    page = agent.get(f"{URL}?expires={window}")
    assert len(table_in(page, "days")) > 15
    assert len(table_in(page, "workspaces")) == 4
    assert_lists_are_exact(page, RequestClock(NOW, ZoneInfo(zone)))
    row = table_in(page, "senders")[0]
    assert len(listed_ids(agent, urlsplit(row.url).query)) == row.gifts
    chosen = dict(zip(WINDOWS, windows_in(page), strict=True))[window]
    for name in ("workspaces", "senders"):
        assert sum(row.gifts for row in table_in(page, name)) == chosen.gifts


CHANGES = [
    # The clock goes back: 25 hours.
    ("Europe/Berlin", date(2026, 10, 25), 25),
    # It goes forward at midnight: the day begins at 01:00.
    ("America/Santiago", date(2026, 9, 6), 23),
    # It goes back to midnight: two hours of the day are equal.
    ("America/Havana", date(2026, 11, 1), 25),
]


@pytest.mark.parametrize(("zone", "day", "hours"), CHANGES)
def test_the_day_of_a_change_of_the_clock(agent: Client, zone: str, day: date, hours: int) -> None:
    use_zone(agent, zone)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    store(
        *(
            {"expires_at": (noon + timedelta(minutes=30 * half)).isoformat()}
            for half in range(-80, 80)
        )
    )
    for moment in (noon, noon - timedelta(hours=11, minutes=50), noon + timedelta(days=1)):
        days = table_in(page_at(moment, agent, zone), "days")
        assert sum(row.gifts for row in days) == 160
        name = f"{day:%a} {day.day} {day:%b}"
        assert sum(row.gifts for row in days if row.name == name) == 2 * hours


def test_a_day_that_a_zone_skips_is_left_out(agent: Client) -> None:
    use_zone(agent, "Pacific/Apia")
    change = datetime(2011, 12, 30, 10, tzinfo=UTC)
    store(*({"expires_at": (change + timedelta(hours=n)).isoformat()} for n in range(-24, 24)))
    for moment in (change - timedelta(hours=3), change, change + timedelta(hours=12)):
        gifts = Counter[str]()
        for row in table_in(page_at(moment, agent, "Pacific/Apia"), "days"):
            gifts[row.name] += row.gifts
        assert gifts == {"Thu 29 Dec": 24, "Sat 31 Dec": 24}


@pytest.mark.usefixtures("search_time")
def test_money_that_is_not_known_is_no_zero(agent: Client) -> None:
    complete_sync(NOW)
    unknown, odd = {"amounts": None}, {"amounts": {"amount_pre_tax_total": "ten"}}
    store(
        at(hours=1), at(hours=1, **unknown), at(hours=1, **odd),
        at(hours=30, **unknown), at(hours=54, **odd), at(hours=78, **unknown),
        at(hours=78, **odd), at(hours=102, amounts={"amount_pre_tax_total": 0}),
        at(hours=126, amounts={"amount_pre_tax_total": 1000, "amount_total": 1100}),
    )  # fmt: skip
    page = agent.get(URL)
    assert [(row.money, row.left_out) for row in table_in(page, "days")] == [
        ("$10.00", "1 not known yet, 1 unreadable"),
        ("Not known yet", ""),
        ("Unreadable", ""),
        ("1 not known yet, 1 unreadable", ""),
        ("$0.00", ""),
        ("$11.00", ""),
    ]
    assert "Money is what a cancel would release, partly before tax." in text_of(page)
    assert_lists_are_exact(page, RequestClock(NOW, ZoneInfo("UTC")))


@pytest.mark.usefixtures("search_time")
def test_leads_extend_exactly_the_gifts_of_a_row(as_role: Any, full: Oracle) -> None:
    lead, pressed = as_role("lead"), r'form="extend" name="query" value="([^"]*)"'
    page = lead.get(f"{URL}?expires=3d")
    rows = [row for row in all_rows(page) if row.url]
    queries = re.findall(pressed, text_of(page))
    assert sorted(queries) == sorted(urlsplit(row.url).query for row in rows)
    clock = RequestClock(NOW, ZoneInfo("UTC"))
    for row in (rows[0], table_in(page, "days")[0], table_in(page, "senders")[0]):
        query = urlsplit(row.url).query
        answer = lead.post("/selections/", {"all": "on", "action": "extend", "query": query})
        assert answer.status_code == 303
        frozen = Selection.objects.latest("created_at")
        assert answer["Location"] == f"/selections/{frozen.pk}/"
        ids = list(map(str, frozen.order_ids))
        assert sorted(ids) == sorted(listed(row.url, clock))
        Selection.objects.all().delete()
    for role in ("viewer", "agent"):
        page = as_role(role).get(f"{URL}?expires=3d")
        assert [row for row in all_rows(page) if row.url] == rows
        assert re.findall(pressed, text_of(page)) == []


@pytest.mark.usefixtures("search_time")
def test_orders_in_no_figure_are_told(agent: Client) -> None:
    complete_sync(NOW)
    store(
        at(hours=1),
        at(hours=2, status="on_hold"),
        {"expires_at": "soon"},
        {"expires_at": "later"},
        {"expires_at": "never", "status": "delivered"},
    )
    page = text_of(agent.get(URL))
    assert "The expiration of 2 unaccepted gifts cannot be read, so they are in none of" in page
    assert '<a href="/orders/?q=is%3Aodd">Gifts with unreadable values</a>' in page
    assert "1 order has the undocumented status “on_hold”: whether they can still be" in page
    assert '<a href="/orders/?status=on_hold">Show them</a>' in page
    assert len(listed_ids(agent, "status=on_hold")) == 1


@pytest.mark.usefixtures("search_time")
def test_smaller_groups_are_summed_up(agent: Client) -> None:
    complete_sync(NOW)
    senders = [
        {"first_name": f"S{n}", "last_name": "<b>", "email": f"s{n}@sender.example"}
        for n in range(MAX_GROUPS + 5)
    ]
    gifts = [at(hours=1, sender=one) for n, one in enumerate(senders) for _ in range(1 + (n < 3))]
    store(*gifts, at(hours=1))
    page = agent.get(URL)
    rows = table_in(page, "senders")
    assert len(rows) == MAX_GROUPS + 1
    assert [row.gifts for row in rows] == [2, 2, 2, *[1] * (MAX_GROUPS - 3), 6]
    assert rows[-1] == Counted("6 other senders", "", "", 6, "$60.00", "")
    assert (rows[0].name, rows[0].under) == ("S0 <b>", "s0@sender.example")
    assert "S0 &lt;b&gt;" in page.content.decode()


@pytest.mark.usefixtures("search_time")
@pytest.mark.parametrize(
    ("first_name", "shown_name"),
    [("Ana>", "Ana>"), ("<Ana", "<Ana"), (" \u200b", "No sender given")],
)
def test_senders_without_an_address(agent: Client, first_name: str, shown_name: str) -> None:
    complete_sync(NOW)
    store(at(hours=1, sender={"first_name": first_name, "last_name": None, "email": None}))
    [row] = table_in(agent.get(URL), "senders")
    assert (row.name, row.under, row.gifts) == (shown_name, "", 1)


@pytest.mark.usefixtures("search_time")
def test_without_gifts_and_during_the_first_import(agent: Client) -> None:
    store(at(hours=-24 * 20), at(hours=24 * 20), at(hours=1, status="accepted"))
    page = text_of(agent.get(URL))
    assert "The orders have not been imported yet" in page
    assert "No gift with an expiration in these weeks has been imported yet" in page
    complete_sync(NOW)
    page = text_of(agent.get(URL))
    assert "No unaccepted gift expires in the next 14 days, and none has in the last 14." in page
    assert "chart" not in page


@pytest.mark.usefixtures("search_time")
def test_a_busy_database_is_reported(
    agent: Client, full: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.search.expiring.SEARCH_SECONDS", 0.0)
    page = agent.get(URL)
    assert page.status_code == 200
    assert "Counting takes too long at present" in text_of(page)
    assert all_rows(page) == []


@pytest.mark.usefixtures("search_time")
def test_an_unknown_window_is_the_default_one(agent: Client, full: Oracle) -> None:
    pages = [agent.get(f"{URL}{query}") for query in ("", "?expires=nonsense", "?expires=7d")]
    assert {tuple(all_rows(page)) for page in pages} == {tuple(all_rows(pages[0]))}


@pytest.mark.usefixtures("search_time")
def test_the_gifts_are_read_from_one_index_alone(agent: Client, full: Oracle) -> None:
    """Only then is the page quick at a million orders."""
    with CaptureQueriesContext(connection) as queries:
        agent.get(URL)
    sums = [one["sql"] for one in queries if "expires_at >=" in one["sql"]]
    assert len(sums) == 2
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if not is_sqlite:
            # A small table is quicker to read whole.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        for sql in sums:
            cursor.execute(f"EXPLAIN {'QUERY PLAN ' if is_sqlite else ''}{sql}")
            plan = [str(row[-1]) for row in cursor.fetchall()]
            read = [line for line in plan if re.search(r"\b(on|SEARCH|SCAN) orders_order\b", line)]
            assert read
            way = "USING COVERING INDEX" if is_sqlite else "Index Only Scan using"
            wanted = f"{way} orders_order_unaccepted_expires"
            assert [line for line in read if wanted not in line] == []
