"""Positions in the list and creation windows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import signing

from orders.list_url import Filters, InvalidPosition, LivePosition, parse_position

NOW = datetime(2026, 11, 22, 12, 0, 0, 400_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "after", "before"),
    [
        ("UTC", "2026-03-29", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z"),
        # 23 hours: one is skipped at two in the morning.
        ("America/New_York", "2026-03-08", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"),
        # Midnight is skipped in Beirut, where the day begins at 01:00.
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z", "2026-03-29T21:00:00Z"),
        # Midnight comes twice in Havana: the day has 25 hours.
        ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"),
    ],
)
def test_a_day_is_the_viewers_from_midnight_to_midnight(zone, day, after, before):
    on = date.fromisoformat(day)
    bounds = Filters(created_after=on, created_before=on).created_bounds(ZoneInfo(zone))
    assert [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in bounds] == [after, before]


def test_an_open_end_has_no_bound():
    assert Filters().created_bounds(ZoneInfo("UTC")) == (None, None)


@pytest.mark.parametrize(
    ("newest", "bound"),
    [
        # Rounded up: Goody may store fractions of a second.
        (NOW - timedelta(days=1), NOW + timedelta(seconds=1)),
        # Our clock is behind Goody's.
        (NOW + timedelta(minutes=9), NOW + timedelta(minutes=9, seconds=1)),
        # Nothing is known of Goody's clock.
        (None, NOW + timedelta(seconds=31)),
    ],
)
def test_the_bound_lies_past_all_orders_of_the_first_page(newest, bound):
    bounded = LivePosition().with_time_bound(NOW, newest)
    assert bounded.created_before == bound.replace(microsecond=0)


def test_position_keeps_the_bound_of_the_first_page():
    bounded = LivePosition(page=3).with_time_bound(NOW)
    assert bounded.with_time_bound(NOW + timedelta(hours=1)) == bounded


def test_live_position_round_trips():
    place = LivePosition(page=7).with_time_bound(NOW)
    assert parse_position(place.serialize()) == place
    assert parse_position(LivePosition(page=7).serialize()) == LivePosition(page=7)
    assert parse_position("") is None


@pytest.mark.parametrize(
    "text",
    [
        "x",
        LivePosition(page=7).with_time_bound(NOW).serialize() + "x",
        signing.Signer(salt="something.else").sign_object((7, 0)),
        signing.Signer(salt="orders.list.position").sign_object({"page": 7}),
        signing.Signer(salt="orders.list.position").sign_object((7, "soon")),
    ],
)
def test_foreign_position_is_refused(text):
    with pytest.raises(InvalidPosition):
        parse_position(text)
