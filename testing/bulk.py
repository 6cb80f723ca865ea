"""Helpers for tests of bulk actions: orders in the index, selections of them, and plans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone

from orders import index
from orders.bulk.preview import BulkParameters, ExtensionRule, Plan, make_plan
from orders.bulk.selections import freeze_orders
from orders.eligibility import ExpirationPreset
from orders.models import Selection
from orders.rights import Actor
from testing.domain import actor, goody_time, order
from testing.search_oracle import uuid

UTC_ZONE = ZoneInfo("UTC")


def days_from_now(days: float) -> datetime:
    """Return the time `days` days from now, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)


# Computed once, so that an order that is stored twice has the same expiration.
_EXPIRES_AT = goody_time(days_from_now(5))


def store_order(number: int, *, read_at: datetime | None = None, **fields: Any) -> UUID:
    """Store an order in the index: notified, expiring in five days, with `fields` as overrides."""
    order_id = uuid("bulk", number)
    given = {"id": str(order_id), "expires_at": _EXPIRES_AT, **fields}
    index.upsert_orders([order(**given)], read_at=read_at or timezone.now())
    return order_id


def select(
    order_ids: Sequence[UUID],
    action: Selection.Action = Selection.Action.EXTEND,
    *,
    by: Actor | None = None,
) -> Selection:
    return freeze_orders(
        actor=by or actor("lead"),
        action=action,
        order_ids=order_ids,
        description="Status: notified",
        list_url="/orders/?status=notified",
        now=timezone.now(),
    )


def preset_rule(
    which: ExpirationPreset = ExpirationPreset.TWO_WEEKS, zone: str = "UTC"
) -> ExtensionRule:
    return ExtensionRule(zone=ZoneInfo(zone), now=timezone.now(), preset=which)


def date_rule(at: datetime) -> ExtensionRule:
    return ExtensionRule(zone=UTC_ZONE, now=timezone.now(), date=at)


def plan(selection: Selection, rule: ExtensionRule | None = None, **given: Any) -> Plan:
    """Return the plan of a selection. The default rule of an extension is two weeks."""
    action = Selection.Action(selection.action)
    if rule is None and action is Selection.Action.EXTEND and not given.pop("is_undo", False):
        rule = preset_rule()
    parameters = BulkParameters(action=action, zone=UTC_ZONE, rule=rule, **given)
    return make_plan(selection, parameters, now=timezone.now())


def eligibility_codes(found: Plan) -> list[str]:
    """Return the code of each item's eligibility."""
    return [one.eligibility.code for one in found.items]
