"""/django-admin/: orders, writes and the audit can be looked at there and never changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import RequestFactory
from django.urls import reverse

from orders.models import Anomaly, AuditEntry, Operation, Order
from testing.dialogs import open_and_submit, url

pytestmark = pytest.mark.django_db

# A role is found by the name of its group.
READ_ONLY = [Order, Operation, AuditEntry, Anomaly, Group]


def staff(as_role: Any, role: str) -> Any:
    client = as_role(role)
    client.user.is_staff = True
    client.user.save()
    return client


@pytest.fixture
def done(emulator: Any, as_role: Any) -> None:
    """One canceled gift, so that there is a row of each kind."""
    order_id = emulator.find_id(status="notified")
    open_and_submit(as_role("agent"), url("order_cancel", order_id), reason="duplicate")


@pytest.mark.parametrize("model", [Order, Operation, AuditEntry])
def test_an_admin_looks_and_can_not_change(done: None, as_role: Any, model: Any) -> None:
    client, name = staff(as_role, "admin"), model._meta.model_name
    assert client.get(reverse(f"admin:orders_{name}_changelist")).status_code == 200
    change = reverse(f"admin:orders_{name}_change", args=[model.objects.first().pk])
    assert client.get(change).status_code == 200
    before = list(model.objects.values())
    assert client.post(change, {"note": "forged", "status": "forged"}).status_code == 403
    delete = reverse(f"admin:orders_{name}_delete", args=[model.objects.first().pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert client.get(reverse(f"admin:orders_{name}_add")).status_code == 403
    assert list(model.objects.values()) == before


@pytest.mark.parametrize("model", READ_ONLY)
def test_nobody_else_sees_them(as_role: Any, model: Any) -> None:
    client = staff(as_role, "lead")
    meta = model._meta
    page = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    assert client.get(page).status_code == 403


@pytest.mark.parametrize("model", READ_ONLY)
def test_not_even_a_superuser_changes_them(admin_user: Any, model: Any) -> None:
    request = RequestFactory().get("/")
    request.user = admin_user
    permissions = admin.site.get_model_admin(model).get_model_perms(request)
    assert permissions == {"add": False, "change": False, "delete": False, "view": True}


def test_an_admin_manages_people(as_role: Any) -> None:
    client = staff(as_role, "admin")
    page = reverse("admin:auth_user_changelist")
    assert client.get(page).status_code == 200
    assert staff(as_role, "lead").get(page).status_code == 403
