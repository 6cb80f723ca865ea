"""An admin has looked at what seemed suspicious, and lets the sync go on."""

from __future__ import annotations

from datetime import datetime

from orders.audit import Action, Actor, action, record_action
from orders.models import SyncState


class NotStopped(Exception):
    """There is nothing (any more) that waits for an admin."""


@action(Action.SYNC_RESUME)
def let_go_on(*, actor: Actor, now: datetime) -> None:
    """Accept that orders are missing; nothing of them is deleted. Raises NotAllowed, NotStopped."""
    state = SyncState.objects.current()
    stopped = SyncState.objects.filter(suspicion=state.suspicion, is_suspicion_accepted=False)
    if not state.is_stopped or not stopped.update(is_suspicion_accepted=True, retry_at=None):
        raise NotStopped
    record_action(actor, Action.SYNC_RESUME, detail=state.suspicion, now=now)
