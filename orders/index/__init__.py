"""Keeping the index: what an answer of Goody changes in it. Nothing else writes its tables.

columns.py says what of an order becomes which column, places.py where it stands in the order of
creation, labels.py keeps the names that many orders share, copies.py compares, writing.py decides
what is written and rows.py writes it.
"""

from .copies import Created, Remembered, Row
from .writing import mark_missing, remember, remember_rows

__all__ = ["Created", "Remembered", "Row", "mark_missing", "remember", "remember_rows"]
