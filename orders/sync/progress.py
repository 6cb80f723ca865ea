"""How far the index is, for pages and for those who wait before a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings

from orders.models import ApiLimits, SyncState


class Phase(StrEnum):
    """What the sync is doing, the most important of what may be said."""

    NEVER_BEGUN = "never begun"
    SUSPICIOUS = "suspicious"
    PAUSED = "paused"
    FAILING = "failing"
    RUNNING = "running"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncProgress:
    """Times are aware UTC.

    `is_complete`: every order was read once, so that lists may come from the index; it stays so
    while everything is read again. `imported` of `total` (None: Goody does not say) belong to the
    full sync that is under way or was the last. `synced_at`: when the index was last brought up to
    date; `watermark`: up to where, by Goody's clock. `reconciled_at`: when it was last compared
    with Goody's counts, and what drift was found: orders that were not known, out of date, or not
    listed any more. `why` says as the beginning of a sentence what is wrong; `paused_until` is
    None where nobody knows. `is_dated`: the feed has told when the orders were created; until then
    that is an estimate for some of them. `is_refolding`: a search may miss an order that is there.
    """

    phase: Phase
    is_complete: bool = False
    is_full_under_way: bool = False
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
    is_dated: bool = False
    is_refolding: bool = False
    why: str = ""
    failing_since: datetime | None = None
    paused_until: datetime | None = None


def progress(now: datetime) -> SyncProgress:
    """One small read, since every page asks. `now` is aware."""
    state, limits = SyncState.objects.get_with_limits()
    if state is None:
        return SyncProgress(phase=Phase.NEVER_BEGUN)
    return _progress(state, limits, now)


def _progress(state: SyncState, limits: ApiLimits, now: datetime) -> SyncProgress:
    phase, why = _phase(state, limits, now)
    total = state.total
    return SyncProgress(
        phase=phase,
        is_complete=state.is_complete,
        is_full_under_way=state.is_full_under_way,
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
        is_dated=state.is_dated and not state.is_feed_missing,
        is_refolding=state.is_refolding,
        why=why,
        failing_since=state.failing_since,
        paused_until=limits.paused_until if phase is Phase.PAUSED else None,
    )


def _phase(state: SyncState, limits: ApiLimits, now: datetime) -> tuple[Phase, str]:
    if state.is_stopped:
        return Phase.SUSPICIOUS, state.suspicion
    if limits.is_key_rejected(settings.GOODY_API_KEY):
        return Phase.PAUSED, "Goody rejects the API key"
    if limits.is_paused(now):
        return Phase.PAUSED, "Goody asks us to wait"
    if state.failing_since is not None:
        return Phase.FAILING, state.problem
    if state.is_full_under_way:
        return Phase.RUNNING, ""
    if state.is_complete:
        return Phase.COMPLETE, ""
    return Phase.NEVER_BEGUN, ""
