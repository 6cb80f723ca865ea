"""Users for the tests."""

from __future__ import annotations

from django.contrib.auth.models import Group, User

PASSWORD = "a-password-for-tests"


def make_user(role: str, username: str = "") -> User:
    """Get or create a user in the group of `role` (no group when empty)."""
    name = username or role or "nobody"
    user, is_new = User.objects.get_or_create(username=name, defaults={"first_name": name.title()})
    if is_new:
        user.set_password(PASSWORD)
        user.save()
    if role:
        user.groups.set([Group.objects.get(name=role)])
    return user
