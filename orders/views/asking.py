"""What a request for the list asks: the parameters of its URL, and what is meant by them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from django.http import HttpRequest, QueryDict

from orders.audit import Right
from orders.forms.filters import Filters, Reading
from orders.forms.listing import ListingForm
from orders.forms.positions import Place, Position
from orders.models import Finding
from orders.presenters.found import Asked
from orders.search import choices
from orders.services import Interpretation, get_finding, interpret
from orders.viewer import Viewer

from .fragments import source_of

BOX = "q"


@dataclass(frozen=True, slots=True)
class Question:
    """`asked` holds what could be read where `sentences` say that something could not.

    `is_typing`: asked by the box after each pause, not by somebody who has finished.
    """

    form: ListingForm
    reading: Reading
    understood: Interpretation
    asked: Asked
    finding: Finding | None
    is_typing: bool

    @property
    def filters(self) -> Filters:
        return self.asked.filters

    @property
    def sentences(self) -> list[str]:
        return [*self.form.sentences, *self.understood.box.problems]

    @property
    def is_clear(self) -> bool:
        """Can it be answered? Half an operator is no mistake while it is being typed."""
        return not self.form.errors and (self.is_typing or not self.understood.box.problems)

    @property
    def position(self) -> Position:
        """The page of Goody's list: the first one where the URL names a place of the other kind."""
        place = self.form.cleaned_data.get("position")
        return place if isinstance(place, Position) else Position()


def read_question(request: HttpRequest) -> Question:
    """Raises SearchTimeout, and FindingNotFound."""
    return ask(request.GET, viewer=request.viewer, is_typing=source_of(request) == BOX)


def ask(parameters: QueryDict, *, viewer: Viewer, is_typing: bool = False) -> Question:
    """What a list with these parameters is asked. Raises as read_question."""
    form = ListingForm(parameters)
    form.full_clean()
    filters = form.filters
    finding = _finding_of(filters, viewer)
    # The words above the list ask for the same ones again.
    reading = Reading(viewer.now, viewer.zone, cache(choices.id_of))
    understood = interpret(filters.q, now=viewer.now, zone=viewer.zone)
    query = replace(
        filters.query(reading).merged(understood.box.query),
        may_search_messages=viewer.actor.may(Right.READ_MESSAGES),
        names=understood.box.names,
        sort=filters.sort,
        found=finding.orders if finding else (),
    )
    place = form.cleaned_data.get("position")
    # A key is a place in one sort only.
    is_of_this_list = isinstance(place, Place) and place.sort in (None, query.order)
    asked = Asked(filters=filters, query=query, place=place if is_of_this_list else None)
    return Question(form, reading, understood, asked, finding, is_typing)


def _finding_of(filters: Filters, viewer: Viewer) -> Finding | None:
    if filters.finding is None:
        return None
    return get_finding(actor=viewer.actor, finding_id=filters.finding, now=viewer.now)
