"""Downloads of whole lists, and the audit rows that record them."""

from __future__ import annotations

import logging
from collections.abc import Generator
from datetime import datetime
from itertools import batched

from django.db import Error as DatabaseFailure
from django.utils import timezone

from orders import search
from orders.audit import (
    Action,
    audited_action,
    record_action,
    record_action_end,
)
from orders.models import AuditEntry, SyncState
from orders.rights import Actor
from orders.search import Hit, SearchTimeout
from orders.search.query import Query

from .reading import add_operations_to_hits

log = logging.getLogger(__name__)

# Orders read and held in memory at a time.
CHUNK = 500


class ExportIncomplete(Exception):
    """The download ends before the list does. The message states the reason."""


@audited_action(Action.ORDER_EXPORT)
def start_export(*, actor: Actor, filters: str, now: datetime) -> AuditEntry:
    """Record the download of a list in the audit, and return the intent.

    `filters` describes the list in words.
    """
    return record_action(actor, Action.ORDER_EXPORT, detail=filters, now=now)


def export_orders(intent: AuditEntry, query: Query, *, now: datetime) -> Generator[Hit]:
    """Yield all orders of the list from one snapshot, CHUNK of them in memory at a time.

    The audit records at the end how many were yielded, also when the download is aborted. Raises
    SearchTimeout or DatabaseFailure at once when the list cannot be read, ExportIncomplete when it
    fails later. The thread must not write to the database before the generator ends.
    """
    try:
        search.find_page(query, size=1, now=now)
    except (SearchTimeout, DatabaseFailure) as error:
        record_export_end(intent, rows=0, problem=_reason(error))
        raise
    return _yield_orders(intent, query, now=now)


def _yield_orders(intent: AuditEntry, query: Query, *, now: datetime) -> Generator[Hit]:
    rows, problem = 0, "an error of the dashboard"
    try:
        with search.read_snapshot():
            missing = _why_incomplete()
            for hits in batched(search.iterate_hits(query, chunk=CHUNK, now=now), CHUNK):
                for listed in add_operations_to_hits(hits):
                    rows += 1
                    yield listed.hit
        problem = missing
    except GeneratorExit:
        problem = "the download was aborted"
        raise
    except (SearchTimeout, DatabaseFailure) as error:
        problem = _reason(error)
        raise ExportIncomplete(problem) from error
    finally:
        record_export_end(intent, rows=rows, problem=problem)
    if problem:
        raise ExportIncomplete(problem)


def _why_incomplete() -> str:
    """Return the reason why the index may be incomplete; "" if it is complete."""
    state = SyncState.objects.get_or_none()
    if state is None or not state.is_complete:
        return "not all of Goody's orders had been imported yet"
    return "searches were being brought up to date" if state.is_refolding else ""


def _reason(error: Exception) -> str:
    if isinstance(error, SearchTimeout):
        return "the search took too long"
    return "the dashboard's own database did not answer"


def record_export_end(intent: AuditEntry, *, rows: int, problem: str = "") -> None:
    """Record the number of rows of a download. `problem` is the reason if it is incomplete."""
    orders = "1 order" if rows == 1 else f"{rows:,} orders"
    try:
        record_action_end(
            intent,
            outcome="incomplete" if problem else "complete",
            detail=f"{orders}; {problem}" if problem else orders,
            now=timezone.now(),
        )
    except DatabaseFailure as error:
        log.warning("the end of a download could not be recorded: %s", type(error).__name__)
