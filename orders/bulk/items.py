"""Runs one item of a job through the service that a single action uses.

The service stores the outcome in the item. This module handles the exceptions of the service, after
which nothing was sent, except where the database failed after the request had left.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from orders import services
from orders.audit import Action
from orders.models import (
    RUNNABLE_JOB_STATES,
    ItemClaim,
    ItemState,
    Job,
    JobItem,
    Operation,
    State,
)
from orders.rights import Actor

log = logging.getLogger(__name__)


def run_item(job: Job, item: JobItem, actor: Actor) -> bool:
    """Send the cancel or the extension of a claimed item, and store the outcome in its row.

    Return True if it was applied.

    Raises ClaimLost, or NotRecorded or OutcomeNotRecorded when the database fails; a later slice
    then continues the item from its rows.
    """
    try:
        return _send(job, item, actor).state == State.APPLIED
    except services.OrderBusy:
        _try_later(item, "busy", "Another change of this order is still open.")
    except services.TooManyWrites:
        _try_later(item, "slots", "Too many changes were under way.")
    except (services.ClaimLost, services.NotRecorded, services.OutcomeNotRecorded):
        raise
    except DatabaseFailure as error:
        raise services.NotRecorded from error
    except Exception:
        log.exception("item %s of job %s failed", item.position, job.number)
        _fail_unless_recorded(item)
    return False


def _send(job: Job, item: JobItem, actor: Actor) -> Operation:
    params, claim = job.params, ItemClaim(item.pk, job.pk, item.token)
    given: dict[str, Any] = {
        "actor": actor,
        "order_id": item.order_uuid,
        "snapshot": item.snapshot,
        "form_key": item.form_key,
        "ticket": params["ticket"],
        "now": timezone.now(),
        "claim": claim,
    }
    if job.action == Action.ORDER_CANCEL:
        return services.cancel_order(**given, reason=params["reason"], note=params["note"])
    assert item.expiration is not None
    return services.extend_order(
        **given,
        reason=params["note"],
        expiration=item.expiration,
        may_shorten=params["may_shorten"],
        undoes=item.undoes_id,
    )


def _try_later(item: JobItem, reason: str, sentence: str) -> None:
    """Let the item wait, or skip it after the last attempt. No intent was stored."""
    now = timezone.now()
    with transaction.atomic():
        # The UPDATE locks the job, so that a stop at the same time sees the item.
        running = Job.objects.filter(pk=item.job_id, state__in=RUNNABLE_JOB_STATES)
        if not running.update(version=F("version")):
            _store_unrecorded(item, state=ItemState.NOT_RUN, ended_at=now)
        elif item.attempts >= services.MAX_ATTEMPTS:
            detail = f"{sentence} The gift was not changed."
            skipped = {"state": ItemState.SKIPPED, "reason": reason, "detail": detail}
            _store_unrecorded(item, ended_at=now, **skipped)
        else:
            due_at = services.time_of_next_attempt(item.attempts, now=now)
            waiting = {"state": ItemState.WAITING, "reason": reason, "detail": sentence}
            _store_unrecorded(item, due_at=due_at, **waiting)


def _fail_unless_recorded(item: JobItem) -> None:
    """Store that an error of the program prevented the item, if no intent was stored."""
    sentence = "An error in this program prevented it. The gift was not changed."
    failed = {"state": ItemState.FAILED, "reason": "error", "detail": sentence}
    _store_unrecorded(item, ended_at=timezone.now(), **failed)


def _store_unrecorded(item: JobItem, **changes: Any) -> None:
    claimed = JobItem.objects.filter(pk=item.pk, token=item.token, state=ItemState.RUNNING)
    claimed.filter(operation=None).update(**changes)


def recover_items(job: Job, *, now: datetime) -> None:
    """Release items that an earlier worker claimed without storing an intent.

    Only the holder of the lease may call it: the earlier worker can then store no intent any more.
    An item with an operation gets its outcome from the operation.
    """
    claimed = JobItem.objects.filter(job_id=job.pk, state=ItemState.RUNNING, operation=None)
    abandoned = claimed.exclude(token=job.lease_token)
    if job.is_open:
        abandoned.update(state=ItemState.PENDING)
    else:
        abandoned.update(state=ItemState.NOT_RUN, ended_at=now)
    # A time further ahead than any wait was stored before the clock was set back.
    latest = now + timedelta(seconds=settings.GOODY_LONGEST_WAIT)
    waiting = JobItem.objects.filter(job_id=job.pk, state=ItemState.WAITING)
    waiting.filter(due_at__gt=latest).update(due_at=latest)
