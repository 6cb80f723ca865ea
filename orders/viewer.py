"""Who looks at a page, when, at how old an index, and how they like to see it: read at the edge,
passed on inwards.

Everything is read once a request and only when asked for; without a database only `now` works.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from orders.audit import Actor
from orders.models import Profile
from orders.sync import SyncProgress, progress

log = logging.getLogger(__name__)


class Viewer:
    """`now` is aware UTC and the same throughout a request; `zone` is what times are shown in."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def now(self) -> datetime:
        return timezone.now()

    @cached_property
    def actor(self) -> Actor:
        _, groups = self._stored
        return Actor.of(self._request.user, self._request.request_id, groups=groups)

    @property
    def profile(self) -> Profile:
        """The stored choices, or an unsaved row of defaults."""
        return self._stored[0]

    @cached_property
    def _stored(self) -> tuple[Profile, frozenset[str]]:
        """The profile and the names of the groups."""
        user = self._request.user
        if not user.is_authenticated:
            return Profile(), frozenset()
        return Profile.objects.with_groups(user.pk)

    @cached_property
    def zone(self) -> ZoneInfo:
        return zone_called(self.profile.time_zone) or ZoneInfo(settings.TIME_ZONE)

    @cached_property
    def progress(self) -> SyncProgress:
        """How far the index is: asked by the frame of every page, and by lists."""
        return progress(self.now)

    @property
    def theme(self) -> str:
        return self.profile.theme

    @property
    def density(self) -> str:
        return self.profile.density

    @property
    def has_shortcuts(self) -> bool:
        return self.profile.has_shortcuts


def zone_called(name: str) -> ZoneInfo | None:
    """The zone of that name; None for none, and for one this machine does not know (any more)."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        log.warning("unknown time zone %r in a profile", name)
        return None
