"""Django's admin, for users and for looking at rows.

Orders, writes and the audit are read-only here: only orders.services changes them.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from .audit import AccountEvent, record_account_event
from .models import Anomaly, AuditEntry, Operation, Order, OrderAccess, Profile
from .rights import Actor, Right


class SystemRightAdmin(admin.ModelAdmin):
    """An admin that only people with the right to manage the system may open.

    Django's own permissions are ignored.
    """

    def has_module_permission(self, request: HttpRequest) -> bool:
        return Actor.for_user(request.user).may(Right.SYSTEM)

    def has_system_right(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return self.has_module_permission(request)

    has_view_permission = has_system_right


class ReadOnlyAdmin(SystemRightAdmin):
    """A read-only admin."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: Any = None,  # noqa: ARG002
    ) -> bool:
        return False

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: Any = None,  # noqa: ARG002
    ) -> bool:
        return False


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ("uuid", "status", "reference_id", "expires_at", "read_at", "missing_at")
    search_fields = ("=uuid", "=reference_id")


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    list_display = ("id", "action", "state", "actor_name", "order_uuid", "created_at")
    list_filter = ("action", "state")
    search_fields = ("=id", "=order_uuid", "=reference_id")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor_name", "action", "order_uuid", "outcome")
    list_filter = ("action",)
    search_fields = ("=order_uuid", "=reference_id", "=request_id")


@admin.register(Anomaly)
class AnomalyAdmin(ReadOnlyAdmin):
    list_display = ("kind", "key", "count", "first_seen_at", "last_seen_at")
    list_filter = ("kind",)


@admin.register(OrderAccess)
class OrderAccessAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor", "kind", "order_uuid")
    list_filter = ("kind",)
    search_fields = ("=order_uuid", "=actor__username", "=request_id")


class EditableAdmin(SystemRightAdmin):
    """An admin in which people who may manage the system can change rows."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    has_change_permission = SystemRightAdmin.has_system_right
    has_delete_permission = SystemRightAdmin.has_system_right


admin.site.unregister(Group)
admin.site.unregister(User)


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin):
    """The admin of the roles. orders.audit grants rights by their names, so they are read-only."""


@admin.register(User)
class AccountAdmin(EditableAdmin, UserAdmin):
    """A user's group is the role. A user with audit entries is deactivated, never deleted.

    Every change is audited with the former and the new values, of passwords only that they changed.
    """

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        stored = User.objects.filter(pk=obj.pk).first()
        form.facts_before = _audited_fields(stored) if stored else {}
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        after = _audited_fields(form.instance)
        if after != form.facts_before:
            _record_change(request, form.instance, before=form.facts_before, after=after)

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - Django's name
        form_url: str = "",
    ) -> HttpResponse:
        response: HttpResponse = super().user_change_password(request, id, form_url)
        user = self.get_object(request, id)
        if request.method == "POST" and response.status_code == 302 and user is not None:
            _record_change(request, user, before={}, after={"password": "another one"})
        return response

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        before = _audited_fields(obj)
        super().delete_model(request, obj)
        _record_change(request, obj, before=before, after={})

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            self.delete_model(request, user)


def _audited_fields(user: User) -> dict[str, str]:
    """Return the audited fields of an account: its names and the fields that decide its rights."""
    return {
        "user name": user.get_username(),
        "name": user.get_full_name(),
        "role": ", ".join(user.groups.order_by("name").values_list("name", flat=True)),
        "active": "yes" if user.is_active else "no",
        "staff": "yes" if user.is_staff else "no",
        "superuser": "yes" if user.is_superuser else "no",
    }


def _record_change(
    request: HttpRequest, user: User, *, before: dict[str, str], after: dict[str, str]
) -> None:
    changed = [
        f"{name}: {before.get(name) or 'none'} → {after.get(name) or 'none'}"
        for name in {**before, **after}
        if before.get(name, "") != after.get(name, "")
    ]
    record_account_event(
        Actor.for_user(request.user, getattr(request, "request_id", "")),
        AccountEvent.CHANGE,
        detail=f"{user.get_username()}: {'; '.join(changed)}",
        now=timezone.now(),
        before=before,
        after=after,
    )


@admin.register(Profile)
class ProfileAdmin(EditableAdmin):
    list_display = ("user", "time_zone", "theme", "density")
