"""/system/ for admins: the connection to Goody and open operations."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from orders.audit import record_security_event
from orders.models import Anomaly, ApiLimits, AuditEntry, Operation, State, SyncState
from orders.services import health

URL = "/system/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(as_role, emulator):
    return as_role("admin")


def text_of(response) -> str:
    return response.content.decode().replace("&#x27;", "'")


@pytest.mark.parametrize("role", ["", "viewer", "agent", "lead"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_system_page_is_for_admins(as_role, emulator, role, method):
    assert getattr(as_role(role), method)(URL).status_code == 403
    assert emulator.calls()["total"] == 0


def test_the_page_does_not_call_goody_and_shows_no_secret(admin, emulator, settings):
    settings.GOODY_API_KEY = "key-that-nobody-shows"
    content = text_of(admin.get(URL))
    assert emulator.calls()["total"] == 0
    assert emulator.url.removeprefix("http://") in content
    assert "key-that-nobody-shows" not in content
    assert "Calls are allowed" in content
    assert re.search(r"<dt>Last check</dt><dd>never</dd>", content)


def test_checking_the_key_says_whose_it_is_and_is_audited(admin, emulator):
    content = text_of(admin.post(URL))
    assert "<strong>The key works.</strong>" in content
    assert re.search(r"<dt>Whose key</dt><dd>[^<]+@[^<]+</dd>", content)
    assert re.search(r"<dt>Workspaces</dt><dd>[^<]{3,}</dd>", content)
    assert emulator.calls()["total"] == 2
    assert AuditEntry.objects.values_list("action", "actor_name").get() == (
        "system.key_check",
        "Admin",
    )


def test_key_check_unblocks_calls_after_a_rejected_key(admin, settings):
    ApiLimits.objects.reject_key(settings.GOODY_API_KEY, now=datetime.now(UTC))
    assert "API key rejected since " in text_of(admin.get(URL))
    content = text_of(admin.post(URL))
    assert "Calls are allowed" in content
    assert not ApiLimits.objects.current().is_key_rejected(settings.GOODY_API_KEY)


def test_failed_key_check_is_explained_and_calls_stay_blocked(admin, emulator):
    emulator.add_fault({"kind": "status", "status": 401})
    content = text_of(admin.post(URL))
    assert "<strong>The key does not work:</strong> Goody rejected the API key." in content
    assert "API key rejected since " in content


def test_htmx_gets_the_card_of_the_connection(admin):
    headers = {"HX-Request": "true", "HX-Target": "section#connection"}
    content = admin.post(URL, headers=headers).content.decode()
    assert content.lstrip().startswith('<section class="card" id="connection"')
    assert "<html" not in content


def test_a_queue_of_jobs_that_does_not_answer_is_told(admin, settings, redis_url):
    settings.TASKS = {"default": {"BACKEND": "orders.bulk.redis_tasks.RedisTasks"}}
    settings.TASKS_URL = redis_url
    assert "The queue of jobs does not answer" not in text_of(admin.get(URL))
    settings.TASKS_URL = "redis://:secret@127.0.0.1:1/0"
    content = text_of(admin.get(URL))
    assert "No server answers at TASKS_URL. Jobs go on without it, more slowly." in content
    assert "secret" not in content


def test_a_pause_is_shown_with_its_end(admin):
    ApiLimits.objects.pause_until(datetime.now(UTC) + timedelta(minutes=9))
    assert "Goody asks us to wait until " in text_of(admin.get(URL))


def test_open_changes_are_counted_and_a_worker_that_is_missing_is_noticed(admin):
    now = datetime.now(UTC)
    health.record_heartbeat(health.SETTLING, now=now, is_forced=True)
    for late in (timedelta(minutes=2), -timedelta(minutes=2)):
        Operation.objects.create(
            order_uuid=uuid4(),
            action="order.cancel",
            state=State.UNKNOWN,
            actor=admin.user,
            actor_name="Ana",
            form_key=uuid4(),
            params_hash="",
            created_at=now,
            lease_until=now,
            due_at=now - late,
        )
    content = text_of(admin.get(URL))
    assert "<dt>unknown</dt><dd>2</dd>" in content
    assert "1 overdue: the worker seems not to run" in content
    assert "No worker has been heard of" not in content


def test_no_open_changes_are_described(admin):
    health.record_heartbeat(health.SETTLING, now=datetime.now(UTC), is_forced=True)
    content = text_of(admin.get(URL))
    assert "None: every change that was asked for has its outcome." in content
    assert "Nothing is overdue" in content


def test_oddities_and_security_events_are_listed_and_escaped(admin):
    now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    for _ in range(3):
        Anomaly.objects.record_occurrence(
            "unknown_status", "<i>frozen</i>", detail="an-order", now=now
        )
    record_security_event("goody_redirect", detail="<b>elsewhere</b>", request_id="abc")
    content = text_of(admin.get(URL))
    assert "Undocumented status" in content
    assert "&lt;i&gt;frozen&lt;/i&gt;" in content
    assert '<td class="num">3</td>' in content
    assert "goody_redirect" in content
    assert "&lt;b&gt;elsewhere&lt;/b&gt;" in content


def test_without_configuration_nothing_crashes(as_role, settings):
    settings.GOODY_API_URL = settings.GOODY_API_KEY = ""
    admin = as_role("admin")
    assert "not set" in text_of(admin.get(URL))
    assert "The connection to Goody is not set up" in text_of(admin.post(URL))


# --- The index --------------------------------------------------------------------------------

RESUME = "/system/sync/"


def stop(suspicion: str = "Goody lists no orders, and we know <b>12</b>.") -> None:
    SyncState.objects.current()
    SyncState.objects.update(suspicion=suspicion)


def test_the_index_is_shown_before_and_after_its_first_sync(admin):
    assert "Not begun yet: the worker begins by itself" in text_of(admin.get(URL))
    now = datetime.now(UTC)
    SyncState.objects.create(
        pk=1,
        started_at=now,
        finished_at=now,
        total=1200,
        imported=1200,
        synced_at=now,
        reconciled_at=now,
        drift_new=3,
        is_feed_missing=True,
    )
    content = text_of(admin.get(URL))
    assert 'badge__word">Complete<' in content
    assert "<dt>Imported</dt><dd>1,200 of 1,200</dd>" in content
    assert "<dt>Changes from</dt><dd>the newest orders (no feed)</dd>" in content
    assert "<dt>Found then</dt><dd>3 not known here</dd>" in content
    assert "Let it go on" not in content


def test_stopped_sync_resumes_when_an_admin_says_so(admin):
    stop()
    content = text_of(admin.get(URL))
    assert "Goody lists no orders, and we know &lt;b&gt;12&lt;/b&gt;." in content
    assert "Let it go on" in content
    content = text_of(admin.post(RESUME))
    assert "Let it go on" not in content
    assert not SyncState.objects.get().is_stopped
    assert AuditEntry.objects.values_list("action", "actor_name", "detail").get() == (
        "sync.resume",
        "Admin",
        "Goody lists no orders, and we know <b>12</b>.",
    )


def test_resuming_twice_is_audited_once(admin):
    stop()
    for _ in range(2):
        assert admin.post(RESUME).status_code == 200
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("role", ["", "viewer", "agent", "lead"])
def test_only_an_admin_resumes_the_sync(as_role, role):
    stop()
    assert as_role(role).post(RESUME).status_code == 403
    assert SyncState.objects.get().is_stopped
    assert AuditEntry.objects.count() == 0


def test_htmx_gets_the_card_of_the_index(admin):
    stop()
    headers = {"HX-Request": "true", "HX-Target": "section#sync"}
    content = admin.post(RESUME, headers=headers).content.decode()
    assert content.lstrip().startswith('<section class="card" id="sync"')
    assert "<html" not in content


def test_resume_by_get_is_refused(admin):
    assert admin.get(RESUME).status_code == 405


def test_a_worker_without_heartbeats_is_shown_with_the_time_of_its_last(admin):
    assert "No worker has been heard of" in text_of(admin.get(URL))
    before = datetime.now(UTC) - timedelta(minutes=14)
    health.record_heartbeat(health.SETTLING, now=before, is_forced=True)
    content = text_of(admin.get(URL))
    assert "No worker has been heard of since" in content
    assert "14 min ago" in content
