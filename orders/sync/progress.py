"""Reports the state of the sync to pages and the command, and lets an admin resume it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings

from orders import goody_api
from orders.audit import Action, audited_action, record_action
from orders.models import ApiLimits, SyncState
from orders.rights import Actor


class SyncPhase(StrEnum):
    """The present activity of the sync. If several phases apply, it is the first of them."""

    NEVER_BEGUN = "never begun"
    SUSPICIOUS = "suspicious"
    PAUSED = "paused"
    FAILING = "failing"
    RUNNING = "running"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncProgress:
    """The state of the sync. Times are aware UTC.

    `is_complete`: every order was read once, so that lists may use the index; it stays true during
    further full syncs. `imported` of `total` orders (None if unknown) belong to the current or
    latest full sync. `synced_at` is the time of the last update of the index, `watermark` the time
    of the last change that was read, by Goody's clock, and `reconciled_at` the time of the last
    comparison with Goody's counts, which found `drift_*` orders to be unknown, out of date, or no
    longer listed. `problem` is the reason why the sync cannot continue, as the start of a sentence,
    or "". `paused_until` is None if unknown. `is_backfilled`: no creation time is an estimate.
    `is_refolding`: texts are being folded again, so that a search may miss orders.
    """

    phase: SyncPhase
    is_complete: bool = False
    is_full_sync_running: bool = False
    imported: int = 0
    total: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    synced_at: datetime | None = None
    reconciled_at: datetime | None = None
    drift_new: int = 0
    drift_changed: int = 0
    drift_missing: int = 0
    watermark: datetime | None = None
    has_feed: bool = True
    is_backfilled: bool = False
    is_refolding: bool = False
    problem: str = ""
    failing_since: datetime | None = None
    paused_until: datetime | None = None
    is_key_rejected: bool = False


def read_progress(now: datetime) -> SyncProgress:
    """Return the state of the sync from one small query, since every page shows it.

    `now` is aware.
    """
    state, limits = SyncState.objects.get_with_limits()
    if state is None:
        return SyncProgress(phase=SyncPhase.NEVER_BEGUN)
    return _progress(state, limits, now)


def _progress(state: SyncState, limits: ApiLimits, now: datetime) -> SyncProgress:
    phase, problem = _phase(state, limits, now)
    total = state.total
    return SyncProgress(
        phase=phase,
        is_complete=state.is_complete,
        is_full_sync_running=state.is_full_sync_running,
        imported=state.imported if total is None else min(state.imported, total),
        total=total,
        started_at=state.started_at,
        finished_at=state.finished_at,
        synced_at=state.synced_at,
        reconciled_at=state.reconciled_at,
        drift_new=state.drift_new,
        drift_changed=state.drift_changed,
        drift_missing=state.drift_missing,
        watermark=state.watermark,
        has_feed=not state.is_feed_missing,
        is_backfilled=state.is_backfilled and not state.is_feed_missing,
        is_refolding=state.is_refolding,
        problem=problem,
        failing_since=state.failing_since,
        paused_until=limits.paused_until if phase is SyncPhase.PAUSED else None,
        is_key_rejected=limits.is_key_rejected(settings.GOODY_API_KEY),
    )


def _phase(state: SyncState, limits: ApiLimits, now: datetime) -> tuple[SyncPhase, str]:
    if state.is_stopped:
        return SyncPhase.SUSPICIOUS, state.suspicion
    if limits.is_key_rejected(settings.GOODY_API_KEY):
        return SyncPhase.PAUSED, "Goody rejects the API key"
    if limits.is_paused(now):
        return SyncPhase.PAUSED, "Goody asks us to wait"
    if state.failing_since is not None:
        return SyncPhase.FAILING, state.problem
    if state.is_full_sync_running:
        return SyncPhase.RUNNING, ""
    if state.is_complete:
        return SyncPhase.COMPLETE, ""
    return SyncPhase.NEVER_BEGUN, ""


def is_first_run(progress: SyncProgress) -> bool:
    """Whether there is nothing to show yet: no order was imported, or no key is set or accepted."""
    if progress.is_complete:
        return False
    is_cut_off = bool(goody_api.missing_setting_names()) or progress.is_key_rejected
    return is_cut_off or not progress.imported


class SyncNotStopped(Exception):
    """The sync does not wait for an admin (any more)."""


@audited_action(Action.SYNC_RESUME)
def resume_sync(*, actor: Actor, now: datetime) -> None:
    """Resume a sync that stopped because orders are missing; none of them is deleted.

    Raises NotAllowed, SyncNotStopped.
    """
    state = SyncState.objects.current()
    stopped = SyncState.objects.filter(suspicion=state.suspicion, is_suspicion_accepted=False)
    if not state.is_stopped or not stopped.update(is_suspicion_accepted=True, retry_at=None):
        raise SyncNotStopped
    record_action(actor, Action.SYNC_RESUME, detail=state.suspicion, now=now)
