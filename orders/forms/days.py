"""Days as people type them into forms."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from orders.days import FIRST_YEAR, LAST_YEAR


class DayField(forms.DateField):
    """A day as YYYY-MM-DD, or none."""

    def __init__(self, *, invalid: str, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            input_formats=["%Y-%m-%d"],
            error_messages={"invalid": invalid},
            **kwargs,
        )

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise forms.ValidationError(f"Give a day between {FIRST_YEAR} and {LAST_YEAR}.")
        return day
