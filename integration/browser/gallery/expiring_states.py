"""The states of the page of expiring gifts."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.utils import timezone
from playwright.sync_api import Page

from integration.browser.site import Site

from .list_states import IMPORT
from .states import States, Visit, in_turn, path, state


def _gifts(site: Site, _: Page) -> None:
    """Gifts on three days before and three after now, some of them without an amount."""
    for days in (-9, -2, -1, 1, 2, 6):
        at = f"{timezone.now() + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
        for amounts in (None, {"amount_pre_tax_total": 4400}):
            sender = {"first_name": "Zoë", "last_name": "long" * 20, "email": "zoe@sender.test"}
            site.known_order("Soon", expires_at=at, amounts=amounts, sender=sender)


def _many(site: Site, _: Page) -> None:
    """More senders and workspaces than are shown, and an order that is in no figure."""
    for number in range(24):
        at = f"{timezone.now() + timedelta(days=1 + number % 9):%Y-%m-%dT%H:%M:%SZ}"
        name, email = f"Sender {number}", f"s{number}@sender.test"
        sender = {"first_name": name, "last_name": "", "email": email}
        workspace = {"workspace_id": str(uuid4()), "workspace_name": f"Team {number}"}
        site.known_order("Many", expires_at=at, sender=sender, **workspace)
    site.known_order("Frozen", status="frozen")


def _expiring(address: str) -> Visit:
    return in_turn(_gifts, path(address))


def _empty(site: Site, page: Page) -> None:
    site.empty_index()
    page.goto("/expiring/")


EXPIRING: States = {
    "coming": state(_expiring("/expiring/"), role="lead"),
    "expired": state(_expiring("/expiring/?expires=expired")),
    "many groups": state(in_turn(_many, path("/expiring/?expires=14d")), role="lead"),
    "without the right to extend": state(path("/expiring/"), role="viewer"),
    "empty": state(_empty),
    "nothing imported yet": state(path("/expiring/"), sync=None),
    "first import": state(path("/expiring/"), sync=IMPORT),
}
