"""Compiles a query into conditions on an order's row, each with the indexes that answer it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import product
from uuid import UUID

from goody.types import CANCELABLE
from orders.index.creation_keys import first_key
from orders.models import State
from orders.text import gift_token_digest

from .context import MAX_SCANS, SearchResources
from .labels import FoldedLabelNames
from .query import Choices, Query
from .sql import Condition, IndexScan, SqlFragment, all_of, negated, union_condition
from .terms import AmountRange
from .word_conditions import id_prefix_range, ticket_condition, word_condition


@dataclass(frozen=True)
class CompiledQuery:
    """The conditions of a query, and its windows as ranges of creation keys and expirations.

    The end of a window is excluded; None means unbounded.
    """

    conditions: tuple[Condition, ...]
    creation_keys: tuple[int | None, int | None]
    expires: tuple[datetime | None, datetime | None]
    has_expiry: bool | None

    @property
    def requires_expiry(self) -> bool:
        """Whether orders without an expiration never match."""
        return self.has_expiry is True or self.expires != (None, None)

    def with_condition(self, condition: Condition) -> CompiledQuery:
        return replace(self, conditions=(condition, *self.conditions))

    def without_text_indexes(self) -> CompiledQuery:
        """Return a copy whose words are tested on each row, without the text indexes."""
        conditions = (replace(one, scans=()) if one.text else one for one in self.conditions)
        return replace(self, conditions=tuple(conditions))


class NoMatches(Exception):
    """No order can match, for example because no sender has the given name."""


def compile_query(query: Query, context: SearchResources, *, now: datetime) -> CompiledQuery | None:
    """Return the compiled query, or None if no order can match.

    `now` (aware) decides which orders are expired.
    """
    try:
        conditions = tuple(_conditions(query, context, now))
    except NoMatches:
        return None
    return CompiledQuery(
        conditions=conditions,
        creation_keys=_creation_keys(query),
        expires=(query.expires_from, query.expires_until),
        has_expiry=True if query.is_expired_unaccepted else query.has_expiry,
    )


def _creation_keys(query: Query) -> tuple[int | None, int | None]:
    low, high = query.created_from, query.created_until
    return first_key(low) if low else None, first_key(high) if high else None


def _conditions(query: Query, context: SearchResources, now: datetime) -> Iterator[Condition]:
    yield from _found(query, context)
    yield from _exact(query, context)
    yield from _words(query, context)
    yield from _statuses_and_workspaces(query, context)
    yield from _choices(query, context)
    yield from _batches(query, context)
    yield from _tickets(query, context)
    yield from _flags(query)
    if query.amount_from is not None or query.amount_until is not None:
        yield context.amount_in_range(AmountRange(query.amount_from, query.amount_until))
    yield from _attention(query, context)
    yield from _expired(query, context, now)
    if query.has_expiry is not None:
        yield _has_expiry(query.has_expiry)
    if query.created_from or query.created_until:
        yield Condition(SqlFragment("o.created_at IS NOT NULL"))


def _found(query: Query, context: SearchResources) -> Iterator[Condition]:
    if query.finding is not None or query.selection is not None:
        if not query.found:
            raise NoMatches
        yield context.column_equals("uuid", query.found, index="")


def _exact(query: Query, context: SearchResources) -> Iterator[Condition]:
    columns = (
        ("uuid", query.order_ids, ""),
        ("reference_id", query.references, "orders_order_reference"),
        ("email_key", query.emails, "orders_order_email"),
        ("gift_digest", tuple(map(gift_token_digest, query.gift_tokens)), "orders_order_gift"),
    )
    named = [
        context.column_equals(column, values, index=index)
        for column, values, index in columns
        if values
    ]
    if named:
        yield union_condition(named)


def _words(query: Query, context: SearchResources) -> Iterator[Condition]:
    may = query.may_search_messages
    for word in query.words:
        condition = word_condition(context, word, may_search_messages=may)
        if condition is None:
            raise NoMatches
        yield condition
    for word in query.without_words:
        if condition := word_condition(context, word, may_search_messages=may):
            yield Condition(negated(condition.test))


def _statuses_and_workspaces(query: Query, context: SearchResources) -> Iterator[Condition]:
    workspaces = _ids(query.workspaces, context.labels.workspaces)
    wanted = _wanted_statuses(query)
    statuses = tuple(one for one in wanted or () if _may_have(one, query))
    if wanted is not None and not statuses:
        raise NoMatches
    if statuses and workspaces and len(statuses) * len(workspaces) <= MAX_SCANS:
        yield _pairs(context, statuses, workspaces)
    else:
        if statuses:
            yield _statuses(context, statuses)
        if workspaces:
            yield context.column_equals(
                "workspace_id",
                workspaces,
                index="orders_order_workspace",
                size=lambda: context.statistics.count_orders(workspaces=workspaces),
            )
    if query.without_statuses and not statuses:
        yield Condition(negated(_statuses(context, query.without_statuses).test))
    yield from _without(
        "workspace_id", query.without_workspaces, context.labels.workspaces, context
    )


def _wanted_statuses(query: Query) -> Sequence[str] | None:
    """Return the statuses that can match, or None for any status.

    An expiration has no effect once the gift is accepted or has ended.
    """
    if query.has_expiry_window:
        return CANCELABLE
    return query.statuses or None


def _statuses(context: SearchResources, statuses: tuple[str, ...]) -> Condition:
    return context.column_equals(
        "status",
        statuses,
        index="orders_order_status",
        expires_index="orders_order_status_expires",
        size=lambda: context.statistics.count_orders(statuses=statuses),
    )


def _pairs(context: SearchResources, statuses: tuple[str, ...], workspaces: list[int]) -> Condition:
    """Return a condition on workspace and status, which share indexes."""
    sorts = (
        ("id", "orders_order_workspace_status"),
        ("expires_at", "orders_order_workspace_status_expires"),
    )
    tests = (
        context.dialect.value_in("o.status", statuses),
        context.dialect.value_in("o.workspace_id", workspaces),
    )
    scans = tuple(
        IndexScan(
            SqlFragment("workspace_id = %s AND status = %s", pair),
            sorts=sorts,
            index="orders_order_workspace_status",
        )
        for pair in product(workspaces, statuses)
    )
    size = partial(context.statistics.count_orders, statuses=statuses, workspaces=workspaces)
    return Condition(all_of(tests), scans, size)


def _choices(query: Query, context: SearchResources) -> Iterator[Condition]:
    labels = context.labels
    if ids := _ids(query.senders, labels.senders):
        yield context.column_equals("sender_id", ids, index="orders_order_sender")
    yield from _without("sender_id", query.without_senders, labels.senders, context)
    if ids := _ids(query.cards, labels.cards):
        yield context.column_equals("card_id", ids, index="orders_order_card")
    yield from _without("card_id", query.without_cards, labels.cards, context)
    for column, names, chosen, without in (
        ("product", labels.products, query.products, query.without_products),
        ("brand", labels.brands, query.brands, query.without_brands),
    ):
        if ids := _ids(chosen, names):
            yield context.cart_contains(column, ids)
        if excluded := _chosen_ids(without, names):
            yield Condition(negated(context.cart_contains(column, excluded).test))


def _ids(choices: Choices, names: FoldedLabelNames) -> list[int]:
    """Return the ids of the chosen labels. Raises NoMatches if no label has a chosen name."""
    ids = _chosen_ids(choices, names)
    if choices and not ids:
        raise NoMatches
    return ids


def _chosen_ids(choices: Choices, names: FoldedLabelNames) -> list[int]:
    chosen = (
        (one.id,) if one.id is not None else names.ids_containing(one.text) for one in choices
    )
    return list(dict.fromkeys(pk for ids in chosen for pk in ids))


def _without(
    column: str, choices: Choices, names: FoldedLabelNames, context: SearchResources
) -> Iterator[Condition]:
    if excluded := _chosen_ids(choices, names):
        yield Condition(negated(context.dialect.value_in(f"o.{column}", excluded)))


def _tickets(query: Query, context: SearchResources) -> Iterator[Condition]:
    if query.tickets:
        conditions = [ticket_condition(context, one) for one in query.tickets]
        found = list(filter(None, conditions))
        if not found:
            raise NoMatches
        yield union_condition(found)


def _batches(query: Query, context: SearchResources) -> Iterator[Condition]:
    if query.batches:
        batches = list(_each_batch(query.batches, context))
        if not batches:
            raise NoMatches
        yield union_condition(batches)
    if excluded := list(_each_batch(query.without_batches, context)):
        yield Condition(negated(union_condition(excluded).test))


def _each_batch(choices: Choices, context: SearchResources) -> Iterator[Condition]:
    index = "orders_order_batch"
    ranges = [ends for one in choices if (ends := id_prefix_range(one.text))]
    whole = [first for first, last in ranges if first == last]
    if whole:
        yield context.column_equals("order_batch_id", whole, index=index)
    for ends in ranges:
        if ends[0] != ends[1]:
            yield context.column_between("order_batch_id", *ends, index=index)


# The flags of an order, each with the name of its partial index.
_FLAGS = {
    "is_swapped": "swapped",
    "is_payment_pending": "payment",
    "has_delivery_trouble": "trouble",
    "is_odd": "odd",
}


def _flags(query: Query) -> Iterator[Condition]:
    for column in _FLAGS:
        wanted = getattr(query, column)
        if wanted:
            yield _flag(column)
        elif wanted is not None:
            yield Condition(SqlFragment(f"NOT o.{column}"))


def _flag(column: str) -> Condition:
    name = f"orders_order_{_FLAGS[column]}"
    scan = IndexScan(SqlFragment(column), sorts=(("id", name),), index=name)
    return Condition(SqlFragment(f"o.{column}"), (scan,))


def _attention(query: Query, context: SearchResources) -> Iterator[Condition]:
    if query.needs_attention is None:
        return
    needed = [_flag(name) for name in ("has_delivery_trouble", "is_payment_pending", "is_odd")]
    if orders := _with_unknown_outcome(context):
        needed.append(context.column_equals("uuid", orders, index=""))
    condition = union_condition(needed)
    yield condition if query.needs_attention else Condition(negated(condition.test))


def _with_unknown_outcome(context: SearchResources) -> list[UUID]:
    """Return the ids of orders with a write whose outcome is being checked or needs a person."""
    among = context.dialect.value_in("state", (State.UNKNOWN.value, State.NEEDS_HUMAN.value))
    sql = f"SELECT order_uuid FROM orders_operation WHERE {among.text}"  # noqa: S608
    return [UUID(str(one)) for (one,) in context.deadline.fetch_rows(sql, among.params)]


def _has_expiry(wanted: bool) -> Condition:
    if wanted:
        return Condition(SqlFragment("(o.expires_at IS NOT NULL OR o.is_expiry_odd)"))
    index = "orders_order_expires"
    # An unreadable expiration is not an absent one.
    where = SqlFragment("expires_at IS NULL AND NOT is_expiry_odd")
    scan = IndexScan(where, sorts=(("id", index),), index=index)
    return Condition(SqlFragment("(o.expires_at IS NULL AND NOT o.is_expiry_odd)"), (scan,))


def _expired(query: Query, context: SearchResources, now: datetime) -> Iterator[Condition]:
    """Yield conditions for orders past their expiration that could still be accepted."""
    if query.is_expired_unaccepted is None:
        return
    at = context.dialect.to_parameter(now.astimezone(UTC))
    open_ = [status for status in CANCELABLE if _may_have(status, query)]
    among = context.dialect.value_in("o.status", open_ or CANCELABLE)
    test = SqlFragment(f"(o.expires_at < %s AND {among.text})", (at, *among.params))
    if not query.is_expired_unaccepted:
        yield Condition(negated(test))
        return
    if query.has_expiry is False or not open_:
        raise NoMatches
    index = "orders_order_status_expires"
    scans = tuple(
        IndexScan(
            SqlFragment("status = %s AND expires_at < %s", (status, at)),
            sorts=(("expires_at", index),),
            index=index,
        )
        for status in open_
    )
    yield Condition(test, scans)


def _may_have(status: str, query: Query) -> bool:
    return status not in query.without_statuses and (not query.statuses or status in query.statuses)
