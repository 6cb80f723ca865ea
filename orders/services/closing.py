"""How an attempt ends that did not simply succeed: refused, not sent, or unknown.

Which end it is, is decided here from the error alone; the answer of 200 is judged in sending.py.
"""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus

from django.utils import timezone

from goody.errors import Evidence, GoodyError, NotFound, RateLimited, Rejected, Unauthorized
from goody.types import Order as GoodyOrder
from orders import goody_api
from orders.eligibility import Verdict, facts
from orders.goody_api import CallsBlocked, KeyRejected, NotConfigured, Paused
from orders.models import FailureClass, Operation, State

from .recording import conclude
from .settling import schedule_first_read


def verdict_of(error: Rejected) -> Verdict:
    if isinstance(error, RateLimited):
        until = timezone.now() + goody_api.wait_asked_for(error)
        return Verdict(False, "rate_limited", until.isoformat())
    if isinstance(error, Unauthorized):
        return Verdict(False, "key_rejected", "")
    if isinstance(error, NotFound):
        return Verdict(False, "not_found", "")
    code = "forbidden" if error.status == HTTPStatus.FORBIDDEN else "rejected"
    return Verdict(False, code, error.message)


def close_unsent(operation: Operation, error: CallsBlocked | GoodyError) -> Operation:
    """End an operation of which no byte has left."""
    if isinstance(error, Rejected):
        return refuse(operation, verdict_of(error), None)
    if isinstance(error, KeyRejected):
        return refuse(operation, Verdict(False, "key_rejected", ""), None)
    if isinstance(error, Paused):
        return refuse(operation, Verdict(False, "rate_limited", error.until.isoformat()), None)
    if isinstance(error, NotConfigured):
        return not_sent(operation, "not_configured", "")
    assert isinstance(error, GoodyError)
    return not_sent(operation, error.kind, str(error))


def refuse(operation: Operation, verdict: Verdict, fresh: GoodyOrder | None) -> Operation:
    after = None
    if fresh is not None:
        times = fresh.event_times
        accepted_at = times.accepted_at if times else None
        after = {**facts(fresh), "accepted_at": accepted_at.isoformat() if accepted_at else None}
    return conclude(
        operation,
        State.REFUSED,
        closed_at=timezone.now(),
        failure_class=FailureClass.REFUSED,
        failure_kind=verdict.code,
        detail=verdict.sentence,
        after=after,
    )


def not_sent(operation: Operation, kind: str, detail: str) -> Operation:
    return conclude(
        operation,
        State.NOT_SENT,
        closed_at=timezone.now(),
        failure_class=FailureClass.NOT_SENT,
        failure_kind=kind,
        detail=detail,
        # It may have been claimed already, directly before the first byte.
        sent_at=None,
    )


def leave_unknown(
    operation: Operation, kind: str, detail: str, evidence: Evidence | None = None
) -> Operation:
    now = timezone.now()
    return conclude(
        operation,
        State.UNKNOWN,
        failure_class=FailureClass.AMBIGUOUS,
        failure_kind=kind,
        detail=detail,
        evidence=asdict(evidence) if evidence else None,
        **schedule_first_read(now),
    )
