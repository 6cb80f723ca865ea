"""The limits of calls to Goody that apply to all processes."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from goody.errors import RateLimited, Unauthorized, Unavailable
from orders import goody_api, services
from orders.goody_api import CallsPaused, KeyRejected, NotConfigured
from orders.models import ApiLimits, AuditEntry
from testing.domain import actor, failing_statements
from testing.faulty_server import FaultyServer, answer, redirect
from testing.vendor import Emulator

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def ask() -> object:
    policy = goody_api.detail_retry_policy()
    return goody_api.call_goody(lambda client, left: client.get_me(policy=left), policy=policy)


@pytest.mark.django_db
def test_missing_settings_prevent_calls(settings: Any) -> None:
    settings.GOODY_API_URL = settings.GOODY_API_KEY = ""
    with pytest.raises(NotConfigured, match="GOODY_API_URL and GOODY_API_KEY are not set"):
        ask()
    check = services.check_api_key(actor=actor("admin"), now=NOW)
    assert check.problem == "The connection to Goody is not set up"


@pytest.mark.django_db
def test_rejected_key_blocks_calls_until_the_key_changes(emulator: Emulator, settings: Any) -> None:
    settings.GOODY_API_KEY = "old-key"
    with pytest.raises(Unauthorized):
        ask()
    for _ in range(3):
        with pytest.raises(KeyRejected):
            ask()
    assert emulator.calls()["total"] == 1
    settings.GOODY_API_KEY = emulator.key
    ask()
    settings.GOODY_API_KEY = "old-key"
    with pytest.raises(KeyRejected):
        ask()
    assert emulator.calls()["total"] == 2
    assert "old-key" not in ApiLimits.objects.get().rejected_key


@pytest.mark.django_db
def test_key_check_by_an_admin_unblocks_calls(emulator: Emulator) -> None:
    emulator.add_fault({"kind": "status", "status": 401}, times=2)
    with pytest.raises(Unauthorized):
        ask()
    failed = services.check_api_key(actor=actor("admin"), now=timezone.now())
    assert (failed.problem, failed.email) == ("Goody rejected the API key", None)
    with pytest.raises(KeyRejected):
        ask()
    check = services.check_api_key(actor=actor("admin"), now=timezone.now())
    assert (check.problem, check.email) == ("", "support@sender.example.com")
    assert check.workspaces
    ask()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 1),
        ("-5", 1),
        ("36000", 900),
        (None, 5),
        ("soon", 5),
        ("Sun, 22 Nov 2026 12:01:00 GMT", 60),
        ("Sun, 22 Nov 2020 12:01:00 GMT", 1),
    ],
)
def test_pause_after_a_429_is_shared_and_bounded(
    header: str | None, seconds: int, settings: Any, time_machine: Any
) -> None:
    time_machine.move_to(NOW, tick=False)
    headers = {"Date": "Sun, 22 Nov 2026 12:00:00 GMT"}
    if header is not None:
        headers["Retry-After"] = header
    with FaultyServer(answer(429, {"error": "Slow down"}, headers=headers)) as server:
        settings.GOODY_API_URL, settings.GOODY_API_KEY = server.url, "test-key"
        settings.GOODY_DETAIL_DEADLINE = 0.5
        with pytest.raises(RateLimited):
            ask()
        assert ApiLimits.objects.get().paused_until == NOW + timedelta(seconds=seconds)
        with pytest.raises(CallsPaused) as paused:
            ask()
        assert paused.value.until == NOW + timedelta(seconds=seconds)
        assert len(server.requests) == 1
        time_machine.move_to(NOW + timedelta(seconds=seconds), tick=False)
        with pytest.raises(RateLimited):
            ask()


@pytest.mark.django_db
def test_no_call_waits_for_a_429_by_itself(emulator: Emulator) -> None:
    emulator.add_fault({"kind": "status", "status": 429, "headers": {"Retry-After": "1"}}, times=1)
    with pytest.raises(RateLimited):
        goody_api.call_goody(
            lambda client, left: client.get_me(policy=left), policy=goody_api.worker_retry_policy()
        )
    with pytest.raises(CallsPaused):
        ask()
    assert emulator.calls()["total"] == 1


@pytest.mark.django_db
def test_shorter_pause_does_not_end_a_longer_one() -> None:
    longer, shorter = NOW + timedelta(seconds=60), NOW + timedelta(seconds=5)
    for until in (shorter, longer, shorter):
        ApiLimits.objects.pause_until(until)
    limits = ApiLimits.objects.get()
    assert limits.paused_until == longer
    assert limits.is_paused(longer - timedelta(seconds=1))
    assert not limits.is_paused(longer)


@pytest.mark.django_db
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_security_event_and_is_not_followed(status: int, settings: Any) -> None:
    with (
        FaultyServer(answer(200, {})) as elsewhere,
        FaultyServer(redirect(status, f"{elsewhere.url}/v1/me")) as server,
    ):
        settings.GOODY_API_URL, settings.GOODY_API_KEY = server.url, "test-key"
        with pytest.raises(Exception, match="redirect"):
            ask()
        assert (len(server.requests), elsewhere.connections) == (1, 0)
    assert [row.action for row in AuditEntry.objects.all()] == ["security.goody_redirect"]


# --- Pace -------------------------------------------------------------------------------------


def reserve(now: datetime = NOW, *, longest: float = 10.0, burst: int = 2) -> float | None:
    return ApiLimits.objects.reserve_call(now=now, per_second=10, burst=burst, longest=longest)


@pytest.mark.django_db
def test_a_burst_goes_out_at_once_and_the_rest_in_step() -> None:
    waits = [reserve() for _ in range(5)]
    assert waits == [0, 0, 0, pytest.approx(0.1), pytest.approx(0.2)]
    later = NOW + timedelta(seconds=60)
    assert [reserve(later) for _ in range(4)] == [0, 0, 0, pytest.approx(0.1)]


@pytest.mark.django_db
def test_call_that_would_wait_too_long_reserves_no_rate() -> None:
    waits = [reserve(longest=0.25) for _ in range(20)]
    assert waits[:5] == [0, 0, 0, pytest.approx(0.1), pytest.approx(0.2)]
    assert waits[5:] == [None] * 15
    # Refused calls have not reserved later capacity.
    assert reserve(NOW + timedelta(seconds=0.2), longest=0.25) == pytest.approx(0.1)


@pytest.mark.django_db
def test_clock_set_back_does_not_block_calls() -> None:
    reserve(NOW + timedelta(minutes=10))
    assert reserve(NOW) == 0


@pytest.mark.django_db
def test_own_rate_limit_is_not_described_as_that_of_goody(
    emulator: Emulator, settings: Any
) -> None:
    settings.GOODY_CALLS_PER_SECOND, settings.GOODY_CALLS_BURST = 0.1, 0
    ask()
    with pytest.raises(Unavailable, match="too many calls to Goody were running"):
        ask()
    assert emulator.calls()["total"] == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_calls_reserve_distinct_times() -> None:
    ApiLimits.objects.current()
    waits: list[float | None] = []
    start = threading.Barrier(12)

    def take() -> None:
        try:
            start.wait(10)
            for _ in range(3):
                waits.append(reserve(burst=0))  # noqa: PERF401 - a call each
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    places = sorted(round(wait * 10) for wait in waits if wait is not None)
    assert places == list(range(36))


@pytest.mark.django_db
def test_a_pause_from_before_the_clock_was_set_back_does_not_hold() -> None:
    now = timezone.now()
    ApiLimits.objects.pause_until(now + timedelta(days=3))
    goody_api.check_limits(now=now)
    ApiLimits.objects.pause_until(now + timedelta(seconds=30))
    with pytest.raises(goody_api.CallsPaused):
        goody_api.check_limits(now=now)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GOODY_API_URL", "http://goody.example"),
        ("GOODY_API_URL", "https://api..goody.example"),
        ("GOODY_API_KEY", "s3cr3t\n"),
    ],
)
def test_a_wrong_setting_is_named_and_is_no_crash(settings: Any, name: str, value: str) -> None:
    settings.GOODY_API_URL, settings.GOODY_API_KEY = "https://goody.example", "key"
    setattr(settings, name, value)
    with pytest.raises(NotConfigured, match="set up wrongly") as raised:
        goody_api.call_goody(lambda client, left: client.get_me(policy=left))
    assert value.strip() not in str(raised.value)


@pytest.mark.django_db
def test_wait_for_the_rate_counts_against_the_deadline(emulator: Emulator, settings: Any) -> None:
    settings.GOODY_CALLS_PER_SECOND = 0.1
    ApiLimits.objects.current()
    policy = goody_api.page_retry_policy()

    def ask_when_the_next_place_is_in(seconds: float) -> float:
        place = timezone.now() + timedelta(seconds=seconds)
        ApiLimits.objects.update(next_call_at=place)
        return goody_api.call_goody(lambda client, left: left.deadline, policy=policy)

    assert ask_when_the_next_place_is_in(-60) == policy.deadline
    assert ask_when_the_next_place_is_in(0.5) < policy.deadline
    with pytest.raises(Unavailable, match="were running"):
        ask_when_the_next_place_is_in(policy.deadline + 5)


@pytest.mark.django_db(transaction=True)
def test_a_401_is_reported_even_if_it_cannot_be_stored(goody: Any) -> None:
    ApiLimits.objects.current()
    with (
        FaultyServer(answer(401, {"error": "Unauthorized"})) as server,
        failing_statements("orders_apilimits", "UPDATE", when="NEW.rejected_key <> ''"),
    ):
        goody(server)
        with pytest.raises(goody_api.Unauthorized):
            goody_api.call_goody(lambda client, left: client.get_me(policy=left))
