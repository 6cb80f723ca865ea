"""A page in one state, and the helpers with which the table describes how to get there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from integration.browser.moves import wait_for_keys
from integration.browser.site import Site
from orders.models import Operation, SyncState
from testing.list_pages import complete_sync
from testing.users import make_user

type Visit = Callable[[Site, Page], object]
type States = Mapping[str, State]

# The full sync is complete and nothing is wrong.
COMPLETE: Mapping[str, Any] = {}


@dataclass(frozen=True, kw_only=True)
class State:
    """One state of a page.

    `visit` brings the page into the state. `role` is the role of the person, None without a login,
    "" for a person without a role; `username` is empty for the
    usual person with that role, whose settings are `profile`. `statuses` are the error statuses
    that the browser may report, `texts` other expected errors. `sync` are the fields of the sync
    state that differ from a complete sync; None if nothing was ever imported. `is_settled` is false
    if a request stays open.
    """

    visit: Visit
    role: str | None = "agent"
    username: str = ""
    profile: Mapping[str, Any] = field(default_factory=dict)
    statuses: frozenset[int] = frozenset()
    texts: frozenset[str] = frozenset()
    sync: Mapping[str, Any] | None = field(default_factory=dict)
    is_settled: bool = True

    def open(self, site: Site, page: Page) -> None:
        """Log in and visit, without open writes. The browser has visited the site before."""
        long_ago = timezone.now() - timedelta(days=1)
        Operation.objects.open().update(state="not_applied", closed_at=long_ago, due_at=None)
        SyncState.objects.all().delete()
        if self.sync is not None:
            complete_sync(timezone.now(), **self.sync)
        site.fill_index()
        if self.role is not None:
            site.log_in(page.context, self.person(), **self.profile)
        page.context.add_cookies([{"name": "script", "value": "on", "url": site.url}])
        self.visit(site, page)

    def person(self) -> User:
        return make_user(self.role or "", self.username)


def state(visit: Visit, *, status: int = 0, **fields: Any) -> State:
    """Return the state. `status` is the error status of a page that has one."""
    return State(visit=visit, statuses=frozenset({status} if status else ()), **fields)


# --- visits -------------------------------------------------------------------------------------


def path(address: str) -> Visit:
    return lambda _, page: page.goto(address)


def in_turn(*visits: Visit) -> Visit:
    def visit(site: Site, page: Page) -> None:
        for one in visits:
            one(site, page)

    return visit


def click(selector: str, shows: str) -> Visit:
    """Click the first element, and wait until another one is visible."""

    def visit(_: Site, page: Page) -> None:
        wait_for_keys(page)
        page.locator(selector).first.click()
        expect(page.locator(shows).first).to_be_visible()

    return visit


def keys(*pressed: str, shows: str) -> Visit:
    """Press keys, and wait until an element is visible."""

    def visit(_: Site, page: Page) -> None:
        wait_for_keys(page)
        for key in pressed:
            page.keyboard.press(key)
        expect(page.locator(shows).first).to_be_visible()

    return visit


def shows(selector: str, text: str = "") -> Visit:
    """Wait until the page shows what the state is about."""

    def visit(_: Site, page: Page) -> None:
        expect(page.locator(selector).first).to_contain_text(text)

    return visit


def fault(kind: str, *, times: int | None = None, **options: Any) -> Visit:
    """Goody's next answers have this fault (see the emulator's README)."""
    return lambda site, _: site.emulator.add_fault({"kind": kind, **options}, times=times)


def hold(pattern: str) -> Visit:
    """Requests to these URLs stay without an answer, as on a network that fails."""

    def keep(route: Route) -> None:
        """Neither continue nor abort the request."""

    return lambda _, page: page.route(pattern, keep)


def answer_with(pattern: str, **answer: Any) -> Visit:
    """Requests to these URLs get an answer that is not the dashboard's."""
    return lambda _, page: page.route(pattern, lambda route: route.fulfill(**answer))


def hours_ago(hours: float) -> Any:
    return timezone.now() - timedelta(hours=hours)
