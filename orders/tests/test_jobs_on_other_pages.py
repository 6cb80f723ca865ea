"""A job on the pages that are not its own: the top bar, lists, orders, dialogs, the audit."""

from __future__ import annotations

import html
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from orders import bulk, services
from orders.models import ItemState, Job, JobState, Operation, PauseReason
from testing.dialogs import dialog, htmx, text, url
from testing.domain import actor, cancel, open_order, store_operation
from testing.job_pages import ended_job, make_job, set_items
from testing.list_pages import complete_sync, row_of

pytestmark = pytest.mark.django_db

STATUS = htmx("div#job-status")


@pytest.fixture
def lena(as_role: Any) -> Any:
    return as_role("lead", "lena")


def status_of(response: Any) -> str:
    """Return the progress in the top bar as text, "" if there is none."""
    found = re.findall(r'(?s)<div id="job-status".*?</div>', text(response))
    return " ".join(re.sub(r"<[^>]*>", " ", "".join(found)).split())


# --- the top bar ------------------------------------------------------------------------------


@pytest.mark.usefixtures("emulator")
def test_every_page_shows_the_progress_of_an_own_job(lena: Any, as_role: Any) -> None:
    job = make_job(state=JobState.RUNNING)
    set_items(job, ItemState.DONE, *[ItemState.PENDING] * 3)
    for page in ("/orders/", "/settings/", "/audit/", "/jobs/"):
        answer = lena.get(page)
        assert status_of(answer) == f"Job {job.number} 25 % Job {job.number}: Running, 25 %"
        assert "<title>(25 %) " in text(answer)
        assert "js/jobs.js" in text(answer)
    for other in (as_role("lead", "lee"), as_role("agent")):
        answer = other.get("/orders/")
        assert status_of(answer) == ""
        assert "<title>Orders" in text(answer)
        assert "js/jobs.js" not in text(answer)
    # The page of the job itself says it already.
    assert status_of(lena.get(reverse("job", args=[job.pk]))) == ""


def test_the_last_poll_says_how_many_failed(lena: Any) -> None:
    job = ended_job(ItemState.DONE, ItemState.FAILED)
    last = lena.get(f"{reverse('job_status', args=[job.pk])}?poll=1", headers=STATUS)
    assert status_of(last).startswith(
        f"Job {job.number} 1 failed Job {job.number}: Finished, 1 fail"
    )


def test_the_progress_is_polled_until_the_end(lena: Any) -> None:
    job = make_job(state=JobState.PAUSED, pause_reason=PauseReason.RATE_LIMITED)
    address = f"{reverse('job_status', args=[job.pk])}?poll=1"
    assert f'hx-get="{address}"' in text(lena.get("/orders/"))
    paused = lena.get(address, headers=STATUS)
    assert "Paused" in status_of(paused)
    assert "is-soon" in text(paused)
    bulk.stop_job(actor=actor("lead", "lena"), job_id=job.pk, now=timezone.now())
    last = lena.get(address, headers=STATUS)
    assert status_of(last) == f"Job {job.number} Ended Job {job.number}: Stopped. 4 not run"
    assert "hx-trigger" not in text(last)
    assert status_of(lena.get("/orders/")) == ""
    # Nobody else's.
    assert lena.get(reverse("job_status", args=[uuid4()])).status_code == 204


def test_of_several_jobs_the_running_one_is_shown(lena: Any) -> None:
    make_job()
    running = make_job(state=JobState.RUNNING)
    assert status_of(lena.get("/orders/")).startswith(f"Job {running.number} +1 0 %")


def test_requests_for_approval_are_counted_for_those_who_may_approve(
    lena: Any, as_role: Any, settings: Any
) -> None:
    settings.BULK_APPROVAL_ABOVE = 3
    make_job()
    count = r'Approvals <span class="count count--warn">(\d+)</span>'
    assert re.findall(count, text(as_role("lead", "lee").get("/orders/"))) == ["1"]
    assert re.findall(count, text(lena.get("/orders/"))) == []
    assert re.findall(count, text(as_role("agent").get("/orders/"))) == []


# --- an order that waits in a job -------------------------------------------------------------


@pytest.fixture
def waiting(emulator: Any) -> tuple[Job, UUID]:
    """A job with one order, which is in the index."""
    complete_sync(timezone.now())
    order_id = open_order(emulator)
    services.refresh_order(order_id=order_id, now=timezone.now())
    return make_job(order_id), order_id


def test_a_list_says_that_an_order_waits_and_offers_nothing(
    lena: Any, waiting: tuple[Job, UUID]
) -> None:
    job, order_id = waiting
    row = row_of(lena.get("/orders/"), order_id)
    assert f">In job {job.number}</span>" in row
    assert "/expiration/" not in row
    assert "/cancel/" not in row
    assert f'href="{reverse("job", args=[job.pk])}"' in row
    assert f"Waits to be canceled in job {job.number} of Lena." in row
    bulk.stop_job(actor=actor("lead", "lena"), job_id=job.pk, now=timezone.now())
    row = row_of(lena.get("/orders/"), order_id)
    assert "In job" not in row
    assert (row.count("/expiration/"), row.count("/cancel/")) == (1, 1)


def test_one_query_finds_the_jobs_of_all_rows_of_a_page(
    lena: Any, waiting: tuple[Job, UUID], emulator: Any, django_assert_max_num_queries: Any
) -> None:
    lena.get("/orders/")
    with django_assert_max_num_queries(40) as one:
        lena.get("/orders/")
    count = len(one)
    others = [open_order(emulator) for _ in range(3)]
    for order_id in others:
        services.refresh_order(order_id=order_id, now=timezone.now())
    make_job(*others)
    lena.get("/orders/")
    with django_assert_max_num_queries(count):
        page = text(lena.get("/orders/"))
    assert page.count(">In job ") == 4


def test_the_page_of_an_order_says_that_it_waits_and_offers_nothing(
    lena: Any, waiting: tuple[Job, UUID]
) -> None:
    job, order_id = waiting
    page = text(lena.get(url("order_detail", order_id)))
    assert f'<span class="badge__word">In job {job.number}</span>' in page
    assert f"Waits to be canceled in job {job.number} of Lena." in page
    assert f'<a href="{reverse("job", args=[job.pk])}">Open job {job.number}</a>' in page
    assert url("order_cancel", order_id) not in page


def test_the_page_of_an_order_is_polled_until_its_job_has_ended(
    lena: Any, waiting: tuple[Job, UUID]
) -> None:
    job, order_id = waiting
    page = text(lena.get(url("order_detail", order_id)))
    [polled] = re.findall(r'<div id="order-detail"[^>]* hx-get="([^"]*)"', page)
    part = htmx("div#order-detail")
    assert lena.get(html.unescape(polled), headers=part).status_code == 204
    bulk.stop_job(actor=actor("lead", "lena"), job_id=job.pk, now=timezone.now())
    last = text(lena.get(html.unescape(polled), headers=part))
    assert url("order_cancel", order_id) in last
    assert "every 15s" not in last


@pytest.mark.parametrize("name", ["order_cancel", "order_expiration"])
def test_a_dialog_for_an_order_that_waits_has_no_form(
    lena: Any, waiting: tuple[Job, UUID], name: str
) -> None:
    job, order_id = waiting
    page = text(lena.get(url(name, order_id), headers=dialog()))
    assert f"Waits to be canceled in job {job.number} of Lena." in page
    assert "form_key" not in page


def test_a_write_to_an_order_that_waits_is_refused(
    emulator: Any, waiting: tuple[Job, UUID]
) -> None:
    """A dialog that was opened before the job was asked for is refused as well."""
    job, order_id = waiting
    with pytest.raises(services.OrderInJob) as refused:
        cancel(order_id)
    assert refused.value.job.pk == job.pk
    assert emulator.posts() == 0
    assert not Operation.objects.exists()
    bulk.stop_job(actor=actor("lead", "lena"), job_id=job.pk, now=timezone.now())
    assert cancel(order_id).state == "applied"


def test_a_submit_from_an_open_dialog_says_why_it_is_refused(
    lena: Any, emulator: Any, waiting: tuple[Job, UUID]
) -> None:
    job, order_id = waiting
    bulk.stop_job(actor=actor("lead", "lena"), job_id=job.pk, now=timezone.now())
    opened = lena.get(url("order_cancel", order_id))
    form = dict(re.findall(r'name="(form_key|snapshot)" value="([^"]*)"', text(opened)))
    again = make_job(order_id)
    answer = lena.post(
        url("order_cancel", order_id), {**form, "reason": "duplicate"}, headers=dialog()
    )
    assert answer.status_code == 409
    assert f"Waits to be canceled in job {again.number} of Lena." in text(answer)
    assert emulator.posts() == 0


# --- history ----------------------------------------------------------------------------------


def test_timeline_operation_and_audit_name_the_job(lena: Any, waiting: tuple[Job, UUID]) -> None:
    _, order_id = waiting
    job = ended_job(ItemState.DONE)
    done = store_operation(order_uuid=order_id, state="applied", job=job)
    link = f'<a href="{reverse("job", args=[job.pk])}">Job {job.number}</a>'
    assert link in text(lena.get(url("order_detail", order_id)))
    assert link in text(lena.get(reverse("operation", args=[order_id, done.pk])))
    page = text(lena.get("/audit/", {"job": str(job.number)}))
    assert len(re.findall(r'<tr id="entry-', page)) == 2
    assert page.count(f'href="{reverse("job", args=[job.pk])}">Job {job.number}</a>') == 2
    assert "Start a bulk action" in page
    assert "Job: <b>" in page


@pytest.mark.parametrize("number", ["0", "x", "99999999999"])
def test_a_job_number_that_is_none_is_refused(lena: Any, number: str) -> None:
    assert lena.get("/audit/", {"job": number}).status_code == 422


def test_the_audit_says_who_approved_and_who_stopped(lena: Any, settings: Any) -> None:
    settings.BULK_APPROVAL_ABOVE = 3
    job = make_job()
    bulk.approve_job(actor=actor("lead", "lee"), job_id=job.pk, now=timezone.now())
    bulk.stop_job(actor=actor("lead", "lena"), job_id=job.pk, now=timezone.now())
    page = text(lena.get("/audit/", {"job": str(job.number)}))
    told = re.findall(r'(?s)audit__who">(\w+).*?audit__what" scope="row">(.*?)</th>', page)
    assert told == [
        ("Lena", "Stop a bulk action"),
        ("Lee", "Approve a bulk action"),
        ("Lena", "Start a bulk action"),
    ]
    assert "4 not run" in page
