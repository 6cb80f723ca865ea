"""The list of orders: Goody's own, page by page, until the index is filled; from the index then.

What Goody's list cannot be asked is answered from the index even while that is being filled.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from goody.errors import GoodyError
from orders import formats, services
from orders.audit import Right
from orders.goody_api import CallsBlocked
from orders.presenters import empty
from orders.presenters.filters import HINTS, filters_in_words, make_heads
from orders.presenters.found import make_found_page, page_instead
from orders.presenters.freshness import Freshness, import_banner, make_freshness
from orders.presenters.listing import make_page
from orders.presenters.pages import Empty, Page
from orders.search import SearchTimeout, choices
from orders.services import Listing, OrderNotFound
from orders.sync import SyncProgress

from .answers import SeeOther
from .asking import Question, read_question
from .filter_form import filter_form
from .fragments import render, source_of
from .list_tools import tools
from .permissions import requires

TEMPLATE = "orders/list.html"
_FRAGMENTS = {"results": "results"}
_FORM = "filters"


@require_safe
def home(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    return redirect("order_list")


@require_safe
@requires(Right.READ)
def order_list(request: HttpRequest) -> HttpResponseBase:
    question = read_question(request)
    if not question.is_clear:
        return _show(request, question, page=None, status=400)
    progress = request.viewer.progress
    if not progress.is_complete and question.filters.is_only_a_window:
        return _live(request, question, progress)
    freshness = make_freshness(progress, viewer=request.viewer)
    understood = question.understood
    if understood.order_id and not question.is_typing:
        return _go_to_order(request, understood.order_id)
    if understood.unknown_id and not question.is_typing:
        return _ask_goody(request, question, understood.unknown_id, freshness)
    return _indexed(request, question, freshness)


# --- Goody's own list -------------------------------------------------------------------------


def _live(request: HttpRequest, question: Question, progress: SyncProgress) -> HttpResponse:
    if page := question.form.cleaned_data.get("goto"):
        return _go_to_page(request, question, page)
    made = make_page(
        _ask_for_page(request, question),
        viewer=request.viewer,
        filters=question.filters,
        asked=question.position,
    )
    made = replace(made, banners=[*made.banners, *import_banner(progress)])
    return _show(request, question, page=made)


def _go_to_page(request: HttpRequest, question: Question, page: int) -> HttpResponseRedirect:
    there = replace(question.position.frozen(request.viewer.now), page=page)
    return HttpResponseRedirect(question.filters.url(position=there.write()))


def _ask_for_page(request: HttpRequest, question: Question) -> Listing:
    position = question.position
    after, before = question.filters.created_bounds(request.viewer.zone)
    return services.list_orders(
        page=position.page,
        per_page=question.filters.per_page,
        created_after=after,
        created_before=min(filter(None, (before, position.created_before)), default=None),
        now=request.viewer.now,
    )


# --- from the index ---------------------------------------------------------------------------


def _indexed(request: HttpRequest, question: Question, freshness: Freshness) -> HttpResponse:
    asked = question.asked
    try:
        found = services.find_orders(
            asked.query,
            size=asked.filters.per_page,
            now=request.viewer.now,
            at=asked.place.key if asked.place else None,
            is_backwards=bool(asked.place and asked.place.is_backwards),
        )
    except SearchTimeout:
        return _show_instead(request, question, empty.too_broad(asked.filters), freshness)
    page = make_found_page(found, asked=asked, freshness=freshness, viewer=request.viewer)
    return _show(request, question, page=page, freshness=freshness)


def _go_to_order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    url = reverse("order_detail", args=[order_id])
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(headers={"HX-Redirect": url})
    return SeeOther(url)


def _ask_goody(
    request: HttpRequest, question: Question, order_id: UUID, freshness: Freshness
) -> HttpResponse:
    """Somebody looks for an id that the index does not know: Goody may, once, at this moment."""
    try:
        services.refresh_order(order_id=order_id, now=request.viewer.now)
    except OrderNotFound:
        why = empty.not_at_goody_either(order_id)
    except (CallsBlocked, GoodyError) as error:
        why = empty.goody_not_asked(order_id, services.why_not_fresh(error))
    else:
        return _go_to_order(request, order_id)
    return _show_instead(request, question, why, freshness)


# --- answers ----------------------------------------------------------------------------------


def _show_instead(
    request: HttpRequest, question: Question, why: Empty, freshness: Freshness
) -> HttpResponse:
    page = page_instead(why, asked=question.asked, freshness=freshness)
    return _show(request, question, page=page, freshness=freshness)


def _show(
    request: HttpRequest,
    question: Question,
    *,
    page: Page | None,
    freshness: Freshness | None = None,
    status: int = 200,
) -> HttpResponse:
    """`freshness` where the page is none of Goody's own."""
    filters = question.filters
    active = filters_in_words(
        filters, box=question.understood.box, reading=question.reading, names=choices.name_of
    )
    zone = formats.zone_in_words(request.viewer.zone, request.viewer.now)
    if page and not page.rows and page.empty is None and freshness:
        unknown_id = question.understood.unknown_id
        why = empty.why(question.asked, active, freshness, unknown_id=unknown_id)
        page = replace(page, empty=why, pager=None)
    order = question.asked.query.order
    context = {
        "filters": filters,
        "filter_form": filter_form(question.form, filters, order=order, zone=zone),
        "active": active,
        "clear_url": filters.cleared().url(),
        "heads": make_heads(filters, order=order),
        "hints": HINTS,
        "page": page,
        "sentences": question.sentences,
        **tools(request, question, is_indexed=freshness is not None),
    }
    response = render(request, TEMPLATE, context, _FRAGMENTS, status=status)
    for name, value in _address(request, question).items():
        response[name] = value
    return response


def _address(request: HttpRequest, question: Question) -> dict[str, str]:
    """What htmx shall show as the page's address: the list's own, where a form asked.

    Not while the id of one order stands in the box: it leads there, and so would Back.
    """
    if question.is_typing:
        url = "false" if question.understood.order_id else question.filters.url()
        return {"HX-Replace-Url": url}
    return {"HX-Push-Url": question.filters.url()} if source_of(request) == _FORM else {}
