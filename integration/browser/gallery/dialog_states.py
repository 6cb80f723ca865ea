"""The states of the dialogs, of their pages and of the toast after a write."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from playwright.sync_api import Page, expect

from integration.browser.moves import chip, in_dialog, submit_button, wait_for_keys
from integration.browser.site import Site

from .order_states import LONG, LONG_FIELDS, RIGHT_TO_LEFT
from .states import States, Visit, fault, hold, in_turn, shows, state


def _open(key: str, name: str = "Ada", *, then: Visit | None = None, **fields: Any) -> Visit:
    """Open the dialog of an order's page by its key."""

    def visit(site: Site, page: Page) -> None:
        order_id = site.known_order(name, **fields)
        page.goto(f"/orders/{order_id}/")
        expect(page.locator("#as-of")).not_to_contain_text("asking Goody")
        wait_for_keys(page)
        if then is not None:
            then(site, page)
        page.keyboard.press(key)
        expect(page.locator("#dialog[open]")).to_be_visible()

    return visit


def _ready(key: str, name: str = "Ada", **fields: Any) -> Visit:
    """The dialog after the fresh read of its order."""
    return in_turn(_open(key, name, **fields), shows("#dialog-submit:enabled"))


def _similar(key: str) -> Visit:
    """Another open order has the same recipient and gift."""
    fields = {
        "recipient_email": "twice@example.test",
        "cart": {"items": [{"quantity": 1, "product": {"name": "Tea", "brand": {"name": "Leaf"}}}]},
    }

    def visit(site: Site, page: Page) -> None:
        site.known_order("Twice", **fields)
        _ready(key, "Twice", **fields)(site, page)
        expect(page.locator("#dialog .dialog__warning").first).to_be_visible()

    return visit


def _type_date(text: str, shown: str) -> Visit:
    def visit(site: Site, page: Page) -> None:
        _ready("e")(site, page)
        page.locator("#id_expiration_custom").fill(text)
        page.clock.run_for(300)
        expect(page.locator("#dialog .result")).to_contain_text(shown)
        _forget_shifts(page)

    return visit


def _shorten(site: Site, page: Page) -> None:
    order_id = site.known_order("Sam")
    earlier = (site.expiry(order_id) - timedelta(days=10)).date().isoformat()
    page.goto(f"/orders/{order_id}/")
    wait_for_keys(page)
    page.keyboard.press("e")
    shows("#dialog-submit:enabled")(site, page)
    page.locator("#id_expiration_custom").fill(earlier)
    page.clock.run_for(300)
    expect(page.locator("[name=may_shorten]")).to_be_visible()
    _forget_shifts(page)


def _forget_shifts(page: Page) -> None:
    """Ignore what moved when the typed date was understood.

    The browser attributes a shift to an input for half a second, and `fill` is no input.
    """
    page.evaluate("takeShifts()")


def _errors(key: str) -> Visit:
    def visit(site: Site, page: Page) -> None:
        _ready(key)(site, page)
        if key == "c":
            page.get_by_role("radio", name="Other").check()
        else:
            page.locator("#id_expiration_custom").fill("soon")
        submit_button(page).click()
        expect(page.locator("#dialog .form-errors")).to_be_focused()

    return visit


def _refused(key: str) -> Visit:
    """The recipient accepts while the dialog is open."""

    def visit(site: Site, page: Page) -> None:
        _ready(key)(site, page)
        order_id = str(page.locator("#order-detail").get_attribute("data-order-id"))
        if key == "c":
            page.get_by_role("radio", name="Duplicate gift").check()
        site.emulator.change_order(order_id, status="accepted")
        submit_button(page).click()
        expect(page.locator("#dialog .banner").first).to_contain_text("Nothing was sent")

    return visit


def _accepted_meanwhile(site: Site, page: Page) -> None:
    order_id = site.known_order("Max")
    page.goto(f"/orders/{order_id}/")
    wait_for_keys(page)
    expect(page.locator("#as-of")).not_to_contain_text("asking Goody")
    site.emulator.change_order(order_id, status="accepted")
    page.keyboard.press("c")
    expect(page.locator("#dialog .banner")).to_contain_text("the recipient accepted it")


def _toast(site: Site, page: Page) -> None:
    _ready("e")(site, page)
    chip(page, "+7").click()
    submit_button(page).click()
    expect(page.locator(".toast")).to_be_visible()


def _outcome_unknown(site: Site, page: Page) -> None:
    """The answer to a cancel is lost."""
    _ready("c")(site, page)
    page.get_by_role("radio", name="Duplicate gift").check()
    site.emulator.add_fault({"kind": "apply_then_reset"}, method="POST", times=1)
    in_dialog(page, "Cancel gift").click()
    expect(page.locator("#order-detail")).to_contain_text("Outcome being checked")


def _page(name: str, **fields: Any) -> Visit:
    """The dialog as a page of its own, as without a script."""

    def visit(site: Site, page: Page) -> None:
        page.goto(f"/orders/{site.known_order(**fields)}/{name}/")

    return visit


_DOWN = fault("status", status=500)

CANCEL: States = {
    "dialog": state(_ready("c")),
    "loading": state(_open("c", then=hold("**/cancel/**")), is_settled=False),
    "Goody slow": state(_open("c", then=fault("delay", seconds=5)), is_settled=False),
    "Goody down": state(
        in_turn(_open("c", then=_DOWN), shows("#dialog .banner + p", "Read again"))
    ),
    "similar order": state(_similar("c")),
    "errors": state(_errors("c"), status=422),
    "refused": state(_refused("c")),
    "accepted meanwhile": state(_accepted_meanwhile),
    "outcome unknown": state(_outcome_unknown),
    "very long texts": state(_ready("c", LONG, **LONG_FIELDS)),
    "right-to-left names": state(_ready("c", "محمد", **RIGHT_TO_LEFT)),
    "page": state(_page("cancel")),
    "page, refused": state(_page("cancel", status="accepted")),
    "page, right missing": state(_page("cancel"), role="viewer", status=403),
}

EXPIRATION: States = {
    "dialog": state(_ready("e")),
    "loading": state(_open("e", then=hold("**/expiration/**")), is_settled=False),
    "similar order": state(_similar("e")),
    "typed date": state(_type_date("in 5 weeks", "UTC")),
    "date that is too far": state(_type_date("24 Dec 2031", "365 days")),
    "unreadable date": state(_type_date("soonish", "not a date")),
    "shortening": state(_shorten),
    "errors": state(_errors("e"), status=422),
    "refused": state(_refused("e")),
    "done": state(_toast),
    "very long texts": state(_ready("e", LONG, **LONG_FIELDS)),
    "page": state(_page("expiration")),
    "page, no expiry": state(_page("expiration", expires_at=None)),
}
