"""Orders read one by one: those of which no list and no feed tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.utils import timezone

from goody.errors import NotFound
from orders import services

from .asking import Steps, ask
from .walking import Tools


def read_each(tools: Tools, order_ids: Iterable[UUID]) -> Iterator[float]:
    """Read these orders; one that Goody does not know is marked missing, never deleted."""
    for order_id in order_ids:
        yield from _read(tools, order_id)


def _read(tools: Tools, order_id: UUID) -> Steps[None]:
    began = timezone.now()
    try:
        answered = yield from ask(
            tools, lambda client, patience: client.get_order(order_id, patience=patience)
        )
    except NotFound:
        services.mark_missing(order_id, read_at=began)
        return
    services.take_in(answered.answer, read_at=answered.read_at)
    tools.lease.keep()
