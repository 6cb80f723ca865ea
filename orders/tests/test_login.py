"""/login/ and /logout/; every other page requires a login."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.signing import Signer, b62_encode
from django.test import Client

from testing.users import PASSWORD, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def stranger():
    make_user("agent")
    return Client()


def log_in(client: Client, password: str = PASSWORD, **more: str):
    return client.post("/login/", {"username": "agent", "password": password, **more})


@pytest.mark.parametrize("path", ["/", "/orders/", "/audit/", "/system/", "/settings/"])
def test_a_page_leads_to_the_login_and_back(stranger, path):
    response = stranger.get(path, {"per_page": "25"})
    assert response.status_code == 302
    assert (
        response["Location"]
        == f"/login/?next=%2F{path.strip('/')}{'%2F' if path != '/' else ''}%3Fper_page%3D25"
    )


def test_htmx_redirects_to_the_login_with_the_current_page(stranger):
    headers = {
        "HX-Request": "true",
        "HX-Target": "tr#order-1",
        "HX-Current-URL": "http://testserver/orders/?per_page=25",
    }
    response = stranger.get("/orders/", headers=headers)
    assert response.status_code == 401
    assert response.content == b""
    assert response["HX-Redirect"] == "/login/?next=%2Forders%2F%3Fper_page%3D25"


def test_htmx_request_from_a_foreign_page_redirects_to_the_start(stranger):
    headers = {"HX-Request": "true", "HX-Current-URL": "https://elsewhere.test/orders/"}
    assert stranger.get("/orders/", headers=headers)["HX-Redirect"] == "/login/?next=%2F"


ENDED = "Your session had ended. Nothing was sent."
PERHAPS = "If you were sending something, it was not sent."


@pytest.mark.parametrize(
    ("headers", "status", "header", "page"),
    [
        ({}, 302, "Location", "/settings/"),
        ({"Referer": "http://testserver/audit/?person=2"}, 302, "Location", "/audit/?person=2"),
        ({"Referer": "https://elsewhere.test/audit/"}, 302, "Location", "/settings/"),
        (
            {"HX-Request": "true", "HX-Current-URL": "http://testserver/orders/"},
            401,
            "HX-Redirect",
            "/orders/",
        ),
    ],
    ids=["plainly", "from another page", "from elsewhere", "by htmx"],
)
def test_the_login_page_says_that_a_form_sent_after_the_session_was_not_processed(
    stranger, headers, status, header, page
):
    """The message is on the login page that leads back, also after a wrong password."""
    response = stranger.post("/settings/", {"theme": "dark"}, headers=headers)
    assert response.status_code == status
    query = parse_qs(urlsplit(response[header]).query)
    assert query["next"] == [page]
    assert ENDED in stranger.get(response[header]).content.decode()

    typed = {"next": page, "unsent": query["unsent"][0]}
    slipped = log_in(stranger, "wrong", **typed).content.decode()
    assert ENDED in slipped
    assert f'<input type="hidden" name="unsent" value="{typed["unsent"]}">' in slipped
    assert log_in(stranger, **typed)["Location"] == page


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_a_get_after_the_session_mentions_no_form(stranger, method):
    address = getattr(stranger, method)("/orders/")["Location"]
    assert address == "/login/?next=%2Forders%2F"
    page = stranger.get(address).content.decode()
    assert ENDED not in page
    assert PERHAPS not in page


@pytest.mark.parametrize(
    "mark",
    [
        "1",
        "unsent",
        Signer(salt="orders.unsent").sign(f"unsent:{b62_encode(int(time.time()) - 3601)}"),
    ],
    ids=["made up", "without a seal", "too old"],
)
def test_login_page_without_the_cookie_says_perhaps(stranger, mark):
    page = stranger.get("/login/", {"unsent": mark}).content.decode()
    assert ENDED not in page
    assert PERHAPS in page


def test_the_right_password_leads_to_next(stranger):
    response = log_in(stranger, next="/orders/?per_page=25")
    assert (response.status_code, response["Location"]) == (302, "/orders/?per_page=25")
    assert stranger.get("/settings/").status_code == 200


@pytest.mark.parametrize(
    "next_page", ["https://elsewhere.test/", "//elsewhere.test", "javascript:1"]
)
def test_next_accepts_only_urls_of_the_dashboard(stranger, next_page):
    assert log_in(stranger, next=next_page)["Location"] == "/"


def test_a_wrong_password_gets_a_sentence_and_keeps_name_and_next(stranger):
    response = log_in(stranger, "wrong", next="/settings/")
    content = response.content.decode()
    assert response.status_code == 422
    assert "User name and password do not match." in content
    assert 'value="agent"' in content
    assert '<input type="hidden" name="next" value="/settings/">' in content
    assert "wrong" not in content
    assert stranger.get("/settings/").status_code == 302


def test_an_account_that_is_switched_off_gets_no_session(stranger):
    user = make_user("agent")
    user.is_active = False
    user.save()
    response = log_in(stranger)
    assert response.status_code == 422
    assert "_auth_user_id" not in stranger.session


def test_the_login_page_has_the_frame_without_navigation(stranger, settings):
    settings.GOODY_ENVIRONMENT = "sandbox"
    content = stranger.get("/login/").content.decode()
    assert '<span class="env env--amber">sandbox</span>' in content
    assert "topbar__nav" not in content


def test_log_out_is_a_post(as_role):
    client = as_role("agent")
    assert client.get("/logout/").status_code == 405
    response = client.post("/logout/")
    assert (response.status_code, response["Location"]) == (302, "/login/")
    assert client.get("/settings/").status_code == 302


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_checks_require_no_login(stranger, path):
    response = stranger.get(path)
    assert (response.status_code, response.content) == (200, b"ok\n")
