"""Stores the earliest and the latest expiration of the orders created in each period.

A range is widened in the transaction that writes an order, and never narrowed: it may be wider than
necessary, but no order is outside of it. Searches use it to bound scans.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

# A period is a creation key without its lowest bits: 36 hours.
PERIOD_BITS = 37

_WIDEN = """
INSERT INTO orders_expiryrange AS known (period, earliest, latest)
SELECT id >> {bits}, min(expires_at), max(expires_at)
FROM orders_order WHERE expires_at IS NOT NULL {among}
GROUP BY id >> {bits}
ON CONFLICT (period) DO UPDATE SET
    earliest = {least}(known.earliest, excluded.earliest),
    latest = {greatest}(known.latest, excluded.latest)
WHERE excluded.earliest < known.earliest OR excluded.latest > known.latest
"""


def widen_expiry_ranges(cursor: Any, keys: Collection[int], *, vendor: str) -> None:
    """Widen the ranges so that they include the orders with these keys, as stored now."""
    if vendor == "sqlite":
        among = "AND id IN (SELECT value FROM json_each(%s))"
        cursor.execute(_sql(vendor, among), [json.dumps(list(keys))])
    else:
        cursor.execute(_sql(vendor, "AND id = ANY(%s)"), [list(keys)])


def _sql(vendor: str, among: str) -> str:
    least, greatest = ("min", "max") if vendor == "sqlite" else ("least", "greatest")
    return _WIDEN.format(bits=PERIOD_BITS, among=among, least=least, greatest=greatest)
