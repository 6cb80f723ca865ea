"""The states of selected orders in a list, and of the preview of a bulk action."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from playwright.sync_api import Page, expect

from integration.browser.site import Site
from orders.models import Selection
from testing.bulk import days_from_now, select
from testing.domain import actor, goody_time

from .order_states import LONG_FIELDS
from .states import States, Visit, click, in_turn, state

_STATUSES = ("notified", "opened", "accepted", "shipped", "failed", "frozen")


def _mixed(site: Site, action: Selection.Action, statuses: Sequence[str]) -> Selection:
    """Select orders with these statuses and of several workspaces, a long one among them."""
    ids = []
    for number, status in enumerate(statuses):
        at = goody_time(days_from_now(3 + number))
        workspace = ("People team", "long" * 20, "Sales")[number % 3]
        fields = {"status": status, "expires_at": at, "workspace_name": workspace}
        ids.append(site.known_order("Many", **fields, workspace_id=str(uuid4())))
    ids.append(site.known_order(**LONG_FIELDS, status="opened", expires_at=None))
    return select([UUID(str(one)) for one in ids], action, by=actor("lead"))


def _preview(
    action: Selection.Action, query: str = "", *, statuses: Sequence[str] = _STATUSES
) -> Visit:
    def visit(site: Site, page: Page) -> None:
        selection = _mixed(site, action, statuses)
        page.goto(f"/selections/{selection.pk}/{query}")
        expect(page.locator("#summary")).to_be_visible()

    return visit


def _page_checked(site: Site, page: Page) -> None:
    batch = str(uuid4())
    for _ in range(27):
        site.known_order("Checked", order_batch_id=batch)
    page.goto(f"/orders/?batch={batch}&per_page=25&checked=page")
    expect(page.get_by_label("Select all 27 that match")).to_be_visible()


def _changed(site: Site, page: Page) -> None:
    """An order that changed since, in the table of all."""
    selection = _mixed(site, EXTEND, ["notified"] * 3)
    Selection.objects.filter(pk=selection.pk).update(
        orders=[[one[0], {**one[1], "status": "created"}, "", *one[3:]] for one in selection.orders]
    )
    page.goto(f"/selections/{selection.pk}/")
    expect(page.locator("#orders")).to_contain_text("Status: Created → Notified")


def _shown_again(site: Site, page: Page) -> None:
    """A submitted cancel with a number that is not the one to type."""
    _preview(CANCEL, statuses=["opened"] * 21)(site, page)
    page.get_by_label("Duplicate gift").check()
    page.get_by_label("Type 22 to confirm").fill("23")
    page.get_by_role("button", name="Cancel 22 gifts").click()
    expect(page.locator(".form-errors")).to_be_visible()


EXTEND, CANCEL = Selection.Action.EXTEND, Selection.Action.CANCEL

SELECTIONS: States = {
    "extension": state(_preview(EXTEND), role="lead"),
    "one date for all": state(
        _preview(EXTEND, "?expiration_custom=in+4+days&may_shorten=on"), role="lead"
    ),
    "date that cannot be read": state(_preview(EXTEND, "?expiration_custom=soon"), role="lead"),
    "changed since selected": state(_changed, role="lead"),
    "nothing to do": state(_preview(EXTEND, statuses=["delivered"] * 2), role="lead"),
    "cancel": state(_preview(CANCEL), role="lead"),
    "cancel with errors": state(_shown_again, role="lead", status=422),
    "page checked in the list": state(_page_checked, role="lead"),
    "box checked in the list": state(
        in_turn(
            _page_checked,
            click('[data-check=""]', "#selection"),
            click("#select-page", ".bulk-bar__actions"),
        ),
        role="lead",
    ),
}
