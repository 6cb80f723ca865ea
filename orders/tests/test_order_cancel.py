"""/orders/<uuid>/cancel/: the dialog, its refusals, and the content that replaces it."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from html import escape, unescape
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from orders.formats import date_time
from orders.models import AuditEntry, Operation, Profile, State
from testing.dialogs import dialog, fields, hidden, htmx, open_and_submit, text, url
from testing.domain import failing_statements, store_operation

pytestmark = pytest.mark.django_db

LIST = "/orders/?per_page=25"
WISH = {"reason": "duplicate", "note": "sent <twice>", "ticket": "https://tickets.test/7"}


@pytest.fixture
def order_id(emulator: Any) -> str:
    found: str = emulator.find_order_id(status="notified")
    return found


def cancel_url(order_id: str, next_url: str = LIST) -> str:
    return url("order_cancel", order_id, next=next_url)


def heading(answer: Any) -> str:
    found = re.search(r'id="dialog-title">([^<]*)<', text(answer))
    assert found
    return unescape(found[1])


def only() -> Operation:
    return Operation.objects.get()


def test_the_dialog_says_what_is_at_stake(emulator: Any, as_role: Any, order_id: str) -> None:
    order = emulator.get_order(order_id)
    page = text(as_role("agent").get(cancel_url(order_id), headers=dialog()))
    cents = order["amounts"]["amount_pre_tax_total"]
    assert page.strip().startswith('<div class="dialog__content"')
    assert f"about ${cents / 100:,.2f} before tax" in page
    assert "loses the gift, which cannot be accepted any more." in page
    assert "What its link shows then is not documented." in page
    assert ">Cannot be undone</p>" in page
    assert "Whether Goody tells the recipient is not documented." in page
    assert "autofocus>Keep gift</a>" in page


def test_the_dialog_counts_the_other_items_of_the_gift(emulator: Any, as_role: Any) -> None:
    items = [{"quantity": 2, "product": {"name": "Tea"}}, {"product": {"name": "Jam"}}]
    order_id = emulator.create_orders(status="notified", cart={"items": items})[0]["id"]
    page = text(as_role("agent").get(cancel_url(order_id), headers=dialog()))
    assert "<bdi>2 × Tea +1</bdi>" in page


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\u202eevil", "evil"),
        ("נועה", "נועה"),
        ("   ", "Unnamed recipient"),
        ("\u200b", "Unnamed recipient"),
    ],
    ids=["turned around", "right to left", "spaces", "invisible"],
)
def test_recipient_is_readable_wherever_named(
    emulator: Any, as_role: Any, name: str, shown: str
) -> None:
    given = {"recipient_first_name": name, "recipient_last_name": None}
    order_id = emulator.create_orders(status="notified", **given)[0]["id"]
    client = as_role("agent")
    answer = client.get(cancel_url(order_id), headers=dialog())
    assert heading(answer) == f"Cancel the gift for \u2068{shown}\u2069?"
    assert f"<li><bdi>{shown}</bdi> loses the gift" in text(answer)
    assert f"<h1><bdi>{shown}</bdi></h1>" in text(client.get(url("order_detail", order_id)))
    assert f'{order_id}/">{shown}</a>' in text(client.get(LIST))


def test_opening_the_dialog_sends_nothing(emulator: Any, as_role: Any, order_id: str) -> None:
    as_role("agent").get(cancel_url(order_id))
    assert emulator.posts() == 0
    assert Operation.objects.count() == 0


def test_each_dialog_has_a_key_of_its_own(as_role: Any, order_id: str) -> None:
    client = as_role("agent")
    keys = {hidden(client.get(cancel_url(order_id)))["form_key"] for _ in range(3)}
    assert len(keys) == 3


def test_without_javascript_the_operation_page_follows(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    answer = open_and_submit(as_role("agent"), cancel_url(order_id), **WISH)
    operation = only()
    assert answer.status_code == 303
    assert answer["Location"] == reverse(
        "operation", args=[order_id, operation.id], query={"next": LIST}
    )
    assert operation.state == State.APPLIED
    assert (operation.reason, operation.note, operation.ticket) == tuple(WISH.values())
    assert emulator.get_order(order_id)["status"] == "failed"
    assert emulator.posts() == 1


def test_from_the_list_the_row_is_replaced_by_goodys_answer(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    answer = open_and_submit(as_role("agent"), cancel_url(order_id), headers=dialog(LIST), **WISH)
    assert answer.status_code == 200
    assert answer["HX-Retarget"] == f"#order-{order_id}"
    assert answer["HX-Reswap"] == "outerHTML"
    assert answer["HX-Trigger"] == "dialog-close"
    page = text(answer)
    assert page.strip().startswith(f'<tr id="order-{order_id}"')
    assert 'data-status="failed"' in page
    assert re.search(r'<span class="badge [^"]*">Canceled</span>', page)
    assert '<hx-partial hx-target="#toasts" hx-swap="beforeend">' in page
    order = emulator.get_order(order_id)
    name = " ".join(filter(None, (order["recipient_first_name"], order["recipient_last_name"])))
    assert f"<strong>Canceled: {escape(name)}</strong>" in page


def test_from_the_detail_the_detail_is_replaced(as_role: Any, order_id: str) -> None:
    there = url("order_detail", order_id, next=LIST)
    answer = open_and_submit(as_role("agent"), cancel_url(order_id), headers=dialog(there), **WISH)
    assert answer["HX-Retarget"] == "#order-detail"
    page = text(answer)
    assert page.strip().startswith('<div id="order-detail"')
    assert "<strong>Agent</strong> canceled the gift" in page
    assert "sent &lt;twice&gt;" in page
    assert "Duplicate gift" in page


def test_from_anywhere_else_the_operation_page_follows(as_role: Any, order_id: str) -> None:
    headers = dialog("/audit/")
    answer = open_and_submit(as_role("agent"), cancel_url(order_id), headers=headers, **WISH)
    assert answer["HX-Redirect"] == reverse(
        "operation", args=[order_id, only().id], query={"next": LIST}
    )


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "Choose a reason."),
        ({"reason": "mischief"}, "Choose a reason."),
        ({"reason": "other", "note": ""}, "Say in a few words what the other reason is."),
        ({"reason": "other", "note": "   "}, "Say in a few words what the other reason is."),
        (
            {"reason": "other", "note": "\u200b\u2800\r\n\ufeff"},
            "Say in a few words what the other",
        ),
        (
            {"reason": "duplicate", "ticket": "x" * 101},
            "Give the ticket&#x27;s web address, or a reference of at most 100 characters.",
        ),
        (
            {"reason": "duplicate", "ticket": f"ftp://tickets.test/{'1' * 100}"},
            "Give the ticket&#x27;s web address, or a reference of at most 100 characters.",
        ),
        (
            {"reason": "duplicate", "ticket": f"https://tickets.test/{'1' * 500}"},
            "A ticket&#x27;s address has at most 500 characters.",
        ),
    ],
)
def test_bad_input_is_kept_and_nothing_is_sent(
    emulator: Any, as_role: Any, order_id: str, typed: dict[str, str], sentence: str
) -> None:
    client = as_role("agent")
    opened = client.get(cancel_url(order_id), headers=dialog())
    calls = emulator.calls()["total"]
    wish = {"note": "kept <note>"} | typed
    answer = client.post(cancel_url(order_id), {**hidden(opened), **wish}, headers=dialog())
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert Operation.objects.count() == 0
    # An invalid form keeps its key and its snapshot.
    assert hidden(answer) == hidden(opened)
    assert fields(answer).checked.get("reason", "") == (
        typed.get("reason", "") if typed.get("reason") != "mischief" else ""
    )
    if "note" not in typed:
        assert "kept &lt;note&gt;" in text(answer)
    assert emulator.calls()["total"] == calls


@pytest.mark.parametrize("damage", ["snapshot", "form_key"])
@pytest.mark.parametrize("value", ["", "damaged"])
def test_a_damaged_form_is_refused_with_a_fresh_one(
    emulator: Any, as_role: Any, order_id: str, damage: str, value: str
) -> None:
    client = as_role("agent")
    given = hidden(client.get(cancel_url(order_id)))
    answer = client.post(cancel_url(order_id), {**given, **WISH, damage: value})
    assert answer.status_code == 422
    assert "Nothing was sent" in text(answer)
    assert hidden(answer)["form_key"] != given["form_key"]
    again = client.post(cancel_url(order_id), {**hidden(answer), **WISH})
    assert again.status_code == 303
    assert emulator.posts() == 1


def test_signed_snapshot_of_another_order_are_rejected(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    client = as_role("agent")
    other = emulator.find_orders(status="notified")[1]["id"]
    given = hidden(client.get(cancel_url(other)))
    assert client.post(cancel_url(order_id), {**given, **WISH}).status_code == 422
    assert emulator.posts() == 0


def test_repeated_submit_leads_to_the_same_operation(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    client = as_role("agent")
    given = {**hidden(client.get(cancel_url(order_id))), **WISH}
    first = client.post(cancel_url(order_id), given)
    second = client.post(cancel_url(order_id), given)
    assert (second.status_code, second["Location"]) == (303, first["Location"])
    assert emulator.posts() == 1


def test_form_key_with_other_values_is_a_conflict(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    client = as_role("agent")
    given = {**hidden(client.get(cancel_url(order_id))), **WISH}
    client.post(cancel_url(order_id), given)
    answer = client.post(cancel_url(order_id), given | {"note": "else"}, headers=dialog())
    assert answer.status_code == 409
    assert "This form was used already, for something else" in text(answer)
    # The first submit has changed it.
    assert heading(answer) == "This attempt was not carried out"
    assert emulator.posts() == 1


def test_changed_order_is_not_written_and_the_difference_is_shown(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    client = as_role("agent")
    given = {**hidden(client.get(cancel_url(order_id))), **WISH}
    emulator.change_order(order_id, status="opened")
    answer = client.post(cancel_url(order_id), given, headers=dialog())
    assert answer.status_code == 200
    assert "HX-Retarget" not in answer
    assert "Status: Notified → Opened" in text(answer)
    assert "Nothing was sent." in text(answer)
    assert only().state == State.REFUSED
    assert emulator.posts() == 0


def test_an_accepted_gift_has_no_form(emulator: Any, as_role: Any) -> None:
    order_id = emulator.find_order_id(status="accepted")
    page = as_role("agent").get(cancel_url(order_id))
    assert page.status_code == 200
    assert "Cannot be canceled: the recipient accepted it." in text(page)
    assert hidden(page) == {}
    assert behind(page) is None


def behind(answer: Any) -> tuple[str, str] | None:
    """Return the target and the content that replace the order on the page behind the dialog."""
    found = re.search(
        r'<hx-partial hx-target="(.*?)" hx-swap="outerHTML">(.*?)</hx-partial>', text(answer), re.S
    )
    return (found[1], found[2]) if found else None


@pytest.mark.parametrize("is_sent", [True, False], ids=["submitted", "opened"])
def test_a_dialog_without_an_action_updates_the_order_behind_it(
    emulator: Any, as_role: Any, order_id: str, is_sent: bool
) -> None:
    client, there = as_role("agent"), url("order_detail", order_id)
    given = {**hidden(client.get(cancel_url(order_id), headers=dialog(there))), **WISH}
    emulator.change_order(order_id, status="accepted")
    for page, target, mark in (
        (LIST, f"#order-{order_id}", f'<tr id="order-{order_id}"'),
        (there, "#order-detail", '<div id="order-detail"'),
    ):
        if is_sent:
            answer = client.post(cancel_url(order_id), given, headers=dialog(page))
            given["form_key"] = str(uuid4())
        else:
            answer = client.get(cancel_url(order_id), headers=dialog(page))
        found = behind(answer)
        assert found
        assert found[0] == target
        assert found[1].strip().startswith(mark)
        assert 'data-status="accepted"' in found[1]
        assert "/cancel/" not in found[1]
    assert behind(client.get(cancel_url(order_id), headers=dialog("/audit/"))) is None


def test_behind_a_dialog_with_a_form_nothing_is_replaced(as_role: Any, order_id: str) -> None:
    client = as_role("agent")
    opened = client.get(cancel_url(order_id), headers=dialog(LIST))
    slip = client.post(cancel_url(order_id), hidden(opened), headers=dialog(LIST))
    assert (opened.status_code, slip.status_code) == (200, 422)
    assert behind(opened) is behind(slip) is None


def test_refusal_by_goody_is_shown_with_its_message(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    emulator.add_fault(
        {"kind": "status", "status": 422, "text": "Too <late>"}, method="POST", path="/v1/orders/"
    )
    answer = open_and_submit(as_role("agent"), cancel_url(order_id), headers=dialog(), **WISH)
    assert "Goody refused: Too &lt;late&gt;." in text(answer)
    assert only().state == State.REFUSED


def test_outage_shows_the_copy_without_a_form(emulator: Any, as_role: Any, order_id: str) -> None:
    client = as_role("agent")
    client.get(url("order_detail", order_id))
    emulator.add_fault({"kind": "status", "status": 503}, path="/v1/orders/")
    answer = client.get(cancel_url(order_id), headers=dialog())
    assert "The order could not be read just now, so nothing can be sent" in text(answer)
    assert hidden(answer) == {}
    emulator.clear_faults()
    assert "form_key" in hidden(client.get(cancel_url(order_id), headers=dialog()))


@pytest.mark.django_db(transaction=True)
def test_missing_order_has_no_form_even_if_it_cannot_be_flagged(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    client = as_role("agent")
    client.get(url("order_detail", order_id))
    emulator.add_fault({"kind": "status", "status": 404}, path="/v1/orders/")
    with failing_statements("orders_order", "UPDATE"):
        answer = client.get(cancel_url(order_id), headers=dialog())
    assert "Goody does not know this order" in text(answer)
    assert hidden(answer) == {}


def test_goody_down_without_a_copy_stays_in_the_dialog(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    emulator.add_fault({"kind": "status", "status": 503}, path="/v1/orders/", times=None)
    answer = as_role("agent").get(cancel_url(order_id), headers=dialog())
    assert answer.status_code == 503
    assert "Goody reported an internal error" in text(answer)
    assert text(answer).strip().startswith('<div class="dialog__content"')
    assert hidden(answer) == {}


def test_lost_answer_is_shown_as_being_checked(emulator: Any, as_role: Any, order_id: str) -> None:
    emulator.add_fault({"kind": "apply_then_reset"}, method="POST", path="/v1/orders/")
    answer = open_and_submit(as_role("agent"), cancel_url(order_id), headers=dialog(LIST), **WISH)
    assert only().state == State.UNKNOWN
    assert answer["HX-Retarget"] == f"#order-{order_id}"
    assert "Outcome being checked" in text(answer)
    assert 'hx-trigger="every 2s"' in text(answer)
    assert "<strong>Canceled:" not in text(answer)
    assert emulator.posts() == 1


@pytest.mark.parametrize(
    ("status", "shown"),
    [(400, "Canceled at Goody"), (409, "Canceled at Goody"), (429, "Outcome being checked")],
)
def test_the_dialog_of_a_refusal_says_that_the_order_is_canceled(
    emulator: Any, as_role: Any, order_id: str, status: int, shown: str
) -> None:
    fault = {"kind": "apply_then_status", "status": status, "headers": {"Retry-After": "60"}}
    emulator.add_fault(fault, method="POST", path="/v1/orders/")
    answer = open_and_submit(as_role("agent"), cancel_url(order_id), headers=dialog(), **WISH)
    assert heading(answer) == shown
    assert "This page updates by itself" not in text(answer)
    assert emulator.posts() == 1


def test_second_person_sees_who_started_the_operation(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    ana, ben = as_role("agent", "ana"), as_role("agent", "ben")
    given = {**hidden(ben.get(cancel_url(order_id))), **WISH}
    emulator.add_fault({"kind": "cut"}, method="POST", path="/v1/orders/")
    open_and_submit(ana, cancel_url(order_id), **WISH)
    answer = ben.post(cancel_url(order_id), given, headers=dialog())
    assert answer.status_code == 409
    says = r"Ana asked to cancel this gift \(\d\d:\d\d UTC\); the outcome is being checked\."
    assert re.search(says, text(answer))
    assert str(only().id) in text(answer)
    # Her request may have arrived.
    assert heading(answer) == "This attempt was not carried out"
    opened = ben.get(cancel_url(order_id), headers=dialog())
    assert hidden(opened) == {}


def test_an_outcome_that_needs_a_human_for_days_has_a_date(as_role: Any, order_id: str) -> None:
    past = timezone.now() - timedelta(days=3)
    store_operation(
        order_uuid=order_id,
        state=State.NEEDS_HUMAN,
        created_at=past,
        sent_at=past,
        unknown_at=past,
    )
    client, asked = as_role("agent"), date_time(past, ZoneInfo("UTC"))
    page = text(client.get(cancel_url(order_id)))
    assert f"Agent asked to cancel this gift ({asked}); the outcome needs a person." in page
    row = {"HX-Request": "true", "HX-Target": f"tr#order-{order_id}"}
    shown = text(client.get(url("order_detail", order_id), headers=row))
    assert f'title="Agent, {asked}">Needs a person</a>' in shown


def test_the_poll_returns_the_outcome(emulator: Any, as_role: Any, order_id: str) -> None:
    client = as_role("agent")
    emulator.add_fault({"kind": "apply_then_reset"}, method="POST", path="/v1/orders/")
    open_and_submit(client, cancel_url(order_id), headers=dialog(LIST), **WISH)
    row = {"HX-Request": "true", "HX-Target": f"tr#order-{order_id}"}
    poll = url("order_detail", order_id, poll="1")
    assert "Outcome being checked" in text(client.get(poll, headers=row))
    client.get(url("order_detail", order_id))
    settled = text(client.get(poll, headers=row))
    assert only().state == State.APPLIED
    assert "<strong>Canceled:" in settled
    assert "hx-trigger" not in settled.partition("</tr>")[0]


@pytest.mark.parametrize("state", [State.NOT_APPLIED, State.REFUSED, State.NOT_SENT])
def test_a_poll_shows_a_failure_in_the_row_without_a_toast(
    emulator: Any, as_role: Any, order_id: str, state: State
) -> None:
    client = as_role("agent")
    emulator.add_fault({"kind": "cut"}, method="POST", path="/v1/orders/")
    open_and_submit(client, cancel_url(order_id), headers=dialog(LIST), **WISH)
    sent_at = timezone.now() if state == State.NOT_APPLIED else None
    Operation.objects.update(state=state, closed_at=timezone.now(), sent_at=sent_at)
    row = htmx(f"tr#order-{order_id}")
    settled = text(client.get(url("order_detail", order_id, poll="unknown-2s"), headers=row))
    assert "data-toast" not in settled
    told = re.search(r'<span class="failure" role="alert">.*?</span>', settled)
    assert told
    assert str(only().id) in told[0]
    assert "Not canceled" in told[0]
    assert "hx-trigger" not in settled


def test_repeated_submit_of_a_failed_write_leads_to_its_page(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    client = as_role("agent")
    given = {**hidden(client.get(cancel_url(order_id))), **WISH}
    emulator.add_fault({"kind": "cut"}, method="POST", path="/v1/orders/")
    client.post(cancel_url(order_id), given)
    Operation.objects.update(state=State.NOT_APPLIED, closed_at=timezone.now())
    answer = client.post(cancel_url(order_id), given, headers=dialog(LIST))
    assert "data-toast" not in text(answer)
    assert answer["HX-Redirect"].startswith(f"/orders/{order_id}/operations/{only().id}/")


@pytest.mark.parametrize(
    ("fault", "title"),
    [
        (None, "<strong>Ana</strong> canceled the gift"),
        ({"kind": "apply_then_reset"}, "<strong>Ana</strong> asked to cancel the gift"),
    ],
)
def test_only_an_answer_of_goody_is_shown_as_canceled_by_us(
    emulator: Any, as_role: Any, order_id: str, fault: Any, title: str
) -> None:
    client = as_role("agent", "ana")
    if fault:
        emulator.add_fault(fault, method="POST", path="/v1/orders/")
    open_and_submit(client, cancel_url(order_id), **WISH)
    page = text(client.get(url("order_detail", order_id)))
    assert only().state == State.APPLIED
    assert title in page
    assert ("canceled the gift" in page) == (fault is None)
    assert ("perhaps by our request of " in page) == (fault is not None)


@pytest.mark.parametrize("state", [State.APPLIED, State.NOT_APPLIED, State.REFUSED])
def test_an_outcome_known_from_a_read_has_the_same_words_everywhere(
    emulator: Any, as_role: Any, order_id: str, state: State
) -> None:
    """The operation was applied by a read, or closed without proof and shown as canceled later."""
    lead = as_role("lead")
    emulator.add_fault({"kind": "cut"}, method="POST", path="/v1/orders/", times=1)
    open_and_submit(lead, cancel_url(order_id), **WISH)
    if state != State.APPLIED:
        Operation.objects.update(state=state, closed_at=timezone.now(), after={})
    emulator.change_order(order_id, status="failed")
    detail = text(lead.get(url("order_detail", order_id)))
    done = only()
    assert (done.state, done.effect_seen_at is None) == (state, False)
    seen_at, sent_at = (date_time(at, UTC) for at in (done.effect_seen_at, done.sent_at))
    sentence = (
        f"Canceled at Goody since {seen_at} at the latest, perhaps by our request of {sent_at}, "
        "perhaps by somebody else."
    )
    own_page_from_header = text(lead.get(reverse("operation", args=[order_id, done.id])))
    audit = text(lead.get(reverse("audit")))
    assert [sentence in page for page in (detail, own_page_from_header, audit)] == [True] * 3
    assert "outside this dashboard" not in detail
    assert "Not canceled" not in detail + own_page_from_header + audit


@pytest.mark.parametrize(
    ("zone", "said"), [("Asia/Tokyo", "6 May 2099, 16:08 JST"), ("UTC", "6 May 2099, 07:08 UTC")]
)
def test_the_difference_uses_the_time_zone_of_the_dialog(
    emulator: Any, as_role: Any, order_id: str, zone: str, said: str
) -> None:
    client = as_role("agent")
    Profile.objects.create(user=client.user, time_zone=zone)
    given = {**hidden(client.get(cancel_url(order_id))), **WISH}
    emulator.change_order(order_id, expires_at="2099-05-06T07:08:00Z")
    assert f"→ {said}." in text(client.post(cancel_url(order_id), given, headers=dialog()))


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_viewer_is_refused(emulator: Any, as_role: Any, order_id: str, method: str) -> None:
    answer = getattr(as_role("viewer"), method)(cancel_url(order_id))
    assert answer.status_code == 403
    assert "Your role may not cancel gifts. An admin can make you an agent." in text(answer)
    assert emulator.calls()["total"] == 0


def test_unknown_order_is_404(emulator: Any, as_role: Any) -> None:
    assert as_role("agent").get(cancel_url(str(uuid4()))).status_code == 404


def test_the_audit_is_exact(as_role: Any, order_id: str) -> None:
    client = as_role("agent")
    open_and_submit(client, cancel_url(order_id), **WISH)
    intent, outcome = AuditEntry.objects.order_by("id")
    assert (intent.actor, intent.action, str(intent.order_uuid)) == (
        client.user,
        "order.cancel",
        order_id,
    )
    assert (intent.reason, intent.note, intent.ticket) == tuple(WISH.values())
    assert (outcome.intent, outcome.outcome) == (intent, State.APPLIED)


def test_the_whole_page_works_without_htmx_even_where_there_is_javascript(
    as_role: Any, order_id: str
) -> None:
    client = as_role("agent")
    assert "hx-post" not in text(client.get(cancel_url(order_id)))
    assert "hx-post" in text(client.get(cancel_url(order_id), headers=dialog()))


def test_a_poll_that_finds_nothing_new_replaces_nothing(
    emulator: Any, as_role: Any, order_id: str
) -> None:
    client, there = as_role("agent"), url("order_detail", order_id)
    emulator.add_fault({"kind": "apply_then_reset"}, method="POST", path="/v1/orders/")
    shown = text(open_and_submit(client, cancel_url(order_id), headers=dialog(there), **WISH))
    poll = re.search(r'hx-get="([^"]*poll=[^"]*)"', shown)
    assert poll is not None
    address, part = unescape(poll[1]), htmx("div#order-detail", there)
    assert client.get(address, headers=part).status_code == 204
    client.get(there)
    settled = client.get(address, headers=part)
    assert settled.status_code == 200
    assert "<strong>Canceled:" in text(settled)
    assert "hx-trigger" not in text(settled)
