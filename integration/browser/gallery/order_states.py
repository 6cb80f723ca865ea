"""The states of an order's page and of the page of a write."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page, expect

from integration.browser.moves import settle
from integration.browser.site import Site
from orders.models import Operation

from .states import State, States, Visit, click, fault, in_turn, path, shows, state

LONG = "Maximiliana-Alexandrine " * 12
LONG_FIELDS: dict[str, Any] = {
    "recipient_last_name": "Wolfeschlegelsteinhausenbergerdorff",
    "recipient_email": f"{'long.' * 40}name@example.test",
    "message": LONG * 5,
    "sender": {"first_name": LONG, "last_name": "Featherstonehaugh", "email": "s@example.test"},
}
RIGHT_TO_LEFT: dict[str, Any] = {
    "recipient_last_name": "ابن خلدون",
    "recipient_email": "ابن@example.test",
    "message": "שלום! תודה רבה על הכול.\nمع أطيب التحيات",
    "sender": {"first_name": "משה", "last_name": "בן־דוד", "email": "s@example.test"},
}
_LATER = timedelta(hours=1)


def order(name: str = "Ada", **fields: Any) -> Visit:
    """Open the page of a new order that is in the index."""
    return lambda site, page: page.goto(f"/orders/{site.known_order(name, **fields)}/")


def found(**wanted: Any) -> Visit:
    """Open the page of an order of the emulator."""
    return lambda site, page: page.goto(f"/orders/{site.emulator.find_order_id(**wanted)}/")


def failing(kind: str, alert: str, *, times: int | None = None, **options: Any) -> Visit:
    """Open the page of an order that was read before; Goody's answers have this fault now."""

    def visit(site: Site, page: Page) -> None:
        order_id = site.known_order("Nadia")
        page.request.get(f"/orders/{order_id}/")
        site.emulator.add_fault({"kind": kind, **options}, path="/v1/orders/", times=times)
        page.goto(f"/orders/{order_id}/")
        expect(page.get_by_role("alert").first).to_contain_text(alert)

    return visit


def _delivery(*statuses: str, order_status: str = "shipped") -> Visit:
    """An order whose parcels have these statuses."""
    parcels = [
        {
            "id": f"00000000-0000-4000-8000-00000000000{n}",
            "status": status,
            "brand_name": f"Brand {n}",
            "tracking_carrier": "UPS",
            "tracking_number": f"1Z999AA1012345678{n}",
            "tracking_url": "https://track.example.test/1",
            "shipped_at": f"{timezone.now() - timedelta(days=4):%Y-%m-%dT10:00:00Z}",
        }
        for n, status in enumerate(statuses)
    ]
    return order("Leila", status=order_status, shipments=parcels)


def _in_its_list(site: Site, page: Page) -> None:
    """An order opened from a list, with neighbors and related orders."""
    fields = {"recipient_email": "neighbor@example.test"}
    for _ in range(3):
        order_id = site.known_order("Neighbor", **fields)
    page.goto(f"/orders/{order_id}/?next=/orders/%3Fq%3Dneighbor%40example.test")
    expect(page.locator(".neighbors")).to_contain_text("1 of ")


def write_on_order(**fields: Any) -> Visit:
    """Open the page of an order with a write in this state."""

    def visit(site: Site, page: Page) -> None:
        order_id = site.known_order("Wanda")
        _operation(site, order_id, **fields)
        page.goto(f"/orders/{order_id}/")

    return visit


def _operation(site: Site, order_id: str, *, state: str, **fields: Any) -> Operation:
    now = timezone.now()
    closed = None if state in ("planned", "waiting", "sending", "unknown", "needs_human") else now
    return site.operation(
        order_id,
        state=state,
        lease_until=now + _LATER,
        due_at=None if closed else now + _LATER,
        unknown_at=now,
        sent_at=now,
        closed_at=closed,
        **fields,
    )


def _settled_by_poll(state: str, shown: str) -> Visit:
    """A poll shows the outcome of a write that was unknown when the page was opened."""

    def visit(site: Site, page: Page) -> None:
        order_id = site.known_order("Petra")
        made = _operation(site, order_id, state="unknown")
        page.goto(f"/orders/{order_id}/")
        settle(page)
        now = timezone.now()
        Operation.objects.filter(pk=made.pk).update(state=state, closed_at=now, due_at=None)
        page.clock.fast_forward(3_000)
        expect(page.locator(".order-head__why, .toast").first).to_contain_text(shown)

    return visit


def _canceled(site: Site, page: Page) -> None:
    order_id = site.known_order("Carla", status="failed")
    _operation(site, order_id, state="applied", confirmed_at=timezone.now())
    page.goto(f"/orders/{order_id}/")
    expect(page.locator(".order-head .badge").first).to_have_text("Canceled")


def _unreadable(site: Site, page: Page) -> None:
    order_id = site.known_order("Una", status="shipped")
    unread = {
        "expires_at": "soon",
        "amounts.amount_total": "a lot",
        "shipments": ["lost"],
        "cart.items": "tea",
        "new_field": 1,
    }
    site.emulator.add_fault({"kind": "mutate", "set": unread}, path=f"/v1/orders/{order_id}")
    page.goto(f"/orders/{order_id}/")
    expect(page.get_by_role("heading", name="Not understood")).to_be_visible()


def _long_write(site: Site, page: Page) -> None:
    order_id = site.known_order("Nora")
    _operation(
        site,
        order_id,
        state="applied",
        note="غدا <b>x</b>\n" + "long " * 60,
        ticket="https://tickets.example/" + "1" * 80,
        confirmed_at=timezone.now(),
    )
    page.goto(f"/orders/{order_id}/")


def _menu(site: Site, page: Page) -> None:
    order("Mina")(site, page)
    click(".order-head .menu > summary", ".order-head .menu__items")(site, page)


ORDER: States = {
    "open": state(_in_its_list),
    "open, for an admin": state(order(), role="admin"),
    "menu": state(_menu),
    "right missing": state(order(), role="viewer"),
    "Goody slow": state(
        in_turn(fault("delay", seconds=5), order(), shows("#as-of", "asking Goody…")),
        is_settled=False,
    ),
    "Goody down": state(failing("status", "This is our copy", status=500)),
    "Goody down and no copy": state(
        in_turn(fault("status", status=500), found(status="opened", swapped=0)),
        status=503,
    ),
    "key rejected": state(failing("status", "rejected the API key", status=401), role="admin"),
    "key rejected, for an agent": state(failing("status", "no working connection", status=401)),
    "not found at Goody but in the index": state(
        failing("status", "does not know this order", status=404)
    ),
    "no such order": state(path("/orders/00000000-0000-4000-8000-000000000000/"), status=404),
    "unknown status": state(order(status="frozen")),
    "no expiry": state(order(expires_at=None)),
    "expired": state(found(unaccepted_expired=1)),
    "accepted": state(found(status="accepted")),
    "payment pending": state(found(status="pending_payment"), role="admin"),
    "swapped": state(found(swapped=1), role="admin"),
    "shipped": state(_delivery("shipped", "pending")),
    "delivered": state(_delivery("delivered", order_status="delivered")),
    "failed delivery": state(_delivery("failed", "failed_with_reship", "delivered")),
    "canceled or failed": state(found(status="failed")),
    "canceled here": state(_canceled),
    "thank-you note": state(found(has_thank_you=1)),
    "outcome unknown": state(write_on_order(state="unknown", detail="The connection was cut.")),
    "outcome needs a person": state(
        write_on_order(state="needs_human", failure_kind="contradiction")
    ),
    "refused": state(
        write_on_order(state="refused", failure_kind="rejected", detail="Order cannot be canceled")
    ),
    "not applied": state(write_on_order(state="not_applied")),
    "poll shows that it was not applied": state(_settled_by_poll("not_applied", "Not canceled")),
    "long note": state(_long_write),
    "unreadable values": state(_unreadable, role="admin"),
    "texts that attack a page": state(found(hostile=1), role="admin"),
    "very long texts": state(order(LONG, **LONG_FIELDS)),
    "right-to-left names": state(order("محمد", **RIGHT_TO_LEFT)),
}


def _write(*, is_extension: bool = False, **fields: Any) -> State:
    """The page of a write as a lead sees it, who may settle it by hand."""

    def visit(site: Site, page: Page) -> None:
        order_id = site.known_order("Wanda")
        made = _operation(
            site,
            order_id,
            action="order.extend" if is_extension else "order.cancel",
            expiration=timezone.now() + _LATER if is_extension else None,
            **fields,
        )
        page.goto(f"/orders/{order_id}/operations/{made.pk}/")
        expect(page.locator("#operation .outcome")).to_be_visible()

    return state(visit, role="lead")


WRITE: States = {
    "applied": _write(state="applied"),
    "planned": _write(state="planned"),
    "waiting": _write(state="waiting"),
    "sending": _write(state="sending"),
    "unknown": _write(state="unknown", detail="The connection was cut."),
    "needs a person": _write(state="needs_human", failure_kind="contradiction"),
    "refused": _write(state="refused", failure_kind="rejected", detail="Order cannot be canceled"),
    "not sent": _write(state="not_sent", failure_kind="connect"),
    "not applied": _write(state="not_applied"),
    "superseded": _write(state="superseded", detail="was 1 Dec, is 3 Dec", is_extension=True),
}
