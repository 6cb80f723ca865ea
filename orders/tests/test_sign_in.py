"""Limits of sign-in attempts, changing one's password, logging out everywhere."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from orders.models import AuditEntry, SignInLimit
from orders.services import sign_in
from orders.services.sign_in import SignInAttempt, count_attempt, wait_after_failures
from testing.domain import store_operation
from testing.list_pages import text_of
from testing.users import PASSWORD, make_user

pytestmark = pytest.mark.django_db

NOW = timezone.now()
NEW = "another-long-password-7"


def log_in(
    client: Client, password: str = PASSWORD, *, username: str = "agent", address="10.0.0.1"
):
    form = {"username": username, "password": password}
    return client.post("/login/", form, REMOTE_ADDR=address)


def seconds(*waits: timedelta) -> list[float]:
    return [wait.total_seconds() for wait in waits]


def fail(times: int, attempt: SignInAttempt, *, at=NOW):
    """Make failed attempts, each after the wait of the previous one; return the waits."""
    waits = []
    for _ in range(times):
        wait = count_attempt(attempt, now=at)
        waits.append(wait.total_seconds())
        at += wait
        if wait:
            assert count_attempt(attempt, now=at) == timedelta(0)
    return waits


def test_waits_grow_with_each_failure_and_end_at_five_minutes():
    waits = [wait_after_failures(failures, free=3).total_seconds() for failures in range(16)]
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


def test_an_account_is_limited_from_every_address():
    for number in range(4):
        assert count_attempt(SignInAttempt("agent", f"10.0.0.{number}"), now=NOW) == timedelta(0)
    assert count_attempt(SignInAttempt("AGENT", "10.9.9.9"), now=NOW) == timedelta(seconds=1)
    assert count_attempt(SignInAttempt("lead", "10.9.9.9"), now=NOW) == timedelta(0)


def test_an_address_is_limited_for_every_account():
    for number in range(21):
        assert count_attempt(SignInAttempt(f"user-{number}", "10.0.0.1"), now=NOW) == timedelta(0)
    assert count_attempt(SignInAttempt("agent", "10.0.0.1"), now=NOW) == timedelta(seconds=1)
    assert count_attempt(SignInAttempt("agent", "10.0.0.2"), now=NOW) == timedelta(0)


def test_an_ipv6_network_is_one_address():
    for number in range(21):
        assert not count_attempt(SignInAttempt(f"user-{number}", f"2001:db8::{number:x}"), now=NOW)
    assert count_attempt(SignInAttempt("agent", "2001:db8::ffff"), now=NOW) == timedelta(seconds=1)
    assert not count_attempt(SignInAttempt("agent", "2001:db8:0:1::1"), now=NOW)


def test_failures_are_forgotten_after_an_hour():
    fail(6, SignInAttempt("agent", "10.0.0.1"))
    later = NOW + timedelta(hours=2)
    assert fail(3, SignInAttempt("agent", "10.0.0.1"), at=later) == [0, 0, 0]


def test_a_clock_that_was_set_back_blocks_nobody_for_long():
    for _ in range(4):
        count_attempt(SignInAttempt("agent", "10.0.0.1"), now=NOW)
    long_before = NOW - timedelta(days=1)
    assert count_attempt(SignInAttempt("agent", "10.0.0.1"), now=long_before) == timedelta(0)


def test_no_typed_name_is_stored():
    count_attempt(SignInAttempt("a-password-typed-as-a-name", "10.0.0.1"), now=NOW)
    assert {len(key) for key in SignInLimit.objects.values_list("key", flat=True)} == {64}


# --- the pages ---------------------------------------------------------------------------------


def test_the_right_password_is_refused_during_the_wait():
    make_user("agent")
    client = Client()
    statuses = [log_in(client, "wrong").status_code for _ in range(4)]
    refused = log_in(client)
    assert statuses == [422, 422, 422, 422]
    assert refused.status_code == 429
    assert refused["Retry-After"] == "1"
    assert "Too many attempts. Try again in 1 second." in refused.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_success_ends_the_waits_and_is_audited():
    user = make_user("agent")
    client = Client()
    assert [log_in(client, "wrong").status_code for _ in range(3)] == [422] * 3
    answer = log_in(client)
    assert answer.status_code == 302
    assert [row.failures for row in SignInLimit.objects.all()] == [3]
    entry = AuditEntry.objects.get(action="account.sign_in")
    assert (entry.actor, entry.detail) == (user, "from 10.0.0.1")
    assert entry.request_id == answer["X-Request-Id"]


def test_failures_are_security_events_without_what_was_typed():
    make_user("agent")
    log_in(Client(), "wrong")
    log_in(Client(), "wrong", username="my-secret-password")
    details = AuditEntry.objects.filter(action="security.record_failed_sign_in").order_by("id")
    assert [one.detail for one in details] == [
        "as agent from 10.0.0.1",
        "with an unknown user name from 10.0.0.1",
    ]


def test_an_empty_form_is_no_attempt():
    assert log_in(Client(), "").status_code == 422
    assert not SignInLimit.objects.exists()


def test_the_admin_has_no_login_of_its_own(as_role):
    stranger = Client().get("/django-admin/login/", {"next": "/django-admin/auth/user/"})
    assert stranger.status_code == 302
    assert stranger["Location"] == "/login/?next=/django-admin/auth/user/"
    form = {"username": "agent", "password": PASSWORD}
    assert Client().post("/django-admin/login/", form).status_code == 302
    assert as_role("agent").get("/django-admin/login/").status_code == 403
    assert not SignInLimit.objects.exists()


def test_a_password_is_changed_by_its_owner(as_role):
    client = as_role("agent")
    other = Client()
    other.force_login(client.user)
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert client.post("/password/", {**form, "old_password": "wrong"}).status_code == 422
    assert client.post("/password/", form).status_code == 302
    client.user.refresh_from_db()
    assert client.user.check_password(NEW)
    assert client.get("/settings/").status_code == 200
    assert other.get("/settings/").status_code == 302
    assert AuditEntry.objects.get(action="account.password_change").actor == client.user


def test_the_old_password_is_guessed_no_faster_than_at_the_login(as_role):
    client = as_role("agent")
    form = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    statuses = [client.post("/password/", form).status_code for _ in range(5)]
    assert statuses == [422, 422, 422, 422, 429]


def test_log_out_everywhere_ends_the_sessions_of_this_person_alone(as_role):
    client, lead = as_role("agent"), as_role("lead")
    other = Client()
    other.force_login(client.user)
    answer = client.post("/logout/everywhere/")
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    assert other.get("/settings/").status_code == 302
    assert client.get("/settings/").status_code == 302
    assert lead.get("/settings/").status_code == 200
    entry = AuditEntry.objects.get(action="account.sign_out_everywhere")
    assert (entry.actor, entry.detail) == (client.user, "sessions ended: 2")


def test_an_idle_session_ends_and_polls_keep_none_alive(as_role, emulator, settings):
    settings.SESSION_IDLE_TIMEOUT = 3600
    client = as_role("agent")
    sent = store_operation()
    operation_page = f"/orders/{sent.order_uuid}/operations/{sent.pk}/"
    pages = [text_of(client.get(path)) for path in (operation_page, "/setup/")]
    polled = set(re.findall(r'hx-get="([^"]*)" hx-trigger="every', "".join(pages)))
    paths = {url.partition("?")[0] for url in polled}
    assert paths == {operation_page, "/setup/steps/", "/sync-status/"}
    session = client.session
    session["active_at"] -= 1800
    session.save()
    active_at = session["active_at"]
    for url in (*polled, f"/orders/{sent.order_uuid}/?poll="):
        client.get(html.unescape(url), headers={"HX-Request": "true"})
    assert client.session["active_at"] == active_at
    client.get("/settings/")
    assert client.session["active_at"] > active_at
    session = client.session
    session["active_at"] -= 3601
    session.save()
    assert client.get("/settings/").status_code == 302
    assert not Session.objects.filter(pk=session.session_key).exists()


def test_old_limits_are_deleted():
    fail(2, SignInAttempt("agent", "10.0.0.1"))
    fail(1, SignInAttempt("lead", "10.0.0.1"), at=NOW + timedelta(hours=23))
    assert SignInLimit.objects.delete_old(now=NOW + timedelta(hours=25)) == 1
    assert sign_in.FREE_FOR_ACCOUNT == 3
