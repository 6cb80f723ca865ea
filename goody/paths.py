"""Paths and query strings of the endpoints."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

MAX_PER_PAGE = 100


def order_path(order_id: UUID) -> str:
    """Return the path of an order. Raises TypeError for other types than UUID, such as text."""
    if not isinstance(order_id, UUID):
        raise TypeError("an order id is a UUID")
    return f"/v1/orders/{order_id}"


def orders_path(
    *,
    page: int,
    per_page: int,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
) -> str:
    """Return the path and query of GET /v1/orders.

    Raises ValueError for naive datetimes and numbers out of range.
    """
    bounds = {"created_at[after]": created_after, "created_at[before]": created_before}
    return f"/v1/orders?{urlencode({**_page(page, per_page), **_times(bounds)})}"


def activities_path(
    *,
    page: int,
    per_page: int,
    after: datetime | None = None,
    before: datetime | None = None,
    statuses: Sequence[str] = (),
) -> str:
    """Return the path and query of GET /v1/order_activities. Raises like orders_path()."""
    query = {**_page(page, per_page), **_times({"after": after, "before": before})}
    if isinstance(statuses, str) or not all(s and "," not in s for s in statuses):
        raise ValueError("statuses must be a sequence of names without commas")
    if statuses:
        query["statuses"] = ",".join(statuses)
    return f"/v1/order_activities?{urlencode(query)}"


def format_time(moment: datetime) -> str:
    """Return the time in Goody's format: UTC, whole seconds, Z. A "+" would have to be escaped."""
    if moment.utcoffset() is None:
        raise ValueError("the datetime must be aware")
    text = moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()
    return f"{text}Z"


def _page(page: int, per_page: int) -> dict[str, str]:
    if page < 1 or not 1 <= per_page <= MAX_PER_PAGE:
        raise ValueError("page must be at least 1, per_page 1 to 100")
    return {"page": str(page), "per_page": str(per_page)}


def _times(bounds: dict[str, datetime | None]) -> dict[str, str]:
    return {name: format_time(moment) for name, moment in bounds.items() if moment is not None}
