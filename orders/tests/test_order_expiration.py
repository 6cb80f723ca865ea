"""/orders/<uuid>/expiration/: presets, typed dates, undo, and refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import escape

from orders.formats import date_time
from orders.forms.writes import parse_expiration, presets
from orders.models import AuditEntry, Operation, Profile, State
from testing.dialogs import dialog, fields, hidden, open_and_submit, text, url
from testing.domain import in_days, stamp

NEW_YORK = ZoneInfo("America/New_York")
LIST = "/orders/?per_page=25"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


# --- What a text means ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "instant"),
    [
        ("2026-12-01", utc(2026, 12, 2, 4, 59, 59)),
        ("2026-07-01", utc(2026, 7, 2, 3, 59, 59)),
        ("2026-12-01T18:30", utc(2026, 12, 1, 23, 30)),
        ("2026-12-01 18:30", utc(2026, 12, 1, 23, 30)),
        ("2026-12-01T18:30:15", utc(2026, 12, 1, 23, 30, 15)),
        (" 2026-12-01T18:30:15Z ", utc(2026, 12, 1, 18, 30, 15)),
        ("2026-12-01T18:30:15.9+02:00", utc(2026, 12, 1, 16, 30, 15)),
        ("2026-12-01T18:30:15+0000", utc(2026, 12, 1, 18, 30, 15)),
    ],
)
def test_what_can_be_typed(typed: str, instant: datetime) -> None:
    assert parse_expiration(typed, NEW_YORK) == instant


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "tomorrow",
        "2026-13-01",
        "2026-02-30",
        "01.12.2026",
        "2026-12-01T25:00",
        "2026-W01",
        "2026-12-01T18",
        # Outside the range of datetime in UTC.
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
    ],
)
def test_what_is_no_date(typed: str) -> None:
    with pytest.raises(ValidationError, match="This is not a date"):
        parse_expiration(typed, NEW_YORK)


def test_an_hour_that_the_clocks_skip_is_refused() -> None:
    with pytest.raises(ValidationError, match="02:30 does not exist in America/New_York"):
        parse_expiration("2027-03-14T02:30", NEW_YORK)


def test_an_hour_that_comes_twice_is_refused_unless_its_offset_is_given() -> None:
    with pytest.raises(ValidationError, match="01:30 happens twice in America/New_York"):
        parse_expiration("2026-11-01T01:30", NEW_YORK)
    assert parse_expiration("2026-11-01T01:30-05:00", NEW_YORK) == utc(2026, 11, 1, 6, 30)


def test_the_end_of_a_day_is_its_later_one_where_the_clocks_go_back_at_midnight() -> None:
    # The last hour of that day occurs twice in that zone.
    asuncion = ZoneInfo("America/Asuncion")
    assert parse_expiration("2024-03-23", asuncion) == utc(2024, 3, 24, 3, 59, 59)


def test_a_day_that_never_was_is_refused() -> None:
    with pytest.raises(ValidationError, match="does not exist"):
        parse_expiration("2011-12-30", ZoneInfo("Pacific/Apia"))


# --- The chips --------------------------------------------------------------------------------


def chips(now: datetime, expires_at: datetime | None) -> dict[str, datetime]:
    return dict(presets(now, expires_at, NEW_YORK))


def test_presets_count_from_the_present_expiry_on_the_viewers_calendar() -> None:
    before_the_change = utc(2027, 3, 10, 4, 59, 59)
    assert chips(utc(2027, 3, 1), before_the_change) == {
        "+7 days": utc(2027, 3, 17, 3, 59, 59),
        "+14 days": utc(2027, 3, 24, 3, 59, 59),
        "+30 days": utc(2027, 4, 9, 3, 59, 59),
        "End of month": utc(2027, 4, 1, 3, 59, 59),
    }


@pytest.mark.parametrize("expires_at", [None, utc(2026, 1, 1)])
def test_presets_count_from_this_minute_where_the_expiry_is_past_or_missing(
    expires_at: datetime | None,
) -> None:
    found = chips(utc(2026, 11, 22, 14, 2, 11), expires_at)
    assert found["+7 days"] == utc(2026, 11, 29, 14, 2)


def test_the_end_of_a_month_that_is_reached_already_is_the_next_one() -> None:
    end_of_november = utc(2026, 12, 1, 4, 59, 59)
    assert chips(utc(2026, 11, 1), end_of_november)["End of month"] == utc(2027, 1, 1, 4, 59, 59)


# --- The page ---------------------------------------------------------------------------------


@pytest.fixture
def client(as_role: Any) -> Any:
    """An agent in New York."""
    found = as_role("agent")
    Profile.objects.update_or_create(user=found.user, defaults={"time_zone": "America/New_York"})
    return found


@pytest.fixture
def order_id(emulator: Any) -> str:
    found: str = emulator.find_id(status="notified", no_expiry="false")
    emulator.change(found, expires_at=stamp(in_days(20)))
    return found


def expiration_url(order_id: str, **query: str) -> str:
    return url("order_expiration", order_id, **{"next": LIST} | query)


def only() -> Operation:
    return Operation.objects.get()


pages = pytest.mark.django_db


@pages
def test_each_chip_shows_and_posts_what_it_gives(client: Any, emulator: Any, order_id: str) -> None:
    opened = client.get(expiration_url(order_id), headers=dialog())
    was = datetime.fromisoformat(emulator.order(order_id)["expires_at"])
    values = [stamp(at) for _, at in presets(datetime.now(UTC), was, NEW_YORK)]
    assert fields(opened).radios["expiration"] == [*values, "custom"]
    assert f"({was:%H:%M} UTC)" in text(opened) or f", {was:%H:%M} UTC)" in text(opened)
    assert "your time: America/New_York" in text(opened)


@pages
def test_a_chip_extends_and_the_toast_offers_undo(
    client: Any, emulator: Any, order_id: str
) -> None:
    opened = client.get(expiration_url(order_id), headers=dialog(LIST))
    chip = fields(opened).radios["expiration"][1]
    answer = client.post(
        expiration_url(order_id), {**hidden(opened), "expiration": chip}, headers=dialog(LIST)
    )
    assert answer["HX-Retarget"] == f"#order-{order_id}"
    assert emulator.order(order_id)["expires_at"] == chip
    assert "<strong>Expiration changed: " in text(answer)
    assert f"expiration/?undo={only().id}" in text(answer)
    assert only().state == State.APPLIED


@pages
@pytest.mark.parametrize("field", ["expiration", "expiration_custom"])
def test_a_plain_day_means_its_end_in_the_viewers_zone(
    client: Any, emulator: Any, order_id: str, field: str
) -> None:
    day = in_days(40).date()
    answer = open_and_submit(client, expiration_url(order_id), **{field: day.isoformat()})
    assert answer.status_code == 303
    assert answer["Location"] == reverse(
        "operation", args=[order_id, only().id], query={"next": LIST}
    )
    end = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=NEW_YORK)
    assert emulator.order(order_id)["expires_at"] == stamp(end)


@pages
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "Choose a new expiration."),
        ({"expiration": "custom"}, "Choose a new expiration."),
        ({"expiration": "custom", "expiration_custom": "soon <b>"}, "This is not a date."),
        ({"expiration": "next week"}, "This is not a date."),
        ({"expiration_custom": "2020-01-01"}, "This time has passed."),
        ({"expiration_custom": "2099-01-01"}, "This is more than 365 days ahead."),
        ({"expiration_custom": "2027-03-14T02:30"}, "does not exist in America/New_York"),
        ({"expiration_custom": stamp(in_days(2))}, "This is earlier than the present expiration."),
        (
            {"expiration": stamp(in_days(30)), "expiration_custom": "2027-01-01"},
            "You chose a preset and typed another date as well.",
        ),
    ],
)
def test_bad_input_is_kept_and_nothing_is_asked_of_goody(
    client: Any, emulator: Any, order_id: str, typed: dict[str, str], sentence: str
) -> None:
    opened = client.get(expiration_url(order_id), headers=dialog())
    calls = emulator.calls()["total"]
    answer = client.post(expiration_url(order_id), {**hidden(opened), **typed}, headers=dialog())
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert hidden(answer) == hidden(opened)
    kept = typed.get("expiration_custom") or typed.get("expiration", "")
    if kept not in ("", "custom"):
        assert f'placeholder="2026-12-01" value="{escape(kept)}"' in text(answer)
    assert Operation.objects.count() == 0
    assert emulator.calls()["total"] == calls


@pages
def test_shortening_needs_the_tick(client: Any, emulator: Any, order_id: str) -> None:
    sooner = stamp(in_days(5))
    refused = open_and_submit(client, expiration_url(order_id), expiration=sooner)
    assert refused.status_code == 422
    assert "Tick the box to confirm that it shall expire sooner." in text(refused)
    wish = {**hidden(refused), "expiration": sooner, "may_shorten": "on"}
    assert client.post(expiration_url(order_id), wish).status_code == 303
    assert emulator.order(order_id)["expires_at"] == sooner


@pages
def test_a_first_date_needs_the_tick_and_can_not_be_undone(client: Any, emulator: Any) -> None:
    order_id = emulator.find_id(status="notified", no_expiry="true")
    opened = client.get(expiration_url(order_id))
    assert "there will be no undo" in text(opened)
    later = stamp(in_days(10))
    refused = client.post(expiration_url(order_id), {**hidden(opened), "expiration": later})
    assert refused.status_code == 422
    wish = {**hidden(refused), "expiration": later, "may_shorten": "on"}
    answer = client.post(expiration_url(order_id), wish)
    assert only().state == State.APPLIED
    page = text(client.get(answer["Location"]))
    assert "Undo" not in page
    assert "This change can no longer be undone" in text(
        client.get(expiration_url(order_id, undo=str(only().id)))
    )


@pages
def test_an_expired_gift_is_extended_under_a_warning(client: Any, emulator: Any) -> None:
    order_id = emulator.find_id(unaccepted_expired="true")
    opened = client.get(expiration_url(order_id))
    assert "Goody does not say whether that revives a gift." in text(opened)
    chip = fields(opened).radios["expiration"][0]
    client.post(expiration_url(order_id), {**hidden(opened), "expiration": chip})
    assert emulator.order(order_id)["expires_at"] == chip


@pages
def test_undo_puts_the_former_date_back_once(client: Any, emulator: Any, order_id: str) -> None:
    was = emulator.order(order_id)["expires_at"]
    open_and_submit(client, expiration_url(order_id), expiration=stamp(in_days(50)))
    first = only()
    undo = expiration_url(order_id, undo=str(first.id))
    opened = client.get(undo, headers=dialog(LIST))
    assert "Undo the change of expiration" in text(opened)
    assert hidden(opened)["expiration"] == was
    answer = client.post(expiration_url(order_id), hidden(opened), headers=dialog(LIST))
    assert answer["HX-Retarget"] == f"#order-{order_id}"
    assert emulator.order(order_id)["expires_at"] == was
    undoing = Operation.objects.exclude(pk=first.pk).get()
    assert (undoing.undoes, undoing.state) == (first, State.APPLIED)
    again = client.get(undo, headers=dialog(LIST))
    assert "This change can no longer be undone" in text(again)
    assert hidden(again) == {}
    assert emulator.posts() == 2


@pages
@pytest.mark.parametrize("when", ["before the dialog", "under the dialog"])
def test_an_undo_does_not_overwrite_what_somebody_else_set(
    client: Any, emulator: Any, order_id: str, when: str
) -> None:
    open_and_submit(client, expiration_url(order_id), expiration=stamp(in_days(50)))
    undo, theirs = expiration_url(order_id, undo=str(only().id)), stamp(in_days(60))
    if when == "before the dialog":
        emulator.change(order_id, expires_at=theirs)
    answer = client.get(undo, headers=dialog(LIST))
    if when == "under the dialog":
        emulator.change(order_id, expires_at=theirs)
        answer = client.post(undo, hidden(answer), headers=dialog(LIST))
        assert "The order changed since you looked." in text(answer)
    else:
        assert "This change can no longer be undone" in text(answer)
    assert hidden(answer) == {}
    assert emulator.order(order_id)["expires_at"] == theirs
    assert emulator.posts() == 1


@pages
def test_undo_of_what_is_none_is_refused(client: Any, emulator: Any, order_id: str) -> None:
    for wanted in ("nonsense", "00000000-0000-4000-8000-000000000000"):
        page = client.get(expiration_url(order_id, undo=wanted))
        assert "This change can no longer be undone" in text(page)
        assert hidden(page) == {}


@pages
def test_somebody_elses_change_is_shown_and_nothing_is_sent(
    client: Any, emulator: Any, order_id: str
) -> None:
    opened = client.get(expiration_url(order_id))
    emulator.change(order_id, expires_at=stamp(in_days(33)))
    wish = {**hidden(opened), "expiration": stamp(in_days(50))}
    answer = client.post(expiration_url(order_id), wish, headers=dialog())
    assert "The order changed since you looked. Expiration:" in text(answer)
    assert only().state == State.REFUSED
    assert emulator.posts() == 0


@pages
def test_what_was_never_sent_names_the_expiration_that_the_dialog_showed(
    client: Any, emulator: Any, order_id: str
) -> None:
    opened, asked = client.get(expiration_url(order_id)), in_days(50)
    was = datetime.fromisoformat(emulator.order(order_id)["expires_at"])
    emulator.change(order_id, expires_at=stamp(in_days(33)))
    client.post(expiration_url(order_id), {**hidden(opened), "expiration": stamp(asked)})
    change = f"{date_time(was, NEW_YORK)} → {date_time(asked, NEW_YORK)}"
    operation = reverse("operation", args=[order_id, only().id])
    assert f"<dt>Change</dt><dd>{change}</dd>" in text(client.get(operation))
    assert change in text(client.get("/audit/"))


@pages
def test_an_accepted_gift_has_no_form(client: Any, emulator: Any) -> None:
    page = client.get(expiration_url(emulator.find_id(status="accepted")))
    assert "Cannot be extended: the recipient accepted it." in text(page)
    assert hidden(page) == {}


@pages
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_viewer_is_refused(emulator: Any, as_role: Any, method: str) -> None:
    address = expiration_url(emulator.find_id(status="notified"))
    answer = getattr(as_role("viewer"), method)(address)
    assert answer.status_code == 403
    assert "Your role may not change expirations. An admin can make you an agent." in text(answer)


@pages
def test_the_audit_is_exact(client: Any, emulator: Any, order_id: str) -> None:
    later = in_days(50)
    open_and_submit(client, expiration_url(order_id), expiration=stamp(later))
    intent, outcome = AuditEntry.objects.order_by("id")
    assert (intent.actor, intent.action) == (client.user, "order.extend")
    assert intent.after == {"expires_at": later.isoformat()}
    assert (outcome.intent, outcome.outcome) == (intent, State.APPLIED)


@pytest.mark.parametrize("days", [340, 500])
def test_presets_beyond_the_bound_are_left_out_with_the_reason(
    emulator: Any, as_role: Any, settings: Any, days: int
) -> None:
    order_id = emulator.find_id(status="notified")
    far = datetime.now(UTC) + timedelta(days=days)
    emulator.change(order_id, expires_at=f"{far:%Y-%m-%dT%H:%M:%SZ}")
    shown = as_role("agent").get(url("order_expiration", order_id), headers=dialog())
    latest = datetime.now(UTC) + timedelta(days=settings.EXTENSION_MAX_DAYS)
    offered = [one for one in fields(shown).radios["expiration"] if one != "custom"]
    assert all(datetime.fromisoformat(one) <= latest for one in offered)
    assert bool(offered) == (days < 365)
    assert "more than 365 days ahead of today" in text(shown)


def test_a_date_at_the_end_of_the_calendar_has_no_presets(emulator: Any, as_role: Any) -> None:
    order_id = emulator.find_id(status="notified")
    emulator.change(order_id, expires_at="9999-12-31T23:59:59Z")
    client = as_role("agent")
    Profile.objects.create(user=client.user, time_zone="Asia/Tokyo")
    shown = client.get(url("order_expiration", order_id), headers=dialog())
    assert fields(shown).radios["expiration"] == ["custom"]
    assert client.get(url("order_detail", order_id)).status_code == 200
    assert client.get("/orders/").status_code == 200


def test_a_refused_undo_says_why(emulator: Any, as_role: Any) -> None:
    client, order_id = as_role("agent"), emulator.find_id(status="notified", no_expiry="false")
    later = (datetime.now(UTC) + timedelta(days=200)).strftime("%Y-%m-%dT%H:%M:%SZ")
    wish = {"expiration": later, "may_shorten": "on"}
    open_and_submit(client, url("order_expiration", order_id), **wish)
    undo = url("order_expiration", order_id, undo=str(Operation.objects.get().id))
    given = hidden(client.get(undo))
    answer = client.post(undo, given | {"expiration": "never"}, headers=dialog())
    assert answer.status_code == 422
    assert hidden(answer)["undoes"] == given["undoes"]
    assert "This is not a date." in text(answer)
    assert emulator.posts() == 1


def test_an_undo_may_go_back_beyond_the_bound(emulator: Any, as_role: Any) -> None:
    """The former date was Goody's, to which EXTENSION_MAX_DAYS does not apply."""
    client, order_id = as_role("agent"), emulator.find_id(status="notified")
    far = datetime.now(UTC) + timedelta(days=500)
    emulator.change(order_id, expires_at=f"{far:%Y-%m-%dT%H:%M:%SZ}")
    sooner = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    open_and_submit(client, url("order_expiration", order_id), expiration=sooner, may_shorten="on")
    undo = url("order_expiration", order_id, undo=str(Operation.objects.get().id))
    open_and_submit(client, undo, headers=dialog())
    assert Operation.objects.filter(undoes__isnull=False).get().state == State.APPLIED
