"""Downloads of lists: all orders of one, and in the audit who took what along."""

from __future__ import annotations

import logging
from collections.abc import Generator
from datetime import datetime

from django.db import Error as DatabaseFailure
from django.utils import timezone

from orders import search
from orders.audit import Action, Actor, action, note_action, note_end
from orders.models import AuditEntry, SyncState
from orders.search import Hit, SearchTimeout
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
    """All orders of the list as it stands when the first is taken, a few in memory at a time. How
    many went out is put down at the end, also when whoever asked for them goes away.

    Raises SearchTimeout or the DatabaseFailure at once if there is not even a first one, Incomplete
    later. Nothing may be written by this thread until the end, for the list to be of one moment.
    """
    try:
        search.find_page(query, size=1, now=now)
    except (SearchTimeout, DatabaseFailure) as error:
        _end(intent, rows=0, problem=_why(error))
        raise
    return _exported(intent, query, now=now)


def _exported(intent: AuditEntry, query: Query, *, now: datetime) -> Generator[Hit]:
    rows, problem = 0, "a fault of the dashboard"
    try:
        with search.snapshot():
            is_whole = _is_everything_imported()
            for hit in search.iterate(query, chunk=CHUNK, now=now):
                rows += 1
                yield hit
        problem = "" if is_whole else _NOT_IMPORTED
    except GeneratorExit:
        problem = "not taken to the end by whoever downloaded it"
        raise
    except (SearchTimeout, DatabaseFailure) as error:
        problem = _why(error)
        raise Incomplete(problem) from error
    finally:
        _end(intent, rows=rows, problem=problem)
    if problem:
        raise Incomplete(problem)


def _is_everything_imported() -> bool:
    state = SyncState.objects.look()
    return state is not None and state.is_complete


_NOT_IMPORTED = "not all of Goody's orders had been imported yet"


def _why(error: Exception) -> str:
    if isinstance(error, SearchTimeout):
        return "searching for more took too long"
    return "the dashboard's own database did not answer any more"


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
