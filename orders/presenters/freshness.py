"""The age of the index: banners above the list, and the state in the page frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse

from orders import formats
from orders.rights import Right
from orders.sync import SyncPhase, SyncProgress
from orders.viewer import Viewer

from .elements import Banner


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessNotes:
    """Notes about the index above a list. `note` is on creation dates, "" if they are complete."""

    is_complete: bool
    note: str
    banners: Sequence[Banner]


def make_freshness_notes(progress: SyncProgress, *, viewer: Viewer) -> FreshnessNotes:
    return FreshnessNotes(
        is_complete=progress.is_complete,
        note=_creation_date_note(progress),
        banners=list(_banners(progress, viewer)),
    )


def _creation_date_note(progress: SyncProgress) -> str:
    """Return the note on estimated creation dates.

    It is based on the progress of the backfill, because counting orders without a date is slow.
    """
    if progress.is_backfilled or not progress.imported:
        return ""
    if progress.has_feed:
        return (
            "Creation dates are still being read: an order without one is sorted and filtered by "
            "an estimate."
        )
    return (
        "Without the activity feed, an order may have no creation date until its page is opened: "
        "it is sorted and filtered by an estimate."
    )


# A working sync is never that far behind.
_LATE = timedelta(minutes=10)
_FAILED_PHASES = (SyncPhase.SUSPICIOUS, SyncPhase.PAUSED, SyncPhase.FAILING)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """The state of the index for the page frame.

    `iso` and `at` are the time of the last update, "" during the first import. `url` is the page
    with the details, "" if the person may not see it.
    """

    text: str
    iso: str
    at: str
    is_amber: bool
    url: str


def sync_status(progress: SyncProgress, *, viewer: Viewer) -> SyncStatus:
    at = _read_at(progress)
    is_late = at is not None and viewer.now - at > _LATE
    return SyncStatus(
        text=_state_text(progress, viewer.now),
        iso=formats.iso_utc(at) if at else "",
        at=formats.date_time(at, viewer.zone) if at else "",
        is_amber=is_late or progress.phase in _FAILED_PHASES,
        url=_status_url(progress, viewer),
    )


def _status_url(progress: SyncProgress, viewer: Viewer) -> str:
    if not progress.is_complete:
        return reverse("setup")
    return reverse("system") if viewer.actor.may(Right.SYSTEM) else ""


def _state_text(progress: SyncProgress, now: datetime) -> str:
    at = _read_at(progress)
    state = (
        f"{_synced_label(progress)} {formats.age_text(at, now)}" if at else _import_text(progress)
    )
    if progress.phase is SyncPhase.SUSPICIOUS:
        return f"{state}, stopped: an admin must look"
    return f"{state}: {progress.problem}" if progress.problem else state


def _synced_label(progress: SyncProgress) -> str:
    return "synced" if progress.has_feed else "newest synced"


def _import_text(progress: SyncProgress) -> str:
    if progress.phase is SyncPhase.NEVER_BEGUN:
        return "not imported yet"
    if not progress.total:
        return f"importing, {progress.imported:,} so far"
    # 100 % would claim the end of a sync that still has work to do.
    return f"importing {min(99, 100 * progress.imported // progress.total)} %"


def import_banner(progress: SyncProgress) -> list[Banner]:
    """Return the banner above the live list, until the first full sync is complete."""
    if progress.is_complete or not progress.is_full_sync_running:
        return []
    return [
        Banner(
            tone="info",
            title=_imported_text(progress),
            sentence="This list is Goody's own. Searches, filters and sorting know only what has "
            "been imported.",
            **_setup_link(),
        )
    ]


def _setup_link() -> dict[str, str]:
    return {"link_url": reverse("setup"), "link_label": "Progress of the import"}


def _imported_text(progress: SyncProgress) -> str:
    of = f" of {progress.total:,}" if progress.total else ""
    return f"{progress.imported:,}{of} orders imported"


def _read_at(progress: SyncProgress) -> datetime | None:
    """Return the time up to which the index contains all changes.

    Without an activity feed this holds only for the newest orders, and a banner states so.
    """
    if not progress.is_complete:
        return None
    return progress.synced_at or progress.started_at


def _banners(progress: SyncProgress, viewer: Viewer) -> Iterator[Banner]:
    if not progress.is_complete:
        yield _still_importing(progress)
    if progress.phase is SyncPhase.SUSPICIOUS:
        yield Banner(
            tone="warn",
            title="The sync has stopped, since something looks wrong",
            sentence=f"{progress.problem} An admin must let it go on, on the system page.",
        )
    elif progress.phase in (SyncPhase.PAUSED, SyncPhase.FAILING):
        yield _not_up_to_date(progress, viewer)
    if progress.is_refolding:
        yield _REFOLDING
    if progress.is_complete and not progress.has_feed:
        yield _without_feed(progress, viewer)


_REFOLDING = Banner(
    tone="info",
    title="Searches are being brought up to date after an update",
    sentence="Until then, a search may miss an order that is there. This takes some minutes.",
)


def _still_importing(progress: SyncProgress) -> Banner:
    missing = "Not found here does not mean not there."
    if not progress.imported:
        return Banner(
            tone="info",
            title="The orders have not been imported yet",
            sentence=f"Searches, filters and sorting know only what has been looked at. {missing}",
            **_setup_link(),
        )
    title = _imported_text(progress)
    return Banner(tone="info", title=title, sentence=missing, **_setup_link())


def _without_feed(progress: SyncProgress, viewer: Viewer) -> Banner:
    at = formats.date_time(progress.reconciled_at or progress.finished_at, viewer.zone)
    return Banner(
        tone="info",
        title="Only the newest orders are kept up to date all day",
        sentence="Goody gives this account no activity feed. What happens to older orders is read "
        f"once a night, the last time on {at}. An order's own page is read when it is opened.",
    )


def _not_up_to_date(progress: SyncProgress, viewer: Viewer) -> Banner:
    at, zone = _read_at(progress), viewer.zone
    return Banner(
        tone="warn",
        title=f"This is our copy of {formats.date_time(at, zone)}" if at else "This is our copy",
        sentence=f"{progress.problem}, so that it cannot be brought up to date. "
        "Whatever is changed is read from Goody first.",
    )
