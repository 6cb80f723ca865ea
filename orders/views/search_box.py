"""The options below the search box, which are loaded while somebody types."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from orders import services
from orders.presenters.search_box import (
    MAX_ORDERS,
    SearchBoxOptions,
    search_box_orders,
    search_box_suggestions,
)
from orders.rights import Right
from orders.search import SearchTimeout, labels
from orders.search.completions import complete_last_word
from orders.viewer import Request

from .http import requires_right
from .list_request import ListRequest, parse_list_parameters
from .list_suggestions import suggest_lists

_MAX_NAMES = 5


@require_safe
@requires_right(Right.READ)
def search_box_options(request: Request) -> HttpResponse:
    """Return the options for the text of the box and the filters; 204 if the box is empty."""
    try:
        options = _options(parse_list_parameters(request.GET, viewer=request.viewer))
    except SearchTimeout:
        options = SearchBoxOptions(q=request.GET.get("q", "").strip(), note=TOO_BROAD)
    if not options.q:
        return HttpResponse(status=204)
    return render(request, "orders/box.html", {"box": options})


def _options(list_request: ListRequest) -> SearchBoxOptions:
    if not list_request.filters.q:
        return SearchBoxOptions(q="")
    text = list_request.filters.q
    completions = complete_last_word(
        text, names=lambda kind, part: labels.suggest_labels(kind, part, limit=_MAX_NAMES)
    )
    options = SearchBoxOptions(
        q=text, completions=completions, is_operator=bool(completions) and ":" in text.split()[-1]
    )
    if problems := list_request.interpretation.box.problems:
        return options if completions else replace(options, note=problems[0])
    return _with_orders(options, list_request)


def _with_orders(options: SearchBoxOptions, list_request: ListRequest) -> SearchBoxOptions:
    viewer = list_request.viewer
    found = services.find_orders(list_request.list_query.query, size=MAX_ORDERS, now=viewer.now)
    rows, links = search_box_orders(found, list_query=list_request.list_query, viewer=viewer)
    if rows:
        return replace(options, orders=rows, links=links)
    if list_request.interpretation.unknown_id:
        return replace(options, note=UNKNOWN_ID)
    suggestions = search_box_suggestions(suggest_lists(list_request), progress=viewer.sync_progress)
    return replace(options, **suggestions)


TOO_BROAD = "This search takes too long: add a date or a status."
UNKNOWN_ID = "This id is not in our copy of Goody’s orders. Enter asks Goody for it."
