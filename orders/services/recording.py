"""Moves of operations and their audit rows, stored together.

A transaction is tried again where that is safe, and never around a call to Goody.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import Error as DatabaseFailure
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from orders.audit import Actor, record_outcome
from orders.models import Operation, State

_TRIES = 3
_OPEN_TO_PROOF = (State.UNKNOWN, State.NEEDS_HUMAN, State.NOT_APPLIED, State.SUPERSEDED)
# serialization_failure, deadlock_detected
_SAFE_TO_REPEAT = {"40001", "40P01"}


def conclude(
    operation: Operation, to: State, *, actor: Actor | None = None, note: str = "", **changes: Any
) -> Operation:
    """Make a move and write its audit row; return the operation as it then stands.

    `actor` and `note` are those of a lead who settles by hand. If the row went on without us
    (our lease had run out, another read was faster), a proof that the write was applied still
    counts, all else does not.
    """
    was_sent = operation.state != State.PLANNED
    (record_with_retries if was_sent else record)(
        lambda: _store(operation, to, actor=actor, note=note, changes=changes)
    )
    operation.refresh_from_db()
    is_proof = to == State.APPLIED and actor is None
    if is_proof and operation.state in _OPEN_TO_PROOF:
        return conclude(operation, to, **changes)
    return operation


def _store(
    operation: Operation, to: State, *, actor: Actor | None, note: str, changes: dict[str, Any]
) -> None:
    moved = Operation.objects.move(operation, to, **changes)
    if moved is not None:
        record_outcome(moved, now=timezone.now(), actor=actor, note=note)


def record(store: Callable[[], None]) -> None:
    """Run `store` in one transaction; repeat it where the database itself chose a victim.

    A lock that was waited for in vain (3 s on both databases) is not waited for again.
    """
    _repeat(store, lambda error: _sqlstate(error) in _SAFE_TO_REPEAT)


def record_with_retries(store: Callable[[], None]) -> None:
    """Like `record`, and through a lost connection too: Goody has answered, this must be kept."""

    def is_worth_it(error: DatabaseFailure) -> bool:
        return isinstance(error, OperationalError | InterfaceError)

    _repeat(store, is_worth_it)


def _repeat(store: Callable[[], None], is_worth_it: Callable[[DatabaseFailure], bool]) -> None:
    for tried in range(1, _TRIES + 1):
        try:
            with transaction.atomic():
                store()
        except DatabaseFailure as error:
            if tried == _TRIES or not is_worth_it(error):
                raise
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()
            time.sleep(0.05 * tried)
        else:
            return


def _sqlstate(error: DatabaseFailure) -> str:
    return getattr(error.__cause__, "sqlstate", "") or ""
