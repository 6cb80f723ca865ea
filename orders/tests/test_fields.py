"""Every form cleans typed text in the same way."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.urls import reverse

from orders.forms.audit import AuditFilter
from orders.forms.dates import DateReader
from orders.forms.fields import (
    DayField,
    FreeTextField,
    TicketField,
    clean_free_text,
    clean_single_line,
)
from orders.forms.listing import ListingForm
from orders.forms.saved_views import NewSavedViewForm
from orders.forms.writes import SettleForm
from orders.models import AuditEntry, Operation
from orders.search.parse import parse_query
from testing.dialogs import open_and_submit
from testing.domain import ORDER_ID, open_order
from testing.vendor import Emulator

UTC_ZONE = ZoneInfo("UTC")
REFERENCE = "VGCO1234ABCD5678EFGH9012"
INVISIBLE = ["", " ", "\u200b", "\ufeff \u2060", "\u3164", "\u2800", "\u00ad\u200e", "\r\n", "\0",
             "\u034f", "\u115f\u1160", "\ufe0f"]  # fmt: skip


@pytest.mark.parametrize(
    "typed",
    [
        "2026-12-01",
        " 2026-12-01\u200b ",
        "\u200e2026-12-01\u200f",
        "２０２６-１２-０１",
        "２０２６－１２－０１",
        "2026\u201012\u201001",
        "2026–12–01",
        "2026—12—01",
        "2026−12−01",
        "٢٠٢٦-١٢-٠١",
        "2026\u00ad-12-01",
    ],
)
def test_a_day_in_any_digits_and_dashes(typed: str) -> None:
    assert DayField(invalid="no").clean(typed) == date(2026, 12, 1)
    found = DateReader(datetime(2026, 11, 1, tzinfo=UTC), UTC_ZONE).read(typed)
    assert found.at == datetime(2026, 12, 1, 23, 59, 59, tzinfo=UTC)
    form = ListingForm(query(created_after=typed))
    assert form.is_valid()
    assert form.cleaned_data["created_after"] == date(2026, 12, 1)


@pytest.mark.parametrize(
    "typed",
    ["created:２０２６－１０", "created:2026–10", "created:\u200b2026\u201110", "created:٢٠٢٦-١٠"],
)
def test_a_month_in_the_box_in_any_digits_and_dashes(typed: str) -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    month = parse_query("created:2026-10", now=now, zone=UTC_ZONE)
    assert parse_query(typed, now=now, zone=UTC_ZONE).query == month.query
    assert not month.problems


@pytest.mark.parametrize(
    "typed", ["２０２６－１２－０１Ｔ１８：３０", "2026-12-01\u00a018:30\u200b"]
)
def test_a_time_in_wide_digits(typed: str) -> None:
    found = DateReader(datetime(2026, 11, 1, tzinfo=UTC), UTC_ZONE).read(typed)
    assert found.at == datetime(2026, 12, 1, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize("typed", INVISIBLE)
def test_a_text_of_invisible_characters_is_empty(typed: str) -> None:
    assert (clean_single_line(typed), clean_free_text(typed)) == ("", "")
    assert DayField(invalid="no").clean(typed) is None
    assert TicketField().clean(typed) == ""
    form = ListingForm(query(q=typed, sender=typed, batch=typed, goto=typed))
    assert form.is_valid()
    assert form.cleaned_data["q"] == form.cleaned_data["sender"] == ""
    assert not NewSavedViewForm({"name": typed}).is_valid()
    assert not SettleForm({"is_applied": "yes", "note": typed}, is_cancel=True).is_valid()


def query(**parameters: str) -> QueryDict:
    given = QueryDict(mutable=True)
    given.update(parameters)
    return given


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r"])
def test_a_line_break_counts_once(line_break: str) -> None:
    full = line_break.join(["x" * 99] * 20) + "x"
    assert FreeTextField(max_length=2_000).clean(full) == "\n".join(["x" * 99] * 20) + "x"
    with pytest.raises(ValidationError):
        FreeTextField(max_length=2_000).clean(f"{full}x")


def test_prose_stays_as_it_was_written() -> None:
    text = "“Größe” – １２\n\n👩‍👩‍👧 x² ﬁ"
    assert clean_free_text(f"\ufeff {text}\u200b\r\n") == text


@pytest.mark.parametrize(
    "ticket",
    [
        "https://helpdesk/tickets/5",
        "http://helpdesk:8080/tickets/5",
        "https://help_desk.corp.local/t?id=5#c",
        "https://[::1]:8080/5",
        "https://tickets.test/" + "1" * 400,
        "HTTPS://Helpdesk/5",
        "ZD-12345",
        "#4711",
        "case 5 of 28 Nov",
        "javascript:alert(1)",
        "ftp://tickets.test/1",
        "第五号" * 33,
        "x" * 100,
    ],
)
def test_a_ticket_is_an_address_or_a_reference(ticket: str) -> None:
    assert TicketField().clean(f" {ticket}\u200b\r\n") == ticket


@pytest.mark.parametrize(
    "ticket",
    ["x" * 101, "https://" + "1" * 500, "https:///" + "1" * 100, f"https://a {'b' * 100}",
     "https://a:port/" + "1" * 100],
)  # fmt: skip
def test_ticket_field_refuses_other_text(ticket: str) -> None:
    with pytest.raises(ValidationError):
        TicketField().clean(ticket)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ticket", "is_link"),
    [("https://helpdesk/tickets/5", True), ("ZD-5 & <b>", False), ("javascript:alert(1)", False)],
)
def test_only_a_web_address_becomes_a_link(
    as_role: Any, emulator: Emulator, ticket: str, is_link: bool
) -> None:
    order_id = str(open_order(emulator))
    client = as_role("lead")
    open_and_submit(
        client, reverse("order_cancel", args=[order_id]), reason="duplicate", ticket=ticket
    )
    operation = Operation.objects.get()
    assert operation.ticket == ticket
    for url in (
        reverse("operation", args=[order_id, operation.pk]),
        reverse("order_detail", args=[order_id]),
        reverse("audit"),
    ):
        page = client.get(url).content.decode()
        assert ('href="https://helpdesk/tickets/5"' in page) is is_link
        assert ("javascript:alert(1)" in page) is (ticket == "javascript:alert(1)")
        assert 'href="javascript' not in page
        assert "ZD-5 & <b>" not in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed",
    [
        str(ORDER_ID),
        str(ORDER_ID).upper(),
        f"\u200b{ORDER_ID}\u200f",
        str(ORDER_ID).replace("-", "–"),
        ORDER_ID.hex,
        f"#{REFERENCE}",
        REFERENCE.lower(),
        "VGCO 1234 ABCD 5678 EFGH 9012",
        "VGCO-1234-ABCD-5678-EFGH-9012",
        f"ref: {REFERENCE}",
        f"https://admin.test/orders/{ORDER_ID}/",
    ],
)
def test_the_audit_finds_an_order_however_it_is_written(typed: str) -> None:
    for number in (1, 2):
        AuditEntry.objects.create(
            at=datetime.now(UTC),
            action="order.cancel",
            order_uuid=ORDER_ID if number == 1 else None,
            reference_id=REFERENCE if number == 1 else "",
        )
    form = AuditFilter({"order": typed}, zone=UTC_ZONE, sees_all=True)
    assert form.is_valid()
    assert [one.reference_id for one in form.filter_entries(AuditEntry.objects.all())] == [
        REFERENCE
    ]


@pytest.mark.django_db
def test_an_order_in_capitals_has_the_same_pages(as_role: Any, emulator: Emulator) -> None:
    order_id = str(open_order(emulator))
    client = as_role("agent")
    for page in ("", "cancel/", "expiration/"):
        answer = client.get(f"/orders/{order_id.upper()}/{page}")
        assert answer.status_code == 200
        assert order_id in answer.content.decode()
        assert order_id.upper() not in answer.content.decode()
    assert reverse("order_detail", args=[ORDER_ID]) == f"/orders/{ORDER_ID}/"
