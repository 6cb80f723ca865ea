"""Downloads of lists in the audit: who took what along, and how much it came to."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import Error as DatabaseFailure

from orders.audit import Action, Actor, action, note_action, note_end
from orders.models import AuditEntry

log = logging.getLogger(__name__)


@action(Action.ORDER_EXPORT)
def begin_export(*, actor: Actor, filters: str, now: datetime) -> AuditEntry:
    """Put down that a list is downloaded; `filters` say in words which."""
    return note_action(actor, Action.ORDER_EXPORT, detail=filters, now=now)


def end_export(intent: AuditEntry, *, rows: int, problem: str, now: datetime) -> None:
    """Put down how many orders went out, and why it were not all (`problem`, else "")."""
    orders = "1 order" if rows == 1 else f"{rows:,} orders"
    try:
        note_end(
            intent,
            outcome="incomplete" if problem else "complete",
            detail=f"{orders}: {problem}" if problem else orders,
            now=now,
        )
    except DatabaseFailure as error:
        log.warning("the end of a download could not be recorded: %s", type(error).__name__)
