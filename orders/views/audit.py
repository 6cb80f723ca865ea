"""The audit page: the actions of people with their reasons and outcomes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpResponseBase
from django.views.decorators.http import require_safe

from orders import formats
from orders.forms.audit import AuditFilter
from orders.models import AuditEntry
from orders.models.audit import AuditEntryQuerySet
from orders.presenters.audit import audit_filters, audit_rows, audit_scope_text
from orders.rights import Right
from orders.viewer import Request

from .http import render_page_or_partial, requires_right

PER_PAGE = 50


@require_safe
@requires_right(Right.READ_OWN_AUDIT)
def audit_page(request: Request) -> HttpResponseBase:
    """Show the audit, newest first.

    It is paged by key: the parameters `older` and `newer` are row ids.
    """
    viewer = request.viewer
    sees_all = viewer.actor.may(Right.READ_ALL_AUDIT)
    form = AuditFilter(request.GET, zone=viewer.zone, sees_all=sees_all)
    is_valid = form.is_valid()
    order = form.cleaned_data.get("order", "")
    context: dict[str, Any] = {
        "form": form,
        "filters": audit_filters(form, _without(request)),
        "is_filtered": any(form.cleaned_data.values()),
        "scope": audit_scope_text(
            sees_all=sees_all, order=order, zone=formats.zone_in_words(viewer.zone, viewer.now)
        ),
    }
    if is_valid:
        visible = _visible(request, sees_all=sees_all, order=order)
        context |= _page(request, form.filter_entries(visible))
    return render_page_or_partial(
        request,
        "audit/list.html",
        context,
        {"results": "results"},
        status=200 if is_valid else 422,
    )


def _visible(request: Request, *, sees_all: bool, order: str) -> AuditEntryQuerySet:
    """Return the entries that the person may see.

    Everybody may see the history of one order, which the timeline of its page shows as well.
    """
    intents = AuditEntry.objects.intents()
    if sees_all:
        return intents
    if order:
        return intents.filter(order_uuid__isnull=False)
    return intents.filter(actor_id=request.viewer.actor.user_id)


def _page(request: Request, entries: AuditEntryQuerySet) -> dict[str, Any]:
    """Return the context of one page. An invalid `older` or `newer` means the first page."""
    older, newer = _key(request, "older"), _key(request, "newer")
    if newer is not None:
        found = list(reversed(_loaded(entries.filter(id__gt=newer).order_by("id"))))
        return _shown(request, found[-PER_PAGE:], newer=len(found) > PER_PAGE, older=True)
    if older is not None:
        found = _loaded(entries.filter(id__lt=older).order_by("-id"))
        return _shown(request, found[:PER_PAGE], newer=True, older=len(found) > PER_PAGE)
    found = _loaded(entries.order_by("-id"))
    return _shown(request, found[:PER_PAGE], newer=False, older=len(found) > PER_PAGE)


def _key(request: Request, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _loaded(entries: AuditEntryQuerySet) -> list[AuditEntry]:
    """Return one row more than fits a page, to detect whether there is another page."""
    return list(
        entries.select_related("operation", "actor", "job").prefetch_related("outcomes")[
            : PER_PAGE + 1
        ]
    )


def _shown(
    request: Request, entries: list[AuditEntry], *, newer: bool, older: bool
) -> dict[str, Any]:
    viewer = request.viewer
    shown = audit_rows(entries, now=viewer.now, zone=viewer.zone)
    return {
        "rows": shown,
        "first_url": _url(request),
        "newer_url": _url(request, newer=shown[0].id) if newer and shown else "",
        "older_url": _url(request, older=shown[-1].id) if older and shown else "",
    }


_POSITION = ("older", "newer")


def _url(request: Request, *without: str, **position: int) -> str:
    """Return the URL of the page with another `position`, and without the filters `without`."""
    query = request.GET.copy()
    for name in (*_POSITION, *without):
        query.pop(name, None)
    for name, key in position.items():
        query[name] = str(key)
    return f"{request.path}?{query.urlencode()}" if query else request.path


def _without(request: Request) -> Callable[..., str]:
    """Return a function from the names of filters to the URL of the first page without them."""
    return partial(_url, request)
