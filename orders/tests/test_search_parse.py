"""Parsing the text of the search box into a query."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import process_time
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.search.parse import (
    FLAG_FIELDS,
    MAX_TERMS,
    NAME_FIELDS,
    OPERATORS,
    parse_query,
)
from orders.search.query import FilterChoice, Query
from orders.search.terms import MAX_WORD_LENGTH

NEW_YORK = ZoneInfo("America/New_York")
# Not on the hour, to test rounding.
NOW = datetime(2026, 10, 12, 12, 34, 56, 789_000, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ENDED = ("failed", "canceled")


def asked(text, zone=NEW_YORK):
    box = parse_query(text, now=NOW, zone=zone)
    assert box.problems == ()
    assert box.text == text
    return box.query


def named(*texts):
    return tuple(FilterChoice(text=text) for text in texts)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", Query()),
        (" \t\n\u200b", Query()),
        ("Ana  BOLENA", Query(words=("ana", "bolena"))),
        ("Bolena, Ana.", Query(words=("bolena", "ana"))),
        ("(Ana B.)", Query(words=("ana", "b"))),
        ("José", Query(words=("jose",))),
        ("李小 龍", Query(words=("李小", "龍"))),
        ("O’Brien anne-marie", Query(words=("o'brien", "anne-marie"))),
        ("<ana@example.com>,", Query(words=("ana@example.com",))),
        ("100% a_b a\\b", Query(words=("100", "a_b", "a\\b"))),
        ("a & b -", Query(words=("a", "b"))),
        ('"Ana B"', Query(words=("ana b",))),
        ("“Ana  B”", Query(words=("ana b",))),
        ('"100%" "_" "a-"', Query(words=("100%", "_", "a-"))),
        ('x"Ana B"y', Query(words=("x", "ana b", "y"))),
        ('ana "bo', Query(words=("ana", "bo"))),
        ('"" ana', Query(words=("ana",))),
        ("-ana", Query(without_words=("ana",))),
        ('-"Ana B" --bo –cy', Query(without_words=("ana b", "bo", "cy"))),
        ("12:30 https://x.example Re:gift", Query(words=("12:30", "https://x.example", "re:gift"))),
        ('Re:"my gift"', Query(words=("re", "my gift"))),
    ],
)
def test_words(text, query):
    assert asked(text) == query


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("Ana  BOLENA", ("ana bolena",)),
        ("Ana B. Núñez", ("ana b. nunez", "ana b nunez")),
        ("Bolena, Ana", ("bolena, ana", "bolena ana", "ana bolena")),
        ("van Berg, Ana M.", ("van berg, ana m.", "van berg ana m", "ana m van berg")),
        ("Ana, <Bo>", ("ana, <bo>", "ana bo", "bo ana")),
        ('"Ana B"', ("ana b",)),
        ('"Ana B" Lee', ("ana b lee",)),
        ("Ana -bo status:paid Lee", ("ana lee",)),
        ("Ana & Bo", ("ana & bo", "ana bo")),
        ('ana "bo', ('ana "bo', "ana bo")),
        ("status:paid -ana", ()),
        ("- & .", ()),
    ],
)
def test_full_names_of_the_words(text, names):
    assert parse_query(text, now=NOW, zone=NEW_YORK).names == names


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("status:opened", Query(statuses=("opened",))),
        ("STATUS:Opened", Query(statuses=("opened",))),
        ("status:opened,paid", Query(statuses=("opened", "paid"))),
        ("status:opened status:paid", Query(statuses=("opened", "paid"))),
        ("-status:opened", Query(without_statuses=("opened",))),
        ("status:canceled", Query(statuses=ENDED)),
        ("status:failed", Query(statuses=ENDED)),
        ("status:cancelled", Query(statuses=ENDED)),
        ("-status:canceled", Query(without_statuses=ENDED)),
        ('status:"Payment pending"', Query(statuses=("pending_payment",))),
        ("status:pending-payment", Query(statuses=("pending_payment",))),
        ("sender:Ana", Query(senders=named("ana"))),
        ('sender:"Ana B"', Query(senders=named("ana b"))),
        ("sender:ana -sender:bo@x.y", Query(senders=named("ana"), without_senders=named("bo@x.y"))),
        ("sender:ana sender:bo", Query(senders=named("ana", "bo"))),
        ("workspace:Sales", Query(workspaces=named("sales"))),
        ("product:candle -product:soap", Query(products=named("candle"),
                                               without_products=named("soap"))),
        ('brand:"50% off"', Query(brands=named("50% off"))),
        ("batch:1A2B", Query(batches=named("1a2b"))),
        ("batch:1a2b3c4d5", Query(batches=named("1a2b3c4d-5"))),
        ("-batch:1a2b3c4d-5", Query(without_batches=named("1a2b3c4d-5"))),
        (f"batch:{{{UUID(int=7)}}}", Query(batches=named(str(UUID(int=7))))),
        (f"batch:{UUID(int=7).hex}", Query(batches=named(str(UUID(int=7))))),
        (f"batch:{UUID(int=7).urn}", Query(batches=named(str(UUID(int=7))))),
        ("is:swapped", Query(is_swapped=True)),
        ("-is:swapped", Query(is_swapped=False)),
        ("is:expired", Query(is_expired_unaccepted=True)),
        ("-is:unpaid", Query(is_payment_pending=False)),
        ("IS:Trouble", Query(has_delivery_trouble=True)),
        ("expires:none", Query(has_expiry=False)),
        ("-expires:none", Query(has_expiry=True)),
        ("ana status:paid", Query(words=("ana",), statuses=("paid",))),
    ],
)  # fmt: skip
def test_operators(text, query):
    assert asked(text) == query


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-10-12", "2026-10-12T04", "2026-10-13T04"),
        ("2026-1-2", "2026-01-02T05", "2026-01-03T05"),
        ("today", "2026-10-12T04", "2026-10-13T04"),
        ("yesterday", "2026-10-11T04", "2026-10-12T04"),
        ("Tomorrow", "2026-10-13T04", "2026-10-14T04"),
        ("=2026-10-12", "2026-10-12T04", "2026-10-13T04"),
        ("<2026-10-12", None, "2026-10-12T04"),
        ("<=2026-10-12", None, "2026-10-13T04"),
        (">2026-10-12", "2026-10-13T04", None),
        (">=2026-10-12", "2026-10-12T04", None),
        # An hour is skipped on 8 March and occurs twice on 1 November.
        ("2026-03-08", "2026-03-08T05", "2026-03-09T04"),
        ("2026-11-01", "2026-11-01T04", "2026-11-02T05"),
        ("2026-10", "2026-10-01T04", "2026-11-01T04"),
        ("2026-11", "2026-11-01T04", "2026-12-01T05"),
        ("2026-12", "2026-12-01T05", "2027-01-01T05"),
        ("2024-02", "2024-02-01T05", "2024-03-01T05"),
        ("<=2026-10", None, "2026-11-01T04"),
        (">2026-10", "2026-11-01T04", None),
        ("2026", "2026-01-01T05", "2027-01-01T05"),
        ("2100-12-31", "2100-12-31T05", "2101-01-01T05"),
        (">=2026-10-01T12:00Z", "2026-10-01T12", None),
        ("<2026-10-01t12:00:30.5+02:00", None, "2026-10-01T10:00:30.500"),
    ],
)
def test_dates_are_the_viewers(text, start, end):
    assert asked(f"created:{text}") == Query(created_from=utc(start), created_until=utc(end))
    assert asked(f"expires:{text}") == Query(expires_from=utc(start), expires_until=utc(end))


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        # Midnight is skipped in Beirut and occurs twice in Havana.
        ("Asia/Beirut", "2026-03-28T22", "2026-03-29T21"),
        ("UTC", "2026-03-29T00", "2026-03-30T00"),
        ("Pacific/Kiritimati", "2026-03-28T10", "2026-03-29T10"),
    ],
)
def test_a_day_begins_when_it_begins_there(zone, start, end):
    query = asked("created:2026-03-29", ZoneInfo(zone))
    assert query == Query(created_from=utc(start), created_until=utc(end))


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("expires:<7d", Query(expires_from=NOW, expires_until=NOW + 7 * DAY)),
        ("expires:7D", Query(expires_from=NOW, expires_until=NOW + 7 * DAY)),
        ("expires:<=24h", Query(expires_from=NOW, expires_until=NOW + DAY)),
        ("expires:>3d", Query(expires_from=NOW + 3 * DAY)),
        ("expires:>3d expires:<2w", Query(expires_from=NOW + 3 * DAY,
                                          expires_until=NOW + 14 * DAY)),
        ("expires:past", Query(expires_until=NOW)),
        ("created:<30d", Query(created_from=NOW - 30 * DAY)),
        ("created:36h", Query(created_from=NOW - 36 * HOUR)),
        ("created:>30d", Query(created_until=NOW - 30 * DAY)),
        ("created:>=7d created:<30d", Query(created_from=NOW - 30 * DAY,
                                            created_until=NOW - 7 * DAY)),
        ("created:>=2026-10-01 created:<2026-10-05", Query(created_from=utc("2026-10-01T04"),
                                                           created_until=utc("2026-10-05T04"))),
    ],
)  # fmt: skip
def test_lengths_of_time_count_from_now(text, query):
    # The clocks are set back within these days: the lengths stay exact.
    assert asked(text) == query


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("status:foo", "write one of created, notified, opened, accepted, pending_payment, paid, "
                       "ordered, shipped, delivered, failed, canceled"),
        ("status:opened,foo", None),
        ("status:", None),
        ("status:,", None),
        ("expires:<7x", "write expires:<7d, expires:past, expires:none or a date such as "
                        "expires:2026-10-12"),
        ("expires:", None),
        ("expires:<", None),
        ("expires:2026-13", None),
        ("expires:2026-02-30", None),
        ("expires:0000", None),
        ("expires:1999-12-31", None),
        ("expires:9999999d", None),
        ("expires:2026-10-12T12:00Z", None),
        ("expires:>=2026-10-12T12:00", None),
        ("expires:>=0001-01-01T00:00+14:00", None),
        ("expires:<9999-12-31T23:59-12:00", None),
        ("created:soon", "write created:<30d or a date such as created:2026-10 or "
                         "created:>=2026-10-12"),
        ("-created:2026", "a time cannot be excluded: write what is wanted, with < or >"),
        ("-expires:past", None),
        ("is:nice", "write is:swapped, is:expired, is:unpaid, is:trouble, is:odd, is:attention"),
        ("sender:", "write a part of the name directly behind it, as in sender:ana"),
        ('brand:""', None),
        ("workspace:%", None),
        ("product:", None),
        ("batch:xyz", "write the id of a batch or its beginning, as in batch:1a2b3c4d"),
        ("batch:", None),
        (f"batch:{UUID(int=7).hex}0", None),
    ],
)  # fmt: skip
def test_invalid_value_is_ignored_and_explained(text, hint):
    box = parse_query(f"ana {text}", now=NOW, zone=NEW_YORK)
    assert box.text == f"ana {text}"
    assert box.query == Query(words=("ana",))
    (problem,) = box.problems
    assert problem.startswith(f"“{text}” is not understood; ")
    assert hint is None or problem == f"“{text}” is not understood; {hint}."


@pytest.mark.parametrize("text", ["%", "_", "\\", "-", '"', "%%% ___", "'", "🎁"])
def test_signs_alone_are_no_search(text):
    box = parse_query(text, now=NOW, zone=NEW_YORK)
    assert box.query.matches_all_orders
    assert box.problems == (
        f"“{text}” has no letter or digit; put signs into quotes to search for them.",
    )


def test_a_long_part_is_shortened():
    box = parse_query("status:" + "x" * 99, now=NOW, zone=NEW_YORK)
    assert box.problems[0].startswith(f"“status:{'x' * 43}…” is not understood; ")


def test_number_of_words_is_limited():
    text = " ".join(f"w{n}" for n in range(MAX_TERMS))
    assert len(asked(text).words) == MAX_TERMS
    box = parse_query(f"{text} more status:paid", now=NOW, zone=NEW_YORK)
    assert box.query == asked(text)
    assert box.problems == (f"Only the first {MAX_TERMS} words are searched for.",)


def test_a_word_is_only_so_long():
    assert asked("x" * 10_000).words == ("x" * MAX_WORD_LENGTH,)


@pytest.mark.parametrize(
    "unit",
    ["a", '"', '"a', "-", '-"', "a ", " ", "%", "_ ", "\\", "\0", "\u202e", "status:", "-status:",
     'sender:"a" ', "\ufdfa ", "\ud800", "!", "x:", "<", "expires:<", "e\u0301"],
)  # fmt: skip
def test_long_text_is_parsed_in_linear_time(unit):
    text = (unit * 10_000)[:10_000]
    started = process_time()
    box = parse_query(text, now=NOW, zone=NEW_YORK)
    # About 5 ms at most; anything quadratic takes seconds.
    assert process_time() - started < 0.5
    assert box.text == text
    assert len(box.problems) <= MAX_TERMS + 1
    assert all(len(word) <= MAX_WORD_LENGTH for word in box.query.words + box.query.without_words)


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.example)
def test_every_example_of_the_help_says_something(operator):
    assert operator.example.startswith(operator.name)
    assert not asked(operator.example).matches_all_orders


def test_the_help_names_every_operator_and_flag():
    names = {operator.name for operator in OPERATORS}
    assert names == {
        f"{name}:"
        for name in (*NAME_FIELDS, "status", "expires", "created", "amount", "ticket", "is")
    } | {
        "-",
        '"',
    }
    examples = {operator.example for operator in OPERATORS}
    assert {f"is:{flag}" for flag in FLAG_FIELDS} <= examples


# --- terms cut out of the text ----------------------------------------------------------------


def without_each(text):
    """Return the text without its first term, without its second term, and so on."""
    box = parse_query(text, now=NOW, zone=NEW_YORK)
    return [box.text_without([term]) for term in box.terms]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ana", [""]),
        ('Ana  -"b c" status:opened', ['-"b c" status:opened', "Ana status:opened", 'Ana  -"b c"']),
        ("status:opened,paid", ["status:paid", "status:opened"]),
        ("ana -status:failed,paid,canceled x", [
            "-status:failed,paid,canceled x", "ana -status:paid x",
            "ana -status:failed,canceled x", "ana -status:failed,paid,canceled",
        ]),
        ("-ana ana", ["ana", "-ana"]),
        ('"a b"tea', ["tea", '"a b"']),
        ("Müller, ﬁne", ["fine", "Müller,"]),
        ("expires:>3d expires:<7d", ["expires:<7d", "expires:>3d"]),
        ("created:never ana", ["created:never"]),
    ],
)  # fmt: skip
def test_each_term_can_be_cut_out_of_the_text(text, left):
    assert without_each(text) == left


def test_repeated_terms_are_cut_out_together():
    box = parse_query("ana bo ana", now=NOW, zone=NEW_YORK)
    assert box.text_without([term for term in box.terms if term.query.words == ("ana",)]) == "bo"


@given(st.lists(st.sampled_from([
    *("ana", "-ana", '"a b"', "status:paid,opened", "-is:swapped", "expires:<7d", "sender:bo", "%"),
    *("created:2026", "batch:1a2b", "李", '"', "x:y"),
]), max_size=8))  # fmt: skip
def test_cutting_every_term_leaves_no_condition(typed):
    box = parse_query(" ".join(typed), now=NOW, zone=NEW_YORK)
    text = box.text
    while (parsed := parse_query(text, now=NOW, zone=NEW_YORK)).terms:
        shorter = parsed.text_without(parsed.terms[:1])
        assert len(shorter) < len(text)
        text = shorter
    assert parse_query(text, now=NOW, zone=NEW_YORK).query.matches_all_orders


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("amount:44.10", 4410, 4411),
        ("amount:$44.1", 4410, 4411),
        ("amount:44", 4400, 4500),
        ("amount:>100", 10_001, None),
        ("amount:>=1,250.50", 125_050, None),
        ("amount:<50", None, 5000),
        ("amount:<=50.00", None, 5001),
        ("amount:>10 amount:<=20 amount:<30", 1001, 2001),
    ],
)
def test_an_amount(text, start, end):
    assert asked(text) == Query(amount_from=start, amount_until=end)


@pytest.mark.parametrize(
    "text", ["amount:", "amount:much", "amount:1,2", "-amount:44", "amount:4."]
)
def test_text_that_is_no_amount(text):
    [problem] = parse_query(text, now=NOW, zone=NEW_YORK).problems
    assert problem.startswith(f"“{text}” is not understood; ")


def test_a_dollar_sign_before_an_amount_is_a_part_of_the_word():
    assert asked("ana $44.10.").words == ("ana", "$44.10")
    assert asked("$50 of your choice").words[0] == "$50"
    assert asked("$ana $").words == ("ana",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ms Bolena", ("bolena",)),
        ("mr. Ana Bolena", ("ana", "bolena")),
        ("receipt # ABC123", ("abc123",)),
        ("order ref: abc123", ("abc123",)),
        ("ref:abc123", ("abc123",)),
        ("Order#abc123", ("abc123",)),
        ("receipt", ("receipt",)),
        ("ana order", ("ana", "order")),
        ("order status:paid", ("order",)),
        ('"order" ana', ("order", "ana")),
        ("-order ana", ("ana",)),
    ],
)
def test_words_that_introduce_the_next_one_are_ignored(text, words):
    box = parse_query(text, now=NOW, zone=NEW_YORK)
    assert box.query.words == words
    assert box.problems == ()


def test_introducing_word_is_removed_with_the_next_one():
    box = parse_query("ana order ref abc123 status:paid", now=NOW, zone=NEW_YORK)
    [term] = [one for one in box.terms if one.text == "abc123"]
    assert box.text_without([term]) == "ana status:paid"
