"""The person who sends a request, its time and its zone, set by a middleware.

Every value is read from the database at most once per request, and only if it is used; `now` works
without a database.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from orders.days import RequestClock
from orders.forms.dates import DateReader, is_month_first
from orders.list_url import CHECKED_PARAMETER, PAGE
from orders.models import Profile
from orders.own_pages import own_page_from_header
from orders.rights import Actor
from orders.sync import SyncProgress, read_progress

log = logging.getLogger(__name__)


class Request(HttpRequest):
    """The type of requests in views: an HttpRequest with the attributes of our middleware."""

    user: User | AnonymousUser
    viewer: Viewer
    request_id: str
    # The page frame then shows nothing that needs the database.
    is_frame_bare: bool


class Viewer:
    """The person who sends a request: rights (`actor`), time zone, preferences, and the time `now`.

    `now` is aware, in UTC, and the same for the whole request.
    """

    def __init__(self, request: Request) -> None:
        self._request = request

    @cached_property
    def now(self) -> datetime:
        return timezone.now()

    @cached_property
    def zone(self) -> ZoneInfo:
        return find_time_zone(self.profile.time_zone) or ZoneInfo(settings.TIME_ZONE)

    @cached_property
    def clock(self) -> RequestClock:
        return RequestClock(self.now, self.zone)

    @cached_property
    def actor(self) -> Actor:
        _, groups = self._stored
        return Actor.for_user(self._request.user, self._request.request_id, groups=groups)

    def date_reader(self, base: datetime | None) -> DateReader:
        """Return the reader of dates that the person types; "+7 days" is added to `base`."""
        is_first = is_month_first(self._request.headers.get("Accept-Language", ""))
        return DateReader(self.now, self.zone, is_month_first=is_first, base=base)

    @property
    def profile(self) -> Profile:
        """The stored preferences, or an unsaved row of defaults."""
        return self._stored[0]

    @cached_property
    def _stored(self) -> tuple[Profile, frozenset[str]]:
        """The profile and the names of the groups."""
        user = self._request.user
        if not user.is_authenticated:
            return Profile(), frozenset()
        return Profile.objects.with_groups(user.pk)

    @property
    def next_url(self) -> str:
        """The URL of the list to return to: `given_next_url`, or else the list of all orders."""
        return self.given_next_url or reverse("order_list")

    @cached_property
    def given_next_url(self) -> str:
        """The URL in the parameter `next`, or of the referring list; "" if there is neither.

        The links in rows of a list have no parameter `next`, which would be most of their markup.
        `next` is only accepted if it is a local path, to prevent open redirects.
        """
        request = self._request
        url = request.POST.get("next") or request.GET.get("next") or ""
        is_local = url.startswith("/") and url_has_allowed_host_and_scheme(
            url, allowed_hosts=None, require_https=request.is_secure()
        )
        return url if is_local else _list_of_referrer(request)

    @cached_property
    def sync_progress(self) -> SyncProgress:
        """The progress of the sync, which the frame of every page and the lists show."""
        return read_progress(self.now)

    @property
    def theme(self) -> str:
        return self.profile.theme

    @property
    def density(self) -> str:
        return self.profile.density

    @property
    def has_shortcuts(self) -> bool:
        return self.profile.has_shortcuts


def _list_of_referrer(request: HttpRequest) -> str:
    """Return path and query of the referring page if it is a list of orders; else "".

    The link back to it checks no boxes: the person may have cleared some of them.
    """
    page = own_page_from_header(request, "Referer")
    page = page.removesuffix(f"{CHECKED_PARAMETER}={PAGE}").rstrip("?&")
    return page if page.partition("?")[0] == reverse("order_list") else ""


def find_time_zone(name: str) -> ZoneInfo | None:
    """Return the zone, or None for "" and for names that the tz database of this machine lacks."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        log.warning("unknown time zone %r in a profile", name)
        return None
