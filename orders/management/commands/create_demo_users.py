"""Creates one user per role for the demo.

The command refuses to run if the dashboard may be connected to the real Goody.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NAMES = {
    "viewer": ("Vera", "Viewer"),
    "agent": ("Ana", "Agent"),
    "lead": ("Leo", "Lead"),
    "admin": ("Ada", "Admin"),
}


def password_of(role: str) -> str:
    return f"{role}-demo"


class Command(BaseCommand):
    help = "Creates the users viewer, agent, lead and admin, only for an emulated Goody."

    def handle(self, *_args: Any, verbosity: int, **_options: Any) -> None:
        if urlsplit(settings.GOODY_API_URL).hostname not in _LOOPBACK:
            raise CommandError(
                "Demo users are created only when GOODY_API_URL is an address of this machine."
            )
        for role in _NAMES:
            _ensure_user(role)
            if verbosity:
                self.stdout.write(f"{role}  {password_of(role)}")


@transaction.atomic
def _ensure_user(role: str) -> None:
    """Create the user of the role if missing. An existing user keeps the password."""
    first_name, last_name = _NAMES[role]
    user, is_new = User.objects.get_or_create(
        username=role, defaults={"first_name": first_name, "last_name": last_name}
    )
    if is_new:
        user.is_staff = user.is_superuser = role == "admin"
        user.set_password(password_of(role))
        user.save()
    user.groups.set([Group.objects.get(name=role)])
