"""/jobs/ and the page of a job: states in words, counts, what a person may do, CSV, polls."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from orders import bulk, services
from orders.audit import Action
from orders.models import (
    AuditEntry,
    ItemState,
    Job,
    JobRelation,
    JobState,
    Operation,
    PauseReason,
    Selection,
)
from orders.services import health
from testing.dialogs import htmx, text
from testing.domain import actor, goody_time, in_days, open_order, store_operation
from testing.job_pages import ended_job, make_job, set_items

pytestmark = pytest.mark.django_db

PART = htmx("div#job")


def url(job: Job, name: str = "job") -> str:
    return reverse(name, args=[job.pk])


def plain(response: Any) -> str:
    """Return the visible text of a page in one line."""
    body = re.sub(r"(?s)<(script|template).*?</\1>", "", text(response))
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def buttons(response: Any) -> list[str]:
    """Return the labels of the buttons in the head of a job."""
    [head] = re.findall(r'(?s)<div class="job-head__actions.*?</header>', text(response))
    found = re.findall(r'(?s)<button class="button[^>]*>(.*?)</button>', head)
    return [re.sub(r"(?s)<svg.*?</svg>|\s+", " ", one).strip() for one in found]


def is_polling(response: Any) -> bool:
    [job] = re.findall(r'<div id="job"[^>]*>', text(response))
    return "hx-trigger" in job


def tabs(response: Any) -> dict[str, int]:
    """Return the outcomes with the numbers of their items."""
    [nav] = re.findall(r'(?s)<nav class="tabs" aria-label="Outcome">.*?</nav>', text(response))
    found = re.findall(r">([A-Z][a-z ]+)<span class=\"count[^>]*>([\d,]+)<", nav)
    return {label: int(number) for label, number in found}


@pytest.fixture
def lena(as_role: Any) -> Any:
    """The lead who asks for jobs."""
    return as_role("lead", "lena")


@pytest.fixture
def lee(as_role: Any) -> Any:
    """Another lead."""
    return as_role("lead", "lee")


# --- states -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "badge", "sentence", "offered"),
    [
        (
            {"state": JobState.SCHEDULED, "starts_at": timedelta(seconds=60)},
            "Starting",
            "Nothing has been sent to Goody. Stop it before then, and no gift is changed.",
            ["Stop"],
        ),
        ({"state": JobState.RUNNING}, "Running", "", ["Stop"]),
        (
            {
                "state": JobState.PAUSED,
                "pause_reason": PauseReason.RATE_LIMITED,
                "paused_until": timedelta(minutes=5),
            },
            "Paused",
            "Paused: Goody asks us to wait, until",
            ["Stop"],
        ),
        (
            {"state": JobState.PAUSED, "pause_reason": PauseReason.KEY_REJECTED},
            "Paused",
            "Paused: Goody rejects the API key. It goes on by itself",
            ["Stop"],
        ),
        (
            {"state": JobState.PAUSED, "pause_reason": PauseReason.NOT_FOUND},
            "Paused",
            "Paused: Goody did not know three orders in a row. Is this the right environment?",
            ["Resume", "Stop"],
        ),
    ],
    ids=["grace", "running", "429", "401", "404s"],
)
def test_an_open_job_says_its_state_and_what_can_be_done(
    lena: Any, changes: dict[str, Any], badge: str, sentence: str, offered: list[str]
) -> None:
    now = timezone.now()
    at = {key: now + one if isinstance(one, timedelta) else one for key, one in changes.items()}
    job = make_job(**at)
    health.record_heartbeat(health.SETTLING, now=now, is_forced=True)
    page = lena.get(url(job))
    assert f"Cancel 4 gifts {badge} Job {job.number}, asked for by Lena" in plain(page)
    assert sentence in plain(page)
    assert buttons(page) == offered
    assert is_polling(page)


def test_without_a_worker_a_job_says_that_nothing_happens(lena: Any) -> None:
    paused = {"state": JobState.PAUSED, "pause_reason": PauseReason.RATE_LIMITED}
    jobs = [make_job(state=JobState.RUNNING), make_job(**paused), ended_job(D, U)]
    jobs += [make_job(**paused | {"pause_reason": PauseReason.NOT_FOUND}), ended_job(D)]
    pages = [plain(lena.get(url(job))) for job in jobs]
    no_worker = "No worker is running, so nothing happens at present"
    assert [no_worker in page for page in pages] == [True, True, True, False, False]


D, S, F, U, N = (
    ItemState.DONE,
    ItemState.SKIPPED,
    ItemState.FAILED,
    ItemState.UNKNOWN,
    ItemState.NOT_RUN,
)
# An item with an unknown outcome that no read has settled.
H = "needs_human"
_STOPPED = {"state": JobState.STOPPED, "stopped_by_name": "Lee Lead"}
_CHECKED = (
    "The outcome of 1 gift is being checked. Goody's answer was lost. It is not sent again: "
    "reading the order shows what became of it."
)
_BY_HAND = (
    "The outcome of 1 gift needs a person. No read of the order has settled it. A lead looks at it "
    "on Goody's own page and records what it shows, under Details below."
)


@pytest.mark.parametrize(
    ("states", "changes", "told"),
    [
        ([D, D], {}, ("Finished", "", [])),
        ([D, S], {}, ("Finished", "1 done, 1 skipped", [])),
        ([D, F], {}, ("Finished, 1 failed", "1 done, 1 failed", ["Retry failed only (1)"])),
        ([D, U], {}, ("Finished, 1 being checked", _CHECKED, [])),
        ([D, H], {}, ("Finished, 1 to settle by hand", _BY_HAND, [])),
        ([U, H], {}, ("Finished, 1 to settle by hand", f"{_BY_HAND} 1 more are", [])),
        (
            [D, F, N, N],
            _STOPPED,
            (
                "Stopped",
                "Stopped by Lee Lead 2 gifts are left to do.",
                ["Retry failed only (1)", "Run the rest (2)"],
            ),
        ),
        (
            [N, N],
            _STOPPED,
            (
                "Stopped",
                "Stopped by Lee Lead Nothing was sent to Goody. No gift was changed.",
                ["Run the rest (2)"],
            ),
        ),
        (
            [N, N],
            {"state": JobState.DECLINED, "stopped_by_name": "Lee Lead"},
            (
                "Declined",
                "Declined by Lee Lead Nothing was sent to Goody.",
                ["Run the rest (2)"],
            ),
        ),
        (
            [N, N],
            {"state": JobState.EXPIRED},
            (
                "Not approved in time",
                "Nobody approved it in time Nothing was sent to Goody.",
                ["Run the rest (2)"],
            ),
        ),
    ],
    ids=[
        "done",
        "skipped",
        "failed",
        "unknown",
        "by hand",
        "both",
        "stopped",
        "undone",
        "declined",
        "expired",
    ],
)
def test_an_ended_job_says_what_became_of_its_gifts(
    lena: Any, states: list[ItemState], changes: dict[str, Any], told: tuple[str, str, list[str]]
) -> None:
    badge, sentence, offered = told
    job = ended_job(*(U if one == H else one for one in states))
    by_hand = [position for position, one in enumerate(states, start=1) if one == H]
    job.items.filter(position__in=by_hand).update(reason="needs_human")
    Job.objects.filter(pk=job.pk).update(**changes)
    health.record_heartbeat(health.SETTLING, now=timezone.now(), is_forced=True)
    page = lena.get(url(job))
    assert f"Cancel {len(states)} gifts {badge} Job {job.number}" in plain(page)
    assert sentence in plain(page)
    assert buttons(page) == offered
    assert is_polling(page) is bool({U, H} & {*states})
    assert plain(page).count("Needs a person") == len(by_hand)


def test_a_stop_between_the_attempts_of_a_gift_does_not_claim_that_nothing_was_sent(
    lena: Any,
) -> None:
    """Goody refused a request for the gift, which waited for its next attempt."""
    job = ended_job(N, N, state=JobState.STOPPED)
    Job.objects.filter(pk=job.pk).update(stopped_by_name="Lee Lead")
    refused = store_operation(
        job=job, state="refused", failure_kind="rate_limited", sent_at=timezone.now()
    )
    job.items.filter(position=1).update(operation=refused)
    page = plain(lena.get(url(job)))
    assert "Stopped by Lee Lead Goody refused what was sent." in page
    assert "Nothing was sent" not in page
    assert "Canceled at Goody" not in page
    Operation.objects.update(effect_seen_at=timezone.now())
    assert "Canceled at Goody. Canceled at Goody since" in plain(lena.get(url(job)))


def test_the_page_names_who_asked_why_and_from_which_list(lena: Any) -> None:
    approved = {"approved_by_name": "Lee Lead", "approved_at": timezone.now()}
    job = make_job(state=JobState.RUNNING, started_at=timezone.now(), **approved)
    page = plain(lena.get(url(job)))
    for fact in (
        "List Status: notified",
        "Reason Duplicate gift",
        "Note <Q4>",
        "Approved by Lee Lead, ",
        "Begun ",
    ):
        assert fact in page
    assert "<Q4>" not in text(lena.get(url(job)))


def test_the_title_of_the_tab_shows_the_progress(lena: Any) -> None:
    job = make_job(state=JobState.RUNNING)
    set_items(job, D, S, ItemState.RUNNING, ItemState.PENDING)
    title = f"<title>Job {job.number}: 2 of 4 – Goody Admin"
    assert title in text(lena.get(url(job)))
    assert title in text(lena.get(url(job), headers=PART))


# --- counts, items, pages ---------------------------------------------------------------------


def test_the_counts_by_outcome_add_up_and_filter_the_items(lena: Any) -> None:
    states = [D, D, D, S, F, U, N, N]
    job = ended_job(*states)
    page = lena.get(url(job))
    found = tabs(page)
    assert found == {
        "All": 8,
        "To do": 0,
        "Done": 3,
        "Skipped": 1,
        "Failed": 1,
        "Unknown": 1,
        "Not run": 2,
    }
    assert sum(found.values()) == 2 * found["All"]
    assert 'aria-valuemax="8" aria-valuenow="6" aria-valuetext="6 of 8"' in text(page)
    drawn = re.findall(r'class="bar--(\w+)" x="(\d+)" width="(\d+)"', text(page))
    assert drawn == [
        ("done", "0", "375"),
        ("skipped", "375", "125"),
        ("failed", "500", "125"),
        ("unknown", "625", "125"),
    ]
    shown = lena.get(url(job), {"outcome": "not_run"})
    assert re.findall(r'<tr id="item-(\d+)">', text(shown)) == ["7", "8"]
    assert tabs(shown) == found


def test_gifts_that_the_preview_left_out_are_neither_named_nor_progress(lena: Any) -> None:
    job = make_job(count=6, state=JobState.RUNNING, left_out=4)
    set_items(job, S, S, S, S, D, ItemState.PENDING)
    page = lena.get(url(job))
    assert f"Cancel 2 gifts Running Job {job.number}" in plain(page)
    assert "Left out 4 of 6 selected" in plain(page)
    assert 'aria-valuemax="2" aria-valuenow="1" aria-valuetext="1 of 2"' in text(page)
    assert re.findall(r'class="bar--(\w+)" x="(\d+)" width="(\d+)"', text(page)) == [
        ("done", "0", "500")
    ]
    assert tabs(page)["Skipped"] == 4
    assert f"Job {job.number}: Running, 50 %" in plain(page)


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (D, ("{new}", "was 1 Mar 2099, 12:00")),
        (U, ("1 Mar 2099, 12:00", "or {new}")),
        (S, ("1 Mar 2099, 12:00", "when selected")),
        (F, ("1 Mar 2099, 12:00", "when selected")),
        (N, ("1 Mar 2099, 12:00", "when selected")),
        (ItemState.PENDING, ("{new}", "now 1 Mar 2099, 12:00")),
    ],
)
def test_only_an_extended_gift_has_the_new_expiration(
    lena: Any, state: ItemState, shown: tuple[str, str]
) -> None:
    job = make_job(count=1, action=Action.ORDER_EXTEND, state=JobState.RUNNING)
    job.items.update(expiration=datetime(2099, 4, 1, 12, tzinfo=UTC))
    set_items(job, state)
    [cell] = re.findall(r'<td class="expires">(.*?)<small>(.*?)</small>', text(lena.get(url(job))))
    assert cell == tuple(one.format(new="1 Apr 2099, 12:00") for one in shown)


def test_an_item_shows_what_it_was_and_its_outcome(lena: Any) -> None:
    job = ended_job(S, D, action=Action.ORDER_EXTEND)
    job.items.filter(state=S).update(reason="changed", detail="It changed: <1>.")
    page = plain(lena.get(url(job)))
    assert "Emma Novak emma@post.example 2 × Tea box +1 $44.10" in page
    assert "1 Mar 2099, 12:00 when selected Skipped It changed: <1>." in page
    assert "Expiration each by 14 days" in page


def test_items_are_paged_and_a_filter_survives_paging(lena: Any) -> None:
    job = ended_job(*[N] * 51, D)
    first = lena.get(url(job), {"outcome": "not_run"})
    assert len(re.findall(r'<tr id="item-', text(first))) == 50
    assert "1–50 of 51" in plain(first)
    [following] = re.findall(r'href="([^"]*)" rel="next"', text(first))
    last = lena.get(html.unescape(following))
    assert re.findall(r'<tr id="item-(\d+)">', text(last)) == ["51"]


def test_a_page_of_items_takes_as_many_queries_as_one_item(
    lena: Any, django_assert_max_num_queries: Any
) -> None:
    one, many = ended_job(D), ended_job(*[D] * 40)
    lena.get(url(one))
    with django_assert_max_num_queries(25) as few:
        lena.get(url(one))
    with django_assert_max_num_queries(len(few)):
        lena.get(url(many))


# --- polls ------------------------------------------------------------------------------------


def poll_url(response: Any) -> str:
    [found] = re.findall(r'<div id="job"[^>]* hx-get="([^"]*)"', text(response))
    return html.unescape(found)


def test_a_poll_shows_another_end_of_the_pause(lena: Any) -> None:
    """The job went on and paused again between two polls."""
    until = timezone.now() + timedelta(minutes=5)
    pause = {"pause_reason": PauseReason.RATE_LIMITED, "paused_until": until}
    job = make_job(state=JobState.PAUSED, **pause)
    asked = poll_url(lena.get(url(job)))
    assert lena.get(asked, headers=PART).status_code == 204
    Job.objects.update(paused_until=until + timedelta(minutes=10))
    assert lena.get(asked, headers=PART).status_code == 200


def test_a_poll_of_an_unchanged_job_is_empty_and_of_an_ended_one_the_last(lena: Any) -> None:
    job = make_job(state=JobState.PAUSED, pause_reason=PauseReason.KEY_REJECTED)
    asked = poll_url(lena.get(url(job), {"outcome": "todo"}))
    assert lena.get(asked, headers=PART).status_code == 204
    bulk.stop_job(actor=actor("lead", "lena"), job_id=job.pk, now=timezone.now())
    answer = lena.get(asked, headers=PART)
    assert answer.status_code == 200
    assert "Stopped by Lena" in plain(answer)
    assert "hx-trigger" not in text(answer)
    assert "<html" not in text(answer)
    assert {key: count for key, count in tabs(answer).items() if count} == {"All": 4, "Not run": 4}


# --- what people do ---------------------------------------------------------------------------


def test_stop_ends_the_job_and_a_second_stop_says_so(lena: Any) -> None:
    job = make_job()
    answer = lena.post(url(job, "job_stop"))
    assert (answer.status_code, answer["Location"]) == (303, url(job))
    job.refresh_from_db()
    assert (job.state, job.stopped_by_name) == (JobState.STOPPED, "Lena")
    again = lena.post(url(job, "job_stop"))
    assert again.status_code == 409
    assert "The job has changed meanwhile, so nothing was done" in plain(again)
    assert AuditEntry.objects.filter(action=Action.JOB_STOP, job=job).count() == 1


def test_resume_lets_a_paused_job_go_on(lena: Any) -> None:
    job = make_job(state=JobState.PAUSED, pause_reason=PauseReason.NOT_FOUND)
    assert lena.post(url(job, "job_resume")).status_code == 303
    job.refresh_from_db()
    assert job.state == JobState.RUNNING


def test_another_lead_approves_exactly_the_frozen_list(lena: Any, lee: Any, settings: Any) -> None:
    settings.BULK_APPROVAL_ABOVE = 3
    job = make_job()
    own = lena.get(url(job))
    assert "Another lead must approve it" in plain(own)
    assert "You cannot approve it yourself" in plain(own)
    assert buttons(own) == ["Withdraw"]
    refused = lena.post(url(job, "job_approve"))
    assert refused.status_code == 403
    assert "another lead must approve or decline it" in plain(refused)
    job.refresh_from_db()
    assert job.state == JobState.AWAITING_APPROVAL

    asked = lee.get(url(job))
    assert "Lena asks for approval" in plain(asked)
    assert (
        "It cancels exactly the 4 gifts below, which releases about $176.40 before tax."
        in plain(asked)
    )
    assert len(re.findall(r'<tr id="item-', text(asked))) == 4
    assert buttons(asked) == ["Approve: cancel 4 gifts", "Decline"]
    assert lee.post(url(job, "job_approve")).status_code == 303
    job.refresh_from_db()
    assert (job.state, job.approved_by_name) == (JobState.SCHEDULED, "Lee")
    assert lee.post(url(job, "job_approve")).status_code == 409


def test_a_declined_job_sends_nothing(lena: Any, lee: Any, settings: Any) -> None:
    settings.BULK_APPROVAL_ABOVE = 3
    job = make_job()
    assert lee.post(url(job, "job_decline")).status_code == 303
    assert "Declined by Lee" in plain(lena.get(url(job)))
    assert job.items.filter(state=N).count() == 4


@pytest.mark.parametrize(
    ("name", "relation", "state"),
    [("job_retry", JobRelation.RETRY, F), ("job_run_remaining", JobRelation.REST, N)],
)
def test_a_part_is_run_again_once(
    lena: Any, name: str, relation: JobRelation, state: ItemState
) -> None:
    job = ended_job(D, F, N, N, S)
    answers = [lena.post(url(job, name)) for _ in range(2)]
    child = Job.objects.get(parent=job)
    assert {answer["Location"] for answer in answers} == {url(child)}
    assert child.relation == relation
    orders = list(child.items.values_list("order_uuid", flat=True))
    assert orders == list(job.items.filter(state=state).values_list("order_uuid", flat=True))


def test_a_part_that_was_run_again_is_named_and_not_offered(lena: Any, lee: Any) -> None:
    job = ended_job(D, F, N)
    lena.post(url(job, "job_retry"))
    child = Job.objects.get(parent=job)
    page = lena.get(url(job))
    assert f"Retried in Job {child.number}" in plain(page)
    assert buttons(page) == ["Run the rest (1)"]
    assert f"Retries what failed in Job {job.number}" in plain(lena.get(url(child)))
    other = lee.post(url(job, "job_retry"))
    assert other.status_code == 409
    assert "Somebody else has already done this" in plain(other)


def test_an_extension_is_undone_through_the_preview(lena: Any, emulator: Any) -> None:
    former = in_days(5)
    extended, expired = (open_order(emulator, expires_at=goody_time(former)) for _ in range(2))
    job = ended_job(D, D, orders=(extended, expired), action=Action.ORDER_EXTEND)
    for order_id, at in ((extended, former), (expired, in_days(-1))):
        services.refresh_order(order_id=order_id, now=timezone.now())
        done = {"state": "applied", "confirmed_at": timezone.now(), "job": job}
        made = store_operation(
            order_uuid=order_id,
            action="order.extend",
            expires_before=at,
            expiration=in_days(19),
            **done,
        )
        job.items.filter(order_uuid=order_id).update(operation=made)
    page = lena.get(url(job))
    assert buttons(page) == ["Undo…"]
    answer = lena.post(url(job, "job_undo"))
    selection = Selection.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/selections/{selection.pk}/")
    [frozen] = selection.frozen_orders
    assert (frozen.order_id, frozen.expiration) == (extended, former)
    assert frozen.undoes_id == job.items.get(order_uuid=extended).operation_id
    assert lena.get(answer["Location"]).status_code == 200


def test_a_cancel_has_no_undo(lena: Any) -> None:
    job = ended_job(D)
    assert buttons(lena.get(url(job))) == []
    refused = lena.post(url(job, "job_undo"))
    assert refused.status_code == 409
    assert "Nothing of this job can be undone any more" in plain(refused)


@pytest.mark.parametrize("name", ["job_stop", "job_resume", "job_retry", "job_run_remaining"])
def test_an_agent_sees_a_job_and_changes_nothing(as_role: Any, name: str) -> None:
    job = make_job()
    agent = as_role("agent")
    assert buttons(agent.get(url(job))) == []
    assert agent.post(url(job, name)).status_code == 403
    job.refresh_from_db()
    assert job.state == JobState.SCHEDULED


# --- CSV --------------------------------------------------------------------------------------


def test_the_results_as_csv(lena: Any) -> None:
    job = ended_job(D, F)
    job.items.filter(state=F).update(reason="rejected", detail="=1+1")
    answer = lena.get(url(job, "job_export"))
    assert answer["Content-Disposition"] == f'attachment; filename="job-{job.number}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(one["position"], one["outcome"], one["reason"], one["detail"]) for one in rows] == [
        ("1", "done", "", ""),
        ("2", "failed", "rejected", "'=1+1"),
    ]
    first = job.items.get(position=1)
    assert rows[0] | {"ended_at": ""} == {
        "position": "1",
        "order_id": str(first.order_uuid),
        "reference_id": "",
        "recipient_name": "Emma Novak",
        "recipient_email": "emma@post.example",
        "amount_usd": "44.10",
        "expires_at_before": "2099-03-01T12:00:00Z",
        "expires_at": "",
        "outcome": "done",
        "reason": "",
        "detail": "",
        "ended_at": "",
    }
    intent = AuditEntry.objects.intents().get(action=Action.ORDER_EXPORT)
    assert intent.detail == f"Job {job.number}: cancel 2 gifts"
    assert [end.detail for end in intent.outcomes.all()] == ["2 orders"]


# --- the list of jobs -------------------------------------------------------------------------


def job_rows(response: Any) -> list[int]:
    return [int(number) for number in re.findall(r'<tr id="job-(\d+)">', text(response))]


def test_the_list_has_what_waits_what_runs_and_what_has_ended(lena: Any, settings: Any) -> None:
    done, stopped = ended_job(D), ended_job(N, state=JobState.STOPPED)
    running = make_job(state=JobState.RUNNING)
    settings.BULK_APPROVAL_ABOVE = 3
    asked = make_job(by=actor("lead", "lee"))
    page = lena.get("/jobs/")
    assert job_rows(page) == [one.number for one in (asked, running, stopped, done)]
    assert re.findall(r'<h2 id="(\w+)"', text(page)) == ["awaiting", "running", "ended"]
    mine = lena.get("/jobs/", {"of": "mine"})
    assert job_rows(mine) == [one.number for one in (running, stopped, done)]


def test_a_poll_of_the_list_keeps_each_row_in_its_section(lena: Any) -> None:
    job = make_job(state=JobState.RUNNING)
    [asked] = re.findall(r'<div id="jobs"[^>]* hx-get="([^"]*)"', text(lena.get("/jobs/")))
    bulk.stop_job(actor=actor("lead", "lena"), job_id=job.pk, now=timezone.now())
    make_job()
    answer = lena.get(html.unescape(asked), headers=htmx("div#jobs"))
    assert job_rows(answer) == [job.number]
    assert re.findall(r'<h2 id="(\w+)"', text(answer)) == ["running"]
    assert "hx-trigger" not in text(answer)
    strange = lena.get("/jobs/", {"poll": "1", "running": "x.²." + "9" * 40})
    assert job_rows(strange) == [job.number]


@pytest.mark.parametrize("role", ["viewer", "agent"])
def test_who_may_read_orders_sees_all_jobs_but_is_offered_none(as_role: Any, role: str) -> None:
    reader = as_role(role)
    empty = plain(reader.get("/jobs/"))
    assert "No jobs yet When a lead extends or cancels many gifts at once" in empty
    job = make_job()
    page = reader.get("/jobs/")
    assert job_rows(page) == [job.number]
    assert 'aria-label="Whose jobs"' not in text(page)
    assert re.search('<a href="/jobs/"[^>]*>Jobs</a>', text(reader.get("/orders/")))


def test_ended_jobs_are_paged(lena: Any) -> None:
    for _ in range(26):
        ended_job(D)
    page = lena.get("/jobs/")
    assert len(job_rows(page)) == 25
    [older] = re.findall(r'href="([^"]*)" rel="next"', text(page))
    assert len(job_rows(lena.get(older))) == 1
