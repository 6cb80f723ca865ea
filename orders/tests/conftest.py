"""Fixtures of orders/: a client without earlier failures, and a clock that tests can shift."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from testing.domain import reset_goody_client
from testing.faulty_server import FaultyServer
from testing.list_pages import COUNT, complete_sync
from testing.search_oracle import NOW, Oracle, store
from testing.syncing import SMALL


@pytest.fixture(autouse=True)
def _no_past(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    reset_goody_client(settings, monkeypatch)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that runs from now on; .shift(seconds) moves it."""
    with time_machine.travel(datetime.now(UTC), tick=True) as traveller:
        yield traveller


@pytest.fixture
def goody(settings: Any) -> Callable[[FaultyServer], None]:
    """Point the settings at a server of this test, with a short deadline for the POST alone."""

    def use(server: FaultyServer) -> None:
        settings.GOODY_API_URL, settings.GOODY_API_KEY = server.url, "test-key"
        settings.GOODY_WRITE_DEADLINE, settings.GOODY_PAGE_DEADLINE = 0.8, 5
        settings.GOODY_DETAIL_DEADLINE = 0.8

    return use


@pytest.fixture
def small_windows(settings: Any) -> None:
    """Windows and pages so small that a few hundred orders need many of them."""
    for name, value in SMALL.items():
        setattr(settings, name, value)


@pytest.fixture
def search_without_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time limit of the search that no machine reaches."""
    monkeypatch.setattr("orders.search.paging.SEARCH_SECONDS", 60.0)


@pytest.fixture
def oracle(db: None, search_without_deadline: None) -> Oracle:
    """Some hundred orders in the index, and the search in plain Python over them."""
    store()
    return Oracle()


@pytest.fixture
def search_time() -> Iterator[None]:
    """The time of the oracle's orders."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def full(db: None, search_time: None) -> Oracle:
    """A complete index with COUNT orders."""
    store(COUNT)
    complete_sync(NOW)
    return Oracle()
