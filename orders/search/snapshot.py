"""Reading several times what is of one moment.

An order's key changes when its creation becomes known better. Whoever reads keys first and rows
then would not find it under the old one, and a list that is read page by page would lose it, or
give it twice, where it moves past the page's end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction


@contextmanager
def snapshot(*, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Whatever is read within is as it was at the first read. Nothing may be written within.

    Inside a transaction this is that transaction's matter.
    """
    connection = connections[using]
    connection.ensure_connection()
    if is_within_transaction(connection):
        yield
    elif connection.vendor == "sqlite":
        with _reading(connection.connection):
            yield
    else:
        with transaction.atomic(using=using), connection.cursor() as cursor:
            cursor.execute(REPEATABLE)
            yield


# Before anything is read. SQLite's transactions are so by themselves.
REPEATABLE = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"


def is_within_transaction(connection: Any) -> bool:
    is_begun = connection.vendor == "sqlite" and connection.connection.in_transaction
    return bool(connection.in_atomic_block or is_begun)


@contextmanager
def _reading(handle: Any) -> Iterator[None]:
    """Not as Django begins one, which takes the lock for writing."""
    handle.execute("BEGIN DEFERRED")
    try:
        yield
    finally:
        if handle.in_transaction:
            handle.execute("ROLLBACK")
