"""A query as conditions on an order's row, with the indexes that know who fulfills them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import product

from goody.types import CANCELABLE
from orders.index.creation_keys import first_key
from orders.text import gift_digest

from .context import MOST_SOURCES, SearchContext
from .labels import Names
from .matching import id_range, word_condition
from .query import Choices, Query
from .sql import Condition, IndexScan, Sql, all_of, not_, union


@dataclass(frozen=True)
class CompiledQuery:
    """The conditions of a query, and the windows that are ranges of a key.

    `places`: of the keys of orders, the second excluded; `expires` likewise.
    """

    conditions: tuple[Condition, ...]
    places: tuple[int | None, int | None]
    expires: tuple[datetime | None, datetime | None]
    has_expiry: bool | None

    @property
    def leaves_out_without_expiry(self) -> bool:
        return self.has_expiry is True or self.expires != (None, None)

    def also(self, condition: Condition) -> CompiledQuery:
        return replace(self, conditions=(condition, *self.conditions))

    def without_looking_up_words(self) -> CompiledQuery:
        """The words are compared only: other conditions lead to the orders."""
        tested = (replace(one, sources=()) if one.text else one for one in self.conditions)
        return replace(self, conditions=tuple(tested))


class NoMatches(Exception):
    """No order can fulfill what is asked, such as a sender whom there is not."""


def compile_query(query: Query, asking: SearchContext, *, now: datetime) -> CompiledQuery | None:
    """None: nothing can match. `now` decides what is expired (aware)."""
    try:
        conditions = tuple(_conditions(query, asking, now))
    except NoMatches:
        return None
    return CompiledQuery(
        conditions=conditions,
        places=_places(query),
        expires=(query.expires_from, query.expires_until),
        has_expiry=True if query.is_expired_unaccepted else query.has_expiry,
    )


def _places(query: Query) -> tuple[int | None, int | None]:
    low, high = query.created_from, query.created_until
    return first_key(low) if low else None, first_key(high) if high else None


def _conditions(query: Query, asking: SearchContext, now: datetime) -> Iterator[Condition]:
    yield from _found(query, asking)
    yield from _exact(query, asking)
    yield from _words(query, asking)
    yield from _statuses_and_workspaces(query, asking)
    yield from _choices(query, asking)
    yield from _batches(query, asking)
    yield from _flags(query)
    yield from _expired(query, asking, now)
    if query.has_expiry is not None:
        yield _has_expiry(query.has_expiry)
    if query.created_from or query.created_until:
        yield Condition(Sql("o.created_at IS NOT NULL"))


def _found(query: Query, asking: SearchContext) -> Iterator[Condition]:
    if query.finding is not None:
        if not query.found:
            raise NoMatches
        yield asking.equals("uuid", query.found, index="")


def _exact(query: Query, asking: SearchContext) -> Iterator[Condition]:
    columns = (
        ("uuid", query.order_ids, ""),
        ("reference_id", query.references, "orders_order_reference"),
        ("email_key", query.emails, "orders_order_email"),
        ("gift_digest", tuple(map(gift_digest, query.gift_tokens)), "orders_order_gift"),
    )
    named = [
        asking.equals(column, values, index=index) for column, values, index in columns if values
    ]
    if named:
        yield union(named)


def _words(query: Query, asking: SearchContext) -> Iterator[Condition]:
    may = query.may_search_messages
    for word in query.words:
        yield _possible(word_condition(asking, word, may_search_messages=may))
    for word in query.without_words:
        if condition := word_condition(asking, word, may_search_messages=may):
            yield Condition(not_(condition.test))


def _possible(condition: Condition | None) -> Condition:
    if condition is None:
        raise NoMatches
    return condition


def _statuses_and_workspaces(query: Query, asking: SearchContext) -> Iterator[Condition]:
    workspaces = _ids(query.workspaces, asking.labels.workspaces)
    asked = _asked_statuses(query)
    statuses = tuple(one for one in asked or () if _may_be(one, query))
    if asked is not None and not statuses:
        raise NoMatches
    if statuses and workspaces and len(statuses) * len(workspaces) <= MOST_SOURCES:
        yield _pairs(asking, statuses, workspaces)
    else:
        if statuses:
            yield _statuses(asking, statuses)
        if workspaces:
            yield asking.equals(
                "workspace_id",
                workspaces,
                index="orders_order_workspace",
                size=lambda: asking.sizes.kept(workspaces=workspaces),
            )
    if query.without_statuses and not statuses:
        yield Condition(not_(_statuses(asking, query.without_statuses).test))
    yield from _without("workspace_id", query.without_workspaces, asking.labels.workspaces, asking)


def _asked_statuses(query: Query) -> Sequence[str] | None:
    """None: any. After acceptance and after the end an expiration means nothing any more."""
    if query.has_expiry_window:
        return CANCELABLE
    return query.statuses or None


def _statuses(asking: SearchContext, statuses: tuple[str, ...]) -> Condition:
    return asking.equals(
        "status",
        statuses,
        index="orders_order_status",
        expires="orders_order_status_expires",
        size=lambda: asking.sizes.kept(statuses=statuses),
    )


def _pairs(asking: SearchContext, statuses: tuple[str, ...], workspaces: list[int]) -> Condition:
    """Both at once have indexes of their own."""
    sorts = (
        ("id", "orders_order_workspace_status"),
        ("expires_at", "orders_order_workspace_status_expires"),
    )
    tests = (
        asking.dialect.among("o.status", statuses),
        asking.dialect.among("o.workspace_id", workspaces),
    )
    sources = tuple(
        IndexScan(Sql("workspace_id = %s AND status = %s", pair), sorts=sorts)
        for pair in product(workspaces, statuses)
    )
    kept = partial(asking.sizes.kept, statuses=statuses, workspaces=workspaces)
    return Condition(all_of(tests), sources, size=kept)


def _choices(query: Query, asking: SearchContext) -> Iterator[Condition]:
    found = asking.labels
    if ids := _ids(query.senders, found.senders):
        yield asking.equals("sender_id", ids, index="orders_order_sender")
    yield from _without("sender_id", query.without_senders, found.senders, asking)
    for column, names, chosen, without in (
        ("product", found.products, query.products, query.without_products),
        ("brand", found.brands, query.brands, query.without_brands),
    ):
        if ids := _ids(chosen, names):
            yield asking.in_cart(column, ids, index=column)
        if unwanted := _named(without, names):
            condition = asking.in_cart(column, unwanted, index=column)
            yield Condition(not_(condition.test))


def _ids(choices: Choices, names: Names) -> list[int]:
    """The labels chosen; raises CannotBe where there is none like that."""
    ids = _named(choices, names)
    if choices and not ids:
        raise NoMatches
    return ids


def _named(choices: Choices, names: Names) -> list[int]:
    found = ((one.id,) if one.id is not None else names.holding(one.text) for one in choices)
    return list(dict.fromkeys(pk for ids in found for pk in ids))


def _without(
    column: str, choices: Choices, names: Names, asking: SearchContext
) -> Iterator[Condition]:
    if unwanted := _named(choices, names):
        yield Condition(not_(asking.dialect.among(f"o.{column}", unwanted)))


def _batches(query: Query, asking: SearchContext) -> Iterator[Condition]:
    if query.batches:
        found = list(_each_batch(query.batches, asking))
        if not found:
            raise NoMatches
        yield union(found)
    if unwanted := list(_each_batch(query.without_batches, asking)):
        yield Condition(not_(union(unwanted).test))


def _each_batch(choices: Choices, asking: SearchContext) -> Iterator[Condition]:
    index = "orders_order_batch"
    ranges = [ends for one in choices if (ends := id_range(one.text))]
    whole = [first for first, last in ranges if first == last]
    if whole:
        yield asking.equals("order_batch_id", whole, index=index)
    for ends in ranges:
        if ends[0] != ends[1]:
            yield asking.between("order_batch_id", *ends, index=index)


def _flags(query: Query) -> Iterator[Condition]:
    for column, index, wanted in (
        ("is_swapped", "swapped", query.is_swapped),
        ("is_payment_pending", "payment", query.is_payment_pending),
        ("has_delivery_trouble", "trouble", query.has_delivery_trouble),
    ):
        if wanted:
            source = IndexScan(Sql(column), sorts=(("id", f"orders_order_{index}"),))
            yield Condition(Sql(f"o.{column}"), (source,))
        elif wanted is not None:
            yield Condition(Sql(f"NOT o.{column}"))


def _has_expiry(wanted: bool) -> Condition:
    if wanted:
        return Condition(Sql("o.expires_at IS NOT NULL"))
    source = IndexScan(Sql("expires_at IS NULL"), sorts=(("id", "orders_order_expires"),))
    return Condition(Sql("o.expires_at IS NULL"), (source,))


def _expired(query: Query, asking: SearchContext, now: datetime) -> Iterator[Condition]:
    """Past its expiration, in a status in which it could still be accepted."""
    if query.is_expired_unaccepted is None:
        return
    at = asking.dialect.plain(now.astimezone(UTC))
    open_ = [status for status in CANCELABLE if _may_be(status, query)]
    among = asking.dialect.among("o.status", open_ or CANCELABLE)
    test = Sql(f"(o.expires_at < %s AND {among.text})", (at, *among.params))
    if not query.is_expired_unaccepted:
        yield Condition(not_(test))
        return
    if query.has_expiry is False or not open_:
        raise NoMatches
    index = "orders_order_status_expires"
    sources = tuple(
        IndexScan(
            Sql("status = %s AND expires_at < %s", (status, at)),
            sorts=(("expires_at", index), ("id", index)),
            is_scanned=True,
        )
        for status in open_
    )
    yield Condition(test, sources)


def _may_be(status: str, query: Query) -> bool:
    return status not in query.without_statuses and (not query.statuses or status in query.statuses)
