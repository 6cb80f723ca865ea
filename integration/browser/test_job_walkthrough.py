"""Many gifts at once: select all that match, preview, start, stop, run the rest, retry what failed,
undo. By mouse, by keyboard alone, and without JavaScript. And two people: one asks, the other
approves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from orders.models import Job, JobItem, Selection, SyncState
from testing.browser import BrowserLog
from testing.domain import goody_time, in_days
from testing.list_pages import complete_sync
from testing.processes import wait_for
from testing.users import make_user

from .gallery.checks import WATCH_SHIFTS
from .moves import assert_whole_page, tab_to, wait_for_keys
from .site import Site, moment

_GIFTS = 8
# Seconds a call, so that the job can be stopped in between: a page polls every two seconds.
_LATENCY = 0.35
# Some have been extended, and some are left.
_IN_BETWEEN = re.compile("[2-5] of 8")


@pytest.fixture(autouse=True)
def _complete(site: Site) -> Iterator[None]:
    complete_sync(timezone.now())
    yield
    site.end_worker()
    site.emulator.set_latency(0)
    JobItem.objects.all().delete()
    Selection.objects.all().delete()
    SyncState.objects.all().delete()


class Walkthrough:
    """A batch of open gifts, and assertions on Goody's state after each step."""

    def __init__(self, site: Site) -> None:
        self.site, self.batch = site, str(uuid4())
        self.expiry = in_days(5)
        created = site.emulator.create_orders(
            count=_GIFTS,
            status="notified",
            order_batch_id=self.batch,
            expires_at=goody_time(self.expiry),
        )
        self.ids = [one["id"] for one in created]
        site.fill_index()
        self.url = f"/orders/?batch={self.batch}"
        # The first gift is refused once.
        refusal = {"kind": "status", "status": 422}
        site.emulator.add_fault(refusal, method="POST", path="/v1/orders/.*", times=1)
        site.emulator.set_latency(_LATENCY)
        site.start_worker()

    def expiries(self) -> Counter[datetime]:
        return Counter(moment(self.site.emulator.get_order(one)["expires_at"]) for one in self.ids)

    def assert_stopped(self) -> int:
        """Assert that one gift failed, some were extended and some not run; return the latter."""
        job = Job.objects.latest("number")
        counts = job.items.counts()
        assert (counts.total, counts.failed) == (_GIFTS, 1)
        assert counts.done + counts.not_run == _GIFTS - 1
        assert counts.not_run
        self.site.emulator.set_latency(0)
        return counts.not_run

    def assert_extended(self) -> None:
        assert self.expiries() == {self.expiry + timedelta(days=14): _GIFTS}
        assert self.site.emulator.posts() == _GIFTS + 1

    def assert_undone(self, *, gifts: int) -> None:
        extended = self.expiry + timedelta(days=14)
        assert self.expiries() == +Counter({self.expiry: gifts, extended: _GIFTS - gifts})
        assert self.site.emulator.posts() == _GIFTS + 1 + gifts


@pytest.fixture
def walkthrough(site: Site) -> Walkthrough:
    return Walkthrough(site)


@pytest.fixture
def lead(as_person: Callable[..., Page]) -> Page:
    return as_person("lead")


def expect_state(page: Page, word: str) -> None:
    """Wait until the job has this state."""
    badge = page.locator(".job-head .badge")
    expect(badge).to_have_text(re.compile(f"^{word}"), timeout=15_000)


def reload_until(page: Page, words: str | re.Pattern[str]) -> None:
    """Reload a page without a script until the job is shown with these words."""

    def is_there() -> bool:
        page.reload()
        return re.search(words, page.locator("#job").inner_text()) is not None

    wait_for(is_there, what=f"{words} in the page of the job")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=re.compile(f"^{name}"))


def submit(page: Page, name: str) -> None:
    """Press a button of a page without a script and wait for the next page."""
    with page.expect_navigation():
        button(page, name).click()


def count_of(page: Page, outcome: str) -> Locator:
    tabs = page.get_by_role("navigation", name="Outcome")
    return tabs.get_by_role("link", name=re.compile(f"^{outcome}")).locator(".count")


def parent_of(page: Page) -> Locator:
    """Return the link to the job of which this one runs a part again."""
    return page.locator(".job-facts").get_by_role("link", name=re.compile("^Job "))


def test_by_mouse(lead: Page, walkthrough: Walkthrough) -> None:
    page = lead
    page.goto(walkthrough.url)
    wait_for_keys(page)
    page.get_by_role("checkbox", name="Select this page").click()
    page.get_by_role("button", name="Extend…").click()
    button(page, f"Extend {_GIFTS} gifts").click()
    expect_state(page, "Running")
    expect(page.locator(".job-progress")).to_contain_text(_IN_BETWEEN, timeout=15_000)
    button(page, "Stop").click()
    expect_state(page, "Stopped")
    expect(count_of(page, "To do")).to_have_text("0", timeout=10_000)
    first, rest = page.url, walkthrough.assert_stopped()
    expect(count_of(page, "Not run")).to_have_text(str(rest))

    button(page, "Run the rest").click()
    expect(page).not_to_have_url(first)
    page.evaluate(WATCH_SHIFTS)
    expect_state(page, "Finished")
    assert page.evaluate("takeShifts()") == []
    parent_of(page).click()
    expect(page).to_have_url(first)
    button(page, "Retry failed only").click()
    expect_state(page, "Finished")
    expect(count_of(page, "Done")).to_have_text("1")
    walkthrough.assert_extended()

    parent_of(page).click()
    done = int(count_of(page, "Done").inner_text())
    button(page, "Undo").click()
    button(page, f"Set back {done} gift").click()
    expect_state(page, "Finished")
    walkthrough.assert_undone(gifts=done)


def test_by_keyboard_alone(lead: Page, walkthrough: Walkthrough) -> None:
    page, press = lead, lead.keyboard.press

    def push(name: str) -> None:
        tab_to(page, button(page, name), within=80)
        press("Enter")

    page.goto(walkthrough.url)
    wait_for_keys(page)
    for _ in range(_GIFTS):
        press("j")
        press("x")
    push("Extend…")
    expect(page.get_by_role("heading", name=f"{_GIFTS} gifts will be extended")).to_be_visible()
    push(f"Extend {_GIFTS} gifts")
    expect(page.locator(".job-progress")).to_contain_text(_IN_BETWEEN, timeout=15_000)
    # The polls keep the focus.
    push("Stop")
    expect_state(page, "Stopped")
    expect(count_of(page, "To do")).to_have_text("0", timeout=10_000)
    walkthrough.assert_stopped()

    push("Run the rest")
    expect_state(page, "Finished")
    tab_to(page, parent_of(page))
    press("Enter")
    expect_state(page, "Stopped")
    push("Retry failed only")
    expect_state(page, "Finished")
    walkthrough.assert_extended()

    tab_to(page, parent_of(page))
    press("Enter")
    expect_state(page, "Stopped")
    done = int(count_of(page, "Done").inner_text())
    push("Undo")
    expect(page.get_by_role("heading", name="will have the former expiration")).to_be_visible()
    push(f"Set back {done} gift")
    expect_state(page, "Finished")
    walkthrough.assert_undone(gifts=done)


def test_without_javascript(without_javascript: Page, site: Site, walkthrough: Walkthrough) -> None:
    page = without_javascript
    site.log_in(page.context, make_user("lead"))
    page.goto(walkthrough.url)
    page.get_by_role("link", name="Select this page").click()
    page.get_by_role("button", name="Extend…").click()
    submit(page, f"Extend {_GIFTS} gifts")
    assert_whole_page(page, r"Job \d+: \d of 8")
    reload_until(page, _IN_BETWEEN)
    submit(page, "Stop")
    reload_until(page, "Run the rest")
    first = page.url
    walkthrough.assert_stopped()

    submit(page, "Run the rest")
    reload_until(page, "Finished")
    parent_of(page).click()
    expect(page).to_have_url(first)
    submit(page, "Retry failed only")
    reload_until(page, "Finished")
    walkthrough.assert_extended()

    parent_of(page).click()
    done = int(count_of(page, "Done").inner_text())
    submit(page, "Undo")
    submit(page, f"Set back {done} gift")
    reload_until(page, "Finished")
    walkthrough.assert_undone(gifts=done)


def test_one_person_asks_and_another_approves(
    as_person: Callable[..., Page], site: Site, watch: BrowserLog
) -> None:
    """Before the grace period is over the approved job is stopped: nothing has been sent."""
    page, batch = as_person("lead", "lena"), str(uuid4())
    site.emulator.create_orders(count=101, status="notified", order_batch_id=batch)
    site.fill_index()
    page.goto(f"/orders/?batch={batch}&per_page=100")
    wait_for_keys(page)
    page.get_by_role("checkbox", name="Select this page").click()
    page.get_by_label("Select all 101 that match").check()
    page.get_by_role("button", name="Cancel gifts…").click()
    page.get_by_label("Duplicate gift").check()
    page.get_by_label("Type 101 to confirm").fill("101")
    button(page, "Ask to cancel 101 gifts").click()
    expect_state(page, "Waiting for approval")
    address = page.url
    expect(page.locator(".banner")).to_contain_text("You cannot approve it yourself")
    expect(button(page, "Approve")).to_have_count(0)
    expect(page.get_by_role("link", name="Approvals")).to_have_count(0)

    as_person("lead", "lee")
    page.goto("/orders/")
    page.get_by_role("link", name="Approvals").click()
    page.get_by_role("link", name="Cancel 101 gifts").click()
    expect(page).to_have_url(address)
    expect(page.locator(".banner")).to_contain_text("It cancels exactly the 101 gifts below")
    button(page, "Approve: cancel 101 gifts").click()
    expect_state(page, "Starting")
    expect(page.locator(".job-facts")).to_contain_text("Lee")

    # The person who asked sees it on every page.
    as_person("lead", "lena")
    page.goto("/settings/")
    expect(page.locator("#job-status")).to_contain_text("0 %")
    expect(page).to_have_title(re.compile(r"^\(0 %\) "))
    page.locator("#job-status a").click()
    expect(page.locator(".job-note")).to_contain_text("Nothing has been sent to Goody.")
    button(page, "Stop").click()
    expect(page.locator(".banner")).to_contain_text("No gift was changed.")
    assert site.emulator.posts() == 0
