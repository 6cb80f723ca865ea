"""The URLs of all pages. Templates and tests refer to them by name."""

from django.contrib.auth.views import LogoutView
from django.urls import path, register_converter
from django.urls.converters import UUIDConverter

from orders.views import (
    account,
    audit,
    command_palette,
    dialogs,
    expiring,
    findings,
    health,
    jobs,
    list_fragments,
    operations,
    order,
    order_list,
    saved_views,
    search_box,
    selections,
    system,
)


class OrderIdConverter(UUIDConverter):
    """A UUID in either case, because some programs print ids in upper case."""

    regex = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"


register_converter(OrderIdConverter, "order_id")

_ORDER = "orders/<order_id:order_id>/"
_JOB = "jobs/<uuid:job_id>/"
_OPERATION = _ORDER + "operations/<uuid:operation_id>/"

urlpatterns = [
    path("", order_list.home, name="home"),
    path("orders/", order_list.order_list, name="order_list"),
    path("orders/box/", search_box.search_box_options, name="search_box_options"),
    path("orders/filters/", list_fragments.order_filters, name="order_filters"),
    path("orders/columns/", list_fragments.order_columns, name="order_columns"),
    path("orders/help/", list_fragments.order_help, name="order_help"),
    path("orders/counts/", list_fragments.order_counts, name="order_counts"),
    path("orders/facets/", list_fragments.order_facets, name="order_facets"),
    path("orders/changes/", list_fragments.count_page_changes, name="order_changes"),
    path("orders/choices/<slug:kind>/", list_fragments.order_choices, name="order_choices"),
    path("orders/export.csv", list_fragments.order_export, name="order_export"),
    path("orders/find/", findings.order_find, name="order_find"),
    path("orders/find/<uuid:finding_id>/", findings.ticket, name="ticket"),
    path("orders/views/", saved_views.order_views, name="order_views"),
    path("orders/views/<int:view_id>/", saved_views.order_view, name="order_view"),
    path(_ORDER, order.order_detail, name="order_detail"),
    path(_ORDER + "access/", order.order_access, name="order_access"),
    path(_ORDER + "cancel/", dialogs.order_cancel, name="order_cancel"),
    path(_ORDER + "expiration/", dialogs.order_expiration, name="order_expiration"),
    path(
        _ORDER + "expiration/preview/",
        dialogs.order_expiration_preview,
        name="order_expiration_preview",
    ),
    path(_OPERATION, operations.operation_page, name="operation"),
    path(_OPERATION + "undo/", operations.operation_undo, name="operation_undo"),
    path(_OPERATION + "settle/", operations.operation_settle, name="operation_settle"),
    path("expiring/", expiring.expiring, name="expiring"),
    path("jobs/", jobs.jobs, name="jobs"),
    path(_JOB, jobs.job, name="job"),
    path(_JOB + "results.csv", jobs.job_export, name="job_export"),
    path(_JOB + "status/", jobs.job_status, name="job_status"),
    path(_JOB + "stop/", jobs.job_stop, name="job_stop"),
    path(_JOB + "resume/", jobs.job_resume, name="job_resume"),
    path(_JOB + "approve/", jobs.job_approve, name="job_approve"),
    path(_JOB + "decline/", jobs.job_decline, name="job_decline"),
    path(_JOB + "retry/", jobs.job_retry, name="job_retry"),
    path(_JOB + "rest/", jobs.job_run_remaining, name="job_run_remaining"),
    path(_JOB + "undo/", jobs.job_undo, name="job_undo"),
    path("selections/", selections.selection_create, name="selection_create"),
    path("selections/count/", selections.selection_count, name="selection_count"),
    path("selections/<uuid:selection_id>/", selections.selection, name="selection"),
    path("audit/", audit.audit_page, name="audit"),
    path("system/", system.system_page, name="system"),
    path("system/sync/", system.sync_resume, name="sync_resume"),
    path("setup/", system.setup, name="setup"),
    path("setup/steps/", system.setup_steps, name="setup_steps"),
    path("commands/", command_palette.commands, name="commands"),
    path("sync-status/", system.sync_status, name="sync_status"),
    path("settings/", account.settings_page, name="settings"),
    path("login/", account.login, name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("logout/everywhere/", account.sign_out_everywhere, name="sign_out_everywhere"),
    path("password/", account.password_change, name="password_change"),
    path("django-admin/login/", account.admin_login, name="admin_login"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
