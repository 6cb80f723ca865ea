"""`python -m bench.fill`: an index as a completed sync leaves it, without waiting for one.

The orders are the emulator's, rendered in this process and stored as a sync would store them, in
the database that DATABASE_URL names, which is migrated first. ORDERS (100000) says how many. An
index that already holds them is left as it is.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import django
import msgspec
from django.core.management import call_command
from django.db import connection

from emulator.store import Store

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from orders import index  # noqa: E402
from orders.index import Created, Row  # noqa: E402
from orders.models import CreatedFrom, Order  # noqa: E402

ORDERS = int(os.environ.get("ORDERS", "100000"))
SEED = 7
_AT_ONCE = 1000
_encode = msgspec.json.Encoder().encode


def rows(*, orders: int, seed: int, now: datetime) -> Iterator[Row]:
    """What lists and the feed say of the emulator's orders, oldest first."""
    store = Store(orders=orders, seed=seed, now=int(now.timestamp()))
    for number in range(orders):
        facts = store.facts(number)
        created = datetime.fromtimestamp(facts.times["created"], UTC)
        yield Row(_encode(store.renderer.row(facts)), Created(created, CreatedFrom.FEED))


def fill(*, orders: int, seed: int, now: datetime) -> None:
    """Store them; `now` is when the emulator's world stands still."""
    started, done = time.monotonic(), 0
    for some in itertools.batched(rows(orders=orders, seed=seed, now=now), _AT_ONCE):
        index.remember_rows(some, read_at=now)
        done += len(some)
        if done % 50_000 < _AT_ONCE:
            print(f"{done:,} orders, {done / (time.monotonic() - started):,.0f} a second")


def _tune_for_writing() -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_autocheckpoint=20000")


def _settle() -> None:
    """As a database looks that has been in use for a while: statistics, and no log to read."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("VACUUM ANALYZE")


def main() -> None:
    call_command("migrate", verbosity=0)
    if Order.objects.count() < ORDERS:
        _tune_for_writing()
        fill(orders=ORDERS, seed=SEED, now=datetime.now(UTC).replace(microsecond=0))
        _settle()
    print(f"{Order.objects.count():,} orders in {connection.vendor}", file=sys.stderr)


if __name__ == "__main__":
    main()
