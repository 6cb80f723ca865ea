"""Findings: the orders whose identifiers are in a pasted text, or the result of a long search.

Identifiers are looked up in the index, addresses both as recipients and as senders. At most
MOST_ASKED ids that are not in the index are requested from Goody, once. The addresses of the
support team (OWN_ADDRESSES), which appear in every ticket, are left out.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import batched
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from goody.errors import GoodyError, Unavailable
from orders.goody_api import CallsBlocked
from orders.models import Finding, Label, Order, SyncState
from orders.rights import Actor
from orders.search import first_query_with_matches
from orders.search.deadline import SEARCH_SECONDS, SearchDeadline, time_limit
from orders.search.paste import KINDS, PastedIdentifiers
from orders.search.query import Query
from orders.text import fold_text, gift_token_digest

from .reading import OrderNotFound, refresh_order

MOST_NAMED = 1_000
MOST_ORDERS = 1_000
MOST_ASKED = 10
# Orders that are shown with a value of the text.
MOST_MATCHED = 5
# In place of a column: the beginning of a receipt reference.
_START = "reference_start"
# Values in one query.
_BATCH_SIZE = 500


class FindingNotFound(Exception):
    """The finding does not exist, has expired or belongs to another person."""


@dataclass(slots=True)
class _LookupResult:
    """The orders and missing identifiers found so far.

    `is_index_complete`: an order that is not in the index does not exist.
    """

    is_index_complete: bool
    orders: dict[UUID, None] = field(default_factory=dict)
    # By column and value: the orders that have it, newest first.
    matches: dict[tuple[str, Any], list[UUID]] = field(default_factory=lambda: defaultdict(list))
    missing: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)

    def add(self, column: str, rows: Iterable[tuple[UUID, Any]]) -> None:
        """Add orders that were found. `rows` are (order id, value of `column`)."""
        for order_id, value in rows:
            self.orders[order_id] = None
            self.matches[column, value].append(order_id)

    def add_missing(self, *names: str) -> None:
        """Add identifiers without an order. Their orders may not be imported yet."""
        (self.missing if self.is_index_complete else self.unasked).extend(names)


def create_finding(*, actor: Actor, pasted: PastedIdentifiers, now: datetime) -> Finding:
    """Look up all identifiers and store the result for the actor alone.

    At most MOST_NAMED identifiers are looked up and MOST_ORDERS orders stored; `was_cut` is set if
    there were more. Goody is asked for at most MOST_ASKED ids within GOODY_PAGE_DEADLINE. Raises
    SearchTimeout when the lookup exceeds the deadline of a search.
    """
    assert actor.user_id is not None
    state = SyncState.objects.get_or_none()
    result = _LookupResult(is_index_complete=_is_index_complete(state))
    own, pasted = _without_own(pasted)
    limited = _first(pasted, MOST_NAMED)
    with time_limit(SEARCH_SECONDS) as limit:
        unknown = _look_up(limited, result, limit)
        senders = _senders(limited.emails, limit)
    _ask_goody(unknown, result, now=now)
    return Finding.objects.create(
        owner_id=actor.user_id,
        order_ids=[str(one) for one in result.orders][:MOST_ORDERS],
        missing=result.missing,
        unasked=result.unasked,
        left_out=[pasted.original_spelling(one) for one in own[:MOST_NAMED]],
        hidden=limited.hidden_links,
        was_cut=limited.count < pasted.count or len(result.orders) > MOST_ORDERS,
        writer=_writer(pasted),
        matches=list(_matches(limited, result, senders)),
        created_at=now,
    )


def create_search_finding(*, actor: Actor, query: Query, now: datetime) -> Finding | None:
    """Store the orders of a search for the actor alone; None if there are none.

    At most MOST_ORDERS orders, the first of the list, are stored. Raises SearchTimeout.
    """
    assert actor.user_id is not None
    result = first_query_with_matches([query], limit=MOST_ORDERS + 1, now=now)
    if result is None:
        return None
    _, ids = result
    return Finding.objects.create(
        owner_id=actor.user_id,
        order_ids=[str(one) for one in ids[:MOST_ORDERS]],
        was_cut=len(ids) > MOST_ORDERS,
        created_at=now,
    )


def get_finding(*, actor: Actor, finding_id: UUID, now: datetime) -> Finding:
    """Return the actor's own finding. Raises FindingNotFound, also when it has expired."""
    finding = Finding.objects.active(now).filter(pk=finding_id, owner_id=actor.user_id).first()
    if finding is None:
        raise FindingNotFound
    return finding


def delete_expired_findings(*, now: datetime) -> int:
    """Delete expired findings and return their number."""
    expired = Finding.objects.expired(now)
    # There are rarely any, and exists() takes no lock.
    return expired.delete()[0] if expired.exists() else 0


def _is_index_complete(state: SyncState | None) -> bool:
    return state is not None and state.is_complete and not state.is_refolding


def _without_own(pasted: PastedIdentifiers) -> tuple[list[str], PastedIdentifiers]:
    """Return our own addresses, and the identifiers without them."""
    own = {fold_text(one).removeprefix("@") for one in settings.OWN_ADDRESSES}
    ours = {one: None for one in pasted.emails if not own.isdisjoint(_domains(one))}
    others = tuple(one for one in pasted.emails if one not in ours)
    return list(ours), replace(pasted, emails=others)


def _writer(pasted: PastedIdentifiers) -> str:
    """Return the address of the author of the text as spelled in it; "" if it is not known."""
    written = [one for one in pasted.writers if one in pasted.emails]
    only = pasted.emails if len(pasted.emails) == 1 else ()
    return next(map(pasted.original_spelling, (*written, *only)), "")


def _matches(
    pasted: PastedIdentifiers, result: _LookupResult, senders: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    """Yield a match for each value that the text names and that orders have, in its order.

    `named` is the value as shown to people, `role` how orders have it, `orders` are the first
    MOST_MATCHED of `count` orders, newest first. A count over MOST_ORDERS is a lower bound.
    """
    for kind, value in pasted.mentions:
        for role, column, stored in _roles(kind, value, senders):
            if orders := result.matches.get((column, stored)):
                yield {
                    "role": role,
                    "named": _shown(role, value, pasted),
                    "orders": [str(one) for one in orders[:MOST_MATCHED]],
                    "count": len(orders),
                }


def _roles(
    kind: str, value: Any, senders: Mapping[str, int]
) -> Iterator[tuple[Finding.Role, str, Any]]:
    """Yield the roles that a value may have in an order, each with its column and stored value."""
    match kind:
        case "ids":
            yield Finding.Role.ORDER, "uuid", value
            yield Finding.Role.BATCH, "order_batch_id", value
        case "references":
            yield Finding.Role.RECEIPT, "reference_id", value
            yield Finding.Role.GIFT_LINK, "gift_digest", gift_token_digest(value)
        case "gift_tokens":
            yield Finding.Role.GIFT_LINK, "gift_digest", gift_token_digest(value)
        case "reference_starts":
            yield Finding.Role.RECEIPT, _START, value
        case "emails":
            yield Finding.Role.RECIPIENT, "email_key", value
            yield Finding.Role.SENDER, "sender_id", senders.get(value)


def _shown(role: Finding.Role, value: Any, pasted: PastedIdentifiers) -> str:
    """Return a value of the text as pages show it: only a hint for a gift link, which is secret."""
    if role is Finding.Role.GIFT_LINK:
        return f"…{value[-4:]}"
    is_email = role in (Finding.Role.RECIPIENT, Finding.Role.SENDER)
    return pasted.original_spelling(value) if is_email else str(value)


def _domains(email: str) -> Iterator[str]:
    """Yield the address, its domain, and the parent domains."""
    yield email
    labels = email.rpartition("@")[2].split(".")
    for start in range(len(labels)):
        yield ".".join(labels[start:])


def _first(pasted: PastedIdentifiers, most: int) -> PastedIdentifiers:
    """Return the first `most` identifiers."""
    kept: dict[str, Any] = {}
    for name in KINDS:
        kept[name] = getattr(pasted, name)[:most]
        most -= len(kept[name])
    return replace(pasted, **kept)


def _look_up(pasted: PastedIdentifiers, result: _LookupResult, limit: SearchDeadline) -> list[UUID]:
    """Return the ids that the index has neither as an order nor as a batch."""
    not_orders = _take("uuid", pasted.ids, result, limit)
    unknown = _take("order_batch_id", not_orders, result, limit)
    # The token of a gift link looks like a reference.
    tokens = {
        gift_token_digest(one): one
        for one in _take("reference_id", pasted.references, result, limit)
    }
    # Digest -> the text shown when no order has it.
    links = {gift_token_digest(one): _hint(one) for one in pasted.gift_tokens}
    result.add_missing(*map(tokens.__getitem__, _take("gift_digest", list(tokens), result, limit)))
    result.add_missing(
        *map(pasted.original_spelling, _look_up_emails(pasted.emails, result, limit))
    )
    result.add_missing(*map(links.__getitem__, _take("gift_digest", list(links), result, limit)))
    for start in pasted.reference_starts:
        _take_beginning(start, result, limit)
    return unknown


def _look_up_emails(
    emails: Sequence[str], result: _LookupResult, limit: SearchDeadline
) -> list[str]:
    """Return the addresses that no order was sent to or from."""
    no_recipients = _take("email_key", emails, result, limit)
    senders = _senders(emails, limit)
    unused = set(_take("sender_id", list(senders.values()), result, limit))
    return [one for one in no_recipients if senders.get(one) in (None, *unused)]


def _senders(emails: Sequence[str], limit: SearchDeadline) -> dict[str, int]:
    """Return the row ids of the senders with these addresses, by address."""
    senders: dict[str, int] = {}
    for some in batched(emails, _BATCH_SIZE):
        labels = Label.objects.filter(kind=Label.Kind.SENDER, key__in=some)
        senders.update(limit.fetch_all(labels.values_list("key", "pk")))
    return senders


def _take[T](
    column: str, values: Sequence[T], result: _LookupResult, limit: SearchDeadline
) -> list[T]:
    """Add the orders with these values in the column; return the values without an order."""
    seen: set[T] = set()
    for some in batched(values, _BATCH_SIZE):
        orders = Order.objects.filter(**{f"{column}__in": some})
        # Queried separately: one batch may have more orders than are stored.
        seen.update(
            limit.fetch_all(orders.order_by(column).values_list(column, flat=True).distinct())
        )
        result.add(column, _newest(orders, column, [one for one in some if one in seen], limit))
    return [value for value in values if value not in seen]


def _newest(
    orders: QuerySet[Order], column: str, values: Sequence[Any], limit: SearchDeadline
) -> list[tuple[UUID, Any]]:
    """Return (order id, value of the column) of the newest orders, at most MOST_ORDERS + 1.

    If there are more, the newest orders of each value are returned, so that a value with many
    orders, such as a sender, does not displace the others.
    """
    newest = orders.order_by("-id").values_list("uuid", column)
    rows = limit.fetch_all(newest[: MOST_ORDERS + 1])
    if len(rows) <= MOST_ORDERS or len(values) == 1:
        return rows
    each = (newest.filter(**{column: value})[: MOST_ORDERS + 1] for value in values)
    return [row for some in each for row in limit.fetch_all(some)]


def _take_beginning(start: str, result: _LookupResult, limit: SearchDeadline) -> None:
    """Add the orders whose receipt references begin with the text."""
    begins = {"reference_id__gte": start, "reference_id__lte": f"{start}{chr(0x10FFFF)}"}
    newest = Order.objects.filter(**begins).order_by("-id").values_list("uuid", flat=True)
    ids = limit.fetch_all(newest[: MOST_ORDERS + 1])
    result.add(_START, [(one, start) for one in ids])
    if not ids:
        result.add_missing(f"receipt beginning with {start}")


def _hint(token: str) -> str:
    """Return a hint with only the last characters, because the whole link opens the gift."""
    return f"gift link ending in {token[-4:]}"


def _ask_goody(ids: Sequence[UUID], result: _LookupResult, *, now: datetime) -> None:
    """Read the orders with these ids from Goody and add them to `found`.

    It stops at the deadline or when Goody is unavailable.
    """
    until = time.monotonic() + settings.GOODY_PAGE_DEADLINE
    waiting = list(ids)
    while waiting and len(ids) - len(waiting) < MOST_ASKED and time.monotonic() < until:
        try:
            order_id = refresh_order(order_id=waiting[0], now=now).order.id
            result.add("uuid", [(order_id, order_id)])
        except OrderNotFound:
            result.add_missing(str(waiting[0]))
        except (CallsBlocked, Unavailable):
            break
        except GoodyError:
            result.unasked.append(str(waiting[0]))
        del waiting[0]
    result.unasked += map(str, waiting)
