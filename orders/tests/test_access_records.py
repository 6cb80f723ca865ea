"""Records of reads of orders and raw JSON and of copied links, separate from the audit."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from orders.models import AuditEntry, OrderAccess
from testing.dialogs import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def order_id(emulator):
    return emulator.find_order_id(status="opened")


def recorded() -> list[tuple[str, str, UUID]]:
    rows = OrderAccess.objects.order_by("id").select_related("actor")
    return [(row.actor.username, row.kind, row.order_uuid) for row in rows]


def test_read_of_an_order_is_recorded_outside_the_audit(as_role, order_id):
    viewer = as_role("viewer")
    answer = viewer.get(url("order_detail", order_id))
    assert recorded() == [("viewer", "order", UUID(order_id))]
    assert OrderAccess.objects.get().request_id == answer["X-Request-Id"]
    assert not AuditEntry.objects.exists()


def test_reload_within_minutes_is_not_recorded_again(as_role, order_id):
    viewer = as_role("viewer")
    for minutes in (0, 4, 6):
        with time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False):
            viewer.get(url("order_detail", order_id))
    assert len(recorded()) == 2


def test_a_row_is_not_recorded_as_a_read(as_role, order_id):
    headers = {"HX-Request": "true", "HX-Target": f"tr#order-{order_id}"}
    answer = as_role("viewer").get(url("order_detail", order_id), headers=headers)
    assert answer.status_code == 200
    assert recorded() == []


@pytest.mark.parametrize("query", ["", "?poll=other", "?read=other"])
def test_the_order_as_a_fragment_is_recorded(as_role, order_id, query):
    """A request made by hand reads as much as the page."""
    headers = {"HX-Request": "true", "HX-Target": "div#order-detail"}
    answer = as_role("viewer").get(url("order_detail", order_id) + query, headers=headers)
    assert answer.status_code == 200
    assert recorded() == [("viewer", "order", UUID(order_id))]


@pytest.mark.parametrize(
    ("role", "kind", "status"),
    [
        ("agent", "gift_link", 204),
        ("agent", "payment_link", 403),
        ("agent", "raw", 403),
        ("admin", "raw", 204),
        ("admin", "payment_link", 204),
        ("admin", "anything", 422),
    ],
)
def test_browser_reports_require_the_right(as_role, order_id, role, kind, status):
    client = as_role(role)
    answer = client.post(url("order_access", order_id), {"kind": kind})
    assert answer.status_code == status
    assert recorded() == ([(role, kind, UUID(order_id))] if status == 204 else [])


def test_raw_json_is_recorded_when_shown_without_javascript(as_role, order_id):
    admin = as_role("admin")
    admin.get(url("order_detail", order_id))
    assert [kind for _, kind, _ in recorded()] == ["order", "raw"]
    OrderAccess.objects.all().delete()
    admin.cookies["script"] = "on"
    page = admin.get(url("order_detail", order_id)).content.decode()
    assert [kind for _, kind, _ in recorded()] == ["order"]
    assert f'data-access="raw" data-access-url="/orders/{order_id}/access/"' in page


def test_a_failing_database_does_not_prevent_reading(as_role, order_id):
    viewer = as_role("viewer")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orders_orderaccess RENAME TO elsewhere")
    if connection.vendor == "sqlite":
        assert viewer.get(url("order_detail", order_id)).status_code == 200
