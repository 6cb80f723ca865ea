"""A lease on a job lets one worker at a time run its items, with a fencing token.

Acquiring the lease increments the token, and items are claimed with it. A worker that was suspended
past the end of its lease can neither claim an item nor store an intent for the one it holds.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from orders.models import JOB_VERSION, Job

# The share of the lease's length after which it is renewed. The rest outlasts the longest item: a
# slot, the read, a place within the rate and the POST.
_RENEW_AFTER = 0.1


class LeaseLost(Exception):
    """Another worker holds the lease of the job."""


class JobLease:
    """The right to run a job. It expires by the wall clock, which processes share."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._renewed = time.monotonic()

    @classmethod
    def acquire(cls, job_id: UUID, *, now: datetime) -> Self | None:
        """Return the lease of a job that is due, or None.

        None also if another worker holds it, or if the job is of another version. An expiry too far
        in the future was written before the clock was set back, and is ignored.
        """
        job = Job.objects.filter(pk=job_id, version=JOB_VERSION, ended_at=None).first()
        if job is None or job.due_at is None or job.due_at > now:
            return None
        if job.lease_until is not None and now < job.lease_until <= now + 2 * _length():
            return None
        unchanged = Job.objects.filter(
            pk=job_id, lease_token=job.lease_token, lease_until=job.lease_until
        )
        token, until = job.lease_token + 1, now + _length()
        if not unchanged.update(lease_token=token, lease_until=until, queued_at=None):
            return None
        job.refresh_from_db()
        if job.lease_token != token:
            # This worker was suspended since the UPDATE, and another one has the lease.
            return None
        lease = cls(job)
        if job.due_at is None or job.due_at > now:
            # A person has changed the job meanwhile.
            lease.release(due_at=job.due_at)
            return None
        return lease

    def update(self, **changes: Any) -> bool:
        """Change the job if its state is unchanged, and renew the lease; return whether it was.

        Raises LeaseLost.
        """
        changes["lease_until"] = timezone.now() + _length()
        own = Job.objects.filter(pk=self.job.pk, lease_token=self.job.lease_token)
        is_changed = bool(own.filter(state=self.job.state).update(**changes))
        self._renewed = time.monotonic()
        self.reload()
        return is_changed

    def renew_if_due(self) -> None:
        """Renew the lease when due. Raises LeaseLost."""
        if time.monotonic() - self._renewed > settings.BULK_LEASE * _RENEW_AFTER:
            self.update()

    def reload(self) -> None:
        """Read the job again. Raises LeaseLost."""
        token = self.job.lease_token
        self.job.refresh_from_db()
        if self.job.lease_token != token:
            raise LeaseLost

    def release(self, *, due_at: datetime | None) -> None:
        """Release the lease. The job is due again at `due_at`, for any worker.

        If a person changed the state meanwhile, the due time of that change stays.
        """
        own = Job.objects.filter(pk=self.job.pk, lease_token=self.job.lease_token)
        if not own.filter(state=self.job.state).update(lease_until=None, due_at=due_at):
            own.update(lease_until=None)


def _length() -> timedelta:
    return timedelta(seconds=settings.BULK_LEASE)
