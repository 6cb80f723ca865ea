"""Django's admin of the same orders, in two forms: "plain", as most would write it, and "tuned".

Plain: search_fields, list_filter, date_hierarchy, ordering, 50 a page. Tuned: rows without their
payload, sorted by their key, indexed, no date_hierarchy, no full count; measured before and after
ANALYZE. Every signed-in user may view.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import AnalyzedOrder, PlainOrder, TunedOrder


class AllUsersAdminSite(admin.AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated


class OrderChangelist(admin.ModelAdmin):  # type: ignore[type-arg]
    list_per_page = 50
    list_filter = ["status", "workspace", "brand", "is_swapped", "created_at", "expires_at"]
    search_fields = ["recipient_name", "recipient_email"]
    list_display = [
        *("uuid", "status", "recipient_name", "recipient_email", "product", "sender"),
        *("amount_cents", "created_at", "expires_at"),
    ]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return request.user.is_authenticated


class PlainChangelist(OrderChangelist):
    date_hierarchy = "created_at"


class TunedChangelist(OrderChangelist):
    show_full_result_count = False


site = AllUsersAdminSite(name="peers")
site.register(PlainOrder, PlainChangelist)
site.register([TunedOrder, AnalyzedOrder], TunedChangelist)
