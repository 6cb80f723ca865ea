"""Form fields that clean what people type or paste.

There are two kinds of text. A typed value (a date, a name, an id) is cleaned as the text of a
search is. Prose is kept as written. A text with only invisible characters is empty.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlsplit

from django import forms

from orders.days import FIRST_YEAR, LAST_YEAR
from orders.text import fold_text, normalize_unicode, strip_invisible

MAX_TICKET_LENGTH = 100
MAX_TICKET_URL_LENGTH = 500


def clean_single_line(value: Any) -> str:
    """Return a typed value as orders.text.normalize_text does; "" if nothing is visible."""
    text = normalize_unicode(str(value or "")).strip()
    return text if fold_text(text) else ""


def clean_free_text(value: Any) -> str:
    """Return prose with "\n" for each line break, which browsers send as two characters.

    Return "" if nothing is visible.
    """
    text = strip_invisible(str(value or "").replace("\r\n", "\n").replace("\r", "\n")).replace(
        "\0", ""
    )
    return text if fold_text(text) else ""


class SingleLineField(forms.CharField):
    """A value of one line. Length limits apply to the cleaned value."""

    def to_python(self, value: Any) -> str:
        return super().to_python(clean_single_line(value)) or ""


class FreeTextField(forms.CharField):
    """A text of any number of lines. A line break counts as one character.

    `aside` is text beside the label, such as "optional".
    """

    def __init__(self, *, aside: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.aside = aside

    def to_python(self, value: Any) -> str:
        return super().to_python(clean_free_text(value)) or ""


class NumberField(forms.IntegerField):
    def to_python(self, value: Any) -> int | None:
        return super().to_python(clean_single_line(value))


class DayField(forms.DateField):
    """An optional day in the form YYYY-MM-DD."""

    def __init__(self, *, invalid: str, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            input_formats=["%Y-%m-%d"],
            error_messages={"invalid": invalid},
            **kwargs,
        )

    def to_python(self, value: Any) -> date | None:
        return super().to_python(clean_single_line(value))

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise forms.ValidationError(f"Give a day between {FIRST_YEAR} and {LAST_YEAR}.")
        return day


class TicketField(forms.CharField):
    """A URL, also with a host without dots or with a port, or any reference in one line."""

    aside = "optional"

    def __init__(self) -> None:
        attrs = {"autocomplete": "off", "placeholder": "ZD-12345 or a web address"}
        super().__init__(
            label="Ticket",
            required=False,
            max_length=MAX_TICKET_URL_LENGTH,
            widget=forms.TextInput(attrs=attrs),
            error_messages={
                "max_length": f"A ticket's address has at most {MAX_TICKET_URL_LENGTH} characters."
            },
        )

    def to_python(self, value: Any) -> str:
        return super().to_python(" ".join(clean_free_text(value).split())) or ""

    def validate(self, value: str) -> None:
        super().validate(value)
        if len(value) > MAX_TICKET_LENGTH and not is_web_address(value):
            raise forms.ValidationError(
                f"Give the ticket's web address, or a reference of at most {MAX_TICKET_LENGTH} "
                "characters."
            )


def is_web_address(text: str) -> bool:
    """Whether a text is an http or https URL with a host and without spaces."""
    try:
        parts = urlsplit(text)
        # Raises ValueError where the port is no number.
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in text
