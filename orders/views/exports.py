"""A list as a file."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from orders import formats, services
from orders.audit import Right
from orders.presenters.filters import filters_in_words
from orders.presenters.table import table
from orders.search import choices

from .answers import SeeOther
from .asking import Question, read_question
from .permissions import requires


@require_GET
@requires(Right.EXPORT)
def order_export(request: HttpRequest) -> HttpResponseBase:
    """All pages of the list with the same parameters, streamed."""
    question = read_question(request)
    if not question.is_clear:
        # Where what is wrong is said.
        return SeeOther(f"{reverse('order_list')}?{request.GET.urlencode()}")
    viewer = request.viewer
    intent = services.start_export(actor=viewer.actor, filters=_in_words(question), now=viewer.now)
    hits = services.export_orders(intent, question.asked.query, now=viewer.now)
    return StreamingHttpResponse(
        table(hits),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{_name(request)}"'},
    )


def _in_words(question: Question) -> str:
    active = filters_in_words(
        question.filters,
        box=question.understood.box,
        reading=question.reading,
        names=choices.name_of,
    )
    return "; ".join(one.text for one in active) or "All orders"


def _name(request: HttpRequest) -> str:
    viewer = request.viewer
    return f"orders-{formats.in_zone(viewer.now, viewer.zone):%Y-%m-%d}.csv"
