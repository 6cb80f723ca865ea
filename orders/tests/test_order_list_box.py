"""/orders/: the search box, fragments, counts and names of the filters, and changes."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import msgspec
import pytest
from django.test import Client

from goody.types import CANCELABLE
from orders import index
from orders.index import OrderOfResponse
from orders.models import Label, Order, OrderPayload
from testing.list_pages import (
    RESULTS,
    URL,
    active_filters_in,
    changes_in,
    changes_url,
    complete_sync,
    expected_ids,
    ids_in,
    link,
    listed_ids,
    store_new_orders,
    text_of,
)
from testing.search_oracle import NOW, Oracle, store
from testing.vendor import Emulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("search_time")]

PANELS = {"HX-Request": "true", "HX-Target": "div#filter-panels"}


@pytest.fixture
def agent(as_role: Any) -> Client:
    return as_role("agent")  # type: ignore[no-any-return]


# --- the box ----------------------------------------------------------------------------------


def names_one(row: Order) -> dict[str, str]:
    return {
        "id": str(row.uuid),
        "id without dashes": row.uuid.hex.upper(),
        "address of its page": f"https://goody.example.com/orders/{row.uuid}/",
        "reference": row.reference_id,
        "reference in small letters": row.reference_id.lower(),
    }


def test_single_exact_match_redirects_to_the_order(agent: Client, full: Oracle) -> None:
    row = full.rows[0]
    for what, text in names_one(row).items():
        response = agent.get(URL, {"q": text, "status": "delivered"})
        assert (what, response.status_code) == (what, 303)
        assert response["Location"] == f"/orders/{row.uuid}/"
        by_htmx = agent.get(URL, {"q": text}, headers={**RESULTS, "HX-Source": "form#filters"})
        assert (by_htmx.status_code, by_htmx["HX-Redirect"]) == (200, f"/orders/{row.uuid}/")


def test_a_gift_link_leads_to_the_order_and_is_not_repeated(agent: Client, full: Oracle) -> None:
    row, token = _newest(full)[5], "TokenOfOneGift"
    link_given = f"https://gifts.example.com/gift/{token}"
    change(row, NOW + timedelta(minutes=1), individual_gift_link=link_given)
    for text in (link_given, f"(https://elsewhere.test/gift/{token}/)"):
        response = agent.get(URL, {"q": text})
        assert (response.status_code, response["Location"]) == (303, f"/orders/{row.uuid}/")


def test_the_address_of_one_order_leads_to_it(agent: Client, full: Oracle) -> None:
    row = _newest(full)[0]
    change(row, NOW + timedelta(minutes=1), recipient_email="Only.One@Example.com")
    for text in ("only.one@example.com", "Emma <ONLY.ONE@example.com>,"):
        response = agent.get(URL, {"q": text, "status": "delivered"})
        assert (response.status_code, response["Location"]) == (303, f"/orders/{row.uuid}/")
    narrowed = agent.get(URL, {"q": "only.one@example.com is:swapped"})
    assert narrowed.status_code == 200
    sender = {"first_name": "Emma", "last_name": "One", "email": "only.one@example.com"}
    change(_newest(full)[1], NOW + timedelta(minutes=1), sender=sender)
    listed = agent.get(URL, {"q": "only.one@example.com"})
    assert ids_in(listed) == [str(row.uuid)]


def test_a_batch_and_an_address_open_the_list_of_their_orders(agent: Client, full: Oracle) -> None:
    addresses = Counter(one.email_key for one in full.rows)
    row = next(
        one
        for one in full.rows
        if one.order_batch_id and addresses[one.email_key] > 1 and one.email_key
    )
    batch = [str(one.uuid) for one in _newest(full) if one.order_batch_id == row.order_batch_id]
    page = agent.get(URL, {"q": str(row.order_batch_id)})
    assert ids_in(page) == batch
    assert active_filters_in(page) == {f"Batch: {row.order_batch_id}": URL}
    address = [str(one.uuid) for one in _newest(full) if one.email_key == row.email_key]
    page = agent.get(URL, {"q": f"<{row.recipient_email.upper()}>,"})
    assert ids_in(page) == address
    assert active_filters_in(page) == {f"To {row.email_key}": URL}
    part = row.recipient_email.partition("@")[0]
    assert set(address) <= set(ids_in(agent.get(URL, {"q": part, "per_page": 100})))


def test_several_addresses_are_narrowed_by_what_else_the_box_says(
    agent: Client, full: Oracle
) -> None:
    addresses = Counter(row.email_key for row in full.rows if row.email_key)
    (a, _), (b, _) = addresses.most_common(2)
    statuses = {row.status for row in full.rows if row.email_key == b}
    status = next(one for one in CANCELABLE if one in statuses)
    said: dict[str, Callable[[Order], bool]] = {
        f"{a}, {b}": lambda row: row.email_key in (a, b),
        f"status:{status} {a} {b}": lambda row: row.email_key in (a, b) and row.status == status,
        f"{a} {b} -status:{status}": lambda row: row.email_key in (a, b) and row.status != status,
        f"-{a} -{b}": lambda row: row.email_key not in (a, b),
        f"{a} -{b}": lambda row: row.email_key == a,
        f"-{a} status:{status} {b}": lambda row: row.email_key == b and row.status == status,
    }
    for text, matches in said.items():
        wanted = [str(row.uuid) for row in _newest(full) if matches(row)]
        assert wanted
        assert (text, listed_ids(agent, urlencode({"q": text}))) == (text, wanted)


def test_the_orders_that_a_text_names_are_one_condition(agent: Client, full: Oracle) -> None:
    row, other = _newest(full)[0], _newest(full)[1]
    named = f"{row.uuid} {other.uuid} {row.email_key}"
    assert active_filters_in(agent.get(URL, {"q": f"status:opened {named} -lee"})) == {
        f"2 orders by their id or To {row.email_key}": (
            f"{URL}?{urlencode({'q': 'status:opened -lee'})}"
        ),
    }


def _newest(oracle: Oracle) -> list[Order]:
    return sorted(oracle.rows, key=lambda row: -row.pk)


def test_unknown_id_is_requested_from_goody_once(
    agent: Client, full: Oracle, emulator: Emulator
) -> None:
    known = emulator.find_order_id()
    agent.get("/orders/box/", {"q": known})
    assert emulator.calls()["total"] == 0
    response = agent.get(URL, {"q": known})
    assert (response.status_code, response["Location"]) == (303, f"/orders/{known}/")
    assert emulator.calls()["total"] == 1
    unknown = str(uuid4())
    page = agent.get(URL, {"q": unknown})
    assert page.status_code == 200
    assert "Goody does not know it either" in text_of(page)
    assert unknown in text_of(page)
    assert emulator.calls()["total"] == 2


def test_unknown_id_during_an_outage_is_explained(
    agent: Client, full: Oracle, emulator: Emulator
) -> None:
    emulator.add_fault({"kind": "status", "status": 503})
    unknown = str(uuid4())
    page = agent.get(URL, {"q": unknown})
    assert "Goody could not be asked" in text_of(page)
    assert "does not know it" not in text_of(page)
    assert link(page, "Ask again") == f"/orders/{unknown}/"


def test_the_box_stands_on_every_page_and_keeps_what_was_typed(agent: Client, full: Oracle) -> None:
    for path in ("/audit/", "/settings/"):
        page = text_of(agent.get(path))
        assert re.search(r'<form class="box" action="/orders/"[^>]*>', page)
        assert '<input id="q" type="search" name="q" role="combobox"' in page
    page = text_of(agent.get(URL, {"q": "ana  status:OPENED"}))
    assert 'name="q" form="filters" value="ana  status:OPENED" role="combobox"' in page
    assert 'href="/orders/help/"' in page
    assert "status:opened,notified" in text_of(agent.get("/orders/help/"))


def test_user_without_a_role_has_no_search_box(as_role: Any) -> None:
    assert 'name="q"' not in text_of(as_role("").get("/settings/"))


# --- htmx -------------------------------------------------------------------------------------


def test_a_submitted_form_puts_the_lists_own_address(agent: Client, full: Oracle) -> None:
    said = {"q": "ana", "status": ["opened", "notified"], "created_after": "", "sender": ""}
    sent = agent.get(URL, said, headers={**RESULTS, "HX-Source": "form#filters"})
    assert sent.content.decode().count('<section id="results"') == 1
    assert 'name="q"' not in sent.content.decode()
    assert sent["HX-Push-Url"] == f"{URL}?q=ana&status=opened&status=notified"
    by_link = agent.get(URL, said, headers={**RESULTS, "HX-Source": "a"})
    assert "HX-Push-Url" not in by_link


def test_every_target_of_the_page_is_on_it_once(agent: Client, full: Oracle) -> None:
    content = agent.get(f"{URL}?q=ana").content.decode()
    content += agent.get("/orders/filters/", headers=PANELS).content.decode()
    targets = set(re.findall(r'hx-(?:target|include)="#([\w-]+)', content))
    names = {f"{kind}-names" for kind in ("workspace", "sender", "product", "brand")}
    assert targets == {"results", "filters", "box-popup", *names}
    for target in targets:
        assert content.count(f'id="{target}"') == 1
    ids = re.findall(r' id="([^"]+)"', content)
    assert len(ids) == len(set(ids))


# --- counts beside the choices ----------------------------------------------------------------


@pytest.mark.parametrize("seconds", [5, 0], ids=["in time", "too late to count"])
def test_the_names_of_the_filters_are_there_without_their_counts(
    agent: Client, full: Oracle, settings: Any, seconds: float
) -> None:
    settings.COUNTS_DEADLINE = seconds
    page = text_of(agent.get("/orders/filters/?sort=amount", headers=PANELS))
    for kind in ("workspace", "sender", "product", "brand"):
        names = re.search(rf'<ul class="filter-panel__links" id="top-{kind}">(.*?)</ul>', page)
        assert names
        items = r'<a href="([^"]*)"[^>]*>.+?</a><span class="number"></span>'
        links = re.findall(items, names[1])
        assert links
        for address in links[:2]:
            narrowed = agent.get(html.unescape(address))
            assert len(active_filters_in(narrowed)) == 1
            assert ids_in(narrowed)


def test_counts_that_come_too_late_leave_the_names(
    agent: Client, full: Oracle, settings: Any
) -> None:
    settings.COUNTS_DEADLINE = 0
    part = agent.get("/orders/facets/?status=opened")
    assert "top-" not in part.content.decode()


def counts_in(response: Any) -> dict[str, str]:
    found = re.findall(
        r'<span class="number" id="([^"]+)" hx-swap-oob="true">(.*?)</span>', text_of(response)
    )
    return dict(found)


def test_counts_replace_elements_of_the_page(agent: Client, full: Oracle) -> None:
    page = agent.get("/orders/filters/?status=opened&q=example", headers=PANELS)
    url = re.search(r'<div id="facets" hx-get="(.*?)"', text_of(page))
    assert url
    part = agent.get(url[1])
    counts = counts_in(part)
    assert counts["n-status-opened"] == str(len(expected_ids(full, "q=example&status=opened")))
    assert counts["n-status-failed"] == str(len(expected_ids(full, "q=example&status=failed")))
    assert counts["n-expires-7d"] == str(
        len(expected_ids(full, "q=example&status=opened&expires=7d"))
    )
    assert counts["n-swapped"] == str(
        len(expected_ids(full, "q=example&status=opened&swapped=yes"))
    )
    for place in counts:
        assert f'id="{place}"' in text_of(page)
    for kind in ("workspace", "sender", "product", "brand"):
        assert f'id="top-{kind}"' in text_of(page)
        assert f'<ul class="filter-panel__links" id="top-{kind}" hx-swap-oob="true">' in text_of(
            part
        )
    common = re.findall(
        r'<li><a href="([^"]*)"[^>]*>.*?</a><span class="number">(\d+)<', part.content.decode()
    )
    assert len(common) > 10
    for address, n in common:
        narrowed = text_of(agent.get(html.unescape(address)))
        assert f'<p class="muted">{n} of 150</p>' in narrowed, address


def test_a_count_that_would_be_late_is_left_out(agent: Client, full: Oracle, settings: Any) -> None:
    settings.COUNTS_DEADLINE = 0.0
    part = agent.get("/orders/facets/?q=ana")
    assert part.status_code == 200
    assert counts_in(part) == {}


# --- names to choose from ---------------------------------------------------------------------


def test_names_that_hold_what_is_typed_are_offered(agent: Client, full: Oracle) -> None:
    part = text_of(agent.get("/orders/choices/sender/", {"sender": "OKAF"}))
    assert re.findall(r'<option value="(.*?)">(.*?)</option>', part) == [
        ("lee@sender.example.com", "Lee Okafor <lee@sender.example.com>")
    ]
    everybody = text_of(agent.get("/orders/choices/workspace/"))
    assert re.findall(r">(.*?)</option>", everybody) == ["Mai", "People team", "Sales"]
    assert agent.get("/orders/choices/nonsense/").status_code == 404


def test_timeout_of_names_offers_none(agent: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"Person {number}" for number in range(30_000)]
    Label.objects.bulk_create(
        Label(kind=Label.Kind.SENDER, key=one, name=one, folded=one.lower()) for one in names
    )
    in_time = agent.get("/orders/choices/sender/", {"sender": "29999"})
    assert "<option" in text_of(in_time)
    monkeypatch.setattr("orders.search.labels.SEARCH_SECONDS", 0.001)
    late = agent.get("/orders/choices/sender/", {"sender": "29999"})
    assert (late.status_code, late.content) == (204, b"")


# --- changes -------------------------------------------------------------------------------------


def change(row: Order, at: Any, **fields: Any) -> None:
    raw = msgspec.json.decode(OrderPayload.objects.get(pk=row.pk).raw)
    index.upsert_rows([OrderOfResponse(msgspec.json.encode({**raw, **fields}), None)], read_at=at)


def test_page_announces_changed_and_new_orders(agent: Client, full: Oracle) -> None:
    later = NOW + timedelta(minutes=1)
    page = agent.get(f"{URL}?per_page=25")
    url = changes_url(page)
    assert changes_in(agent.get(url)) == ""
    rows = _newest(full)
    change(rows[0], later, message="nothing that a row shows")
    assert changes_in(agent.get(url)) == ""
    later += timedelta(minutes=1)
    change(rows[0], later, recipient_first_name="Zelda")
    change(rows[3], later, status="delivered")
    change(rows[40], later, status="delivered")
    changes = agent.get(url)
    assert "2 changed – " in text_of(changes)
    store_new_orders(1)
    changes = agent.get(url)
    assert "2 changed, 1 new – " in text_of(changes)
    assert link(changes, "Show") == f"{URL}?per_page=25"
    assert changes_url(changes) == url


def test_an_order_that_left_the_list_has_changed(agent: Client, full: Oracle) -> None:
    page = agent.get(f"{URL}?status=opened&per_page=25")
    row = Order.objects.get(uuid=ids_in(page)[0])
    change(row, NOW + timedelta(minutes=1), status="accepted")
    assert "1 changed – " in text_of(agent.get(changes_url(page)))


def test_changes_of_a_deeper_page(agent: Client, full: Oracle) -> None:
    second = agent.get(link(agent.get(f"{URL}?per_page=25"), "Next"))
    store_new_orders(2)
    assert changes_in(agent.get(changes_url(second))) == ""
    change(_newest(full)[30], NOW + timedelta(minutes=1), status="on_hold", recipient_email="z@z.z")
    changes = agent.get(changes_url(second))
    assert "1 changed – " in text_of(changes)
    assert ids_in(agent.get(link(changes, "Show"))) == ids_in(second)


@pytest.mark.parametrize("seen", ["", "x", "AAAA", "%00", "A" * 5000])
def test_invalid_token_shows_no_changes(agent: Client, seen: str) -> None:
    store(3)
    complete_sync(NOW)
    assert agent.get("/orders/changes/", {"poll": seen}).status_code in (200, 204)
