"""A pasted text, in which orders are to be found."""

from __future__ import annotations

from typing import Any

from django import forms

from orders.search.paste import MOST_LETTERS


class _TextField(forms.CharField):
    """Whatever a clipboard holds; what Django and the database refuse in it names no order."""

    def to_python(self, value: Any) -> str:
        return super().to_python(str(value or "").replace("\x00", "")) or ""


class FindForm(forms.Form):
    text = _TextField(
        max_length=MOST_LETTERS,
        widget=forms.Textarea,
        error_messages={
            "required": "Paste or write something first.",
            "max_length": f"This is more than {MOST_LETTERS:,} characters. Look it up in parts.",
        },
    )
