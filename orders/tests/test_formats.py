"""Money, dates and ids as text."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from orders import formats

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 12, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (None, "—"),
        (0, "$0.00"),
        (5, "$0.05"),
        (184250, "$1,842.50"),
        (-130, "-$1.30"),
        (100_000_000_05, "$100,000,000.05"),
    ],
)
def test_money_is_dollars_and_never_zero_for_the_unknown(cents, text):
    assert formats.money(cents) == text


@pytest.mark.parametrize(
    ("at", "zone", "text"),
    [
        (datetime(2026, 3, 13, 3, 59, tzinfo=UTC), NEW_YORK, "12 Mar 2026, 23:59 EDT"),
        (datetime(2026, 1, 1, 0, 5, tzinfo=UTC), NEW_YORK, "31 Dec 2025, 19:05 EST"),
        (datetime(2026, 1, 1, 0, 5, tzinfo=UTC), ZoneInfo("UTC"), "1 Jan 2026, 00:05 UTC"),
        (datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("Asia/Dubai"), "1 Jan 2026, 04:00 UTC+04"),
    ],
)
def test_a_time_is_in_the_zone_and_names_it(at, zone, text):
    assert formats.date_time(at, zone) == text


def test_the_repeated_hour_has_another_zone_name():
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert formats.date_time(first, NEW_YORK) == "1 Nov 2026, 01:30 EDT"
    assert formats.date_time(first + timedelta(hours=1), NEW_YORK) == "1 Nov 2026, 01:30 EST"


@pytest.mark.parametrize(
    ("distance", "text"),
    [
        (timedelta(seconds=59), "now"),
        (timedelta(minutes=4, seconds=59), "in 4 min"),
        (timedelta(hours=23, minutes=59), "in 23 h"),
        (timedelta(days=3), "in 3 d"),
        (timedelta(days=800), "in 2 y"),
        (-timedelta(minutes=1), "1 min ago"),
        (-timedelta(days=5), "5 d ago"),
    ],
)
def test_a_distance_is_rounded_toward_now(distance, text):
    assert formats.relative_time(NOW + distance, NOW) == text


def test_a_moment_has_all_that_a_time_element_shows():
    at = datetime(2026, 3, 26, 3, 59, 0, 900_000, tzinfo=UTC)
    assert formats.time_element(at, NEW_YORK) == formats.TimeElement(
        iso="2026-03-26T03:59:00Z", text="25 Mar 2026, 23:59 EDT"
    )
    assert formats.time_element(None, NEW_YORK) is None


def test_the_zone_is_named_once():
    assert formats.zone_in_words(NEW_YORK, NOW) == "America/New_York (EDT)"
    assert formats.zone_in_words(ZoneInfo("UTC"), NOW) == "UTC"


def test_short_ids_and_empty_values():
    assert formats.id_prefix(UUID("3f2504e0-4f89-41d3-9a0c-0305e82c3301")) == "3f2504e0"
    assert formats.id_prefix(None) == "—"
    assert formats.date_in_words(date(2026, 12, 1)) == "1 Dec 2026"
    assert formats.month_in_words(date(2026, 12, 31)) == "Dec 2026"
    assert formats.time_of_day(NOW, NEW_YORK) == "08:00:00"


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize(
    "at", [datetime(9999, 12, 31, 23, 59, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)]
)
def test_first_and_last_year_are_formatted_in_every_zone(zone, at):
    assert str(at.year) in formats.date_time(at, ZoneInfo(zone))
    assert formats.time_of_day(at, ZoneInfo(zone)).count(":") == 2


def test_lone_surrogate_is_escaped():
    assert formats.printable("a\ud800b é 🎁") == "a\\ud800b é 🎁"


def test_bidirectional_controls_are_escaped():
    assert formats.printable("\u202eevil\u2069 \u05e0\u05d5\u05e2\u05d4") == (
        "\\u202eevil\\u2069 \u05e0\u05d5\u05e2\u05d4"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ada", "Ada"),
        (" Ada  ", "Ada"),
        ("   ", ""),
        ("\x7f", ""),
        ("\u00a0\u3000", ""),
        ("\u200b", ""),
        ("\u2060\ufeff \u200e\u200f", ""),
        ("\u3164\u2800\u034f\ufe0f", ""),
        ("\u202eevil", "evil"),
        ("\u202e", ""),
        ("a\u202ab\u202bc\u202cd\u202de\u2066f\u2067g\u2068h\u2069i", "abcdefghi"),
        ("\u05e0\u05d5\u05e2\u05d4 \u05d1\u05df\u05be\u05d3\u05d5\u05d3",) * 2,
        ("\u0634\u06cc\u0631\u06cc\u0646\u200c\u0628\u0627\u0646\u0648",) * 2,
        ("\u5c71\u7530\u3000\u82b1\u5b50",) * 2,
        ("\U0001f469\u200d\U0001f469\u200d\U0001f467\ufe0f",) * 2,
        ("\U0001faef",) * 2,
    ],
)
def test_vendor_text_is_isolated_in_its_line(text, shown):
    assert formats.printable_line(text) == shown
