"""Finds the orders whose identifiers are in a pasted text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from orders import services
from orders.forms.listing import PastedTextForm
from orders.list_url import CHECKED_PARAMETER, PAGE, Filters
from orders.models import Finding
from orders.presenters.bulk_bar import BulkBar, make_bulk_bar, may_select
from orders.presenters.rows import RowBuilder
from orders.presenters.ticket import finding_list_url, shown_order_ids, ticket_page
from orders.rights import Right
from orders.search import MatchCount, SearchTimeout
from orders.search.parse import parse_query
from orders.search.paste import PastedIdentifiers, is_too_long_for_url, recognize_identifiers
from orders.search.query import Query
from orders.viewer import Request

from .concurrency import GOODY_READ, in_concurrency_group
from .http import HttpResponseSeeOther, requires_right


@in_concurrency_group(POST=GOODY_READ)
@require_http_methods(["GET", "HEAD", "POST"])
@requires_right(Right.READ)
def order_find(request: Request) -> HttpResponseBase:
    """Show the form for pasted text; a POST redirects to the page of the orders that it names."""
    if request.method != "POST":
        return _show(request, PastedTextForm())
    form = PastedTextForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    text = form.cleaned_data["text"]
    pasted = recognize_identifiers(text)
    if pasted.count:
        return _find(request, form, pasted)
    if not is_too_long_for_url(text):
        return HttpResponseSeeOther(_list_url(q=text))
    return _search(request, form, text)


def _find(request: Request, form: PastedTextForm, pasted: PastedIdentifiers) -> HttpResponseBase:
    viewer = request.viewer
    try:
        finding = services.create_finding(actor=viewer.actor, pasted=pasted, now=viewer.now)
    except SearchTimeout:
        form.add_error("text", TOOK_TOO_LONG)
        return _show(request, form, status=503)
    return HttpResponseSeeOther(reverse("ticket", args=[finding.pk]))


def _search(request: Request, form: PastedTextForm, text: str) -> HttpResponseBase:
    """Store the result of a search that is too long for a URL, and redirect to it."""
    viewer = request.viewer
    parsed = parse_query(text, now=viewer.now, zone=viewer.zone)
    finding = None
    if not parsed.problems:
        query = replace(parsed.query, may_search_messages=viewer.actor.may(Right.READ_MESSAGES))
        try:
            finding = services.create_search_finding(
                actor=viewer.actor, query=query, now=viewer.now
            )
        except SearchTimeout:
            form.add_error("text", TOOK_TOO_LONG)
            return _show(request, form, status=503)
    if finding is None:
        form.add_error("text", NOTHING_NAMED)
        return _show(request, form, status=422)
    return HttpResponseSeeOther(_list_url(finding=finding.pk))


@require_safe
@requires_right(Right.READ)
def ticket(request: Request, finding_id: UUID) -> HttpResponse:
    """Show the orders that a pasted text names."""
    viewer = request.viewer
    finding = services.get_finding(actor=viewer.actor, finding_id=finding_id, now=viewer.now)
    ids = tuple(map(UUID, shown_order_ids(finding)))
    listed: Sequence[services.ListedOrder] = ()
    if ids:
        query = Query(finding=finding.pk, found=ids)
        listed = services.find_orders(query, size=len(ids), now=viewer.now).rows
    builder = RowBuilder(viewer, next_url=finding_list_url(finding))
    rows = {str(one.hit.uuid): builder.build_row(one) for one in listed}
    context = {
        "ticket": ticket_page(finding, rows, viewer=viewer),
        "bulk_bar": _bulk_bar(request, finding, rows=len(rows)) if rows else None,
    }
    return render(request, "orders/ticket.html", context)


def _bulk_bar(request: Request, finding: Finding, *, rows: int) -> BulkBar | None:
    """Return the form around the orders; None if the person may not select."""
    viewer = request.viewer
    if not may_select(viewer):
        return None
    count = len(finding.order_ids)
    return make_bulk_bar(
        Filters(finding=finding.pk),
        url=request.path,
        rows=rows,
        viewer=viewer,
        count=MatchCount(count, is_capped=False),
        has_other_pages=count > len(shown_order_ids(finding)),
        is_page_checked=request.GET.get(CHECKED_PARAMETER) == PAGE,
    )


def _show(request: Request, form: PastedTextForm, *, status: int = 200) -> HttpResponse:
    return render(request, "orders/find.html", {"form": form}, status=status)


def _list_url(**parameters: object) -> str:
    return f"{reverse('order_list')}?{urlencode(parameters)}"


TOOK_TOO_LONG = (
    "Looking up all that this text names took too long, so that nothing is known of it. Look up a "
    "part of it, or try again in a moment."
)
NOTHING_NAMED = (
    "Nothing in this text can be looked up: it holds no order id, batch id, receipt reference, "
    "gift link or e-mail address, and no order has all of its words."
)
