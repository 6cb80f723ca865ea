"""/audit/: one row for each intent with its outcome, filters, pages, and visibility by role."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from orders.audit import record_security_event
from orders.models import AuditEntry, Operation, Profile
from orders.views.audit import PER_PAGE
from testing.dialogs import open_and_submit, text, url

pytestmark = pytest.mark.django_db

AUDIT = "/audit/"


def rows(page: str) -> list[str]:
    return re.findall(r'<tr id="entry-(\d+)">', page)


def entry(at: datetime, **more: Any) -> AuditEntry:
    values: dict[str, Any] = {"actor_name": "Ana", "action": "system.key_check", "detail": "works"}
    return AuditEntry.objects.create(at=at, **values | more)


@pytest.fixture
def done(emulator: Any, as_role: Any) -> dict[str, Any]:
    """Ana canceled one gift and Ben extended another."""
    ana, ben = as_role("agent", "ana"), as_role("agent", "ben")
    canceled, extended = (order["id"] for order in emulator.find_orders(status="notified", limit=2))
    wish = {"reason": "duplicate", "note": "<twice>"}
    open_and_submit(ana, url("order_cancel", canceled), **wish)
    later = (datetime.now(UTC) + timedelta(days=300)).strftime("%Y-%m-%dT%H:%M:%SZ")
    wish = {"expiration": later, "may_shorten": "on"}
    open_and_submit(ben, url("order_expiration", extended), **wish)
    return {"ana": ana, "ben": ben, "canceled": canceled, "extended": extended}


def test_an_intent_and_its_outcome_are_one_row(as_role: Any, done: dict[str, Any]) -> None:
    page = text(as_role("lead").get(AUDIT))
    assert len(rows(page)) == 2
    operation = Operation.objects.get(action="order.cancel")
    for said in ("Ana", "Cancel gift", "Duplicate gift", "&lt;twice&gt;", "Notified → Canceled"):
        assert said in page
    link = reverse("operation", args=[operation.order_uuid, operation.id])
    assert f'<a href="{link}">Canceled</a>' in page
    assert url("order_detail", done["canceled"]) in page
    assert AuditEntry.objects.count() == 4


def test_an_agent_sees_their_own_and_no_filter_by_person(done: dict[str, Any]) -> None:
    page = text(done["ana"].get(AUDIT))
    assert len(rows(page)) == 1
    assert "Your own entries" in page
    assert 'name="person"' not in page
    assert "Change expiration</th>" not in page
    stranger = text(done["ana"].get(AUDIT, {"person": str(done["ben"].user.pk)}))
    assert rows(stranger) == rows(page)


def test_the_history_of_an_order_is_for_agents_too(done: dict[str, Any]) -> None:
    entry(datetime(2026, 3, 1, tzinfo=UTC), detail="a key check names no order")
    page = text(done["ana"].get(AUDIT, {"order": done["extended"]}))
    assert len(rows(page)) == 1
    assert "Change expiration</th>" in page
    assert "Everybody’s entries about this order" in page


def test_open_outcomes_are_counted_on_every_page_and_lead_to_their_entries(
    as_role: Any, done: dict[str, Any]
) -> None:
    link = 'href="/audit/?outcome=open"'
    assert link not in text(as_role("lead").get("/settings/"))
    for action in ("order.cancel", "order.extend"):
        Operation.objects.filter(action=action).update(state="unknown")
        made = 1 if action == "order.cancel" else 2
        page = text(as_role("lead").get("/settings/"))
        assert re.search(
            rf'{re.escape(link)}[^>]*>Outcomes <span class="count count--warn">{made}<', page
        )
    assert len(rows(text(as_role("lead").get(AUDIT, {"outcome": "open"})))) == 2
    # An agent counts and sees those of their own writes.
    assert '<span class="count count--warn">1<' in text(done["ana"].get("/settings/"))
    assert len(rows(text(done["ana"].get(AUDIT, {"outcome": "open"})))) == 1
    assert link not in text(as_role("viewer").get("/settings/"))
    Operation.objects.update(state="applied")
    assert link not in text(as_role("lead").get("/settings/"))


@pytest.mark.parametrize(
    ("state", "badge"),
    [("applied", ""), ("unknown", "warn"), ("needs_human", "warn"), ("refused", "bad")],
)
def test_an_outcome_that_needs_attention_is_a_badge(
    as_role: Any, done: dict[str, Any], state: str, badge: str
) -> None:
    Operation.objects.filter(action="order.cancel").update(state=state, confirmed_at=None)
    page = text(as_role("lead").get(AUDIT, {"action": "order.cancel"}))
    assert re.findall(r'<span class="badge badge--(\w+)">', page) == [badge] * bool(badge)


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"state": "unknown"}, "open"),
        ({"state": "needs_human"}, "open"),
        ({"state": "applied"}, "applied"),
        ({"state": "applied", "contradicted_at": datetime(2026, 3, 2, tzinfo=UTC)}, "otherwise"),
        ({"state": "refused"}, "without"),
        ({"state": "not_applied", "effect_seen_at": datetime(2026, 3, 2, tzinfo=UTC)}, "otherwise"),
    ],
)
def test_each_outcome_is_found_by_one_filter(
    as_role: Any, done: dict[str, Any], fields: dict[str, Any], outcome: str
) -> None:
    """What a later read showed otherwise is neither carried out nor not carried out."""
    Operation.objects.filter(action="order.cancel").update(**fields)
    lead = as_role("lead")
    counts = {
        name: len(rows(text(lead.get(AUDIT, {"action": "order.cancel", "outcome": name}))))
        for name in ("open", "applied", "without", "otherwise")
    }
    assert counts == {**dict.fromkeys(counts, 0), outcome: 1}


def test_an_active_filter_shows_its_value_and_can_be_removed_alone(
    as_role: Any, done: dict[str, Any]
) -> None:
    query = {"action": "order.cancel", "after": "2026-03-01", "before": "2026-03-01", "older": "9"}
    page = text(as_role("lead").get(AUDIT, query))
    shown = re.findall(r"<summary>(\w+): <b>(.*?)</b></summary>", page)
    assert shown == [("What", "Cancel gift"), ("When", "1 Mar 2026")]
    removed = [url.replace("&amp;", "&") for url in re.findall(r'remove" href="(.*?)"', page)]
    assert removed == [
        "/audit/?after=2026-03-01&before=2026-03-01",
        "/audit/?action=order.cancel",
    ]


def test_a_viewer_is_refused(as_role: Any) -> None:
    answer = as_role("viewer").get(AUDIT)
    assert answer.status_code == 403
    assert "Your role may not see the audit. An admin can make you an agent." in text(answer)


@pytest.mark.parametrize("role", ["lead", "admin"])
def test_security_events_are_for_leads(as_role: Any, done: dict[str, Any], role: str) -> None:
    record_security_event("cross_site", detail="Sec-Fetch-Site: <evil>")
    page = text(as_role(role).get(AUDIT, {"action": "security"}))
    assert len(rows(page)) == 1
    assert "Security: cross site" in page
    assert "&lt;evil&gt;" in page
    assert "Security" not in text(done["ana"].get(AUDIT))
    assert done["ana"].get(AUDIT, {"action": "security"}).status_code == 422


def test_audit_filters_narrow_the_entries(as_role: Any, done: dict[str, Any]) -> None:
    lead = as_role("lead")
    reference = Operation.objects.get(action="order.cancel").reference_id
    cancel = [str(AuditEntry.objects.get(action="order.cancel", intent=None).pk)]
    for query in (
        {"person": str(done["ana"].user.pk)},
        {"action": "order.cancel"},
        {"order": f" {done['canceled']} "},
        {"order": reference.lower()},
    ):
        assert rows(text(lead.get(AUDIT, query))) == cancel, query
    assert "No entry matches these filters." in text(lead.get(AUDIT, {"order": "NOSUCHREFERENCE"}))


def test_days_are_the_viewers_and_both_inclusive(as_role: Any) -> None:
    lead = as_role("lead")
    Profile.objects.update_or_create(user=lead.user, defaults={"time_zone": "America/New_York"})
    instants = [
        datetime(2026, 3, 8, 4, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 8, 5, 0, tzinfo=UTC),
        # The clocks went forward on this day: it ends an hour earlier in UTC.
        datetime(2026, 3, 9, 3, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 9, 4, 0, tzinfo=UTC),
    ]
    made = [str(entry(at).pk) for at in instants]
    found = rows(text(lead.get(AUDIT, {"after": "2026-03-08", "before": "2026-03-08"})))
    assert found == [made[2], made[1]]


@pytest.mark.parametrize(
    ("query", "sentence", "kept"),
    [
        ({"after": "soon<"}, "This is not a date.", 'value="soon&lt;"'),
        ({"before": "2026-02-30"}, "This is not a date.", 'value="2026-02-30"'),
        (
            {"after": "2026-03-02", "before": "2026-03-01"},
            "The first day lies after the last one",
            'value="2026-03-02"',
        ),
        ({"action": "dance"}, "There is no action like that.", ""),
        ({"person": "x"}, "There is nobody like that in the audit.", ""),
        ({"order": "x" * 101}, "at most 100 characters", "x" * 101),
    ],
)
def test_invalid_filters_are_explained_and_kept(
    as_role: Any, query: dict[str, str], sentence: str, kept: str
) -> None:
    entry(datetime(2026, 3, 1, tzinfo=UTC))
    answer = as_role("lead").get(AUDIT, query)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert kept in text(answer)
    assert rows(text(answer)) == []


def test_pages_go_by_key_and_keep_the_filters(as_role: Any) -> None:
    lead = as_role("lead")
    at = datetime(2026, 3, 1, tzinfo=UTC)
    made = [str(entry(at + timedelta(seconds=n)).pk) for n in range(PER_PAGE * 2 + 3)]
    newest_first = made[::-1]
    first = lead.get(AUDIT, {"action": "system.key_check"})
    assert rows(text(first)) == newest_first[:PER_PAGE]
    assert 'rel="prev"' not in text(first)
    second = lead.get(link(first, "next"))
    assert rows(text(second)) == newest_first[PER_PAGE : PER_PAGE * 2]
    third = lead.get(link(second, "next"))
    assert rows(text(third)) == newest_first[PER_PAGE * 2 :]
    assert 'rel="next"' not in text(third)
    back = lead.get(link(third, "prev"))
    assert rows(text(back)) == rows(text(second))
    assert "action=system.key_check" in link(back, "prev")


def link(response: Any, rel: str) -> str:
    found = re.search(rf'href="([^"]+)" rel="{rel}"', text(response))
    assert found is not None
    return found[1].replace("&amp;", "&")


@pytest.mark.parametrize("older", ["x", "-1", "9" * 30, "٣"])
def test_invalid_position_shows_the_first_page(as_role: Any, older: str) -> None:
    made = entry(datetime(2026, 3, 1, tzinfo=UTC))
    assert rows(text(as_role("lead").get(AUDIT, {"older": older}))) == [str(made.pk)]


def test_the_number_of_queries_does_not_grow_with_the_rows(
    as_role: Any, django_assert_max_num_queries: Any, done: dict[str, Any]
) -> None:
    lead = as_role("lead")
    with django_assert_max_num_queries(14) as few:
        lead.get(AUDIT)
    for n in range(10):
        entry(datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=n))
    with django_assert_max_num_queries(len(few)):
        lead.get(AUDIT)


def test_empty_audit_has_an_explanation(as_role: Any) -> None:
    assert "Nothing has been done yet." in text(as_role("lead").get(AUDIT))


def test_a_post_is_refused(as_role: Any) -> None:
    assert as_role("lead").post(AUDIT).status_code == 405


@pytest.mark.parametrize("name", ["after", "before"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1999-12-31"])
def test_a_day_that_no_zone_can_hold_is_refused_with_a_sentence(
    as_role: Any, name: str, day: str
) -> None:
    client = as_role("lead")
    Profile.objects.create(user=client.user, time_zone="Asia/Tokyo")
    answer = client.get(AUDIT, {name: day})
    assert answer.status_code == 422
    assert "Give a day between 2000 and 2100." in text(answer)
    assert f'value="{day}"' in text(answer)
