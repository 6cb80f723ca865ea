"""Goody's rules for cancel and update_expiration; switches decide the undocumented cases."""

from emulator.messages import Json
from emulator.order_columns import DAY
from emulator.switches import Switches

OPEN = ("created", "notified", "opened")
ENDED = ("failed", "canceled")
_TEN_YEARS = 3653 * DAY
_MESSAGES = {
    "late_cancel": "Order can no longer be canceled",
    "repeated_cancel": "Order is already canceled",
    "expired_cancel": "Order has expired",
    "late_expiration": "Expiration can no longer be changed",
    "expired_expiration": "Order has expired",
    "past_date": "Expiration must be in the future",
    "far_date": "Expiration is too far in the future",
}


class ApiError(Exception):
    """An error answer of Goody's API; `entry` is the ledger entry of a refused write."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.entry: Json | None = None


def may_cancel(switches: Switches, *, status: str, is_expired: bool) -> bool:
    """Return whether a cancel changes the order. Otherwise the answer is 200 and it is unchanged.

    Raises ApiError if Goody refuses the cancel.
    """
    if status in ENDED:
        return _decide(switches, "repeated_cancel")
    if status not in OPEN:
        return _decide(switches, "late_cancel")
    return not is_expired or _decide(switches, "expired_cancel")


def may_set_expiration(
    switches: Switches, *, status: str, is_expired: bool, expires: int | None, now: float
) -> bool:
    """Return whether the expiration changes. If not, the answer is 200 with the unchanged order.

    Raises ApiError if Goody refuses the change.
    """
    if status not in OPEN:
        return _decide(switches, "late_expiration")
    return (
        (not is_expired or _decide(switches, "expired_expiration"))
        and (expires is None or expires > now or _decide(switches, "past_date"))
        and (expires is None or expires <= now + _TEN_YEARS or _decide(switches, "far_date"))
    )


def _decide(switches: Switches, name: str) -> bool:
    value = switches[name]
    if value in ("accept", "200"):
        return value == "accept"
    raise ApiError(int(value), "Order not found" if value == "404" else _MESSAGES[name])
