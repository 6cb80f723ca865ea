"""Switches for the open questions of Goody's documentation. README.md has the same table.

store.py, rules.py and api.py read them.
"""

from dataclasses import dataclass

_REFUSALS = ("400", "200", "404", "409", "422")


@dataclass(frozen=True)
class Switch:
    """A switch: its allowed values, the default first, and the open question it decides."""

    values: tuple[str, ...]
    question: str


SWITCHES: dict[str, Switch] = {
    "late_cancel": Switch(_REFUSALS, "cancel of an order accepted or later (200: unchanged)"),
    "repeated_cancel": Switch(_REFUSALS, "cancel of an order already failed or canceled"),
    "expired_cancel": Switch(("accept", *_REFUSALS[:1], *_REFUSALS[2:]), "cancel after expires_at"),
    "cancel_status": Switch(("failed", "canceled"), "status of an order after a cancel"),
    "late_expiration": Switch(
        _REFUSALS, "update_expiration of an order that is not created, notified or opened"
    ),
    "expired_expiration": Switch(
        ("accept", "400", "409", "422"), "update_expiration of an open order past its expires_at"
    ),
    "past_date": Switch(("accept", "400", "422"), "an expiration in the past"),
    "far_date": Switch(("accept", "400", "422"), "an expiration more than ten years ahead"),
    "null_expiration": Switch(
        ("400", "clear", "ignore", "422"), "expiration is null (clear: never expires)"
    ),
    "missing_expiration": Switch(
        ("400", "ignore", "422"), "no expiration in the body, or no body (ignore: 200 unchanged)"
    ),
    "unreadable_expiration": Switch(
        ("400", "ignore", "422"), "expiration is not an ISO 8601 date-time"
    ),
    "per_page_over_100": Switch(("clamp", "400"), "per_page above 100 (clamp: as 100)"),
    "per_page_zero": Switch(("400", "default"), "per_page below 1 (default: as 20)"),
    "page_zero": Switch(("400", "first"), "page below 1"),
    "page_not_a_number": Switch(("400", "first"), "page or per_page is not an integer"),
    "past_end": Switch(("empty", "400", "404"), "a page past the last one"),
    "bad_filter": Switch(
        ("400", "ignore"), "created_at[after] or [before], after or before is not a date-time"
    ),
    "malformed_id": Switch(("404", "400"), "an id in the path that is not a UUID"),
    "created_fraction": Switch(
        ("0", "0.4"),
        "seconds by which stored created_at, of orders and activities, exceed the printed ones",
    ),
    "activities": Switch(
        ("on", "404", "403", "400"), "an account without GET /v1/order_activities"
    ),
    "unknown_activity_status": Switch(
        ("ignore", "400"), "statuses has a value that the feed does not know (ignore: no entries)"
    ),
    "key_type": Switch(
        ("automation", "commerce"), "GET /v1/me: an address, or the app of a Commerce API key"
    ),
    "lean_orders": Switch(
        ("off", "on"), "3 % of the orders leave out empty keys that the schema does not require"
    ),
}


class Switches:
    """The current value of every switch."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        return self._values.get(name, SWITCHES[name].values[0])

    def update(self, values: dict[str, object]) -> None:
        """Set some switches; raises ValueError, and sets none, for an unknown name or value."""
        for name, value in values.items():
            _check(name, str(value))
        self._values.update({name: str(value) for name, value in values.items()})

    def reset(self) -> None:
        self._values = {}

    def as_dict(self) -> dict[str, str]:
        return {name: self[name] for name in SWITCHES}


def _check(name: str, value: str) -> None:
    if name not in SWITCHES:
        raise ValueError(f"unknown switch {name}; known: {', '.join(SWITCHES)}")
    if value not in SWITCHES[name].values:
        raise ValueError(f"{name} must be one of {', '.join(SWITCHES[name].values)}; not {value}")
