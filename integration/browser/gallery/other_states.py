"""The states of the audit, the system and setup pages, of accounts, and of errors."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.utils import timezone
from playwright.sync_api import Page, expect

from integration.browser.site import Site
from orders.models import Heartbeat, Operation
from testing.users import make_user

from .list_states import IMPORT
from .states import States, Visit, click, hours_ago, in_turn, path, shows, state

# --- audit, system, setup -----------------------------------------------------------------------


def _audit(site: Site, page: Page) -> None:
    for outcome in ("applied", "refused", "unknown"):
        site.operation(
            site.known_order(),
            state=outcome,
            note="غدا <b>x</b>\n" + "long " * 60,
            ticket="https://tickets.example/" + "1" * 80,
            lease_until=timezone.now(),
            closed_at=None if outcome == "unknown" else timezone.now(),
        )
    page.goto("/audit/")
    expect(page.locator("tbody tr").first).to_be_visible()


AUDIT: States = {
    "entries": state(_audit, role="lead"),
    "own entries": state(_audit),
    "empty": state(path("/audit/"), username="new-agent"),
    "no match": state(path("/audit/?order=nothing"), role="lead"),
    "filter open": state(
        in_turn(path("/audit/?action=order.cancel"), click("summary:text('When')", "#id_after")),
        role="lead",
    ),
    "right missing": state(path("/audit/"), role="viewer", status=403),
}


def _worker(*, is_alive: bool) -> Visit:
    """A worker that reported just now, or none."""

    def visit(*_: Any) -> None:
        Heartbeat.objects.all().delete()
        if is_alive:
            now = timezone.now()
            Heartbeat.objects.create(worker="host:1", role="settling", started_at=now, beat_at=now)

    return visit


def _rejected_key(site: Site, page: Page) -> None:
    site.emulator.add_fault({"kind": "status", "status": 401}, times=1)
    page.request.get("/orders/00000000-0000-4000-8000-000000000001/")


def _checked_key(_: Site, page: Page) -> None:
    page.goto("/system/")
    page.get_by_role("button", name="Check the key").click()
    expect(page.locator("#connection")).to_contain_text("The key works.")


SYSTEM: States = {
    "everything works": state(in_turn(_worker(is_alive=True), path("/system/")), role="admin"),
    "key checked": state(_checked_key, role="admin"),
    "key rejected": state(in_turn(_rejected_key, path("/system/")), role="admin"),
    "no worker": state(in_turn(_worker(is_alive=False), path("/system/")), role="admin"),
    "sync stopped": state(
        path("/system/"),
        role="admin",
        sync={"suspicion": "3,000 of 5,000 orders are not listed any more."},
    ),
    "Goody down": state(
        path("/system/"),
        role="admin",
        sync={"problem": "Goody does not answer (status 500)", "failing_since": hours_ago(1)},
    ),
    "first import": state(path("/system/"), role="admin", sync=IMPORT),
    "right missing": state(path("/system/"), status=403),
}

SETUP: States = {
    "importing": state(in_turn(_worker(is_alive=True), path("/setup/")), role="admin", sync=IMPORT),
    "first steps": state(
        in_turn(_worker(is_alive=False), path("/setup/")), role="admin", sync=None
    ),
    "no worker while importing": state(
        in_turn(_worker(is_alive=False), path("/setup/")), role="admin", sync=IMPORT
    ),
    "key rejected": state(
        in_turn(_worker(is_alive=True), _rejected_key, path("/setup/")), role="admin", sync=IMPORT
    ),
    "Goody down": state(
        in_turn(_worker(is_alive=True), path("/setup/")),
        role="admin",
        sync={**IMPORT, "problem": "Goody does not answer", "failing_since": hours_ago(1)},
    ),
    "done": state(in_turn(_worker(is_alive=True), path("/setup/")), role="admin"),
    "importing, for an agent": state(in_turn(_worker(is_alive=True), path("/setup/")), sync=IMPORT),
    "no worker, for an agent": state(in_turn(_worker(is_alive=False), path("/setup/")), sync=None),
}

# --- accounts -----------------------------------------------------------------------------------


def _log_in(name: str, password: str) -> Visit:
    def visit(_: Site, page: Page) -> None:
        page.goto("/login/")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()

    return visit


def _sent_without_a_session(site: Site, page: Page) -> None:
    site.log_in(page.context, make_user("agent"))
    page.goto("/settings/")
    site.end_session(page.context)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".banner")).to_contain_text("Nothing was sent.")


def _saved_settings(_: Site, page: Page) -> None:
    page.goto("/settings/")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_have_text("Settings saved")


def _password_errors(_: Site, page: Page) -> None:
    page.goto("/password/")
    for field in page.locator("main input[type=password]").all():
        field.fill("short")
    page.locator("main button[type=submit]").click()
    expect(page.locator(".form-errors, .field__error").first).to_be_visible()


LOGIN: States = {
    "form": state(path("/login/?next=/orders/"), role=None),
    "wrong password": state(
        in_turn(_log_in(f"nobody-{uuid4().hex[:6]}", "wrong"), shows(".form-errors")),
        role=None,
        status=422,
    ),
    "after a form": state(_sent_without_a_session, role=None),
}

SETTINGS: States = {
    "form": state(path("/settings/")),
    "saved": state(_saved_settings),
    "menu": state(
        in_turn(
            path("/settings/"),
            click(".topbar__end > summary", ".topbar__end .menu__items"),
        )
    ),
    "without a role": state(path("/settings/"), role=""),
    "password": state(path("/password/")),
    "password refused": state(_password_errors, status=422),
}

# --- errors -------------------------------------------------------------------------------------


def _bug(site: Site, page: Page) -> None:
    """A page that fails with 500, by a row that the code never writes."""
    order_id = site.known_order()
    broken = Operation.objects.filter(pk=site.operation(order_id, state="applied").pk)
    broken.update(state="nonsense")
    try:
        page.goto(f"/orders/{order_id}/operations/{broken.get().pk}/")
        expect(page.locator("h1")).to_have_text("Something went wrong here")
    finally:
        broken.update(state="applied")


def _untrusted_form(_: Site, page: Page) -> None:
    page.goto("/settings/")
    page.context.clear_cookies(name="csrftoken")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("This form could not be trusted")


ERRORS: States = {
    "403": state(path("/system/"), status=403),
    "403, untrusted form": state(_untrusted_form, status=403),
    "404": state(path("/nothing/here/"), status=404),
    "405": state(path("/system/sync/"), role="admin", status=405),
    "500": state(_bug, status=500),
}
