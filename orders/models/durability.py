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
    """A transaction that does not wait for the disk; inside another one just a part of that, which
    fails as a whole if this does: to undo a part alone would cost much memory.
    """
    connection = connections[using]
    if connection.in_atomic_block:
        with transaction.atomic(using=using, savepoint=False):
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


# Pages of 4 KiB: the most that is written ahead before it is copied into the database, and the
# most that is kept in memory; SQLite's own measure is 1,000 and 500.
_AHEAD, _KEPT = 20_000, 4_000


def expect_much_writing(*, is_over: bool = False, using: str = DEFAULT_DB_ALIAS) -> None:
    """Let this process write many rows in a row faster (SQLite), or as usual again."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA wal_autocheckpoint={1_000 if is_over else _AHEAD}")
        cursor.execute(f"PRAGMA cache_size={-2_000 if is_over else _KEPT}")
