"""Reads in handwritten SQL return exactly what Django's ORM would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import ApiLimits, Operation, State, SyncState
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
