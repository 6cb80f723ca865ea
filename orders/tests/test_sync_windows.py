"""How creation windows are cut, and when one counts as read: pure decisions."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.sync.reading import Reading
from orders.sync.windows import (
    REREADS,
    Bounds,
    Pass,
    Verdict,
    cut,
    instant_of,
    is_too_large,
    judge,
    parts_of,
)

EARLY = datetime(2026, 1, 1, tzinfo=UTC)


def seconds_on(seconds: float) -> datetime:
    return EARLY + timedelta(seconds=seconds)


WIDTHS = st.integers(0, 3 * 365 * 86_400)
MOMENTS = st.floats(0, 1, allow_nan=False)


@given(width=WIDTHS, parts=st.integers(2, 16), share=MOMENTS)
def test_the_parts_cover_every_instant_of_the_window(width: int, parts: int, share: float) -> None:
    """Also between two whole seconds, where no bound can be put."""
    whole = Bounds(EARLY, seconds_on(width))
    found = cut(whole, parts)
    moment = EARLY + (whole.before - EARLY) * share
    assert any(part.after is not None and part.after <= moment <= part.before for part in found)
    assert found[0].before == whole.before
    assert found[-1].after == EARLY
    assert all(newer.after == older.before for newer, older in itertools.pairwise(found))
    assert len(found) == max(1, min(parts, width))
    assert sum(part.seconds for part in found) == width
    lengths = {part.seconds for part in found}
    assert max(lengths) - min(lengths) <= 1


@given(width=WIDTHS)
def test_cutting_ends_at_one_second(width: int) -> None:
    window, steps = Bounds(EARLY, seconds_on(width)), 0
    while window.may_be_cut:
        window, steps = cut(window, 2)[0], steps + 1
    assert window.seconds <= 1
    assert steps <= 28


def test_a_window_without_a_beginning_is_not_cut() -> None:
    window = Bounds(None, EARLY)
    assert not window.may_be_cut
    assert cut(window, 2) == [window]
    assert not is_too_large(window, 10**9, size=1)


@pytest.mark.parametrize(
    ("total", "parts"), [(1, 2), (1600, 2), (4100, 5), (16_000, 16), (10**6, 16)]
)
def test_a_large_window_is_cut_by_how_many_it_holds(total: int, parts: int) -> None:
    assert parts_of(total, size=1000) == parts


def test_a_window_a_little_too_large_is_read_as_it_is() -> None:
    window = Bounds(EARLY, seconds_on(2))
    assert not is_too_large(window, 1500, size=1000)
    assert is_too_large(window, 1501, size=1000)
    assert not is_too_large(Bounds(EARLY, seconds_on(1)), 10**6, size=1000)


@given(width=WIDTHS, total=st.integers(0, 5000), data=st.data())
def test_estimates_lie_in_the_window_newest_first(
    width: int, total: int, data: st.DataObject
) -> None:
    window = Bounds(EARLY, seconds_on(width))
    first, second = sorted(data.draw(st.tuples(st.integers(0, 6000), st.integers(0, 6000))))
    newer, older = (instant_of(window, position, total) for position in (first, second))
    assert EARLY <= older <= newer <= window.before
    assert instant_of(Bounds(None, EARLY), first, total) == EARLY


# --- When a window counts ---------------------------------------------------------------------


def a_pass(*pages: tuple[list[int], int | None], is_ended: bool = False) -> Pass:
    made = Pass()
    for ids, total in pages:
        made.add(ids, total)
    made.is_ended = is_ended
    return made


EXACT = a_pass(([1, 2], 3), ([3], 3))
MOVED = a_pass(([1, 2], 3), ([2], 3), is_ended=True)
GREW = a_pass(([1, 2], 3), ([3], 4), is_ended=True)
NO_TOTAL = a_pass(([1, 2], None), ([3], None), is_ended=True)
TOO_MANY_SAID = a_pass(([1, 2], 9), ([3], 9), is_ended=True)
TOO_FEW_SAID = a_pass(([1, 2], 1), ([3], 1), is_ended=True)
ROWS_OF_PAGES_SAID = a_pass(([1, 2], 2), ([3], 1), is_ended=True)
OTHERS = a_pass(([1, 2], None), ([4], None), is_ended=True)


@pytest.mark.parametrize(
    ("passes", "verdict"),
    [
        ([EXACT], Verdict.DONE),
        ([a_pass(([], 0), is_ended=True)], Verdict.DONE),
        ([MOVED, EXACT], Verdict.DONE),
        ([a_pass(([1, 2], 3), ([2], 3))], Verdict.MORE),
        ([a_pass(([1, 2], None))], Verdict.MORE),
        ([MOVED], Verdict.AGAIN),
        # A total that was another at the end than at the start, though the number would fit.
        ([a_pass(([1, 2], 3), ([3], 2))], Verdict.MORE),
        ([GREW], Verdict.AGAIN),
        ([NO_TOTAL], Verdict.AGAIN),
        ([NO_TOTAL, NO_TOTAL], Verdict.DONE),
        ([NO_TOTAL, OTHERS], Verdict.AGAIN),
        ([TOO_MANY_SAID, TOO_MANY_SAID], Verdict.DONE),
        ([TOO_FEW_SAID, TOO_FEW_SAID], Verdict.DONE),
        ([ROWS_OF_PAGES_SAID], Verdict.AGAIN),
        ([ROWS_OF_PAGES_SAID, ROWS_OF_PAGES_SAID], Verdict.DONE),
        # Rows repeated: what is missing may come in smaller windows.
        ([MOVED, MOVED], Verdict.AGAIN),
        ([MOVED] * REREADS, Verdict.AGAIN),
        ([MOVED] * (REREADS + 1), Verdict.HALVE),
        ([GREW] * (REREADS + 1), Verdict.HALVE),
    ],
)
def test_when_a_window_is_done(passes: list[Pass], verdict: Verdict) -> None:
    assert judge(passes, may_be_cut=True) is verdict


@pytest.mark.parametrize(
    ("passes", "verdict"),
    [
        ([GREW] * 10, Verdict.AGAIN),
        ([a_pass(([1, 2, 2], 2), ([], 3), is_ended=True)] * 2, Verdict.AGAIN),
        ([a_pass(([1, 2, 2], None), is_ended=True)] * 2, Verdict.DONE),
        ([MOVED, MOVED], Verdict.AGAIN),
        ([MOVED] * 20, Verdict.DOUBT),
    ],
)
def test_one_second_is_read_until_two_passes_agree(passes: list[Pass], verdict: Verdict) -> None:
    assert judge(passes, may_be_cut=False) is verdict


# --- Which page is asked for next -------------------------------------------------------------

WINDOW = Bounds(EARLY, seconds_on(3600))


def read(reading: Reading, pages: dict[int, tuple[list[int], int | None]]) -> list[int]:
    """Answer every page it asks for until it asks for none; returns which it asked for."""
    asked = []
    while (page := reading.next_page()) is not None:
        asked.append(page)
        reading.take(page, *pages.get(page, ([], pages[1][1])))
        if reading.verdict(size=100) is not None:
            break
    return asked


def test_all_pages_of_the_count_are_asked_for_side_by_side() -> None:
    reading = Reading(WINDOW, per_page=2)
    assert [reading.next_page(), reading.next_page()] == [1, None]
    reading.take(1, [1, 2], 5)
    assert [reading.next_page() for _ in range(3)] == [2, 3, None]
    assert reading.verdict(size=100) is None
    reading.take(3, [5], 5)
    assert reading.verdict(size=100) is None
    reading.take(2, [3, 4], 5)
    assert reading.verdict(size=100) is Verdict.DONE


def test_a_lost_page_is_asked_for_again_before_the_window_is_judged() -> None:
    reading = Reading(WINDOW, per_page=2)
    reading.next_page()
    reading.take(1, [1, 2], 3)
    reading.next_page()
    reading.lose(2)
    assert reading.verdict(size=100) is None
    assert reading.next_page() == 2
    reading.take(2, [3], 3)
    assert reading.verdict(size=100) is Verdict.DONE


def test_without_a_count_it_is_paged_to_the_empty_page_twice() -> None:
    reading = Reading(WINDOW, per_page=2)
    pages = {1: ([1, 2], None), 2: ([3], None)}
    assert read(reading, pages) == [1, 2, 3, 1, 2, 3]
    assert reading.verdict(size=100) is Verdict.DONE


def test_after_a_full_page_one_more_is_asked_for_though_the_count_fits() -> None:
    reading = Reading(WINDOW, per_page=2)
    assert read(reading, {1: ([1, 2], 4), 2: ([3, 4], 4)}) == [1, 2, 3]
    assert reading.verdict(size=100) is Verdict.DONE


@pytest.mark.parametrize("last", [2, 1])
def test_a_count_of_the_rows_of_each_page_ends_nothing(last: int) -> None:
    reading = Reading(WINDOW, per_page=2)
    pages = {1: ([1, 2], 2), 2: ([3, 4], 2), 3: ([5, 6][:last], last)}
    assert read(reading, pages) == [1, 2, 3, 4, 1, 2, 3, 4]
    assert reading.verdict(size=100) is Verdict.DONE


def test_as_many_rows_as_were_counted_are_not_far_more() -> None:
    reading = Reading(WINDOW, per_page=100)
    pages = {n: (list(range(100 * n, 100 * n + 100)), 400) for n in range(1, 5)}
    assert read(reading, pages) == [1, 2, 3, 4, 5]
    assert reading.verdict(size=100) is Verdict.DONE


def test_a_page_that_comes_again_and_again_ends_the_pass() -> None:
    reading = Reading(WINDOW, per_page=2)
    assert read(reading, {n: ([1, 2], 5) for n in range(1, 9)})[:6] == [1, 2, 3, 1, 2, 3]


def test_far_more_rows_than_were_counted_lead_to_smaller_windows() -> None:
    reading = Reading(WINDOW, per_page=100)
    endless = {n: (list(range(100 * n, 100 * n + 100)), None) for n in range(1, 99)}
    assert read(reading, endless) == [1, 2, 3, 4]
    assert reading.verdict(size=100) is Verdict.HALVE


def test_smaller_pages_begin_the_pass_again_and_drop_what_was_under_way() -> None:
    reading = Reading(WINDOW, per_page=100)
    reading.next_page()
    before = reading.round
    reading.begin_again(with_smaller_pages=True)
    assert (reading.per_page, reading.round, len(reading.passes)) == (25, before + 1, 1)
    assert reading.next_page() == 1
