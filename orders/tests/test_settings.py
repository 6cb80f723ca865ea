"""/settings/: time zone, theme, density and keyboard shortcuts of the user."""

from __future__ import annotations

import re

import pytest

from orders.models import Profile
from testing.users import make_user

URL = "/settings/"
CHOICE = {"time_zone": "Asia/Tokyo", "theme": "dark", "density": "compact"}

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", ["", "viewer", "agent", "lead", "admin"])
def test_settings_require_no_role(as_role, role):
    assert as_role(role).get(URL).status_code == 200


def test_chosen_settings_are_stored_and_shown(as_role):
    client = as_role("viewer")
    response = client.post(URL, CHOICE, follow=True)
    content = response.content.decode()
    assert response.redirect_chain == [(URL, 302)]
    assert "Settings saved" in content
    assert '<html lang="en" data-theme="dark" data-density="compact">' in content
    assert re.search(r'<option value="Asia/Tokyo" selected>', content)
    stored = Profile.objects.values_list("time_zone", "theme", "density").get(user=client.user)
    assert stored == ("Asia/Tokyo", "dark", "compact")


@pytest.mark.parametrize("are_wanted", [True, False])
def test_shortcuts_can_be_switched_off(as_role, are_wanted):
    client = as_role("viewer")
    choice = {**CHOICE, "has_shortcuts": "on"} if are_wanted else CHOICE
    content = client.post(URL, choice, follow=True).content.decode()
    head = "data-shortcuts>" if are_wanted else ">"
    assert (
        f'<html lang="en" data-theme="dark" data-density="compact"{" " * are_wanted}{head}'
        in content
    )


def test_a_second_choice_replaces_the_first(as_role):
    client = as_role("viewer")
    client.post(URL, CHOICE)
    client.post(URL, {**CHOICE, "time_zone": ""})
    assert Profile.objects.get(user=client.user).time_zone == ""


def test_settings_are_personal(as_role):
    as_role("viewer").post(URL, CHOICE)
    make_user("lead")
    assert 'data-theme="system"' in as_role("lead").get(URL).content.decode()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"time_zone": "Mars/Olympus"}, "There is no time zone of that name."),
        ({"time_zone": "../../etc/passwd"}, "There is no time zone of that name."),
        ({"theme": "pink"}, "pink is not one of the available choices."),
        ({"density": "airy"}, "airy is not one of the available choices."),
    ],
)
def test_a_bad_choice_gets_a_sentence_and_stores_nothing(as_role, change, sentence):
    client = as_role("viewer")
    response = client.post(URL, {**CHOICE, **change})
    assert response.status_code == 422
    errors = re.findall(
        r'<div class="field__error" id="id_(\w+)_error"><p>(.*?)</p>', response.content.decode()
    )
    [(field, error)] = errors
    assert [field] == [*change]
    assert sentence in error
    assert not Profile.objects.exists()


def test_an_alias_that_a_browser_reports_is_stored_as_its_zone(as_role):
    """The button of the browser's zone sends a second value, after that of the list."""
    client = as_role("viewer")
    client.post(URL, {**CHOICE, "time_zone": ["Asia/Tokyo", "Asia/Calcutta"]})
    assert Profile.objects.get(user=client.user).time_zone == "Asia/Kolkata"


def test_an_alias_that_was_stored_before_is_shown_as_its_zone(as_role):
    client = as_role("viewer")
    Profile.objects.create(user=client.user, time_zone="US/Eastern")
    content = client.get(URL).content.decode()
    assert '<option value="America/New_York" selected>New York</option>' in content
    assert 'value="US/Eastern"' not in content


def test_times_are_shown_in_the_chosen_zone(as_role, emulator):
    client = as_role("agent")
    Profile.objects.create(user=client.user, time_zone="Asia/Tokyo")
    content = client.get("/orders/").content.decode()
    assert "in Asia/Tokyo (JST)" in content
    assert re.search(r"It is \d\d:\d\d JST now\.", client.get(URL).content.decode())


def test_a_zone_that_is_no_longer_known_falls_back_to_the_dashboards(as_role, emulator, settings):
    settings.TIME_ZONE = "Europe/Paris"
    client = as_role("agent")
    Profile.objects.create(user=client.user, time_zone="Gone/Away")
    assert "in Europe/Paris (" in client.get("/orders/").content.decode()
