"""The form of a list's filters: its controls and the counts of their options."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from django.urls import reverse

from goody.types import ENDED, ORDER_STATUSES
from orders.forms.listing import LABELS
from orders.list_url import CREATED_LABELS, EXPIRY_LABELS, FLAG_VALUES, Filters
from orders.search import CommonLabels, FacetCounts, MatchCount
from orders.search.query import Sort

from .condition_texts import SORT_NAMES
from .status import status_badge


class FilterField(NamedTuple):
    """A text control.

    `value` is the text as typed, even if it is invalid. `names_url` returns suggestions.
    """

    name: str
    label: str
    value: str
    wrong: str
    names_url: str


class FilterOption(NamedTuple):
    """An option of a filter. `count_id` is the id of the element that shows its count."""

    name: str
    value: str
    label: str
    chosen: str
    count_id: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterControls:
    statuses: Sequence[FilterOption]
    expires_presets: Sequence[FilterOption]
    created_presets: Sequence[FilterOption]
    flags: Sequence[tuple[str, Sequence[FilterOption]]]
    expires: Sequence[FilterField]
    created: Sequence[FilterField]
    workspace: Sequence[FilterField]
    sender: Sequence[FilterField]
    batch: Sequence[FilterField]
    product: Sequence[FilterField]
    brand: Sequence[FilterField]
    names: Mapping[str, CommonNames]
    sorts: Sequence[FilterOption]
    # Parameters without a control.
    hidden: Sequence[tuple[str, str]]


_NAMED = ("workspace", "sender", "product", "brand")
_FLAG_LABELS = {
    "attention": ("Attention", "Needs attention", "Needs no attention"),
    "delivery": ("Delivery", "Delivery in trouble", "No delivery in trouble"),
    "payment": ("Payment", "Payment pending", "Payment not pending"),
    "swapped": ("Swap", "Swapped for something else", "Not swapped"),
}
# Counted for all of them, apart from this one.
_UNCOUNTED_FLAG = "attention"
_HIDDEN = (
    *("q", "finding", "selection", "part", "expires", "created", "view", "columns", "sort"),
    "per_page",
)


def make_filter_controls(
    filters: Filters,
    *,
    order: Sort,
    has_best_match: bool,
    labels: CommonLabels,
    typed: Mapping[str, Any],
    wrong: Collection[str] = (),
) -> FilterControls:
    """Return the controls of the form.

    `order` is the sort of the list, `typed` the text of the fields, `wrong` the names of invalid
    fields. `has_best_match`: the words of the search may be a full name.
    """

    def fields(*wanted: str) -> list[FilterField]:
        return [_field(name, typed.get(name, ""), is_wrong=name in wrong) for name in wanted]

    return FilterControls(
        statuses=_statuses(filters),
        expires_presets=_presets(filters, "expires", EXPIRY_LABELS),
        created_presets=_presets(filters, "created", CREATED_LABELS),
        flags=[_flag(filters, name) for name in _FLAG_LABELS],
        expires=fields("expires_after", "expires_before"),
        created=fields("created_after", "created_before"),
        workspace=fields("workspace"),
        sender=fields("sender"),
        batch=fields("batch"),
        product=fields("product"),
        brand=fields("brand"),
        names=common_names_without_counts(labels, filters=filters),
        sorts=[
            _sort(filters, one, order) for one in Sort if one is not Sort.BEST or has_best_match
        ],
        hidden=[(name, value) for name, value in filters.non_default_params() if name in _HIDDEN],
    )


def _field(name: str, value: str, *, is_wrong: bool) -> FilterField:
    names_url = reverse("order_choices", args=[name]) if name in _NAMED else ""
    return FilterField(name, LABELS[name], value, "wrong" if is_wrong else "", names_url)


def _statuses(filters: Filters) -> list[FilterOption]:
    """Return one option per status, one for all ended ones, and chosen undocumented ones."""
    offered = [status for status in ORDER_STATUSES if status != ENDED[1]]
    chosen = {ENDED[0] if status in ENDED else status for status in filters.status}
    return [
        FilterOption(
            "status",
            status,
            status_badge(status, is_cancel_on_record=False).word,
            "checked" if status in chosen else "",
            f"n-status-{status}" if status in offered else "",
        )
        for status in (*offered, *sorted(chosen.difference(offered)))
    ]


def _presets(filters: Filters, name: str, labels: Mapping[str, str]) -> list[FilterOption]:
    """Return the options of a window of time that is relative to now."""
    options = []
    for value, label in labels.items():
        is_chosen = getattr(filters, name) == value
        url = filters.replace(**{name: "" if is_chosen else value}).url()
        count_id = f"n-expires-{value}" if name == "expires" else ""
        options.append(FilterOption(name, value, label, "true" if is_chosen else "", count_id, url))
    return options


def _sort(filters: Filters, one: Sort, order: Sort) -> FilterOption:
    """Return the option of a sort. The default sort of the list is not named in its URL."""
    sort = None if one is order and filters.sort is not order else one
    label, url = SORT_NAMES[one], filters.replace(sort=sort).url()
    chosen = "true" if one is order else ""
    return FilterOption("sort", one.value, label[0].upper() + label[1:], chosen, "", url)


def _flag(filters: Filters, name: str) -> tuple[str, list[FilterOption]]:
    legend, yes, no = _FLAG_LABELS[name]
    value = getattr(filters, name)
    false, true = FLAG_VALUES[name]
    count_id = "" if name == _UNCOUNTED_FLAG else f"n-{name}"
    return legend, [
        FilterOption(name, "", "Either", "checked" if value is None else "", ""),
        FilterOption(name, true, yes, "checked" if value is True else "", count_id),
        FilterOption(name, false, no, "checked" if value is False else "", ""),
    ]


# --- counts -----------------------------------------------------------------------------------


class OptionCount(NamedTuple):
    """A count, and the id of the element that shows it."""

    id: str
    text: str


class CommonName(NamedTuple):
    """A frequent label among the matches, and the URL that adds or removes it as a filter."""

    label: str
    under: str
    total: str
    url: str
    chosen: str


# In the URLs that are made for all names of a filter at once: no parameter has this value.
_ANY_KEY = "any-key"


@dataclass(frozen=True, slots=True)
class CommonNames:
    id: str
    items: Sequence[CommonName]

    @classmethod
    def for_labels(
        cls, kind: str, named: Iterable[tuple[str, str, str]], *, filters: Filters
    ) -> CommonNames:
        """Create the names of a filter from tuples of (key, name, text of the count)."""
        chosen: str = getattr(filters, kind)
        with_any = filters.replace(**{kind: _ANY_KEY}).url()
        without = filters.replace(**{kind: ""}).url()
        items = []
        for key, name, count in named:
            is_chosen = key == chosen
            url = without if is_chosen else with_any.replace(_ANY_KEY, quote_plus(key))
            label, under = _split(name or key) if kind == "sender" else (name or key, "")
            items.append(CommonName(label, under, count, url, "true" if is_chosen else ""))
        return cls(f"top-{kind}", items)


def _split(sender: str) -> tuple[str, str]:
    """Return name and address of a sender written as "Ana Bolena <ana@acme.example>"."""
    name, _, rest = sender.partition(" <")
    return name, rest.removesuffix(">")


# Flags of the index, and their parameters.
_FLAG_PARAMETERS = {
    "is_swapped": "swapped",
    "is_payment_pending": "payment",
    "has_delivery_trouble": "delivery",
}


def count_text(count: MatchCount) -> str:
    return f"{count.n:,}{'+' if count.is_capped else ''}"


def option_counts(facets: FacetCounts) -> list[OptionCount]:
    """Return the counts of the options. The ended statuses are one option with one count."""
    statuses = {name: one for name, one in facets.statuses.items() if name != ENDED[1]}
    flags = {_FLAG_PARAMETERS[name]: one for name, one in facets.flags.items()}
    return [
        *_counts("n-status-", statuses),
        *_counts("n-expires-", facets.expires),
        *_counts("n-", flags),
    ]


def _counts(prefix: str, counts: Mapping[str, MatchCount]) -> list[OptionCount]:
    return [OptionCount(f"{prefix}{name}", count_text(count)) for name, count in counts.items()]


def common_names_with_counts(
    facets: FacetCounts, *, filters: Filters, keys: Mapping[int, str]
) -> list[CommonNames]:
    """Return the most common names of each counted filter, with their counts.

    `keys` maps the row ids of labels to the values of the URL parameters.
    """
    named = {kind: getattr(facets, f"{kind}s") for kind in CommonLabels._fields}
    counted = [
        CommonNames.for_labels(
            kind,
            [(keys[one.id], one.name, count_text(one.count)) for one in found if one.id in keys],
            filters=filters,
        )
        for kind, found in named.items()
    ]
    return [names for names in counted if names.items]


def common_names_without_counts(
    labels: CommonLabels, *, filters: Filters
) -> dict[str, CommonNames]:
    """Return the common names of each filter, for use until the counts are ready."""
    return {
        kind: CommonNames.for_labels(kind, [(*one, "") for one in named], filters=filters)
        for kind, named in zip(CommonLabels._fields, labels, strict=True)
    }
