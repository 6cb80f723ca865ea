"""How a bulk extension computes the new expirations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from orders import formats
from orders.eligibility import ExpirationPreset, preset_base, preset_expiration

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
