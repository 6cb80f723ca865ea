"""The position of an order in the list it was opened from, its neighbors and related orders."""

from __future__ import annotations

import html
import re
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from django.test import Client
from django.utils import timezone

from goody.types import parse_order
from orders import index, services
from orders.models import SavedView
from testing.dialogs import htmx, text, url
from testing.domain import cancel, open_order, order_json
from testing.list_pages import complete_sync
from testing.users import make_user
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(as_role: Any, emulator: Emulator) -> Client:
    client: Client = as_role("agent")
    return client


@pytest.fixture
def five(emulator: Emulator) -> list[UUID]:
    """Five orders in the index, in list order: newest first."""
    name = {"recipient_first_name": "Zebedee", "recipient_last_name": "Okafor"}
    ids = [open_order(emulator, **name) for _ in range(5)]
    for one in ids:
        services.refresh_order(order_id=one, now=timezone.now())
    return ids[::-1]


def opened(client: Client, order_id: UUID, **query: str) -> str:
    return text(client.get(url("order_detail", order_id, **query)))


def neighbors_in(page: str) -> dict[str, str]:
    """Return the position and the ids of the orders before and after; empty if not shown."""
    shown = re.search(r'<nav class="neighbors".*?</nav>', page, re.DOTALL)
    if shown is None:
        return {}
    place = re.search(r'<span class="neighbors__position">(.*?)</span>', shown[0])
    links = re.findall(r'rel="(prev|next)" href="/orders/([^/]+)/\?', shown[0])
    return {"place": place[1] if place else "", **dict(links)}


def test_order_page_shows_its_position_in_the_list(agent: Client, five: list[UUID]) -> None:
    there = "/orders/?q=zebedee&per_page=25"
    for number, order_id in enumerate(five):
        wanted = {"place": f"{number + 1} of 5"}
        if number > 0:
            wanted["prev"] = str(five[number - 1])
        if number < 4:
            wanted["next"] = str(five[number + 1])
        assert neighbors_in(opened(agent, order_id, next=there)) == wanted


def test_links_to_neighbors_keep_the_list(agent: Client, five: list[UUID]) -> None:
    there = "/orders/?q=zebedee&sort=created"
    page = opened(agent, five[2], next=there)
    address = re.search(r'rel="next" href="([^"]+)"', page)
    assert address is not None
    assert html.unescape(address[1]) == url("order_detail", five[1], next=there)


def back_in(page: str) -> tuple[str, str]:
    """Return the name and the URL of the link to the list."""
    found = re.search(r'<a class="clip" href="([^"]+)">.*?Back to </span>([^<]+)</a>', page)
    assert found
    return html.unescape(found[2]), html.unescape(found[1])


@pytest.mark.parametrize(
    ("there", "name"),
    [
        ("/orders/", "All orders"),
        ("/orders/?q=zebedee", "“zebedee”"),
        ("/orders/?expires=7d", "Expiring in 7 days"),
        ("/orders/?status=opened&status=notified&q=zebedee", "“zebedee”, Status: opened, …"),
        ("/orders/?created_after=soon", "Orders"),
    ],
)
def test_back_leads_to_the_row_in_the_list_by_its_name(
    agent: Client, five: list[UUID], there: str, name: str
) -> None:
    assert back_in(opened(agent, five[0], next=there)) == (name, f"{there}#order-{five[0]}")


def test_back_leads_to_the_audit(agent: Client, five: list[UUID]) -> None:
    assert back_in(opened(agent, five[0], next="/audit/")) == ("Audit", "/audit/")


def test_back_leads_to_a_view_by_its_name_while_the_list_is_the_view(
    agent: Client, five: list[UUID]
) -> None:
    owner = make_user("agent")
    view = SavedView.objects.create(
        owner=owner, name="Mine", name_key="mine", query="status=notified"
    )
    unchanged = f"/orders/?status=notified&view={view.pk}"
    assert back_in(opened(agent, five[0], next=unchanged))[0] == "Mine"
    assert back_in(opened(agent, five[0], next=f"{unchanged}&swapped=no"))[0] != "Mine"


@pytest.mark.parametrize(
    "there",
    [
        "",
        "/audit/",
        "/orders/",
        "/orders/?created_after=2026-01-01",
        "/orders/?created_after=soon",
        "/orders/?q=nobody+has+this",
        "/orders/?finding=3f0c3f0c-0000-4000-8000-000000000000",
        "/orders/?sort=%00&q=%00",
        "https://evil.example/orders/?q=zebedee",
    ],
)
def test_no_position_without_a_known_list(agent: Client, five: list[UUID], there: str) -> None:
    """Goody's own list has no known sort order; the page is shown without a position."""
    page = opened(agent, five[0], **({"next": there} if there else {}))
    assert neighbors_in(page).get("place", "") == ""
    assert "Zebedee" in page


def test_plain_list_has_positions_after_the_full_sync(agent: Client, five: list[UUID]) -> None:
    complete_sync(timezone.now())
    assert neighbors_in(opened(agent, five[1], next="/orders/"))["place"] == "2 of 5"


def test_order_that_left_the_list_keeps_its_neighbors(
    agent: Client, emulator: Emulator, five: list[UUID]
) -> None:
    """After a cancel the order may leave a filtered list; its neighbors are still linked."""
    emulator.change_order(five[2], status="failed")
    neighbors = neighbors_in(opened(agent, five[2], next="/orders/?q=zebedee&status=notified"))
    assert (neighbors["prev"], neighbors["next"]) == (str(five[1]), str(five[3]))


def test_fragment_has_no_position(agent: Client, five: list[UUID]) -> None:
    address = url("order_detail", five[0], next="/orders/?q=zebedee")
    part = text(agent.get(address, headers=htmx("div#order-detail")))
    assert "Zebedee" in part
    assert neighbors_in(part) == {}


# --- related orders -----------------------------------------------------------------------------


def related_in(page: str) -> dict[str, tuple[list[str], str, str]]:
    """By title: the ids, the label of the link to all of them, and its URL."""
    head, rows = r'<h3>(Same [^<]+)</h3><a class="small" href="([^"]+)">([^<]+)<', r"<ul.*?</ul>"
    groups = re.findall(f"{head}.*?({rows})", page, re.DOTALL)
    return {
        title: (ids_in(rows), label, html.unescape(address))
        for title, address, label, rows in groups
    }


def ids_in(markup: str) -> list[str]:
    return re.findall(r'href="/orders/([^/?"]+)/', markup)


def customer_in(page: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the counts with their URLs ("" without a link), and the ids of other orders."""
    card = page.partition('id="h-customer"')[2].partition("</section>")[0]
    counts = re.findall(
        r'<span>(?:<a href="([^"]+)">)?([^<]+)(?:</a>)?</span>', card.partition("</p>")[0]
    )
    return [(label, html.unescape(address)) for address, label in counts], ids_in(card)


def known(**fields: Any) -> UUID:
    given = order_json(**{"id": str(uuid4()), "reference_id": "", **fields})
    now = timezone.now()
    index.upsert_orders([parse_order(msgspec.json.encode(given))], read_at=now)
    return UUID(given["id"])


def test_orders_of_the_same_batch_address_and_sender(agent: Client, emulator: Emulator) -> None:
    batch, sender = str(uuid4()), {"first_name": "Lee", "email": "Lee@example.test"}
    shared = {"recipient_email": "Same@example.test", "order_batch_id": batch, "sender": sender}
    shown = open_order(emulator, **shared)
    by_batch = [known(order_batch_id=batch, recipient_email="a@b.test") for _ in range(4)]
    by_email = known(recipient_email="same@EXAMPLE.test")
    by_sender = known(sender=sender, recipient_email="c@d.test")
    known(recipient_email="e@f.test")

    groups = related_in(opened(agent, shown))

    newest = [str(one) for one in by_batch[::-1][:2]]
    assert groups == {
        "Same batch": (newest, "All 5", f"/orders/?batch={batch}"),
        "Same sender": ([str(by_sender)], "All 2", "/orders/?sender=Lee%40example.test"),
    }
    counts, others = customer_in(opened(agent, shown))
    assert counts[0] == ("2 gifts to them", "/orders/?q=Same%40example.test")
    assert others == [str(by_email)]
    for _, label, address in groups.values():
        listed = set(re.findall(r'<tr id="order-([^"]+)"', text(agent.get(address))))
        assert label == f"All {len(listed)}"
        assert str(shown) in listed


def test_orders_sent_by_the_address_are_counted(agent: Client, emulator: Emulator) -> None:
    shown = open_order(
        emulator, recipient_email="Both@example.test", order_batch_id=None, view_count_recipient=3
    )
    for _ in range(2):
        known(sender={"first_name": "Bo", "email": "both@EXAMPLE.test"})
    counts, others = customer_in(opened(agent, shown))
    assert counts == [
        ("1 gift to them", ""),
        ("2 sent", "/orders/?sender=Both%40example.test"),
        ("viewed this one 3 times", ""),
    ]
    assert others == []
    listed = re.findall(r'<tr id="order-', text(agent.get(counts[1][1])))
    assert len(listed) == 2


def test_a_sender_without_an_address_is_named_in_the_address_of_the_list(
    agent: Client, emulator: Emulator
) -> None:
    sender = {"first_name": "Zoë", "last_name": "O'Neill & Co"}
    shown = open_order(emulator, sender=sender, order_batch_id=None)
    known(sender=sender, recipient_email="a@b.test")
    known(recipient_email="c@d.test")
    _, label, address = related_in(opened(agent, shown))["Same sender"]
    listed = re.findall(r'<tr id="order-([^"]+)"', text(agent.get(address)))
    assert (label, len(listed)) == ("All 2", 2)


def test_a_related_order_that_we_canceled_is_canceled_while_a_read_shows_it_open(
    agent: Client, emulator: Emulator
) -> None:
    address = {"recipient_email": "same@example.test"}
    shown, canceled = (open_order(emulator, **address) for _ in range(2))
    cancel(canceled)
    emulator.change_order(canceled, status="notified")
    services.refresh_order(order_id=canceled, now=timezone.now())
    card = opened(agent, shown).partition('id="h-customer"')[2].partition("</ul>")[0]
    assert re.findall(r'badge__word">([^<]+)<', card) == ["Canceled"]


def test_an_order_that_we_canceled_is_no_other_open_one(emulator: Emulator) -> None:
    shown, canceled, still_open = (
        open_order(emulator, recipient_email="same@example.test") for _ in range(3)
    )
    cancel(canceled)
    emulator.change_order(canceled, status="notified")
    for order_id in (canceled, still_open):
        services.refresh_order(order_id=order_id, now=timezone.now())
    view = services.refresh_order(order_id=shown, now=timezone.now())
    similar = services.count_similar_orders(services.listed_order(view), now=timezone.now())
    assert similar.total == 1


def test_an_order_that_is_alone_has_no_related_ones(agent: Client, emulator: Emulator) -> None:
    shown = open_order(
        emulator, recipient_email="alone@example.test", order_batch_id=None, sender=None
    )
    page = opened(agent, shown)
    assert related_in(page) == {}
    assert 'id="h-related"' not in page


def test_search_timeout_omits_related_orders(
    agent: Client, five: list[UUID], settings: Any
) -> None:
    settings.RELATED_DEADLINE = -1.0
    page = opened(agent, five[0], next="/orders/?q=zebedee")
    assert neighbors_in(page) == {}
    assert 'id="h-related"' not in page
    assert "What else this address got is not known at present." in page
    assert "Zebedee" in page


def test_neighbors_and_related_orders_do_not_call_goody(
    agent: Client, emulator: Emulator, five: list[UUID]
) -> None:
    before = emulator.calls()["total"]
    opened(agent, five[0], next="/orders/?q=zebedee")
    assert emulator.calls()["total"] == before + 1
