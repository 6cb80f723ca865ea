"""The states of the list of orders, its panels and its search box."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone
from playwright.sync_api import Page, expect

from integration.browser.moves import row, settle
from integration.browser.site import Site
from orders.models import Operation, SavedView
from testing.users import make_user

from .order_states import LONG, LONG_FIELDS, RIGHT_TO_LEFT
from .states import (
    States,
    Visit,
    answer_with,
    click,
    fault,
    hold,
    hours_ago,
    in_turn,
    keys,
    path,
    shows,
    state,
)

LIST = "/orders/?per_page=25"
_LATER = timedelta(hours=1)
_EMPTY = {"set": {}, "envelope": {"data": [], "list_meta.total_count": 0}}


IMPORT: dict[str, Any] = {"finished_at": None, "imported": 1_200, "total": 5_000}


def _new_name() -> str:
    return f"Q{uuid4().hex[:8]}"


def _empty(site: Site, page: Page) -> None:
    site.empty_index()
    page.goto("/orders/")
    expect(page.locator(".empty")).to_be_visible()


def _every_status(site: Site, page: Page) -> None:
    name, now = _new_name(), timezone.now()
    for status in ("notified", "pending_payment", "shipped", "delivered", "failed", "frozen"):
        site.known_order("Status", recipient_last_name=name, status=status)
    for days in (-2, 1, 2):
        at = f"{now + timedelta(days=days, minutes=5):%Y-%m-%dT%H:%M:%SZ}"
        site.known_order("Expiry", recipient_last_name=name, expires_at=at)
    site.known_order("Never", recipient_last_name=name, expires_at=None)
    failed = [{"status": "failed", "brand_name": "Leaf"}]
    site.known_order("Parcel", recipient_last_name=name, status="shipped", shipments=failed)
    canceled = site.known_order("Canceled", recipient_last_name=name, status="failed")
    site.operation(canceled, state="applied", confirmed_at=now, closed_at=now)
    page.goto(f"/orders/?q={name}")
    expect(page.locator(".orders tbody tr")).to_have_count(12)


def _open_writes(site: Site, page: Page) -> None:
    name, later = _new_name(), timezone.now() + _LATER
    for write, polls in (("sending", 1), ("unknown", 1), ("needs_human", 0)):
        order_id = site.known_order("Write", recipient_last_name=name)
        site.operation(order_id, state=write, lease_until=later, due_at=later)
        page.goto(f"/orders/?q={name}")
        expect(page.locator(f"#order-{order_id}[hx-trigger]")).to_have_count(polls)


def _refused(site: Site, page: Page) -> None:
    """A poll shows that a write had no effect."""
    name, now = _new_name(), timezone.now()
    site.known_order("Below", recipient_last_name=name)
    order_id = site.known_order("Refused", recipient_last_name=name)
    made = site.operation(order_id, state="unknown", lease_until=now + _LATER, due_at=now + _LATER)
    page.goto(f"/orders/?q={name}")
    settle(page)
    Operation.objects.filter(pk=made.pk).update(state="not_applied", closed_at=now, due_at=None)
    page.clock.fast_forward(3_000)
    expect(row(page, order_id).locator(".failure")).to_be_visible()


def _session_ended(site: Site, page: Page) -> None:
    """A poll is refused since the session has ended."""
    page.goto(LIST)
    settle(page)
    site.end_session(page.context)
    page.clock.fast_forward(61_000)
    expect(page.locator(".banner")).to_contain_text(["Your session has ended"])


def _texts(first: str, **fields: Any) -> Visit:
    def visit(site: Site, page: Page) -> None:
        name = _new_name()
        fields_with_name = {**fields, "message": f"{fields['message']} {name}"}
        known = site.known_order(first, **fields_with_name)
        page.goto(f"/orders/?q={known}")
        page.goto(f"/orders/?q={name}")
        expect(row(page, known)).to_be_visible()

    return visit


def _type(text: str, wait_for: str) -> Visit:
    """Type into the box of another page."""

    def visit(site: Site, page: Page) -> None:
        site.known_order("Wilhelmina", recipient_last_name="Quisling")
        page.goto("/settings/")
        keys("/", shows="[data-box]:focus")(site, page)
        page.keyboard.type(text)
        page.clock.run_for(300)
        expect(page.locator("#box-popup")).to_contain_text(wait_for)

    return visit


def _saved(*queries: str) -> SavedView:
    """Save views of these lists for the agent and one shared view; return the agent's last."""
    owner, lead = make_user("agent"), make_user("lead")
    SavedView.objects.all().delete()
    shared = "Everybody's " + "long " * 9
    SavedView.objects.create(owner=lead, name=shared, name_key=shared, is_shared=True)
    made = [
        SavedView.objects.create(owner=owner, name=f"View {n}", name_key=f"view {n}", query=query)
        for n, query in enumerate(queries)
    ]
    return made[-1]


def _changed_view(site: Site, page: Page) -> None:
    view = _saved("q=a", "status=opened")
    page.goto(f"/orders/?q=nobody-at-all&view={view.pk}")
    click("summary:has-text('Save view')", "#new-view")(site, page)
    expect(page.get_by_text("changed", exact=True)).to_be_visible()


def _views(*queries: str) -> Visit:
    def visit(_: Site, page: Page) -> None:
        _saved(*queries)
        page.goto("/orders/views/")
        expect(page.locator(".saved__view")).to_have_count(len(queries) + 1)

    return visit


def _no_views(_: Site, page: Page) -> None:
    SavedView.objects.all().delete()
    page.goto("/orders/views/")


_FAILING: dict[str, Any] = {"problem": "Goody does not answer (status 500)"}


ORDERS: States = {
    "ordinary": state(path(LIST)),
    "compact": state(path(LIST), profile={"density": "compact"}),
    "filtered": state(path("/orders/?status=notified&status=opened&expires=7d&sort=expires")),
    "every status": state(_every_status, role="admin"),
    "right missing": state(path(LIST), role="viewer"),
    "without a role": state(path(LIST), role="", status=403),
    "empty": state(_empty),
    "empty at Goody": state(in_turn(fault("mutate", times=1, **_EMPTY), path(LIST)), sync=None),
    "nothing imported yet": state(path(LIST), sync=None),
    "first import": state(path(LIST), sync=IMPORT),
    "first import, filtered": state(path("/orders/?status=opened&per_page=25"), sync=IMPORT),
    "loading": state(
        in_turn(
            path(LIST),
            hold("**/orders/?*status=*"),
            click(".views .tabs a >> nth=2", ".views"),
        ),
        is_settled=False,
    ),
    "no match": state(path("/orders/?q=zzzz&status=opened")),
    "no match on a day": state(path("/orders/?created_before=2001-01-01")),
    "unknown id": state(path("/orders/?q=00000000-0000-4000-8000-000000000000")),
    "misunderstood filter": state(path("/orders/?created_after=yesterday"), status=400),
    "misunderstood search": state(path("/orders/?q=expires:soon"), status=400),
    "Goody down before the import": state(
        in_turn(fault("status", status=500), path(LIST)), status=503, sync=None
    ),
    "Goody down": state(path(LIST), sync={**_FAILING, "failing_since": hours_ago(1)}),
    "unreadable list": state(
        in_turn(fault("body", **{"as": "html"}), path(LIST)), status=502, sync=None
    ),
    "key rejected": state(
        in_turn(
            fault("status", times=1, status=401),
            path("/orders/00000000-0000-4000-8000-000000000001/"),
            path(LIST),
        ),
        status=503,
    ),
    "sync stopped": state(
        path(LIST), sync={"suspicion": "3,000 of 5,000 orders are not listed any more."}
    ),
    "no activity feed": state(path(LIST), sync={"is_feed_missing": True}),
    "texts being folded": state(path(LIST), sync={"folding_version": 1}),
    "outcome unknown": state(_open_writes),
    "refused": state(_refused),
    "very long texts": state(_texts(LONG, **LONG_FIELDS)),
    "right-to-left names": state(_texts("محمد", **RIGHT_TO_LEFT)),
    "status filter open": state(
        in_turn(path(LIST), click("[data-panel=panel-status]", "#panel-status"))
    ),
    "columns open": state(
        in_turn(path(LIST), click("[data-panel=panel-columns]", "#panel-columns"))
    ),
    "help open": state(in_turn(path(LIST), click("[data-panel=panel-help]", "#panel-help"))),
    "changed view": state(_changed_view),
    "several addresses": state(path("/orders/?q=a@example.test+b@example.test")),
    "finding that is gone": state(
        path("/orders/?finding=00000000-0000-4000-8000-000000000000"), status=404
    ),
    "an answer that is not ours": state(
        in_turn(
            path(LIST),
            answer_with("**/orders/?per_page=25", status=502, body="<h1>Bad gateway</h1>"),
            click("[data-refresh]", "#problem .banner"),
        ),
        status=502,
    ),
    "session ended": state(_session_ended, status=401),
}

PARTS: States = {
    "filters": state(path("/orders/filters/")),
    "columns": state(path("/orders/columns/")),
    "help": state(path("/orders/help/")),
}

BOX: States = {
    "options": state(_type("wilhelmina", "Wilhelmina")),
    "no match": state(_type("qqqqzz", "No order matches.")),
    "did you mean": state(_type("wilhelmina quizling", "Did you mean")),
    "completions": state(_type("status:deliv", "status:delivered")),
    "commands": state(in_turn(path("/audit/"), keys("Control+k", shows="#commands [role=option]"))),
    "keyboard shortcuts": state(in_turn(path("/settings/"), keys("?", shows="#shortcuts"))),
}

VIEWS: States = {
    "views": state(_views("q=a", "status=opened&sort=expires")),
    "empty": state(_no_views),
}


def _find(text: str, shown: str) -> Visit:
    def visit(_: Site, page: Page) -> None:
        page.goto("/orders/find/")
        page.get_by_role("textbox", name="A ticket").fill(text)
        page.get_by_role("button", name="Find orders").click()
        expect(page.locator("main")).to_contain_text(shown)

    return visit


def _ticket(site: Site, page: Page) -> None:
    """Found orders, and a missing name longer than a line."""
    address = f"{uuid4().hex[:8]}@example.test"
    orders = [site.known_order("Tilda", recipient_email=address) for _ in range(2)]
    text = f"{orders[0]} {address} {'long' * 15}@example.test {uuid4()}"
    _find(text, "of 4 named values found")(site, page)


FIND: States = {
    "form": state(path("/orders/find/")),
    "nothing named": state(_find("words " * 100, "Nothing in this text"), status=422),
    "ticket": state(_ticket, role="lead"),
    "ticket without a match": state(_find(f"{uuid4()} nobody@example.test", "not found")),
    "ticket that is gone": state(
        in_turn(path("/orders/find/00000000-0000-4000-8000-000000000000/"), shows("h1")),
        status=404,
    ),
}
