"""Downloads of lists: all orders of one, and in the audit who took what along."""

from __future__ import annotations

import logging
from collections.abc import Generator
from datetime import datetime

from django.db import Error as DatabaseFailure
from django.utils import timezone

from orders import search
from orders.audit import Action, Actor, action, note_action, note_end
from orders.models import AuditEntry
from orders.search import Hit, TooBroad
from orders.search.query import Query

log = logging.getLogger(__name__)

# So many orders are read and held at a time.
CHUNK = 500


class Incomplete(Exception):
    """The list breaks off before its end; the text says why."""


@action(Action.ORDER_EXPORT)
def begin_export(*, actor: Actor, filters: str, now: datetime) -> AuditEntry:
    """Put down that a list is downloaded; `filters` say in words which."""
    return note_action(actor, Action.ORDER_EXPORT, detail=filters, now=now)


def export_orders(intent: AuditEntry, query: Query, *, now: datetime) -> Generator[Hit]:
    """All orders of the list, a few in memory at a time. How many went out is put down at the end,
    also when whoever asked for them goes away.

    Raises TooBroad or the DatabaseFailure if there is not even a first one, Incomplete later.
    """
    rows, problem = 0, "broken off by whoever downloaded it"
    try:
        for hit in search.iterate(query, chunk=CHUNK, now=now):
            rows += 1
            yield hit
        problem = ""
    except (TooBroad, DatabaseFailure) as error:
        problem = _TOO_BROAD if isinstance(error, TooBroad) else _NO_DATABASE
        if not rows:
            raise
        raise Incomplete(problem) from error
    finally:
        _end(intent, rows=rows, problem=problem)


_TOO_BROAD = "searching for more took too long"
_NO_DATABASE = "the dashboard's own database did not answer any more"


def _end(intent: AuditEntry, *, rows: int, problem: str) -> None:
    orders = "1 order" if rows == 1 else f"{rows:,} orders"
    try:
        note_end(
            intent,
            outcome="incomplete" if problem else "complete",
            detail=f"{orders}; {problem}" if problem else orders,
            now=timezone.now(),
        )
    except DatabaseFailure as error:
        log.warning("the end of a download could not be recorded: %s", type(error).__name__)
