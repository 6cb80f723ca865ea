"""`manage.py sync_orders` as a process, and the worker that does the same by itself."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone

from orders import sync
from orders.sync import Phase
from testing.processes import LiveApp, Process, wait_for
from testing.vendor import Emulator

from .syncing import SMALL, differences, state

SMALL_ENV = {name: str(value) for name, value in SMALL.items()}


@pytest.fixture
def command(database_url: str, emulator: Emulator) -> Iterator[Callable[..., Process]]:
    """command("--full", SYNC_LEASE="1") -> the running `manage.py sync_orders --full`."""
    started: list[Process] = []

    def start(*arguments: str, **env: str) -> Process:
        given = {
            "DATABASE_URL": database_url,
            "GOODY_API_URL": emulator.url,
            "GOODY_API_KEY": emulator.key,
            **SMALL_ENV,
            **env,
        }
        variables = {
            "DJANGO_SETTINGS_MODULE": "testing.settings",
            "TEST_ENVIRONMENT": json.dumps(given),
        }
        started.append(
            Process(["manage.py", "sync_orders", *arguments], env={**os.environ, **variables})
        )
        return started[-1]

    yield start
    for process in started:
        process.close()


def test_the_command_fills_the_index_and_says_so(
    command: Callable[..., Process], emulator: Emulator
) -> None:
    process = command()
    assert process.wait() == 0, process.output()
    assert "The index is complete and up to date: 300 new; " in process.output()
    assert differences(emulator) == []


def test_without_settings_it_says_what_is_missing(command: Callable[..., Process]) -> None:
    process = command(GOODY_API_URL="")
    assert process.wait() == 1
    assert process.output().splitlines()[-1] == "CommandError: GOODY_API_URL is not set"


def test_a_rejected_key_ends_it(command: Callable[..., Process], emulator: Emulator) -> None:
    process = command(GOODY_API_KEY="wrong")
    assert process.wait() == 1
    assert "Goody rejects the API key. An admin can check it on /system/." in process.output()
    assert emulator.calls()["total"] == 1


def test_the_worker_begins_the_first_sync_by_itself(
    live_app: Callable[..., LiveApp], emulator: Emulator
) -> None:
    live_app(webs=0, workers=1, **SMALL_ENV)
    wait_for(lambda: state().is_complete, timeout=30, what="the first sync")
    assert differences(emulator) == []
    assert sync.progress(timezone.now()).phase is Phase.COMPLETE


def test_two_at_once_do_it_once(command: Callable[..., Process], emulator: Emulator) -> None:
    processes = [command(), command()]
    for process in processes:
        assert process.wait() == 0, process.output()
    assert differences(emulator) == []
    calls = [(call["path"], call["query"]) for call in emulator.calls()["recent"]]
    assert len(calls) == len(set(calls))
    assert emulator.calls()["counts"]["GET /v1/order_activities"] == 1
