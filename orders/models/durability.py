"""Commits that need not outlive a power cut.

An intent must: SQLite runs with synchronous=FULL for its sake. The index and the pace can be
made again from Goody at any time, and are written on every page view.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections, transaction


@contextmanager
def rebuildable(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """A transaction that does not wait for the disk; inside another one just a part of that."""
    connection = connections[using]
    if connection.in_atomic_block:
        with transaction.atomic(using=using):
            yield
    elif connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=NORMAL")
            try:
                with transaction.atomic(using=using):
                    yield
            finally:
                cursor.execute("PRAGMA synchronous=FULL")
    else:
        with transaction.atomic(using=using), connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
            yield
