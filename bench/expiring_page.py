"""The page of expiring gifts: the whole page in each of its windows, signed in, one client, warm.

The time grows with the number of gifts that expire within its four weeks. LIST_ROUNDS (50) is the
number of requests.
"""

from __future__ import annotations

import os
import re
from functools import partial

from bench import report
from bench.databases import DATASET, ORDERS, filled_database, open_databases
from bench.report import Goal
from bench.serving import get_page, running_web_server, sign_in_agent
from bench.timings import measure_alternately

_ROUNDS = int(os.environ.get("LIST_ROUNDS", "50"))
_BARE = "bare 30 KB"
_MAX_P95 = 40.0
WINDOWS = ("24h", "3d", "7d", "14d", "expired")
_GIFTS = re.compile(r'<p class="window__gifts">(?:<a [^>]*>)?([\d,]+)')


def measure_expiring(vendor: str) -> None:
    with open_databases(vendor) as at:
        database = filled_database(at, orders=ORDERS)
        with running_web_server(database.env) as web:
            visitor = sign_in_agent(web)
            urls = {name: f"/expiring/?expires={name}" for name in WINDOWS}
            asked = {_BARE: partial(get_page, visitor, "/bare/")}
            asked |= {name: partial(get_page, visitor, url) for name, url in urls.items()}
            series = measure_alternately(asked, rounds=_ROUNDS)
            gifts = gifts_by_window(asked[WINDOWS[0]]())
    report.print_title(
        f"Expiring, {database.values['orders']:,} orders ({DATASET}), {vendor}",
        *("gifts", "median", "p95 (ms)", "× bare"),
    )
    bare = series[_BARE].median
    for name, one in series.items():
        goals = [Goal("p95", one.p95, _MAX_P95, " ms")] if name in gifts else []
        report.print_row(name, gifts.get(name), one.median, one.p95, one.median / bare, goals=goals)


def gifts_by_window(page: str) -> dict[str, str]:
    """Return the number of gifts in each window, as the page shows it."""
    return dict(zip(WINDOWS, _GIFTS.findall(page), strict=True))
