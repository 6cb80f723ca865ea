"""Every page in every state: axe finds nothing in either theme, narrow windows do not scroll
sideways, targets are large enough, and htmx's targets exist exactly once.

The console and the CSP are watched by the `watch` fixture, as in all browser tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from orders.models import SavedView
from testing.browser import Watch
from testing.users import make_user

from .moves import chip, submit_button
from .site import Site

LIST = "/orders/?per_page=25"
_AXE = Axe()
_ALL_RULES: dict[str, Any] = {"resultTypes": ["violations"]}
# The axe rules that depend on the theme.
_RULES_OF_COLOR: dict[str, Any] = {
    **_ALL_RULES,
    "runOnly": ["color-contrast", "link-in-text-block"],
}

_DARK = """() => { document.documentElement.dataset.theme = "dark"; }"""

_SMALL_TARGETS = """() => [...document.querySelectorAll(
    "table a, table button, button, .button, .pager a, nav a, summary, input[type=radio]"
  )].filter(it => it.checkVisibility()).map(it => it.closest(".chip, .choice") ?? it)
  .map(it => [it.textContent.trim().slice(0, 30), it.getBoundingClientRect()])
  .filter(([, box]) => box.width < 24 || box.height < 24)
  .map(([text, box]) => `${text}: ${box.width} x ${box.height}`)"""

_AIMS = """() => [...document.querySelectorAll("[hx-target]")].filter(it => {
  const aim = it.getAttribute("hx-target");
  const [, ancestor] = aim.match(/^closest (.+)/) ?? [];
  const count = ancestor ? Number(!!it.closest(ancestor)) : document.querySelectorAll(aim).length;
  return aim !== "this" && count !== 1;
}).map(it => it.getAttribute("hx-target"))"""

_REPEATED_IDS = """() => {
  const ids = [...document.querySelectorAll("[id]")].map(it => it.id);
  return ids.filter((id, at) => ids.indexOf(id) !== at);
}"""


def assert_accessible(page: Page) -> None:
    """Check the page in its present state, with open dialogs."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.evaluate(_AXE.axe_script)
    assert violations(page, _ALL_RULES) == []
    page.evaluate(_DARK)
    assert violations(page, _RULES_OF_COLOR) == []
    assert page.evaluate(_SMALL_TARGETS) == []
    assert page.evaluate(_AIMS) == []
    assert page.evaluate(_REPEATED_IDS) == []
    assert_fits_windows(page)


def violations(page: Page, rules: dict[str, Any]) -> list[str]:
    found = page.evaluate("async rules => (await axe.run(rules)).violations", rules)
    return [
        f"{one['id']}: {node['html']} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]


def assert_fits_windows(page: Page) -> None:
    """A small phone first; then where the rows of the list stop being cards, a tablet, half a
    screen.
    """
    before = page.viewport_size
    assert before
    for wide in (320, 720, 768, 1024):
        page.set_viewport_size({"width": wide, "height": 640})
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= wide, f"{width} px wide in a window of {wide}"
        assert page.evaluate(_SMALL_TARGETS) == []
    page.set_viewport_size(before)


@dataclass(frozen=True)
class Case:
    """A page in one state: how to reach it, the role, and the expected status."""

    visit: Callable[[Site, Page], Any]
    role: str = "agent"
    statuses: set[int] = field(default_factory=set)


def path(address: str) -> Callable[[Site, Page], Any]:
    return lambda _, page: page.goto(address)


def detail(**wanted: Any) -> Callable[[Site, Page], Any]:
    """Return the page of an order of that kind."""
    return lambda site, page: page.goto(f"/orders/{site.emulator.find_id(**wanted)}/")


def changed(**fields: Any) -> Callable[[Site, Page], Any]:
    return lambda site, page: page.goto(f"/orders/{site.open_order(**fields)}/")


def failing(fault: dict[str, Any], address: str, *, times: int = 2) -> Callable[[Site, Page], Any]:
    def visit(site: Site, page: Page) -> None:
        site.emulator.fault(fault, times=times)
        page.goto(address)

    return visit


def dialog(key: str) -> Callable[[Site, Page], Any]:
    def visit(site: Site, page: Page) -> None:
        page.goto(f"/orders/{site.open_order()}/")
        page.keyboard.press(key)
        expect(page.locator("#dialog[open]")).to_be_visible()

    return visit


def dialog_page(name: str, **fields: Any) -> Callable[[Site, Page], Any]:
    return lambda site, page: page.goto(f"/orders/{site.open_order(**fields)}/{name}/")


def _sent_without_a_session(site: Site, page: Page) -> None:
    site.log_in(page.context, make_user("agent"))
    page.goto("/settings/")
    site.end_session(page.context)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".banner")).to_contain_text("Nothing was sent.")


def _login_failed(_: Site, page: Page) -> None:
    page.goto("/login/")
    page.get_by_label("User name").fill("nobody")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(".form-errors")).to_be_visible()


def _slipped(site: Site, page: Page) -> None:
    """The dialog with form errors."""
    dialog("e")(site, page)
    page.locator("#id_expiration_custom").fill("soon")
    submit_button(page).click()
    expect(page.locator("#dialog .form-errors")).to_be_focused()


def _toast(site: Site, page: Page) -> None:
    dialog("e")(site, page)
    chip(page, "+7").click()
    submit_button(page).click()
    expect(page.locator(".toast")).to_be_visible()


def _stale(site: Site, page: Page) -> None:
    """The stored copy, while Goody does not answer."""
    order_id = site.open_order()
    page.goto(f"/orders/{order_id}/")
    site.emulator.fault({"kind": "status", "status": 500}, times=1)
    page.goto(f"/orders/{order_id}/")
    expect(page.get_by_role("alert")).to_contain_text("This is our copy")


def _bug(site: Site, page: Page) -> None:
    """A page that fails with 500, by a row that the code never writes."""
    order_id = site.open_order()
    broken = site.operation(order_id, state="applied")
    type(broken).objects.filter(pk=broken.pk).update(state="nonsense")
    try:
        page.goto(f"/orders/{order_id}/operations/{broken.pk}/")
        expect(page.locator("h1")).to_have_text("Something went wrong here")
    finally:
        type(broken).objects.filter(pk=broken.pk).update(state="applied")


def _audit(site: Site, page: Page) -> None:
    site.operation(
        site.open_order(),
        state="applied",
        note="غدا <b>x</b>\n" + "long " * 60,
        ticket="https://tickets.example/" + "1" * 80,
        closed_at=timezone.now(),
    )
    page.goto("/audit/")
    expect(page.locator("tbody tr").first).to_be_visible()


def _audit_filter(_: Site, page: Page) -> None:
    page.goto("/audit/?action=order.cancel")
    page.locator("summary", has_text="When").click()
    expect(page.get_by_label("From")).to_be_visible()


def _checked_key(_: Site, page: Page) -> None:
    page.goto("/system/")
    page.get_by_role("button", name="Check the key").click()
    expect(page.locator("#connection")).to_contain_text("The key works.")


def _nothing_found(_: Site, page: Page) -> None:
    page.goto("/orders/find/")
    page.get_by_role("textbox", name="A ticket").fill("words " * 100)
    page.get_by_role("button", name="Find orders").click()
    expect(page.get_by_role("textbox", name="A ticket")).to_be_focused()


def _finding(site: Site, page: Page) -> None:
    """An incomplete finding: found orders, and a missing name longer than a line."""
    page.goto("/orders/find/")
    text = f"{site.open_order()} {'long' * 15}@example.test {uuid4()}"
    page.get_by_role("textbox", name="A ticket").fill(text)
    page.get_by_role("button", name="Find orders").click()
    expect(page.locator(".page-head")).to_contain_text("1 of 3 named values found")


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


def _views(_: Site, page: Page) -> None:
    _saved("q=a", "status=opened&sort=expires")
    page.goto("/orders/views/")
    expect(page.locator(".saved__view")).to_have_count(3)


def _changed_view(_: Site, page: Page) -> None:
    view = _saved("q=a", "status=opened")
    page.goto(f"/orders/?q=nobody-at-all&view={view.pk}")
    page.locator("summary", has_text="Save view").click()
    expect(page.get_by_text("changed", exact=True)).to_be_visible()
    expect(page.get_by_label("Name of the view")).to_be_visible()


def _in_its_list(site: Site, page: Page) -> None:
    """An order opened from a list, with neighbors and related orders."""
    fields = {"recipient_email": "neighbor@example.test"}
    for _ in range(3):
        order_id = site.open_order("Neighbor", **fields)
        page.goto(f"/orders/{order_id}/?next=/orders/%3Fq%3Dneighbor%40example.test")
    expect(page.locator(".neighbors")).to_contain_text("1 of ")
    expect(page.get_by_role("region", name="Customer")).to_contain_text("3 gifts to them")


_EMPTY = {"set": {}, "envelope": {"data": [], "list_meta.total_count": 0}}

CASES: dict[str, Case] = {
    "login": Case(path("/login/?next=/orders/"), role=""),
    "login after a form": Case(_sent_without_a_session, role=""),
    "login failed": Case(_login_failed, role="", statuses={422}),
    "list": Case(path(LIST)),
    "list empty": Case(failing({"kind": "mutate", **_EMPTY}, LIST, times=1)),
    "list without a match": Case(path("/orders/?created_before=2001-01-01")),
    "list misunderstood": Case(path("/orders/?created_after=yesterday"), statuses={400}),
    "list unavailable": Case(failing({"kind": "status", "status": 500}, LIST), statuses={503}),
    "list unreadable": Case(failing({"kind": "body", "as": "html"}, LIST), statuses={502}),
    "find in a text": Case(path("/orders/find/")),
    "find in a text without names": Case(_nothing_found, statuses={422}),
    "list of a finding": Case(_finding, role="lead"),
    "list of a finding that is gone": Case(
        path("/orders/?finding=00000000-0000-4000-8000-000000000000"), statuses={404}
    ),
    "list of a changed view": Case(_changed_view),
    "list of a ticket": Case(path("/orders/?q=a@example.test+b@example.test")),
    "views": Case(_views),
    "detail in its list": Case(_in_its_list),
    "detail open": Case(changed(), role="admin"),
    "detail of a long address": Case(
        changed(recipient_first_name="long" * 30, recipient_email=f"{'long' * 30}@example.test")
    ),
    "detail for a viewer": Case(changed(), role="viewer"),
    "detail swapped": Case(detail(swapped=1), role="admin"),
    "detail shipped": Case(detail(status="shipped")),
    "detail delivered": Case(detail(status="delivered")),
    "detail failed": Case(detail(status="failed")),
    "detail with a thank-you": Case(detail(has_thank_you=1)),
    "detail without expiry": Case(changed(expires_at=None)),
    "detail expired": Case(detail(unaccepted_expired=1)),
    "detail of an unknown status": Case(changed(status="frozen")),
    "detail hostile": Case(detail(hostile=1), role="admin"),
    "detail stale": Case(_stale),
    "cancel dialog": Case(dialog("c")),
    "expiration dialog": Case(dialog("e")),
    "dialog with errors": Case(_slipped, statuses={422}),
    "toast": Case(_toast),
    "cancel page": Case(dialog_page("cancel")),
    "expiration page": Case(dialog_page("expiration", expires_at=None)),
    "cancel page refused": Case(dialog_page("cancel", status="accepted")),
    "audit": Case(_audit, role="lead"),
    "audit with an open filter": Case(_audit_filter, role="lead"),
    "audit without a match": Case(path("/audit/?order=nothing"), role="lead"),
    "system": Case(_checked_key, role="admin"),
    "settings": Case(path("/settings/")),
    "setup": Case(path("/setup/"), role="admin"),
    "setup for an agent": Case(path("/setup/")),
    "password": Case(path("/password/")),
    "shortcuts": Case(lambda _, page: (page.goto("/settings/"), page.keyboard.press("?"))),
    "403": Case(path("/system/"), statuses={403}),
    "404": Case(path("/nothing/here/"), statuses={404}),
    "404 order": Case(path("/orders/00000000-0000-4000-8000-000000000000/"), statuses={404}),
    "500": Case(_bug, statuses={500}),
}


@pytest.mark.parametrize("name", CASES)
def test_page(as_person: Callable[..., Page], page: Page, site: Site, watch: Watch, name: str):
    case = CASES[name]
    watch.expected |= case.statuses
    if case.role:
        as_person(case.role)
    case.visit(site, page)
    expect(page.locator("h1")).to_have_count(1)
    assert_accessible(page)


_LATER = timedelta(hours=1)
_STATES: dict[str, dict[str, Any]] = {
    "planned": {},
    "waiting": {},
    "sending": {},
    "unknown": {"detail": "The connection was cut."},
    "needs_human": {"failure_kind": "contradiction"},
    "applied": {},
    "refused": {"failure_kind": "rejected", "detail": "Order cannot be canceled"},
    "not_sent": {"failure_kind": "connect"},
    "not_applied": {},
    "superseded": {"detail": "was 1 Dec, is 3 Dec"},
}


@pytest.mark.parametrize("state", _STATES)
def test_operation(as_person: Callable[..., Page], site: Site, state: str) -> None:
    """The operation's page in each state, and the form with which a lead settles one."""
    page = as_person("lead")
    order_id = site.open_order()
    page.request.get(f"/orders/{order_id}/")
    now = timezone.now()
    is_change = state == "superseded"
    operation = site.operation(
        order_id,
        state=state,
        lease_until=now + _LATER,
        due_at=now + _LATER,
        unknown_at=now,
        sent_at=now,
        action="order.extend" if is_change else "order.cancel",
        expiration=now + _LATER if is_change else None,
        **_STATES[state],
    )
    page.goto(f"/orders/{order_id}/operations/{operation.pk}/")
    expect(page.locator("#operation .outcome")).to_be_visible()
    assert_accessible(page)


def test_a_list_with_open_writes(as_person: Callable[..., Page], site: Site) -> None:
    page = as_person("agent")
    later = timezone.now() + _LATER
    for state, polls in (("sending", 1), ("unknown", 1), ("needs_human", 0)):
        order_id = site.open_order()
        site.operation(order_id, state=state, lease_until=later, due_at=later)
        page.goto(LIST)
        expect(page.locator(f"#order-{order_id}[hx-trigger]")).to_have_count(polls)
    assert_accessible(page)


@pytest.mark.parametrize("state", ["unknown", "refused"])
def test_an_order_with_a_write(as_person: Callable[..., Page], site: Site, state: str) -> None:
    """An open operation, or one that just ended without effect, is above the order and in its
    timeline."""
    page = as_person("agent")
    order_id, now = site.open_order(), timezone.now()
    site.operation(order_id, state=state, closed_at=None if state == "unknown" else now)
    page.goto(f"/orders/{order_id}/")
    expect(page.locator("#order-detail > .banner")).to_have_count(int(state == "refused"))
    expect(page.locator(".timeline__item--staff, .timeline__item--bad")).to_have_count(1)
    assert_accessible(page)


@pytest.mark.parametrize(("chosen", "system"), [("dark", "light"), ("light", "dark")])
def test_the_chosen_theme_wins(as_person: Callable[..., Page], chosen: str, system: str) -> None:
    """A theme chosen in the settings overrides the system's on every page."""
    page = as_person("agent", f"related-{chosen}")
    page.emulate_media(color_scheme=system)  # type: ignore[arg-type]
    page.goto("/settings/")
    page.get_by_label(chosen.title(), exact=True).check()
    page.get_by_role("button", name="Save").click()
    page.goto("/orders/?created_before=2001-01-01")
    background = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert background == {"dark": "rgb(19, 20, 23)", "light": "rgb(251, 251, 250)"}[chosen]


def test_compact_lists_have_targets_as_large(as_person: Callable[..., Page]) -> None:
    page = as_person("agent", "related-compact", density="compact")
    page.goto(LIST)
    expect(page.locator("html")).to_have_attribute("data-density", "compact")
    assert page.evaluate(_SMALL_TARGETS) == []
    assert_fits_windows(page)


_LOOK = """([selector, part]) => {
  const {backgroundColor, borderTopColor, borderBottomColor, outlineStyle} =
    getComputedStyle(document.querySelector(selector), part);
  return [backgroundColor, borderTopColor, borderBottomColor, outlineStyle];
}"""


def test_states_differ_in_forced_colors(agent: Page, site: Site) -> None:
    """Elements that differ by the dashboard's colors must also differ in forced colors."""

    def assert_different(one: str, other: str, *, part: str | None = None) -> None:
        assert agent.evaluate(_LOOK, [one, part]) != agent.evaluate(_LOOK, [other, part])

    agent.emulate_media(forced_colors="active")
    agent.goto(f"/orders/{site.open_order()}/")
    assert_different(".step--now", ".step--ahead", part="::before")
    agent.keyboard.press("e")
    chip(agent, "+14").click()
    agent.locator("#id_expiration_custom").focus()
    assert_different(".chip:has(:checked)", ".chip:not(:has(:checked))")
    agent.goto("/orders/?sort=expires&status=notified")
    assert_different(".topbar__nav [aria-current]", ".topbar__nav a:not([aria-current])")
    assert_different(".filter.is-active", "a.filter")
    # An arrow has one side, a square all four.
    _, top, bottom, _ = agent.evaluate(_LOOK, ["[aria-sort] a", "::after"])
    assert top != bottom


def test_motion_is_reduced_for_those_who_ask(agent: Page) -> None:
    """No transition at all: even the shortest shows the old layout for one frame after the window
    is resized.
    """
    agent.emulate_media(reduced_motion="reduce")
    agent.goto("/settings/")
    animation, transition = agent.evaluate(
        """() => {
          const styles = [...document.querySelectorAll("*")].map(it => getComputedStyle(it));
          const longest = name => Math.max(...styles.map(it => parseFloat(it[name])));
          return [longest("animationDuration"), longest("transitionDuration")];
        }"""
    )
    assert animation < 0.001
    assert transition == 0


def test_an_order_prints_without_the_frame(agent: Page, site: Site) -> None:
    agent.goto(f"/orders/{site.open_order('Paula')}/")
    agent.emulate_media(media="print")
    for part in (".topbar", ".order-head__actions", ".crumbs", "#toasts"):
        expect(agent.locator(part)).to_be_hidden()
    expect(agent.locator("h1")).to_contain_text("Paula")
    expect(agent.get_by_role("heading", name="Timeline")).to_be_visible()


@pytest.mark.parametrize("status", ["opened", "delivered"])
def test_an_ordinary_order_prints_on_one_sheet(agent: Page, site: Site, status: str) -> None:
    wanted = {"swapped": 0, "hostile": 0}
    agent.goto(f"/orders/{site.emulator.find_id(status=status, **wanted)}/")
    expect(agent.get_by_role("heading", name="Timeline")).to_be_visible()
    sheets = re.findall(rb"/Type */Page\b", agent.pdf(format="A4"))
    assert len(sheets) == 1
