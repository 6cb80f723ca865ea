"""Days as people type them, in the viewer's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

_FIRST_YEAR, _LAST_YEAR = 2000, 2100


class DayField(forms.DateField):
    """A day as YYYY-MM-DD, or none. Far from today's there is no such day in every zone."""

    def __init__(self, *, invalid: str, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            input_formats=["%Y-%m-%d"],
            error_messages={"invalid": invalid},
            **kwargs,
        )

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day is not None and not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            raise forms.ValidationError(f"Give a day between {_FIRST_YEAR} and {_LAST_YEAR}.")
        return day


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of the day in the zone (aware UTC), skipped hours minded."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
