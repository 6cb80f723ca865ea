"""What is put beside an order out of the index. Nothing of it is waited for: without it the page
is the same.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.http import QueryDict
from django.urls import reverse

from goody.types import Order
from orders import search, sync
from orders.presenters.beside import RelatedOrders, Walk, make_likes, make_walk
from orders.presenters.detail import Reader
from orders.search import SearchTimeout
from orders.services import FindingNotFound
from orders.viewer import Viewer

from .asking import Question, ask


def walk_of(list_url: str, order_id: UUID, *, viewer: Viewer, reader: Reader) -> Walk | None:
    """The order's place in the list at that address; None where it has none that is known."""
    try:
        question = _question(list_url, viewer)
        if question is None:
            return None
        found = search.neighbors(
            question.asked.query, order_id, now=reader.now, seconds=settings.BESIDE_DEADLINE
        )
    except (SearchTimeout, FindingNotFound):
        return None
    return make_walk(found, reader=reader) if found else None


def likes_of(order: Order, *, reader: Reader) -> list[RelatedOrders]:
    """Orders of the same batch, to the same address, from the same sender."""
    try:
        found = search.related(order.id, now=reader.now, seconds=settings.BESIDE_DEADLINE)
    except SearchTimeout:
        return []
    return make_likes(found, order, reader=reader) if found else []


def _question(list_url: str, viewer: Viewer) -> Question | None:
    """What the list is asked, None for what is none or is not from the index."""
    path, _, parameters = list_url.partition("#")[0].partition("?")
    if path != reverse("order_list"):
        return None
    question = ask(QueryDict(parameters), viewer=viewer)
    if not question.is_clear:
        return None
    is_goodys = question.filters.is_only_a_window and not sync.progress(viewer.now).is_complete
    return None if is_goodys else question
