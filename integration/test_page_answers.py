"""Complete but unexpected answers and refusals: the pages and the stored data.

test_page_faults.py tests broken and missing answers.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from integration.faults import CHECKED
from integration.pages import (
    DIALOG,
    LIST,
    WAITS,
    WRITES,
    Json,
    cancel_fields,
    extend_fields,
    no_bug_was_logged,
    outcomes,
    read,
    submit,
    the_operation,
)
from orders.formats import date_time
from orders.models import Anomaly, ApiLimits, Operation, Order, State
from testing.domain import ORDER_ID, goody_time, in_days
from testing.processes import hidden_fields
from testing.vendor import Emulator

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("patient")]

each_write = pytest.mark.parametrize("write", WRITES)


def an_open_order(emulator: Emulator) -> str:
    return emulator.find_order_id(status="opened", no_expiry="false")


# --- Answers to a write -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [{"id": str(ORDER_ID)}, {"status": "opened"}, {"status": "teleported"}],
    ids=["another order", "not canceled", "unknown status"],
)
def test_an_answer_that_contradicts_the_request_is_no_success(
    changed: Json, emulator: Emulator, as_role: Any
) -> None:
    client, order_id = as_role("agent"), an_open_order(emulator)
    fields = cancel_fields(client, order_id)
    emulator.add_fault({"kind": "mutate", "set": changed}, method="POST")
    answer = submit(client, f"/orders/{order_id}/cancel/", fields)
    outcome_page = read(client.get(answer.headers["Location"]))
    assert CHECKED in outcome_page
    assert "Goody's answer contradicts the request." in outcome_page
    assert (the_operation().state, the_operation().failure_kind) == (
        "unknown",
        "contradiction",
    )
    assert not Order.objects.filter(uuid=ORDER_ID).exists()
    assert emulator.posts() == 1


def test_answer_with_another_expiration_is_no_success(emulator: Emulator, as_role: Any) -> None:
    client, order_id = as_role("agent"), an_open_order(emulator)
    fields = extend_fields(client, order_id)
    other = {"kind": "mutate", "set": {"expires_at": goody_time(in_days(98))}}
    emulator.add_fault(other, method="POST")
    answer = submit(client, f"/orders/{order_id}/expiration/", fields)
    outcome_page = read(client.get(answer.headers["Location"]))
    assert "Goody's answer contradicts the request." in outcome_page
    assert the_operation().state == State.UNKNOWN


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_both_of_goodys_words_for_canceled_are_canceled(
    status: str, emulator: Emulator, as_role: Any
) -> None:
    client, order_id = as_role("agent"), str(emulator.find_orders()[0]["id"])
    emulator.change_order(order_id, status="opened")
    fields = cancel_fields(client, order_id)
    emulator.set_switches(cancel_status=status)
    answer = submit(client, f"/orders/{order_id}/cancel/", fields)
    assert "Goody confirmed it." in read(client.get(answer.headers["Location"]))
    for page in both_pages(client, order_id):
        assert ">Canceled<" in page
    assert outcomes() == ["", "applied"]
    assert emulator.posts() == 1


@each_write
def test_an_order_that_goody_does_not_know_is_flagged_and_kept(
    write: str, emulator: Emulator, as_role: Any
) -> None:
    client, order_id = as_role("agent"), an_open_order(emulator)
    path, fields = f"/orders/{order_id}/{write}/", WRITES[write](client, order_id)
    emulator.add_fault({"kind": "status", "status": 404}, path=f"/v1/orders/{order_id}")
    outcome_page = read(client.get(submit(client, path, fields).headers["Location"]))
    assert (
        "Goody answered that it does not know this order, or that this key may not see it."
        in outcome_page
    )
    assert "Check that this is the right environment." in outcome_page
    assert (the_operation().state, the_operation().failure_kind) == (
        "refused",
        "not_found",
    )
    assert Order.objects.get().missing_at is not None
    shown = client.get(f"/orders/{order_id}/")
    assert shown.status_code == 200
    assert "Goody does not know this order (right environment?)" in read(shown)
    assert "form_key" not in read(client.get(path))
    assert emulator.posts() == 0


def test_an_order_nobody_has_seen_is_a_404_in_words(emulator: Emulator, as_role: Any) -> None:
    answer = as_role("agent").get(f"/orders/{ORDER_ID}/")
    assert answer.status_code == 404
    assert "Goody does not know this order" in read(answer)


@each_write
def test_a_404_to_the_write_itself_is_a_refusal(
    write: str, emulator: Emulator, as_role: Any
) -> None:
    client, order_id = as_role("agent"), an_open_order(emulator)
    path, fields = f"/orders/{order_id}/{write}/", WRITES[write](client, order_id)
    emulator.add_fault({"kind": "status", "status": 404}, method="POST")
    assert "Goody answered that it does not know this order" in read(
        submit(client, path, fields, DIALOG)
    )
    assert the_operation().state == State.REFUSED
    assert Order.objects.count() == 1
    assert emulator.posts() == 1


def test_a_rejected_key_stops_everything_until_an_admin_tries_it_again(
    emulator: Emulator, as_role: Any
) -> None:
    agent, admin = as_role("agent"), as_role("admin")
    order_id = an_open_order(emulator)
    fields = cancel_fields(agent, order_id)
    emulator.add_fault({"kind": "status", "status": 401}, times=1)
    assert "Connection problem" in read(agent.get(LIST))
    calls = emulator.calls()["total"]
    for_admin = admin.get(LIST)
    assert for_admin.status_code == 503
    assert "API key rejected" in read(for_admin)
    refused = submit(agent, f"/orders/{order_id}/cancel/", fields, DIALOG)
    assert "This dashboard had no working connection to Goody." in read(refused)
    assert the_operation().state == State.REFUSED
    # Only admins see the owner of the key.
    shown = [read(one.get(f"/orders/{order_id}/")) for one in (agent, admin)]
    assert all(
        "This is our copy. Nothing can be changed until Goody answers." in page for page in shown
    )
    assert ["API key" in page for page in shown] == [False, True]
    assert emulator.calls()["total"] == calls
    assert admin.post("/system/").status_code == 200
    assert agent.get(LIST).status_code == 200
    assert emulator.posts() == 0


def test_a_wait_is_kept_by_everybody_and_is_a_quarter_of_an_hour_at_most(
    emulator: Emulator, as_role: Any
) -> None:
    client = as_role("agent")
    emulator.add_fault(
        {"kind": "status", "status": 429, "headers": {"Retry-After": "36000"}}, times=1
    )
    now = timezone.now()
    first = client.get(LIST)
    calls = emulator.calls()["total"]
    for answer in (first, as_role("viewer").get(LIST)):
        assert WAITS in read(answer)
        assert 890 <= int(answer.headers["Retry-After"]) <= 900
    assert emulator.calls()["total"] == calls
    paused = ApiLimits.objects.get().paused_until
    assert paused is not None
    assert 895 <= (paused - now).total_seconds() <= 910


# --- Fields that are not as documented --------------------------------------------------------


def both_pages(client: Client, order_id: object) -> tuple[str, str]:
    """Return the row of the list and the order's page."""
    listed, shown = client.get(LIST), client.get(f"/orders/{order_id}/")
    assert (listed.status_code, shown.status_code) == (200, 200)
    page = listed.content.decode()
    start = page.index(f'<tr id="order-{order_id}"')
    row = page[start : page.index("</tr>", start)]
    listed.content = row.encode()
    return read(listed), read(shown)


@pytest.mark.parametrize("status", ["teleported", "<b>bold</b>", "OPENED"])
def test_an_unknown_status_is_shown_as_it_came_and_allows_nothing(
    status: str, emulator: Emulator, as_role: Any
) -> None:
    client, order_id = as_role("agent"), str(emulator.find_orders()[0]["id"])
    emulator.change_order(order_id, status=status)
    for page in both_pages(client, order_id):
        assert f"Unknown: {status}" in page
        assert f"/orders/{order_id}/cancel/" not in page
        assert f"/orders/{order_id}/expiration/" not in page
    assert b"<b>" not in client.get(f"/orders/{order_id}/").content
    for write in WRITES:
        dialog = read(client.get(f"/orders/{order_id}/{write}/"))
        assert "a status that this dashboard does not know" in dialog
        assert "form_key" not in dialog
    noted = Anomaly.objects.get(kind=Anomaly.Kind.UNKNOWN_STATUS)
    assert (noted.key, noted.count) == (status, 1)
    assert Order.objects.get(uuid=order_id).status == status


def test_an_unknown_field_shows_nowhere_and_is_counted_once(
    emulator: Emulator, as_role: Any
) -> None:
    client, order_id = as_role("agent"), str(emulator.find_orders()[0]["id"])
    emulator.change_order(order_id, a_field_of_tomorrow="A-VALUE-OF-TOMORROW")
    for page in (*both_pages(client, order_id), *both_pages(client, order_id)):
        assert "TOMORROW" not in page
    noted = Anomaly.objects.get(kind=Anomaly.Kind.UNKNOWN_FIELD)
    assert (noted.key, noted.count) == ("a_field_of_tomorrow", 1)


@pytest.mark.parametrize(
    ("spoiled", "in_the_row"),
    [
        ({"amounts": "much"}, "Unreadable"),
        ({"expires_at": 5}, '<td class="expires is-soon">Unreadable</td>'),
        ({"recipient_first_name": ["x"]}, "Unnamed recipient"),
    ],
    ids=["amounts", "expires_at", "recipient_first_name"],
)
def test_field_of_a_wrong_type_does_not_affect_others(
    spoiled: Json, in_the_row: str, emulator: Emulator, as_role: Any
) -> None:
    client, order_id = as_role("agent"), str(emulator.find_orders()[0]["id"])
    emulator.change_order(order_id, status="opened", recipient_last_name=None)
    emulator.add_fault({"kind": "mutate", "set": spoiled})
    row, shown = both_pages(client, order_id)
    assert "Some fields could not be read." in shown
    assert next(iter(spoiled)) in shown
    assert in_the_row in row
    assert Order.objects.count() == 50


@pytest.mark.parametrize("spoiled", [{"id": None}, {"id": "not-a-uuid"}, {"status": 7}], ids=str)
def test_invalid_row_does_not_affect_other_rows(
    spoiled: Json, emulator: Emulator, as_role: Any
) -> None:
    emulator.add_fault({"kind": "mutate", "row": 3, "set": spoiled})
    page = read(as_role("agent").get(LIST))
    assert "1 order could not be read" in page
    assert page.count('<tr id="order-') == 49
    assert Order.objects.count() == 49
    assert Anomaly.objects.filter(kind=Anomaly.Kind.QUARANTINED).count() == 1


STRANGE = {
    "a NUL": ["MARK", r"a\u0000b"],
    "half a surrogate": ["MARK", r"a\ud800b"],
    "a megabyte": ["MARK", "m" * 1_000_000],
    "a number beyond all": ['"view_count_recipient":7', f'"view_count_recipient":{10**30}'],
}


@pytest.mark.parametrize("kind", STRANGE)
def test_unusual_values_are_shown_and_stored(
    kind: str, emulator: Emulator, as_role: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client, order_id = as_role("agent"), str(emulator.find_orders()[0]["id"])
    emulator.change_order(order_id, recipient_first_name="MARK", view_count_recipient=7)
    emulator.add_fault({"kind": "mutate", "replace": [STRANGE[kind]]})
    listed, shown = client.get(LIST), client.get(f"/orders/{order_id}/")
    assert (listed.status_code, shown.status_code) == (200, 200)
    assert read(listed).count('<tr id="order-') == 50
    assert Order.objects.count() == 50
    for page in (read(listed), read(shown)):
        assert "\x00" not in page
        assert "a\ufffdb" in page or "\\u" not in STRANGE[kind][1]
    assert no_bug_was_logged(caplog)


# --- Before anything is sent ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expiration", "says"),
    [
        ("2020-01-01", "This time has passed."),
        ("2099-01-01", "This is more than 365 days ahead."),
        ("2027-03-14T02:30", "the clocks are set forward and 02:30 does not exist"),
        ("2027-11-07T01:30", "the clocks are set back and 01:30 happens twice"),
        ("soon", "This is not a date that can be read."),
        ("", "Choose a new expiration."),
    ],
)
def test_impossible_date_is_refused_without_a_call(
    expiration: str, says: str, emulator: Emulator, as_role: Any
) -> None:
    client, order_id = as_role("agent"), an_open_order(emulator)
    zone = {"time_zone": "America/New_York", "theme": "system", "density": "regular"}
    assert client.post("/settings/", zone).status_code == 302
    path, fields = f"/orders/{order_id}/expiration/", extend_fields(client, order_id)
    calls = emulator.calls()["total"]
    for headers in ({}, DIALOG):
        answer = submit(client, path, fields | {"expiration": expiration}, headers)
        assert answer.status_code == 422
        assert says in read(answer)
        assert ("<html" in answer.content.decode()) is not bool(headers)
        assert hidden_fields(answer.content.decode())["form_key"] == fields["form_key"]
    assert emulator.calls()["total"] == calls
    assert Operation.objects.count() == 0
    assert outcomes() == []


@each_write
def test_recipient_who_accepts_before_the_write_wins(
    write: str, emulator: Emulator, as_role: Any
) -> None:
    client, order_id = as_role("agent"), an_open_order(emulator)
    path, fields = f"/orders/{order_id}/{write}/", WRITES[write](client, order_id)
    emulator.change_order(order_id, status="accepted")
    accepted_at = emulator.get_order(order_id)["event_times"]["accepted_at"]
    in_dialog = read(submit(client, path, fields, DIALOG))
    assert "The recipient accepted it at" in in_dialog
    assert accepted_at[11:16] in in_dialog
    assert (the_operation().state, the_operation().failure_kind) == (
        "refused",
        "accepted",
    )
    assert outcomes() == ["", "refused"]
    assert emulator.posts() == 0
    assert Order.objects.get().status == "accepted"


def test_a_change_since_the_dialog_was_opened_is_shown_and_nothing_sent(
    emulator: Emulator, as_role: Any
) -> None:
    client, order_id = as_role("agent"), an_open_order(emulator)
    before, since = in_days(38), in_days(70)
    emulator.change_order(order_id, expires_at=goody_time(before))
    path, fields = f"/orders/{order_id}/expiration/", extend_fields(client, order_id)
    emulator.change_order(order_id, expires_at=goody_time(since))
    in_dialog = read(submit(client, path, fields, DIALOG))
    changed = f"{date_time(before, UTC)} → {date_time(since, UTC)}"
    assert f"Expiration: {changed}" in in_dialog
    assert "Nothing was sent." in in_dialog
    assert emulator.get_order(order_id)["expires_at"] == goody_time(since)
    assert emulator.posts() == 0
