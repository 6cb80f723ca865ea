"""Fixtures of the tests of orders/: a client without a past, and a clock that can be moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

from orders import gatekeeper
from orders.services import reading


@pytest.fixture(autouse=True)
def _no_past() -> None:
    """The breaker and the count of oddities last as long as the process: not beyond a test."""
    gatekeeper._client.cache_clear()
    reading._noted.clear()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time goes on from now, and .shift(seconds) moves it."""
    with time_machine.travel(datetime.now(UTC), tick=True) as traveller:
        yield traveller
