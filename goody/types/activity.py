"""Pages of `GET /v1/order_activities`: which order reached which status, and when.

An entry has its order in the present state. Invalid entries are quarantined, with the id of the
order if it can be found.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from goody.types.order import MAX_STATUS
from goody.types.page import QUARANTINE_BYTES, split_page_into_rows
from goody.types.parsing import BadOrder, parse_order_id, parse_text, parse_time
from goody.types.row_splitting import find_member_text, find_row_id
from goody.types.strict_json import BadJSON, loads_object

# Goody's enumeration lacks notified, accepted and canceled; a cancel is `failed`.
ACTIVITY_STATUSES = (
    "created",
    "opened",
    "pending_payment",
    "paid",
    "ordered",
    "shipped",
    "delivered",
    "failed",
    "pending_user_approval",
)


class RawActivity(msgspec.Struct, frozen=True, kw_only=True):
    """One status change. `order` is the unparsed JSON of the order in its present state.

    An unknown `order_status` is kept. `created_at` is the time of the change, UTC.
    """

    id: UUID
    order_status: str
    created_at: datetime
    order: bytes

    def __repr__(self) -> str:
        """No personal data in tracebacks."""
        return f"RawActivity(id={self.id}, order_status={self.order_status!r})"


class QuarantinedActivity(msgspec.Struct, frozen=True, kw_only=True):
    """An invalid entry. `raw` has at most 2,000 bytes of its JSON.

    `id` is that of the activity, `order_id` that of its order, which can be read by itself.
    """

    reason: str
    id: UUID | None
    order_id: UUID | None
    raw: bytes

    def __repr__(self) -> str:
        """No personal data in tracebacks."""
        return f"QuarantinedActivity(reason={self.reason!r}, order_id={self.order_id})"


class RawActivityPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page. `total_count` is the number of activities in the window, None if it is invalid."""

    activities: tuple[RawActivity, ...]
    quarantined: tuple[QuarantinedActivity, ...]
    total_count: int | None


# Splits an entry into the texts of its members, and joins them again.
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def split_activity_page(raw: bytes) -> RawActivityPage:
    """Return the entries of a page with unparsed orders. Goody API: GET /v1/order_activities.

    Raises BadJSON if the envelope is invalid, so that a page is never empty by mistake.
    """
    found = split_page_into_rows(raw)
    results = [_split_entry(text) for text in found.rows]
    return RawActivityPage(
        activities=tuple(result for result in results if isinstance(result, RawActivity)),
        quarantined=tuple(result for result in results if isinstance(result, QuarantinedActivity)),
        total_count=found.total_count,
    )


class _InvalidEntryError(ValueError):
    """A required member is missing or invalid."""


def _split_entry(text: bytes) -> RawActivity | QuarantinedActivity:
    try:
        source, order = _members(text)
        return RawActivity(
            id=parse_order_id(source),
            order_status=_parse_status(source),
            created_at=_parse_created_at(source),
            order=order,
        )
    except (BadJSON, BadOrder, _InvalidEntryError) as error:
        return QuarantinedActivity(
            reason=str(error),
            id=find_row_id(text),
            order_id=find_row_id(find_member_text(text, b"order") or b""),
            raw=text[:QUARANTINE_BYTES],
        )


def _members(text: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the members of an entry besides its order, and the unparsed order."""
    if quick := _members_fast(text):
        return quick
    source, order = loads_object(text), find_member_text(text, b"order")
    if order is None:
        raise _InvalidEntryError("no order")
    return source, order


def _members_fast(text: bytes) -> tuple[dict[str, Any], bytes] | None:
    """_members() for an entry that encodes to itself, which has no duplicate keys; else None."""
    try:
        members = _decode_members(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if "order" not in members or _encode(members) != text:
        return None
    order = members.pop("order")
    return loads_object(_encode(members)), bytes(order)


def _parse_status(source: dict[str, Any]) -> str:
    status = parse_text(source.get("order_status"))
    if status is None or not 0 < len(status) <= MAX_STATUS:
        raise _InvalidEntryError("no valid order_status")
    return status


def _parse_created_at(source: dict[str, Any]) -> datetime:
    created_at = parse_time(source.get("created_at"))
    if created_at is None:
        raise _InvalidEntryError("no valid created_at")
    return created_at
