"""Choosing the columns of the list."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.views.decorators.http import require_http_methods

from orders.audit import Right
from orders.list_columns import (
    DEFAULT_COLUMNS,
    Columns,
    move_column,
    parse_columns,
    serialize_columns,
)
from orders.models import Profile
from orders.presenters.columns import column_choices, shown_columns
from orders.viewer import Request

from .http import HttpResponseSeeOther, render_page_or_partial, requires_right
from .list_request import parse_list_request

_STEPS = {"up": -1, "down": 1}


@require_http_methods(["GET", "HEAD", "POST"])
@requires_right(Right.READ)
def order_columns(request: Request) -> HttpResponseBase:
    """Show the columns of the list in the URL, or show that list with other columns.

    They become the person's own columns, except in a saved view, which keeps its own. Without the
    page's script, each button that moves a column submits the form, which is then shown again.
    """
    filters = parse_list_request(request).filters
    if request.method != "POST":
        return _show(request, shown_columns(filters, request.viewer.profile))
    posted = _posted(request, "columns") or DEFAULT_COLUMNS
    order = _posted(request, "order")
    for button, by in _STEPS.items():
        if (name := request.POST.get(button)) in order:
            return _show(request, posted, order=move_column(order, str(name), by=by))
    chosen = DEFAULT_COLUMNS if "reset" in request.POST else posted
    if filters.view is not None:
        # Named even if they are the default ones: without them, the list has the person's own.
        return HttpResponseSeeOther(filters.replace(columns=",".join(chosen)).url())
    Profile.objects.choose_columns(request.viewer.profile, serialize_columns(chosen))
    return HttpResponseSeeOther(filters.replace(columns="").url())


def _posted(request: Request, name: str) -> Columns:
    return parse_columns(",".join(request.POST.getlist(name)))


def _show(request: Request, shown: Columns, *, order: Columns = ()) -> HttpResponse:
    filters = parse_list_request(request).filters
    context = {
        "choices": column_choices(shown, order=order),
        "form_url": filters.url(name="order_columns"),
        "list_url": filters.url(),
        "is_of_view": filters.view is not None,
    }
    return render_page_or_partial(
        request, "orders/columns.html", context, {"columns-panel": "panel"}
    )
