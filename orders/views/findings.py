"""Finds the orders whose identifiers are in a pasted text."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from orders import services
from orders.audit import Right
from orders.forms.findings import FindForm
from orders.search import SearchTimeout
from orders.search.parse import parse_query
from orders.search.paste import PastedIdentifiers, is_too_long_for_url, recognize_identifiers
from orders.viewer import Request

from .concurrency import GOODY_READ, in_concurrency_group
from .http import HttpResponseSeeOther, requires_right


@in_concurrency_group(POST=GOODY_READ)
@require_http_methods(["GET", "HEAD", "POST"])
@requires_right(Right.READ)
def order_find(request: Request) -> HttpResponseBase:
    """Show the form for pasted text; a POST redirects to the list of the orders in the text."""
    if request.method != "POST":
        return _show(request, FindForm())
    form = FindForm(request.POST)
    if not form.is_valid():
        return _show(request, form, status=422)
    text = form.cleaned_data["text"]
    pasted = recognize_identifiers(text)
    if pasted.count:
        return _find(request, form, pasted)
    if not is_too_long_for_url(text):
        return HttpResponseSeeOther(_list_url(q=text))
    return _search(request, form, text)


def _find(request: Request, form: FindForm, pasted: PastedIdentifiers) -> HttpResponseBase:
    viewer = request.viewer
    try:
        finding = services.create_finding(actor=viewer.actor, pasted=pasted, now=viewer.now)
    except SearchTimeout:
        form.add_error("text", TOOK_TOO_LONG)
        return _show(request, form, status=503)
    return HttpResponseSeeOther(_list_url(finding=finding.pk))


def _search(request: Request, form: FindForm, text: str) -> HttpResponseBase:
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


def _show(request: Request, form: FindForm, *, status: int = 200) -> HttpResponse:
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
