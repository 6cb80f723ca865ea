"""Where a row holds what was searched for, in words, if none of its cells shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from orders.search import Hit
from orders.text import fold

_ELSEWHERE = "Found in a message or in another item"


def matched(hit: Hit, words: Iterable[str]) -> str:
    """ "" where the row shows all of the words."""
    shown = fold(f"{hit.recipient_name} {hit.recipient_email} {hit.product} {hit.sender}")
    unseen = [word for word in words if word not in shown]
    return " · ".join(dict.fromkeys(_place(hit, word) for word in unseen))


def _place(hit: Hit, word: str) -> str:
    return next((f"{name}: {text}" for name, text in _named(hit) if word in fold(text)), _ELSEWHERE)


def _named(hit: Hit) -> Iterator[tuple[str, str]]:
    yield "Brand", hit.brand
    yield "Workspace", hit.workspace
    yield "Receipt", hit.reference_id
    yield from _written(hit.order_batch_id, "Batch")
    yield from _written(hit.uuid, "Order id")


def _written(value: UUID | None, name: str) -> Iterator[tuple[str, str]]:
    """As people write it: with its dashes, or without."""
    if value is not None:
        yield name, str(value)
        yield name, value.hex
