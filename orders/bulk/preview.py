"""The plan of a bulk action: its effect on each order of a selection, computed from the index.

It makes no calls to Goody. The job reads each order again before it changes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

from orders import formats, services
from orders.eligibility import (
    Eligibility,
    ExpirationPreset,
    SnapshotDifference,
    check_expiration,
    compare_snapshots,
    is_same_second,
    may_cancel,
    may_extend,
    preset_base,
    preset_expiration,
    snapshot_expiration,
)
from orders.models import BlockingJob, FrozenOrder, Selection
from orders.search import Hit
from orders.services import IndexedOrder, ListedOrder
from orders.services.indexed_orders import StoredSnapshot
from orders.text import hex_digest

_EACH = {
    ExpirationPreset.WEEK: "each by 7 days",
    ExpirationPreset.TWO_WEEKS: "each by 14 days",
    ExpirationPreset.MONTH: "each by 30 days",
    ExpirationPreset.END_OF_MONTH: "each to the end of its month",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionRule:
    """A new expiration for each order: by a `preset`, or `date` (aware UTC) for all.

    A preset is added to the order's own expiration, or to `now` if that is later or the order has
    no expiration, in days of `zone`. Exactly one of `preset` and `date` is set.
    """

    zone: ZoneInfo
    now: datetime
    preset: ExpirationPreset | None = None
    date: datetime | None = None

    def expiration(self, current: datetime | None) -> datetime | None:
        """Return the new expiration of an order (UTC).

        It is None if the preset does not apply: the present one is in the year 9999.
        """
        if self.preset is None:
            return self.date
        return preset_expiration(self.preset, preset_base(self.now, current), self.zone)

    @property
    def in_words(self) -> str:
        """The rule as the audit and a job's page show it."""
        if self.preset is None:
            return f"all to {formats.date_time(self.date, self.zone)}"
        return f"{_EACH[self.preset]} from its own expiration, or from now if that is later"


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkParameters:
    """The choices of a person in the preview.

    `rule` is None for a cancel, and for a selection whose orders have their own new expirations.
    `zone` is that of the times in the differences.
    With `with_changed`, orders that changed since they were selected are included; with
    `may_shorten`, orders whose expiration would become earlier, or that have none.
    """

    action: Selection.Action
    zone: ZoneInfo
    rule: ExtensionRule | None = None
    may_shorten: bool = False
    with_changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedItem:
    """The planned effect of the action on one order of the selection.

    `eligibility` decides whether it is included, and has the reason if not. `snapshot` must
    be unchanged when the job changes the order. `undoes_id` is the operation that the item undoes.
    `expiration` is the new one (aware UTC), None for a cancel, and where none could be computed.
    `differences` are the changes since the order was selected. `listed` is None if the index does
    not have the order any more.
    """

    order_uuid: UUID
    eligibility: Eligibility
    snapshot: dict[str, Any]
    expiration: datetime | None = None
    undoes_id: UUID | None = None
    differences: Sequence[SnapshotDifference] = ()
    listed: ListedOrder | None = None

    @property
    def is_included(self) -> bool:
        return self.eligibility.is_allowed

    @property
    def has_changed(self) -> bool:
        return bool(self.differences)


@dataclass(frozen=True, slots=True)
class PlanGroup:
    """Items that are left out for one reason."""

    eligibility: Eligibility
    items: Sequence[PlannedItem]

    @property
    def key(self) -> str:
        """The name of the group in URLs."""
        return hex_digest(self.eligibility.sentence.encode())[:8]


@dataclass(frozen=True)
class Plan:
    """The planned items of a selection, in the sequence of the selection."""

    items: Sequence[PlannedItem]

    @cached_property
    def included(self) -> list[PlannedItem]:
        return [one for one in self.items if one.is_included]

    @cached_property
    def groups(self) -> list[PlanGroup]:
        """The items that are left out, by the reason; the most frequent one first."""
        by_sentence: dict[str, list[PlannedItem]] = {}
        for one in self.items:
            if not one.is_included:
                by_sentence.setdefault(one.eligibility.sentence, []).append(one)
        found = [PlanGroup(some[0].eligibility, some) for some in by_sentence.values()]
        return sorted(found, key=lambda group: -len(group.items))

    @cached_property
    def digest(self) -> str:
        """A hash of the plan, to detect that it differs from the preview that was submitted."""
        return hex_digest("\n".join(map(_in_digest, self.included)).encode())


def _in_digest(item: PlannedItem) -> str:
    # Other items have the snapshot of the selection, which never changes.
    snapshot = json.dumps(item.snapshot, sort_keys=True) if item.has_changed else ""
    return f"{item.order_uuid} {item.expiration} {snapshot}"


def make_plan(selection: Selection, parameters: BulkParameters, *, now: datetime) -> Plan:
    """Return the plan for a selection as of the index. Raises SearchTimeout."""
    frozen = selection.frozen_orders
    indexed = services.indexed_orders([one.order_id for one in frozen])
    moved = [
        one.order_id
        for one in frozen
        if (row := indexed.get(one.order_id))
        and (row.has_operations or row.content_hash != one.content_hash)
    ]
    return plan_items(
        frozen,
        CurrentOrders(indexed, services.stored_snapshots(moved)),
        parameters,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class CurrentOrders:
    """The selected orders as they are now, by id.

    `snapshots` has only orders that may have changed.
    """

    indexed: Mapping[UUID, IndexedOrder]
    snapshots: Mapping[UUID, StoredSnapshot]


def plan_items(
    frozen: Sequence[FrozenOrder],
    current: CurrentOrders,
    parameters: BulkParameters,
    *,
    now: datetime,
) -> Plan:
    planner = _Planner(current, parameters, now)
    return Plan([planner.item(one) for one in frozen])


_NOT_STORED = Eligibility(
    False,
    "not_stored",
    "Not in our copy of Goody's orders any more.",
    "Select again when the copy is complete.",
    "Not in our copy",
)
_MISSING = Eligibility(
    False,
    "missing",
    "Goody does not know the order any more.",
    "Look at it on Goody's own page.",
    "Unknown to Goody",
)
_BUSY = Eligibility(
    False,
    "busy",
    "Another change is under way, or its outcome is being checked.",
    "Wait for the outcome, then select again.",
    "Being changed",
)
_CHANGED = Eligibility(
    False,
    "changed",
    "Changed since you selected it.",
    "Tick the box to include it as it is now.",
    "Changed",
)
_NOT_UNDOABLE = Eligibility(
    False,
    "not_undoable",
    "Its expiration is not the one that the job set any more.",
    "Change the expiration on the order's page.",
)
_NO_PRESET = Eligibility(
    False,
    "too_far",
    "The expiration is so far ahead that nothing can be added to it.",
    "Choose one date for all.",
    "Too far ahead",
)


def _in_job(job: BlockingJob) -> Eligibility:
    sentence = f"Part of job {job.number}, which has not ended."
    return Eligibility(False, "in_job", sentence, word=f"In job {job.number}")


def _has_same_expiration(frozen: FrozenOrder, hit: Hit) -> bool:
    return is_same_second(snapshot_expiration(frozen.snapshot), hit.expires_at)


class _Planner:
    def __init__(self, current: CurrentOrders, parameters: BulkParameters, now: datetime) -> None:
        self._current, self._parameters = current, parameters
        self._now = now
        self._is_cancel = parameters.action == Selection.Action.CANCEL

    def item(self, frozen: FrozenOrder) -> PlannedItem:
        indexed = self._current.indexed.get(frozen.order_id)
        fresh = self._current.snapshots.get(frozen.order_id)
        if indexed is None:
            return PlannedItem(
                order_uuid=frozen.order_id, eligibility=_NOT_STORED, snapshot=frozen.snapshot
            )
        hit = indexed.listed.hit
        moved = self._differences(frozen, fresh)
        expiration = None if self._is_cancel else self._expiration(frozen, hit)
        return PlannedItem(
            order_uuid=frozen.order_id,
            eligibility=self._eligibility(frozen, indexed, expiration, has_changed=bool(moved)),
            snapshot=fresh.snapshot if fresh and moved else frozen.snapshot,
            expiration=expiration,
            undoes_id=frozen.undoes_id,
            differences=moved,
            listed=indexed.listed,
        )

    def _differences(
        self, frozen: FrozenOrder, fresh: StoredSnapshot | None
    ) -> Sequence[SnapshotDifference]:
        if fresh is None:
            return ()
        return compare_snapshots(frozen.snapshot, fresh.snapshot, zone=self._parameters.zone)

    def _expiration(self, frozen: FrozenOrder, hit: Hit) -> datetime | None:
        rule = self._parameters.rule
        return frozen.expiration if rule is None else rule.expiration(hit.expires_at)

    def _eligibility(
        self,
        frozen: FrozenOrder,
        indexed: IndexedOrder,
        expiration: datetime | None,
        *,
        has_changed: bool,
    ) -> Eligibility:
        """Return the first reason to leave the order out, or that the action is allowed."""
        hit, _, is_canceled, unread, job = indexed.listed
        if hit.missing_at:
            return _MISSING
        may = may_cancel if self._is_cancel else may_extend
        eligibility = may(hit, now=self._now, is_cancel_on_record=is_canceled)
        if not eligibility.is_allowed:
            return eligibility
        if job is not None:
            return _in_job(job)
        if indexed.blocking or unread:
            return _BUSY
        if frozen.undoes_id and not _has_same_expiration(frozen, hit):
            return _NOT_UNDOABLE
        if has_changed and not self._parameters.with_changed:
            return _CHANGED
        return eligibility if self._is_cancel else self._date_eligibility(hit, expiration)

    def _date_eligibility(self, hit: Hit, expiration: datetime | None) -> Eligibility:
        if expiration is None:
            return _NO_PRESET
        is_undo = self._parameters.rule is None
        return check_expiration(
            hit,
            expiration,
            now=self._now,
            may_shorten=self._parameters.may_shorten or is_undo,
            # An undo goes back to a date that Goody had.
            max_days=None if is_undo else settings.EXTENSION_MAX_DAYS,
        )
