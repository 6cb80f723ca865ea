"""One page of `GET /v1/order_activities`: which order reached which status, and when.

An entry carries the order as it is now, not as it was then. An entry that cannot be read is set
aside and the others stay; where the id of its order can still be made out, it is told.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from goody.types.cutting import find_id, find_member
from goody.types.order import MAX_STATUS
from goody.types.page import QUARANTINE_BYTES, cut_page_rows
from goody.types.reading import BadOrder, text_or_none, time_or_none, usable_id
from goody.types.strict import BadJSON, loads_object

# Goody's enumeration for the feed: no notified, accepted or canceled; a cancel is `failed`.
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
    """One status change. `order` is the JSON of the order as it is now, not yet read.

    An unknown `order_status` is kept as it came. `created_at` is the change's own time, UTC.
    """

    id: UUID
    order_status: str
    created_at: datetime
    order: bytes

    def __repr__(self) -> str:
        """No personal data in tracebacks."""
        return f"RawActivity(id={self.id}, order_status={self.order_status!r})"


class QuarantinedActivity(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that is no activity. `raw` is its JSON, at most 2,000 bytes of it.

    `id` is the activity's own, `order_id` the one in its order: what may be asked for by itself.
    """

    reason: str
    id: UUID | None
    order_id: UUID | None
    raw: bytes

    def __repr__(self) -> str:
        """No personal data in tracebacks."""
        return f"QuarantinedActivity(reason={self.reason!r}, order_id={self.order_id})"


class RawActivityPage(msgspec.Struct, frozen=True, kw_only=True):
    """What one page held. `total_count` is Goody's number of all activities in the window.

    It is None when it was missing or made no sense.
    """

    activities: tuple[RawActivity, ...]
    quarantined: tuple[QuarantinedActivity, ...]
    total_count: int | None


# Cuts an entry into its members' texts without understanding them, and puts them together again.
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def cut_activities(raw: bytes) -> RawActivityPage:
    """The entries of a feed answer, their orders left as the bytes Goody sent.

    For those who compare an order's bytes with what they know before reading it. Goody API:
    GET /v1/order_activities. Raises BadJSON when the envelope itself is unusable: a page is never
    empty by mistake.
    """
    found = cut_page_rows(raw)
    results = [_cut_entry(text) for text in found.rows]
    return RawActivityPage(
        activities=tuple(result for result in results if isinstance(result, RawActivity)),
        quarantined=tuple(result for result in results if isinstance(result, QuarantinedActivity)),
        total_count=found.total_count,
    )


class _BadEntryError(ValueError):
    """A member that every entry needs is missing or unusable."""


def _cut_entry(text: bytes) -> RawActivity | QuarantinedActivity:
    try:
        source, order = _members(text)
        return RawActivity(
            id=usable_id(source),
            order_status=_usable_status(source),
            created_at=_usable_time(source),
            order=order,
        )
    except (BadJSON, BadOrder, _BadEntryError) as error:
        return QuarantinedActivity(
            reason=str(error),
            id=find_id(text),
            order_id=find_id(find_member(text, b"order") or b""),
            raw=text[:QUARANTINE_BYTES],
        )


def _members(text: bytes) -> tuple[dict[str, Any], bytes]:
    """An entry's own members, and its order's JSON untouched and unread."""
    if quick := _members_quickly(text):
        return quick
    source, order = loads_object(text), find_member(text, b"order")
    if order is None:
        raise _BadEntryError("no order")
    return source, order


def _members_quickly(text: bytes) -> tuple[dict[str, Any], bytes] | None:
    """Of an entry that comes out as it went in, which has no key twice; None of any other."""
    try:
        members = _decode_members(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if "order" not in members or _encode(members) != text:
        return None
    order = members.pop("order")
    return loads_object(_encode(members)), bytes(order)


def _usable_status(source: dict[str, Any]) -> str:
    status = text_or_none(source.get("order_status"))
    if status is None or not 0 < len(status) <= MAX_STATUS:
        raise _BadEntryError("no usable order_status")
    return status


def _usable_time(source: dict[str, Any]) -> datetime:
    created_at = time_or_none(source.get("created_at"))
    if created_at is None:
        raise _BadEntryError("no usable created_at")
    return created_at
