"""The cells of CSV files for spreadsheets, which are UTF-8 with a byte order mark.

Text that a spreadsheet would interpret as a formula is escaped, whatever separator it splits the
file by: with semicolons, `Semi;=1+1` is two cells, and quotes in the file do not change that. An
apostrophe, which marks a cell as text, is put before a text that begins with =, +, -, @ or one of
their full-width forms. It is also put before each of these characters within a text if it follows a
sign, or follows white space and begins a word. White space and invisible characters before it are
ignored. Times are UTC, money is US dollars.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from orders import formats
from orders.text import INVISIBLE

_BOM = "\ufeff"
# First characters of a formula; the full-width ones in Japanese spreadsheets.
_FIRST = "=+@＝＋－＠-"
_BLANK = rf"\s{INVISIBLE}"
# Tabs and line breaks separate as signs do.
_SIGN = rf"(?:[^\w{_BLANK}'{_FIRST}]|[_\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029])"
_FORMULA = re.compile(
    rf"""(?P<before>(?:\A|(?<={_SIGN}))[{_BLANK}]*+)(?P<formula>[{_FIRST}])
    |(?<=[{_BLANK}])(?P<word>[{_FIRST}])(?=[^ ]|\Z)""",
    re.VERBOSE,
)


class CsvBuffer:
    """A buffer for the rows of a CSV file that have not been sent yet."""

    def __init__(self) -> None:
        self._text = io.StringIO(_BOM, newline="")
        self._text.seek(0, io.SEEK_END)
        self._writer = csv.writer(self._text)

    def write(self, row: Iterable[object]) -> None:
        self._writer.writerow(row)

    def drain(self) -> bytes:
        """Return the rows as UTF-8 and empty the buffer."""
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode()


def escape_text(text: str) -> str:
    """Escape a text, also before a leading tab or line break, which some programs drop."""
    if text.isalnum():
        return text
    escaped = _FORMULA.sub(_with_apostrophe, text)
    return f"'{escaped}" if escaped.startswith(("\t", "\r", "\n")) else escaped


def _with_apostrophe(match: re.Match[str]) -> str:
    return f"{match['before'] or ''}'{match['formula'] or match['word']}"


def dollars(cents: int | None) -> str:
    return "" if cents is None else f"{Decimal(cents) / 100:.2f}"


def yes_or_no(flag: bool) -> str:
    return "yes" if flag else "no"


def utc_time(at: datetime | None) -> str:
    return formats.iso_utc(at) if at else ""
