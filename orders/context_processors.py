"""The context processor for the page frame: environment, navigation, person, sync status.

It works without the database, but then without the person and the navigation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseFailure
from django.http import HttpRequest
from django.urls import reverse

from orders import formats, goody_api, services
from orders.audit import AccountEvent
from orders.bulk import current_jobs
from orders.models import AuditEntry, Operation
from orders.presenters.freshness import SyncStatus, sync_status
from orders.presenters.job_status import TopBarJobs, top_bar_jobs
from orders.presenters.operations import OperationNotice, make_notice
from orders.rights import Actor, Right
from orders.search.parse import OPERATOR_NAMES
from orders.search.paste import MAX_SEARCH_BYTES
from orders.services import FrameData
from orders.viewer import Viewer

# More of them are shown when these have been opened.
MAX_NOTICES = 3

# The time for which leads see a notice that somebody reached the limit of cancels.
_NOTICE_FOR = timedelta(hours=4)
_NAVIGATION = (
    ("Orders", "order_list", "o", (Right.READ,), ("order_", "operation")),
    ("Expiring", "expiring", "x", (Right.READ,), ("expiring",)),
    ("Jobs", "jobs", "j", (Right.READ,), ("job",)),
    ("Audit", "audit", "a", (Right.READ_OWN_AUDIT, Right.READ_ALL_AUDIT), ("audit",)),
    ("System", "system", "", (Right.SYSTEM,), ("system",)),
)


@dataclass(frozen=True, slots=True)
class NavigationItem:
    label: str
    url: str
    shortcut: str
    is_current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseContext:
    environment: str
    is_amber: bool
    missing: str
    missing_verb: str
    theme: str = "system"
    density: str = "regular"
    has_shortcuts: bool = True
    person: str = ""
    initials: str = ""
    role_sentence: str = ""
    navigation: tuple[NavigationItem, ...] = ()
    # By these the page's script distinguishes a search from a ticket.
    operators: str = OPERATOR_NAMES
    max_search_bytes: int = MAX_SEARCH_BYTES
    # Called by the template: most fragments do not show it.
    sync_status: Callable[[], SyncStatus | None] = lambda: None
    # Writes whose outcome is not known: called by the template, since fragments do not show it.
    open_outcomes: Callable[[], int] = int
    # The progress of an own job, and requests for approval: called by the template as well.
    jobs: Callable[[], TopBarJobs] = TopBarJobs
    # Called by the template: fragments do not show them.
    notices: Callable[[], list[OperationNotice]] = list
    # For leads: who reached the limit of cancels lately.
    limit_notice: Callable[[], str] = str


def base_context(request: HttpRequest) -> dict[str, Any]:
    """Return {"base": BaseContext}, the values that templates/base.html needs on every page."""
    return {"base": BaseContext(**_environment(), **_person(request))}


def _environment() -> dict[str, Any]:
    missing = goody_api.missing_setting_names()
    return {
        "environment": settings.GOODY_ENVIRONMENT,
        "is_amber": settings.GOODY_ENVIRONMENT != "production",
        "missing": " and ".join(missing),
        "missing_verb": "are" if len(missing) > 1 else "is",
    }


def _person(request: HttpRequest) -> dict[str, Any]:
    viewer = getattr(request, "viewer", None)
    if viewer is None or getattr(request, "is_frame_bare", False):
        return {}
    # Read when the template shows the first of them: fragments show none.
    data = cache(partial(_frame_data, viewer))
    try:
        return {
            "theme": viewer.theme,
            "density": viewer.density,
            "has_shortcuts": viewer.has_shortcuts,
            "person": viewer.actor.name,
            "initials": _initials(viewer.actor.name),
            "role_sentence": _role_sentence(viewer.actor),
            "navigation": navigation_items(request, viewer.actor),
            "sync_status": partial(_sync_status, viewer),
            "notices": partial(_notices, viewer, data),
            "limit_notice": partial(_limit_notice, viewer, data),
            "open_outcomes": partial(_open_outcomes, viewer.actor, data),
            # Several parts of the frame show them.
            "jobs": cache(partial(_frame_jobs, request, viewer, data)),
        }
    except DatabaseFailure:
        return {}


def _frame_data(viewer: Viewer) -> FrameData:
    """Return the data about writes and jobs for the page frame; no data if the database fails."""
    if viewer.actor.user_id is None:
        return FrameData()
    try:
        return services.read_frame_data(viewer.actor.user_id, limit_since=viewer.now - _NOTICE_FOR)
    except DatabaseFailure:
        return FrameData()


def _limit_notice(viewer: Viewer, data: Callable[[], FrameData]) -> str:
    if not (viewer.actor.may(Right.READ_ALL_AUDIT) and data().is_limit_reached):
        return ""
    lately = AuditEntry.objects.filter(
        action=AccountEvent.CANCEL_LIMIT, at__gt=viewer.now - _NOTICE_FOR
    )
    try:
        found = lately.first()
    except DatabaseFailure:
        found = None
    if found is None:
        return ""
    at = f"{formats.time_of_day(found.at, viewer.zone)} {formats.zone_name(found.at, viewer.zone)}"
    return f"{found.actor_name} reached the limit of {found.detail} at {at}"


def _sync_status(viewer: Viewer) -> SyncStatus | None:
    """Return the age of the index for people who may see orders, else None."""
    try:
        if not viewer.actor.may(Right.READ):
            return None
        return sync_status(viewer.sync_progress, viewer=viewer)
    except DatabaseFailure:
        return None


def _open_outcomes(actor: Actor, data: Callable[[], FrameData]) -> int:
    """Return the number of writes in the audit that this person sees, 0 without that right."""
    if actor.may(Right.READ_ALL_AUDIT):
        return data().unsettled
    return data().own_unsettled if actor.may(Right.READ_OWN_AUDIT) else 0


def _frame_jobs(request: HttpRequest, viewer: Viewer, data: Callable[[], FrameData]) -> TopBarJobs:
    if not data().has_job:
        return TopBarJobs()
    match = request.resolver_match
    shown = match.kwargs["job_id"] if match and match.url_name == "job" else None
    try:
        return top_bar_jobs(current_jobs(viewer.actor, without=shown), clock=viewer.clock)
    except DatabaseFailure:
        return TopBarJobs()


def _notices(viewer: Viewer, data: Callable[[], FrameData]) -> list[OperationNotice]:
    """Return writes of this person for which a later read showed something unexpected."""
    if not data().has_notice:
        return []
    try:
        found = Operation.objects.with_later_notice(viewer.actor.user_id)[:MAX_NOTICES]
        return [make_notice(one, now=viewer.now, zone=viewer.zone) for one in found]
    except DatabaseFailure:
        return []


def _initials(name: str) -> str:
    """Return the first letters of the first and the last word: "AA" for "Ana Agent"."""
    words = name.split()
    return "".join(word[0] for word in (*words[:1], *words[1:][-1:])).upper()


def _role_sentence(actor: Actor) -> str:
    return f"Signed in as {actor.role}" if actor.role else "Signed in, without a role"


def navigation_items(request: HttpRequest, actor: Actor) -> tuple[NavigationItem, ...]:
    """Return the main pages that the person may open."""
    here = (request.resolver_match and request.resolver_match.url_name) or ""
    return tuple(
        NavigationItem(label, reverse(name), shortcut, here.startswith(prefixes))
        for label, name, shortcut, rights, prefixes in _NAVIGATION
        if any(actor.may(right) for right in rights)
    )
