"""The form for a pasted text."""

from __future__ import annotations

from typing import Any

from django import forms

from orders.search.paste import MAX_CHARACTERS

from .fields import ProseField


class _TextField(ProseField):
    """A field for any text.

    NUL, which Django refuses, separates identifiers like a zero-width space.
    """

    def to_python(self, value: Any) -> str:
        return super().to_python(str(value or "").replace("\0", "\N{ZERO WIDTH SPACE}"))


class PastedTextForm(forms.Form):
    text = _TextField(
        label="A ticket, an e-mail, a column of a spreadsheet",
        help_text="Looked up are order ids, batch ids, receipt references, gift links and e-mail "
        "addresses, wherever they stand. The text itself is not kept.",
        max_length=MAX_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 14}),
        error_messages={
            "required": "Paste or write something first.",
            "max_length": f"This is more than {MAX_CHARACTERS:,} characters. Look it up in parts.",
        },
    )
