"""The limit of cancels by one person in an hour."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from orders import services
from orders.models import AuditEntry, Operation, State
from orders.rights import Actor
from testing.dialogs import dialog, hidden, text, url
from testing.domain import store_operation
from testing.users import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(as_role, emulator, settings):
    settings.CANCELS_PER_HOUR = 3
    return as_role("agent")


def earlier(agent, *minutes: float, state: str = State.APPLIED) -> None:
    for ago in minutes:
        store_operation(
            actor=agent.user, state=state, created_at=timezone.now() - timedelta(minutes=ago)
        )


def form_of(agent, order_id):
    opened = agent.get(url("order_cancel", order_id), headers=dialog())
    return {**hidden(opened), "reason": "duplicate"}


def test_cancel_over_the_limit_is_refused_before_an_intent(agent, emulator):
    found = [order["id"] for order in emulator.find_orders(status="opened", limit=2)]
    earlier(agent, 59, 30)
    forms = [(url("order_cancel", one), form_of(agent, one)) for one in found]
    answers = [agent.post(address, form, headers=dialog()) for address, form in forms]
    assert [one.status_code for one in answers] == [200, 429]
    shown = text(answers[1])
    assert "You canceled 3 gifts within an hour, which is the limit" in shown
    assert "Nothing was sent." in shown
    assert emulator.posts() == 1
    assert Operation.objects.count() == 3


def test_the_dialog_shows_the_limit(agent, emulator):
    order_id = emulator.find_order_id(status="opened")
    earlier(agent, 5)
    opened = agent.get(url("order_cancel", order_id), headers=dialog())
    assert "You can cancel 2 gifts more in this hour, of 3." in text(opened)
    earlier(agent, 10, 20)
    opened = agent.get(url("order_cancel", order_id), headers=dialog())
    assert "which is the limit" in text(opened)
    assert "form_key" not in hidden(opened)


def test_limit_counts_a_sliding_hour_without_ineffective_attempts(agent):
    now = timezone.now()
    actor = Actor.for_user(agent.user)
    earlier(agent, 61)
    earlier(agent, 5, state=State.REFUSED)
    earlier(agent, 5, state=State.NOT_SENT)
    assert services.cancel_allowance(actor, now=now) == (3, None)
    earlier(agent, 50, 40, 30)
    left, blocked_until = services.cancel_allowance(actor, now=now)
    assert left == 0
    assert timedelta(minutes=9) < blocked_until - now < timedelta(minutes=11)
    later = blocked_until + timedelta(seconds=1)
    assert services.cancel_allowance(actor, now=later) == (1, None)


def test_the_limit_is_of_one_person(agent):
    earlier(agent, 1, 2, 3)
    other = Actor.for_user(make_user("lead"))
    assert services.cancel_allowance(other, now=timezone.now()) == (3, None)


def test_leads_see_a_notice_and_it_is_audited_once(agent, as_role, emulator):
    order_id = emulator.find_order_id(status="opened")
    form = form_of(agent, order_id)
    earlier(agent, 1, 2, 3)
    for _ in range(2):
        assert agent.post(url("order_cancel", order_id), form).status_code == 429
    entry = AuditEntry.objects.get(action="account.cancel_limit")
    assert (entry.actor, entry.detail) == (agent.user, "3 cancels an hour")
    notice = "Agent reached the limit of 3 cancels an hour at"
    assert notice in text(as_role("lead").get("/settings/"))
    assert notice not in text(agent.get("/settings/"))
