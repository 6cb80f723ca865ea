"""Saved views: own ones, shared ones, and the page that manages them."""

from __future__ import annotations

import html
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from orders import index, services
from orders.forms.listing import parse_filters
from orders.list_columns import DEFAULT_COLUMNS
from orders.list_url import Filters, saved_query_string, saved_view_url
from orders.models import AuditEntry, SavedView
from orders.presenters.list_views import SavedViewBar, make_saved_view_bar
from orders.rights import NotAllowed
from orders.search import MatchCount
from orders.services import InvalidSavedView, saved_views
from testing.dialogs import text
from testing.domain import actor, order
from testing.list_pages import complete_sync
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db

VIEWS = "/orders/views/"
NO_FINDING = UUID("80c4ff26-2667-4ac9-9580-50bd2441f6a3")


def save(role: str = "agent", name: str = "Opened", query: str = "status=opened", **given: Any):
    return services.save_view(
        actor=actor(role, given.pop("username", "")),
        name=name,
        query=query,
        **{"is_shared": False, "now": timezone.now(), **given},
    )


def change(client: Client, view: SavedView, **fields: str) -> Any:
    return client.post(f"{VIEWS}{view.pk}/", fields)


def names(role: str, username: str = "") -> list[str]:
    return [one.name for one in services.visible_views(actor(role, username))]


def bar(parameters: str, role: str = "agent") -> SavedViewBar:
    who = actor(role)
    return make_saved_view_bar(
        services.visible_views(who),
        parse_filters(parameters),
        columns=DEFAULT_COLUMNS,
        actor=who,
        counts={
            "attention": MatchCount(3, is_capped=False),
            "trouble": MatchCount(0, is_capped=False),
        },
        are_counts_known=True,
    )


def current(there: SavedViewBar) -> list[str]:
    return [tab.name for tab in there.tabs if tab.current]


def audited() -> list[tuple[str, str, Any, Any]]:
    rows = AuditEntry.objects.filter(action__startswith="view.").order_by("id")
    return [(row.action, row.detail, row.before, row.after) for row in rows]


# --- which list it is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "kept"),
    [
        ("", ""),
        ("q=&status=", ""),
        ("status=opened&q=ana", "q=ana&status=opened"),
        ("status=paid&status=opened&status=paid", "status=paid&status=opened"),
        ("q=+ana++b+", "q=ana++b"),
        (f"q=a&position=x&per_page=25&view=7&goto=2&next=/&finding={NO_FINDING}", "q=a"),
        ("sort=amount&expires_after=2026-11-01", "expires_after=2026-11-01&sort=amount"),
        ("sort=color&expires_after=soon&q=a", "q=a"),
        ("q=%C3%A4%26b", "q=%C3%A4%26b"),
    ],
)
def test_equal_lists_are_written_equally(parameters: str, kept: str) -> None:
    assert saved_query_string(parse_filters(parameters)) == kept
    assert saved_query_string(parse_filters(kept)) == kept


# --- whose --------------------------------------------------------------------------------------


def test_everybody_sees_their_own_views_and_the_shared_ones() -> None:
    save(name="Mine")
    save(name="Other agent's", username="bob")
    save("lead", name="For all", is_shared=True)
    assert names("agent") == ["Mine", "For all"]
    assert names("viewer") == ["For all"]
    assert names("lead") == ["For all"]


def test_a_viewer_saves_nothing_and_an_agent_shares_nothing() -> None:
    with pytest.raises(NotAllowed, match="Your role may not save views"):
        save("viewer")
    with pytest.raises(NotAllowed, match="Your role may not share views or change shared ones"):
        save("agent", is_shared=True)
    assert not SavedView.objects.exists()
    assert audited() == []


def test_another_persons_view_can_not_be_touched() -> None:
    view, other, now = save(), actor("lead"), timezone.now()
    for attempt in (
        lambda: services.change_view(actor=other, view=view, name="Taken", now=now),
        lambda: services.delete_view(actor=other, view=view),
        lambda: services.share_view(actor=other, view=view, now=now),
    ):
        with pytest.raises(InvalidSavedView, match="somebody else's"):
            attempt()
    with pytest.raises(NotAllowed):
        services.move_view_up(actor=other, view=view)
    assert list(SavedView.objects.values_list("name", "is_shared")) == [("Opened", False)]


def test_only_changes_of_shared_views_are_audited() -> None:
    lead, other, now = actor("lead"), actor("admin"), timezone.now()
    view = save("lead")
    services.change_view(actor=lead, view=view, name="Open", now=now)
    assert audited() == []

    services.share_view(actor=lead, view=view, now=now)
    services.change_view(actor=other, view=view, query="q=a", now=now)
    services.withdraw_view(actor=other, view=view, now=now)
    first = {"name": "Open", "query": "status=opened"}
    then = {"name": "Open", "query": "q=a"}
    assert audited() == [
        ("view.share", "Open", None, first),
        ("view.change", "Open", first, then),
        ("view.withdraw", "Open", then, None),
    ]
    assert names("lead") == ["Open"]
    assert names("admin") == []


def test_sharing_twice_is_sharing_once() -> None:
    lead, now = actor("lead"), timezone.now()
    view = save("lead", is_shared=True)
    services.share_view(actor=lead, view=view, now=now)
    services.withdraw_view(actor=lead, view=view, now=now)
    services.withdraw_view(actor=lead, view=view, now=now)
    assert [row[0] for row in audited()] == ["view.share", "view.withdraw"]


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Opened", "OPENED", "ópened"])
def test_a_name_is_taken_once_by_a_person(name: str) -> None:
    save()
    with pytest.raises(InvalidSavedView, match=f"There is a view called “{name}” already"):
        save(name=name)
    save(name=name, username="bob")
    assert SavedView.objects.count() == 2


def test_a_name_is_shared_once_and_a_failed_share_leaves_nothing() -> None:
    save("lead", is_shared=True)
    with pytest.raises(InvalidSavedView, match="There is a shared view called “opened” already"):
        save("admin", name="opened", is_shared=True)
    assert [one.name for one in SavedView.objects.all()] == ["Opened"]
    assert len(audited()) == 1


def test_a_rename_to_a_taken_name_changes_nothing() -> None:
    save(name="First")
    second = save(name="Second")
    with pytest.raises(InvalidSavedView, match="called “first” already"):
        services.change_view(actor=actor(), view=second, name="first", now=timezone.now())
    assert names("agent") == ["First", "Second"]


def test_deleted_view_is_not_saved_again() -> None:
    view = save()
    SavedView.objects.all().delete()
    with pytest.raises(InvalidSavedView, match="has been deleted"):
        services.change_view(actor=actor(), view=view, name="Again", now=timezone.now())
    assert not SavedView.objects.exists()


def test_number_of_views_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MOST_OWN", 2)
    for number in range(2):
        save(name=f"View {number}")
    with pytest.raises(InvalidSavedView, match="You have 2 views already"):
        save(name="One more")
    save(name="One more", username="bob")


def test_views_move_up_among_their_own_kind() -> None:
    a, b = save("lead", name="A"), save("lead", name="B")
    c, d = save("lead", name="C", is_shared=True), save("lead", name="D", is_shared=True)
    lead = actor("lead")
    services.move_view_up(actor=lead, view=b)
    services.move_view_up(actor=lead, view=d)
    assert names("lead") == ["B", "A", "D", "C"]
    services.move_view_up(actor=lead, view=b)
    assert names("lead") == ["B", "A", "D", "C"]
    assert (a.pk, c.pk) == (SavedView.objects.get(name="A").pk, SavedView.objects.get(name="C").pk)


# --- above the list -----------------------------------------------------------------------------


def test_the_bar_marks_the_view_that_is_shown() -> None:
    view = save()
    there = bar(f"status=opened&view={view.pk}&per_page=25")
    assert (current(there), there.title) == (["Opened"], "Opened")
    assert there.tabs[-1].url == f"/orders/?status=opened&view={view.pk}&per_page=25"
    assert (there.reset_url, there.change_url) == ("", "")
    assert (current(bar("")), bar("").title) == (["All"], "")
    assert current(bar("sort=amount&columns=recipient")) == ["All"]
    assert current(bar("status=opened")) == []


def test_presets_come_before_saved_views_and_keep_their_dates_relative() -> None:
    save()
    there = bar("")
    assert [(tab.name, tab.url) for tab in there.tabs] == [
        ("All", "/orders/"),
        ("Needs attention", "/orders/?attention=yes"),
        ("Expiring in 7 days", "/orders/?expires=7d"),
        ("Expired, not accepted", "/orders/?expires=expired"),
        ("Delivery trouble", "/orders/?delivery=trouble"),
        ("Payment pending", "/orders/?payment=pending"),
        ("Not accepted", "/orders/?status=created&status=notified&status=opened"),
        ("This month", "/orders/?created=this-month"),
        ("Last month", "/orders/?created=last-month"),
        ("Opened", f"/orders/?status=opened&view={SavedView.objects.get().pk}"),
    ]
    # A count of 0 is not shown.
    assert [(tab.number, tab.tone) for tab in there.tabs[1:5]] == [
        ("3", "count--warn"),
        ("", ""),
        ("", ""),
        ("", "count--warn"),
    ]
    for tab in there.tabs[1:9]:
        here = bar(f"{tab.url.partition('?')[2]}&sort=recipient")
        assert (current(here), here.title) == ([tab.name], tab.name)


def test_a_new_view_keeps_the_columns_that_are_shown() -> None:
    shown = ("recipient", "receipt")
    there = make_saved_view_bar(
        [], Filters(q="ana"), columns=shown, actor=actor("agent"), counts={}, are_counts_known=False
    )
    assert (there.query, there.new_query) == ("q=ana", "q=ana&columns=recipient%2Creceipt")
    # Another person may have replaced the default columns.
    assert bar("q=ana").new_query == "q=ana&columns=" + "%2C".join(DEFAULT_COLUMNS)
    assert there.counts_url == "/orders/counts/"
    # What everybody has need not be saved.
    assert not bar("").may_save
    assert not bar("expires=7d").may_save
    assert bar("q=ana").may_save
    assert bar("expires=7d&sort=amount").may_save


def test_the_bar_says_when_the_view_was_changed() -> None:
    view = save()
    changed = bar(f"status=opened&q=ana&sort=amount&view={view.pk}")
    assert changed.query == "q=ana&status=opened&sort=amount"
    assert changed.reset_url == f"/orders/?status=opened&view={view.pk}"
    assert changed.change_url == f"/orders/views/{view.pk}/"
    # Removing all filters is a change as well.
    assert bar(f"view={view.pk}").reset_url
    # A position and a page size are not.
    assert not bar(f"status=opened&view={view.pk}&per_page=100&position=x").reset_url


def test_a_shared_view_is_saved_by_those_with_the_right_and_reset_by_all() -> None:
    view = save("lead", is_shared=True)
    parameters = f"q=ana&view={view.pk}"
    for role, may_change, may_save in (
        ("viewer", False, False),
        ("agent", False, True),
        ("lead", True, True),
        ("admin", True, True),
    ):
        there = bar(parameters, role)
        assert there.reset_url
        assert (bool(there.change_url), there.may_save) == (may_change, may_save), role


@pytest.mark.parametrize("parameters", ["view=999", "view=x", "view=", "view=²"])
def test_a_view_that_is_not_there_is_none(parameters: str) -> None:
    there = bar(parameters)
    assert (there.current, there.reset_url) == ("", "")


def test_a_finding_is_no_view() -> None:
    view = save()
    there = bar(f"status=opened&view={view.pk}&finding={uuid4()}")
    assert (there.change_url, there.may_save) == ("", False)
    assert current(bar(f"finding={uuid4()}")) == []


# --- the pages ----------------------------------------------------------------------------------


def rows(page: str) -> list[str]:
    return re.findall(r'id="view-(\d+)"', page)


def test_a_list_is_saved_and_shown(as_role: Any) -> None:
    answer = as_role("agent").post(
        VIEWS, {"name": " To <b>watch</b> ", "query": "status=opened&position=x&q=ana"}
    )
    view = SavedView.objects.get()
    assert (view.name, view.query, view.is_shared) == (
        "To <b>watch</b>",
        "q=ana&status=opened",
        False,
    )
    assert answer.status_code == 303
    assert answer["Location"] == f"/orders/?q=ana&status=opened&view={view.pk}"
    page = text(as_role("agent").get(VIEWS))
    assert rows(page) == [str(view.pk)]
    assert "To &lt;b&gt;watch&lt;/b&gt;" in page
    assert "<b>watch" not in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "", "query": "q=a"}, "Give the view a name."),
        ({"name": "  ", "query": "q=a"}, "Give the view a name."),
        ({"name": "x" * 61, "query": "q=a"}, "A name has at most 60 characters."),
        ({"name": "opened", "query": "q=a"}, "There is a view called “opened” already."),
        ({"name": "a", "query": f"q={'x' * 2000}"}, "too long to be saved as a view."),
    ],
)
def test_invalid_view_is_explained_and_kept(
    as_role: Any, fields: dict[str, str], sentence: str
) -> None:
    save()
    answer = as_role("agent").post(VIEWS, fields)
    page = html.unescape(text(answer))
    assert answer.status_code == 422
    assert sentence in page
    assert f'name="name" maxlength="60" required autocomplete="off" value="{fields["name"]}"' in (
        page.replace("�", "\x00")
    )
    assert SavedView.objects.count() == 1


def test_every_change_of_a_view(as_role: Any) -> None:
    client = as_role("lead")
    first, view = save("lead", name="First"), save("lead")

    def stands() -> tuple[str, str, bool]:
        now = SavedView.objects.get(pk=view.pk)
        return now.name, now.query, now.is_shared

    answer = change(client, view, do="save", query="sort=amount&q=a&page=2")
    assert answer["Location"] == f"/orders/?q=a&sort=amount&view={view.pk}"
    assert stands() == ("Opened", "q=a&sort=amount", False)
    answer = change(client, view, do="rename", name="Renamed")
    assert (answer.status_code, answer["Location"]) == (303, VIEWS)
    assert stands()[0] == "Renamed"
    change(client, view, do="up")
    assert names("lead") == ["Renamed", "First"]
    change(client, view, do="share")
    assert stands()[2]
    assert change(client, view, do="delete").status_code == 422
    change(client, view, do="withdraw")
    assert not stands()[2]
    change(client, view, do="delete")
    assert SavedView.objects.get() == first
    assert text(client.get(VIEWS)).count("“Renamed” deleted") == 1


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "the form names no action"),
        ({"do": "burn"}, "there is no such action on a view"),
        ({"do": "rename"}, "Give the view a name."),
        ({"do": "rename", "name": "x" * 61}, "A name has at most 60 characters."),
        ({"do": "rename", "name": "First"}, "There is a view called “First” already."),
    ],
)
def test_a_refusal_is_a_sentence(as_role: Any, fields: dict[str, str], sentence: str) -> None:
    save(name="First")
    view = save()
    answer = change(as_role("agent"), view, **fields)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert names("agent") == ["First", "Opened"]


def test_a_shared_view_offers_nothing_to_those_without_the_right(as_role: Any) -> None:
    view = save("lead", is_shared=True)
    page = text(as_role("agent").get(VIEWS))
    assert rows(page) == [str(view.pk)]
    assert "by Lead" in page
    assert 'name="do"' not in page
    assert change(as_role("agent"), view, do="rename", name="Mine").status_code == 403
    assert 'value="withdraw"' in text(as_role("admin").get(VIEWS))


def test_view_is_described_like_its_list(as_role: Any) -> None:
    now, client = timezone.now(), as_role("agent")
    fields = {"workspace_id": str(uuid4()), "workspace_name": "<People>"}
    index.upsert_orders([order(**fields)], read_at=now)
    complete_sync(now)
    asked = {
        "status=opened&status=failed&expires=7d": (
            "Status: opened; Status: canceled or failed; Expires within 7 days"
        ),
        f"workspace={fields['workspace_id']}&q=-sender:ana tea": (
            "Not from ana; “tea”; Workspace: <People>"
        ),
        "created=this-month&swapped=no": "Created this month; Not swapped",
        "status=paid&sort=-amount": "Status: paid; largest amount first",
        "sort=recipient": "All orders; recipients from A to Z",
    }
    for number, query in enumerate(asked):
        save(name=str(number), query=saved_query_string(parse_filters(query)))
    page = html.unescape(text(client.get(VIEWS)))
    told = re.findall(r'<span class="cell__sub">(.*?)</span>', page)
    assert told == list(asked.values())


def test_another_persons_view_is_not_there(as_role: Any) -> None:
    view = save()
    assert change(as_role("admin"), view, do="delete").status_code == 404
    assert change(as_role("admin"), SavedView(pk=10**18), do="delete").status_code == 404
    assert rows(text(as_role("admin").get(VIEWS))) == []
    assert "No view is saved yet" in text(as_role("admin").get(VIEWS))


def test_a_role_that_was_lost_keeps_its_views_but_changes_none(as_role: Any) -> None:
    view = save("agent", username="ana")
    client = as_role("viewer", "ana")
    assert change(client, view, do="delete").status_code == 403
    assert names("viewer", "ana") == ["Opened"]


def test_the_number_of_queries_does_not_grow_with_the_views(
    as_role: Any, django_assert_max_num_queries: Any
) -> None:
    client = as_role("lead")
    save("lead", name="0", is_shared=True)
    # The first request of a session also stores the time of activity.
    client.get(VIEWS)
    with django_assert_max_num_queries(10) as few:
        client.get(VIEWS)
    for number in range(1, 9):
        save("lead", name=str(number), is_shared=True)
    with django_assert_max_num_queries(len(few)):
        client.get(VIEWS)


def test_view_urls() -> None:
    assert saved_view_url("") == "/orders/"
    assert saved_view_url("", view_id=3) == "/orders/?view=3"
    assert saved_view_url("q=a", per_page=25) == "/orders/?q=a&per_page=25"


# --- on the list --------------------------------------------------------------------------------


def test_the_list_shows_its_views_and_what_can_be_done_with_them(
    emulator: Emulator, as_role: Any
) -> None:
    client = as_role("agent")
    save("lead", name="For <all>", query="status=paid", is_shared=True)
    view = save()
    page = text(client.get("/orders/", {"status": "opened", "view": str(view.pk)}))
    assert f'<a href="/orders/?status=opened&amp;view={view.pk}" aria-current="page">Opened' in page
    assert "For &lt;all&gt;" in page
    assert "Reset" not in page
    assert "Save view" not in page

    page = text(client.get("/orders/", {"status": "paid", "q": "<x>", "view": str(view.pk)}))
    assert ">changed<" in page
    assert f'action="/orders/views/{view.pk}/"' in page
    assert 'name="query" value="q=%3Cx%3E&amp;status=paid"' in page
    assert f'href="/orders/?status=opened&amp;view={view.pk}">Reset' in page
    assert "Share with everybody" not in page
    assert "Save view" in page


def test_a_viewer_has_the_shared_views_and_no_buttons(emulator: Emulator, as_role: Any) -> None:
    view = save("lead", is_shared=True)
    page = text(as_role("viewer").get("/orders/", {"q": "ana", "view": str(view.pk)}))
    assert "Opened" in page
    assert "Reset" in page
    assert VIEWS not in page


def test_the_filters_keep_the_view(emulator: Emulator, as_role: Any) -> None:
    """Forms and filter links keep `view`, so that the changed view is known."""
    view = save()
    page = text(as_role("agent").get("/orders/", {"status": "opened", "view": str(view.pk)}))
    assert f'<input type="hidden" name="view" value="{view.pk}">' in page
