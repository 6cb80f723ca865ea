"""Folds what is stored again after FOLDING_VERSION (orders.text) has changed.

The folded values of an order are computed from its stored JSON, without calls to Goody. Names of
labels and of saved views are folded with the first batch.

`SyncState` has the version of the stored values and the id up to which orders are folded again.
Both are committed with the rows, so refolding can stop at any moment, and several workers may do it
concurrently.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, transaction
from django.db.models import Exists, OuterRef, Q

from goody.types import BadOrder, parse_order
from orders.models import Label, Order, OrderPayload, SavedView, SearchText, SyncState
from orders.models.durability import non_durable_transaction
from orders.text import FOLDING_VERSION, fold_text, searchable_text, word_starts_of_names

from .columns import IndexData, make_index_data
from .labels import LabelKey, label_ids, renew_label_version, store_search_texts, store_spellings
from .statements import PerRowStatement, Rows, Statements
from .writing import lock_index

BATCH = 200
_COLUMNS = ("name_key", "email_key", "people", "sender_id", "message_id", "note_id")
# Many times faster than bulk_update().
_UPDATE = PerRowStatement(
    f"UPDATE orders_order SET {', '.join(f'{name} = %s' for name in _COLUMNS)} WHERE id = %s"  # noqa: S608
)


def refold_orders(*, seconds: float, using: str = DEFAULT_DB_ALIAS) -> int:
    """Fold stored orders again for about `seconds`, if their folding has another version.

    Return the number of orders that were checked; 0 when all are folded.
    """
    count, until = 0, time.monotonic() + seconds
    while _is_due(using) and (count == 0 or time.monotonic() < until):
        count += _refold_batch(using)
    return count


def _is_due(using: str) -> bool:
    state = SyncState.objects.using(using).get_or_none()
    return state is not None and state.is_refolding


def _refold_batch(using: str) -> int:
    with non_durable_transaction(using=using):
        lock_index(using)
        state = SyncState.objects.using(using).current()
        if not state.is_refolding:
            return 0
        if state.refolded_until is None:
            _refold_labels(using)
            _refold_view_names(using)
        orders = _next_orders(state.refolded_until, using)
        _refold_orders(orders, using)
        progress: dict[str, object]
        if orders:
            progress = {"refolded_until": orders[-1].uuid}
        else:
            _delete_unused(using)
            progress = {"folding_version": FOLDING_VERSION, "refolded_until": None}
        SyncState.objects.using(using).update(**progress)
    return len(orders)


def _next_orders(after: UUID | None, using: str) -> list[Order]:
    """Return the next orders by uuid, because the primary key may change."""
    orders = Order.objects.using(using).order_by("uuid")
    return list((orders.filter(uuid__gt=after) if after else orders)[:BATCH])


def _refold_labels(using: str) -> None:
    changed = []
    for label in Label.objects.using(using).only("kind", "name", "folded").iterator():
        if label.folded != (folded := searchable_text(label.name)):
            label.folded = folded
            changed.append(label)
    Label.objects.using(using).bulk_update(changed, ["folded"], batch_size=BATCH)
    senders = (one.folded for one in changed if one.kind == Label.Kind.SENDER)
    store_spellings(senders, using=using)
    renew_label_version(using=using)


def _refold_view_names(using: str) -> None:
    """Fold the names of saved views again.

    A view whose name now looks like that of another one keeps its former key: both stay.
    """
    views = SavedView.objects.using(using)
    for view in views.only("name", "name_key"):
        if view.name_key != (name_key := fold_text(view.name)):
            with suppress(IntegrityError), transaction.atomic(using=using):
                views.filter(pk=view.pk).update(name_key=name_key)


def _refold_orders(orders: Sequence[Order], using: str) -> None:
    derived = _derive(orders, using)
    sent = (one.names.sender for one in derived.values() if one.names.sender)
    labels = label_ids(sent, using=using)
    texts = store_search_texts(
        (text for one in derived.values() for text in one.texts), using=using
    )
    changed: list[tuple[Any, ...]] = []
    former: list[tuple[str, int]] = []
    present: list[tuple[str, int]] = []
    for order in orders:
        if (now := derived.get(order.pk)) is None:
            continue
        values = _folded_values(now, labels, texts)
        if values != tuple(getattr(order, name) for name in _COLUMNS):
            changed.append((*values, order.pk))
        if now.columns["people"] != order.people:
            former += [(start, order.pk) for start in word_starts_of_names(order.people)]
            present += [(start, order.pk) for start in now.starts]
    _write(changed, former, present, using)
    store_spellings((one.columns["people"] for one in derived.values()), using=using)


def _folded_values(
    derived: IndexData, labels: Mapping[LabelKey, int], texts: Mapping[str, int]
) -> tuple[Any, ...]:
    """Return the folded values in the order of _COLUMNS."""
    sender = derived.names.sender
    return (
        *(derived.columns[name] for name in ("name_key", "email_key", "people")),
        labels[sender.id] if sender else None,
        texts.get(derived.texts.message),
        texts.get(derived.texts.note),
    )


def _write(changed: Rows, former: Rows, present: Rows, using: str) -> None:
    """Write the folded values.

    `former` and `present` are (start, primary key) of the word starts to delete and to insert.
    """
    connection = connections[using]
    statements = Statements.for_vendor(connection.vendor)
    with connection.cursor() as cursor:
        for statement, rows in (
            (_UPDATE, changed),
            (statements.delete_start, former),
            (statements.start, present),
        ):
            if rows:
                statement.run(cursor, rows)


def _derive(orders: Sequence[Order], using: str) -> Mapping[int, IndexData]:
    """Return the derived values by primary key, without orders whose JSON cannot be read."""
    derived = {}
    keys = [order.pk for order in orders]
    for payload in OrderPayload.objects.using(using).filter(pk__in=keys):
        try:
            derived[payload.pk] = make_index_data(parse_order(payload.raw))
        except BadOrder:
            continue
    return derived


def _delete_unused(using: str) -> None:
    """Delete senders and texts whose folded form has changed."""
    orders = Order.objects.using(using)
    sent = orders.filter(sender_id=OuterRef("pk"))
    senders = Label.objects.using(using).filter(kind=Label.Kind.SENDER)
    senders.filter(~Exists(sent)).delete()
    written = orders.filter(Q(message_id=OuterRef("pk")))
    noted = orders.filter(Q(note_id=OuterRef("pk")))
    SearchText.objects.using(using).filter(~Exists(written), ~Exists(noted)).delete()
    renew_label_version(using=using)
