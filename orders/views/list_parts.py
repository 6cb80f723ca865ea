"""Parts of the list from the index that are asked for on their own: counts, news, names."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from orders.audit import Right
from orders.models import Label
from orders.presenters.facets import counts, top_lists
from orders.presenters.watching import BadToken, make_news, read_token
from orders.search import SearchTimeout, choices, facets, find_page

from .asking import read_question
from .lists import TEMPLATE
from .permissions import requires

_MOST_NAMES = 30


@require_safe
@requires(Right.READ)
def order_facets(request: HttpRequest) -> HttpResponse:
    """How many orders each choice of a filter would leave; what takes too long is left out."""
    try:
        question = read_question(request)
        found = facets(
            question.asked.query, now=request.viewer.now, seconds=settings.COUNTS_DEADLINE
        )
        named = (*found.workspaces, *found.senders, *found.brands, *found.products)
        keys = choices.keys_of(one.id for one in named)
    except SearchTimeout:
        return HttpResponse(status=204)
    context = {
        "counts": counts(found),
        "tops": top_lists(found, filters=question.filters, keys=keys),
    }
    return render(request, f"{TEMPLATE}#facets", context)


@require_safe
@requires(Right.READ)
def order_changes(request: HttpRequest) -> HttpResponse:
    """What has changed since a page was shown.

    Asked from time to time by the page, with what it showed. It is never changed by itself.
    """
    try:
        question = read_question(request)
        asked = question.asked
        seen = read_token(request.GET.get("seen", ""))
        page = find_page(
            asked.query,
            size=asked.filters.per_page,
            now=request.viewer.now,
            at=asked.place.key if asked.place else None,
            backwards=bool(asked.place and asked.place.is_backwards),
        )
    except (BadToken, SearchTimeout):
        return HttpResponse(status=204)
    context = {
        "news": make_news(seen, page.hits).text,
        "url": asked.url,
        "watch_url": request.get_full_path(),
    }
    return render(request, f"{TEMPLATE}#news", context)


@require_safe
@requires(Right.READ)
def order_choices(request: HttpRequest, kind: str) -> HttpResponse:
    """Names that hold what is typed beside them in a filter; none where that takes too long."""
    if kind not in Label.Kind.values:
        raise Http404
    try:
        names = choices.suggest(kind, request.GET.get(kind, ""), limit=_MOST_NAMES)
    except SearchTimeout:
        return HttpResponse(status=204)
    return render(request, f"{TEMPLATE}#choices", {"choices": names})
