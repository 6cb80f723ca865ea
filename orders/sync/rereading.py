"""Orders read one by one: those of which no list and no feed tells."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from uuid import UUID

from django.utils import timezone

from goody.errors import GoodyError, NotFound, Rejected
from orders import services

from .asking import Steps, ask, try_once
from .walking import Tools

log = logging.getLogger(__name__)

# An order is asked for so often before it is set aside.
_TRIES = 2
# After so many in a row that could not be read it is not the orders: the rest is left.
_MOST_FAILED = 3


def read_each(tools: Tools, order_ids: Iterable[UUID]) -> Iterator[float]:
    """Read these orders; one that Goody does not know is marked missing, never deleted.

    One that cannot be read is told as an anomaly, by which index.counting leaves it alone for a
    while, and costs no others.
    """
    failed = 0
    for order_id in order_ids:
        error = yield from _read(tools, order_id)
        failed = failed + 1 if error else 0
        if failed == _MOST_FAILED:
            log.warning("%d orders in a row could not be read, the last one: %s", failed, error)
            return


def _read(tools: Tools, order_id: UUID) -> Steps[GoodyError | None]:
    """Why it cannot be read, if that is so while Goody answers other questions."""
    for _ in range(_TRIES):
        answered = yield from try_once(
            tools, lambda client, policy: client.get_order(order_id, policy=policy)
        )
        error = answered.error
        if error is None:
            services.apply_read(answered.answer, read_at=answered.read_at)
            break
        if isinstance(error, NotFound):
            services.mark_missing(order_id, read_at=answered.read_at)
            return None
        # Is it Goody as a whole? Then this waits until it is back. A refusal is an answer.
        with suppress(Rejected):
            yield from ask(tools, lambda client, policy: client.me(policy=policy))
    else:
        services.record_unreadable(order_id, reason=str(error), now=timezone.now())
    tools.lease.keep()
    return error
