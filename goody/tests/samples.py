"""Orders, limits and clients for the tests of goody/. All names are invented."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from goody.client import Client, ClientLimits, RetryPolicy
from goody.limits import MIB
from testing.certificates import small_ca_bundle

KEY = "secret-key-of-the-tests-0123456789"
ORDER_ID = UUID("0b6f1c1e-52f4-4a0e-9d5b-6c1c5a9a7e01")
OTHER_ID = UUID("0b6f1c1e-52f4-4a0e-9d5b-6c1c5a9a7e02")
ACTIVITY_ID = UUID("ac710000-0000-4000-8000-000000000001")
ORDER_PATH = f"/v1/orders/{ORDER_ID}"

# For tests that end by themselves: no limit is reached, even on a busy machine.
FAST = ClientLimits(
    connect_timeout=10.0,
    write_deadline=10.0,
    breaker_failures=1000,
    retry_base=0.02,
    retry_allowance=1000.0,
)
# For servers that never accept a connection, and for responses that never end.
UNCONNECTED = replace(FAST, connect_timeout=0.3)
ENDLESS = replace(FAST, write_deadline=0.6)
BRIEFLY = RetryPolicy(0.4, 1)
ONCE = RetryPolicy(10.0, 1)
TWICE = RetryPolicy(0.6, 2)
THRICE = RetryPolicy(3.0, 3)


def order(**changes: Any) -> dict[str, Any]:
    """Return an order of GET /v1/orders/{id} with a value for every documented field."""
    cart = {
        "id": "5a1e0000-0000-4000-8000-000000000001",
        "items": [
            {
                "id": f"c7d20000-0000-4000-8000-00000000000{number}",
                "quantity": number,
                "product": {
                    "id": "91aa0000-0000-4000-8000-000000000001",
                    "name": "Tea box",
                    "brand": {"id": "e0040000-0000-4000-8000-000000000001", "name": "Leaf Lane"},
                },
            }
            for number in (1, 2)
        ],
    }
    return {
        "id": str(ORDER_ID),
        "status": "notified",
        "reference_id": "TESTREFERENCE00000000001",
        "individual_gift_link": "https://gifts.example.test/gift/TESTTOKEN000000000000001",
        "recipient_first_name": "Priya",
        "recipient_last_name": "Nair",
        "recipient_email": "priya@example.test",
        "card_id": "ca4d0000-0000-4000-8000-000000000001",
        "message": "Welcome aboard",
        "thank_you_note": "Thank you!",
        "view_count_recipient": 2,
        "is_swapped": True,
        "order_batch_id": "7d0f3a52-0c5d-4d7e-8a55-1f3e8f0a2b02",
        "expires_at": "2031-05-01T06:59:59Z",
        "cart": cart,
        "cart_selections": [
            {
                "id": "5e1e0000-0000-4000-8000-000000000001",
                "cart_item_id": "c7d20000-0000-4000-8000-000000000001",
                "quantity_index": 0,
                "variants": ["Green", "Large"],
            }
        ],
        "shipments": [
            {
                "id": "5b190000-0000-4000-8000-000000000001",
                "status": "shipped",
                "brand_name": "Leaf Lane",
                "tracking_carrier": "UPS",
                "tracking_number": "1Z",
                "tracking_url": "https://tracking.example.test/1Z",
                "shipped_at": "2031-04-03T00:00:00Z",
                "delivered_at": None,
                "delivery_eta": "2031-04-05T00:00:00Z",
            }
        ],
        "amounts": {
            "amount_product": 3200,
            "amount_shipping": 600,
            "amount_processing_fee": 150,
            "amount_credit_applied": 10,
            "amount_pre_tax_total": 3950,
            "amount_tax": None,
            "amount_total": None,
            "amount_global_relay_cost": 0,
        },
        "original_cart": cart,
        "original_amounts": {
            "original_amount_product": 3000,
            "original_amount_shipping": 500,
            "original_amount_credit_applied": None,
            "original_amount_pre_tax_total": 3500,
        },
        "sender": {"first_name": "Lee", "last_name": "Okafor", "email": "lee@example.test"},
        "workspace_id": "2f9b0000-0000-4000-8000-000000000001",
        "workspace_name": "People team",
        "payment_link": "https://pay.example.test/1",
        "event_times": {
            "created_at": "2031-04-01T15:02:11Z",
            "notified_at": "2031-04-01T15:02:14Z",
            "opened_at": "2031-04-01T16:00:00Z",
            "accepted_at": None,
            "thank_you_added_at": "2031-04-02T00:00:00Z",
            "pending_payment_at": None,
            "paid_at": None,
            "shipped_at": None,
            "delivered_at": None,
        },
        **changes,
    }


def activity(**changes: Any) -> dict[str, Any]:
    """Return an entry of GET /v1/order_activities, whose order has changed since."""
    now = order()
    del now["event_times"]
    return {
        "id": str(ACTIVITY_ID),
        "order_status": "created",
        "created_at": "2031-04-01T15:02:11Z",
        "order": now,
        **changes,
    }


def page_of(*rows: Any, **envelope: Any) -> dict[str, Any]:
    """Return the envelope of a list."""
    return {"data": list(rows), "list_meta": {"total_count": len(rows)}, **envelope}


def make_client(url: str, *, limits: ClientLimits = FAST, **options: Any) -> Client:
    """Return a client with short waits that trusts the test certificates only."""
    options.setdefault("jitter", lambda: 0.5)
    if url.startswith("http:"):
        options.setdefault("ca_bundle", str(small_ca_bundle()))
    return Client(base_url=url, api_key=KEY, limits=limits, **options)


def small_bodies(size: int = 2000) -> ClientLimits:
    """FAST with a limit on bodies that a test can exceed with little data."""
    return replace(FAST, order_body=size, list_body=size)


class _Stopwatch:
    """Measures elapsed seconds, and by how much a thread that only sleeps was delayed."""

    _TICK = 0.01

    def __init__(self) -> None:
        self.stalled = 0.0
        self._is_over = threading.Event()
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> None:
        self.elapsed = time.monotonic() - self._started
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._is_over.wait(self._TICK):
            now = time.monotonic()
            late = now - before - self._TICK
            self.stalled += late if late > self._TICK / 2 else 0.0
            before = now


@contextmanager
def lasting(seconds: float) -> Iterator[None]:
    """Fail unless the block takes `seconds`, with a tolerance of 10 %, and 0.2 s above.

    It also applies if the block raises. Delays by the machine are not counted.
    """
    spent = _Stopwatch()
    try:
        yield
    finally:
        spent.stop()
        assert seconds * 0.9 <= spent.elapsed <= seconds * 1.1 + 0.2 + spent.stalled


@contextmanager
def quicker_than(seconds: float) -> Iterator[None]:
    """Like lasting(), without a minimum."""
    spent = _Stopwatch()
    try:
        yield
    finally:
        spent.stop()
        assert spent.elapsed < seconds + spent.stalled


__all__ = [
    "ACTIVITY_ID",
    "BRIEFLY",
    "ENDLESS",
    "FAST",
    "KEY",
    "MIB",
    "ONCE",
    "ORDER_ID",
    "ORDER_PATH",
    "OTHER_ID",
    "THRICE",
    "TWICE",
    "UNCONNECTED",
    "activity",
    "lasting",
    "make_client",
    "order",
    "page_of",
    "quicker_than",
    "small_bodies",
]
