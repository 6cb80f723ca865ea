"""Dialogs: focus, errors, double submits, outcomes that become known later, toasts, announcements,
copying.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, Route, expect

from testing.browser import BrowserLog
from testing.processes import wait_for

from .moves import (
    assert_seen,
    chip,
    in_dialog,
    pager_link,
    row,
    row_action,
    submit_button,
    wait_for_keys,
)
from .site import Site

LIST = "/orders/?per_page=25"


@pytest.fixture
def slow_goody(site: Site) -> Iterator[None]:
    """Goody answers so slowly that a second click precedes the answer to the first."""
    site.emulator.set_latency(0.15)
    yield
    site.emulator.set_latency(0)


def open_from_row(page: Page, order_id: str, key: str) -> None:
    page.goto(LIST)
    row_action(page, order_id, key).click()
    expect(page.locator("#dialog[open]")).to_be_visible()


def choose_reason(page: Page, label: str = "Duplicate gift") -> None:
    page.get_by_role("radio", name=label).check()


# --- focus --------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["c", "e"])
def test_escape_closes_and_the_focus_returns_to_the_row(
    agent: Page, site: Site, watch: BrowserLog, key: str
) -> None:
    order_id = site.open_order("Ines")
    open_from_row(agent, order_id, key)
    expect(agent.locator("#dialog-title")).to_contain_text("Ines")
    if key == "c":
        expect(in_dialog(agent, "Keep gift")).to_be_focused()
    agent.keyboard.press("Escape")
    expect(agent.locator("#dialog")).to_be_hidden()
    expect(agent.locator("#dialog-body")).to_be_empty()
    expect(row_action(agent, order_id, key)).to_be_focused()
    assert watch.request_paths("POST") == []


def test_keep_gift_sends_nothing(agent: Page, site: Site, watch: BrowserLog) -> None:
    order_id = site.open_order()
    open_from_row(agent, order_id, "c")
    agent.keyboard.press("Enter")
    expect(agent.locator("#dialog")).to_be_hidden()
    expect(row_action(agent, order_id, "c")).to_be_focused()
    assert watch.request_paths("POST") == []
    assert "/orders/?" in agent.url


def test_the_focus_goes_to_the_row_when_its_link_is_gone(agent: Page, site: Site) -> None:
    order_id = site.open_order()
    open_from_row(agent, order_id, "c")
    choose_reason(agent)
    in_dialog(agent, "Cancel gift").click()
    expect(row(agent, order_id)).to_have_attribute("data-status", "failed")
    expect(row(agent, order_id).locator("th a")).to_be_focused()
    expect(row(agent, order_id).locator(".badge")).to_have_text("Canceled")


def test_the_focus_is_kept_where_htmx_replaces_the_list(agent: Page) -> None:
    agent.goto(LIST)
    following = pager_link(agent, "Next")
    following.focus()
    for number in (2, 3):
        agent.keyboard.press("Enter")
        expect(agent.locator(".pager")).to_contain_text(f"Page {number} of")
        expect(following).to_be_focused()


def test_the_keys_for_pages_leave_the_focus_in_the_list(agent: Page, site: Site) -> None:
    site.order_on_page(3, size=25)
    agent.goto(LIST)
    wait_for_keys(agent)
    agent.keyboard.press("j")
    agent.keyboard.press("j")
    for key, number in (("]", 2), ("]", 3), ("[", 2)):
        agent.keyboard.press(key)
        expect(agent.locator(".pager")).to_contain_text(f"Page {number} of")
        expect(agent.locator("#results")).to_be_focused()
        agent.keyboard.press("j")
        expect(agent.locator("tbody th a").first).to_be_focused()


def test_dialog_opened_while_another_closes_returns_the_focus(agent: Page, site: Site) -> None:
    """The `close` event of the first dialog arrives after the second one has opened."""
    agent.goto(f"/orders/{site.open_order()}/")
    trigger = agent.get_by_role("link", name="Extend…")
    trigger.click()
    expect(agent.locator("#dialog[open] .chip").first).to_be_visible()
    agent.evaluate("""() => {
      document.getElementById("dialog").close();
      document.querySelector('[data-key="e"]').click();
    }""")
    chip(agent, "+14").click()
    submit_button(agent).click()
    expect(agent.locator(".toast")).to_contain_text("Expiration changed")
    expect(trigger).to_be_focused()


def test_dialog_opened_before_the_close_event_of_another_stays_open(
    agent: Page, site: Site
) -> None:
    agent.goto(f"/orders/{site.open_order()}/")
    agent.get_by_role("link", name="Extend…").click()
    expect(agent.locator("#dialog[open] .chip").first).to_be_visible()
    agent.evaluate("document.getElementById('dialog').dispatchEvent(new Event('close'))")
    chip(agent, "+14").click()
    submit_button(agent).click()
    expect(agent.locator(".toast")).to_contain_text("Expiration changed")


# --- low windows --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "height"),
    [(1366, 625), (320, 640), (320, 256)],
    ids=["laptop", "phone", "four times as large"],
)
def test_dialog_opens_at_the_recipient_and_the_amount(
    agent: Page, site: Site, watch: BrowserLog, width: int, height: int
) -> None:
    watch.expected.add(422)
    order_id = site.open_order()
    agent.set_viewport_size({"width": width, "height": height})
    agent.goto(f"/orders/{order_id}/")
    agent.get_by_role("link", name="Cancel gift…").click()
    keep = in_dialog(agent, "Keep gift")
    expect(keep).to_be_focused()
    for place in (agent.locator("#dialog-title"), agent.locator(".dialog__identity"), keep):
        assert_seen(place)

    choose_reason(agent, "Other")
    in_dialog(agent, "Cancel gift").click()
    errors = agent.locator("#dialog .form-errors")
    expect(errors).to_be_focused()
    for place in (errors, in_dialog(agent, "Cancel gift")):
        assert_seen(place)
    agent.get_by_label("Ticket").focus()
    assert_seen(agent.get_by_label("Ticket"))
    agent.get_by_role("textbox", name="Note").fill("Because.")
    in_dialog(agent, "Cancel gift").click()
    expect(agent.locator("#order-detail")).to_have_attribute("data-status", "failed")

    agent.goto(f"/orders/{site.open_order()}/")
    agent.get_by_role("link", name="Extend…").click()
    expect(chip(agent, "+14").locator("input")).to_be_focused()
    for place in (chip(agent, "+14"), submit_button(agent)):
        assert_seen(place)


# --- errors -------------------------------------------------------------------------------------


def test_errors_are_shown_in_the_dialog_with_the_input(
    agent: Page, site: Site, watch: BrowserLog
) -> None:
    watch.expected.add(422)
    order_id = site.open_order()
    open_from_row(agent, order_id, "c")
    choose_reason(agent, "Other")
    agent.get_by_label("Ticket").fill("ticket " * 15)
    in_dialog(agent, "Cancel gift").click()
    errors = agent.locator("#dialog .form-errors")
    expect(errors).to_be_focused()
    expect(errors).to_contain_text("Nothing was sent.")
    expect(agent.locator("#dialog")).to_contain_text("Say in a few words")
    expect(agent.get_by_role("radio", name="Other")).to_be_checked()
    expect(agent.get_by_label("Ticket")).to_have_value("ticket " * 15)
    assert site.emulator.posts() == 0

    agent.get_by_role("textbox", name="Note").fill("Because.")
    agent.get_by_label("Ticket").fill("https://tickets.example/1")
    in_dialog(agent, "Cancel gift").click()
    expect(row(agent, order_id)).to_have_attribute("data-status", "failed")
    assert site.writes(order_id) == ["cancel"]


def test_shortening_requires_the_checkbox(agent: Page, site: Site, watch: BrowserLog) -> None:
    watch.expected.add(422)
    order_id = site.open_order()
    earlier = (site.expiry(order_id) - timedelta(days=10)).date().isoformat()
    open_from_row(agent, order_id, "e")
    expect(agent.locator("[name=may_shorten]")).to_have_count(0)
    agent.locator("#id_expiration_custom").fill(earlier)
    expect(agent.locator("[name=may_shorten]")).not_to_be_checked()
    expect(submit_button(agent)).to_contain_text("Shorten to")
    submit_button(agent).click()
    expect(agent.locator("#id_may_shorten_error")).to_be_visible()
    expect(agent.locator("#id_expiration_custom")).to_have_value(earlier)
    assert site.emulator.posts() == 0

    agent.locator("[name=may_shorten]").check()
    submit_button(agent).click()
    expect(agent.locator("#dialog")).to_be_hidden()
    assert site.writes(order_id) == ["update_expiration"]


def test_a_refusal_stays_in_the_dialog(agent: Page, site: Site) -> None:
    """The recipient accepts while the dialog is open: nothing is sent, the dialog says why."""
    order_id = site.open_order()
    open_from_row(agent, order_id, "c")
    choose_reason(agent)
    site.emulator.change_order(order_id, status="accepted")
    in_dialog(agent, "Cancel gift").click()
    dialog = agent.locator("#dialog[open]")
    expect(dialog.locator(".banner--bad")).to_contain_text("Nothing was sent")
    expect(dialog.locator(".banner--bad")).to_contain_text("accepted")
    expect(agent.locator(".toast")).to_have_count(0)
    assert site.emulator.posts() == 0
    expect(row(agent, order_id)).to_have_attribute("data-status", "accepted")
    dialog.get_by_role("link", name="Close").click()
    expect(row_action(agent, order_id, "c")).to_have_count(0)
    expect(row(agent, order_id).locator("th a")).to_be_focused()


def test_an_order_that_moved_is_shown_as_it_is_now_behind_the_dialog(
    agent: Page, site: Site
) -> None:
    order_id = site.open_order()
    agent.goto(f"/orders/{order_id}/")
    site.emulator.change_order(order_id, status="accepted")
    agent.locator("#order-detail [data-key=c]").click()
    expect(agent.locator("#dialog[open] .banner")).to_contain_text("the recipient accepted it")
    expect(agent.locator("#order-detail")).to_have_attribute("data-status", "accepted")
    in_dialog(agent, "Close").click()
    expect(agent.locator("#order-detail [data-key=c]")).to_have_count(0)
    expect(agent.locator("#order-detail [data-refresh]")).to_be_focused()


# --- once ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("slow_goody")
@pytest.mark.parametrize("way", ["double click", "Enter twice"])
def test_submitted_twice_is_sent_once(agent: Page, site: Site, watch: BrowserLog, way: str) -> None:
    """A double click sends one request (F36)."""
    order_id = site.open_order()
    open_from_row(agent, order_id, "c")
    choose_reason(agent)
    button = in_dialog(agent, "Cancel gift")
    expect(button).to_be_enabled()
    if way == "double click":
        button.dblclick()
    else:
        button.focus()
        agent.keyboard.press("Enter")
        agent.keyboard.press("Enter")
    expect(row(agent, order_id)).to_have_attribute("data-status", "failed")
    expect(agent.locator(".toast")).to_have_count(1)
    assert len(watch.request_paths("POST", "/cancel/")) == 1
    assert site.writes(order_id) == ["cancel"]
    assert site.emulator.posts() == 1


def test_back_and_submit_again_leads_to_the_same_operation(
    without_javascript: Page, site: Site, person: Callable
) -> None:
    """Without a script that blocks the second submit (F36)."""
    page = without_javascript
    site.log_in(page.context, person("agent"))
    order_id = site.open_order()
    page.goto(f"/orders/{order_id}/cancel/")
    choose_reason(page)
    form = page.locator("form[method=post][action*=cancel]")
    key = form.locator("[name=form_key]").get_attribute("value")
    snapshot = form.locator("[name=snapshot]").get_attribute("value")
    token = form.locator("[name=csrfmiddlewaretoken]").get_attribute("value")
    page.get_by_role("button", name="Cancel gift").click()
    expect(page.locator("#operation")).to_contain_text("Canceled")
    again = page.request.post(
        f"/orders/{order_id}/cancel/",
        form={
            "csrfmiddlewaretoken": str(token),
            "form_key": str(key),
            "snapshot": str(snapshot),
            "reason": "duplicate",
        },
        headers={"Referer": page.url},
    )
    assert again.ok
    assert again.url.split("?")[0] == page.url.split("?")[0]
    assert site.emulator.posts() == 1


# --- outcomes that come later -------------------------------------------------------------------


def lose_the_answer(site: Site, order_id: str, write: str) -> None:
    site.emulator.add_fault(
        {"kind": "apply_then_hang", "seconds": 0.3},
        method="POST",
        path=f"/v1/orders/{order_id}/{write}",
        times=1,
    )


def polls_of(watch: BrowserLog, order_id: str) -> int:
    return len([path for path in watch.request_paths("GET", order_id) if "poll=" in path])


@pytest.mark.own_context
@pytest.mark.parametrize("place", ["row", "detail"])
def test_lost_answer_is_checked_and_its_outcome_shown(
    agent: Page, site: Site, watch: BrowserLog, place: str
) -> None:
    """ "Outcome being checked" becomes the outcome without a reload, and polling ends."""
    agent.clock.install()
    order_id = site.open_order()
    lose_the_answer(site, order_id, "cancel")
    agent.goto(LIST if place == "row" else f"/orders/{order_id}/")
    part = row(agent, order_id) if place == "row" else agent.locator("#order-detail")
    part.locator('[href*="/cancel/"]').first.click()
    choose_reason(agent)
    in_dialog(agent, "Cancel gift").click()
    expect(part).to_contain_text("Outcome being checked")
    expect(agent.locator("#live")).to_contain_text("Outcome being checked")
    expect(part.locator('[href*="/cancel/"]')).to_have_count(0)
    agent.clock.run_for(2_500)
    expect(part).to_contain_text("Outcome being checked")

    site.start_worker()
    wait_for(lambda: site.state_of(order_id) == "applied", what="the worker to read the order")
    agent.clock.run_for(2_500)
    expect(part).to_have_attribute("data-status", "failed")
    expect(part.locator(".badge").first).to_have_text("Canceled")
    expect(agent.locator(".toast")).to_contain_text("Canceled")
    expect(agent.locator("#live")).to_contain_text("Canceled")
    expect(part).not_to_have_attribute("hx-trigger", "every 2s")
    assert site.emulator.posts() == 1

    asked = polls_of(watch, order_id)
    assert asked >= 2
    agent.clock.run_for(30_000)
    agent.evaluate("() => fetch('/healthz')")
    assert polls_of(watch, order_id) == asked


@pytest.mark.own_context
def test_operation_page_shows_the_outcome_when_known(agent: Page, site: Site) -> None:
    agent.clock.install()
    order_id = site.open_order()
    before = site.expiry(order_id)
    lose_the_answer(site, order_id, "update_expiration")
    agent.goto(f"/orders/{order_id}/")
    agent.get_by_role("link", name="Extend…").click()
    chip(agent, "+30").click()
    submit_button(agent).click()
    agent.get_by_role("link", name="See how it stands").click()
    expect(agent.locator("#operation")).to_contain_text("Outcome being checked")
    site.start_worker()
    wait_for(lambda: site.state_of(order_id) == "applied", what="the worker to read the order")
    agent.clock.run_for(2_500)
    expect(agent.locator("#operation")).to_contain_text("Expiration changed")
    expect(agent.locator("#operation")).not_to_have_attribute("hx-trigger", "every 2s")
    assert site.expiry(order_id) == before + timedelta(days=30)


# --- toasts and announcements -------------------------------------------------------------------


@pytest.mark.own_context
def test_a_toast_offers_undo_for_ten_seconds_and_waits_for_its_reader(
    agent: Page, site: Site
) -> None:
    agent.clock.install()
    order_id = site.open_order()
    before = site.expiry(order_id)
    open_from_row(agent, order_id, "e")
    chip(agent, "+14").click()
    submit_button(agent).click()
    toast = agent.locator(".toast")
    expect(toast.get_by_role("button", name="Undo")).to_be_visible()
    expect(agent.locator("#live")).to_contain_text("Expiration changed")
    toast.hover()
    agent.clock.run_for(60_000)
    expect(toast).to_be_visible()
    toast.get_by_role("button", name="Undo").click()
    expect(toast).to_contain_text("Undone")
    expect(toast).to_have_count(1)
    expect(agent.locator("#dialog")).to_be_hidden()
    expect(row(agent, order_id).locator("th a")).to_be_focused()
    assert site.expiry(order_id) == before
    agent.mouse.move(0, 0)
    agent.locator("h1").focus()
    agent.clock.run_for(9_000)
    expect(toast).to_be_visible()
    agent.clock.run_for(2_000)
    expect(toast).to_have_count(0)


def test_the_pager_announces_the_results(agent: Page) -> None:
    agent.goto(LIST)
    expect(agent.locator("#live")).to_have_attribute("role", "status")
    pager_link(agent, "Next").click()
    expect(agent.locator("#live")).to_contain_text("Page 2 of")


# --- copying ------------------------------------------------------------------------------------


@pytest.mark.own_context
def test_copy_buttons_give_the_text_and_record_copies_of_links(
    as_person: Callable[..., Page], site: Site, watch: BrowserLog
) -> None:
    """The gift link is never requested: that may count as the recipient's opening."""
    page = as_person("admin")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    order = site.emulator.get_order(site.open_order(recipient_email="ada@example.com"))
    wanted = {
        "Copy gift link": order["individual_gift_link"],
        "Copy order id": order["id"],
        "Copy e-mail address": order["recipient_email"],
        "Copy Receipt": order["reference_id"],
    }
    # The accessible name of a button does not change.
    page.clock.install()
    page.goto(f"/orders/{order['id']}/")
    page.get_by_label("More actions").click()
    for name, text in wanted.items():
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator("#live")).to_have_text(f"{name}: copied")
        assert page.evaluate("navigator.clipboard.readText()") == text
    page.reload()
    page.evaluate("navigator.clipboard.writeText('')")
    page.keyboard.press("y")
    # The menu opens: it shows that the link was copied, and what to mind.
    expect(page.locator('[data-key="y"]')).to_have_text("Copied")
    expect(page.locator("#link-warning")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == order["individual_gift_link"]
    page.clock.run_for(1_500)
    page.evaluate("document.getElementById('live').replaceChildren()")
    page.keyboard.press("y")
    expect(page.locator("#live")).to_have_text("Copy gift link: copied")
    page.clock.run_for(1_500)
    expect(page.locator('[data-key="y"]')).to_have_text("Copied")
    page.clock.run_for(1_000)
    expect(page.locator('[data-key="y"]')).to_have_text("Copy gift link")
    # Copies of the gift link are recorded, others are not.
    assert watch.request_paths("POST") == [f"/orders/{order['id']}/access/"] * 3
    assert page.locator(f'a[href="{order["individual_gift_link"]}"]').count() == 0


def test_shortcuts_change_nothing_and_stay_out_of_fields(
    agent: Page, site: Site, watch: BrowserLog
) -> None:
    agent.goto(LIST)
    site.open_order()
    agent.keyboard.press("c")
    agent.keyboard.press("e")
    expect(agent.locator("#dialog")).to_be_hidden()
    agent.get_by_label("Go to page").focus()
    agent.keyboard.press("?")
    expect(agent.locator("#shortcuts")).to_be_hidden()
    agent.locator("h1").click()
    agent.keyboard.press("?")
    expect(agent.locator("#shortcuts")).to_be_visible()
    agent.keyboard.press("Escape")
    expect(agent.locator("#shortcuts")).to_be_hidden()
    assert watch.request_paths("POST") == []


# --- the keyboard -------------------------------------------------------------------------------


def test_single_keys_do_nothing_where_they_are_switched_off(agent: Page) -> None:
    agent.goto("/settings/")
    wanted = agent.get_by_label("Single-key shortcuts")
    wanted.uncheck()
    agent.get_by_role("button", name="Save").click()
    expect(agent.locator("html:not([data-shortcuts])")).to_have_count(1)
    wait_for_keys(agent)
    expect(wanted).not_to_be_checked()
    sheet = agent.locator("#shortcuts")
    agent.keyboard.press("?")
    expect(sheet).to_be_hidden()
    wanted.check()
    agent.get_by_role("button", name="Save").click()
    expect(agent.locator("html[data-shortcuts]")).to_have_count(1)
    wait_for_keys(agent)
    agent.keyboard.press("?")
    expect(sheet).to_be_visible()


# --- a slow Goody -------------------------------------------------------------------------------


def test_a_dialog_opens_at_once_and_keeps_what_was_typed(agent: Page, site: Site) -> None:
    order_id = site.open_order()
    agent.goto(f"/orders/{order_id}/")
    expect(agent.locator("#as-of")).not_to_contain_text("asking Goody")
    site.emulator.set_latency(2.0)
    agent.get_by_role("link", name="Cancel gift…").click()
    submit = in_dialog(agent, "Cancel gift")
    expect(submit).to_be_visible(timeout=1_500)
    expect(submit).to_be_disabled()
    choose_reason(agent)
    agent.get_by_role("textbox", name="Note").fill("typed meanwhile")
    expect(submit).to_be_enabled()
    expect(agent.get_by_role("textbox", name="Note")).to_have_value("typed meanwhile")
    expect(agent.get_by_role("textbox", name="Note")).to_be_focused()
    site.emulator.set_latency(0)
    submit.click()
    expect(agent.locator("#order-detail")).to_have_attribute("data-status", "failed")


def test_a_read_that_ends_after_its_dialog_changes_nothing(agent: Page, site: Site) -> None:
    order_id = site.open_order()
    agent.goto(f"/orders/{order_id}/")
    expect(agent.locator("#as-of")).not_to_contain_text("asking Goody")
    site.emulator.change_order(order_id, status="accepted")
    site.emulator.set_latency(1.0)
    with agent.expect_response(lambda one: "read=" in one.url):
        agent.get_by_role("link", name="Cancel gift…").click()
        expect(in_dialog(agent, "Cancel gift")).to_be_disabled()
        in_dialog(agent, "Keep gift").click()
        expect(agent.locator("#dialog")).to_be_hidden()
    agent.wait_for_timeout(300)
    expect(agent.locator("#dialog")).to_be_hidden()
    expect(agent.locator("#dialog-body")).to_be_empty()


# --- at once ------------------------------------------------------------------------------------

# The dialog must be open in the task of the click: a timer would run after it.
_OPEN_AFTER_CLICK = """link => {
  link.click();
  const dialog = document.getElementById("dialog");
  const [title, bone] = [dialog.querySelector("h2"), dialog.querySelector(".bone")];
  return [dialog.open, title.textContent, bone !== null];
}"""


def test_a_click_opens_a_skeleton_and_marks_its_row(agent: Page, site: Site) -> None:
    order_id = site.open_order("Ines", recipient_last_name="Moreau")
    agent.goto(LIST)
    link = row_action(agent, order_id, "e")
    wait_for_keys(agent)
    opened = link.evaluate(_OPEN_AFTER_CLICK)
    assert opened == [True, "Extend the gift for Ines Moreau", True]
    expect(chip(agent, "+14").locator("input")).to_be_focused()
    expect(agent.locator(".bone")).to_have_count(0)
    expect(link).to_have_attribute("data-asked", "")
    agent.keyboard.press("Escape")
    expect(link).not_to_have_attribute("data-asked", "")
    expect(link).to_be_focused()


def test_a_dialog_that_was_closed_while_it_loaded_stays_closed(agent: Page, site: Site) -> None:
    """The dialog that was opened since is not replaced by the first one's late answer."""
    first, second = site.open_order("Late"), site.open_order("Next")
    agent.goto(LIST)
    wait_for_keys(agent)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    agent.route(f"**/{first}/cancel/**", hold)
    row_action(agent, first, "c").click()
    expect(agent.locator("#dialog[open] [data-skeleton]")).to_be_visible()
    in_dialog(agent, "Close").click()
    expect(row_action(agent, first, "c")).to_be_focused()
    row_action(agent, second, "c").click()
    expect(in_dialog(agent, "Keep gift")).to_be_focused()
    with agent.expect_response(f"**/{first}/cancel/**"):
        held[0].continue_()
    expect(agent.locator("#dialog-title")).to_contain_text("Next")
    agent.keyboard.press("Escape")
    expect(agent.locator("#dialog")).to_be_hidden()


def test_a_session_that_has_ended_leads_to_the_login_while_nothing_is_typed(
    agent: Page, site: Site, watch: BrowserLog
) -> None:
    watch.expected.add(401)
    order_id = site.open_order()
    agent.goto(LIST)
    site.end_session(agent.context)
    row_action(agent, order_id, "c").click()
    expect(agent).to_have_url(re.compile("/login/"))


# --- typed dates --------------------------------------------------------------------------------

# The dashboard's zone in conftest.py.
ZONE = ZoneInfo("America/New_York")


def local(at: datetime) -> datetime:
    return at.astimezone(ZONE)


def test_a_typed_date_is_shown_and_named_on_the_button(agent: Page, site: Site) -> None:
    order_id = site.open_order()
    agent.goto(LIST)
    row_action(agent, order_id, "e").click()
    expect(submit_button(agent)).to_be_enabled()
    typed, result = agent.locator("#id_expiration_custom"), agent.locator("#dialog .result")
    day = local(site.expiry(order_id)) + timedelta(days=20)
    typed.fill(f"{day:%b} {day.day}, {day.year} 6:30 pm")
    expect(result).to_contain_text(f"{day:%a} {day.day} {day:%b %Y}, 18:30")
    expect(submit_button(agent)).to_contain_text(f"Extend to {day.day} {day:%b}")
    expect(agent.locator(".chip input:checked")).to_have_count(0)
    expect(result.locator("p:visible")).to_have_count(1)

    typed.fill("not a date")
    expect(result).to_contain_text("This is not a date that can be read")
    expect(agent.get_by_role("button", name="Extend", exact=True)).to_be_visible()

    chip(agent, "+7").click()
    expect(typed).to_have_value("")
    week = local(site.expiry(order_id)) + timedelta(days=7)
    expect(submit_button(agent)).to_contain_text(f"Extend to {week.day} {week:%b}")
    expect(result.locator("p:visible")).to_have_count(1)

    typed.fill(f"{day:%b} {day.day}, {day.year} 6:30 pm")
    expect(result).to_contain_text("18:30")
    agent.keyboard.press("Enter")
    expect(agent.locator(".toast")).to_contain_text("Expiration changed")
    wanted = datetime(day.year, day.month, day.day, 18, 30, tzinfo=ZONE)
    assert site.expiry(order_id) == wanted


def test_the_calendar_fills_the_field(agent: Page, site: Site) -> None:
    order_id = site.open_order()
    agent.goto(LIST)
    row_action(agent, order_id, "e").click()
    expect(submit_button(agent)).to_be_enabled()
    day = local(site.expiry(order_id)).date() + timedelta(days=20)
    expect(agent.get_by_role("button", name="Pick a date")).to_be_visible()
    agent.locator("[name=expiration_day]").evaluate(
        """(it, day) => {
          it.value = day;
          it.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        day.isoformat(),
    )
    expect(agent.locator("#id_expiration_custom")).to_have_value(day.isoformat())
    expect(submit_button(agent)).to_contain_text(f"Extend to {day.day} {day:%b}")
    submit_button(agent).click()
    expect(agent.locator(".toast")).to_contain_text("Expiration changed")
    assert local(site.expiry(order_id)).date() == day


def test_an_extension_by_two_weeks_takes_two_keys(agent: Page, site: Site) -> None:
    order_id = site.open_order()
    before = site.expiry(order_id)
    agent.goto(f"/orders/{order_id}/")
    wait_for_keys(agent)
    agent.keyboard.press("e")
    expect(submit_button(agent)).to_be_enabled()
    agent.keyboard.press("Enter")
    expect(agent.locator(".toast")).to_contain_text("Expiration changed")
    assert site.expiry(order_id) == before + timedelta(days=14)


# --- undo ---------------------------------------------------------------------------------------


def test_a_refused_undo_opens_the_dialog_with_the_reason(agent: Page, site: Site) -> None:
    order_id = site.open_order()
    open_from_row(agent, order_id, "e")
    expect(submit_button(agent)).to_be_enabled()
    submit_button(agent).click()
    undo = agent.locator(".toast").get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    site.emulator.change_order(order_id, status="accepted")
    undo.click()
    expect(agent.locator("#dialog[open] .banner")).to_contain_text("The recipient accepted it")
    expect(agent.locator("#dialog .banner")).to_contain_text("Nothing was sent")
    assert site.writes(order_id) == ["update_expiration"]
    in_dialog(agent, "Close").click()
    expect(row(agent, order_id)).to_have_attribute("data-status", "accepted")
