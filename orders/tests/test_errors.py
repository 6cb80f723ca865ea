"""Expected failures have a message, a status and the site's frame; bugs have a reference."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from orders import goody_api
from orders.audit import MAX_SECURITY_EVENTS
from orders.models import ApiLimits, AuditEntry, Profile
from testing.faulty_server import refusing_url

URL = "/orders/"
HTMX = {"HX-Request": "true", "HX-Target": "section#results"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_breaker():
    """Close a breaker that an earlier test opened."""
    goody_api._client.cache_clear()
    yield
    goody_api._client.cache_clear()


@pytest.fixture
def agent(as_role, emulator):
    return as_role("agent")


@pytest.fixture
def no_bug_logged(caplog):
    yield
    assert [r for r in caplog.get_records("call") if r.levelno >= logging.ERROR] == []


def assert_in_frame(response, status: int, *words: str) -> str:
    content = response.content.decode().replace("&#x27;", "'").replace("&quot;", '"')
    assert response.status_code == status
    assert '<header class="topbar">' in content
    assert 'id="main"' in content
    assert "Traceback" not in content
    assert "<tr" not in content
    for word in words:
        assert word in content
    assert re.search(rf"Reference: <span class=\"mono\">{response['X-Request-Id']}<", content)
    return content


# --- Goody ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "title"),
    [
        ({"kind": "status", "status": 500}, 503, "Goody unreachable"),
        ({"kind": "status", "status": 503, "body": "html"}, 503, "Goody unreachable"),
        ({"kind": "cut", "at": "before"}, 503, "Goody unreachable"),
        ({"kind": "body", "as": "html"}, 502, "Unexpected answer from Goody"),
        ({"kind": "body", "as": "wrong_type"}, 502, "Unexpected answer from Goody"),
        ({"kind": "redirect", "status": 302}, 502, "Unexpected redirect from Goody"),
        ({"kind": "redirect", "status": 307}, 502, "Unexpected redirect from Goody"),
        ({"kind": "body", "as": "huge"}, 502, "Goody's answer was too large"),
        ({"kind": "status", "status": 403}, 502, "Not allowed for this key"),
        ({"kind": "status", "status": 422}, 502, "Goody refused the request"),
    ],
)
@pytest.mark.usefixtures("no_bug_logged")
def test_failure_of_goody_is_not_shown_as_an_empty_list(agent, emulator, fault, status, title):
    emulator.add_fault(fault)
    content = assert_in_frame(agent.get(URL), status, title)
    assert "There are no orders" not in content


def test_a_goody_that_does_not_answer_is_waited_for_until_the_deadline(agent, emulator, settings):
    settings.GOODY_PAGE_DEADLINE = 0.4
    emulator.add_fault({"kind": "delay", "seconds": 5})
    response = agent.get(URL)
    assert_in_frame(response, 503, "Goody unreachable", "Goody did not answer in time.")
    assert response["Retry-After"] == "30"


def test_refused_connection_is_explained(agent, settings):
    with refusing_url() as url:
        settings.GOODY_API_URL = url
        content = assert_in_frame(agent.get(URL), 503, "Goody unreachable")
    assert "Nothing was sent or changed. Try again in a moment." in content


def test_goodys_own_words_are_escaped(agent, emulator):
    emulator.add_fault({"kind": "status", "status": 400, "text": "<b>No</b>"})
    content = assert_in_frame(agent.get(URL), 502, "Goody says: ")
    assert "<b>No</b>" not in content


@pytest.mark.parametrize("times", [1, 2])
def test_rejected_key_is_named_to_admins_only(as_role, emulator, times):
    emulator.add_fault({"kind": "status", "status": 401})
    agent, admin = as_role("agent"), as_role("admin")
    for _ in range(times):
        content = assert_in_frame(agent.get(URL), 503, "Connection problem")
        assert "API key" not in content
        assert_in_frame(admin.get(URL), 503, "API key rejected", 'href="/system/"')
    assert emulator.calls()["total"] == 1


def test_rate_limit_pause_is_shown_with_its_end(agent, emulator):
    emulator.add_fault({"kind": "status", "status": 429, "headers": {"Retry-After": "70"}})
    first = agent.get(URL)
    assert_in_frame(first, 503, "Goody asks us to wait until ")
    second = agent.get(URL)
    assert_in_frame(second, 503, "Goody asks us to wait until ")
    assert 60 <= int(second["Retry-After"]) <= 70
    assert emulator.calls()["total"] == 1


def test_the_end_of_a_wait_is_in_the_viewers_zone(agent, noon):
    ApiLimits.objects.pause_until(noon + timedelta(minutes=5))
    Profile.objects.create(user=agent.user, time_zone="Asia/Tokyo")
    assert_in_frame(agent.get(URL), 503, "Goody asks us to wait until 21:05:00 JST")


@pytest.fixture
def noon():
    at = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    with time_machine.travel(at, tick=False):
        yield at


@pytest.mark.parametrize(
    ("url", "key", "title"),
    [
        ("", "", "GOODY_API_URL and GOODY_API_KEY are not set"),
        ("http://127.0.0.1:1", "", "GOODY_API_KEY is not set"),
    ],
)
def test_without_configuration_the_pages_say_what_is_missing(as_role, settings, url, key, title):
    settings.GOODY_API_URL, settings.GOODY_API_KEY = url, key
    agent = as_role("agent")
    assert_in_frame(agent.get(URL), 503, title, ".env.example")
    settings_page = agent.get("/settings/").content.decode()
    assert title in settings_page
    assert ".env.example" in settings_page


# --- htmx -------------------------------------------------------------------------------------


def test_invalid_setting_is_named_without_a_traceback(agent, settings, no_bug_logged):
    settings.GOODY_API_URL = "http://goody.example.test"
    content = assert_in_frame(agent.get(URL), 503, "The connection to Goody is set up wrongly")
    assert "http" in content.partition('class="problem__text"')[2].partition("</div>")[0]


def test_a_failed_part_is_a_banner_atop_the_page_and_the_list_stays(agent, emulator):
    emulator.add_fault({"kind": "status", "status": 500})
    response = agent.get(URL, headers=HTMX)
    assert response.status_code == 503
    assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#problem", "innerHTML")
    assert response["HX-Push-Url"] == "false"
    content = response.content.decode()
    assert content.lstrip().startswith('<div class="banner banner--bad" role="alert">')
    assert "Goody unreachable" in content
    assert "<html" not in content


def test_failure_in_the_dialog_is_shown_in_the_dialog(agent):
    headers = {"HX-Request": "true", "HX-Target": "div#dialog-body"}
    response = agent.get("/nowhere/", headers=headers)
    assert response.status_code == 404
    assert "HX-Retarget" not in response
    content = response.content.decode()
    assert '<h2 id="dialog-title">There is no such page</h2>' in content
    assert "<html" not in content


# --- Our own database -------------------------------------------------------------------------


def down(*_: object, **__: object):
    raise OperationalError("connection refused")


@pytest.mark.parametrize(
    ("failure", "title", "retry_after"),
    [
        (OperationalError("database is locked"), "Busy", "5"),
        (OperationalError("no connection"), "own database cannot be reached", "30"),
        (InterfaceError("connection already closed"), "own database cannot be reached", "30"),
    ],
)
@pytest.mark.usefixtures("no_bug_logged")
def test_database_failure_page_shows_no_person(agent, failure, title, retry_after):
    def refuse(execute, sql, params, many, context):
        raise failure

    with connection.execute_wrapper(refuse):
        response = agent.get(URL)
    content = assert_in_frame(response, 503, title)
    assert response["Retry-After"] == retry_after
    assert "topbar__nav" not in content


def test_database_failure_during_a_view_has_the_same_page(agent):
    calls = []

    def refuse_later(execute, sql, params, many, context):
        calls.append(sql)
        if "orders_apilimits" in sql:
            raise OperationalError("no connection")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse_later):
        response = agent.get(URL)
    assert len(calls) > 1
    assert_in_frame(response, 503, "own database cannot be reached")


@pytest.mark.parametrize("wrong", ["SELECT 1 FROM nowhere", f"SELECT {'+'.join('1' * 100_000)}"])
def test_invalid_sql_is_a_500_on_both_databases(agent, caplog, wrong):
    agent.raise_request_exception = False
    with connection.execute_wrapper(instead(wrong)):
        response = agent.get(URL)
    assert_in_frame(response, 500, "Something went wrong here")
    logged = [r for r in caplog.records if r.name == "django.request"]
    assert [bool(record.exc_info) for record in logged] == [True]


@pytest.mark.usefixtures("no_bug_logged")
def test_unavailable_database_is_a_503_on_both_databases(agent):
    cannot = {
        "sqlite": "ATTACH '/nowhere/at/all' AS more",
        "postgresql": "SET LOCAL statement_timeout = 1; SELECT pg_sleep(10)",
    }
    with connection.execute_wrapper(instead(cannot[connection.vendor])):
        assert agent.get(URL).status_code == 503


def instead(statement):
    """Replace every statement to the database by this one."""
    return lambda execute, sql, params, many, context: execute(statement, (), False, context)


def test_liveness_succeeds_and_readiness_fails_without_a_database(agent):
    with connection.execute_wrapper(down):
        alive, ready = agent.get("/healthz"), agent.get("/readyz")
    assert (alive.status_code, alive.content) == (200, b"ok\n")
    assert (ready.status_code, ready.content) == (503, b"the database cannot be read or written\n")


# --- Pages that are not there, requests that make no sense, bugs --------------------------------


def test_unknown_url_is_404(agent):
    assert_in_frame(agent.get("/nowhere/"), 404, "There is no such page")


def test_anonymous_404_has_the_base_template():
    assert_in_frame(Client().get("/nowhere/"), 404, "There is no such page")


def test_a_bad_request_is_answered_in_the_frame(agent):
    fields = {f"field{number}": "x" for number in range(1001)}
    assert_in_frame(agent.post("/settings/", fields), 400, "could not be understood")


def test_a_bug_is_a_page_with_a_reference_and_a_logged_traceback(agent, monkeypatch, caplog):
    agent.raise_request_exception = False

    def bug(**_: object):
        raise RuntimeError("the gift link is secret")

    monkeypatch.setattr("orders.services.list_orders", bug)
    response = agent.get(URL)
    content = assert_in_frame(response, 500, "Something went wrong here")
    assert "secret" not in content
    logged = [r for r in caplog.records if r.name == "django.request"]
    assert [bool(record.exc_info) for record in logged] == [True]


def test_a_missing_right_is_named_with_who_grants_it(as_role):
    response = as_role("agent").get("/system/")
    assert_in_frame(
        response,
        403,
        "Your role may not manage the connection to Goody. An admin can make you an admin.",
    )


@pytest.mark.parametrize(("asked", "kept"), [("999999999999", 900), ("36000", 900), ("70", 70)])
def test_pause_is_shown_while_it_lasts(agent, emulator, noon, asked, kept):
    emulator.add_fault({"kind": "status", "status": 429, "headers": {"Retry-After": asked}})
    until = noon + timedelta(seconds=kept)
    for _ in range(2):
        response = agent.get(URL)
        assert_in_frame(response, 503, f"Goody asks us to wait until {until:%H:%M:%S} UTC")
        assert response["Retry-After"] == str(kept)


@pytest.mark.parametrize("failure", [OperationalError("gone"), OperationalError("locked")])
def test_failed_post_makes_no_claim_about_goody(agent, monkeypatch, failure):
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr("orders.views.account.SettingsForm.is_valid", fail)
    content = assert_in_frame(agent.post("/settings/", {}), 503, "look at the order")
    assert "not affected" not in content
    assert "Nothing was" not in content


def test_repeated_forged_posts_store_one_event():
    stranger = Client(enforce_csrf_checks=True)
    for _ in range(MAX_SECURITY_EVENTS + 5):
        assert stranger.post("/login/", {}).status_code == 302
    events = AuditEntry.objects.filter(action="security.csrf_anonymous")
    assert events.count() == MAX_SECURITY_EVENTS
    assert "further ones within the hour" in events.latest("id").detail


def test_anonymous_forged_posts_do_not_hide_those_of_users(agent):
    stranger = Client(enforce_csrf_checks=True)
    for _ in range(MAX_SECURITY_EVENTS + 1):
        stranger.post("/login/", {})
    attacked = Client(enforce_csrf_checks=True)
    attacked.force_login(agent.user)
    attacked.post("/settings/", {})
    assert AuditEntry.objects.filter(action="security.csrf").count() == 1


@pytest.mark.parametrize(("method", "path"), [("get", "/logout/"), ("post", "/orders/")])
def test_a_refused_method_is_a_page_in_the_frame(agent, method, path):
    response = getattr(agent, method)(path)
    assert_in_frame(response, 405, "This address shows no page")
    assert response["Allow"]
