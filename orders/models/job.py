"""Jobs: one action on many orders. All their state is in rows, so that any worker continues them.

A worker claims a job by a lease with a fencing token, and each of its items by a conditional
UPDATE. An item's outcome is stored in the transaction that stores the outcome of its operation.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connections, models
from django.db.models import Count, Q

from .operation import Operation, State
from .statements import among_ids, database_values, placeholders, update_where

# The version of the rows that this program understands. A job of another version waits for a
# worker that knows it.
JOB_VERSION = 1


class JobState(models.TextChoices):
    AWAITING_APPROVAL = "awaiting_approval"
    # Begins at `starts_at`: nothing has been sent.
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DECLINED = "declined"
    # Not approved in time.
    EXPIRED = "expired"
    FINISHED = "finished"


RUNNABLE_JOB_STATES = (JobState.SCHEDULED, JobState.RUNNING, JobState.PAUSED)
OPEN_JOB_STATES = (JobState.AWAITING_APPROVAL, *RUNNABLE_JOB_STATES)


class PauseReason(models.TextChoices):
    # Until the key changes or an admin checks it.
    KEY_REJECTED = "key_rejected"
    NOT_CONFIGURED = "not_configured"
    # Goody asked to wait (429).
    RATE_LIMITED = "rate_limited"
    UNREACHABLE = "unreachable"
    # 404 three times in a row: perhaps the wrong environment. A person resumes the job.
    NOT_FOUND = "not_found"


class JobRelation(models.TextChoices):
    """The relation of a job to its parent: it retries, completes or undoes items of that."""

    RETRY = "retry"
    REST = "rest"
    UNDO = "undo"


class ItemState(models.TextChoices):
    PENDING = "pending"
    RUNNING = "running"
    # Nothing was done; it is tried again at `due_at`.
    WAITING = "waiting"
    DONE = "done"
    # The order or a rule forbade it.
    SKIPPED = "skipped"
    FAILED = "failed"
    UNKNOWN = "unknown"
    # The job ended before its turn, or before it was tried again.
    NOT_RUN = "not_run"


OPEN_ITEM_STATES = (ItemState.PENDING, ItemState.RUNNING, ItemState.WAITING)


@dataclass(frozen=True, slots=True)
class JobCounts:
    """The number of items of one job in each state. They add up to `total`.

    `needs_human` is the part of `unknown` that waits for a person, because no read decided it.
    """

    pending: int = 0
    running: int = 0
    waiting: int = 0
    done: int = 0
    skipped: int = 0
    failed: int = 0
    unknown: int = 0
    not_run: int = 0
    needs_human: int = 0

    @property
    def being_checked(self) -> int:
        return self.unknown - self.needs_human

    @property
    def total(self) -> int:
        return self.open + self.ended

    @property
    def open(self) -> int:
        return self.pending + self.running + self.waiting

    @property
    def ended(self) -> int:
        return self.done + self.skipped + self.failed + self.unknown + self.not_run


@dataclass(frozen=True, slots=True)
class ItemClaim:
    """The exclusive right of a worker to run an item, until another worker acquires the lease."""

    item_id: int
    job_id: uuid.UUID
    token: int


class Job(models.Model):
    """One cancel or one change of the expiration of many orders. Times are UTC."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Shown to people; later jobs have higher numbers.
    number = models.PositiveIntegerField(unique=True)
    version = models.PositiveSmallIntegerField(default=JOB_VERSION)
    # "order.cancel" or "order.extend"
    action = models.CharField(max_length=40)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=200)
    # The one-time key of the form.
    form_key = models.UUIDField(unique=True)
    # The fields of bulk.JobParams.
    params = models.JSONField(default=dict)
    # The list of which the orders were selected, in words.
    description = models.TextField(blank=True)
    total = models.PositiveIntegerField()
    # How many of them the preview left out. They are skipped items from the start.
    left_out = models.PositiveIntegerField(default=0)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    relation = models.CharField(max_length=10, choices=JobRelation, blank=True)

    state = models.CharField(max_length=20, choices=JobState)
    pause_reason = models.CharField(max_length=20, choices=PauseReason, blank=True)
    # None: until the reason is gone, or a person resumes the job.
    paused_until = models.DateTimeField(null=True)
    # Why the program stopped the job; "" if a person did.
    stop_reason = models.TextField(blank=True)

    created_at = models.DateTimeField()
    # The end of the grace period, before which nothing is sent.
    starts_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    # When a person last resumed it.
    resumed_at = models.DateTimeField(null=True)
    # When no item was open any more: after a stop, when the item in flight had ended.
    ended_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_by_name = models.CharField(max_length=200, blank=True)
    approved_at = models.DateTimeField(null=True)
    # Who stopped or declined it, and when.
    stopped_by_name = models.CharField(max_length=200, blank=True)
    stopped_at = models.DateTimeField(null=True)

    # When a worker looks at it next; None while only a person can change something.
    due_at = models.DateTimeField(null=True)
    # When a task for it was queued that no worker has begun.
    queued_at = models.DateTimeField(null=True)
    lease_token = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-number"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(ended_at=None), name="job_due"),
            models.Index(fields=["actor"], condition=Q(ended_at=None), name="job_of_actor"),
        ]

    def __str__(self) -> str:
        return f"job {self.number} {self.action} {self.state}"

    @property
    def planned(self) -> int:
        """The number of orders that the person confirmed."""
        return self.total - self.left_out

    @property
    def is_undo(self) -> bool:
        """Whether it undoes extensions, also as the rerun of such a job."""
        return bool(self.params.get("is_undo"))

    @property
    def is_open(self) -> bool:
        """Whether items of it may still be run."""
        return self.state in OPEN_JOB_STATES


class BlockingJob(NamedTuple):
    """The job that blocks other writes of an order, because the order is one of its open items."""

    pk: uuid.UUID
    number: int
    action: str
    actor_name: str


# The states are literals, so that both databases use the partial index of open items.
_HOLDING = f"""
    SELECT item.order_uuid, job.id, job.number, job.action, job.actor_name
    FROM orders_jobitem item JOIN orders_job job ON job.id = item.job_id
    WHERE item.state IN ({", ".join(f"'{state}'" for state in OPEN_ITEM_STATES)})
"""  # noqa: S608


# An unchanged item, while the worker holds the lease of the running job.
_CLAIMABLE = f"""
    id = %s AND state = %s AND token = %s AND EXISTS (
        SELECT 1 FROM orders_job WHERE id = %s AND lease_token = %s AND state = '{JobState.RUNNING}'
    )
"""  # noqa: S608


class JobItemQuerySet(models.QuerySet["JobItem"]):
    def open(self) -> JobItemQuerySet:
        return self.filter(state__in=OPEN_ITEM_STATES)

    def on_orders(self, order_ids: Collection[uuid.UUID]) -> JobItemQuerySet:
        return self.filter(order_uuid__in=order_ids)

    def blocking_jobs(self, order_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, BlockingJob]:
        """Return the job of each of these orders that has an open item. Every list calls it."""
        if not order_ids:
            return {}
        condition, ids = among_ids("item.order_uuid", order_ids, using=self.db)
        with connections[self.db].cursor() as cursor:
            cursor.execute(f"{_HOLDING} AND {condition}", [ids])
            return {
                _as_uuid(order): BlockingJob(_as_uuid(job), *others)
                for order, job, *others in cursor.fetchall()
            }

    def counts(self) -> JobCounts:
        """Return the number of these items in each state."""
        return _job_counts(self.order_by().values_list("state").annotate(**_COUNTED))

    def counts_by_job(self) -> dict[uuid.UUID, JobCounts]:
        """Return `counts` of each job that has some of these items."""
        rows = self.order_by().values_list("job_id", "state")
        found: dict[uuid.UUID, list[tuple[str, int, int]]] = {}
        for job_id, *row in rows.annotate(**_COUNTED):
            found.setdefault(job_id, []).append((row[0], row[1], row[2]))
        return {job_id: _job_counts(states) for job_id, states in found.items()}

    def link_operation(self, claim: ItemClaim, operation: Operation) -> bool:
        """Store the operation of an item; return False if the claim is no longer valid.

        Call it in the transaction of the intent.
        """
        condition = f"id = %s AND token = %s AND state = '{ItemState.RUNNING}'"
        changed = update_where(
            JobItem,
            {"operation_id": operation.pk},
            f"{condition} AND operation_id IS NULL",
            [claim.item_id, claim.token],
            using=self.db,
        )
        return bool(changed)

    def store_outcome(
        self, operation: Operation, changes: dict[str, Any], *, among: Collection[ItemState]
    ) -> None:
        """Change the item of an operation if it has one of the states `among`."""
        [key] = database_values(JobItem, "operation_id", [operation.pk], using=self.db)
        states = [str(state) for state in among]
        condition = f"operation_id = %s AND state IN ({placeholders(states)})"
        update_where(JobItem, changes, condition, [key, *states], using=self.db)

    def next_due(self, job: Job, *, now: datetime, count: int) -> list[JobItem]:
        """Return at most `count` items to run next; items whose retry is due come first."""
        items = self.filter(job_id=job.pk)
        waiting = items.filter(state=ItemState.WAITING, due_at__lte=now).order_by("due_at")
        pending = items.filter(state=ItemState.PENDING).order_by("position")
        return [*waiting[:count], *pending[:count]][:count]

    def claim(self, item: JobItem, job: Job) -> bool:
        """Claim a due item for the holder of the job's lease, and update `item`.

        Return False if the item or the job has changed meanwhile.
        """
        [key] = database_values(Job, "id", [job.pk], using=self.db)
        values = [item.pk, str(item.state), item.token, key, job.lease_token]
        claimed = {
            "state": ItemState.RUNNING,
            "token": job.lease_token,
            "attempts": item.attempts + 1,
            "operation_id": None,
            "due_at": None,
            "reason": "",
            "detail": "",
        }
        if not update_where(JobItem, claimed, _CLAIMABLE, values, using=self.db):
            return False
        for name, value in claimed.items():
            setattr(item, name, value)
        return True


_COUNTED = {
    "items": Count("pk"),
    "by_hand": Count("pk", filter=Q(state=ItemState.UNKNOWN, reason=State.NEEDS_HUMAN)),
}


def _job_counts(rows: Iterable[tuple[str, int, int]]) -> JobCounts:
    """Return the counts of rows (state, items, those that need a person)."""
    states = list(rows)
    by_state = {state: count for state, count, _ in states}
    return JobCounts(**by_state, needs_human=sum(row[2] for row in states))


def _as_uuid(value: Any) -> uuid.UUID:
    """Return a UUID as the database stores it: SQLite as text."""
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)


class JobItem(models.Model):
    """One order of a job, with its snapshot of the moment of selection, and the outcome."""

    # Without an index of its own: those below begin with it.
    job = models.ForeignKey(Job, on_delete=models.PROTECT, related_name="items", db_index=False)
    # From 1, in the order of the list.
    position = models.PositiveIntegerField()
    order_uuid = models.UUIDField()
    # The eligibility.order_snapshot of the moment of selection.
    snapshot = models.JSONField()
    # extend: the instant requested, and the extension that it undoes
    expiration = models.DateTimeField(null=True)
    undoes = models.ForeignKey(
        Operation, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # The one-time key of its next operation.
    form_key = models.UUIDField(unique=True, default=uuid.uuid4)

    state = models.CharField(max_length=10, choices=ItemState, default=ItemState.PENDING)
    # A code for programs, and a sentence for people.
    reason = models.CharField(max_length=40, blank=True)
    detail = models.TextField(blank=True)
    # Its last operation. None while a worker has claimed it and stored no intent.
    operation = models.ForeignKey(
        Operation, null=True, on_delete=models.PROTECT, related_name="job_items"
    )
    # The token of the lease under which it was claimed, and how often.
    token = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = JobItemQuerySet.as_manager()

    class Meta:
        ordering = ["job", "position"]
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="job_item_position"),
            models.UniqueConstraint(fields=["job", "order_uuid"], name="job_item_order"),
        ]
        indexes = [
            models.Index(fields=["job", "state", "position"], name="job_item_state"),
            models.Index(
                fields=["order_uuid"],
                condition=Q(state__in=[str(state) for state in OPEN_ITEM_STATES]),
                name="job_item_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job_id} {self.position} {self.state}"
