"""Parses the request for a list, and builds the query of its parameters and its search box."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from uuid import UUID

from django.http import QueryDict

from orders.bulk.selection_parts import decode_positions
from orders.bulk.selections import get_selection
from orders.forms.listing import ListingForm
from orders.list_url import Filters, IndexPosition, LabelLookup, LivePosition
from orders.models import Finding
from orders.presenters.condition_texts import ConditionText, conditions_in_words
from orders.presenters.filter_bar import FilterBar, filter_bar
from orders.presenters.filter_form import FilterControls, make_filter_controls
from orders.presenters.index_list import ListQuery
from orders.rights import Right
from orders.search import labels
from orders.services import SearchInterpretation, common_labels, get_finding, interpret_search_text
from orders.viewer import Request, Viewer


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A parsed request for a list.

    `list_query` has the valid parameters, `errors` a sentence for each invalid one.
    """

    form: ListingForm
    viewer: Viewer
    label_id: LabelLookup
    interpretation: SearchInterpretation
    list_query: ListQuery
    finding: Finding | None

    @property
    def filters(self) -> Filters:
        return self.list_query.filters

    @property
    def errors(self) -> list[str]:
        return [*self.form.error_messages, *self.interpretation.box.problems]

    @property
    def is_valid(self) -> bool:
        return not (self.form.errors or self.interpretation.box.problems)

    @property
    def live_position(self) -> LivePosition:
        """Return the page of Goody's list; the first one if the URL has a position in the index."""
        position = self.form.cleaned_data.get("position")
        return position if isinstance(position, LivePosition) else LivePosition()

    def conditions(self) -> list[ConditionText]:
        return conditions_in_words(
            self.filters,
            box=self.interpretation.box,
            clock=self.viewer.clock,
            label_id=self.label_id,
            names=labels.find_label_name,
        )

    def filter_bar(self) -> FilterBar:
        return filter_bar(
            self.filters,
            box=self.interpretation.box,
            order=self.list_query.query.effective_sort,
            clock=self.viewer.clock,
            label_id=self.label_id,
            names=labels.find_label_name,
        )


def filter_controls(list_request: ListRequest) -> FilterControls:
    """Return the filter controls, in which invalid fields keep their typed text."""
    form = list_request.form
    return make_filter_controls(
        list_request.filters,
        order=list_request.list_query.query.effective_sort,
        has_best_match=bool(list_request.list_query.query.names),
        labels=common_labels(now=list_request.viewer.now),
        typed=form.data if form.errors else dict(list_request.filters.non_default_params()),
        wrong=form.errors,
    )


def parse_list_request(request: Request) -> ListRequest:
    """Return the parsed request. Raises SearchTimeout, FindingNotFound and SelectionNotFound."""
    return parse_list_parameters(request.GET, viewer=request.viewer)


def parse_list_parameters(parameters: QueryDict, *, viewer: Viewer) -> ListRequest:
    """Return the parsed parameters. Errors as in `parse_list_request`."""
    form = ListingForm(parameters)
    form.full_clean()
    filters = form.filters
    # The filters in words look up the same labels again.
    label_id = cache(labels.find_label_id)
    interpretation = interpret_search_text(filters.q, now=viewer.now, zone=viewer.zone)
    finding = _finding(filters, viewer)
    query = replace(
        filters.query(viewer.clock, label_id).merged_with(interpretation.box.query),
        may_search_messages=viewer.actor.may(Right.READ_MESSAGES),
        names=interpretation.box.names,
        sort=filters.sort,
        found=_named_orders(finding, filters, viewer),
    )
    position = form.cleaned_data.get("position")
    # A key belongs to one sort.
    is_valid = isinstance(position, IndexPosition) and position.sort in (None, query.effective_sort)
    list_query = ListQuery(filters=filters, query=query, position=position if is_valid else None)
    return ListRequest(form, viewer, label_id, interpretation, list_query, finding)


def _finding(filters: Filters, viewer: Viewer) -> Finding | None:
    if filters.finding is None:
        return None
    return get_finding(actor=viewer.actor, finding_id=filters.finding, now=viewer.now)


def _named_orders(finding: Finding | None, filters: Filters, viewer: Viewer) -> tuple[UUID, ...]:
    """Return the ids in the finding or the selection; in both of them if both are given."""
    found = finding.orders if finding else ()
    if filters.selection is None:
        return found
    selected = get_selection(
        actor=viewer.actor, selection_id=filters.selection, now=viewer.now
    ).order_ids
    if filters.part:
        selected = tuple(
            selected[at] for at in decode_positions(filters.part) if at < len(selected)
        )
    if finding is None:
        return selected
    return tuple(one for one in selected if one in set(found))
