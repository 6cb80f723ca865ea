"""The filter of GET /_emulator/orders."""

from emulator.order_columns import COMMERCE, DIRECT, HOSTILE, HOUR, SWAPPED, THANKED
from emulator.rules import OPEN
from emulator.store import OrderStore

_FLAGS = {
    "swapped": SWAPPED,
    "has_thank_you": THANKED,
    "hostile": HOSTILE,
    "commerce": COMMERCE,
    "direct": DIRECT,
}
_OTHERS = {"status", "expires_within_hours", "no_expiry", "unaccepted_expired", "limit"}


class OrderFilter:
    """Matches orders that meet all given conditions; raises ValueError for an unknown one."""

    def __init__(self, store: OrderStore, args: dict[str, str]) -> None:
        unknown = args.keys() - _OTHERS - _FLAGS.keys()
        if unknown:
            raise ValueError(f"unknown filter {', '.join(sorted(unknown))}")
        self._store = store
        self._args = args
        self._now = store.clock.now()
        self._statuses = args["status"].split(",") if "status" in args else None
        self._flags = [(flag, _is_yes(args[name])) for name, flag in _FLAGS.items() if name in args]
        self.limit = int(args.get("limit", "20"))

    def matches(self, index: int) -> bool:
        status = self._store.status_of(index)
        if self._statuses is not None and status not in self._statuses:
            return False
        return self._matches_flags(index) and self._matches_expiration(index, status)

    def _matches_flags(self, index: int) -> bool:
        flags = self._store.stored_order(index).flags if self._flags else 0
        return all(bool(flags & flag) is wanted for flag, wanted in self._flags)

    def _matches_expiration(self, index: int, status: str) -> bool:
        expires, args, now = self._store.expiration_of(index), self._args, self._now
        if "no_expiry" in args and _is_yes(args["no_expiry"]) is not (expires is None):
            return False
        if "expires_within_hours" in args:
            until = now + float(args["expires_within_hours"]) * HOUR
            if expires is None or not now < expires <= until:
                return False
        if "unaccepted_expired" in args:
            is_expired = status in OPEN and expires is not None and expires <= now
            return is_expired is _is_yes(args["unaccepted_expired"])
        return True


def _is_yes(text: str) -> bool:
    return text.lower() not in ("0", "false", "no", "")
