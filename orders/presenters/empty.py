"""Why a list from the index shows no row: different things, each with a way on."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.urls import reverse

from orders.forms.filters import Filters

from .filters import Filter
from .found import Asked
from .freshness import Freshness
from .pages import Empty, Link


def why(
    asked: Asked, active: Sequence[Filter], freshness: Freshness, *, unknown_id: UUID | None
) -> Empty:
    """Nothing was found. `active` is what was looked for, in words; `unknown_id` an id in the box
    that Goody may know.
    """
    if unknown_id is not None:
        return Empty(
            title="This id is not in our copy of Goody's orders",
            sentence="Goody may know it.",
            links=[Link("Ask Goody for this id", reverse("order_detail", args=[unknown_id]))],
        )
    if asked.place is not None and asked.place.key is not None:
        return Empty(
            title="There are no more orders",
            sentence="Those that were here have moved, or do not match any more.",
            links=[Link("First page", asked.filters.url())],
        )
    if active:
        return _no_match(asked.filters, active)
    if freshness.is_complete:
        return Empty(
            title="There are no orders yet",
            sentence="This account has none. Gifts that are sent appear here.",
        )
    return Empty(
        title="No order has been imported yet",
        sentence="What is searched, filtered and sorted is a copy of Goody's orders, which is "
        "empty so far.",
        links=[Link("All orders as Goody lists them", Filters().url())],
    )


def _no_match(filters: Filters, active: Sequence[Filter]) -> Empty:
    links = []
    if len(active) > 1:
        alone = Filters(q=filters.q, per_page=filters.per_page)
        if filters.q and alone != filters:
            links.append(Link("Search among all orders", alone.url()))
        links += [Link(f"Without {one.text}", one.remove_url) for one in active]
    else:
        links.append(Link("Drop the filter", filters.cleared().url()))
    return Empty(
        title=f"No order matches “{filters.q}”" if filters.q else "No order matches",
        sentence=f"Looked for: {'; '.join(one.text for one in active)}.",
        links=links,
    )


def too_broad(filters: Filters) -> Empty:
    """The search would have taken too long: nothing is known of what it would have found."""
    return Empty(
        title="Too broad: add a date or a status",
        sentence="This search goes through too many orders to be answered at once.",
        links=[Link("All orders", filters.cleared().url())],
    )


def not_at_goody_either(order_id: UUID) -> Empty:
    return Empty(
        title="Goody does not know it either",
        sentence=f"No order with the id {order_id} is in our copy, and Goody was asked just now. "
        "Is this the right environment, and was the id copied whole?",
        links=[Link("All orders", Filters().url())],
    )


def goody_not_asked(order_id: UUID, reason: str) -> Empty:
    """`reason` is the start of a sentence."""
    return Empty(
        title="This id is not in our copy, and Goody could not be asked",
        sentence=f"{reason}.",
        links=[Link("Ask again", reverse("order_detail", args=[order_id]))],
    )
