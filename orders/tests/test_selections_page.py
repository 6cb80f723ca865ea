"""/selections/: selecting in a list, in a ticket and by a filter, and the preview."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders import formats
from orders.eligibility import ExpirationPreset
from orders.models import Finding, Job, JobItem, Selection
from testing.bulk import days_from_now, store_order
from testing.dialogs import hidden
from testing.domain import goody_time
from testing.list_pages import complete_sync, text_of

pytestmark = pytest.mark.django_db
URL = "/selections/"
BOX = re.compile(r'<input type="checkbox" name="order" value="([0-9a-f-]{36})"[^>]*?( checked)?>')


@pytest.fixture
def lead(as_role: Any) -> Client:
    complete_sync(timezone.now())
    return as_role("lead")


def choose(client: Client, **given: Any) -> Any:
    return client.post(URL, {"action": "extend", **given})


def chosen() -> Selection:
    return Selection.objects.get()


CHOSEN = {"reason": "other", "note": "A recall\n<2>", "ticket": "ZD-1"}


def kept(response: Any) -> dict[str, str]:
    """Return what the form of a preview contains."""
    [form] = re.findall(r'(?s)<form[^>]* id="confirm".*?</form>', text_of(response))
    [reason] = re.findall(r'name="reason" value="(\w+)"[^>]*checked', form) or [""]
    [note] = re.findall(r'(?s)<textarea name="note"[^>]*>\r?\n?(.*?)</textarea>', form)
    typed = re.findall(r'name="(ticket|typed_count)"[^>]* value="([^"]*)"', form)
    return {"reason": reason, "note": note, **dict(typed)}


def submit_label(page: Any) -> str:
    """Return the text of the button that starts the job."""
    [label] = re.findall(r'bulk__submit" type="submit">(.*?)</button>', text_of(page))
    return re.sub("<[^>]*>", "", label)


def preview(client: Client, ids: list[UUID], action: str = "extend") -> tuple[str, Any]:
    """Select the orders and return the URL of the preview and the page."""
    address = choose(client, order=ids, action=action)["Location"]
    return address, client.get(address)


# --- The list ---------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["viewer", "agent", "lead", "admin"])
def test_only_people_with_the_right_see_boxes(as_role: Any, role: str) -> None:
    complete_sync(timezone.now())
    order_id = store_order(1)

    page = text_of(as_role(role).get("/orders/"))

    may = role in ("lead", "admin")
    assert [found[0] for found in BOX.findall(page)] == ([str(order_id)] if may else [])
    assert ('id="selection"' in page, "selection.js" in page) == (may, may)


@pytest.mark.parametrize("role", ["agent", "lead"])
def test_a_row_that_is_replaced_has_its_box(as_role: Any, role: str) -> None:
    complete_sync(timezone.now())
    order_id = store_order(1)
    headers = {"HX-Request": "true", "HX-Target": f"tr#order-{order_id}"}

    row = text_of(as_role(role).get(reverse("order_detail", args=[order_id]), headers=headers))

    assert row.count("<td") == 8
    assert len(BOX.findall(row)) == (role == "lead")


def test_a_link_ticks_the_whole_page(lead: Client) -> None:
    ids = {str(store_order(number)) for number in range(3)}

    plain = BOX.findall(text_of(lead.get("/orders/?status=notified")))
    checked = BOX.findall(text_of(lead.get("/orders/?status=notified&checked=page")))

    assert plain == [(one, "") for one, _ in plain]
    assert {one for one, _ in checked} == ids
    assert {is_checked for _, is_checked in checked} == {" checked"}


def test_all_that_match_are_offered_only_for_a_list_of_several_pages(lead: Client) -> None:
    for number in range(26):
        store_order(number)

    one_page = text_of(lead.get("/orders/"))
    several = text_of(lead.get("/orders/?per_page=25"))

    assert 'name="all"' not in one_page
    assert "26 that match" in several


def test_the_exact_number_of_matches(lead: Client, settings: Any) -> None:
    for number in range(4):
        store_order(number)

    assert text_of(lead.get(f"{URL}count/?status=notified")) == "4 that match"
    settings.BULK_MAX_ORDERS = 3
    assert text_of(lead.get(f"{URL}count/?status=notified")) == (
        "that match: more than 3, the most that can be selected"
    )


def test_the_way_back_from_an_order_checks_no_boxes(lead: Client) -> None:
    order_id = store_order(1)
    for list_url in ("/orders/", "/orders/?status=notified"):
        page = text_of(lead.get(list_url))
        [checked] = re.findall(r'class="bulk-bar__page" href="([^"]*)"', page)
        order = lead.get(
            reverse("order_detail", args=[order_id]),
            headers={"Referer": f"http://testserver{checked}"},
        )
        assert f'href="{list_url}#order-{order_id}"' in text_of(order)


# --- Freezing ---------------------------------------------------------------------------------


def test_checked_orders_are_frozen_from_their_list(lead: Client) -> None:
    first, second, _ = (store_order(number) for number in range(3))

    response = choose(lead, order=[first, second], query="status=notified")

    assert (response.status_code, response["Location"]) == (303, f"{URL}{chosen().pk}/")
    assert chosen().order_ids == (first, second)
    assert chosen().description == "Selected in the list: Status: notified"
    assert chosen().list_url == "/orders/?status=notified"
    assert chosen().owner.username == "lead"


def test_all_that_match_are_frozen_at_that_moment(lead: Client) -> None:
    ids = {store_order(number) for number in range(30)}
    other = store_order(99, status="delivered")

    choose(lead, all="on", query="status=notified&per_page=25", order=[other])

    assert set(chosen().order_ids) == ids
    assert chosen().description == "All that match: Status: notified"
    store_order(31)
    assert len(chosen().orders) == 30


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ({}, "No order is selected"),
        ({"order": ["7"]}, "The orders could not be selected"),
        ({"order": [str(UUID(int=n)) for n in range(101)]}, "The orders could not be selected"),
        ({"action": "pay"}, "The orders could not be selected"),
        ({"all": "on", "query": "status=delivered"}, "No order is selected"),
        ({"order": [str(UUID(int=1))]}, "No order is selected"),
    ],
)
def test_nothing_is_stored_of_a_bad_choice(lead: Client, given: dict[str, Any], title: str) -> None:
    response = choose(lead, **given)

    assert response.status_code == 422
    assert title in text_of(response)
    assert not Selection.objects.exists()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("created_after=yesterday", "“Created from” is not a date. Write it as YYYY-MM-DD."),
        ("expires_before=9999-99-99", "“Expires until” is not a date. Write it as YYYY-MM-DD."),
        ("expires=%00", "“Expires” is one of 24h, 3d, 7d, 14d, expired, never."),
        ("status=%00", "These are no statuses of orders."),
        ("batch=%01x", "“Batch” is the id of a batch or its beginning, such as 1a2b3c4d."),
        ("view=%00", "This address does not name a saved view."),
        ("swapped=%00", "“Swapped” is “yes” or “no”."),
        ("q=expires:soon", "expires:soon"),
    ],
)
def test_nothing_is_counted_and_selected_of_a_list_that_cannot_be_read(
    lead: Client, query: str, sentence: str
) -> None:
    order_id = store_order(1)

    shown, count = lead.get(f"/orders/?{query}"), lead.get(f"{URL}count/?{query}")
    answers = [choose(lead, query=query, **one) for one in ({"all": "on"}, {"order": [order_id]})]

    assert (shown.status_code, count.status_code, text_of(count)) == (400, 204, "")
    assert sentence in text_of(shown)
    for answer in answers:
        assert answer.status_code == 422
        assert "The list could not be read" in text_of(answer)
        assert sentence in text_of(answer)
        assert f'href="/orders/?{query}"' in text_of(answer)
    assert not Selection.objects.exists()


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("sender=%00", 3),
        ("sender=%00Zo%00e", 2),
        ("workspace=%E2%80%8B", 3),
        ("created_after=%00", 3),
        ("q=%00", 3),
        ("status=%01", 0),
    ],
)
def test_list_count_and_selection_agree_on_invisible_characters(
    lead: Client, query: str, number: int
) -> None:
    sender = {"first_name": "Zoe", "last_name": "", "email": "zoe@sender.test"}
    ids = [store_order(1, sender=sender), store_order(2, sender=sender), store_order(3)][:number]

    found = BOX.findall(text_of(lead.get(f"/orders/?{query}")))
    count = text_of(lead.get(f"{URL}count/?{query}"))
    answer = choose(lead, all="on", query=query)

    assert {UUID(one) for one, _ in found} == set(ids)
    assert count == f"{number} that match"
    if number:
        assert set(chosen().order_ids) == set(ids)
    else:
        assert "No order is selected" in text_of(answer)


@pytest.mark.parametrize("state", [{"finished_at": None}, {"folding_version": 0}])
def test_all_that_match_need_a_complete_index(lead: Client, state: dict[str, Any]) -> None:
    order_id = store_order(1)
    complete_sync(timezone.now(), **state)

    response = choose(lead, all="on", query="status=notified")

    assert response.status_code == 422
    assert "Not every order that matches is known yet" in text_of(response)
    assert choose(lead, order=[order_id]).status_code == 303


def test_more_than_the_limit_is_refused_in_words(lead: Client, settings: Any) -> None:
    settings.BULK_MAX_ORDERS = 2
    for number in range(3):
        store_order(number)

    response = choose(lead, all="on")

    assert response.status_code == 422
    page = text_of(response)
    assert "More than 2 orders match" in page
    assert "Narrow the list" in page


def test_a_selection_is_for_its_owner_alone(lead: Client, as_role: Any) -> None:
    address, _ = preview(lead, [store_order(1)])

    other = as_role("lead", "another-lead")
    assert other.get(address).status_code == 404
    assert other.get(f"/orders/?selection={chosen().pk}").status_code == 404
    Selection.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert lead.get(address).status_code == 404


def test_a_selection_needs_the_right_when_it_is_opened(lead: Client) -> None:
    address, _ = preview(lead, [store_order(1)])

    lead.user.groups.set([Group.objects.get(name="agent")])

    assert lead.get(address).status_code == 403
    assert lead.get(f"/orders/?selection={chosen().pk}").status_code == 403


def test_a_finding_is_selected_on_its_page(lead: Client) -> None:
    ids = [store_order(number) for number in range(2)]
    lead.post("/orders/find/", {"text": "\n".join(map(str, ids))})
    address = reverse("ticket", args=[Finding.objects.get().pk])

    page = text_of(lead.get(f"{address}?checked=page"))
    boxes = BOX.findall(page)
    choose(lead, order=[one for one, _ in boxes], query=hidden(lead.get(address))["query"])

    assert {found for found, _ in boxes} == set(map(str, ids))
    assert set(chosen().order_ids) == set(ids)
    assert chosen().description == "Selected in the list: Found in a pasted text"


def test_a_batch_is_selected_from_an_order_page(lead: Client, emulator: Any) -> None:
    batch = "0aa5cfd6-4b1d-4c3e-9f35-6e9a6d1c7a10"
    ids = {store_order(number, order_batch_id=batch) for number in range(3)}

    lead.cookies["script"] = "on"
    page = text_of(lead.get(reverse("order_detail", args=[next(iter(ids))])))

    assert f'name="query" value="batch={batch}"' in page
    choose(lead, all="on", query=f"batch={batch}")
    assert set(chosen().order_ids) == ids


def test_the_download_is_the_selection_exactly(lead: Client) -> None:
    first, second = store_order(1), store_order(2)
    store_order(3)

    response = choose(lead, order=[second, first], action="csv", query="status=notified")

    assert response["Location"] == f"/orders/export.csv?selection={chosen().pk}"
    lines = b"".join(lead.get(response["Location"])).decode().splitlines()
    assert {line.partition(",")[0] for line in lines[1:]} == {str(first), str(second)}


def test_a_download_has_no_preview(lead: Client) -> None:
    choose(lead, order=[store_order(1)], action="csv")
    address = f"{URL}{chosen().pk}/"

    answers = [lead.get(address), lead.post(address)]

    assert [one.status_code for one in answers] == [303, 303]
    assert {one["Location"] for one in answers} == {f"/orders/export.csv?selection={chosen().pk}"}
    assert not Job.objects.exists()


def test_a_selection_is_shown_as_a_list(lead: Client) -> None:
    order_id = store_order(1)
    store_order(2)
    preview(lead, [order_id])

    page = text_of(lead.get(f"/orders/?selection={chosen().pk}"))

    assert [found[0] for found in BOX.findall(page)] == [str(order_id)]
    assert "Selected orders" in page


# --- The preview ------------------------------------------------------------------------------


def test_the_preview_says_what_will_and_what_will_not_be_done(lead: Client) -> None:
    ids = [
        store_order(1),
        store_order(2, status="opened"),
        store_order(3, status="accepted"),
        store_order(4, status="failed"),
    ]

    _, page = preview(lead, ids)
    text = text_of(page)

    assert "2 gifts will be extended" in text
    assert "Cannot be extended: the recipient accepted it." in text
    assert "Cannot be extended: it is already canceled or failed." in text
    assert submit_label(page) == "Extend 2 gifts by 14 days"


def test_the_first_choice_is_two_weeks_from_each_expiration(lead: Client) -> None:
    at = days_from_now(5)
    _, page = preview(lead, [store_order(1, expires_at=goody_time(at))])

    assert hidden(page)["expiration"] == ExpirationPreset.TWO_WEEKS
    day = at + timedelta(days=14)
    assert f"<strong>{day.day} {day:%b}" in text_of(page)


_LATER = days_from_now(60)


@pytest.mark.parametrize(
    ("choice", "by"),
    [
        ({"expiration": ExpirationPreset.WEEK}, "by 7 days"),
        ({"expiration": ExpirationPreset.END_OF_MONTH}, "to the end of the month"),
        (
            {"expiration_custom": f"{_LATER:%Y-%m-%d} 18:30"},
            f"to {formats.compact_day(_LATER, timezone.now(), UTC)}, 18:30",
        ),
    ],
)
def test_the_button_names_the_new_expiration(lead: Client, choice: dict[str, str], by: str) -> None:
    address, _ = preview(lead, [store_order(1)])
    assert submit_label(lead.get(address, choice)) == f"Extend 1 gift {by}"


def test_the_preview_warns_that_expired_gifts_may_stay_expired(lead: Client) -> None:
    ids = [store_order(1), store_order(2, expires_at=goody_time(days_from_now(-2)))]
    _, page = preview(lead, ids)
    _, other = preview(lead, ids[:1])
    assert (
        "1 gift has expired: that extension cannot be undone, and Goody does not say whether it "
        "revives a gift." in text_of(page)
    )
    assert "has expired: that extension" not in text_of(other)


def test_one_date_for_all_leaves_out_what_it_would_shorten(lead: Client) -> None:
    ids = [store_order(1), store_order(2, expires_at=goody_time(days_from_now(40)))]
    address, _ = preview(lead, ids)
    day = f"{days_from_now(20):%Y-%m-%d}"

    page = text_of(lead.get(address, {"expiration_custom": day}))
    checked = text_of(lead.get(address, {"expiration_custom": day, "may_shorten": "on"}))

    assert "1 gift will be extended" in page
    assert "This is earlier than the present expiration." in page
    assert "Include 1 gift that would expire sooner" in page
    assert "2 gifts will be extended" in checked


def test_a_date_that_cannot_be_read_is_told(lead: Client) -> None:
    address, _ = preview(lead, [store_order(1)])

    page = text_of(lead.get(address, {"expiration_custom": "whenever"}))

    assert "This is not a date that can be read." in page
    assert "The date cannot be read" in page
    assert '<td class="bulk__when"><strong>' not in page


def test_nothing_is_done_while_the_date_cannot_be_read(lead: Client) -> None:
    """Not what the page would do without the date."""
    address, page = preview(lead, [store_order(1)])
    wrong = {"expiration_custom": "32 Dezember"}

    text = text_of(lead.get(address, wrong))
    response = lead.post(address, {**hidden(page), **wrong})

    assert "button--primary bulk__submit" in text_of(page)
    assert "bulk__submit" not in text
    assert response.status_code == 422
    assert not Job.objects.exists()


def test_a_cancel_says_what_is_released_by_workspace(lead: Client) -> None:
    ids = [
        store_order(
            n, amounts={"amount_pre_tax_total": 1000 * n}, workspace_id=None, workspace_name=name
        )
        for n, name in ((1, "Sales"), (2, "Sales"), (3, "People"))
    ]
    ids.append(store_order(4, amounts={}, workspace_name="People"))

    _, page = preview(lead, ids, "cancel")
    text = text_of(page)

    assert "4 gifts will be canceled" in text
    assert submit_label(page) == "Cancel 4 gifts (about $60.00 before tax and 1 unknown amount)"
    assert re.findall(r'<th scope="row">(Sales|People)</th>', text) == ["Sales", "People"]
    assert '<td class="num">$30.00</td>' in text
    assert '<td class="num">$30.00 and 1 unknown amount</td>' in text
    assert "Released, before tax" in text


def test_orders_that_changed_since_are_told_with_the_difference(lead: Client) -> None:
    address, _ = preview(lead, [store_order(1), store_order(2)])
    store_order(2, status="opened")

    text = text_of(lead.get(address))

    assert "1 gift will be extended" in text
    assert "Changed since you selected it." in text
    assert "Status: Notified → Opened" in text
    assert "2 gifts will be extended" in text_of(lead.get(address, {"with_changed": "on"}))


def test_the_table_is_paged_and_shows_one_group(lead: Client) -> None:
    ids = [store_order(n) for n in range(60)] + [
        store_order(n, status="failed") for n in range(100, 103)
    ]
    address, page = preview(lead, ids[:100])
    text = text_of(page)

    assert "1–50 of 63" in text
    group = re.search(r'href="([^"]*group=[0-9a-f]{8}[^"]*)"', text)
    assert group
    assert "1–3 of 3" in text_of(lead.get(group[1].partition("#")[0]))
    assert "51–63 of 63" in text_of(lead.get(f"{address}?page=2"))
    assert "1–50 of 60" in text_of(lead.get(f"{address}?group=included"))


def test_each_reason_links_to_a_list_of_its_orders(lead: Client) -> None:
    ids = [store_order(n, status=("failed", "opened", "accepted")[n % 3]) for n in range(9)]
    _, page = preview(lead, ids)

    links = re.findall(r'href="(/orders/\?selection=[^"]*part=[^"]*)"', text_of(page))

    found = [{one for one, _ in BOX.findall(text_of(lead.get(link)))} for link in links]
    assert found == [{str(one) for one in ids[0::3]}, {str(one) for one in ids[2::3]}]
    spoiled = lead.get(re.sub("part=...", "part=", links[0]))
    assert spoiled.status_code == 400
    assert "does not name a part of a selection" in text_of(spoiled)


def test_the_undo_of_a_job_is_told_as_such(lead: Client) -> None:
    former = days_from_now(2)
    address, page = preview(lead, [store_order(1), store_order(2)])
    lead.post(address, hidden(page))
    selection = chosen()
    selection.pk, selection.undoes = uuid4(), Job.objects.get()
    for one in selection.orders:
        one[3] = former.isoformat()
    selection.save(force_insert=True)
    JobItem.objects.update(state="done")

    page = lead.get(f"{URL}{selection.pk}/")
    text = text_of(page)
    lead.post(f"{URL}{selection.pk}/", hidden(page))

    assert f"<h1>Undo job {selection.undoes.number}</h1>" in text
    assert "2 gifts will have the former expiration" in text
    assert submit_label(page) == "Set back 2 gifts"
    assert "Or one date for all" not in text
    undo = Job.objects.latest("number")
    assert (undo.parent, undo.relation) == (selection.undoes, "undo")
    assert undo.params["rule"] == "Each back to its former expiration"
    assert set(JobItem.objects.filter(job=undo).values_list("expiration", flat=True)) == {former}


def test_a_changed_plan_is_shown_again_and_not_started(lead: Client) -> None:
    address, page = preview(lead, [store_order(1), store_order(2)])
    form = hidden(page)
    store_order(2, status="accepted")

    response = lead.post(address, form)

    assert response.status_code == 422
    assert "What would be done has changed since this page was shown" in text_of(response)


def test_a_preview_of_two_hours_ago_is_shown_again(lead: Client) -> None:
    address, page = preview(lead, [store_order(1)])
    old = f"{timezone.now() - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"

    response = lead.post(address, {**hidden(page), "as_of": old})

    assert response.status_code == 422
    assert "Nothing was started." in text_of(response)


def test_the_number_is_typed_above_the_limit(lead: Client, settings: Any) -> None:
    settings.BULK_TYPED_ABOVE = 1
    address, page = preview(lead, [store_order(1), store_order(2)], "cancel")
    assert "Type 2 to confirm" in text_of(page)

    response = lead.post(address, {**hidden(page), **CHOSEN, "typed_count": "3"})

    assert response.status_code == 422
    assert "Type the number of gifts: 2." in text_of(response)
    assert kept(response) == {**CHOSEN, "typed_count": "3"}


def test_a_reason_is_required_to_cancel(lead: Client) -> None:
    address, page = preview(lead, [store_order(1)], "cancel")

    response = lead.post(address, hidden(page))

    assert response.status_code == 422
    assert "Choose a reason." in text_of(response)


def test_the_button_asks_for_approval_above_the_limit(lead: Client, settings: Any) -> None:
    settings.BULK_APPROVAL_ABOVE, settings.BULK_APPROVAL_EXPIRES = 1, 8 * 3600
    _, page = preview(lead, [store_order(1), store_order(2)], "cancel")

    assert submit_label(page).startswith("Ask to cancel 2 gifts (")
    assert "another lead must approve exactly this list within 8 hours" in text_of(page)


@pytest.mark.parametrize("refusal", ["changed", "old", "cap"])
def test_a_refused_cancel_keeps_what_was_typed(lead: Client, settings: Any, refusal: str) -> None:
    settings.BULK_TYPED_ABOVE = 1
    address, page = preview(lead, [store_order(number) for number in range(3)], "cancel")
    form = {**hidden(page), **CHOSEN, "typed_count": "3"}
    if refusal == "changed":
        store_order(1, status="accepted")
    elif refusal == "old":
        form["as_of"] = f"{timezone.now() - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
    else:
        settings.BULK_CANCELS_PER_DAY = {"lead": 2}

    response = lead.post(address, form)

    assert response.status_code == 422
    assert not Job.objects.exists()
    shown = kept(response)
    assert {name: shown[name] for name in CHOSEN} == CHOSEN


def test_the_cap_of_the_day_is_told_before(lead: Client, settings: Any) -> None:
    settings.BULK_CANCELS_PER_DAY = {"lead": 1}
    _, page = preview(lead, [store_order(1), store_order(2)], "cancel")
    text = text_of(page)

    assert "You can cancel 1 more gift now, not 2" in text
    assert 'class="button button--danger' not in text


# --- The job ----------------------------------------------------------------------------------


def test_a_submit_makes_the_job_that_the_preview_showed(lead: Client) -> None:
    at = days_from_now(5)
    ids = [
        store_order(1, expires_at=goody_time(at)),
        store_order(2, status="accepted"),
        store_order(3, status="opened"),
    ]
    address, page = preview(lead, ids)

    response = lead.post(address, {**hidden(page), "reason": "Holidays", "ticket": "ZD-1"})

    job = Job.objects.get()
    assert (response.status_code, response["Location"]) == (303, f"/jobs/{job.pk}/")
    assert (job.action, job.total, job.actor_name) == ("order.extend", 3, "Lead")
    assert job.description == "Selected in the list: All orders"
    assert job.params == {
        "reason": "",
        "note": "Holidays",
        "ticket": "ZD-1",
        "rule": "each by 14 days from its own expiration, or from now if that is later",
        "may_shorten": False,
        "is_undo": False,
    }
    items = JobItem.objects.order_by("position").values_list("order_uuid", "state", "detail")
    assert list(items) == [
        (ids[0], "pending", ""),
        (ids[1], "skipped", "Cannot be extended: the recipient accepted it."),
        (ids[2], "pending", ""),
    ]
    first = JobItem.objects.get(position=1)
    assert first.expiration == at + timedelta(days=14)
    assert first.snapshot == chosen().frozen_orders[0].snapshot


def test_a_selection_makes_one_job(lead: Client) -> None:
    address, page = preview(lead, [store_order(1)], "cancel")
    form = {**hidden(page), "reason": "duplicate"}

    first, second = lead.post(address, form), lead.post(address, form)

    assert first["Location"] == second["Location"]
    job = Job.objects.get()
    text = text_of(lead.get(address))
    assert f"Job {job.number} was started with this selection" in text
    assert "A job was started with this selection." in text
    assert "bulk__submit" not in text


def test_an_order_that_waits_in_a_job_is_left_out(lead: Client) -> None:
    order_id = store_order(1)
    address, page = preview(lead, [order_id], "cancel")
    lead.post(address, {**hidden(page), "reason": "duplicate"})
    number = Job.objects.get().number

    Selection.objects.all().delete()
    _, again = preview(lead, [order_id, store_order(2)])

    assert f"Part of job {number}, which has not ended." in text_of(again)
    assert "1 gift will be extended" in text_of(again)


def test_what_was_changed_today_counts_against_the_cap(lead: Client, settings: Any) -> None:
    settings.BULK_CANCELS_PER_DAY = {"lead": 2}
    address, page = preview(lead, [store_order(1), store_order(2, status="failed")], "cancel")
    lead.post(address, {**hidden(page), "reason": "duplicate"})

    Selection.objects.all().delete()
    address, page = preview(lead, [store_order(3), store_order(4)], "cancel")
    settings.BULK_CANCELS_PER_DAY = {"lead": 3}
    allowed = lead.get(address)
    settings.BULK_CANCELS_PER_DAY = {"lead": 2}
    response = lead.post(address, {**hidden(page), "reason": "duplicate"})

    assert "You can cancel 1 more gift now, not 2" in text_of(page)
    assert submit_label(allowed).startswith("Cancel 2 gifts (")
    assert response.status_code == 422
    assert Job.objects.count() == 1


def test_more_cancels_than_the_limit_await_approval(lead: Client, settings: Any) -> None:
    settings.BULK_APPROVAL_ABOVE = 1
    address, page = preview(lead, [store_order(1), store_order(2)], "cancel")

    lead.post(address, {**hidden(page), "reason": "other", "note": "A recall"})

    assert Job.objects.get().state == "awaiting_approval"
