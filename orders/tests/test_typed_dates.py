"""Dates as people write them: what is read, how, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from orders.forms.dates import DateReader, is_month_first

NEW_YORK = ZoneInfo("America/New_York")
# A Sunday, 10:30 in New York.
NOW = datetime(2026, 11, 29, 15, 30, tzinfo=UTC)
EXPIRES_AT = datetime(2026, 12, 10, 4, 59, 59, tzinfo=UTC)


def reader(*, is_month_first: bool = True, zone: ZoneInfo = NEW_YORK) -> DateReader:
    return DateReader(NOW, zone, is_month_first=is_month_first, base=EXPIRES_AT)


def local(text: str, **given: bool) -> str:
    """Return the local time that a text means: "Thu 24 Dec 2026 23:59:59"."""
    return f"{reader(**given).read(text).at.astimezone(NEW_YORK):%a %d %b %Y %H:%M:%S}"


@pytest.mark.parametrize(
    "typed",
    [
        "24 Dec",
        "24. Dec.",
        "24 december",
        "Dec 24",
        "Dec 24th, 2026",
        "December 24 2026",
        "the 24th of December",
        "by 24 Dec",
        "Thu 24 Dec",
        "Thursday, 24 December 2026",
        "24 Dec 2026, Thursday",
        "24-Dec-2026",
        "24dec26",
        "Dec 24 '26",
        "2026 Dec 24",
        "2026-12-24",
        "2026/12/24",
        "2026. 12. 24.",
        "20261224",
        "24.12.2026",
        "24. 12. 26",
        "24.12.",
        "24.12",
        "12/24/2026",
        "12/24/26",
        "12/24",
        "12-24-2026",
        # Only one order of these figures is a date.
        "24/12/2026",
        "１２／２４／２０２６",
        "\u200e12/24/2026\u200b",
        "٢٤ Dec",
        "2026年12月24日",
        "12월 24일",
        " 24   Dec \u00a0 2026 ",
        "24 Dec eod",
    ],
)
def test_a_day_is_its_last_second(typed: str) -> None:
    found = reader().read(typed)
    assert (local(typed), found.note) == ("Thu 24 Dec 2026 23:59:59", "")


@pytest.mark.parametrize(
    "typed",
    [
        "24 Dec 18:30",
        "24 Dec, 6:30 pm",
        "6:30pm 24 Dec",
        "18:30 on 24 Dec",
        "24 Dec at 18:30",
        "24 Dec @ 6:30 p.m.",
        "24 Dec 18:30 EST",
        "24 Dec 23:30 UTC",
        "24 Dec 23:30Z",
        "25 Dec 00:30 +01:00",
        "2026-12-24T18:30",
        "2026-12-24 18:30",
        "2026-12-24 18:30-05:00",
        "2026-12-24T23:30:00Z",
        "12/24/2026 18:30:00",
    ],
)
def test_a_time_of_day(typed: str) -> None:
    assert local(typed) == "Thu 24 Dec 2026 18:30:00"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("24 Dec noon", "Thu 24 Dec 2026 12:00:00"),
        ("24 Dec 12 am", "Thu 24 Dec 2026 00:00:00"),
        ("24 Dec 12 pm", "Thu 24 Dec 2026 12:00:00"),
        ("24 Dec 6pm", "Thu 24 Dec 2026 18:00:00"),
        ("today", "Sun 29 Nov 2026 23:59:59"),
        ("Tomorrow", "Mon 30 Nov 2026 23:59:59"),
        ("tomorrow at 9am", "Mon 30 Nov 2026 09:00:00"),
        ("the day after tomorrow", "Tue 01 Dec 2026 23:59:59"),
        ("end of month", "Mon 30 Nov 2026 23:59:59"),
        ("end of the month", "Mon 30 Nov 2026 23:59:59"),
        ("EOM", "Mon 30 Nov 2026 23:59:59"),
        ("end of next month", "Thu 31 Dec 2026 23:59:59"),
        ("end of December", "Thu 31 Dec 2026 23:59:59"),
        ("end of Feb 2028", "Tue 29 Feb 2028 23:59:59"),
        ("end of this year", "Thu 31 Dec 2026 23:59:59"),
        ("end of next year", "Fri 31 Dec 2027 23:59:59"),
    ],
)
def test_unambiguous_date_has_no_note(typed: str, read: str) -> None:
    assert (local(typed), reader().read(typed).note) == (read, "")


@pytest.mark.parametrize(
    ("typed", "read", "note"),
    [
        ("4/5/2027", "Mon 05 Apr 2027 23:59:59", "the month first; the other order is 4 May 2027"),
        ("4.5.2027", "Tue 04 May 2027 23:59:59", "the day first; the other order is 5 Apr 2027"),
        ("28 Nov", "Sun 28 Nov 2027 23:59:59", "the next one is in 2027"),
        ("1/1", "Fri 01 Jan 2027 23:59:59", "the next one is in 2027"),
        ("29 Feb", "Tue 29 Feb 2028 23:59:59", "the next one is in 2028"),
        ("end of January", "Sun 31 Jan 2027 23:59:59", "the next one is in 2027"),
        ("Friday", "Fri 04 Dec 2026 23:59:59", "the first Friday after today"),
        ("this fri", "Fri 04 Dec 2026 23:59:59", "the first Friday after today"),
        ("Sunday", "Sun 06 Dec 2026 23:59:59", "the first Sunday after today"),
        ("next Friday", "Fri 04 Dec 2026 23:59:59", "the Friday of next week"),
        ("Friday next week", "Fri 04 Dec 2026 23:59:59", "the Friday of next week"),
        ("in 3 weeks", "Sun 20 Dec 2026 23:59:59", "counted from today"),
        ("3w", "Sun 20 Dec 2026 23:59:59", "counted from today"),
        ("two weeks from now", "Sun 13 Dec 2026 23:59:59", "counted from today"),
        ("in a month", "Tue 29 Dec 2026 23:59:59", "counted from today"),
        ("in 3 months", "Sun 28 Feb 2027 23:59:59", "counted from today"),
        ("in 10 days at 18:30", "Wed 09 Dec 2026 18:30:00", "counted from today"),
        ("in 36 hours", "Mon 30 Nov 2026 22:30:00", "counted from now"),
        ("+10 days", "Sat 19 Dec 2026 23:59:59", "counted from the present expiration"),
        ("+1 month", "Sat 09 Jan 2027 23:59:59", "counted from the present expiration"),
    ],
)
def test_ambiguous_date_has_a_note(typed: str, read: str, note: str) -> None:
    assert (local(typed), reader().read(typed).note) == (read, note)


def test_figures_are_read_in_the_order_of_the_reader() -> None:
    for typed in ("4/5/2027", "4-5-27"):
        assert local(typed, is_month_first=True) == "Mon 05 Apr 2027 23:59:59"
        assert local(typed, is_month_first=False) == "Tue 04 May 2027 23:59:59"
    # Dots are written with the day first, and people who do so need no note.
    assert reader(is_month_first=False).read("4.5.2027").note == ""


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "\u200b",
        "soon",
        "next week",
        "next month",
        "mid December",
        "Dec 2026",
        "2026",
        "24",
        "18:30",
        "6pm",
        "24 Dez",
        "24 Dec 2026 or later",
        "24 Dec 2026 26 Dec 2026",
        "24 Dec 18:30 PST",
        "24 Dec 25:00",
        "24 Dec 13 pm",
        "2026-12-24T18",
        "2026-W01",
        "custom",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
    ],
)
def test_text_that_is_not_a_date_is_refused(typed: str) -> None:
    with pytest.raises(ValidationError, match="This is not a date that can be read"):
        reader().read(typed)


@pytest.mark.parametrize(
    "typed", ["31 Nov", "30.02.2027", "2026-13-01", "2026-02-30", "29 Feb 2027", "0 Dec", "13/13"]
)
def test_a_day_that_does_not_exist_is_named_as_such(typed: str) -> None:
    with pytest.raises(ValidationError, match="There is no such day"):
        reader().read(typed)


def test_wrong_weekday_is_refused() -> None:
    with pytest.raises(ValidationError, match="24 Dec 2026 is a Thursday, not a Friday"):
        reader().read("Fri 24 Dec")


def test_an_hour_that_the_clocks_skip_is_refused() -> None:
    for typed in ("2027-03-14T02:30", "14 Mar 2027 2:30 am"):
        with pytest.raises(ValidationError, match="02:30 does not exist in America/New_York"):
            reader().read(typed)


def test_repeated_hour_requires_an_offset() -> None:
    for typed in ("2026-11-01T01:30", "1 Nov 2026 1:30"):
        with pytest.raises(ValidationError, match="01:30 happens twice in America/New_York"):
            reader().read(typed)
    found = reader().read("2026-11-01T01:30-05:00")
    assert found.at == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


def test_the_end_of_a_day_is_its_later_one_where_the_clocks_go_back_at_midnight() -> None:
    # The last hour of that day occurs twice in that zone.
    asuncion = reader(zone=ZoneInfo("America/Asuncion"))
    assert asuncion.read("2024-03-23").at == datetime(2024, 3, 24, 3, 59, 59, tzinfo=UTC)


def test_a_day_that_never_was_is_refused() -> None:
    with pytest.raises(ValidationError, match="does not exist"):
        reader(zone=ZoneInfo("Pacific/Apia")).read("2011-12-30")


@pytest.mark.parametrize(
    ("header", "is_first"),
    [
        ("en-US,en;q=0.9", True),
        ("en", True),
        ("en-GB,en-US;q=0.9", False),
        ("de-DE,en-US;q=0.7", False),
        ("ja", True),
        ("zh-TW", True),
        ("", False),
        ("*", False),
    ],
)
def test_the_order_of_the_browsers_language(header: str, *, is_first: bool) -> None:
    assert is_month_first(header) is is_first
