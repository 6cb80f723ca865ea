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


def _options(wanted: ListRequest) -> SearchBoxOptions:
    if not wanted.filters.q:
        return SearchBoxOptions(q="")
    text = wanted.filters.q
    completions = complete_last_word(
        text, names=lambda kind, part: labels.suggest_labels(kind, part, limit=_MAX_NAMES)
    )
    options = SearchBoxOptions(
        q=text, completions=completions, is_operator=bool(completions) and ":" in text.split()[-1]
    )
    if problems := wanted.interpretation.box.problems:
        return options if completions else replace(options, note=problems[0])
    return _with_orders(options, wanted)


def _with_orders(options: SearchBoxOptions, wanted: ListRequest) -> SearchBoxOptions:
    viewer = wanted.viewer
    found = services.find_orders(wanted.list_query.query, size=MAX_ORDERS, now=viewer.now)
    rows, links = search_box_orders(found, list_query=wanted.list_query, viewer=viewer)
    if rows:
        return replace(options, orders=rows, links=links)
    if wanted.interpretation.unknown_id:
        return replace(options, note=UNKNOWN_ID)
    suggestions = search_box_suggestions(suggest_lists(wanted), progress=viewer.sync_progress)
    return replace(options, **suggestions)


TOO_BROAD = "This search takes too long: add a date or a status."
UNKNOWN_ID = "This id is not in our copy of Goody’s orders. Enter asks Goody for it."
