"""Transactions whose commit does not wait for the disk, so that a power failure may undo them.

SQLite runs with synchronous=FULL, because the intents of writes must not be lost. The index and the
reserved rate of calls, which every page view writes, can be rebuilt at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction


@contextmanager
def non_durable_transaction(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Run the block in a transaction that does not wait for the disk.

    Inside another transaction it makes no savepoint, so an error makes the whole transaction fail:
    the journal of a savepoint would use much memory.
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


def execute_non_durable(sql: str, params: Sequence[Any], *, using: str = DEFAULT_DB_ALIAS) -> int:
    """Execute one statement as in `non_durable_transaction`; return the number of its rows.

    It takes fewer round trips.
    """
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.in_atomic_block:
            cursor.execute(sql, params)
        elif connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=NORMAL")
            try:
                cursor.execute(sql, params)
            finally:
                connection.cursor().execute("PRAGMA synchronous=FULL")
        else:
            # Statements that are sent together are one transaction.
            cursor.execute(f"SET LOCAL synchronous_commit = off; {sql}", params)
            cursor.nextset()
        return int(cursor.rowcount)


# In pages of 4 KiB: the length of the WAL at which it is copied into the database, and the cache.
# SQLite's defaults are 1,000 and 500. In a large index an order changes about five pages at random
# places, most of them again before 100,000 pages are written: then they are copied once.
_WAL_PAGES, _CACHE_PAGES = 100_000, 4_000


def tune_for_bulk_writes(*, is_over: bool = False) -> None:
    """Make this connection write many rows faster (SQLite), or restore the defaults."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA wal_autocheckpoint={1_000 if is_over else _WAL_PAGES}")
        cursor.execute(f"PRAGMA cache_size={-2_000 if is_over else _CACHE_PAGES}")
