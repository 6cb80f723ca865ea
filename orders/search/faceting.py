"""How many orders each choice of a filter would leave.

What a choice is counted against is the query without what is said of that filter already. Whatever
is not counted in time is left out: no number is better than a late one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS

from goody.types import ORDER_STATUSES
from orders.models import Label

from .choices import Suggestion
from .counting import Count, count_within
from .deadline import Deadline, SearchTimeout, deadline
from .labels import labels
from .query import Choice, Query
from .tallying import Tally, take_tally

MOST = 10_000
SAMPLE = 1000

# The windows from now on, and what is past and unaccepted, and what never expires.
EXPIRY_HOURS = {"24h": 24, "3d": 72, "7d": 168, "14d": 336}
EXPIRY_PRESETS = (*EXPIRY_HOURS, "expired", "never")

_FIELDS = {
    "status": ("statuses", "without_statuses"),
    "expires": ("expires_from", "expires_until", "has_expiry", "is_expired_unaccepted"),
    **{kind: (f"{kind}s",) for kind in ("workspace", "sender", "brand", "product")},
    **{name: (name,) for name in ("is_swapped", "is_payment_pending", "has_delivery_trouble")},
}


@dataclass(frozen=True, slots=True)
class Named:
    """A choice of a filter by name: the id to choose, what it is called, how many there are."""

    id: int
    name: str
    count: Count


@dataclass(slots=True)
class Facets:
    """Counts beside each choice; what was not counted in time is not there.

    A capped count is "10,000+", or a lower bound ("312+") where all would take too long.
    """

    statuses: dict[str, Count] = field(default_factory=dict)
    # By the names of EXPIRY_PRESETS.
    expires: dict[str, Count] = field(default_factory=dict)
    # By is_swapped, is_payment_pending, has_delivery_trouble.
    flags: dict[str, Count] = field(default_factory=dict)
    # The commonest ones.
    workspaces: list[Named] = field(default_factory=list)
    senders: list[Named] = field(default_factory=list)
    brands: list[Named] = field(default_factory=list)
    products: list[Named] = field(default_factory=list)


def expiry_preset(name: str, *, now: datetime) -> dict[str, Any]:
    """The fields of a query that a preset stands for."""
    if name == "expired":
        return {"is_expired_unaccepted": True}
    if name == "never":
        return {"has_expiry": False}
    until = now + timedelta(hours=EXPIRY_HOURS[name])
    return {"expires_from": now, "expires_until": until}


def facets(query: Query, *, now: datetime, seconds: float, using: str = DEFAULT_DB_ALIAS) -> Facets:
    """What can be counted in `seconds`. Never raises SearchTimeout. `now` is aware."""
    found = Facets()
    with suppress(SearchTimeout), deadline(seconds, using=using) as given:
        _Counting(given, query.unsorted, now, found).run()
    return found


class CommonLabels(NamedTuple):
    """The most common choices of each filter by name, without their counts."""

    workspace: tuple[Suggestion, ...] = ()
    sender: tuple[Suggestion, ...] = ()
    brand: tuple[Suggestion, ...] = ()
    product: tuple[Suggestion, ...] = ()


def common_labels(*, now: datetime, seconds: float, using: str = DEFAULT_DB_ALIAS) -> CommonLabels:
    """Those of the newest orders, most common first. Raises SearchTimeout. `now` is aware."""
    with deadline(seconds, using=using) as given:
        tally = take_tally(given, Query(), now=now, most=SAMPLE, hours=EXPIRY_HOURS)
        ids = {kind: [pk for pk, _ in tally.most_common(kind)] for kind in CommonLabels._fields}
        labels = Label.objects.using(using).filter(pk__in=[pk for of in ids.values() for pk in of])
        rows = {row[0]: row[1:] for row in given.all(labels.values_list("pk", "key", "name"))}
    suggested = {
        kind: tuple(Suggestion(*rows[pk]) for pk in of if pk in rows) for kind, of in ids.items()
    }
    return CommonLabels(**suggested)


class _Counting:
    """Fills `found`, the most useful counts first, until the time is over."""

    def __init__(self, given: Deadline, query: Query, now: datetime, found: Facets) -> None:
        self._given = given
        self._query = query
        self._now = now
        self._found = found
        self._names = labels(given).names
        self._tallies: dict[Query, Tally] = {}

    def run(self) -> None:
        found = self._found
        self._fill(found.statuses, "status", {one: {"statuses": (one,)} for one in ORDER_STATUSES})
        presets = {name: expiry_preset(name, now=self._now) for name in EXPIRY_PRESETS}
        self._fill(found.expires, "expires", presets)
        for kind in ("workspace", "sender", "brand", "product"):
            self._fill_named(getattr(found, f"{kind}s"), kind)
        for name in ("is_swapped", "is_payment_pending", "has_delivery_trouble"):
            self._fill(found.flags, name, {name: {name: True}})

    def _fill(
        self, counts: dict[str, Count], dimension: str, choices: dict[str, dict[str, Any]]
    ) -> None:
        base = self._query.without(*_FIELDS[dimension])
        for name, fields in choices.items():
            if base.is_everything:
                counts[name] = self._count(replace(base, **fields))
            elif counted := self._tally(base).count(dimension, name):
                counts[name] = counted

    def _fill_named(self, counts: list[Named], kind: str) -> None:
        base = self._query.without(*_FIELDS[kind])
        tally = self._tally(base)
        for pk, n in tally.most_common(kind):
            counted = n
            if base.is_everything:
                fields: dict[str, Any] = {f"{kind}s": (Choice(id=pk),)}
                counted = self._count(replace(base, **fields))
            counts.append(Named(pk, self._names.get(pk, ""), counted))

    def _count(self, query: Query) -> Count:
        return count_within(self._given, query, now=self._now, limit=MOST)

    def _tally(self, base: Query) -> Tally:
        """Of the orders that match; of all orders only the newest, which tell what is common."""
        if base not in self._tallies:
            most = SAMPLE if base.is_everything else MOST
            self._tallies[base] = take_tally(
                self._given, base, now=self._now, most=most, hours=EXPIRY_HOURS
            )
        return self._tallies[base]
