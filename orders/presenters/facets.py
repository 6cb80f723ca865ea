"""Counts beside the choices of the filters: texts, and the places on the page where they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from goody.types import ENDED
from orders.forms.filters import Filters
from orders.search import Count, Facets, Named

# What the index calls a flag, and the parameter that asks for it.
_FLAGS = {
    "is_swapped": "swapped",
    "is_payment_pending": "payment",
    "has_delivery_trouble": "delivery",
}


class Counted(NamedTuple):
    """A count, and the id of the element that it fills."""

    id: str
    text: str


class Top(NamedTuple):
    """One of the commonest names, and the list narrowed to it."""

    label: str
    under: str
    count: str
    url: str
    chosen: str


@dataclass(frozen=True, slots=True)
class TopList:
    id: str
    items: Sequence[Top]


def in_words(count: Count) -> str:
    return f"{count.n:,}{'+' if count.is_capped else ''}"


def counts(facets: Facets) -> list[Counted]:
    """The ended statuses are one choice, and so is their count."""
    statuses = {name: one for name, one in facets.statuses.items() if name != ENDED[1]}
    flags = {_FLAGS[name]: one for name, one in facets.flags.items()}
    return [
        *_counted("n-status-", statuses),
        *_counted("n-expires-", facets.expires),
        *_counted("n-", flags),
    ]


def _counted(prefix: str, given: Mapping[str, Count]) -> list[Counted]:
    return [Counted(f"{prefix}{name}", in_words(count)) for name, count in given.items()]


def top_lists(facets: Facets, *, filters: Filters, keys: Mapping[int, str]) -> list[TopList]:
    """`keys` are what the URL calls the names, by their small ids."""
    return [
        TopList(f"top-{kind}", [_top(kind, one, filters, keys) for one in named if one.id in keys])
        for kind, named in (
            ("workspace", facets.workspaces),
            ("sender", facets.senders),
            ("brand", facets.brands),
            ("product", facets.products),
        )
    ]


def _top(kind: str, named: Named, filters: Filters, keys: Mapping[int, str]) -> Top:
    key = keys[named.id]
    is_chosen = getattr(filters, kind) == key
    url = filters.but(**{kind: "" if is_chosen else key}).url()
    label, under = named.name or key, ""
    if kind == "sender":
        # By name and address.
        label, _, rest = label.partition(" <")
        under = rest.removesuffix(">")
    return Top(label, under, in_words(named.count), url, "true" if is_chosen else "")
