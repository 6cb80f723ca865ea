"""Helpers for tests of the services: orders, actors, cancels and extensions, injected time.

Nothing is mocked: the client, the sockets and the databases are real.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from goody.limits import ClientLimits
from goody.types import Order as GoodyOrder
from goody.types import parse_order
from orders import goody_api, services
from orders.audit import record_intent
from orders.eligibility import order_snapshot
from orders.models import EXACT_SOURCES, AuditEntry, Operation, Order, State
from orders.rights import Actor
from orders.services import anomalies
from testing.certificates import small_ca_bundle
from testing.users import make_user
from testing.vendor import Emulator

ORDER_ID = UUID("11111111-2222-4333-8444-555555555555")
# Fields that only the detail answer has.
NEVER_ACCEPTED = {"created_at": "2026-11-01T09:00:00Z"}


def reset_goody_client(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reset the process-wide client, breaker and anomaly counts around one test.

    The client retries a read after hundredths of a second.
    """
    settings.GOODY_CA_BUNDLE = str(small_ca_bundle())
    monkeypatch.setattr(goody_api, "ClientLimits", partial(ClientLimits, retry_base=0.02))
    goody_api._client.cache_clear()
    anomalies._recorded.clear()


def order_json(**fields: Any) -> dict[str, Any]:
    """Return the JSON of a cancelable order."""
    return {
        "id": str(ORDER_ID),
        "status": "notified",
        "reference_id": "ABCDEFGHIJKLMNOPQRSTUVWX",
        "recipient_first_name": "Mira",
        "recipient_last_name": "Okafor",
        "recipient_email": "mira@example.com",
        "expires_at": "2099-01-01T00:00:00Z",
        "cart": {"items": [{"quantity": 2, "product": {"name": "Tea"}}]},
        "amounts": {"amount_pre_tax_total": 1842, "amount_tax": None, "amount_total": None},
        **fields,
    }


def order(**fields: Any) -> GoodyOrder:
    return parse_order(msgspec.json.encode(order_json(**fields)))


def actor(role: str = "agent", username: str = "") -> Actor:
    return Actor.for_user(make_user(role, username), request_id="req-1")


def open_order(emulator: Emulator, **fields: Any) -> UUID:
    """Return the id of a new order at Goody that may be canceled and extended."""
    created = emulator.create_orders(**{"status": "notified", **fields})
    return UUID(created[0]["id"])


def current_snapshot(order_id: UUID) -> dict[str, Any]:
    """Return the snapshot of the order as a dialog that is opened now contains it."""
    return order_snapshot(services.refresh_order(order_id=order_id, now=timezone.now()).order)


def cancel(order_id: UUID, **given: Any) -> Operation:
    form = {
        "actor": given.pop("actor", None) or actor(),
        "order_id": order_id,
        "snapshot": given.pop("snapshot", None) or current_snapshot(order_id),
        "form_key": uuid4(),
        "reason": "duplicate",
        "note": "",
        "ticket": "",
        "now": timezone.now(),
    }
    return services.cancel_order(**{**form, **given})


def extend(order_id: UUID, **given: Any) -> Operation:
    form = {
        "actor": given.pop("actor", None) or actor(),
        "order_id": order_id,
        "snapshot": given.pop("snapshot", None) or current_snapshot(order_id),
        "form_key": uuid4(),
        "expiration": in_days(44),
        "may_shorten": False,
        "reason": "",
        "ticket": "",
        "undoes": None,
        "now": timezone.now(),
    }
    return services.extend_order(**{**form, **given})


def in_days(days: float) -> datetime:
    return (timezone.now() + timedelta(days=days)).replace(microsecond=0)


def goody_time(at: datetime) -> str:
    """Return the instant in Goody's format, UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def exact_created_at(row: Order) -> datetime | None:
    """Return the exact creation time (UTC), or None where it is an estimate."""
    return row.created_at if row.created_from in EXACT_SOURCES else None


def store_operation(**fields: Any) -> Operation:
    """Store an operation as a killed process leaves it, with its intent in the audit; return it."""
    now = timezone.now()
    made = Operation.objects.create(
        **{
            "order_uuid": ORDER_ID,
            "action": "order.cancel",
            "actor_id": actor().user_id,
            "actor_name": "Agent",
            "form_key": uuid4(),
            "params_hash": "",
            "created_at": now,
            "lease_until": now + timedelta(seconds=60),
            **fields,
        }
    )
    record_intent(made, request_id="req-1")
    return made


def stored_outcome(one: Operation) -> tuple[str, str, str]:
    """Return (state, failure class, failure kind) as stored."""
    one = Operation.objects.get(pk=one.pk)
    return one.state, one.failure_class, one.failure_kind


def audit_history(one: Operation) -> list[tuple[str, str, str]]:
    """Return (action, actor, outcome) of one operation's audit rows, oldest first."""
    rows = AuditEntry.objects.filter(operation=one).order_by("id")
    return [(row.action, row.actor_name, row.outcome) for row in rows]


class WorkerEvidence(services.ReadEvidence):
    """The evidence of a worker whose monotonic clock moves with the wall clock of the tests."""

    def __init__(self) -> None:
        super().__init__(monotonic=lambda: time.time(), wall=lambda: time.time())  # noqa: PLW0108


_evidence = WorkerEvidence()


def read_if_due(one: Operation, evidence: services.ReadEvidence | None = None) -> str:
    """Read the order if it is due, as the worker does; return the operation's state afterwards."""
    services.settle_operation(
        operation_id=one.pk, now=timezone.now(), evidence=evidence or _evidence
    )
    return Operation.objects.get(pk=one.pk).state


def read_until_settled(one: Operation, clock: Any) -> list[float]:
    """Run all due reads; return the seconds since the outcome became unknown."""
    moments: list[float] = []
    for _ in range(100):
        one = Operation.objects.get(pk=one.pk)
        if one.state != State.UNKNOWN:
            return moments
        assert one.due_at is not None
        assert one.unknown_at is not None
        clock.shift(max(one.due_at - timezone.now(), timedelta(0)))
        moments.append(_scheduled((timezone.now() - one.unknown_at).total_seconds()))
        read_if_due(one)
    raise AssertionError("never settled")


def _scheduled(seconds: float) -> int:
    """Return the nearest value of OPERATION_READS, since the steps of a test take time as well."""
    nearest = min(settings.OPERATION_READS, key=lambda moment: abs(moment - seconds))
    return round(nearest if abs(nearest - seconds) < 4 else seconds)


def read_when_due(one: Operation, clock: Any, *, times: int = 10) -> Operation:
    """Make up to `times` reads, each at its due time; return the operation afterwards."""
    for _ in range(times):
        one = Operation.objects.get(pk=one.pk)
        if one.due_at is None:
            break
        clock.shift(max(one.due_at - timezone.now(), timedelta(0)))
        read_if_due(one)
    return Operation.objects.get(pk=one.pk)


@contextmanager
def failing_statements(table: str, what: str, *, when: str = "true") -> Iterator[None]:
    """Make the database reject these statements during the block, like a full disk."""
    with connection.cursor() as cursor:
        for statement in _REFUSE[connection.vendor]:
            cursor.execute(statement.format(table=table, what=what, when=when))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for statement in _ALLOW[connection.vendor]:
                cursor.execute(statement.format(table=table))


_REFUSE = {
    "sqlite": [
        "CREATE TRIGGER refuse_it BEFORE {what} ON {table} WHEN {when} "
        "BEGIN SELECT RAISE(ABORT, 'refused'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION refuse_it() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'refused'; END $$",
        "CREATE TRIGGER refuse_it BEFORE {what} ON {table} FOR EACH ROW WHEN ({when}) "
        "EXECUTE FUNCTION refuse_it()",
    ],
}
_ALLOW = {
    "sqlite": ["DROP TRIGGER refuse_it"],
    "postgresql": ["DROP TRIGGER refuse_it ON {table}", "DROP FUNCTION refuse_it"],
}
