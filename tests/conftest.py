"""Fixtures of the tests of the whole."""

from __future__ import annotations

from typing import Any

import pytest

from orders import gatekeeper
from orders.services import reading


@pytest.fixture
def short_limits(settings: Any, request: pytest.FixtureRequest) -> None:
    """Limits of tenths of a second, and a client without a past."""
    fault = request.node.callspec.params.get("fault") if hasattr(request.node, "callspec") else None
    # A body that is too large has to be read that far first.
    factor = 20 if getattr(fault, "number", "").startswith("F21") else 1
    settings.GOODY_CONNECT_TIMEOUT = 0.5 * factor
    settings.GOODY_PAGE_DEADLINE = 1.2 * factor
    settings.GOODY_DETAIL_DEADLINE = 0.6 * factor
    settings.GOODY_WRITE_DEADLINE = 0.6 * factor
    # The breaker and the count of oddities last as long as the process: not beyond a test.
    gatekeeper._client.cache_clear()
    reading._noted.clear()
