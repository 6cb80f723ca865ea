"""Pure functions that split creation windows and decide when one is complete."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.sync.windows import (
    MAX_REREADS,
    WindowBounds,
    WindowPass,
    WindowReader,
    WindowState,
    estimate_created_at,
    evaluate_passes,
    is_window_too_large,
    split_window,
    window_part_count,
)

EARLY = datetime(2026, 1, 1, tzinfo=UTC)


def seconds_on(seconds: float) -> datetime:
    return EARLY + timedelta(seconds=seconds)


WIDTHS = st.integers(0, 3 * 365 * 86_400)
MOMENTS = st.floats(0, 1, allow_nan=False)


@given(width=WIDTHS, parts=st.integers(2, 16), share=MOMENTS)
def test_the_parts_cover_every_instant_of_the_window(width: int, parts: int, share: float) -> None:
    """Instants between two whole seconds are covered, although bounds are whole seconds."""
    whole = WindowBounds(EARLY, seconds_on(width))
    found = split_window(whole, parts)
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
    window, steps = WindowBounds(EARLY, seconds_on(width)), 0
    while window.is_splittable:
        window, steps = split_window(window, 2)[0], steps + 1
    assert window.seconds <= 1
    assert steps <= 28


def test_a_window_without_a_beginning_is_not_cut() -> None:
    window = WindowBounds(None, EARLY)
    assert not window.is_splittable
    assert split_window(window, 2) == [window]
    assert not is_window_too_large(window, 10**9, size=1)


@pytest.mark.parametrize(
    ("total", "parts"), [(1, 2), (1600, 2), (4100, 5), (16_000, 16), (10**6, 16)]
)
def test_large_window_is_split_by_its_number_of_orders(total: int, parts: int) -> None:
    assert window_part_count(total, size=1000) == parts


def test_a_window_a_little_too_large_is_read_as_it_is() -> None:
    window = WindowBounds(EARLY, seconds_on(2))
    assert not is_window_too_large(window, 1500, size=1000)
    assert is_window_too_large(window, 1501, size=1000)
    assert not is_window_too_large(WindowBounds(EARLY, seconds_on(1)), 10**6, size=1000)


@given(width=WIDTHS, total=st.integers(0, 5000), data=st.data())
def test_estimates_lie_in_the_window_newest_first(
    width: int, total: int, data: st.DataObject
) -> None:
    window = WindowBounds(EARLY, seconds_on(width))
    first, second = sorted(data.draw(st.tuples(st.integers(0, 6000), st.integers(0, 6000))))
    newer, older = (estimate_created_at(window, position, total) for position in (first, second))
    assert EARLY <= older <= newer <= window.before
    assert estimate_created_at(WindowBounds(None, EARLY), first, total) == EARLY


# --- When a window counts ---------------------------------------------------------------------


def a_pass(*pages: tuple[list[int], int | None], is_ended: bool = False) -> WindowPass:
    made = WindowPass()
    for ids, total in pages:
        made.add_page(ids, total)
    made.is_ended = is_ended
    return made


EXACT_SOURCES = a_pass(([1, 2], 3), ([3], 3))
MOVED = a_pass(([1, 2], 3), ([2], 3), is_ended=True)
GREW = a_pass(([1, 2], 3), ([3], 4), is_ended=True)
NO_TOTAL = a_pass(([1, 2], None), ([3], None), is_ended=True)
TOO_MANY_SAID = a_pass(([1, 2], 9), ([3], 9), is_ended=True)
TOO_FEW_SAID = a_pass(([1, 2], 1), ([3], 1), is_ended=True)
ROWS_OF_PAGES_SAID = a_pass(([1, 2], 2), ([3], 1), is_ended=True)
OTHERS = a_pass(([1, 2], None), ([4], None), is_ended=True)


@pytest.mark.parametrize(
    ("passes", "state"),
    [
        ([EXACT_SOURCES], WindowState.COMPLETE),
        ([a_pass(([], 0), is_ended=True)], WindowState.COMPLETE),
        ([MOVED, EXACT_SOURCES], WindowState.COMPLETE),
        ([a_pass(([1, 2], 3), ([2], 3))], WindowState.READ_ON),
        ([a_pass(([1, 2], None))], WindowState.READ_ON),
        ([MOVED], WindowState.REPEAT),
        # The total changed between the pages, although the number fits.
        ([a_pass(([1, 2], 3), ([3], 2))], WindowState.READ_ON),
        ([GREW], WindowState.REPEAT),
        ([NO_TOTAL], WindowState.REPEAT),
        ([NO_TOTAL, NO_TOTAL], WindowState.COMPLETE),
        ([NO_TOTAL, OTHERS], WindowState.REPEAT),
        ([TOO_MANY_SAID, TOO_MANY_SAID], WindowState.COMPLETE),
        ([TOO_FEW_SAID, TOO_FEW_SAID], WindowState.COMPLETE),
        ([ROWS_OF_PAGES_SAID], WindowState.REPEAT),
        ([ROWS_OF_PAGES_SAID, ROWS_OF_PAGES_SAID], WindowState.COMPLETE),
        # Repeated rows: smaller windows may return the missing orders.
        ([MOVED, MOVED], WindowState.REPEAT),
        ([MOVED] * MAX_REREADS, WindowState.REPEAT),
        ([MOVED] * (MAX_REREADS + 1), WindowState.SPLIT),
        ([GREW] * (MAX_REREADS + 1), WindowState.SPLIT),
    ],
)
def test_window_is_complete_after_all_pages(passes: list[WindowPass], state: WindowState) -> None:
    assert evaluate_passes(passes, is_splittable=True) is state


@pytest.mark.parametrize(
    ("passes", "state"),
    [
        ([GREW] * 10, WindowState.REPEAT),
        ([a_pass(([1, 2, 2], 2), ([], 3), is_ended=True)] * 2, WindowState.REPEAT),
        ([a_pass(([1, 2, 2], None), is_ended=True)] * 2, WindowState.COMPLETE),
        ([MOVED, MOVED], WindowState.REPEAT),
        ([MOVED] * 20, WindowState.INCONSISTENT),
    ],
)
def test_window_of_one_second_is_read_until_two_passes_agree(
    passes: list[WindowPass], state: WindowState
) -> None:
    assert evaluate_passes(passes, is_splittable=False) is state


# --- Which page is asked for next -------------------------------------------------------------

WINDOW = WindowBounds(EARLY, seconds_on(3600))


def read(reader: WindowReader, pages: dict[int, tuple[list[int], int | None]]) -> list[int]:
    """Answer every requested page until none is requested; return the requested ones."""
    asked = []
    while (page := reader.next_page()) is not None:
        asked.append(page)
        reader.add_page(page, *pages.get(page, ([], pages[1][1])))
        if reader.window_state(size=100) is not None:
            break
    return asked


def test_all_pages_of_the_total_are_requested_concurrently() -> None:
    reader = WindowReader(WINDOW, per_page=2)
    assert [reader.next_page(), reader.next_page()] == [1, None]
    reader.add_page(1, [1, 2], 5)
    assert [reader.next_page() for _ in range(3)] == [2, 3, None]
    assert reader.window_state(size=100) is None
    reader.add_page(3, [5], 5)
    assert reader.window_state(size=100) is None
    reader.add_page(2, [3, 4], 5)
    assert reader.window_state(size=100) is WindowState.COMPLETE


def test_missing_page_is_requested_again_before_the_window_is_complete() -> None:
    reader = WindowReader(WINDOW, per_page=2)
    reader.next_page()
    reader.add_page(1, [1, 2], 3)
    reader.next_page()
    reader.requeue(2)
    assert reader.window_state(size=100) is None
    assert reader.next_page() == 2
    reader.add_page(2, [3], 3)
    assert reader.window_state(size=100) is WindowState.COMPLETE


def test_without_a_count_it_is_paged_to_the_empty_page_twice() -> None:
    reader = WindowReader(WINDOW, per_page=2)
    pages = {1: ([1, 2], None), 2: ([3], None)}
    assert read(reader, pages) == [1, 2, 3, 1, 2, 3]
    assert reader.window_state(size=100) is WindowState.COMPLETE


def test_another_page_is_requested_after_a_full_last_page() -> None:
    reader = WindowReader(WINDOW, per_page=2)
    assert read(reader, {1: ([1, 2], 4), 2: ([3, 4], 4)}) == [1, 2, 3]
    assert reader.window_state(size=100) is WindowState.COMPLETE


@pytest.mark.parametrize("last", [2, 1])
def test_total_of_each_page_does_not_end_the_pass(last: int) -> None:
    reader = WindowReader(WINDOW, per_page=2)
    pages = {1: ([1, 2], 2), 2: ([3, 4], 2), 3: ([5, 6][:last], last)}
    assert read(reader, pages) == [1, 2, 3, 4, 1, 2, 3, 4]
    assert reader.window_state(size=100) is WindowState.COMPLETE


def test_rows_up_to_the_total_do_not_split_the_window() -> None:
    reader = WindowReader(WINDOW, per_page=100)
    pages = {n: (list(range(100 * n, 100 * n + 100)), 400) for n in range(1, 5)}
    assert read(reader, pages) == [1, 2, 3, 4, 5]
    assert reader.window_state(size=100) is WindowState.COMPLETE


def test_repeated_page_ends_the_pass() -> None:
    reader = WindowReader(WINDOW, per_page=2)
    assert read(reader, {n: ([1, 2], 5) for n in range(1, 9)})[:6] == [1, 2, 3, 1, 2, 3]


def test_far_more_rows_than_were_counted_lead_to_smaller_windows() -> None:
    reader = WindowReader(WINDOW, per_page=100)
    endless = {n: (list(range(100 * n, 100 * n + 100)), None) for n in range(1, 99)}
    assert read(reader, endless) == [1, 2, 3, 4]
    assert reader.window_state(size=100) is WindowState.SPLIT


def test_smaller_pages_restart_the_pass() -> None:
    reader = WindowReader(WINDOW, per_page=100)
    reader.next_page()
    before = reader.attempt
    reader.restart(with_smaller_pages=True)
    assert (reader.per_page, reader.attempt, len(reader.passes)) == (25, before + 1, 1)
    assert reader.next_page() == 1
