"""What stands above the list: saved views, what was found of a pasted text, the download."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from orders import services
from orders.audit import Right
from orders.presenters.findings import found_in_words
from orders.presenters.saved_views import make_view_bar
from orders.search.paste import recognize

from .asking import Question


def tools(request: HttpRequest, question: Question, *, is_indexed: bool) -> dict[str, Any]:
    """For the context of the list's template. `is_indexed`: not Goody's own list."""
    viewer, filters, finding = request.viewer, question.filters, question.finding
    actor = viewer.actor
    may_export = is_indexed and actor.may(Right.EXPORT)
    return {
        "views": make_view_bar(services.views_for_list_page(actor), filters, actor=actor),
        "found": found_in_words(finding, zone=viewer.zone) if finding else None,
        "is_ticket": finding is None and recognize(filters.q).is_many,
        "export_url": filters.url(name="order_export") if may_export else "",
    }
