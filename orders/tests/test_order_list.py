"""/orders/ before the first full sync: one page of Goody's list, pager, creation window, rows."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.list_url import LivePosition, parse_position
from orders.models import CreationTimeSource, Operation, Order, Profile, State
from testing.domain import in_days
from testing.faulty_server import FaultyServer, answer
from testing.list_pages import active_filters_in, complete_sync, ids_in
from testing.vendor import ORDERS

URL = "/orders/"
RESULTS = {"HX-Request": "true", "HX-Target": "section#results"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(as_role, emulator):
    return as_role("agent")


def text_of(response) -> str:
    return html.unescape(response.content.decode())


def link(response, label: str) -> str:
    """Return the URL of a link of the pager, of an empty page or of an error."""
    found = re.search(rf'href="([^"]*)"[^>]*>{label}</a>', response.content.decode())
    assert found, f"no link {label!r}"
    return html.unescape(found[1])


def row_of(response, order_id: str) -> str:
    found = re.search(rf'<tr id="order-{order_id}".*?</tr>', text_of(response), re.DOTALL)
    assert found, f"no row of {order_id}"
    return found[0]


def begin(user, order_id: str, *, action: str = "order.cancel", state: str = State.SENDING):
    now = datetime.now(UTC)
    return Operation.objects.create(
        order_uuid=UUID(order_id),
        action=action,
        state=state,
        actor=user,
        actor_name="Ana",
        form_key=uuid4(),
        params_hash="",
        created_at=now,
        lease_until=now + timedelta(minutes=1),
    )


# --- Pages ------------------------------------------------------------------------------------


def test_shows_the_newest_orders_and_the_total(agent, emulator):
    response = agent.get(URL)
    assert response.status_code == 200
    assert ids_in(response) == [order["id"] for order in emulator.find_orders(limit=50)]
    assert f"{ORDERS} orders" in text_of(response)
    assert "Page 1 of 6" in text_of(response)


@pytest.mark.parametrize(("size", "pages"), [(25, 12), (50, 6), (100, 3)])
def test_page_sizes(agent, size, pages):
    response = agent.get(URL, {"per_page": size})
    assert len(ids_in(response)) == size
    assert f"Page 1 of {pages}" in text_of(response)


def test_walking_forward_and_back_shows_every_order_once(agent, emulator):
    response, seen = agent.get(URL, {"per_page": 100}), []
    while True:
        seen += ids_in(response)
        if "Page 3 of 3" in text_of(response):
            break
        response = agent.get(link(response, "Next"))
    assert len(seen) == len(set(seen)) == ORDERS
    response = agent.get(link(response, "Previous"))
    assert ids_in(response) == seen[100:200]
    assert ids_in(agent.get(link(response, "First"))) == seen[:100]
    assert ids_in(agent.get(link(response, "Last"))) == seen[200:]


def test_orders_that_come_meanwhile_do_not_shift_the_pages(agent, emulator):
    emulator.control("POST", "clock", {"now": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"})
    first = agent.get(URL)
    emulator.advance_clock(60)
    emulator.create_orders(count=7)
    second = agent.get(link(first, "Next"))
    assert not set(ids_in(first)) & set(ids_in(second))
    assert ids_in(agent.get(link(second, "Previous"))) == ids_in(first)
    newest = agent.get(URL)
    assert f"{ORDERS + 7} orders" in text_of(newest)


def test_go_to_page_leads_to_an_opaque_position_and_keeps_the_bound(agent):
    second = link(agent.get(URL), "Next")
    position = parse_qs(urlsplit(second).query)["position"][0]
    response = agent.get(URL, {"goto": 5, "position": position})
    assert response.status_code == 302
    query = parse_qs(urlsplit(response["Location"]).query)
    assert list(query) == ["position"]
    there, here = parse_position(query["position"][0]), parse_position(position)
    assert (there.page, there.created_before) == (5, here.created_before)
    assert "Page 5 of 6" in text_of(agent.get(response["Location"]))


def test_go_to_page_keeps_filters_and_size(agent):
    response = agent.get(URL, {"goto": 2, "per_page": 25, "created_after": "2025-01-01"})
    query = parse_qs(urlsplit(response["Location"]).query)
    assert query["per_page"] == ["25"]
    assert query["created_after"] == ["2025-01-01"]


def test_a_page_past_the_end_says_so_and_leads_to_the_last(agent):
    response = agent.get(agent.get(URL, {"goto": 40})["Location"])
    assert "Page 40 is past the end" in text_of(response)
    assert "There are 6 pages" in text_of(response)
    assert "Page 6 of 6" in text_of(agent.get(link(response, "Last page")))


@pytest.mark.parametrize("position", ["x", "W10:abc", LivePosition(page=2).serialize()[:-1] + "!"])
def test_altered_position_is_refused_with_a_link(agent, emulator, position):
    response = agent.get(URL, {"position": position})
    assert response.status_code == 400
    assert "it was altered or copied in part" in text_of(response)
    assert link(response, "First page of all orders") == URL
    assert emulator.calls()["total"] == 0


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"per_page": "7"}, "A page has 25, 50 or 100 orders."),
        ({"goto": "0"}, "Pages are counted from 1."),
        ({"goto": "x"}, "“Go to page” is not a whole number."),
        ({"created_after": "yesterday"}, "“Created from” is not a date. Write it as YYYY-MM-DD."),
        ({"created_before": "0001-01-01"}, "Give a day between 2000 and 2100."),
        (
            {"created_after": "2026-02-02", "created_before": "2026-02-01"},
            "“Created until” is before “Created from”.",
        ),
    ],
)
def test_bad_input_gets_a_sentence_and_is_kept(agent, emulator, query, sentence):
    response = agent.get(URL, query)
    assert response.status_code == 400
    assert sentence in text_of(response)
    for name, value in query.items():
        if name.startswith("created"):
            assert f'name="{name}"' in text_of(response)
            assert f'value="{value}"' in text_of(response)
    assert emulator.calls()["total"] == 0


# --- The creation window ----------------------------------------------------------------------


def test_the_window_is_whole_days_of_the_viewer_both_included(agent, emulator):
    Profile.objects.create(user=agent.user, time_zone="America/New_York")
    first = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)  # 00:00 EST; the day has 23 hours
    end = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)
    agent.get(URL, {"created_after": "2026-03-08", "created_before": "2026-03-08"})
    asked = parse_qs(urlsplit(emulator.calls()["recent"][-1]["path"]).query) or parse_qs(
        emulator.calls()["recent"][-1].get("query", "")
    )
    assert asked["created_at[after]"] == [f"{first:%Y-%m-%dT%H:%M:%SZ}"]
    assert asked["created_at[before]"] == [f"{end:%Y-%m-%dT%H:%M:%SZ}"]


@pytest.mark.parametrize("fraction", ["0", "0.4"])
def test_order_of_the_last_second_is_listed_on_its_day(agent, emulator, fraction):
    emulator.set_switches(created_fraction=fraction)
    day, order_id = _created_in_the_last_second_of_a_day(emulator)
    emulator.advance_clock(60)
    emulator.create_orders()
    found = agent.get(URL, {"created_after": day, "created_before": day})
    assert ids_in(found) == [order_id]


def _created_in_the_last_second_of_a_day(emulator):
    """The day and the order's id. If the second passes on a busy machine, use the next day."""
    for day in (f"{in_days(n):%Y-%m-%d}" for n in range(1, 31)):
        emulator.control("POST", "clock", {"now": f"{day}T23:59:59Z"})
        order = emulator.create_orders()[0]
        if order["event_times"]["created_at"] == f"{day}T23:59:59Z":
            return day, order["id"]
    raise AssertionError("no order was created within a second")


def test_filters_are_described_and_each_can_be_removed(agent):
    query = {"created_after": "2026-01-02", "created_before": "2026-08-01", "per_page": "25"}
    response = agent.get(URL, query)
    assert active_filters_in(response) == {
        "Created: from 2 Jan 2026 until 1 Aug 2026": "/orders/?per_page=25"
    }


def test_no_match_empty_account_and_no_answer_differ(agent, emulator):
    no_match = agent.get(URL, {"created_after": "2030-01-01"})
    assert no_match.status_code == 200
    assert "No order matches" in text_of(no_match)
    assert "Goody has none created from 1 Jan 2030." in text_of(no_match)
    assert link(no_match, "Drop the filter") == URL
    emulator.add_fault({"kind": "mutate", "envelope": {"data": [], "list_meta.total_count": 0}})
    empty = agent.get(URL)
    assert empty.status_code == 200
    assert "There are no orders yet" in text_of(empty)
    emulator.clear_faults()
    emulator.add_fault({"kind": "status", "status": 400})
    unavailable = agent.get(URL)
    assert unavailable.status_code == 502
    assert "Goody refused the request" in text_of(unavailable)
    assert "There are no orders" not in text_of(unavailable)


# --- Rows -------------------------------------------------------------------------------------


def test_row_links_to_the_order_and_back(agent, emulator):
    order = emulator.find_orders(status="notified", limit=1)[0]
    position = order["position"] // 50 + 1
    place = agent.get(URL, {"goto": position})["Location"]
    row = row_of(agent.get(place), order["id"])
    assert 'data-status="notified"' in row
    assert '<span class="badge">Notified</span>' in row
    url = f"/orders/{order['id']}/"
    assert f'<a href="{order["id"]}/">' in row
    opened = agent.get(url, headers={"Referer": f"http://testserver{place}"})
    assert f'href="{place}#order-{order["id"]}"' in text_of(opened)
    elsewhere = agent.get(url, headers={"Referer": f"http://elsewhere.test{place}"})
    assert place not in text_of(elsewhere)


def test_an_open_order_offers_both_writes_and_a_delivered_one_says_why_not(agent, emulator):
    emulator.create_orders(count=1, status="delivered")
    emulator.create_orders(count=1, status="opened")
    response = agent.get(URL)
    opened, delivered = [row_of(response, order_id) for order_id in ids_in(response)[:2]]
    assert "/cancel/" in opened
    assert "/expiration/" in opened
    assert "/cancel/" not in delivered
    assert "/expiration/" not in delivered
    assert "Cannot be canceled or extended: it has been delivered." in delivered


def test_a_viewer_is_offered_no_write(as_role, emulator):
    emulator.create_orders(count=1, status="opened")
    response = as_role("viewer").get(URL)
    row = row_of(response, ids_in(response)[0])
    assert "/cancel/" not in row
    assert "/expiration/" not in row
    assert 'class="actions"' not in text_of(response)


def test_an_unknown_status_is_shown_raw_and_offers_nothing(agent, emulator):
    emulator.add_fault({"kind": "mutate", "row": 0, "set": {"status": "frozen<b>"}})
    response = agent.get(URL)
    row = re.search(r'<tr id="order-.*?</tr>', response.content.decode(), re.DOTALL)[0]
    assert "Unknown: frozen&lt;b&gt;" in row
    assert "/cancel/" not in row
    assert "a status that this dashboard does not know" in row


def test_missing_values_are_dashes_and_never_zero(agent, emulator):
    emulator.add_fault(
        {
            "kind": "mutate",
            "row": 0,
            "set": {"amounts": None, "cart": None, "sender": "nobody", "expires_at": None},
            "remove": ["recipient_email"],
        }
    )
    response = agent.get(URL)
    row = row_of(response, ids_in(response)[0])
    assert "$0.00" not in row
    for column in ("amount", "gift", "sender"):
        assert f'<td class="{column}">—</td>' in row
    assert "No expiry" in row


def test_unreadable_order_does_not_affect_others(agent, emulator):
    emulator.add_fault({"kind": "mutate", "row": 0, "set": {"id": 7}})
    response = agent.get(URL)
    assert "1 order could not be read" in text_of(response)
    assert len(ids_in(response)) == 49


def test_expiry_under_72_hours_is_marked(agent, emulator):
    order_id = emulator.create_orders(count=1, status="opened")[0]["id"]
    now = datetime.now(UTC)
    emulator.change_order(order_id, expires_at=f"{now + timedelta(hours=71):%Y-%m-%dT%H:%M:%SZ}")
    assert ' is-soon">in 2 d<' in row_of(agent.get(URL), order_id)
    emulator.change_order(order_id, expires_at=f"{now + timedelta(hours=73):%Y-%m-%dT%H:%M:%SZ}")
    assert "is-soon" not in row_of(agent.get(URL), order_id)
    emulator.change_order(order_id, expires_at=f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}")
    assert ' is-past">Expired 1 h ago<' in row_of(agent.get(URL), order_id)


def test_created_is_shown_when_known_and_blank_otherwise_without_a_call(agent, emulator):
    order_id = emulator.find_order_id()
    before = row_of(agent.get(URL), order_id)
    assert '<td class="created"></td>' in before
    last_year = datetime.now(UTC).year - 1
    for year, text in ((last_year + 1, "1 Jan"), (last_year, f"1 Jan {last_year}")):
        Order.objects.filter(uuid=order_id).update(
            created_at=datetime(year, 1, 1, tzinfo=UTC), created_from=CreationTimeSource.FEED
        )
        assert f'<td class="created">{text}</td>' in row_of(agent.get(URL), order_id)
    assert emulator.calls()["total"] == 3


def test_an_open_write_replaces_the_links_and_the_row_polls(agent, emulator):
    order_id = emulator.create_orders(count=1, status="opened")[0]["id"]
    operation = begin(agent.user, order_id)
    row = row_of(agent.get(URL), order_id)
    assert "Canceling…" in row
    assert 'title="Ana, ' in row
    assert f"/operations/{operation.id}/" in row
    assert 'hx-trigger="every 2s"' in row
    assert f"{order_id}/cancel/" not in row
    Operation.objects.filter(pk=operation.pk).update(state=State.REFUSED)
    assert "hx-trigger" not in row_of(agent.get(URL), order_id)


def test_a_failed_order_is_canceled_only_with_a_cancel_on_record(agent, emulator):
    order_id = emulator.create_orders(count=1, status="failed")[0]["id"]
    assert ">Canceled or failed<" in row_of(agent.get(URL), order_id)
    begin(agent.user, order_id, state=State.APPLIED)
    assert ">Canceled<" in row_of(agent.get(URL), order_id)


def test_hostile_text_is_escaped(agent, emulator):
    emulator.add_fault(
        {"kind": "mutate", "row": 0, "set": {"recipient_first_name": "<script>alert(1)</script>"}}
    )
    content = agent.get(URL).content.decode()
    assert "<script>alert(1)" not in content
    assert "&lt;script&gt;alert(1)" in content


def test_the_title_names_no_person_and_the_environment(agent):
    title = re.search(r"<title>(.*?)</title>", text_of(agent.get(URL)))
    assert title
    assert title[1] == "Orders – Goody Admin (emulator)"


# --- htmx and plain, rights -------------------------------------------------------------------


def test_htmx_gets_the_results_and_everybody_else_the_page(agent):
    part = agent.get(URL, headers=RESULTS)
    assert part.content.decode().lstrip().startswith("<title>Orders – Goody Admin (emulator)<")
    assert part.content.decode().count('<section id="results"') == 1
    assert "<html" not in part.content.decode()
    assert len(ids_in(part)) == 50
    for headers in ({}, {**RESULTS, "HX-History-Restore-Request": "true"}):
        page = agent.get(URL, headers=headers)
        assert page.content.decode().count('id="results"') == 1
        assert page.content.decode().count("<html") == 1
    assert {"HX-Request", "HX-Target"} <= set(part["Vary"].split(", "))


def test_every_target_of_the_page_is_on_it_once(agent):
    content = agent.get(URL).content.decode()
    targets = set(re.findall(r'(?:hx-target="#|data-panel-host=")([^"]+)"', content))
    assert targets == {"results", "box-popup", "search-help", "filter-panels", "columns-panel"}
    for target in targets:
        assert content.count(f'id="{target}"') == 1


def test_reading_needs_a_role(as_role, emulator):
    response = as_role("").get(URL)
    assert response.status_code == 403
    assert "Your account has no role yet" in text_of(response)
    assert emulator.calls()["total"] == 0


def test_list_accepts_only_get_and_head(agent):
    assert agent.post(URL).status_code == 405


def test_home_leads_to_the_orders(agent):
    complete_sync(datetime.now(UTC))
    response = agent.get("/")
    assert (response.status_code, response["Location"]) == (302, reverse("order_list"))


def test_more_rows_cost_no_more_queries(agent):
    agent.get(URL, {"per_page": 100})
    counts = []
    for size in (25, 100):
        with CaptureQueriesContext(connection) as captured:
            agent.get(URL, {"per_page": size})
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("query", [{}, {"created_after": "2020-01-01"}])
def test_a_page_without_the_orders_that_goody_counts_is_never_called_empty(agent, settings, query):
    with FaultyServer(answer(200, {"data": [], "list_meta": {"total_count": 500}})) as server:
        settings.GOODY_API_URL = server.url
        page = text_of(agent.get(URL, query))
    assert "Goody’s answer contradicts itself" in page
    assert "It counts 500 orders, so that 50 belong on this page, and it holds 0." in page
    assert "There are no orders" not in page
    assert "No order matches" not in page
    assert "<table" not in page


def test_a_page_in_the_middle_without_its_orders_is_not_past_the_end(agent, settings):
    position = LivePosition(page=3).with_time_bound(datetime.now(UTC)).serialize()
    with FaultyServer(answer(200, {"data": [], "list_meta": {"total_count": 500}})) as server:
        settings.GOODY_API_URL = server.url
        page = text_of(agent.get(URL, {"position": position}))
    assert "Goody’s answer contradicts itself" in page
    assert "past the end" not in page
