"""`python -m bench.index_writes unchanged|flood`: the time of upserts, without HTTP.

`unchanged` upserts unchanged pages of 100 orders, and prints the milliseconds of each.
`flood` inserts new orders as fast as possible until it is stopped, in the transactions of a sync.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from bench.fill import SEED, emulator_rows  # noqa: E402
from orders import index  # noqa: E402
from orders.index import OrderOfResponse  # noqa: E402
from orders.models import OrderPayload  # noqa: E402

_PAGE = 100
_PAGES = 50
_TRANSACTION = 500
_WORLD = 20_000


def measure_unchanged_upserts() -> None:
    newest = OrderPayload.objects.order_by("-id")[: _PAGE * _PAGES]
    milliseconds = []
    for page in itertools.batched([OrderOfResponse(one.raw) for one in newest], _PAGE):
        start = time.perf_counter()
        result = index.upsert_rows(page, read_at=datetime.now(UTC))
        milliseconds.append((time.perf_counter() - start) * 1000)
        if result.same != len(page):
            raise SystemExit(f"{len(page) - result.same} of a page had changed")
    print(json.dumps(milliseconds))


def insert_continuously() -> None:
    """Insert orders of other seeds, distributed over the same two years, until it is killed."""
    now, started, done = datetime.now(UTC), time.monotonic(), 0
    for some in itertools.batched(_others(now), _TRANSACTION):
        index.upsert_rows(some, read_at=now)
        done += len(some)
        print(f"storing {done / (time.monotonic() - started):,.0f} orders a second")


def _others(now: datetime) -> Iterator[OrderOfResponse]:
    for seed in itertools.count(SEED + 1):
        yield from emulator_rows(orders=_WORLD, seed=seed, now=now)


if __name__ == "__main__":
    {"unchanged": measure_unchanged_upserts, "flood": insert_continuously}[sys.argv[1]]()
