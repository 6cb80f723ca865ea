"""The index on the system page: how far it is, what keeps it, and how well it fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from orders import formats
from orders.sync import Phase, SyncProgress

from .marks import Banner


@dataclass(frozen=True, slots=True, kw_only=True)
class Syncing:
    """`is_stopped`: it waits for an admin to let it go on."""

    banner: Banner
    facts: list[tuple[str, str]]
    is_stopped: bool


def make_syncing(found: SyncProgress, *, zone: ZoneInfo) -> Syncing:
    return Syncing(
        banner=_banner(found, zone),
        facts=list(_facts(found, zone)),
        is_stopped=found.phase is Phase.SUSPICIOUS,
    )


def _banner(found: SyncProgress, zone: ZoneInfo) -> Banner:
    match found.phase:
        case Phase.SUSPICIOUS:
            return Banner(
                tone="bad",
                title="Stopped: this looks wrong",
                sentence=f"{found.why} Is this the right account? Nothing was deleted.",
            )
        case Phase.PAUSED:
            until = formats.date_time(found.paused_until, zone) if found.paused_until else ""
            return Banner(tone="warn", title=f"{found.why}{f' until {until}' if until else ''}")
        case Phase.FAILING:
            since = formats.date_time(found.failing_since, zone)
            return Banner(tone="warn", title=f"Failing since {since}", sentence=f"{found.why}.")
        case Phase.NEVER_BEGUN:
            return Banner(tone="warn", title="Not begun yet: the worker begins by itself")
        case Phase.RUNNING:
            return Banner(tone="info", title="Reading every order")
        case Phase.COMPLETE:
            return Banner(tone="good", title="Complete")


def _facts(found: SyncProgress, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    if found.started_at:
        of = f" of {found.total:,}" if found.total is not None else ""
        yield "Imported", f"{found.imported:,}{of}"
        yield "Begun", formats.date_time(found.started_at, zone)
    if found.finished_at:
        yield "Complete since", formats.date_time(found.finished_at, zone)
    if found.synced_at:
        yield "Up to date as of", formats.date_time(found.synced_at, zone)
    yield "Changes from", "the activity feed" if found.has_feed else "the newest orders (no feed)"
    if found.reconciled_at:
        yield "Compared with Goody’s counts", formats.date_time(found.reconciled_at, zone)
        yield "Found then", _drift(found)


def _drift(found: SyncProgress) -> str:
    counts = (
        (found.drift_new, "not known here"),
        (found.drift_changed, "out of date"),
        (found.drift_missing, "not listed any more"),
    )
    parts = [f"{count:,} {words}" for count, words in counts if count]
    return ", ".join(parts) or "no difference"
