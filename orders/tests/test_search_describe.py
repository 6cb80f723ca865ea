"""A query in words: back into the box, and as the list of what narrows a list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.search.describe import describe, write_box
from orders.search.parse import FLAGS, NAMED, OPERATORS, parse_query
from orders.search.paste import recognize
from orders.search.query import Choice, Query, Sort

few = settings(max_examples=60, deadline=None)
NEW_YORK = ZoneInfo("America/New_York")
# Not on the hour, as it is in life.
NOW = datetime(2026, 10, 12, 12, 34, 56, 789_000, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def asked(text):
    box = parse_query(text, now=NOW, zone=NEW_YORK)
    assert box.problems == ()
    return box.query


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def named(*texts):
    return tuple(Choice(text=text) for text in texts)


def described(query):
    return describe(query, names=lambda field, id_: f"{field} {id_}", now=NOW, zone=NEW_YORK)


# Fragments that mean something, and whatever else there is.
typed = st.lists(
    st.sampled_from([*(f"{name}:" for name in (*NAMED, "status", "expires", "created", "is")),
                     *FLAGS, "opened", "failed", "past", "none", "<7d", ">3d", "2026-10", "-", '"',
                     " ", " ", "ana", "李小", "%", "_", "\\", "“", "\0", ",", "1a2b", ">=", "É"])
    | st.text(st.characters(), max_size=6),
    max_size=12,
).map("".join)  # fmt: skip


@given(typed)
@few
def test_whatever_is_typed_can_be_written_again(text):
    query = parse_query(text, now=NOW, zone=NEW_YORK).query
    again = parse_query(write_box(query, now=NOW, zone=NEW_YORK), now=NOW, zone=NEW_YORK)
    assert again.query == query


def _few_of(texts):
    return st.lists(texts, max_size=2).map(tuple)


_texts = st.text(st.characters(exclude_characters='"“”„‟«»'), min_size=1, max_size=8)
_choices = _few_of(_texts.filter(lambda text: Query(words=(text,)).words).map(
    lambda text: Choice(text=text)))  # fmt: skip
_batches = _few_of(st.sampled_from(["1a", "1a2b3c4d-5"]).map(lambda text: Choice(text=text)))
_flags = st.sampled_from([None, True, False])
_statuses = _few_of(st.sampled_from(["created", "paid", "failed"]))
_bounds = (
    st.none()
    | st.sampled_from([NOW, NOW + 7 * DAY, NOW - 36 * HOUR, NOW - timedelta(weeks=2000)])
    | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
    | st.sampled_from([utc("2026-10-01T04"), utc("2026-11-01T04"), utc("2026-11-02T05")])
)
questions = st.builds(
    Query,
    words=_few_of(_texts),
    without_words=_few_of(_texts),
    statuses=_statuses,
    without_statuses=_statuses,
    **dict.fromkeys(("expires_from", "expires_until", "created_from", "created_until"), _bounds),
    **{prefix + field: _batches if field == "batches" else _choices
       for field in NAMED.values() for prefix in ("", "without_")},
    **dict.fromkeys(("has_expiry", *FLAGS.values()), _flags),
)  # fmt: skip


@given(questions)
@few
def test_every_question_of_the_box_can_be_written_and_read_again(query):
    text = write_box(query, now=NOW, zone=NEW_YORK)
    assert parse_query(text, now=NOW, zone=NEW_YORK).query == query
    assert parse_query(text, now=NOW, zone=NEW_YORK).problems == ()


@given(questions)
@few
def test_what_is_described_can_be_taken_away_until_nothing_is_left(query):
    seen = 0
    while pieces := described(query):
        query = pieces[seen % len(pieces)].without
        assert len(described(query)) == len(pieces) - 1
        seen += 1
    assert query.is_everything


def test_a_box_is_written_as_people_write_it():
    query = Query(
        words=("ana", "ana b", "-x"),
        without_words=("bo",),
        statuses=("opened", "failed", "teleported"),
        expires_from=NOW,
        expires_until=NOW + 7 * DAY,
        created_from=utc("2026-10-01T04"),
        created_until=utc("2026-11-01T04"),
        senders=(*named("ana b"), Choice(id=3)),
        is_swapped=False,
        order_ids=(UUID(int=1),),
        emails=("a@x.io",),
        references=("AB",),
        gift_tokens=("TOKEN01",),
        sort=Sort.OLDEST,
    )
    assert write_box(query, now=NOW, zone=NEW_YORK) == (
        'ana "ana b" "-x" status:opened,failed sender:"ana b" -bo expires:<7d created:2026-10 '
        "-is:swapped 00000000-0000-0000-0000-000000000001 AB a@x.io .../gift/TOKEN01"
    )


@given(
    st.lists(st.uuids(), max_size=3, unique=True),
    st.lists(st.sampled_from(["a@x.io", "o'b@x.io", "1_2@ex-ample.com"]), max_size=2, unique=True),
    st.lists(st.sampled_from(["TOKEN01", "-a_b-1", "A" * 24]), max_size=2, unique=True),
)
@few
def test_certain_orders_are_written_as_they_are_recognized(ids, emails, tokens):
    reference = "ABCDEFGH23456789IJKLMNOP"
    query = Query(order_ids=ids, emails=emails, references=(reference,), gift_tokens=tokens)
    text = write_box(query, now=NOW, zone=NEW_YORK)
    found = recognize(text)
    assert (found.ids, found.emails) == (tuple(ids), tuple(emails))
    assert (found.references, found.gift_tokens) == ((reference,), tuple(tokens))


@pytest.mark.parametrize(
    "text",
    [
        "expires:<7d",
        "expires:<36h",
        "expires:>3d",
        "expires:<7d expires:>3d",
        "expires:past",
        "expires:<9999w",
        "expires:>=2026-10-12 expires:<2026-10-15",
        "expires:>=2026-10-12T08:30:00Z",
        "created:<30d",
        "created:<30d created:>7d",
        "created:2026",
        "created:2026-11-01",
    ],
)
def test_a_window_is_written_as_it_was_typed(text):
    assert write_box(asked(text), now=NOW, zone=NEW_YORK) == text


def test_dates_stay_dates_when_it_strikes_the_hour():
    text = "created:>=2026-10-01 created:<2026-10-05"
    now = NOW.replace(minute=0, second=0, microsecond=0)
    query = parse_query(text, now=now, zone=NEW_YORK).query
    assert write_box(query, now=now, zone=NEW_YORK) == text
    (piece,) = describe(query.without("created_until"), names=str.format, now=now, zone=NEW_YORK)
    assert piece.text == "Created from 1 Oct 2026"


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        (Query(), []),
        (Query(sort=Sort.OLDEST, may_search_messages=True), []),
        (Query(words=("ana", "b c"), without_words=("d",)), ["“ana”", "“b c”", "Not “d”"]),
        (
            Query(statuses=("paid", "failed"), without_statuses=("pending_payment", "odd_one")),
            ["Status: paid", "Status: canceled or failed", "Not status: payment pending",
             "Not status: odd one"],
        ),
        (
            Query(senders=(Choice(text="ana"), Choice(id=3)), without_senders=named("bo")),
            ["From ana", "From senders 3", "Not from bo"],
        ),
        (Query(workspaces=named("x"), without_workspaces=named("y")),
         ["Workspace: x", "Not workspace: y"]),
        (Query(batches=named("1a2b"), without_batches=named("3c")), ["Batch: 1a2b",
                                                                     "Not batch: 3c"]),
        (Query(products=named("x"), without_brands=named("y")), ["Product: x", "Not brand: y"]),
        (Query(brands=named("x"), without_products=named("y")), ["Not product: y", "Brand: x"]),
        (Query(has_expiry=True, is_swapped=True, is_payment_pending=True),
         ["Has an expiration", "Swapped", "Payment pending"]),
        (Query(has_expiry=False, is_swapped=False, is_payment_pending=False),
         ["Never expires", "Not swapped", "Payment not pending"]),
        (Query(is_expired_unaccepted=True, has_delivery_trouble=False),
         ["Expired, not accepted", "No delivery trouble"]),
        (Query(order_ids=(UUID("1a2b3c4d" + "0" * 24),)), ["Order 1a2b3c4d"]),
        (Query(order_ids=(UUID(int=1), UUID(int=2)), references=("AB",), emails=("a@x.y",)),
         ["2 orders by their id", "Receipt AB", "To a@x.y"]),
        (Query(gift_tokens=("SECRET",), finding=UUID(int=1)),
         ["A gift link", "Found in a pasted text"]),
    ],
)  # fmt: skip
def test_active_filters_are_told_in_words(query, texts):
    assert [piece.text for piece in described(query)] == texts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("expires:<7d", "Expires within 7 days"),
        ("expires:<1d", "Expires within 1 day"),
        ("expires:<36h", "Expires within 36 hours"),
        ("expires:>3d", "Expires in 3 days or later"),
        ("expires:past", "Expired"),
        ("expires:2026-10-12", "Expires on 12 Oct 2026"),
        ("expires:<=2026-10-12", "Expires until 12 Oct 2026"),
        ("expires:>3d expires:<7d", "Expires from 15 Oct 2026, 08:34 EDT and before "
                                    "19 Oct 2026, 08:34 EDT"),
        ("created:<30d", "Created in the last 30 days"),
        ("created:>1d", "Created more than 1 day ago"),
        ("created:2026-10", "Created in Oct 2026"),
        ("created:2026", "Created in 2026"),
        ("created:2026-11-01", "Created on 1 Nov 2026"),
        ("created:>=2026-10-01", "Created from 1 Oct 2026"),
        ("created:>=2026-10-01 created:<2026-11-03", "Created from 1 Oct 2026 until 2 Nov 2026"),
        ("created:<2026-10-01T12:00Z", "Created before 1 Oct 2026, 08:00 EDT"),
    ],
)  # fmt: skip
def test_windows_are_told_as_they_were_meant(text, words):
    (piece,) = described(asked(text))
    assert piece == (words, Query())


@pytest.mark.parametrize("example", [operator.example for operator in OPERATORS])
def test_every_example_of_the_help_has_words(example):
    assert described(asked(example))
