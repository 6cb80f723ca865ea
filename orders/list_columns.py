"""The columns of a list of orders that a person can choose, and a choice of them as text."""

from __future__ import annotations

COLUMNS = {
    "recipient": "Recipient",
    "gift": "Gift",
    "status": "Status",
    "expires": "Expires",
    "amount": "Amount",
    "sender": "Sender",
    "batch": "Batch",
    "created": "Created",
    "workspace": "Workspace",
    "brand": "Brand",
    "receipt": "Receipt",
}
# The link to the order is in this column, so it cannot be removed.
REQUIRED_COLUMN = "recipient"
DEFAULT_COLUMNS = ("recipient", "gift", "status", "expires", "amount", "sender", "batch", "created")

type Columns = tuple[str, ...]


def parse_columns(text: str) -> Columns:
    """Return the columns of a text such as "recipient,status"; () if it names none.

    Unknown and repeated names are left out. The required column is added if it is missing.
    """
    named = tuple(dict.fromkeys(name for name in text.split(",") if name in COLUMNS))
    return named if not named or REQUIRED_COLUMN in named else (REQUIRED_COLUMN, *named)


def serialize_columns(columns: Columns) -> str:
    """Return the columns as text, "" for the default ones."""
    return "" if columns == DEFAULT_COLUMNS else ",".join(columns)


def move_column(columns: Columns, name: str, *, by: int) -> Columns:
    """Return the columns with one of them moved by one position: up (-1) or down (1)."""
    place = columns.index(name)
    swapped = place + by
    if not 0 <= swapped < len(columns):
        return columns
    order = list(columns)
    order[place], order[swapped] = order[swapped], order[place]
    return tuple(order)
