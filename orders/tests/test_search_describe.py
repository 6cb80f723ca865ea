"""Descriptions of queries."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from orders.search.describe import describe_query
from orders.search.parse import OPERATORS, parse_query
from orders.search.query import FilterChoice, Query, Sort

NEW_YORK = ZoneInfo("America/New_York")
# Not on the hour, to test rounding.
NOW = datetime(2026, 10, 12, 12, 34, 56, 789_000, tzinfo=UTC)


def asked(text):
    box = parse_query(text, now=NOW, zone=NEW_YORK)
    assert box.problems == ()
    return box.query


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def named(*texts):
    return tuple(FilterChoice(text=text) for text in texts)


def described(query):
    return describe_query(query, names=lambda field, id_: f"{field} {id_}", now=NOW, zone=NEW_YORK)


def test_dates_stay_dates_on_the_hour():
    now = NOW.replace(minute=0, second=0, microsecond=0)
    query = parse_query("created:>=2026-10-01", now=now, zone=NEW_YORK).query
    texts = describe_query(query, names=str.format, now=now, zone=NEW_YORK)
    assert texts == ["Created from 1 Oct 2026"]


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
            Query(
                senders=(FilterChoice(text="ana"), FilterChoice(id=3)),
                without_senders=named("bo"),
            ),
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
def test_active_filters_are_described(query, texts):
    assert described(query) == texts


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
def test_windows_are_described_as_typed(text, words):
    assert described(asked(text)) == [words]


@pytest.mark.parametrize("example", [operator.example for operator in OPERATORS])
def test_every_example_of_the_help_has_words(example):
    assert described(asked(example))
