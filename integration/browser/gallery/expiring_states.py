"""The states of the page of expiring gifts."""

from __future__ import annotations

from datetime import timedelta

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


def _expiring(address: str) -> Visit:
    return in_turn(_gifts, path(address))


def _empty(site: Site, page: Page) -> None:
    site.empty_index()
    page.goto("/expiring/")


EXPIRING: States = {
    "coming": state(_expiring("/expiring/"), role="lead"),
    "expired": state(_expiring("/expiring/?days=expired")),
    "right missing": state(path("/expiring/"), role="viewer"),
    "empty": state(_empty),
    "nothing imported yet": state(path("/expiring/"), sync=None),
    "first import": state(path("/expiring/"), sync=IMPORT),
}
