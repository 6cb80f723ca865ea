"""Request ids, Sec-Fetch-Site, CSRF, caching by browsers, the Content-Security-Policy."""

from __future__ import annotations

import logging
import re

import pytest
from django.test import Client

from orders.middleware import RequestIdFilter
from orders.models import AuditEntry, Profile
from testing.dialogs import hidden

pytestmark = pytest.mark.django_db


def test_every_answer_has_an_id_of_its_own(as_role):
    client = as_role("viewer")
    ids = [client.get(path)["X-Request-Id"] for path in ("/settings/", "/settings/", "/healthz")]
    assert len(set(ids)) == 3
    assert all(re.fullmatch(r"[0-9a-f]{16}", one) for one in ids)


def test_a_client_cannot_choose_the_request_id():
    assert Client().get("/healthz", headers={"X-Request-Id": "mine"})["X-Request-Id"] != "mine"


def test_log_lines_carry_the_id(as_role, caplog):
    caplog.handler.addFilter(RequestIdFilter())
    with caplog.at_level(logging.WARNING):
        response = as_role("viewer").get("/nowhere/")
    assert {r.request_id for r in caplog.records if r.name == "django.request"} == {
        response["X-Request-Id"]
    }


@pytest.mark.parametrize("header", ["Referer", "HX-Current-URL"])
@pytest.mark.parametrize("is_htmx", [True, False])
def test_malformed_url_in_a_header_names_no_page(as_role, emulator, header, is_htmx):
    order_id = emulator.find_orders(status="opened", limit=1)[0]["id"]
    headers = {header: "http://["} | ({"HX-Request": "true"} if is_htmx else {})
    agent, stranger = as_role("agent"), Client()
    assert agent.get(f"/orders/{order_id}/", headers=headers).status_code == 200
    assert stranger.post("/settings/", headers=headers).status_code == (401 if is_htmx else 302)
    form = hidden(agent.get(f"/orders/{order_id}/cancel/"))
    target = headers | {"HX-Target": "div#dialog-body"} if is_htmx else headers
    sent = agent.post(f"/orders/{order_id}/cancel/", form | {"reason": "duplicate"}, headers=target)
    assert sent.status_code == (200 if is_htmx else 303)
    assert emulator.posts() == 1


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_cross_site_post_is_refused_and_recorded(as_role, site):
    client = as_role("viewer")
    response = client.post("/settings/", {"theme": "dark"}, headers={"Sec-Fetch-Site": site})
    assert response.status_code == 403
    assert "This form could not be trusted" in response.content.decode()
    assert not Profile.objects.exists()
    event = AuditEntry.objects.get()
    assert (event.action, event.detail) == ("security.csrf", f"/settings/: Sec-Fetch-Site: {site}")
    assert event.request_id == response["X-Request-Id"]


@pytest.mark.parametrize("site", ["same-origin", "none", ""])
def test_same_site_post_is_accepted(as_role, site):
    headers = {"Sec-Fetch-Site": site} if site else {}
    choice = {"time_zone": "", "theme": "dark", "density": "compact"}
    response = as_role("viewer").post("/settings/", choice, headers=headers)
    assert response.status_code == 302
    assert Profile.objects.get().theme == "dark"


def test_cross_site_get_is_accepted(as_role):
    response = as_role("viewer").get("/settings/", headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 200


def test_a_form_without_its_token_is_refused_and_noted(as_role):
    user = as_role("viewer").user
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    response = client.post("/settings/", {"theme": "dark"})
    assert response.status_code == 403
    assert "Reload the page and try again." in response.content.decode()
    assert not Profile.objects.exists()
    assert AuditEntry.objects.get().action == "security.csrf"


@pytest.mark.parametrize("path", ["/settings/", "/login/", "/nowhere/"])
def test_pages_are_not_cached_and_vary_by_the_htmx_headers(as_role, path):
    response = as_role("viewer").get(path)
    kept = set(response["Cache-Control"].split(", ")) if response["Cache-Control"] else set()
    assert {"no-store", "private"} <= kept
    assert {"HX-Request", "HX-Target"} <= set(response["Vary"].split(", "))


def test_no_page_violates_the_content_security_policy(as_role, emulator):
    client = as_role("admin")
    for path in ("/orders/", "/settings/", "/system/", "/login/", "/nowhere/"):
        response = client.get(path)
        assert response["Content-Security-Policy"].startswith("default-src 'none'; ")
        content = response.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)", content)
        assert not re.search(r'\sstyle="|<style|hx-on|javascript:|"data:', content)


def test_static_files_are_served_without_a_database(django_db_blocker):
    assert Client().get("/static/css/app.css").status_code == 200
