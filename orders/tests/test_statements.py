"""Handwritten SQL reads and writes exactly what Django's ORM would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import ApiLimits, Operation, State, SyncState
from orders.models.statements import database_values, update_where
from orders.rights import Actor, Role
from testing.domain import make_user

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


def columns(row: Any) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def write_on(order_id: UUID, *, age: int, **values: Any) -> Operation:
    at = NOW - timedelta(minutes=age)
    return Operation.objects.create(
        order_uuid=order_id,
        action="order.cancel",
        actor=values.pop("actor"),
        actor_name="Ana",
        form_key=uuid4(),
        params_hash="h",
        created_at=at,
        lease_until=at,
        **values,
    )


def test_history_equals_that_of_the_orm() -> None:
    user, one, other = make_user("agent", "ana"), uuid4(), uuid4()
    first = write_on(one, age=3, actor=user, state=State.APPLIED, expires_before=NOW)
    write_on(one, age=1, actor=user, before={"a": [1, None, "é"]}, evidence=None)
    write_on(other, age=2, actor=user, undoes=first, confirmed_at=NOW, note="<b> 100 %s")
    write_on(uuid4(), age=0, actor=user)
    ids = [one, other]
    with CaptureQueriesContext(connection) as captured:
        found = Operation.objects.history_of(ids)
    assert len(captured) == 1
    expected = [*Operation.objects.on_orders(ids)]
    assert [columns(row) for row in found] == [columns(row) for row in expected]
    assert [type(value) for row in found for value in columns(row).values()] == [
        type(value) for row in expected for value in columns(row).values()
    ]
    assert Operation.objects.history_of([uuid4()]) == Operation.objects.history_of([]) == ()
    found[0].note = "changed"
    found[0].save()
    assert Operation.objects.get(pk=found[0].pk).note == "changed"


def test_api_limits_equal_those_of_the_orm() -> None:
    ApiLimits.objects.pause_until(NOW)
    ApiLimits.objects.reject_key("key", now=NOW)
    with CaptureQueriesContext(connection) as captured:
        limits = ApiLimits.objects.current()
    assert len(captured) == 1
    assert columns(limits) == columns(ApiLimits.objects.get())


def test_sync_state_and_api_limits_equal_those_of_the_orm() -> None:
    assert SyncState.objects.get_with_limits()[0] is None
    SyncState.objects.create(pk=1, started_at=NOW, problem="100 %s", is_feed_missing=True)
    state, limits = SyncState.objects.get_with_limits()
    assert (columns(state), limits.pk) == (columns(SyncState.objects.get()), None)
    ApiLimits.objects.pause_until(NOW)
    with CaptureQueriesContext(connection) as captured:
        state, limits = SyncState.objects.get_with_limits()
    assert len(captured) == 1
    assert columns(state) == columns(SyncState.objects.get())
    assert columns(limits) == columns(ApiLimits.objects.get())


CHANGES: dict[str, Any] = {
    "state": State.SENDING,
    "before": {"a": [1, None, "é"], "b": "100 %s"},
    "after": None,
    "note": "<b> 100 % 'quoted'",
    "may_take_effect": True,
    "sent_at": NOW,
    "reads": 3,
}


def stored(operation: Operation) -> dict[str, Any]:
    found = columns(Operation.objects.get(pk=operation.pk))
    return {name: value for name, value in found.items() if name not in ("id", "form_key")}


def test_inserted_row_equals_that_of_the_orm() -> None:
    user, order_id = make_user("agent", "ana"), uuid4()
    first = write_on(uuid4(), age=9, actor=user)
    closed = {**CHANGES, "state": State.APPLIED, "undoes": first, "actor": user}
    expected = write_on(order_id, age=1, **closed)
    row = Operation(**{**columns(expected), "id": uuid4(), "form_key": uuid4()})
    with CaptureQueriesContext(connection) as captured:
        Operation.objects.insert(row)
    assert len(captured) == 1
    assert stored(row) == stored(expected)
    row.note = "changed"
    row.save()
    assert Operation.objects.get(pk=row.pk).note == "changed"


def test_updated_row_equals_that_of_the_orm() -> None:
    user, order_id = make_user("agent", "ana"), uuid4()
    closed = {"actor": user, "state": State.APPLIED, "after": {"status": "failed"}}
    row, expected = write_on(order_id, age=1, **closed), write_on(order_id, age=1, **closed)
    first = write_on(uuid4(), age=9, actor=user)
    changes = {**CHANGES, "state": State.NOT_APPLIED, "undoes_id": first.pk}
    Operation.objects.filter(pk=expected.pk).update(**changes)
    [key] = database_values(Operation, "id", [row.pk], using="default")
    for token, count in (("other", 0), ("applied", 1)):
        where = "id = %s AND state = %s"
        assert update_where(Operation, changes, where, [key, token], using="default") == count
    assert stored(row) == stored(expected)


def test_actor_equals_that_of_the_user() -> None:
    for name in ("agent", "lead", "admin"):
        user = make_user(name, name)
        user.groups.add(Group.objects.get(name="viewer"))
        assert Actor.by_user_id(user.pk, "r") == Actor.for_user(user, "r")
    User.objects.update(is_active=False)
    assert Actor.by_user_id(user.pk).role is None
    User.objects.update(is_active=True, is_superuser=True, first_name="Ana", last_name="Ö")
    assert Actor.by_user_id(user.pk) == Actor(user.pk, "Ana Ö", Role.ADMIN)
