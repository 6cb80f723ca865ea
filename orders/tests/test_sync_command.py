"""`manage.py sync_orders` as a process, and the sync of the worker."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.utils import timezone

from orders import sync
from orders.models import Order, OrderPayload
from orders.sync import SyncPhase
from testing.processes import LiveApp, Process, wait_for
from testing.syncing import SMALL, assert_counts_add_up, index_differences, state
from testing.vendor import Emulator

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


def test_the_command_completes_the_index_and_prints_a_summary(
    command: Callable[..., Process], emulator: Emulator
) -> None:
    process = command()
    assert process.wait() == 0, process.output()
    assert "The index is complete and up to date: 300 new" in process.output()
    assert index_differences(emulator) == []


def test_a_missing_setting_is_named(command: Callable[..., Process]) -> None:
    process = command(GOODY_API_URL="")
    assert process.wait() == 1
    assert process.output().splitlines()[-1] == "CommandError: GOODY_API_URL is not set"


def test_a_rejected_key_ends_the_command(
    command: Callable[..., Process], emulator: Emulator
) -> None:
    process = command(GOODY_API_KEY="wrong")
    assert process.wait() == 1
    assert "Goody rejects the API key. An admin can check it on /system/." in process.output()
    assert emulator.calls()["total"] == 1


def test_the_worker_starts_the_first_sync(
    live_app: Callable[..., LiveApp], emulator: Emulator
) -> None:
    live_app(webs=0, workers=1, **SMALL_ENV)
    wait_for(
        lambda: state().is_complete and state().is_backfilled, timeout=30, what="the first sync"
    )
    assert index_differences(emulator) == []
    assert sync.read_progress(timezone.now()).phase is SyncPhase.COMPLETE


def test_two_concurrent_commands_make_each_call_once(
    command: Callable[..., Process], emulator: Emulator
) -> None:
    processes = [command(), command()]
    for process in processes:
        assert process.wait() == 0, process.output()
    assert index_differences(emulator) == []
    calls = [call["query"] for call in emulator.calls()["recent"] if call["path"] == "/v1/orders"]
    assert len(calls) == len(set(calls))


# --- Killed -----------------------------------------------------------------------------------


# Kill after this number of further calls or rows, each time in a new process.
_ALL_MOMENTS = (1, 2, 3, 4, 5, 6, 8, 10, 13, 17)
MOMENTS = _ALL_MOMENTS if "SOAK_SYNCS" in os.environ else _ALL_MOMENTS[::2]
COUNTED: dict[str, Callable[[Emulator], int]] = {
    "calls": lambda emulator: int(emulator.calls()["total"]),
    "orders": lambda _: Order.objects.count(),
}


@pytest.mark.parametrize("what", COUNTED)
def test_killed_commands_lose_and_duplicate_no_order(
    command: Callable[..., Process], emulator: Emulator, what: str
) -> None:
    """Kills at numbers of calls to Goody and at numbers of stored orders; `make soak` has more."""
    emulator.set_latency(0.05)
    small = {"SYNC_PER_PAGE": "5", "SYNC_WINDOW": "10", "SYNC_CALLS_AT_ONCE": "1"}
    small["SYNC_LEASE"] = "0.3"
    count = partial(COUNTED[what], emulator)
    for more in MOMENTS:
        enough = count() + more
        killed_when(command(**small), lambda enough=enough: count() >= enough)
    assert not state().is_complete

    emulator.set_latency(0)
    process = command(**small | {"SYNC_CALLS_AT_ONCE": "4"})
    assert process.wait() == 0, process.output()
    assert index_differences(emulator) == []
    assert OrderPayload.objects.count() == Order.objects.count() == 300
    assert_counts_add_up()


def killed_when(process: Process, condition: Callable[[], bool]) -> None:
    def is_time() -> bool:
        assert process.is_running(), process.output()
        return condition()

    wait_for(is_time, timeout=30)
    process.kill()
