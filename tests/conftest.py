"""Fixtures of the tests of the whole."""

from __future__ import annotations

from typing import Any

import pytest

from orders import gatekeeper
from orders.services import reading


@pytest.fixture
def short_limits(settings: Any) -> None:
    """Limits of tenths of a second, and a client without a past."""
    settings.GOODY_CONNECT_TIMEOUT = 0.5
    settings.GOODY_PAGE_DEADLINE = 1.2
    settings.GOODY_DETAIL_DEADLINE = 0.6
    settings.GOODY_WRITE_DEADLINE = 0.6
    # The breaker and the count of oddities last as long as the process: not beyond a test.
    gatekeeper._client.cache_clear()
    reading._noted.clear()
