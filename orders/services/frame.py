"""The data about writes and jobs in the frame of every page, read by one query."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import connection

from orders.audit import AccountEvent
from orders.models import OPEN_STATES, AuditEntry, JobState, State
from orders.models.operation import UNSETTLED_STATES
from orders.models.statements import database_values


class FrameData(NamedTuple):
    """The number of writes whose outcome is not known, and whether there is anything else to show.

    `own_unsettled` counts the writes that the person requested. `has_notice`: a later read showed
    something unexpected about a write of the person. `is_limit_reached`: somebody reached the limit
    of cancels lately. `has_job`: a job of the person, or one that awaits approval, has not ended.
    """

    unsettled: int = 0
    own_unsettled: int = 0
    has_notice: bool = False
    is_limit_reached: bool = False
    has_job: bool = False


def _literals(states: tuple[State, ...]) -> str:
    return ", ".join(f"'{state}'" for state in states)


# The states are literals, so that both databases use the partial index of open operations.
_QUERY = f"""
    SELECT count(*), count(*) FILTER (WHERE actor_id = %s),
        EXISTS (SELECT 1 FROM orders_operation WHERE actor_id = %s AND notice_at IS NOT NULL),
        EXISTS (SELECT 1 FROM orders_auditentry WHERE action = %s AND at > %s),
        EXISTS (SELECT 1 FROM orders_job WHERE ended_at IS NULL AND (actor_id = %s OR state = %s))
    FROM orders_operation
    WHERE state IN ({_literals(OPEN_STATES)})
    AND state IN ({_literals(UNSETTLED_STATES)})
"""  # noqa: S608


def read_frame_data(user_id: int, *, limit_since: datetime) -> FrameData:
    """Return the data for a person. A limit that was reached before `limit_since` is not shown."""
    [since] = database_values(AuditEntry, "at", [limit_since], using=connection.alias)
    limit, asked = AccountEvent.CANCEL_LIMIT.value, JobState.AWAITING_APPROVAL.value
    with connection.cursor() as cursor:
        cursor.execute(_QUERY, [user_id, user_id, limit, since, user_id, asked])
        unsettled, own, *found = cursor.fetchone()
    return FrameData(unsettled, own, *map(bool, found))
