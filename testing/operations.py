"""Helpers for tests of the two writes: their messages, lost answers, concurrent attempts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from orders.eligibility import order_snapshot
from orders.models import Operation
from orders.outcome_message import OutcomeMessage
from orders.outcomes import outcome_message
from testing.domain import (
    ORDER_ID,
    cancel,
    current_snapshot,
    extend,
    open_order,
    order,
    stored_outcome,
)
from testing.faulty_server import FaultyServer
from testing.vendor import Emulator


def message(one: Operation) -> OutcomeMessage:
    """Return the outcome message of the stored operation, with times in UTC."""
    stored = Operation.objects.get(pk=one.pk)
    return outcome_message(stored, now=timezone.now(), zone=timezone.get_default_timezone())


def title(one: Operation) -> str:
    return message(one).title


def sentence(one: Operation) -> str:
    return message(one).sentence


def applied_cancels(emulator: Emulator, order_id: UUID) -> list[bool]:
    """Return for each cancel in the emulator's ledger whether it was applied."""
    return [one["applied"] for one in emulator.ledger(order_id=str(order_id), kind="cancel")]


def cancel_with_server(server: FaultyServer, goody: Any, **given: Any) -> Operation:
    """Cancel ORDER_ID at this server. `goody` is the fixture."""
    goody(server)
    return cancel(ORDER_ID, **{"snapshot": order_snapshot(order()), **given})


def cancel_without_answer(emulator: Emulator, settings: Any, fault: dict[str, Any]) -> Operation:
    """Return a cancel whose outcome is unknown because of `fault`."""
    return _lose(emulator, settings, fault, cancel)


def extend_without_answer(
    emulator: Emulator, settings: Any, fault: dict[str, Any], **given: Any
) -> Operation:
    """Return an extension whose outcome is unknown because of `fault`."""
    return _lose(emulator, settings, fault, extend, **given)


def _lose(
    emulator: Emulator, settings: Any, fault: dict[str, Any], write: Any, **given: Any
) -> Operation:
    settings.GOODY_WRITE_DEADLINE = 0.3
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    emulator.add_fault(fault, method="POST", times=1)
    done: Operation = write(order_id, snapshot=shown, **given)
    assert stored_outcome(done)[:2] == ("unknown", "C")
    return done


def in_threads(count: int, attempt: Callable[[], object]) -> list[object]:
    """Call `attempt` in `count` threads at once; return what each call returned or raised."""
    results: list[object] = []
    start = threading.Barrier(count)

    def run() -> None:
        try:
            start.wait(10)
            results.append(attempt())
        except Exception as error:  # noqa: BLE001 - the test looks at whatever it was
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == count
    return results
