"""Labels: names of products, brands, senders and workspaces, and ids of cards, that orders share.

Searches use a copy that each process keeps (`current_labels`). The token of LabelVersion, read once
per search, shows whether the copy is out of date. The filters of a list query the database
(`suggest_labels`, `find_label_id`, ...). The key of a label is Goody's id or, for a sender, the
e-mail address. URLs contain keys, because the row ids change when the index is rebuilt.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

from django.db.models import QuerySet

from orders.models import Label
from orders.text import MAX_WORD_START_LENGTH, fold_text, folded_words, is_word_start, word_starts

from .deadline import SEARCH_SECONDS, SearchDeadline, time_limit

_SEPARATOR = "\n"
_KINDS = {
    "products": Label.Kind.PRODUCT,
    "brands": Label.Kind.BRAND,
    "senders": Label.Kind.SENDER,
    "workspaces": Label.Kind.WORKSPACE,
    "cards": Label.Kind.CARD,
}


class FoldedLabelNames:
    """The folded names of the labels of one kind, for searching."""

    def __init__(self, rows: Iterable[tuple[int, str]]) -> None:
        self._ids: list[int] = []
        self._folded: list[str] = []
        for pk, folded in rows:
            self._ids.append(pk)
            self._folded.append(folded)
        # Searching one long text is a hundred times faster than many short ones.
        self._text = _SEPARATOR.join(self._folded)
        self._ends = list(accumulate(len(one) + 1 for one in self._folded))

    def ids_matching(self, word: str) -> list[int]:
        """Return the ids of labels whose name contains the folded word.

        One or two letters match only the start of a word.
        """
        return self._starting(word) if is_word_start(word) else list(self.ids_containing(word))

    def ids_containing(self, text: str) -> Iterator[int]:
        """Yield the ids of labels whose name contains the folded text."""
        at = self._text.find(text)
        while at >= 0:
            which = bisect_right(self._ends, at)
            yield self._ids[which]
            at = self._text.find(text, self._ends[which])

    def _starting(self, text: str) -> list[int]:
        found = [self._with_start(start) for start in folded_words(text)]
        return sorted(set.intersection(*found))

    def _with_start(self, start: str) -> set[int]:
        if len(start) == MAX_WORD_START_LENGTH:
            return self._starts.get(start, set())
        found = (ids for key, ids in self._starts.items() if key.startswith(start))
        return set().union(*found)

    @cached_property
    def _starts(self) -> dict[str, set[int]]:
        starts: dict[str, set[int]] = defaultdict(set)
        for pk, folded in zip(self._ids, self._folded, strict=True):
            for start in word_starts(folded):
                starts[start].add(pk)
        return starts


@dataclass(frozen=True)
class Labels:
    """All labels of one version; `names` maps row ids to names."""

    products: FoldedLabelNames
    brands: FoldedLabelNames
    senders: FoldedLabelNames
    workspaces: FoldedLabelNames
    cards: FoldedLabelNames
    names: dict[int, str] = field(repr=False)


# The latest labels, by their token.
_kept: dict[str, Labels] = {}


def current_labels(deadline: SearchDeadline) -> Labels:
    """Return all labels as of the start of the search."""
    if deadline.labels is None:
        deadline.labels = _current(deadline)
    found: Labels = deadline.labels
    return found


def _current(deadline: SearchDeadline) -> Labels:
    token = _token(deadline)
    labels = _kept.get(token)
    if labels is None:
        labels = _read(deadline, token)
        _kept.clear()
        _kept[token] = labels
    return labels


def _token(deadline: SearchDeadline) -> str:
    rows = deadline.fetch_rows("SELECT token FROM orders_labelversion WHERE id = 1")
    return rows[0][0] if rows else ""


def _read(deadline: SearchDeadline, token: str) -> Labels:
    kinds: dict[str, list[tuple[int, str]]] = defaultdict(list)
    names: dict[int, str] = {}
    sql = "SELECT kind, id, name, folded FROM orders_label ORDER BY id"
    for kind, pk, name, folded in deadline.fetch_rows(sql) if token else ():
        kinds[kind].append((pk, folded))
        names[pk] = name
    by_field = {field_: FoldedLabelNames(kinds[kind]) for field_, kind in _KINDS.items()}
    return Labels(**by_field, names=names)


class LabelSuggestion(NamedTuple):
    key: str
    name: str


def find_label_id(kind: str, key: str) -> int | None:
    """Return the row id of the label with this key, or None. Raises SearchTimeout."""
    named = Label.objects.filter(kind=kind, key__in={key, fold_text(key)}).order_by("pk")
    return next(iter(_rows(named.values_list("pk", flat=True)[:1])), None)


def find_label_name(field_: str, pk: int) -> str:
    """Return the name of a label by the Query field and row id. Raises SearchTimeout."""
    named = Label.objects.filter(kind=_KINDS[field_], pk=pk)
    names = (text for row in _rows(named.values_list("name", "key")) for text in row)
    return next(filter(None, names), "one that is not there any more")


def find_label_keys(ids: Iterable[int]) -> dict[int, str]:
    """Return the keys of labels by row id. Raises SearchTimeout."""
    return dict(_rows(Label.objects.filter(pk__in=list(ids)).values_list("pk", "key")))


def suggest_labels(kind: str, text: str, *, limit: int) -> list[LabelSuggestion]:
    """Return up to `limit` labels whose name contains the text, by name. Raises SearchTimeout."""
    named = Label.objects.filter(kind=kind).exclude(name="").order_by("folded", "pk")
    if folded := fold_text(text):
        named = named.filter(folded__contains=folded)
    return [LabelSuggestion(*row) for row in _rows(named.values_list("key", "name")[:limit])]


def _rows[T](queryset: QuerySet[Any, T]) -> list[T]:
    with time_limit(SEARCH_SECONDS) as deadline:
        return deadline.fetch_all(queryset)
