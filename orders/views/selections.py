"""Selections of orders for a bulk action, and the preview of the action."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from orders import services
from orders.bulk import JobParams, selections
from orders.bulk.limits import BulkLimitReached, read_bulk_limit
from orders.bulk.preview import BulkParameters, ExtensionRule, Plan, make_plan
from orders.bulk.selections import NothingSelected, TooManySelected
from orders.bulk.submit import job_of_selection, submit_plan
from orders.forms.selections import (
    BulkCancelForm,
    BulkExtensionForm,
    ConfirmForm,
    PlanForm,
    SelectionForm,
)
from orders.list_url import Filters
from orders.models import Job, Selection
from orders.presenters.bulk_bar import match_count_text
from orders.presenters.bulk_preview import make_preview, needs_typed_count
from orders.presenters.elements import Banner
from orders.rights import Right
from orders.search import SearchTimeout
from orders.services import FormKeyReused
from orders.viewer import Request, Viewer

from .errors import ErrorPage, render_error_page
from .http import (
    HttpResponseSeeOther,
    render_page_or_partial,
    requires_right,
    suppress_response_log,
)
from .list_request import ListRequest, parse_list_parameters

TEMPLATE = "bulk/preview.html"
_FRAGMENTS = {"plan": "plan"}


@require_POST
@requires_right(Right.BULK)
def selection_create(request: Request) -> HttpResponseBase:
    """Store the checked orders, or all that match the list, and redirect to the preview."""
    form = SelectionForm(request.POST)
    if not form.is_valid():
        return _refused(request, "", "The orders could not be selected", _first_error(form))
    data = form.cleaned_data
    list_request = parse_list_parameters(QueryDict(data["query"]), viewer=request.viewer)
    if not list_request.is_valid:
        list_url = f"{reverse('order_list')}?{data['query']}"
        return _refused(
            request, list_url, "The list could not be read", " ".join(list_request.errors)
        )
    progress = request.viewer.sync_progress
    if data["all"] and (progress.is_refolding or not progress.is_complete):
        return _refused(
            request,
            list_request.filters.url(),
            "Not every order that matches is known yet",
            "The copy of Goody's orders is not complete. Tick the orders, or try again later.",
        )
    try:
        selection = _freeze(request.viewer, list_request, data)
    except TooManySelected as error:
        return _refused(
            request,
            list_request.filters.url(),
            f"More than {error.limit:,} orders match",
            f"At most {error.limit:,} orders can be changed at once. Narrow the list, for example "
            "by a batch or by days of expiration.",
        )
    except NothingSelected:
        return _refused(
            request,
            list_request.filters.url(),
            "No order is selected",
            "Tick the boxes of the orders, or choose all that match.",
        )
    return HttpResponseSeeOther(_next_url(selection))


def _freeze(viewer: Viewer, list_request: ListRequest, data: dict[str, Any]) -> Selection:
    conditions = "; ".join(one.text for one in list_request.conditions()) or "All orders"
    list_url = list_request.filters.url()
    if data["all"]:
        return selections.freeze_matching(
            actor=viewer.actor,
            action=data["action"],
            query=list_request.list_query.query,
            description=f"All that match: {conditions}",
            list_url=list_url,
            now=viewer.now,
        )
    return selections.freeze_orders(
        actor=viewer.actor,
        action=data["action"],
        order_ids=data["order"],
        description=f"Selected in the list: {conditions}",
        list_url=list_url,
        now=viewer.now,
    )


def _next_url(selection: Selection) -> str:
    if selection.action == Selection.Action.EXPORT:
        return Filters(selection=selection.pk).url(name="order_export")
    return reverse("selection", args=[selection.pk])


@require_safe
@requires_right(Right.BULK)
def selection_count(request: Request) -> HttpResponse:
    """Return the number of orders that match a list.

    The response is 204 if counting takes too long, or if a filter is invalid (such a list is
    empty).
    """
    list_request = parse_list_parameters(request.GET, viewer=request.viewer)
    if not list_request.is_valid:
        return HttpResponse(status=204)
    limit: int = settings.BULK_MAX_ORDERS
    try:
        order_ids = services.matching_order_ids(
            list_request.list_query.query, limit=limit + 1, now=request.viewer.now
        )
    except SearchTimeout:
        return HttpResponse(status=204)
    return HttpResponse(match_count_text(len(order_ids)), content_type="text/plain; charset=utf-8")


def _first_error(form: SelectionForm) -> str:
    return next(str(error) for errors in form.errors.values() for error in errors)


def _refused(request: Request, list_url: str, title: str, sentence: str) -> HttpResponse:
    page = ErrorPage(
        422,
        title,
        f"{sentence} Nothing was stored or sent.",
        link_url=list_url or reverse("order_list"),
        link_label="Back to the list" if list_url else "All orders",
        tone="warn",
    )
    return suppress_response_log(render_error_page(request, page))


@require_http_methods(["GET", "HEAD", "POST"])
@requires_right(Right.BULK)
def selection(request: Request, selection_id: UUID) -> HttpResponseBase:
    """Show the preview of a bulk action on the selected orders; a POST starts the action."""
    viewer = request.viewer
    selection = selections.get_selection(
        actor=viewer.actor, selection_id=selection_id, now=viewer.now
    )
    if selection.action == Selection.Action.EXPORT:
        # A download has no preview.
        return HttpResponseSeeOther(_next_url(selection))
    job = job_of_selection(selection)
    if job is not None and request.method == "POST":
        return HttpResponseSeeOther(_job_url(job))
    if request.method == "POST":
        return _submit(request, selection)
    form = _plan_form(request.GET, viewer)
    plan = _plan(selection, form, viewer, as_of=viewer.now)
    return _show(request, selection, plan, form, as_of=viewer.now, job=job)


def _plan_form(parameters: QueryDict, viewer: Viewer) -> PlanForm:
    form = PlanForm(parameters, dates=viewer.date_reader(None))
    form.full_clean()
    return form


def _plan(selection: Selection, form: PlanForm, viewer: Viewer, *, as_of: datetime) -> Plan:
    data, rule = form.cleaned_data, _rule(form, selection, viewer, as_of=as_of)
    parameters = BulkParameters(
        action=Selection.Action(selection.action),
        zone=viewer.zone,
        rule=rule,
        may_shorten=data.get("may_shorten", False),
        with_changed=data.get("with_changed", False),
    )
    return make_plan(selection, parameters, now=viewer.now)


def _rule(
    form: PlanForm, selection: Selection, viewer: Viewer, *, as_of: datetime
) -> ExtensionRule | None:
    if selection.action != Selection.Action.EXTEND or selection.undoes_id is not None:
        return None
    data = form.cleaned_data
    return ExtensionRule(zone=viewer.zone, now=as_of, preset=data["preset"], date=data["date"])


def _submit(request: Request, selection: Selection) -> HttpResponseBase:
    """Start the action as previewed; show the preview again if the plan has changed."""
    viewer = request.viewer
    form = _plan_form(request.POST, viewer)
    as_of = form.submitted_as_of(viewer.now)
    plan = _plan(selection, form, viewer, as_of=as_of or viewer.now)
    confirm = _confirm_form(request, selection, plan)
    if as_of is None or plan.digest != form.cleaned_data.get("digest"):
        return _show(
            request, selection, plan, form, as_of=viewer.now, confirm=confirm, banner=_CHANGED
        )
    if not confirm.is_valid() or form.has_invalid_date or not plan.included:
        return _show(request, selection, plan, form, as_of=as_of, confirm=confirm)
    try:
        job = submit_plan(
            actor=viewer.actor,
            selection=selection,
            plan=plan,
            params=_params(confirm, form, selection, viewer, as_of=as_of),
            now=viewer.now,
        )
    except BulkLimitReached:
        return _show(request, selection, plan, form, as_of=as_of, confirm=confirm)
    except FormKeyReused:
        job = Job.objects.get(form_key=selection.pk)
    return HttpResponseSeeOther(_job_url(job))


def _params(
    confirm: ConfirmForm, form: PlanForm, selection: Selection, viewer: Viewer, *, as_of: datetime
) -> JobParams:
    data = confirm.cleaned_data
    if selection.action == Selection.Action.CANCEL:
        return JobParams(reason=data["reason"], note=data["note"], ticket=data["ticket"])
    rule = _rule(form, selection, viewer, as_of=as_of)
    return JobParams(
        note=data["reason"],
        ticket=data["ticket"],
        rule=rule.in_words if rule else "Each back to its former expiration",
        may_shorten=form.cleaned_data["may_shorten"] or rule is None,
    )


def _job_url(job: Job) -> str:
    return reverse("job", args=[job.pk])


def _started(job: Job | None) -> Banner | None:
    if job is None:
        return None
    return Banner(
        tone="info",
        title=f"Job {job.number} was started with this selection",
        sentence="Select the orders again for another job.",
        link_url=_job_url(job),
        link_label="See how it stands",
    )


_CHANGED = Banner(
    tone="warn",
    title="What would be done has changed since this page was shown",
    sentence="Nothing was started. Below is what would be done now.",
    next_step="Look at it, and confirm it again.",
)


def _confirm_form(request: Request, selection: Selection, plan: Plan) -> ConfirmForm:
    kind = BulkCancelForm if selection.action == Selection.Action.CANCEL else BulkExtensionForm
    return kind(
        request.POST if request.method == "POST" else None,
        count=len(plan.included),
        must_type=needs_typed_count(plan, selection),
    )


def _show(
    request: Request,
    selection: Selection,
    plan: Plan,
    form: PlanForm,
    *,
    as_of: datetime,
    confirm: ConfirmForm | None = None,
    banner: Banner | None = None,
    job: Job | None = None,
) -> HttpResponse:
    viewer = request.viewer
    bulk_limit = read_bulk_limit(viewer.actor, Selection.Action(selection.action), now=viewer.now)
    page = make_preview(
        selection,
        plan,
        form,
        bulk_limit=bulk_limit,
        as_of=as_of,
        viewer=viewer,
        banner=_started(job) or banner,
        is_started=job is not None,
    )
    context = {
        "preview": page,
        "rule": form,
        "form": confirm or _confirm_form(request, selection, plan),
    }
    status = 422 if confirm is not None else 200
    response = render_page_or_partial(request, TEMPLATE, context, _FRAGMENTS, status=status)
    if request.method != "POST":
        response["HX-Replace-Url"] = page.address
    return response
