"""The viewer of a page: profile and groups, read in one statement."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Profile

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("groups", [(), ("agent",), ("agent", "lead", "viewer")])
@pytest.mark.parametrize("has_profile", [False, True])
def test_profile_and_groups_come_in_one_read(groups: tuple[str, ...], has_profile: bool) -> None:
    other, user = User.objects.create(username="other"), User.objects.create(username="ana")
    other.groups.set(Group.objects.all())
    user.groups.set(Group.objects.filter(name__in=groups))
    Profile.objects.create(user=other, theme="light")
    if has_profile:
        chosen = {"time_zone": "Asia/Tokyo", "theme": "dark", "density": "compact"}
        Profile.objects.create(user=user, **chosen, has_shortcuts=False)
    with CaptureQueriesContext(connection) as captured:
        profile, names = Profile.objects.with_groups(user.pk)
    assert len(captured) == 1
    assert names == set(groups)
    seen = profile.time_zone, profile.theme, profile.density, profile.has_shortcuts
    stored = ("Asia/Tokyo", "dark", "compact", False)
    assert profile.user_id == user.pk
    assert seen == (stored if has_profile else ("", "system", "regular", True))
    # Saved it stays the one that is stored, or becomes it.
    profile.theme = "light"
    profile.save()
    assert Profile.objects.get(user=user).theme == "light"


def test_an_anonymous_viewer_has_no_groups_and_the_defaults() -> None:
    profile, names = Profile.objects.with_groups(0)
    assert (profile.theme, profile.density, names) == ("system", "regular", frozenset())
