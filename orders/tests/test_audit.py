"""Rights, and the append-only audit."""

from __future__ import annotations

import sqlite3
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from orders import bulk, services, sync
from orders.audit import (
    PERFORMERS,
    REASONS,
    REQUIRED_RIGHTS,
    Action,
    record_security_event,
)
from orders.models import AuditEntry, Operation, State
from orders.rights import (
    RIGHTS,
    Actor,
    NotAllowed,
    Right,
    Role,
)
from testing.domain import (
    actor,
    audit_history,
    cancel,
    current_snapshot,
    extend,
    in_days,
    open_order,
    store_operation,
)
from testing.users import make_user
from testing.vendor import Emulator

VIEWER = {"order.read"}
AGENT = VIEWER | {
    "order.read_messages",
    "order.copy_gift_link",
    "order.cancel",
    "order.extend",
    "view.save",
    "audit.read_own",
}
LEAD = AGENT | {
    "view.share",
    "order.export",
    "audit.read_all",
    "operation.settle",
    "order.bulk",
    "job.approve",
}
ADMIN = LEAD | {"order.read_raw", "order.copy_payment_link", "system.manage"}


def test_rights_of_the_roles() -> None:
    assert {role.value: {right.value for right in RIGHTS[role]} for role in Role} == {
        "viewer": VIEWER,
        "agent": AGENT,
        "lead": LEAD,
        "admin": ADMIN,
    }
    assert {right.value for right in Right} == ADMIN


def test_every_action_has_a_right_and_a_performer() -> None:
    assert set(REQUIRED_RIGHTS) == set(PERFORMERS) == set(Action)
    assert {
        Action.ORDER_CANCEL: services.cancel_order,
        Action.ORDER_EXTEND: services.extend_order,
        Action.OPERATION_SETTLE: services.settle_by_hand,
        Action.KEY_CHECK: services.check_api_key,
        Action.SYNC_RESUME: sync.resume_sync,
        Action.VIEW_SHARE: services.share_view,
        Action.VIEW_CHANGE: services.change_shared_view,
        Action.VIEW_WITHDRAW: services.withdraw_view,
        Action.ORDER_EXPORT: services.start_export,
        Action.JOB_START: bulk.create_job,
        Action.JOB_APPROVE: bulk.approve_job,
        Action.JOB_DECLINE: bulk.decline_job,
        Action.JOB_STOP: bulk.stop_job,
        Action.JOB_RESUME: bulk.resume_job,
    } == PERFORMERS
    assert len({code for code, _ in REASONS}) == len(REASONS)
    assert "other" in dict(REASONS)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "right", "sentence"),
    [
        ("viewer", Right.CANCEL, "Your role may not cancel gifts. An admin can make you an agent."),
        (
            "agent",
            Right.SETTLE,
            "Your role may not settle an outcome by hand. An admin can make you a lead.",
        ),
        ("", Right.READ, "Your role may not see orders. An admin can make you a viewer."),
    ],
)
def test_a_refusal_names_the_right_and_who_grants_it(
    role: str, right: Right, sentence: str
) -> None:
    with pytest.raises(NotAllowed) as refused:
        actor(role).require(right)
    assert (refused.value.right, str(refused.value)) == (right, sentence)


@pytest.mark.django_db
def test_actor_of_each_kind_of_user() -> None:
    user = make_user("agent")
    assert Actor.for_user(user, "r") == Actor(user.pk, "Agent", Role.AGENT, "r")
    user.groups.add(*make_user("lead").groups.all())
    assert Actor.for_user(user).role is Role.LEAD
    user.is_superuser = True
    assert Actor.for_user(user).role is Role.ADMIN
    user.is_active = False
    assert Actor.for_user(user).role is None
    assert Actor.for_user(AnonymousUser()) == Actor(None, "", None)


@pytest.mark.django_db
def test_longest_name_is_truncated_to_the_column(emulator: Emulator) -> None:
    user = make_user("agent")
    user.first_name, user.last_name = "A" * 150, "B" * 150
    done = cancel(open_order(emulator), actor=Actor.for_user(user))
    assert done.state == "applied"
    assert done.actor_name == f"{'A' * 150} {'B' * 49}"


@pytest.mark.django_db
def test_missing_right_prevents_calls_and_rows(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    needs = store_operation(state=State.NEEDS_HUMAN, order_uuid=uuid4())
    before = AuditEntry.objects.count(), Operation.objects.count(), emulator.calls()["total"]
    leaver = make_user("lead", "leaver")
    leaver.is_active = False
    for person in (
        actor("viewer"),
        actor(""),
        Actor.for_user(leaver),
        Actor.for_user(AnonymousUser()),
    ):
        for attempt in _attempts(person, order_id, shown, needs.pk):
            with pytest.raises(NotAllowed):
                attempt()
    with pytest.raises(NotAllowed):
        _settle(actor("agent"), needs.pk)
    after = AuditEntry.objects.count(), Operation.objects.count(), emulator.calls()["total"]
    assert after == before


def _attempts(person: Actor, order_id: UUID, shown: dict[str, Any], needs: UUID) -> list[Any]:
    return [
        lambda: cancel(order_id, actor=person, snapshot=shown),
        lambda: extend(order_id, actor=person, snapshot=shown),
        lambda: _settle(person, needs),
        lambda: services.check_api_key(actor=person, now=timezone.now()),
    ]


def _settle(person: Actor, operation_id: UUID) -> Operation:
    return services.settle_by_hand(
        actor=person, operation_id=operation_id, is_applied=True, note="", now=timezone.now()
    )


# --- Append-only ------------------------------------------------------------------------------

CHANGES = {
    "update": "UPDATE orders_auditentry SET note = 'x'",
    "update of nothing else": "UPDATE orders_auditentry SET id = id",
    "delete": "DELETE FROM orders_auditentry",
    "delete one": "DELETE FROM orders_auditentry WHERE id = {id}",
}
ONLY_ON = {
    "sqlite": {
        "replace": (
            "INSERT OR REPLACE INTO orders_auditentry "
            "(id, at, actor_name, action, reference_id, reason, note, ticket, outcome, detail,"
            " request_id) VALUES ({id}, '2026-01-01', '', '', '', '', '', '', '', '', '')"
        ),
        "upsert": (
            "INSERT INTO orders_auditentry SELECT * FROM orders_auditentry WHERE true "
            "ON CONFLICT (id) DO UPDATE SET note = 'x'"
        ),
    },
    "postgresql": {
        "truncate": "TRUNCATE orders_auditentry",
        "truncate cascade": "TRUNCATE orders_operation CASCADE",
        "upsert": (
            "INSERT INTO orders_auditentry SELECT * FROM orders_auditentry "
            "ON CONFLICT (id) DO UPDATE SET note = 'x'"
        ),
        "merge": (
            "MERGE INTO orders_auditentry a USING orders_auditentry b ON a.id = b.id "
            "WHEN MATCHED THEN DELETE"
        ),
    },
}


def _changes(entry: AuditEntry) -> dict[str, str]:
    every = CHANGES | ONLY_ON[connection.vendor]
    return {name: statement.format(id=entry.pk) for name, statement in every.items()}


@pytest.mark.django_db
def test_audit_rows_cannot_be_changed_through_the_orm() -> None:
    entry = record_security_event("test", detail="as it was")
    # PostgreSQL refuses to truncate, whoever asks, while a deferred check is pending.
    connection.check_constraints()
    rows = list(AuditEntry.objects.values())
    for statement in _changes(entry).values():
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    for attempt in (entry.save, entry.delete, AuditEntry.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            attempt()
    assert list(AuditEntry.objects.values()) == rows


def test_audit_rows_cannot_be_changed_on_another_connection(database_url: str) -> None:
    """Another program does not set PRAGMA recursive_triggers and does not use Django."""
    entry = record_security_event("test", detail="as it was")
    statements = _changes(entry)
    other: Any
    if connection.vendor == "sqlite":
        other = sqlite3.connect(database_url.removeprefix("sqlite:///"), autocommit=True)
        refusal: type[Exception] = sqlite3.IntegrityError
    else:
        other = psycopg.connect(database_url, autocommit=True)
        refusal = psycopg.errors.RaiseException
    for statement in statements.values():
        with pytest.raises(refusal, match="append-only"):
            other.execute(statement)
    found = other.execute("SELECT id, detail FROM orders_auditentry").fetchall()
    other.close()
    assert found == [(entry.pk, "as it was")]


# --- What is written --------------------------------------------------------------------------


@pytest.mark.django_db
def test_intent_and_outcome_of_a_cancel(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    person = actor("agent", "ana")
    done = cancel(
        order_id,
        actor=person,
        reason="other",
        note="asked on the phone",
        ticket="https://tickets.example.com/1",
    )
    outcome, intent = AuditEntry.objects.all()
    shared = {"action": "order.cancel", "order_uuid": order_id, "operation_id": done.pk}
    stored = Operation.objects.get()
    _assert_row(
        intent,
        **shared,
        at=done.created_at,
        actor_id=person.user_id,
        actor_name="Ana",
        reference_id=stored.reference_id,
        intent_id=None,
        reason="other",
        note="asked on the phone",
        ticket="https://tickets.example.com/1",
        before=stored.before,
        after=None,
        outcome="",
        detail="",
        request_id="req-1",
    )
    _assert_row(
        outcome,
        **shared,
        at=outcome.at,
        actor_id=None,
        actor_name="Goody Admin",
        reference_id=stored.reference_id,
        intent_id=intent.pk,
        reason="",
        note="",
        ticket="",
        before=stored.before,
        after={**stored.before, "status": "failed"},
        outcome="applied",
        detail="",
        request_id="",
    )
    assert stored.before["status"] == "notified"


def _assert_row(entry: AuditEntry, **expected: Any) -> None:
    fields = {field.attname: getattr(entry, field.attname) for field in entry._meta.concrete_fields}
    assert fields == {"job_id": None, **expected, "id": entry.pk}


@pytest.mark.django_db
def test_intent_of_an_extension_names_the_date(emulator: Emulator) -> None:
    order_id = open_order(emulator)
    wanted = in_days(44)
    extend(order_id, expiration=wanted)
    outcome, intent = AuditEntry.objects.all()
    assert intent.after == {"expires_at": wanted.isoformat()}
    assert (outcome.outcome, outcome.after["expires_at"]) == ("applied", wanted.isoformat())
    assert intent.before["expires_at"] == outcome.before["expires_at"] != wanted.isoformat()


REFUSED = "refused"
OUTCOMES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "refused": ({"kind": "status", "status": 409, "text": "No"}, [REFUSED]),
    "rate limited": ({"kind": "status", "status": 429}, [REFUSED]),
    "unknown": ({"kind": "cut"}, ["unknown"]),
    "contradicted": ({"kind": "mutate", "set": {"status": "opened"}}, ["unknown"]),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", OUTCOMES)
def test_one_intent_and_each_outcome(emulator: Emulator, name: str) -> None:
    fault, outcomes = OUTCOMES[name]
    order_id = open_order(emulator)
    shown = current_snapshot(order_id)
    emulator.add_fault(fault, method="POST")
    done = cancel(order_id, snapshot=shown)
    assert audit_history(done) == [
        ("order.cancel", "Agent", ""),
        *(("order.cancel", "Goody Admin", outcome) for outcome in outcomes),
    ]


@pytest.mark.django_db
def test_audit_names_the_lead_who_settled() -> None:
    done = store_operation(state=State.NEEDS_HUMAN, unknown_at=timezone.now())
    services.settle_by_hand(
        actor=actor("lead"),
        operation_id=done.pk,
        is_applied=False,
        note="looked",
        now=timezone.now(),
    )
    assert audit_history(done) == [
        ("order.cancel", "Agent", ""),
        ("operation.settle", "Lead", "not_applied"),
    ]
    last = AuditEntry.objects.first()
    assert last is not None
    assert (last.note, last.detail) == (
        "looked",
        "Lead looked at Goody's own page and recorded this.",
    )


@pytest.mark.django_db
def test_a_key_check_is_one_row(emulator: Emulator) -> None:
    services.check_api_key(actor=actor("admin"), now=timezone.now())
    assert [(row.action, row.actor_name, row.detail) for row in AuditEntry.objects.all()] == [
        ("system.key_check", "Admin", "The key works")
    ]
