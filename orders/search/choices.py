"""The products, brands, senders and workspaces that a list can be narrowed to, by name and by key.

A key is Goody's id, or of a sender the address: what an address of a page may hold, since the
index's own small ids are given out anew when it is rebuilt. Each question here has a second, as a
search has, and raises SearchTimeout past it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.models import QuerySet

from orders.models import Label
from orders.text import fold

from .deadline import SECONDS, deadline

_FIELDS = {
    "products": Label.Kind.PRODUCT,
    "brands": Label.Kind.BRAND,
    "senders": Label.Kind.SENDER,
    "workspaces": Label.Kind.WORKSPACE,
}


class Suggestion(NamedTuple):
    key: str
    name: str


def id_of(kind: str, key: str) -> int | None:
    """The small id of what has this key; None where nothing has."""
    named = Label.objects.filter(kind=kind, key__in={key, fold(key)}).order_by("pk")
    return next(iter(_asked(named.values_list("pk", flat=True)[:1])), None)


def name_of(field: str, pk: int) -> str:
    """As `wording.Names`: the name of a row that a field of Query names."""
    labels = Label.objects.filter(kind=_FIELDS[field], pk=pk)
    names = (text for row in _asked(labels.values_list("name", "key")) for text in row)
    return next(filter(None, names), "one that is not there any more")


def keys_of(ids: Iterable[int]) -> dict[int, str]:
    """What the rows with these small ids are called in a URL."""
    return dict(_asked(Label.objects.filter(pk__in=list(ids)).values_list("pk", "key")))


def suggest(kind: str, text: str, *, limit: int) -> list[Suggestion]:
    """Those whose name holds the text, by name."""
    named = Label.objects.filter(kind=kind).exclude(name="").order_by("folded", "pk")
    if folded := fold(text):
        named = named.filter(folded__contains=folded)
    return [Suggestion(*row) for row in _asked(named.values_list("key", "name")[:limit])]


def _asked[T](labels: QuerySet[Any, T]) -> list[T]:
    with deadline(SECONDS) as given:
        return given.all(labels)
