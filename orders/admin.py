"""Django's own admin, for users and for looking at rows. Orders, writes and the audit can be
read here and not changed: they are changed through orders.services alone.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest

from .audit import Actor, Right
from .models import Anomaly, AuditEntry, Operation, Order, Profile


class Guarded(admin.ModelAdmin):
    """For those who may manage the system, whatever Django's own permissions say."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return Actor.of(request.user).may(Right.SYSTEM)

    def may(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return self.has_module_permission(request)

    has_view_permission = may


class ReadOnlyAdmin(Guarded):
    """Only to look at."""

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


class Managed(Guarded):
    """For those who may manage the system, to change as well."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    has_change_permission = Guarded.may
    has_delete_permission = Guarded.may


admin.site.unregister(Group)
admin.site.unregister(User)


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin):
    """The roles, by whose names orders.audit grants rights: not to be renamed or taken away."""


@admin.register(User)
class PersonAdmin(Managed, UserAdmin):
    """Their role is their group. Whoever is in the audit is switched off, never deleted."""


@admin.register(Profile)
class ProfileAdmin(Managed):
    list_display = ("user", "time_zone", "theme", "density")
