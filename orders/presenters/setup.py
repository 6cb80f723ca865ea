"""The setup page: the steps until all orders are imported, each with its state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User

from orders import formats, goody_api
from orders.services.system_status import SetupStatus
from orders.sync import SyncPhase, SyncProgress
from orders.viewer import Viewer

_POLL_EVERY = "5s"
# Earlier, the rate of an import says little.
_ESTIMATE_AFTER = timedelta(seconds=10)
_FAILED_PHASES = (SyncPhase.SUSPICIOUS, SyncPhase.PAUSED, SyncPhase.FAILING)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupStep:
    """A step and its state.

    The state is "done", "now" (under way), "wrong" (somebody must act), "ahead", or "halted": begun
    and waiting for an earlier step. `key` distinguishes the steps in the template; `command` is one
    to run on the server.
    """

    key: str
    state: str
    title: str
    text: str = ""
    command: str = ""

    @property
    def icon(self) -> str:
        return {"done": "check", "now": "busy", "wrong": "alert"}.get(self.state, "circle")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """The orders imported so far. `total` is None if Goody gave none; `left` is "" if unknown."""

    imported: int
    total: int | None
    text: str
    left: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupPage:
    """The setup page.

    `summary` is one sentence for people who are not admins, `admins` are the names of the admins
    for them. `poll_every` is "" after the last step.
    """

    steps: list[SetupStep]
    summary: str
    admins: list[str]
    progress: ImportProgress | None
    is_done: bool
    poll_every: str


def make_setup_page(
    status: SetupStatus, progress: SyncProgress, *, admins: Iterable[User], viewer: Viewer
) -> SetupPage:
    steps = list(_steps(status, progress, viewer.zone))
    is_done = all(step.state == "done" for step in steps)
    return SetupPage(
        steps=steps,
        summary=_summary(steps),
        admins=[] if is_done else [_admin_name(one) for one in admins],
        progress=_import_progress(progress, viewer.now, is_under_way=steps[-1].state == "now"),
        is_done=is_done,
        poll_every="" if is_done else _POLL_EVERY,
    )


def _steps(status: SetupStatus, progress: SyncProgress, zone: ZoneInfo) -> Iterator[SetupStep]:
    """Yield the steps. Those after the first that is not done are ahead, except the worker's."""
    connection = _connection_step(), _key_step(status, progress, zone)
    yield from connection
    worker = _worker_step(status)
    yield worker
    is_ready = all(step.state == "done" for step in (*connection, worker))
    yield _import_step(progress, zone, is_ready=is_ready)


def _connection_step() -> SetupStep:
    if missing := goody_api.missing_setting_names():
        verb = "are" if len(missing) > 1 else "is"
        return SetupStep(
            key="connection",
            state="wrong",
            title=f"{' and '.join(missing)} {verb} not set",
            text="Put it into the environment or into the file .env (see .env.example), then "
            "restart the dashboard and the worker.",
        )
    return SetupStep(key="connection", state="done", title="The address of Goody and a key are set")


def _key_step(status: SetupStatus, progress: SyncProgress, zone: ZoneInfo) -> SetupStep:
    if goody_api.missing_setting_names():
        return SetupStep(key="key", state="ahead", title="Goody accepts the key")
    limits = status.limits
    if limits.is_key_rejected(settings.GOODY_API_KEY):
        since = formats.date_time(limits.rejected_at, zone)
        return SetupStep(
            key="key",
            state="wrong",
            title="Goody rejects the key",
            text=f"Since {since}. Set another key and restart the dashboard and the worker, or "
            "check the same key again.",
        )
    if progress.imported or status.was_key_accepted:
        return SetupStep(key="key", state="done", title="Goody accepted the key")
    return SetupStep(
        key="key",
        state="now",
        title="Goody has not been asked with this key yet",
        text="The worker asks as soon as it runs.",
    )


def _worker_step(status: SetupStatus) -> SetupStep:
    if status.is_worker_alive:
        return SetupStep(key="worker", state="done", title="A worker runs")
    return SetupStep(
        key="worker",
        state="wrong",
        title="No worker runs",
        text="Start it beside the dashboard, with the same environment:",
        command="manage.py work",
    )


def _import_step(progress: SyncProgress, zone: ZoneInfo, *, is_ready: bool) -> SetupStep:
    if progress.is_complete:
        at = formats.date_time(progress.finished_at, zone)
        title, text = "All orders are imported", f"{progress.imported:,} orders, {at}."
        return SetupStep(key="import", state="done", title=title, text=text)
    title = "Import of all orders"
    if not is_ready:
        return SetupStep(key="import", title=title, **_waiting(progress))
    if progress.phase in _FAILED_PHASES:
        return SetupStep(key="import", state="wrong", title=title, text=f"{progress.problem}.")
    return SetupStep(key="import", state="now", title=title)


def _waiting(progress: SyncProgress) -> dict[str, str]:
    """Return the state of an import that waits for an earlier step, and a text about that step."""
    if progress.is_full_sync_running:
        return {"state": "halted", "text": "It goes on once the steps above are done."}
    return {"state": "ahead"}


def _import_progress(
    progress: SyncProgress, now: datetime, *, is_under_way: bool
) -> ImportProgress | None:
    if progress.is_complete or not progress.is_full_sync_running:
        return None
    of = f" of {progress.total:,}" if progress.total else ""
    return ImportProgress(
        imported=progress.imported,
        total=progress.total,
        text=f"{progress.imported:,}{of} orders",
        left=_time_left(progress, now) if is_under_way else "",
    )


def _time_left(progress: SyncProgress, now: datetime) -> str:
    """Return a rough estimate by the rate since the start: "about 4 min left"."""
    elapsed = now - progress.started_at if progress.started_at else timedelta()
    if not (progress.total and progress.imported) or elapsed < _ESTIMATE_AFTER:
        return ""
    left = elapsed * ((progress.total - progress.imported) / progress.imported)
    if left < timedelta(minutes=1):
        return "less than a minute left"
    return f"about {formats.relative_time(now + left, now).removeprefix('in ')} left"


def _summary(steps: list[SetupStep]) -> str:
    wrong = next((step.key for step in steps if step.state == "wrong"), "")
    if wrong in ("connection", "key"):
        return "The dashboard has no working connection to Goody. An admin can mend that."
    if wrong:
        return "Orders are not read from Goody at present. An admin must look at it."
    if all(step.state == "done" for step in steps):
        return "All orders are imported."
    return "The orders are being imported. Until that is done, a search may miss an order."


def _admin_name(admin: User) -> str:
    """Return the name as "Ada Lopez (ada)"."""
    full_name = admin.get_full_name()
    return f"{full_name} ({admin.get_username()})" if full_name else admin.get_username()
