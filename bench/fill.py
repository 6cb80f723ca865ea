"""`python -m bench.fill`: fill an index as a completed sync would, but faster.

The orders are written into the database of DATABASE_URL, which is migrated first, by the project's
own writer. ORDERS (100000) is their number; a database that holds orders is left as it is. DATASET
chooses them: "emulator" (the emulator's, rendered in this process) or "varied" (varied_orders.py).
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
from django.db import connection, transaction

from emulator.store import OrderStore

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from bench import varied_orders  # noqa: E402
from orders import index  # noqa: E402
from orders.index import CreationTime, OrderOfResponse  # noqa: E402
from orders.models import CreationTimeSource, Order, SyncState  # noqa: E402

SEED = 7
_AT_ONCE = 1_000
# Changed pages of the indexes are written at the end of a transaction, so long transactions are
# faster. A sync needs short ones, because pages wait for its locks.
_TOGETHER = 50_000
_encode = msgspec.json.Encoder().encode


def emulator_rows(*, orders: int, seed: int, now: datetime) -> Iterator[OrderOfResponse]:
    """Yield the emulator's orders as rows with exact creation times, oldest first."""
    store = OrderStore(orders=orders, seed=seed, now=int(now.timestamp()))
    for number in range(orders):
        facts = store.stored_order(number)
        created = datetime.fromtimestamp(facts.times["created"], UTC)
        yield OrderOfResponse(
            _encode(store.renderer.render_order(facts)),
            CreationTime(created, CreationTimeSource.FEED),
        )


_DATASETS = {"emulator": emulator_rows, "varied": varied_orders.varied_rows}


def fill_index(*, dataset: str, orders: int, now: datetime) -> None:
    """Fill the empty index with this many orders, none with an event after `now`."""
    started, done = time.monotonic(), 0
    dataset_rows = _DATASETS[dataset](orders=orders, seed=SEED, now=now)
    parts = itertools.batched(dataset_rows, _AT_ONCE)
    while done < orders:
        with transaction.atomic():
            for part in itertools.islice(parts, _TOGETHER // _AT_ONCE):
                index.upsert_rows(part, read_at=now)
                done += len(part)
        pace = done / (time.monotonic() - started)
        print(f"  {done:,} orders stored, {pace:,.0f} a second", file=sys.stderr, flush=True)


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _relax_durability() -> None:
    """Do not wait for the disk: after a power failure the database is filled again."""
    if connection.vendor == "sqlite":
        _execute(
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
            "PRAGMA cache_size=-4000000",
        )
    else:
        _execute("SET statement_timeout = 0", "SET synchronous_commit = off")


def _mark_complete(orders: int, now: datetime) -> None:
    """Mark the full sync as complete, so that the list is answered from the index."""
    SyncState.objects.current()
    SyncState.objects.update(
        started_at=now, finished_at=now, synced_at=now, watermark=now, total=orders, imported=orders
    )


def _analyze() -> None:
    """Run ANALYZE, as a database in use does by itself."""
    if connection.vendor == "sqlite":
        _execute("PRAGMA journal_mode=WAL")
    else:
        _execute("VACUUM ANALYZE")


def main() -> None:
    orders = int(os.environ.get("ORDERS", "100000"))
    call_command("migrate", verbosity=0)
    call_command("create_demo_users", verbosity=0)
    if not Order.objects.exists():
        _relax_durability()
        now = datetime.now(UTC).replace(microsecond=0)
        fill_index(dataset=os.environ.get("DATASET", "emulator"), orders=orders, now=now)
        _mark_complete(orders, now)
        _analyze()
    print(f"{Order.objects.count():,} orders in {connection.vendor}", file=sys.stderr)


if __name__ == "__main__":
    main()
