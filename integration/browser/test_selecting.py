"""Selecting orders in a list, and confirming a bulk action: by mouse, by keys, without script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, Route, expect

from orders.models import Job, JobItem, Order, Selection, SyncState
from testing.browser import BrowserLog
from testing.list_pages import complete_sync
from testing.users import make_user

from .moves import wait_for_keys
from .site import Site

type Become = Callable[..., Page]


@pytest.fixture(autouse=True)
def _complete(site: Site) -> Iterator[None]:
    complete_sync(timezone.now())
    yield
    JobItem.objects.all().delete()
    Selection.objects.all().delete()
    SyncState.objects.all().delete()


@pytest.fixture
def batch(site: Site) -> str:
    """The list of a batch of 30 open orders."""
    batch = str(uuid4())
    site.emulator.create_orders(count=30, status="notified", order_batch_id=batch)
    site.fill_index()
    return f"/orders/?batch={batch}&per_page=25"


@pytest.fixture
def lead(as_person: Become) -> Page:
    return as_person("lead")


def boxes(page: Page) -> Locator:
    return page.locator('#selection [name="order"]')


def checked(page: Page) -> list[int]:
    return [at for at, box in enumerate(boxes(page).all()) if box.is_checked()]


def test_a_range_the_page_and_all_that_match(lead: Page, batch: str) -> None:
    lead.goto(batch)
    wait_for_keys(lead)
    actions = lead.locator(".bulk-bar__actions")
    expect(actions).to_be_hidden()

    boxes(lead).nth(2).click()
    boxes(lead).nth(5).click(modifiers=["Shift"])
    assert checked(lead) == [2, 3, 4, 5]
    expect(lead.locator("#live")).to_have_text("4 selected")
    expect(actions).to_be_visible()
    everything = lead.get_by_label("Select all 30 that match")
    expect(everything).to_be_hidden()

    lead.get_by_role("checkbox", name="Select this page").click()
    assert len(checked(lead)) == 25
    everything.check()
    expect(lead.locator("#live")).to_have_text("All that match selected")
    boxes(lead).nth(0).click()
    expect(everything).not_to_be_checked()

    lead.get_by_role("link", name="Clear").click()
    assert checked(lead) == []
    expect(lead).to_have_url(batch)


def test_extend_all_that_match_by_mouse(lead: Page, batch: str) -> None:
    lead.goto(batch)
    wait_for_keys(lead)
    lead.get_by_role("checkbox", name="Select this page").click()
    lead.get_by_label("Select all 30 that match").check()
    lead.get_by_role("button", name="Extend…").click()

    expect(lead.get_by_role("heading", name="30 gifts will be extended")).to_be_visible()
    lead.get_by_label("Reason").fill("Holidays")
    held: list[Route] = []
    lead.route(re.compile("expiration=%2B30"), lambda one: held.append(one))  # noqa: PLW0108 - a method has no dict
    lead.get_by_label("+30 days").check()
    # Nothing can be started while its preview is on the way.
    expect(lead.get_by_role("button", name="Extend 30 gifts by 14 days")).to_be_disabled()
    held[0].continue_()
    expect(lead.get_by_role("button", name="Extend 30 gifts by 30 days")).to_be_enabled()
    expect(lead.get_by_label("Reason")).to_have_value("Holidays")
    lead.get_by_label("Or one date for all").press_sequentially("in 60 days")
    lead.get_by_role("button", name="Extend 30 gifts to").click()

    lead.wait_for_url("**/jobs/**")
    job = Job.objects.latest("number")
    assert (job.total, job.actor_name, job.params["note"]) == (30, "Lead", "Holidays")
    assert job.params["rule"].startswith("all to")


def test_cancel_some_by_keys_alone(lead: Page, batch: str) -> None:
    lead.goto(batch)
    wait_for_keys(lead)
    for key in ("j", "x", "j", "j", "x"):
        lead.keyboard.press(key)
    assert checked(lead) == [0, 2]
    # The keys work from a box too.
    boxes(lead).nth(3).focus()
    lead.keyboard.press("x")
    lead.keyboard.press("Space")
    lead.keyboard.press("j")
    lead.keyboard.press("x")
    assert checked(lead) == [0, 2, 4]

    lead.keyboard.press("c")
    expect(lead.get_by_role("heading", name="3 gifts will be canceled")).to_be_visible()
    lead.get_by_label("Duplicate gift").focus()
    lead.keyboard.press("Space")
    lead.get_by_label("Ticket").focus()
    lead.keyboard.press("Enter")

    lead.wait_for_url("**/jobs/**")
    assert (Job.objects.latest("number").total, Job.objects.latest("number").action) == (
        3,
        "order.cancel",
    )


def test_what_was_typed_stays_while_the_preview_is_read_and_refused(
    lead: Page, watch: BrowserLog, batch: str
) -> None:
    watch.expected.add(422)
    lead.goto(f"{batch}&checked=page")
    lead.get_by_role("button", name="Cancel gifts…").click()
    lead.get_by_label("Other", exact=True).check()
    lead.get_by_label("Note").fill("A recall")
    lead.get_by_label("Ticket").fill("ZD-1")
    lead.get_by_label("Type 25 to confirm").fill("24")
    shown = lead.get_by_role("navigation", name="Selected orders")
    shown.get_by_role("link", name="Will not").click()
    expect(shown.locator("[aria-current]")).to_have_text(re.compile("^Will not"))
    for _ in range(2):
        expect(lead.get_by_label("Other", exact=True)).to_be_checked()
        expect(lead.get_by_label("Note")).to_have_value("A recall")
        expect(lead.get_by_label("Ticket")).to_have_value("ZD-1")
        expect(lead.get_by_label("Type 25 to confirm")).to_have_value("24")
        lead.get_by_role("button", name="Cancel 25 gifts").click()
        expect(lead.get_by_text("Type the number of gifts: 25.")).to_be_visible()


def test_extend_and_cancel_without_javascript(
    without_javascript: Page, site: Site, batch: str
) -> None:
    page = without_javascript
    site.log_in(page.context, make_user("lead"))
    page.goto(batch)
    page.get_by_role("link", name="Select this page").click()
    assert len(checked(page)) == 25
    page.get_by_label("Select all 30 that match").check()
    page.get_by_role("button", name="Extend…").click()

    page.get_by_label("Or one date for all").fill("in 40 weeks")
    page.get_by_role("button", name="Show these dates").click()
    expect(page.locator("#plan-date")).to_contain_text("counted from today")
    page.get_by_role("button", name="Extend 30 gifts").click()
    page.wait_for_url("**/jobs/**")
    job = Job.objects.latest("number")
    assert (job.total, job.params["rule"].startswith("all to ")) == (30, True)

    page.goto(batch)
    boxes(page).nth(0).check()
    page.get_by_role("button", name="Cancel gifts…").click()
    expect(page.get_by_text(f"Part of job {job.number}, which has not ended.")).to_be_visible()
    expect(page.get_by_text(f"Left out: in job {job.number}")).to_be_visible()
    expect(page.get_by_text("There is nothing to confirm.")).to_be_visible()


def test_a_choice_that_was_not_shown_is_not_started(
    without_javascript: Page, site: Site, watch: BrowserLog, batch: str
) -> None:
    """The order was accepted while the person looked at the preview."""
    page = without_javascript
    watch.expected.add(422)
    site.log_in(page.context, make_user("lead"))
    page.goto(batch)
    boxes(page).nth(0).check()
    boxes(page).nth(1).check()
    order_id = boxes(page).nth(0).get_attribute("value")
    page.get_by_role("button", name="Extend…").click()
    Order.objects.filter(uuid=order_id).update(status="accepted", content_hash="")
    count = Job.objects.count()
    page.get_by_role("button", name="Extend 2 gifts").click()

    expect(page.get_by_text("What would be done has changed")).to_be_visible()
    expect(page.get_by_role("button", name="Extend 1 gift")).to_be_visible()
    assert Job.objects.count() == count
