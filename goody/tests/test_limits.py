"""Slots, circuit breaker and retry budget."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from goody.client import RetryPolicy
from goody.errors import NotFound, OutcomeUnknown, Unavailable
from goody.limits import CircuitBreaker, Deadline, RetryBudget
from goody.tests.samples import (
    BRIEFLY,
    ENDLESS,
    FAST,
    ONCE,
    ORDER_ID,
    THRICE,
    lasting,
    make_client,
    order,
)
from testing.faulty_server import (
    FaultyServer,
    after,
    answer,
    blocked_until,
    close_without_answer,
    refusing_url,
    reset,
)

LONG = RetryPolicy(5.0, 1)


def test_slots_bound_concurrent_calls():
    running, most, lock = [0], [0], threading.Lock()

    def counted(connection):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        connection.pause(0.01)
        with lock:
            running[0] -= 1
        answer(200, order())(connection)

    with FaultyServer(counted) as server, ThreadPoolExecutor(8) as pool:
        client = make_client(server.url)
        calls = [pool.submit(client.get_order, ORDER_ID, policy=LONG) for _ in range(24)]
        assert [call.result().id for call in calls] == [ORDER_ID] * 24
    assert (most[0], len(server.requests)) == (FAST.slots, 24)


def test_waiting_for_a_slot_ends_at_the_deadline():
    may_end = threading.Event()
    with (
        FaultyServer(blocked_until(may_end, close_without_answer)) as server,
        ThreadPoolExecutor(2) as pool,
    ):
        client = make_client(server.url, limits=ENDLESS)
        busy = [
            pool.submit(client.get_order, ORDER_ID, policy=RetryPolicy(30, 1)) for _ in range(2)
        ]
        server.wait_until(lambda s: len(s.requests) == 2)
        with pytest.raises(Unavailable) as caught, lasting(BRIEFLY.deadline):
            client.get_order(ORDER_ID, policy=BRIEFLY)
        assert caught.value.kind == "slots"
        assert len(server.requests) == 2
        may_end.set()
        for call in busy:
            assert isinstance(call.exception(), Unavailable)
        server.set_script(answer(200, order()))
        assert client.get_order(ORDER_ID).id == ORDER_ID


def test_writes_have_slots_of_their_own():
    """Hung writes delay no read, and a write waits for a slot no longer than its limit."""
    may_end = threading.Event()
    post = (blocked_until(may_end, close_without_answer),)
    with FaultyServer(answer(200, order()), post=post) as server, ThreadPoolExecutor(2) as pool:
        client = make_client(server.url, limits=ENDLESS)

        def write():
            with client.write_slot(timeout=5):
                client.cancel_order(ORDER_ID)

        hung = [pool.submit(write) for _ in range(2)]
        server.wait_until(lambda s: s.posts == 2)
        assert client.get_order(ORDER_ID, policy=LONG).id == ORDER_ID
        with pytest.raises(Unavailable) as caught, client.write_slot(timeout=0.05):
            raise AssertionError("a third slot")
        assert caught.value.kind == "slots"
        may_end.set()
        for call in hung:
            assert isinstance(call.exception(), OutcomeUnknown)
        with client.write_slot(timeout=0.05):
            pass


def wait_for(condition):
    ticks = threading.Event()
    for _ in range(500):
        if condition():
            return
        ticks.wait(0.01)
    raise AssertionError("the condition did not come true")


def test_the_breaker_opens_after_consecutive_failures_and_allows_probes():
    clock = [100.0]
    breaker = CircuitBreaker(failures=3, probe_interval=30, clock=lambda: clock[0])
    for is_available in (False, False, True, False, False):
        breaker.record_result(is_available=is_available)
    assert breaker.allows_call(may_probe=False)
    breaker.record_result(is_available=False)
    assert not breaker.allows_call(may_probe=True)
    clock[0] += 29.9
    assert not breaker.allows_call(may_probe=True)
    clock[0] += 0.1
    assert not breaker.allows_call(may_probe=False)
    assert [breaker.allows_call(may_probe=True) for _ in range(3)] == [True, False, False]
    clock[0] += 30
    assert breaker.allows_call(may_probe=True)
    breaker.record_result(is_available=True)
    assert breaker.allows_call(may_probe=False)
    assert not breaker.is_open


def test_an_open_breaker_blocks_calls_until_a_probe_succeeds():
    clock = [0.0]
    limits = replace(FAST, breaker_failures=5)
    with FaultyServer(answer(503)) as server:
        client = make_client(server.url, limits=limits, clock=lambda: clock[0])
        kinds = []
        for _ in range(8):
            with pytest.raises(Unavailable) as caught:
                client.get_order(ORDER_ID)
            kinds.append(caught.value.kind)
        assert kinds == ["server_error"] * 5 + ["breaker"] * 3
        assert len(server.requests) == 5
        clock[0] += 30
        with pytest.raises(Unavailable):
            client.get_order(ORDER_ID)
        assert len(server.requests) == 6
        server.set_script(answer(200, order()))
        with pytest.raises(Unavailable, match="calls to it are paused"):
            client.get_order(ORDER_ID)
        clock[0] += 30
        assert client.get_order(ORDER_ID).id == ORDER_ID
        assert client.cancel_order(ORDER_ID).id == ORDER_ID
    assert len(server.requests) == 8


def test_retries_stop_when_the_breaker_opens():
    limits = replace(FAST, breaker_failures=2)
    with FaultyServer(reset) as server, pytest.raises(Unavailable) as caught:
        make_client(server.url, limits=limits).get_order(ORDER_ID, policy=RetryPolicy(3, 10))
    assert (caught.value.kind, len(server.requests)) == ("reset", 2)


def test_rejections_and_bad_responses_do_not_open_the_breaker():
    limits = replace(FAST, breaker_failures=2)
    with FaultyServer(answer(404)) as server:
        client = make_client(server.url, limits=limits)
        for status in (404, 404, 401, 401, 429, 400):
            server.set_script(answer(status))
            with pytest.raises(Exception, match="Goody"):
                client.get_order(ORDER_ID)
        with pytest.raises(Exception, match="Goody"):
            client.cancel_order(ORDER_ID)
    assert len(server.requests) == 7


def test_a_failing_before_send_does_not_open_the_breaker():
    limits = replace(FAST, breaker_failures=2)

    def fail():
        raise LookupError

    with FaultyServer(answer(200, order())) as server:
        client = make_client(server.url, limits=limits)
        for _ in range(3):
            with pytest.raises(LookupError):
                client.cancel_order(ORDER_ID, before_send=fail)
        assert client.get_order(ORDER_ID).id == ORDER_ID


def test_a_slow_before_send_does_not_open_the_breaker():
    clock = [0.0]

    def dawdle():
        clock[0] += FAST.write_deadline

    with FaultyServer(answer(200, order())) as server:
        limits = replace(FAST, breaker_failures=1)
        client = make_client(server.url, limits=limits, clock=lambda: clock[0])
        with pytest.raises(Unavailable):
            client.cancel_order(ORDER_ID, before_send=dawdle)
        assert client.get_order(ORDER_ID).id == ORDER_ID


def test_the_budget_limits_retries_to_a_tenth_of_the_calls():
    limits = replace(FAST, retry_allowance=5.0)
    with FaultyServer(answer(503)) as server:
        client = make_client(server.url, limits=limits, sleep=lambda _: None)
        for _ in range(100):
            with pytest.raises(Unavailable):
                client.get_order(ORDER_ID, policy=THRICE)
    retries = len(server.requests) - 100
    assert 5 <= retries <= 5 + 100 * limits.retry_budget


def test_the_balance_of_the_budget_is_bounded():
    budget = RetryBudget(share=0.1, allowance=2.0)
    for _ in range(1000):
        budget.deposit()
    assert [budget.withdraw() for _ in range(3)] == [True, True, False]
    for _ in range(11):
        budget.deposit()
    assert [budget.withdraw() for _ in range(2)] == [True, False]


def test_the_slot_is_free_between_two_attempts():
    """A read that waits for its retry must not block other calls."""
    limits = replace(FAST, slots=1)
    found = []

    with FaultyServer(answer(503), answer(200, order())) as server:

        def sleep(_):
            found.append(client.get_order(ORDER_ID, policy=ONCE).id)

        client = make_client(server.url, limits=limits, sleep=sleep)
        assert client.get_order(ORDER_ID, policy=THRICE).id == ORDER_ID
    assert (found, len(server.requests)) == ([ORDER_ID], 3)


def test_a_closed_client_sends_nothing():
    with FaultyServer(answer(200, order())) as server:
        client = make_client(server.url)
        client.close()
        for call in (client.get_order, client.cancel_order):
            with pytest.raises(Unavailable) as caught:
                call(ORDER_ID)
            assert caught.value.kind == "closed"
    assert server.connections == 0


def test_many_threads_share_one_client():
    behaviors = [answer(200, order()), answer(404), after(0.01, answer(200, order()))] * 20
    with FaultyServer(*behaviors) as server, ThreadPoolExecutor(6) as pool:
        client = make_client(server.url)
        calls = [pool.submit(client.get_order, ORDER_ID, policy=LONG) for _ in range(60)]
        errors = [type(call.exception()) for call in calls]
    assert (errors.count(NotFound), errors.count(type(None))) == (20, 40)
    assert server.connections <= FAST.slots


def test_a_deadline_counts_down_by_its_clock():
    clock = [10.0]
    deadline = Deadline(5, lambda: clock[0])
    assert (deadline.remaining, deadline.has_passed) == (5, False)
    assert deadline.capped_at(2).remaining == 2
    assert deadline.capped_at(9).remaining == 5
    clock[0] += 5
    assert (deadline.remaining, deadline.has_passed) == (0, True)


def test_failures_to_connect_open_the_breaker():
    limits = replace(FAST, breaker_failures=2)
    with refusing_url() as url:
        client = make_client(url, limits=limits)
        kinds = []
        for _ in range(3):
            with pytest.raises(Unavailable) as caught:
                client.get_order(ORDER_ID)
            kinds.append(caught.value.kind)
    assert kinds == ["connect", "connect", "breaker"]
