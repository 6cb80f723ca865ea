"""The parameters of a list: parsed from a URL, queried, described and written back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.bulk.selection_parts import encode_positions
from orders.days import RequestClock
from orders.forms.listing import ListingForm
from orders.list_columns import COLUMNS, DEFAULT_COLUMNS, move_column, serialize_columns
from orders.list_url import (
    CREATED_LABELS,
    EXPIRY_LABELS,
    PAGE_SIZES,
    Filters,
    IndexPosition,
    InvalidPosition,
    LivePosition,
    parse_position,
)
from orders.models import Profile
from orders.presenters.columns import column_heads, shown_columns
from orders.presenters.condition_texts import conditions_in_words
from orders.presenters.filter_bar import FilterBar, filter_bar
from orders.presenters.filter_form import FilterOption, make_filter_controls
from orders.search import CommonLabels, PageKey
from orders.search.parse import parse_query
from orders.search.query import FilterChoice, Query, Sort

NEW_YORK = ZoneInfo("America/New_York")
NO_LABELS = CommonLabels()
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BATCH = UUID("1a2b3c4d-0000-4000-8000-000000000000")
_KNOWN = {("workspace", "w-1"): 7, ("sender", "ana@example.com"): 8}
CLOCK = RequestClock(NOW, NEW_YORK)


def label_id(kind: str, key: str) -> int | None:
    return _KNOWN.get((kind, key))


_names = st.text("abc é小&=+%_ ?#", min_size=1, max_size=12).map(str.strip).filter(bool)
_days = st.dates(date(2000, 1, 1), date(2050, 1, 1))
_flags = st.sampled_from([None, True, False])
_filters = st.builds(
    Filters,
    q=_names | st.just(""),
    finding=st.none() | st.uuids(),
    selection=st.none() | st.uuids(),
    part=st.just("") | st.sets(st.integers(0, 4999)).map(encode_positions),
    status=st.lists(
        st.sampled_from(["opened", "paid", "failed", "on hold"]), unique=True, max_size=3
    ).map(tuple),
    created_after=st.none() | _days,
    created_before=st.none(),
    expires_after=st.none(),
    expires_before=st.none() | _days,
    expires=st.sampled_from(["", *EXPIRY_LABELS]),
    created=st.sampled_from(["", *CREATED_LABELS]),
    workspace=_names | st.just(""),
    batch=st.sampled_from(["", "1a2b", str(BATCH)]),
    sender=_names | st.just(""),
    product=_names | st.just(""),
    brand=_names | st.just(""),
    swapped=_flags,
    payment=_flags,
    delivery=_flags,
    attention=_flags,
    columns=st.sampled_from(["", "recipient,status", "created,recipient"]),
    view=st.none() | st.integers(1, 10**9),
    sort=st.none() | st.sampled_from(Sort),
    per_page=st.sampled_from(PAGE_SIZES),
)


# Parameters that narrow nothing, apart from the search box.
_SHOWING = ("q", "view", "columns", "sort", "per_page")


def read(url: str) -> ListingForm:
    form = ListingForm(QueryDict(url.partition("?")[2]))
    assert form.is_valid(), form.errors
    return form


@settings(max_examples=150, deadline=None)
@given(_filters)
def test_url_parameters_round_trip(filters: Filters) -> None:
    again = read(filters.url()).filters
    assert again == filters
    assert again.url() == filters.url()


@settings(max_examples=100, deadline=None)
@given(_filters)
def test_each_parameter_can_be_removed_alone(filters: Filters) -> None:
    said = filters.non_default_params()
    narrowing = [one for one in said if one[0] not in _SHOWING]
    left = [[other for other in said if other != one] for one in narrowing]
    assert [part.without.non_default_params() for part in filters.active_filters()] == left
    assert filters.is_unfiltered == (not narrowing and not filters.q)


def test_unfiltered_list_has_no_parameters() -> None:
    assert Filters().url() == "/orders/"
    assert Filters().query(CLOCK, label_id) == Query()
    assert Filters().is_answerable_live


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("status=opened&status=paid", Query(statuses=("opened", "paid"))),
        ("status=canceled", Query(statuses=("failed",))),
        ("status=on_hold", Query(statuses=("on_hold",))),
        # The day has 25 hours there.
        (
            "created_after=2026-11-01&created_before=2026-11-01",
            Query(
                created_from=datetime(2026, 11, 1, 4, tzinfo=UTC),
                created_until=datetime(2026, 11, 2, 5, tzinfo=UTC),
            ),
        ),
        ("expires_after=2026-12-01", Query(expires_from=datetime(2026, 12, 1, 5, tzinfo=UTC))),
        ("expires_before=2026-12-01", Query(expires_until=datetime(2026, 12, 2, 5, tzinfo=UTC))),
        ("expires=24h", Query(expires_from=NOW, expires_until=NOW + timedelta(hours=24))),
        ("expires=3d", Query(expires_from=NOW, expires_until=NOW + timedelta(days=3))),
        ("expires=7d", Query(expires_from=NOW, expires_until=NOW + timedelta(days=7))),
        ("expires=14d", Query(expires_from=NOW, expires_until=NOW + timedelta(days=14))),
        ("expires=expired", Query(is_expired_unaccepted=True)),
        ("expires=never", Query(has_expiry=False)),
        ("workspace=w-1", Query(workspaces=(FilterChoice(id=7),))),
        ("workspace=sales", Query(workspaces=(FilterChoice(text="sales"),))),
        ("sender=ana@example.com", Query(senders=(FilterChoice(id=8),))),
        ("sender=Ána", Query(senders=(FilterChoice(text="ana"),))),
        ("batch=1A2B3C4D", Query(batches=(FilterChoice(text="1a2b3c4d"),))),
        ("product=tea", Query(products=(FilterChoice(text="tea"),))),
        ("brand=leaf", Query(brands=(FilterChoice(text="leaf"),))),
        ("swapped=yes", Query(is_swapped=True)),
        ("swapped=no", Query(is_swapped=False)),
        ("payment=pending", Query(is_payment_pending=True)),
        ("delivery=trouble", Query(has_delivery_trouble=True)),
        ("attention=yes", Query(needs_attention=True)),
        ("attention=no", Query(needs_attention=False)),
        (
            "created=last-month",
            Query(
                created_from=datetime(2026, 10, 1, 4, tzinfo=UTC),
                created_until=datetime(2026, 11, 1, 4, tzinfo=UTC),
            ),
        ),
        ("created=<7d", Query(created_from=NOW - timedelta(days=7))),
        ("columns=recipient,status", Query()),
        (f"finding={BATCH}", Query(finding=BATCH)),
        (f"selection={BATCH}", Query(selection=BATCH)),
        ("sort=-amount", Query(sort=Sort.AMOUNT_LARGEST)),
        ("view=3&per_page=25", Query()),
    ],
)
def test_each_parameter_sets_one_condition(said: str, asked: Query) -> None:
    assert read(f"?{said}").filters.query(CLOCK, label_id) == asked


def test_an_expiry_preset_and_dates_are_cut() -> None:
    asked = read("?expires=7d&expires_before=2026-11-24").filters.query(CLOCK, label_id)
    assert (asked.expires_from, asked.expires_until) == (NOW, datetime(2026, 11, 25, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("finding=1", "This address does not name a list of pasted orders."),
        ("selection=1", "This address does not name a selection of orders."),
        ("expires=5d", "“Expires” is one of 24h, 3d, 7d, 14d, expired, never."),
        ("expires_after=soon", "“Expires from” is not a date. Write it as YYYY-MM-DD."),
        (
            "expires_after=2026-02-02&expires_before=2026-02-01",
            "“Expires until” is before “Expires from”.",
        ),
        ("batch=xyz", "“Batch” is the id of a batch or its beginning, such as 1a2b3c4d."),
        (f"brand={'a' * 301}", "“Brand” is longer than any name."),
        ("swapped=maybe", "“Swapped” is “yes” or “no”."),
        ("payment=1", "“Payment” is “pending” or “no”."),
        ("delivery=x", "“Delivery” is “trouble” or “no”."),
        (
            "created=7d",
            "“Created” is one of today, <7d, <30d, this-month, last-month.",
        ),
        ("attention=1", "“Attention” is “yes” or “no”."),
        ("sort=name", "Orders cannot be sorted by this."),
        ("view=x", "This address does not name a saved view."),
        (f"status={'s' * 101}", "These are no statuses of orders."),
        (f"q={'a' * 10_001}", "A search has at most 10,000 letters."),
    ],
)
def test_invalid_parameters_are_explained(said: str, sentence: str) -> None:
    form = ListingForm(QueryDict(said))
    assert not form.is_valid()
    assert form.error_messages == [sentence]
    assert isinstance(form.filters, Filters)


# --- in words ---------------------------------------------------------------------------------


def in_words(url: str) -> dict[str, str]:
    filters = read(url).filters
    box = parse_query(filters.q, now=NOW, zone=NEW_YORK)
    found = conditions_in_words(
        filters, box=box, clock=CLOCK, label_id=label_id, names=lambda _, pk: f"name {pk}"
    )
    return {one.text: one.remove_url for one in found}


def test_filters_and_operators_have_the_same_chips() -> None:
    assert in_words("?q=ana+status:opened+-sender:bob&workspace=w-1&expires=7d&per_page=25") == {
        "“ana”": "/orders/?q=status%3Aopened+-sender%3Abob&expires=7d&workspace=w-1&per_page=25",
        "Status: opened": "/orders/?q=ana+-sender%3Abob&expires=7d&workspace=w-1&per_page=25",
        "Not from bob": "/orders/?q=ana+status%3Aopened&expires=7d&workspace=w-1&per_page=25",
        "Expires within 7 days": (
            "/orders/?q=ana+status%3Aopened+-sender%3Abob&workspace=w-1&per_page=25"
        ),
        "Workspace: name 7": (
            "/orders/?q=ana+status%3Aopened+-sender%3Abob&expires=7d&per_page=25"
        ),
    }


def test_a_repeated_filter_is_shown_once_and_removed_at_once() -> None:
    assert in_words("?q=status:opened&status=opened&sort=amount") == {
        "Status: opened": "/orders/?sort=amount"
    }


def test_the_two_ends_of_a_window_go_one_by_one() -> None:
    assert in_words("?created_after=2026-01-02&created_before=2026-08-01") == {
        "Created from 2 Jan 2026": "/orders/?created_before=2026-08-01",
        "Created until 1 Aug 2026": "/orders/?created_after=2026-01-02",
    }


def test_a_window_of_one_day_is_one_condition() -> None:
    assert in_words("?status=opened&expires_after=2026-11-30&expires_before=2026-11-30") == {
        "Status: opened": "/orders/?expires_after=2026-11-30&expires_before=2026-11-30",
        "Expires on 30 Nov 2026": "/orders/?status=opened",
    }


def test_a_relative_window_stays_relative_in_words() -> None:
    assert in_words("?created=this-month&expires=7d") == {
        "Created this month": "/orders/?expires=7d",
        "Expires within 7 days": "/orders/?created=this-month",
    }


def test_heads_sort_by_their_column_and_then_the_other_way() -> None:
    found = column_heads(Filters(q="a"), columns=tuple(COLUMNS), order=Sort.NEWEST)
    heads = {one.label: one for one in found}
    assert (heads["Created"].sorted, heads["Created"].url) == (
        "descending",
        "/orders/?q=a&sort=created",
    )
    assert (heads["Expires"].sorted, heads["Expires"].url) == ("", "/orders/?q=a&sort=expires")
    assert heads["Amount"].url == "/orders/?q=a&sort=-amount"
    assert heads["Recipient"].url == "/orders/?q=a&sort=recipient"
    assert heads["Status"].url == "/orders/?q=a&sort=status"
    assert heads["Gift"].url == ""


@pytest.mark.parametrize(
    ("said", "columns"),
    [
        ("", ""),
        ("gift,recipient", "gift,recipient"),
        # The link to the order is in this column.
        ("gift,status", "recipient,gift,status"),
        ("gift,gift,none", "recipient,gift"),
        ("none", ""),
    ],
)
def test_columns_of_a_url(said: str, columns: str) -> None:
    assert read(f"?columns={said}").filters.columns == columns


def test_columns_are_those_of_the_url_or_of_the_person_or_the_default_ones() -> None:
    own = Profile(columns="gift,recipient")
    assert shown_columns(Filters(columns="status,recipient"), own) == ("status", "recipient")
    assert shown_columns(Filters(), own) == ("gift", "recipient")
    assert shown_columns(Filters(), Profile()) == DEFAULT_COLUMNS
    assert (serialize_columns(DEFAULT_COLUMNS), serialize_columns(("gift", "recipient"))) == (
        "",
        "gift,recipient",
    )


def test_a_column_moves_by_one_place() -> None:
    assert move_column(("a", "b", "c"), "b", by=-1) == ("b", "a", "c")
    assert move_column(("a", "b", "c"), "b", by=1) == ("a", "c", "b")
    assert move_column(("a", "b"), "a", by=-1) == move_column(("a", "b"), "b", by=1) == ("a", "b")


# --- the row of filters -----------------------------------------------------------------------


def bar(url: str) -> FilterBar:
    filters = read(url).filters
    return filter_bar(
        filters,
        box=parse_query(filters.q, now=NOW, zone=NEW_YORK),
        order=filters.query(CLOCK, label_id).effective_sort,
        clock=CLOCK,
        label_id=label_id,
        names=lambda _, pk: f"name {pk}",
    )


def test_active_filters_show_their_values_and_each_can_be_removed() -> None:
    found = bar("?q=ana&expires=7d&status=opened&status=paid&workspace=w-1&delivery=trouble")
    assert [(one.label, one.value, one.panel) for one in found.active] == [
        ("Expires", "next 7 days", "expires"),
        ("Status", "opened, paid", "status"),
        ("Workspace", "name 7", "workspace"),
        ("", "Delivery trouble", "more"),
    ]
    assert found.active[1].remove_url == (
        "/orders/?q=ana&expires=7d&workspace=w-1&delivery=trouble"
    )
    others = ["Created", "Sender", "Batch", "More"]
    assert [one.label for one in found.others] == others
    assert found.clear_url == "/orders/?q=ana"
    assert found.sort == "soonest expiration first"


@pytest.mark.parametrize(
    ("said", "button"),
    [
        ("created_after=2026-01-02", ("Created", "from 2 Jan 2026")),
        (
            "created_after=2026-01-02&created_before=2026-08-01",
            ("Created", "from 2 Jan 2026 until 1 Aug 2026"),
        ),
        ("created=this-month", ("Created", "this month")),
        ("expires=expired", ("Expires", "expired, not accepted")),
        (f"batch={BATCH}", ("Batch", "1a2b3c4d")),
        ("batch=1a2b", ("Batch", "1a2b")),
        ("sender=ana@example.com", ("Sender", "name 8")),
        ("swapped=no", ("", "Not swapped")),
        ("attention=yes", ("", "Needs attention")),
        (f"finding={BATCH}", ("", "Found in a pasted text")),
        (f"selection={BATCH}", ("", "Selected orders")),
    ],
)
def test_the_value_of_an_active_filter(said: str, button: tuple[str, str]) -> None:
    (one,) = bar(f"?{said}").active
    assert (one.label, one.value) == button
    assert one.remove_url == "/orders/"
    assert bar(f"?{said}").clear_url == ""


def test_a_list_without_filters_offers_all_of_them() -> None:
    found = bar("?q=ana&sort=amount")
    assert (found.active, found.clear_url) == ([], "")
    labels = ["Expires", "Status", "Created", "Sender", "Batch", "Workspace", "More"]
    assert [one.label for one in found.others] == labels


@pytest.mark.parametrize(
    ("said", "chosen", "url"),
    [
        ("", Sort.NEWEST, "/orders/"),
        ("expires=7d", Sort.EXPIRES_SOONEST, "/orders/?expires=7d"),
        ("expires=expired", Sort.EXPIRES_LATEST, "/orders/?expires=expired"),
        ("sort=-created", Sort.NEWEST, "/orders/?sort=-created"),
        ("sort=recipient", Sort.RECIPIENT, "/orders/?sort=recipient"),
    ],
)
def test_every_sort_can_be_chosen_and_the_default_one_is_not_in_the_url(
    said: str, chosen: Sort, url: str
) -> None:
    filters = read(f"?{said}").filters
    order = filters.query(CLOCK, label_id).effective_sort
    offered = _sorts(filters, order)
    assert [one.value for one in offered] == [one for one in Sort if one is not Sort.BEST]
    assert [(one.value, one.url) for one in offered if one.chosen] == [(chosen, url)]
    assert offered[0].label == "Newest first"


def _sorts(
    filters: Filters, order: Sort, *, has_best_match: bool = False
) -> Sequence[FilterOption]:
    return make_filter_controls(
        filters, order=order, has_best_match=has_best_match, labels=NO_LABELS, typed={}
    ).sorts


def test_the_best_match_is_a_sort_of_names() -> None:
    offered = _sorts(Filters(q="ana"), Sort.BEST, has_best_match=True)
    assert [one.url for one in offered if one.chosen] == ["/orders/?q=ana"]
    assert (len(offered), offered[-1].label) == (len(Sort), "Best match first")


# --- places -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    [
        IndexPosition(),
        IndexPosition(key=PageKey(None, 5), sort=Sort.NEWEST, ordinal=51),
        IndexPosition(
            key=PageKey("2026-01-02T00:00:00+00:00", 5), sort=Sort.EXPIRES_SOONEST, ordinal=0
        ),
        IndexPosition(key=PageKey(1842, 7), sort=Sort.AMOUNT_LARGEST, ordinal=1, is_backwards=True),
        IndexPosition(sort=Sort.RECIPIENT, ordinal=0, is_backwards=True),
    ],
)
def test_index_position_round_trips(place: IndexPosition) -> None:
    text = place.serialize()
    assert parse_position(text) == place
    with pytest.raises(InvalidPosition):
        parse_position(text[:-1] + ("A" if text[-1] != "A" else "B"))


def test_the_two_kinds_of_positions_differ() -> None:
    assert isinstance(parse_position(LivePosition(page=3).serialize()), LivePosition)
    assert isinstance(parse_position(IndexPosition().serialize()), IndexPosition)
