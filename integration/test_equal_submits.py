"""The same form many times, and two people on one order: one POST reaches Goody.

Against gunicorn processes over real connections, on each database.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

from orders.models import AuditEntry, Operation, State
from testing.domain import ORDER_ID, in_days, order_json
from testing.faulty_server import FaultyServer, answer, blocked_until
from testing.processes import LiveApp, wait_for
from testing.vendor import Emulator
from testing.walkthroughs import (
    HTMX,
    LONG_LIMITS,
    cancel_form,
    expiration_form,
    htmx_from,
    submit_concurrently,
    submitting,
)

type Start = Callable[..., LiveApp]

MANY = 50


def crowd(app: LiveApp, agent: Any, size: int = MANY) -> list[Any]:
    """Return one user on this number of connections, distributed over the web processes."""
    return [agent.copy(app.webs[number % len(app.webs)].url) for number in range(size)]


def rows_of_the_audit(order_id: object) -> list[tuple[str, str]]:
    rows = AuditEntry.objects.filter(order_uuid=UUID(str(order_id))).order_by("id")
    return [(row.action, row.outcome) for row in rows]


def test_fifty_equal_submits_make_one_post_and_lead_to_one_page(
    live_app: Start, emulator: Emulator
) -> None:
    app = live_app(webs=2, **LONG_LIMITS)
    agent, order_id = app.log_in("agent"), emulator.find_order_id(status="opened")
    form = cancel_form(agent, order_id)
    emulator.add_fault({"kind": "delay", "seconds": 0.5}, method="POST")

    answers = submit_concurrently(form, crowd(app, agent))

    operation = Operation.objects.get()
    page = f"/orders/{order_id}/operations/{operation.pk}/?next=%2Forders%2F"
    assert Counter((one.status_code, one.headers.get("Location")) for one in answers) == {
        (303, page): MANY
    }
    assert emulator.posts() == 1
    assert [entry["kind"] for entry in emulator.ledger(order_id=order_id)] == ["cancel"]
    assert operation.state == State.APPLIED
    assert rows_of_the_audit(order_id) == [("order.cancel", ""), ("order.cancel", "applied")]
    assert "Goody confirmed it." in agent.get(page).text


def test_fifty_equal_submits_by_htmx_put_the_row_in_place(
    live_app: Start, emulator: Emulator
) -> None:
    app = live_app(webs=2, **LONG_LIMITS)
    agent, order_id = (
        app.log_in("agent"),
        emulator.find_order_id(status="opened", no_expiry="false"),
    )
    day = f"{in_days(97):%Y-%m-%d}"
    form = expiration_form(agent, order_id, day)
    emulator.add_fault({"kind": "delay", "seconds": 0.5}, method="POST")

    answers = submit_concurrently(form, crowd(app, agent), htmx_page="/orders/")

    assert emulator.posts() == 1
    assert Operation.objects.get().state == State.APPLIED
    assert emulator.get_order(order_id)["expires_at"] == f"{day}T23:59:59Z"
    assert {one.status_code for one in answers} == {200}
    for one in answers:
        assert one.headers["HX-Retarget"] == f"#order-{order_id}"
        assert one.text.lstrip().startswith(f'<tr id="order-{order_id}"')
        assert "<html" not in one.text


def test_equal_submits_do_not_occupy_threads(live_app: Start) -> None:
    """There are more submits than threads, and all are answered before Goody answers."""
    goody_may_answer = threading.Event()
    canceled = answer(200, order_json(status="failed"))
    with FaultyServer(
        answer(200, order_json()), post=(blocked_until(goody_may_answer, canceled),)
    ) as goody:
        app = live_app(GOODY_API_URL=goody.url, **LONG_LIMITS)
        agent = app.log_in("agent")
        form = cancel_form(agent, ORDER_ID)
        with submitting(form, agent) as first:
            goody.wait_until(lambda server: server.posts == 1)
            others = submit_concurrently(form, crowd(app, agent, 24))
            assert not first.done()
            goody_may_answer.set()
        assert {one.status_code for one in [first.result(), *others]} == {303}
        assert {one.headers["Location"] for one in others} == {first.result().headers["Location"]}
        assert goody.posts == 1
        assert Operation.objects.get().state == State.APPLIED


def test_the_same_form_with_something_else_in_it_is_a_conflict(
    live_app: Start, emulator: Emulator
) -> None:
    app = live_app(**LONG_LIMITS)
    agent, order_id = app.log_in("agent"), emulator.find_order_id(status="opened")
    form = cancel_form(agent, order_id)
    assert form.submit(agent).status_code == 303
    for headers in ({}, HTMX):
        again = form.submit(agent, headers)
        other = form.having(reason="wrong_recipient").submit(agent, headers)
        by_somebody_else = form.submit(app.log_in("lead"), headers)

        assert again.status_code == (200 if headers else 303)
        for refused in (other, by_somebody_else):
            assert refused.status_code == 409
            assert "This form was used already, for something else" in refused.text
            assert "Nothing was sent this time." in refused.text
            assert ("<html" in refused.text) is not bool(headers)
    assert emulator.posts() == 1
    assert Operation.objects.get().reason == "duplicate"


def test_second_person_sees_the_open_operation(live_app: Start) -> None:
    goody_may_answer = threading.Event()
    canceled = answer(200, order_json(status="failed"))
    with FaultyServer(
        answer(200, order_json()), post=(blocked_until(goody_may_answer, canceled),)
    ) as goody:
        app = live_app(webs=2, GOODY_API_URL=goody.url, **LONG_LIMITS)
        ana = app.log_in("agent", username="ana")
        ben = app.log_in("agent", username="ben", web=app.webs[1])
        of_ana, of_ben = cancel_form(ana, ORDER_ID), cancel_form(ben, ORDER_ID)
        with submitting(of_ana, ana) as first:
            goody.wait_until(lambda server: server.posts == 1)
            begun = wait_for(lambda: Operation.objects.filter(state=State.SENDING).first())
            says = f"Ana is canceling this gift ({begun.created_at:%H:%M} UTC)."
            for headers in ({}, htmx_from(ben, "/orders/")):
                refused = of_ben.submit(ben, headers)
                opened = ben.get(of_ben.path, headers=headers)
                assert (refused.status_code, opened.status_code) == (409, 200)
                for page in (refused.text, opened.text):
                    assert says in page
                    assert "Nothing else can be sent for this order until that is settled" in page
                    assert 'name="form_key"' not in page
                    assert ("<html" in page) is not bool(headers)
            goody_may_answer.set()
        assert first.result().status_code == 303
        assert goody.posts == 1
        assert Operation.objects.get().actor_name == "Ana"
