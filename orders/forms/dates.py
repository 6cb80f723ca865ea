"""Dates and times as people write them, as instants.

A day without a time is its last second. Days, weekdays and times of day are those of the reader's
zone. An ambiguous text is read in one way, and a note explains it, so that the reader can check it
before anything is sent. A text that is not understood as a whole is refused: no part is ignored.

    2026-12-24   24 Dec   Thu, Dec 24th, 2026   24.12.2026   12/24/2026   12月24日
    today   tomorrow   Friday   next Friday   in 3 weeks   +10 days   end of next month
    24 Dec 18:30   tomorrow at 6 pm   2026-12-24T18:30Z
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

from orders.days import local_time_in_utc
from orders.formats import date_in_words

from .fields import clean_single_line
from .times import end_of_day, split_time, unambiguous_instant

_NOT_A_DATE = (
    "This is not a date that can be read. Write it as 24 Dec, 2026-12-24 or “in 3 weeks”, with a "
    "time if needed: 24 Dec 18:30."
)
_NO_SUCH_DAY = "There is no such day. Look at the day, the month and the year."
_LEAP_YEARS_APART = 8


@dataclass(frozen=True, slots=True)
class ParsedDate:
    """An instant (aware UTC, whole seconds) and how the text was read.

    `note` is "" if the text has only one meaning.
    """

    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class DateReader:
    """Reads texts at the time `now` (aware UTC) for a reader in `zone`.

    `is_month_first`: whether 4/5 is the fifth of April. "+7 days" is added to `base` (aware UTC).
    """

    now: datetime
    zone: ZoneInfo
    is_month_first: bool = False
    base: datetime | None = None

    def read(self, text: str) -> ParsedDate:
        """Return the instant that the text describes.

        Raises ValidationError if it is no date, or a time of day that daylight saving skips or
        repeats on that day.
        """
        words = " ".join(clean_single_line(text).lower().replace(",", " ").split())
        try:
            result = self._iso_time(words) or self._length(words) or self._day_and_time(words)
        except (ValueError, OverflowError) as error:
            raise ValidationError(_NOT_A_DATE) from error
        if result is None:
            raise ValidationError(_NOT_A_DATE)
        return result

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def _iso_time(self, words: str) -> ParsedDate | None:
        if not _ISO_TIME.match(words):
            return None
        at = datetime.fromisoformat(words.upper())
        if at.tzinfo is None:
            return ParsedDate(unambiguous_instant(at.replace(microsecond=0), self.zone))
        return ParsedDate(at.astimezone(UTC).replace(microsecond=0))

    def _length(self, words: str) -> ParsedDate | None:
        """Return the instant after a length: "+7 days" from `base`, "in 36 hours" from now."""
        match = _LENGTH.fullmatch(words)
        if match is None or (unit := _UNITS.get(match["unit"])) is None:
            return None
        count = _count(match)
        if match["plus"] and self.base is not None:
            local = self.base.astimezone(self.zone).replace(tzinfo=None)
            at = local_time_in_utc(_add(local, count, unit), self.zone)
            return ParsedDate(at, "counted from the present expiration")
        if unit == "hours" and not match["plus"]:
            at = self.now.replace(second=0, microsecond=0) + timedelta(hours=count)
            return ParsedDate(at, "counted from now")
        return None

    def _day_and_time(self, words: str) -> ParsedDate | None:
        clock, offset, rest = split_time(words)
        result = self._day(self._without_noise(rest))
        if result is None:
            return None
        if clock is None:
            return ParsedDate(end_of_day(result.day, self.zone), result.note)
        naive = datetime.combine(result.day, clock)
        if offset is None:
            return ParsedDate(unambiguous_instant(naive, self.zone), result.note)
        return ParsedDate(naive.replace(tzinfo=offset).astimezone(UTC), result.note)

    def _without_noise(self, words: str) -> str:
        """Drop prepositions and the names of the reader's own zone."""
        half_a_year = timedelta(days=182)
        days = [(self.now + n * half_a_year).astimezone(self.zone) for n in (0, 1)]
        noise = _NOISE | {name.lower() for day in days if (name := day.tzname()) and name.isalpha()}
        return " ".join(word for word in words.split() if word not in noise)

    def _day(self, words: str) -> _Day | None:
        words = _BESIDE_LETTERS.sub(" ", _ORDINAL.sub(r"\1", words))
        weekday, rest = _split_weekday(" ".join(words.split()))
        for form, read in _FORMS:
            if match := form.fullmatch(rest):
                day = read(self, match)
                if day is not None:
                    return _checked(day, weekday)
        return None


@dataclass(frozen=True, slots=True)
class _Day:
    day: date
    note: str = ""


def _checked(day: _Day, weekday: int | None) -> _Day:
    """Refuse a weekday that contradicts the date."""
    actual = day.day.weekday()
    if weekday is not None and weekday != actual:
        raise ValidationError(
            f"{date_in_words(day.day)} is a {calendar.day_name[actual]}, not a "
            f"{calendar.day_name[weekday]}."
        )
    return day


# --- words ----------------------------------------------------------------------------------------


def _names(*lists: list[str]) -> dict[str, int]:
    return {name.lower(): n for names in lists for n, name in enumerate(names) if name}


_MONTHS = _names(list(calendar.month_name), list(calendar.month_abbr)) | {"sept": 9}
_WEEKDAYS = _names(list(calendar.day_name), list(calendar.day_abbr)) | {"tues": 1, "thurs": 3}
_NUMBERS = {
    word: n
    for n, words in enumerate(
        ("", "a an one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    )
    for word in words.split()
}
_UNITS = {
    word: unit
    for unit, words in (
        ("hours", "h hr hrs hour hours"),
        ("days", "d day days"),
        ("weeks", "w wk wks week weeks"),
        ("months", "mo month months"),
        ("years", "y yr yrs year years"),
    )
    for word in words.split()
}
_NOISE = frozenset(["on", "at", "@", "by", "until", "till", "the", "of", "eod"])
_COUNT = rf"(?:in )?(?:(?P<count>[0-9]{{1,4}}) ?|(?P<word>{'|'.join(_NUMBERS)}) )(?P<unit>[a-z]+)"
_LENGTH = re.compile(rf"(?P<plus>\+ ?)?{_COUNT}(?: from now)?")
_ISO_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(z|[+-]\d{2}:?\d{2})?\Z")
_ORDINAL = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)\b")
# Separators beside a word, as in 24-Dec-2026, and the dot after "24." or "Dec."
_BESIDE_LETTERS = re.compile(r"[-/.](?=\s?[a-z])|(?<=[a-z])[-/.]")


def _count(match: re.Match[str]) -> int:
    return _NUMBERS[match["word"]] if match["word"] else int(match["count"])


def _split_weekday(words: str) -> tuple[int | None, str]:
    """Return the weekday at the start or end of a date with figures, and the rest."""
    parts = words.split()
    for name, rest in ((parts[:1], parts[1:]), (parts[-1:], parts[:-1])):
        if name and name[0] in _WEEKDAYS and any(map(str.isdigit, "".join(rest))):
            return _WEEKDAYS[name[0]], " ".join(rest)
    return None, words


def _add[T: (date, datetime)](start: T, count: int, unit: str) -> T:
    """Return `start` plus `count` units, or the last day of the month if the month is shorter."""
    if unit in ("days", "weeks", "hours"):
        return start + timedelta(**{unit: count})
    months = start.month - 1 + count * (12 if unit == "years" else 1)
    year, month = start.year + months // 12, months % 12 + 1
    return start.replace(
        year=year, month=month, day=min(start.day, calendar.monthrange(year, month)[1])
    )


# --- days -----------------------------------------------------------------------------------------


def _numbered(reader: DateReader, match: re.Match[str]) -> _Day:
    """Return the day of named parts: year, month and day in this order."""
    return _dated(reader, int(match["month"]), int(match["day"]), match["year"])


def _month_in_words(reader: DateReader, match: re.Match[str]) -> _Day | None:
    month = _MONTHS.get(match["month"])
    return _dated(reader, month, int(match["day"]), match["year"]) if month else None


def _figures(reader: DateReader, match: re.Match[str]) -> _Day:
    """Return the day of a date in figures.

    With dots the day is first; otherwise the order is that in which the reader writes dates, or the
    other one if only that is a date.
    """
    one, two, year = int(match["one"]), int(match["two"]), match["year"]
    is_month_first = reader.is_month_first and "." not in match["separator"]
    pairs = [(one, two), (two, one)] if is_month_first else [(two, one), (one, two)]
    possible = (_if_any(reader, *pair, year) for pair in dict.fromkeys(pairs))
    days = list(filter(None, possible))
    if not days:
        raise ValidationError(_NO_SUCH_DAY)
    if len(days) == 1 or ("." in match["separator"] and not reader.is_month_first):
        return days[0]
    order = "month" if is_month_first else "day"
    return _Day(days[0].day, f"the {order} first; the other order is {date_in_words(days[1].day)}")


def _if_any(reader: DateReader, month: int, day: int, year: str | None) -> _Day | None:
    try:
        return _dated(reader, month, day, year)
    except ValidationError:
        return None


def _dated(reader: DateReader, month: int, day: int, year: str | None) -> _Day:
    if year is None:
        return _next_such_day(reader.today, month, day)
    digits = year.removeprefix("'")
    return _Day(_date(int(digits) + (2000 if len(digits) == len("26") else 0), month, day))


def _next_such_day(today: date, month: int, day: int) -> _Day:
    """Return the next date with this month and day, today included.

    29 February is at most eight years away.
    """
    for year in range(today.year, today.year + _LEAP_YEARS_APART + 1):
        if not _exists(year, month, day) or date(year, month, day) < today:
            continue
        return _Day(date(year, month, day), _note_on_year(year, today))
    raise ValidationError(_NO_SUCH_DAY)


def _exists(year: int, month: int, day: int) -> bool:
    return month in range(1, 13) and 1 <= day <= calendar.monthrange(year, month)[1]


def _note_on_year(year: int, today: date) -> str:
    return "" if year == today.year else f"the next one is in {year}"


def _date(year: int, month: int, day: int) -> date:
    if not MINYEAR <= year <= MAXYEAR or not _exists(year, month, day):
        raise ValidationError(_NO_SUCH_DAY)
    return date(year, month, day)


def _named(reader: DateReader, match: re.Match[str]) -> _Day:
    return _Day(reader.today + timedelta(days=_NAMED_DAYS[match[0]]))


def _counted(reader: DateReader, match: re.Match[str]) -> _Day | None:
    unit = _UNITS.get(match["unit"], "hours")
    if unit == "hours":
        return None
    return _Day(_add(reader.today, _count(match), unit), "counted from today")


def _weekday(reader: DateReader, match: re.Match[str]) -> _Day | None:
    """Return the first day after today with the named weekday; with "next", that of next week."""
    weekday = _WEEKDAYS.get(match["name"])
    if weekday is None:
        return None
    name, today = calendar.day_name[weekday], reader.today
    if match["next"] or match["week"]:
        monday = today + timedelta(days=7 - today.weekday())
        return _Day(monday + timedelta(days=weekday), f"the {name} of next week")
    ahead = (weekday - today.weekday() - 1) % 7 + 1
    return _Day(today + timedelta(days=ahead), f"the first {name} after today")


def _end_of_month(reader: DateReader, match: re.Match[str]) -> _Day:
    first = reader.today.replace(day=1)
    return _Day(_last_day(_add(first, 1, "months") if match["next"] else first))


def _end_of_named_month(reader: DateReader, match: re.Match[str]) -> _Day | None:
    month, today = _MONTHS.get(match["month"]), reader.today
    if month is None:
        return None
    if match["year"]:
        return _Day(_last_day(_date(int(match["year"]), month, 1)))
    year = today.year + (month < today.month)
    return _Day(_last_day(date(year, month, 1)), _note_on_year(year, today))


def _end_of_year(reader: DateReader, match: re.Match[str]) -> _Day:
    return _Day(date(reader.today.year + bool(match["next"]), 12, 31))


def _last_day(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


_NAMED_DAYS = {"today": 0, "tomorrow": 1, "day after tomorrow": 2}
_MARK = r"(?: ?[-/.] ?)"
_DAY, _WORD, _YEAR = r"(?P<day>\d{1,2})", r"(?P<month>[a-z]+)", r"(?P<year>\d{4}|'?\d{2})"
_FULL_YEAR, _MONTH = r"(?P<year>\d{4})", r"(?P<month>\d{1,2})"
type _Reading = Callable[[DateReader, re.Match[str]], _Day | None]
# Of text without the time of day, ordinals, prepositions and the weekday of a date.
_FORMS: list[tuple[re.Pattern[str], _Reading]] = [
    (re.compile(form), read)
    for form, read in (
        ("|".join(_NAMED_DAYS), _named),
        (rf"{_FULL_YEAR}{_MARK}{_MONTH}{_MARK}{_DAY}\.?", _numbered),
        (r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})", _numbered),
        (rf"(?:{_FULL_YEAR}[年년] ?)?{_MONTH}[月월] ?{_DAY}[日일]", _numbered),
        (
            rf"(?P<one>\d{{1,2}})(?P<separator>{_MARK})(?P<two>\d{{1,2}})(?:{_MARK}{_YEAR})?\.?",
            _figures,
        ),
        (rf"{_DAY} ?{_WORD}(?: ?{_YEAR})?", _month_in_words),
        (rf"{_WORD} ?{_DAY}(?: {_YEAR})?", _month_in_words),
        (rf"{_FULL_YEAR} {_WORD} ?{_DAY}", _month_in_words),
        (rf"{_COUNT}(?: from (?:now|today))?", _counted),
        (r"(?:(?P<next>next) |this |coming )?(?P<name>[a-z]+)(?P<week> next week)?", _weekday),
        (r"end (?:(?P<next>next) |this )?month|eom", _end_of_month),
        (r"end (?:(?P<next>next) |this )?year|eoy", _end_of_year),
        (rf"end {_WORD}(?: {_FULL_YEAR})?", _end_of_named_month),
    )
]


# --- the reader's order ---------------------------------------------------------------------------

# From Unicode's CLDR: who writes 12/24 for 24 December.
_MONTH_FIRST_LANGUAGES = frozenset(["eu", "fil", "hu", "ja", "ko", "lt", "mn", "zh"])
_MONTH_FIRST_REGIONS = frozenset(
    ["", "as", "ca", "gu", "mh", "mp", "ph", "pr", "um", "us", "vi"]  # of English
)


def is_month_first(accept_language: str) -> bool:
    """Whether the first language of the header Accept-Language writes the month before the day."""
    tag = accept_language.partition(",")[0].partition(";")[0].strip().lower()
    language, _, region = tag.partition("-")
    is_english = language == "en" and region in _MONTH_FIRST_REGIONS
    return is_english or language in _MONTH_FIRST_LANGUAGES
