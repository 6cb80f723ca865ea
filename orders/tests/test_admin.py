"""/django-admin/: orders, writes and the audit are read-only."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from orders.audit import AccountEvent, record_account_event
from orders.models import Anomaly, AuditEntry, Operation, Order
from orders.rights import Actor
from testing.dialogs import open_and_submit, url
from testing.users import make_user

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
    """One canceled gift, so that every table has a row."""
    order_id = emulator.find_order_id(status="notified")
    open_and_submit(as_role("agent"), url("order_cancel", order_id), reason="duplicate")


@pytest.mark.parametrize("model", [Order, Operation, AuditEntry])
def test_admin_can_view_but_not_change(done: None, as_role: Any, model: Any) -> None:
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
def test_other_roles_cannot_view(as_role: Any, model: Any) -> None:
    client = staff(as_role, "lead")
    meta = model._meta
    page = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    assert client.get(page).status_code == 403


@pytest.mark.parametrize("model", READ_ONLY)
def test_superuser_cannot_change_records(admin_user: Any, model: Any) -> None:
    request = RequestFactory().get("/")
    request.user = admin_user
    permissions = admin.site.get_model_admin(model).get_model_perms(request)
    assert permissions == {"add": False, "change": False, "delete": False, "view": True}


def test_an_admin_manages_people(as_role: Any) -> None:
    client = staff(as_role, "admin")
    page = reverse("admin:auth_user_changelist")
    assert client.get(page).status_code == 200
    assert staff(as_role, "lead").get(page).status_code == 403


# --- accounts ----------------------------------------------------------------------------------


def account_form(user: User, **changed: Any) -> dict[str, Any]:
    joined = user.date_joined
    form = {
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "date_joined_0": f"{joined:%Y-%m-%d}",
        "date_joined_1": f"{joined:%H:%M:%S}",
        "is_active": "on",
        "groups": [group.pk for group in user.groups.all()],
        **changed,
    }
    return {name: value for name, value in form.items() if value is not None}


def account_changes() -> list[tuple[str, str]]:
    rows = AuditEntry.objects.filter(action="account.change").order_by("id")
    return [(row.actor_name, row.detail) for row in rows]


def test_a_change_of_role_is_audited_with_what_it_changed(as_role: Any) -> None:
    client, ben = staff(as_role, "admin"), make_user("viewer", "ben")
    page = reverse("admin:auth_user_change", args=[ben.pk])
    lead = Group.objects.get(name="lead").pk
    assert client.post(page, account_form(ben, groups=[lead], is_active=None)).status_code == 302
    assert account_changes() == [("Admin", "ben: role: viewer → lead; active: yes → no")]
    entry = AuditEntry.objects.get(action="account.change")
    assert (entry.before["role"], entry.after["role"]) == ("viewer", "lead")
    assert client.post(page, account_form(ben, groups=[lead], is_active=None)).status_code == 302
    assert len(account_changes()) == 1


def test_new_accounts_passwords_and_deletions_are_audited(as_role: Any) -> None:
    client = staff(as_role, "admin")
    secret = "a-long-password-of-cleo-7"
    form = {"username": "cleo", "password1": secret, "password2": secret, "usable_password": "true"}
    assert client.post(reverse("admin:auth_user_add"), form).status_code == 302
    cleo = User.objects.get(username="cleo")
    password = reverse("admin:auth_user_password_change", args=[cleo.pk])
    other = {"password1": secret[::-1], "password2": secret[::-1]}
    assert client.post(password, form | other).status_code == 302
    delete = reverse("admin:auth_user_delete", args=[cleo.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 302
    details = [detail for _, detail in account_changes()]
    assert details == [
        "cleo: user name: none → cleo; active: none → yes; staff: none → no; superuser: none → no",
        "cleo: password: none → another one",
        "cleo: user name: cleo → none; active: yes → none; staff: no → none; superuser: no → none",
    ]
    assert secret not in str(list(AuditEntry.objects.values()))


def test_users_with_equal_names_are_shown_with_user_names(as_role: Any) -> None:
    lead = as_role("lead")
    for name in ("ana1", "ana2"):
        user = make_user("agent", name)
        user.first_name, user.last_name = "Ana", "Lopez"
        user.save()
        record_account_event(
            Actor.for_user(user), AccountEvent.PASSWORD_CHANGE, detail="own", now=timezone.now()
        )
    page = lead.get("/audit/").content.decode()
    for name in ("ana1", "ana2"):
        assert f'Ana Lopez <span class="small muted">{name}</span>' in page
        assert f"Ana Lopez ({name})" in page
