"""Measures the preview of a bulk action on the largest possible selection, as a lead.

The orders are those created within some days. LIST_ROUNDS (50) is the number of requests.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import partial

from bench import report
from bench.databases import DATASET, ORDERS, filled_database, open_databases
from bench.report import Goal
from bench.serving import get_page, running_web_server, sign_in
from bench.timings import Timings, measure_alternately
from testing.serving import Visitor

_ROUNDS = int(os.environ.get("LIST_ROUNDS", "50"))
_BARE = "bare 30 KB"
_MAX_P95 = 300.0
# The list begins _BEGINS days ago; its length is the largest of _DAYS within a selection's limit.
_BEGINS = 650
_DAYS = (650, 500, 365, 180, 90, 60, 40, 30, 20, 14, 10, 7, 5, 4, 3, 2, 1)


def measure_preview(vendor: str) -> None:
    with open_databases(vendor) as at:
        database = filled_database(at, orders=ORDERS)
        with running_web_server(database.env) as web:
            visitor = sign_in(web, "lead")
            query = longest_list(visitor)
            freezing = Timings("select")
            urls = {
                action: freezing.measure(partial(select_all, visitor, query, action))
                for action in ("extend", "cancel")
            }
            asked = {_BARE: partial(get_page, visitor, "/bare/")}
            asked |= {name: partial(get_page, visitor, url) for name, url in urls.items()}
            series = measure_alternately(asked, rounds=_ROUNDS)
            count = match_count(visitor, query)
    report.print_title(
        f"Preview of {count:,} of {database.values['orders']:,} orders ({DATASET}), {vendor}",
        *("median", "p95 (ms)", "× bare"),
    )
    bare = series[_BARE].median
    for name, one in series.items():
        goals = [Goal("p95", one.p95, _MAX_P95, " ms")] if name in urls else []
        report.print_row(name, one.median, one.p95, one.median / bare, goals=goals)
    report.print_row("selecting (once each)", freezing.median, freezing.p95, None)


def longest_list(visitor: Visitor) -> str:
    """Return the parameters of the longest list that is within the limit of a selection."""
    first = datetime.now(UTC) - timedelta(days=_BEGINS)
    for days in _DAYS:
        last = first + timedelta(days=days - 1)
        query = f"created_after={first:%Y-%m-%d}&created_before={last:%Y-%m-%d}"
        if match_count(visitor, query):
            return query
    raise SystemExit("every list is too long for a selection")


def match_count(visitor: Visitor, query: str) -> int:
    """Return the number of orders of a list; 0 if it is over the limit of a selection."""
    number, _, rest = get_page(visitor, f"/selections/count/?{query}").partition(" ")
    return int(number.replace(",", "")) if rest == "that match" else 0


def select_all(visitor: Visitor, query: str, action: str) -> str:
    """Select all orders of a list, and return the URL of the preview."""
    answer = visitor.post("/selections/", {"action": action, "all": "on", "query": query})
    if answer.status_code != 303:
        raise SystemExit(f"could not select: {answer.status_code}")
    return answer.headers["Location"]
