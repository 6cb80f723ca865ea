"""Audited actions, and the only writer of the audit.

Every change by a person goes through a function decorated with `@audited_action`, which checks the
right. The intent is one audit row, committed before anything happens, and the outcome another row
that refers to it.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.utils import timezone

from .models import AuditEntry, Job, Operation
from .rights import Actor, Right

log = logging.getLogger(__name__)

PROGRAM = "Goody Admin"


# Why a gift is canceled: code and label. "other" needs a note.
REASONS: tuple[tuple[str, str], ...] = (
    ("recipient_left", "Recipient left or is no longer eligible"),
    ("wrong_recipient", "Sent to the wrong person or address"),
    ("duplicate", "Duplicate gift"),
    ("sender_request", "The sender asked for it"),
    ("recipient_request", "The recipient asked for it"),
    ("not_received", "Never received, will be sent again"),
    ("other", "Other"),
)


class Action(StrEnum):
    """Audited actions, as noun.verb."""

    ORDER_CANCEL = "order.cancel"
    ORDER_EXTEND = "order.extend"
    OPERATION_SETTLE = "operation.settle"
    KEY_CHECK = "system.key_check"
    SYNC_RESUME = "sync.resume"
    VIEW_SHARE = "view.share"
    VIEW_CHANGE = "view.change"
    VIEW_WITHDRAW = "view.withdraw"
    ORDER_EXPORT = "order.export"
    JOB_START = "job.start"
    JOB_APPROVE = "job.approve"
    JOB_DECLINE = "job.decline"
    JOB_STOP = "job.stop"
    JOB_RESUME = "job.resume"


# What people call them.
NAMES: dict[Action, str] = {
    Action.ORDER_CANCEL: "Cancel gift",
    Action.ORDER_EXTEND: "Change expiration",
    Action.OPERATION_SETTLE: "Settle an outcome by hand",
    Action.KEY_CHECK: "Check the API key",
    Action.SYNC_RESUME: "Let the sync go on",
    Action.VIEW_SHARE: "Share a view",
    Action.VIEW_CHANGE: "Change a shared view",
    Action.VIEW_WITHDRAW: "Stop sharing a view",
    Action.ORDER_EXPORT: "Download a list",
    Action.JOB_START: "Start a bulk action",
    Action.JOB_APPROVE: "Approve a bulk action",
    Action.JOB_DECLINE: "Decline a bulk action",
    Action.JOB_STOP: "Stop a bulk action",
    Action.JOB_RESUME: "Resume a bulk action",
}

REQUIRED_RIGHTS: dict[Action, Right] = {
    Action.ORDER_CANCEL: Right.CANCEL,
    Action.ORDER_EXTEND: Right.EXTEND,
    Action.OPERATION_SETTLE: Right.SETTLE,
    Action.KEY_CHECK: Right.SYSTEM,
    Action.SYNC_RESUME: Right.SYSTEM,
    Action.VIEW_SHARE: Right.SHARE_VIEW,
    Action.VIEW_CHANGE: Right.SHARE_VIEW,
    Action.VIEW_WITHDRAW: Right.SHARE_VIEW,
    Action.ORDER_EXPORT: Right.EXPORT,
    Action.JOB_START: Right.BULK,
    Action.JOB_APPROVE: Right.APPROVE,
    Action.JOB_DECLINE: Right.APPROVE,
    Action.JOB_STOP: Right.BULK,
    Action.JOB_RESUME: Right.BULK,
}


class AccountEvent(StrEnum):
    """Audited events of accounts, which need no right."""

    SIGN_IN = "account.sign_in"
    SIGN_OUT_EVERYWHERE = "account.sign_out_everywhere"
    PASSWORD_CHANGE = "account.password_change"  # noqa: S105 - an action
    CHANGE = "account.change"
    CANCEL_LIMIT = "account.cancel_limit"


ACCOUNT_NAMES: dict[AccountEvent, str] = {
    AccountEvent.SIGN_IN: "Log in",
    AccountEvent.SIGN_OUT_EVERYWHERE: "Log out everywhere",
    AccountEvent.PASSWORD_CHANGE: "Change the own password",
    AccountEvent.CHANGE: "Change an account",
    AccountEvent.CANCEL_LIMIT: "Reach the limit of cancels",
}

# Every function that performs an action, as @action found it.
PERFORMERS: dict[Action, Callable[..., Any]] = {}


def audited_action[**P, R](name: Action) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Require the action's right of the keyword argument `actor`, and register the function."""

    def decorate(perform: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(perform)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            actor = kwargs["actor"]
            assert isinstance(actor, Actor)
            actor.require(REQUIRED_RIGHTS[name])
            return perform(*args, **kwargs)

        PERFORMERS[name] = checked
        return checked

    return decorate


def record_intent(operation: Operation, *, request_id: str) -> None:
    """Record the intent of an operation. Call it in the transaction that stores the operation."""
    AuditEntry.objects.insert(
        at=operation.created_at,
        actor_id=operation.actor_id,
        actor_name=operation.actor_name,
        action=operation.action,
        order_uuid=operation.order_uuid,
        reference_id=operation.reference_id,
        operation=operation,
        job_id=operation.job_id,
        reason=operation.reason,
        note=operation.note,
        ticket=operation.ticket,
        before=operation.before,
        after=_asked_for(operation),
        request_id=request_id,
    )


def _asked_for(operation: Operation) -> dict[str, str] | None:
    if operation.expiration is None:
        return None
    return {"expires_at": operation.expiration.isoformat()}


def record_outcome(
    operation: Operation, *, now: datetime, actor: Actor | None = None, note: str = ""
) -> None:
    """Record the outcome of an operation. Call it in the transaction that stores the outcome.

    `actor` is the lead who settled it by hand, or None.
    """
    AuditEntry.objects.insert(
        at=now,
        actor_id=actor.user_id if actor else None,
        actor_name=actor.name if actor else PROGRAM,
        action=Action.OPERATION_SETTLE if actor else operation.action,
        order_uuid=operation.order_uuid,
        reference_id=operation.reference_id,
        operation=operation,
        job_id=operation.job_id,
        intent_id=AuditEntry.objects.intent_id(operation),
        note=note,
        before=operation.before,
        after=operation.after,
        outcome=operation.state,
        detail=operation.detail,
        request_id=actor.request_id if actor else "",
    )


def record_observation(operation: Operation, *, outcome: str, now: datetime) -> AuditEntry:
    """Record what Goody's late answer or a read shows about a closed operation.

    `outcome` is "confirmed" for the answer, "effect_seen" or "contradicted" for a read.
    """
    return AuditEntry.objects.create(
        at=now,
        actor_name=PROGRAM,
        action=operation.action,
        order_uuid=operation.order_uuid,
        reference_id=operation.reference_id,
        operation=operation,
        job_id=operation.job_id,
        intent_id=AuditEntry.objects.intent_id(operation),
        before=operation.before,
        after=operation.contradiction or operation.after,
        outcome=outcome,
    )


# Audit rows are permanent, and anybody can cause security events: a limit for each kind and hour.
MAX_SECURITY_EVENTS = 20


def record_security_event(
    kind: str, *, detail: str = "", request_id: str = ""
) -> AuditEntry | None:
    """Record an event for the administrators, which /system/ shows.

    At most MAX_SECURITY_EVENTS of a kind are recorded in an hour; the last of them says that
    further ones are only logged.
    """
    now, name = timezone.now(), f"security.{kind}"[:40]
    recent = AuditEntry.objects.filter(action=name, at__gt=now - timedelta(hours=1))
    count = recent[:MAX_SECURITY_EVENTS].count()
    if count == MAX_SECURITY_EVENTS:
        log.warning("security event %s not recorded, too many: %s", kind, detail[:300])
        return None
    if count == MAX_SECURITY_EVENTS - 1:
        detail = f"{detail[:200]} (further ones within the hour are only in the log)"
    return AuditEntry.objects.create(
        at=now, actor_name=PROGRAM, action=name, detail=detail[:300], request_id=request_id
    )


def record_action(
    actor: Actor,
    name: Action,
    *,
    detail: str,
    now: datetime,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> AuditEntry:
    """Record an action without an operation: intent and outcome in one row."""
    return _record_event(actor, name, detail=detail, now=now, before=before, after=after)


def record_account_event(
    actor: Actor,
    event: AccountEvent,
    *,
    detail: str,
    now: datetime,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> AuditEntry:
    """Record an event of an account in one row."""
    return _record_event(actor, event, detail=detail, now=now, before=before, after=after)


def _record_event(actor: Actor, name: Action | AccountEvent, **columns: Any) -> AuditEntry:
    now = columns.pop("now")
    return AuditEntry.objects.create(
        at=now,
        actor_id=actor.user_id,
        actor_name=actor.name,
        action=name,
        request_id=actor.request_id,
        **columns,
    )


def record_job_action(
    actor: Actor,
    name: Action,
    job: Job,
    *,
    detail: str,
    now: datetime,
    reason: str = "",
    note: str = "",
    ticket: str = "",
) -> AuditEntry:
    """Record the change of a job by a person. Call it in the transaction of the change."""
    return _record_event(
        actor, name, job=job, detail=detail, now=now, reason=reason, note=note, ticket=ticket
    )


def record_job_end(job: Job, *, outcome: str, detail: str, now: datetime) -> AuditEntry:
    """Record the end of a job in a row that refers to its start."""
    return AuditEntry.objects.create(
        at=now,
        actor_name=PROGRAM,
        action=Action.JOB_START,
        job=job,
        intent=AuditEntry.objects.intents().get(job=job, action=Action.JOB_START),
        outcome=outcome,
        detail=detail,
    )


def record_action_end(
    intent: AuditEntry, *, outcome: str, detail: str, now: datetime
) -> AuditEntry:
    """Record the outcome of an action that takes time, in a row that refers to its intent."""
    return AuditEntry.objects.create(
        at=now,
        actor_id=intent.actor_id,
        actor_name=intent.actor_name,
        action=intent.action,
        intent=intent,
        outcome=outcome,
        detail=detail,
        request_id=intent.request_id,
    )
