"""/orders/<uuid>/expiration/: presets, typed dates, undo, and refusals."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils.html import escape

from orders import formats, services
from orders.eligibility import expiration_presets
from orders.formats import date_time
from orders.models import AuditEntry, Operation, Profile, State
from orders.presenters.operations import format_in_both_zones
from testing.dialogs import dialog, fields, hidden, open_and_submit, text, url
from testing.domain import goody_time, in_days

NEW_YORK = ZoneInfo("America/New_York")
LIST = "/orders/?per_page=25"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


# --- The chips --------------------------------------------------------------------------------


def chips(now: datetime, expires_at: datetime | None) -> dict[str, datetime]:
    return dict(expiration_presets(now, expires_at, NEW_YORK))


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
    found: str = emulator.find_order_id(status="notified", no_expiry="false")
    emulator.change_order(found, expires_at=goody_time(in_days(20)))
    return found


def expiration_url(order_id: str, **query: str) -> str:
    return url("order_expiration", order_id, **{"next": LIST} | query)


def only() -> Operation:
    return Operation.objects.get()


pages = pytest.mark.django_db


@pages
def test_each_option_shows_and_posts_what_it_gives(
    client: Any, emulator: Any, order_id: str
) -> None:
    opened = client.get(expiration_url(order_id), headers=dialog())
    was = datetime.fromisoformat(emulator.get_order(order_id)["expires_at"])
    offered = [at for _, at in expiration_presets(datetime.now(UTC), was, NEW_YORK)]
    assert fields(opened).radios["expiration"] == [goody_time(at) for at in offered]
    assert fields(opened).checked["expiration"] == goody_time(offered[1])
    for at in offered:
        assert f'<span class="for-option">Extend to {day_omitting_year(at)}</span>' in text(opened)
        assert f'<p class="for-option">{full(at)}</p>' in text(opened)
    until = f"{day_omitting_year(was)}, {was.astimezone(NEW_YORK):%H:%M}"
    assert f"Can be undone until {until} if Goody confirms it<" in text(opened)


def day_omitting_year(at: datetime) -> str:
    return formats.compact_day(at, datetime.now(UTC), NEW_YORK)


def full(at: datetime) -> str:
    """Return the instant in the viewer's zone, with its weekday, and in UTC."""
    return f"{at.astimezone(NEW_YORK):%a} {format_in_both_zones(at, NEW_YORK)}"


@pages
def test_an_option_extends_and_the_toast_undoes_it(
    client: Any, emulator: Any, order_id: str
) -> None:
    opened = client.get(expiration_url(order_id), headers=dialog(LIST))
    chip = fields(opened).radios["expiration"][1]
    answer = client.post(
        expiration_url(order_id), {**hidden(opened), "expiration": chip}, headers=dialog(LIST)
    )
    assert answer["HX-Retarget"] == f"#order-{order_id}"
    assert emulator.get_order(order_id)["expires_at"] == chip
    assert "<strong>Expiration changed: " in text(answer)
    assert f'hx-post="{undo_url(order_id)}"' in text(answer)
    assert only().state == State.APPLIED


@pages
@pytest.mark.parametrize("field", ["expiration", "expiration_custom", "expiration_day"])
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
    assert emulator.get_order(order_id)["expires_at"] == goody_time(end)


@pages
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({}, "Choose a new expiration."),
        ({"expiration_custom": "soon <b>"}, "This is not a date that can be read."),
        ({"expiration": "next week"}, "This is not a date that can be read."),
        ({"expiration_custom": "31 Nov"}, "There is no such day."),
        ({"expiration_custom": "2020-01-01"}, "This time has passed."),
        ({"expiration_custom": "2099-01-01"}, "This is more than 365 days ahead."),
        ({"expiration_custom": "2027-03-14T02:30"}, "does not exist in America/New_York"),
        (
            {"expiration_custom": goody_time(in_days(2))},
            "This is earlier than the present expiration.",
        ),
    ],
)
def test_invalid_input_is_kept_without_a_call(
    client: Any, emulator: Any, order_id: str, typed: dict[str, str], sentence: str
) -> None:
    opened = client.get(expiration_url(order_id), headers=dialog())
    calls = emulator.calls()["total"]
    answer = client.post(expiration_url(order_id), {**hidden(opened), **typed}, headers=dialog())
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert {**hidden(answer), "understood": ""} == {**hidden(opened), "understood": ""}
    kept = typed.get("expiration_custom") or typed.get("expiration", "")
    assert f' value="{escape(kept)}"' in text(answer)
    assert text(answer).count(sentence) == 1
    assert Operation.objects.count() == 0
    assert emulator.calls()["total"] == calls


@pages
def test_shortening_requires_the_checkbox(client: Any, emulator: Any, order_id: str) -> None:
    sooner = goody_time(in_days(5))
    refused = open_and_submit(client, expiration_url(order_id), expiration=sooner)
    assert refused.status_code == 422
    assert "Tick the box to confirm that it shall expire sooner." in text(refused)
    wish = {**hidden(refused), "expiration": sooner, "may_shorten": "on"}
    assert client.post(expiration_url(order_id), wish).status_code == 303
    assert emulator.get_order(order_id)["expires_at"] == sooner


@pages
def test_first_date_requires_the_checkbox_and_offers_no_undo(client: Any, emulator: Any) -> None:
    order_id = emulator.find_order_id(status="notified", no_expiry="true")
    opened = client.get(expiration_url(order_id))
    assert "Goody offers no way to take it off again" in text(opened)
    assert "Cannot be undone: Goody cannot remove a date" in text(opened)
    later = goody_time(in_days(10))
    refused = client.post(expiration_url(order_id), {**hidden(opened), "expiration": later})
    assert refused.status_code == 422
    wish = {**hidden(refused), "expiration": later, "may_shorten": "on"}
    answer = client.post(expiration_url(order_id), wish)
    assert only().state == State.APPLIED
    assert "Undo" not in text(client.get(answer["Location"]))
    refused = client.post(undo_url(order_id), {**hidden(opened)}, headers=dialog())
    assert "This change cannot be undone" in text(refused)
    assert (refused.status_code, emulator.posts()) == (422, 1)


@pages
def test_an_expired_gift_is_extended_under_a_warning(client: Any, emulator: Any) -> None:
    order_id = emulator.find_order_id(unaccepted_expired="true")
    opened = client.get(expiration_url(order_id))
    assert "Goody does not say whether that revives a gift." in text(opened)
    assert "Cannot be undone: the former date is past" in text(opened)
    chip = fields(opened).radios["expiration"][0]
    client.post(expiration_url(order_id), {**hidden(opened), "expiration": chip})
    assert emulator.get_order(order_id)["expires_at"] == chip


@pages
def test_a_typed_date_is_taken_though_an_option_is_checked(
    client: Any, emulator: Any, order_id: str
) -> None:
    day = in_days(40).date()
    opened = client.get(expiration_url(order_id))
    typed = {"expiration": fields(opened).checked["expiration"], "expiration_custom": f"{day}"}
    client.post(expiration_url(order_id), {**hidden(opened), **typed})
    assert only().expiration == datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=NEW_YORK)


# --- What a typed date was understood as -------------------------------------------------------


def preview(client: Any, order_id: str, typed: str, language: str = "en-US") -> str:
    if services.stored_order(UUID(order_id)) is None:
        client.get(expiration_url(order_id), headers=dialog())
    answer = client.get(
        reverse("order_expiration_preview", args=[order_id], query={"expiration_custom": typed}),
        headers={"Accept-Language": language},
    )
    assert answer.status_code == 200
    return text(answer)


@pages
def test_a_typed_date_is_shown_in_both_zones_before_it_is_sent(
    client: Any, emulator: Any, order_id: str
) -> None:
    preview(client, order_id, "")
    calls = emulator.calls()["total"]
    day = in_days(40).astimezone(NEW_YORK)
    at = datetime(day.year, day.month, day.day, 18, 30, tzinfo=NEW_YORK)
    shown = preview(client, order_id, f"{day:%b} {day.day}, {day.year} 6:30 pm")
    assert f"<strong>{full(at)}</strong>" in shown
    assert f'name="understood" value="{goody_time(at)}"' in shown
    assert f'hx-swap-oob="innerHTML">Extend to {day_omitting_year(at)}</span>' in shown
    assert "checkbox" not in shown
    assert emulator.calls()["total"] == calls


@pages
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("soon", "This is not a date that can be read."),
        ("2020-01-01", "This time has passed."),
        ("2099-01-01", "This is more than 365 days ahead."),
    ],
)
def test_a_preview_says_what_is_wrong(
    client: Any, order_id: str, typed: str, sentence: str
) -> None:
    assert sentence in preview(client, order_id, typed)


@pages
def test_a_preview_of_nothing_shows_nothing(client: Any, order_id: str) -> None:
    assert "<p" not in preview(client, order_id, " \u200b")


@pages
def test_only_an_earlier_date_shows_the_checkbox(client: Any, order_id: str) -> None:
    sooner, later = in_days(5), in_days(40)
    shown = preview(client, order_id, goody_time(sooner))
    assert 'type="checkbox" name="may_shorten"' in shown
    assert f"Shorten to {day_omitting_year(sooner)}" in shown
    assert "checkbox" not in preview(client, order_id, goody_time(later))
    assert "checkbox" not in text(client.get(expiration_url(order_id), headers=dialog()))


@pages
def test_figures_are_read_in_the_order_of_the_browsers_language(client: Any, order_id: str) -> None:
    year = in_days(60).year + 1
    month_first = preview(client, order_id, f"2/3/{year}", "en-US,en;q=0.9")
    day_first = preview(client, order_id, f"2/3/{year}", "en-GB")
    assert f" 3 Feb {year}, 23:59" in month_first.partition("</strong>")[0]
    assert f"the month first; the other order is 2 Mar {year}" in month_first
    assert f" 2 Mar {year}, 23:59" in day_first.partition("</strong>")[0]
    assert f"the day first; the other order is 3 Feb {year}" in day_first


@pages
def test_the_preview_of_an_unknown_order_is_not_found(client: Any) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    assert client.get(reverse("order_expiration_preview", args=[unknown])).status_code == 404


@pages
def test_without_javascript_an_ambiguous_date_is_shown_first(
    client: Any, emulator: Any, order_id: str
) -> None:
    answer = open_and_submit(client, expiration_url(order_id), expiration_custom="in 8 weeks")
    assert answer.status_code == 422
    assert "Look below how the date was read. If it is right, send it again." in text(answer)
    assert "aria-invalid" not in text(answer)
    day = (datetime.now(NEW_YORK) + timedelta(weeks=8)).date()
    at = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=NEW_YORK)
    assert f"<strong>{full(at)}</strong>" in text(answer)
    assert emulator.posts() == 0
    wish = {**hidden(answer), "expiration_custom": "in 8 weeks"}
    assert client.post(expiration_url(order_id), wish).status_code == 303
    assert emulator.get_order(order_id)["expires_at"] == goody_time(at)


@pages
def test_repeated_submit_of_a_typed_length_returns_the_same_operation(
    client: Any, emulator: Any, order_id: str
) -> None:
    """The text means another date once the expiration has changed."""
    typed = {"expiration_custom": "+7 days"}
    looked = open_and_submit(client, expiration_url(order_id), **typed)
    form = {**hidden(looked), **typed}
    sent = client.post(expiration_url(order_id), form)
    again = client.post(expiration_url(order_id), form)
    assert (sent.status_code, again.status_code) == (303, 303)
    assert again["Location"] == sent["Location"]
    assert emulator.posts() == 1
    changed = client.post(expiration_url(order_id), {**form, "understood": "soon"})
    assert changed.status_code == 422
    another = client.post(expiration_url(order_id), {**form, "understood": goody_time(in_days(51))})
    assert another.status_code == 409
    assert emulator.posts() == 1


@pages
def test_a_date_that_means_another_one_than_was_shown_is_shown_again(
    client: Any, emulator: Any, order_id: str
) -> None:
    """Midnight passed since, or the text was changed after it was shown."""
    opened = client.get(expiration_url(order_id))
    meant = goody_time(in_days(50))
    stale = {"expiration_custom": meant, "understood": goody_time(in_days(51))}
    answer = client.post(expiration_url(order_id), {**hidden(opened), **stale})
    assert (answer.status_code, emulator.posts()) == (422, 0)
    assert hidden(answer)["understood"] == meant


# --- Reason and ticket --------------------------------------------------------------------------


@pages
def test_reason_and_ticket_are_stored_audited_and_shown(
    client: Any, emulator: Any, order_id: str
) -> None:
    given = {"reason": "on <leave> until May", "ticket": "https://tickets.test/7"}
    answer = open_and_submit(
        client, expiration_url(order_id), expiration=goody_time(in_days(50)), **given
    )
    assert (only().note, only().ticket) == tuple(given.values())
    intent = AuditEntry.objects.order_by("id").first()
    assert intent is not None
    assert (intent.note, intent.ticket) == tuple(given.values())
    for page in (answer["Location"], url("order_detail", order_id), "/audit/"):
        shown = text(client.get(page))
        assert "on &lt;leave&gt; until May" in shown
        assert 'href="https://tickets.test/7"' in shown


@pages
def test_reason_and_ticket_are_optional_and_kept_with_an_error(client: Any, order_id: str) -> None:
    given = {"reason": "kept <reason>", "ticket": "x" * 101}
    later = goody_time(in_days(51))
    answer = open_and_submit(client, expiration_url(order_id), expiration=later, **given)
    assert answer.status_code == 422
    assert "a reference of at most 100 characters" in text(answer)
    assert 'value="kept &lt;reason&gt;"' in text(answer)
    assert fields(answer).checked == {}
    assert f' value="{later}"' in text(answer)


# --- Undo ---------------------------------------------------------------------------------------


def undo_url(order_id: str, operation: Operation | None = None) -> str:
    return reverse("operation_undo", args=[order_id, (operation or only()).id])


def extended(client: Any, order_id: str) -> dict[str, str]:
    """Extend by the dialog; return the hidden fields of the Undo in its toast."""
    done = open_and_submit(
        client, expiration_url(order_id), expiration=goody_time(in_days(51)), headers=dialog(LIST)
    )
    return hidden(done)


@pages
def test_undo_is_one_post_and_puts_the_former_date_back_once(
    client: Any, emulator: Any, order_id: str
) -> None:
    was = emulator.get_order(order_id)["expires_at"]
    undo = extended(client, order_id)
    first = only()
    answer = client.post(undo_url(order_id), undo, headers=dialog(LIST))
    assert answer["HX-Retarget"] == f"#order-{order_id}"
    assert "<strong>Undone: " in text(answer)
    assert "operations/" not in re.findall(r'hx-post="([^"]*)"', text(answer))
    assert emulator.get_order(order_id)["expires_at"] == was
    undoing = Operation.objects.exclude(pk=first.pk).get()
    assert (undoing.undoes, undoing.state) == (first, State.APPLIED)
    # The same form again: the same operation. Another one: refused, and nothing is sent.
    client.post(undo_url(order_id, first), undo, headers=dialog(LIST))
    page = client.get(url("order_detail", order_id))
    assert "/undo/" not in text(page)
    another = undo | {"form_key": str(uuid4())}
    refused = client.post(undo_url(order_id, first), another, headers=dialog(LIST))
    assert "The order changed since you looked." in text(refused)
    assert emulator.posts() == 2


@pages
def test_undo_without_javascript_leads_to_its_outcome(
    client: Any, emulator: Any, order_id: str
) -> None:
    was = emulator.get_order(order_id)["expires_at"]
    done = open_and_submit(client, expiration_url(order_id), expiration=goody_time(in_days(50)))
    first, page = only(), client.get(done["Location"])
    answer = client.post(undo_url(order_id), hidden(page))
    undoing = Operation.objects.exclude(pk=first.pk).get()
    assert (answer.status_code, answer["Location"]) == (
        303,
        reverse("operation", args=[order_id, undoing.id], query={"next": LIST}),
    )
    assert emulator.get_order(order_id)["expires_at"] == was


@pages
def test_an_undo_does_not_overwrite_what_somebody_else_set(
    client: Any, emulator: Any, order_id: str
) -> None:
    undo, theirs = extended(client, order_id), goody_time(in_days(60))
    emulator.change_order(order_id, expires_at=theirs)
    answer = client.post(undo_url(order_id), undo, headers=dialog(LIST))
    assert "The order changed since you looked." in text(answer)
    assert "Not undone" in text(answer)
    assert emulator.get_order(order_id)["expires_at"] == theirs
    assert emulator.posts() == 1


@pages
@pytest.mark.parametrize("damage", ["snapshot", "form_key"])
def test_a_damaged_undo_is_refused(client: Any, emulator: Any, order_id: str, damage: str) -> None:
    undo = extended(client, order_id)
    answer = client.post(undo_url(order_id), undo | {damage: "damaged"}, headers=dialog(LIST))
    assert answer.status_code == 422
    assert "This Undo can no longer be used" in text(answer)
    assert "Nothing was sent." in text(answer)
    assert emulator.posts() == 1


@pages
def test_an_undo_after_a_login_shows_the_order_and_sends_nothing(
    client: Any, emulator: Any, order_id: str
) -> None:
    extended(client, order_id)
    answer = client.get(undo_url(order_id))
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (
        302,
        url("order_detail", order_id),
    )
    assert emulator.posts() == 1


@pages
def test_an_undo_of_another_orders_change_is_not_found(
    client: Any, emulator: Any, order_id: str
) -> None:
    undo = extended(client, order_id)
    other = emulator.find_order_id(status="opened")
    answer = client.post(reverse("operation_undo", args=[other, only().id]), undo)
    assert (answer.status_code, emulator.posts()) == (404, 1)


@pages
def test_changed_expiration_is_shown_and_nothing_is_sent(
    client: Any, emulator: Any, order_id: str
) -> None:
    opened = client.get(expiration_url(order_id))
    emulator.change_order(order_id, expires_at=goody_time(in_days(33)))
    wish = {**hidden(opened), "expiration": goody_time(in_days(50))}
    answer = client.post(expiration_url(order_id), wish, headers=dialog())
    assert "The order changed since you looked. Expiration:" in text(answer)
    assert only().state == State.REFUSED
    assert emulator.posts() == 0


@pages
def test_unsent_extension_names_the_expiration_of_the_dialog(
    client: Any, emulator: Any, order_id: str
) -> None:
    opened, asked = client.get(expiration_url(order_id)), in_days(50)
    was = datetime.fromisoformat(emulator.get_order(order_id)["expires_at"])
    emulator.change_order(order_id, expires_at=goody_time(in_days(33)))
    client.post(expiration_url(order_id), {**hidden(opened), "expiration": goody_time(asked)})
    change = f"{date_time(was, NEW_YORK)} → {date_time(asked, NEW_YORK)}"
    operation = reverse("operation", args=[order_id, only().id])
    assert f"<dt>Change</dt><dd>{change}</dd>" in text(client.get(operation))
    assert change in text(client.get("/audit/"))


@pages
def test_an_accepted_gift_has_no_form(client: Any, emulator: Any) -> None:
    page = client.get(expiration_url(emulator.find_order_id(status="accepted")))
    assert "Cannot be extended: the recipient accepted it." in text(page)
    assert hidden(page) == {}


@pages
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_viewer_is_refused(emulator: Any, as_role: Any, method: str) -> None:
    address = expiration_url(emulator.find_order_id(status="notified"))
    answer = getattr(as_role("viewer"), method)(address)
    assert answer.status_code == 403
    assert "Your role may not change expirations. An admin can make you an agent." in text(answer)


@pages
def test_the_audit_is_exact(client: Any, emulator: Any, order_id: str) -> None:
    later = in_days(50)
    open_and_submit(client, expiration_url(order_id), expiration=goody_time(later))
    intent, outcome = AuditEntry.objects.order_by("id")
    assert (intent.actor, intent.action) == (client.user, "order.extend")
    assert intent.after == {"expires_at": later.isoformat()}
    assert (outcome.intent, outcome.outcome) == (intent, State.APPLIED)


@pytest.mark.parametrize("days", [340, 500])
def test_presets_beyond_the_bound_are_left_out_with_the_reason(
    emulator: Any, as_role: Any, settings: Any, days: int
) -> None:
    order_id = emulator.find_order_id(status="notified")
    far = datetime.now(UTC) + timedelta(days=days)
    emulator.change_order(order_id, expires_at=f"{far:%Y-%m-%dT%H:%M:%SZ}")
    shown = as_role("agent").get(url("order_expiration", order_id), headers=dialog())
    latest = datetime.now(UTC) + timedelta(days=settings.EXTENSION_MAX_DAYS)
    offered = fields(shown).radios.get("expiration", [])
    assert all(datetime.fromisoformat(one) <= latest for one in offered)
    assert bool(offered) == (days < 365)
    assert "more than 365 days ahead of today" in text(shown)


def test_a_date_at_the_end_of_the_calendar_has_no_presets(emulator: Any, as_role: Any) -> None:
    order_id = emulator.find_order_id(status="notified")
    emulator.change_order(order_id, expires_at="9999-12-31T23:59:59Z")
    client = as_role("agent")
    Profile.objects.create(user=client.user, time_zone="Asia/Tokyo")
    shown = client.get(url("order_expiration", order_id), headers=dialog())
    assert fields(shown).radios == {}
    assert client.get(url("order_detail", order_id)).status_code == 200
    assert client.get("/orders/").status_code == 200


def test_an_undo_may_go_back_beyond_the_bound(emulator: Any, as_role: Any) -> None:
    """The former date was Goody's, to which EXTENSION_MAX_DAYS does not apply."""
    client, order_id = as_role("agent"), emulator.find_order_id(status="notified")
    far = datetime.now(UTC) + timedelta(days=500)
    emulator.change_order(order_id, expires_at=f"{far:%Y-%m-%dT%H:%M:%SZ}")
    sooner = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    open_and_submit(client, url("order_expiration", order_id), expiration=sooner, may_shorten="on")
    page = client.get(url("order_detail", order_id))
    client.post(undo_url(order_id), hidden(page), headers=dialog())
    assert Operation.objects.filter(undoes__isnull=False).get().state == State.APPLIED
