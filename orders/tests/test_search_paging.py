"""Pages of the search, whole lists, and the neighbors of an order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import UUID

import pytest

from orders import index, search
from orders.search import Hit
from orders.search.query import Query, Sort
from testing import search_oracle
from testing.domain import exact_created_at
from testing.search_oracle import LISTS, NOW, Oracle

pytestmark = pytest.mark.django_db


def pages(query: Query, *, size: int, backwards: bool) -> Iterator[search.ResultPage]:
    """All pages, from the first forwards or from the last backwards."""
    page = search.find_page(query, size=size, now=NOW, backwards=backwards)
    while True:
        yield page
        at = page.previous if backwards else page.next
        if at is None:
            return
        at = search.PageKey(*json.loads(json.dumps(at)))
        page = search.find_page(query, size=size, now=NOW, at=at, backwards=backwards)


@pytest.mark.parametrize("size", [7, 50])
def test_pages_are_the_whole_list_in_either_direction(oracle: Oracle, size: int) -> None:
    assert_pages_are_the_whole_list(oracle, size=size)


@pytest.mark.usefixtures("db", "search_without_deadline")
def test_pages_of_one_order_are_the_whole_list_in_either_direction() -> None:
    search_oracle.store(40)
    assert_pages_are_the_whole_list(Oracle(), size=1)


def assert_pages_are_the_whole_list(oracle: Oracle, *, size: int) -> None:
    for query in filter(oracle.find, LISTS):
        expected = oracle.find(query)
        forwards = [
            [hit.uuid for hit in page.hits] for page in pages(query, size=size, backwards=False)
        ]
        assert forwards == [expected[n : n + size] for n in range(0, len(expected), size)]
        back = [[hit.uuid for hit in page.hits] for page in pages(query, size=size, backwards=True)]
        assert [uuid for page in reversed(back) for uuid in page] == expected
        assert {len(page) for page in back[:-1]} <= {size}


def test_a_page_knows_whether_there_is_one_before_it_and_behind_it(oracle: Oracle) -> None:
    query = Query(sort=Sort.AMOUNT_LARGEST)
    first, second, *_, last = pages(query, size=100, backwards=False)
    assert (first.previous, first.next is None) == (None, False)
    assert second.previous is not None
    assert last.next is None
    assert search.find_page(query, size=300, now=NOW) == search.ResultPage(
        search.find_page(query, size=500, now=NOW).hits, None, None
    )
    nothing = search.find_page(Query(statuses=("nowhere",)), size=5, now=NOW)
    assert nothing == search.ResultPage((), None, None)


@pytest.mark.parametrize("sort", list(Sort))
def test_new_orders_do_not_shift_keyset_pages(oracle: Oracle, sort: Sort) -> None:
    before = oracle.find(Query(sort=sort))
    remaining_pages = pages(Query(sort=sort), size=40, backwards=False)
    seen = [hit.uuid for hit in next(remaining_pages).hits]
    rows = search_oracle.make_rows(400, seed=99)[300:]
    index.upsert_rows(rows, read_at=NOW)
    seen += [hit.uuid for page in remaining_pages for hit in page.hits]
    assert [uuid for uuid in seen if uuid in set(before)] == before
    assert len(seen) == len(set(seen))


def test_page_key_by_recipient_contains_no_name(oracle: Oracle) -> None:
    page = search.find_page(Query(sort=Sort.RECIPIENT), size=3, now=NOW)
    assert page.next is not None
    assert page.next.value == page.hits[-1].uuid.hex
    # The order no longer exists, as after a rebuild: the list starts at its beginning.
    gone = search.PageKey(UUID(int=1).hex, 7)
    again = search.find_page(Query(sort=Sort.RECIPIENT), size=3, now=NOW, at=gone)
    assert again.hits == page.hits


def test_all_of_a_list_is_streamed_in_its_order(oracle: Oracle) -> None:
    for query in LISTS:
        expected = oracle.find(query)
        assert [hit.uuid for hit in search.iterate_hits(query, chunk=41, now=NOW)] == expected
        nothing = Query(statuses=("nowhere",))
        first = search.first_query_with_matches([nothing, query, Query()], limit=20, now=NOW)
        assert first == (query, expected[:20])
    assert search.first_query_with_matches([nothing, nothing], limit=20, now=NOW) is None


def test_a_hit_is_what_the_row_says(oracle: Oracle) -> None:
    hits = {hit.uuid: hit for hit in search.find_page(Query(), size=500, now=NOW).hits}
    assert len(hits) == len(oracle.rows)
    for row in oracle.rows:
        hit = hits[row.uuid]
        names = {
            name: oracle.labels[pk].name if (pk := getattr(row, f"{name}_id")) else ""
            for name in ("product", "brand", "sender", "workspace")
        }
        plain = {name: getattr(row, name) for name in Hit._fields if name not in names}
        assert {name: getattr(hit, name) for name in Hit._fields} == {
            **plain,
            **names,
            "created_at": exact_created_at(row),
        }
        assert type(hit.is_swapped) is bool


# --- neighbors -----------------------------------------------------------------------------------


def test_neighbors_are_those_of_the_list(oracle: Oracle) -> None:
    for query in LISTS:
        expected = oracle.find(query)
        for at in {0, len(expected) // 2, len(expected) - 1}:
            found = search.find_neighbors(query, expected[at], now=NOW, seconds=60)
            assert found == search.Neighbors(
                previous=expected[at - 1] if at else None,
                next=expected[at + 1] if at + 1 < len(expected) else None,
                position=at + 1,
                count=search.MatchCount(len(expected), is_capped=False),
            )


def test_neighbors_are_of_as_many_as_come_before(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The neighbors are right even if counting ends before the position."""
    monkeypatch.setattr("orders.search.execute.MAX_SCANNED_ENTRIES", 1)
    query = Query(is_payment_pending=False)
    neighbors = search.find_neighbors(query, oracle.find(query)[9], now=NOW, seconds=60)
    assert neighbors is not None
    assert (neighbors.position, neighbors.count) == (10, (10, True))


def test_an_order_that_left_the_list_still_has_neighbors_but_no_place(oracle: Oracle) -> None:
    everything, opened = oracle.find(Query()), Query(statuses=("opened",))
    inside = set(oracle.find(opened))
    at = next(n for n in range(50, 300) if everything[n] not in inside)
    neighbors = search.find_neighbors(opened, everything[at], now=NOW, seconds=60)
    assert neighbors is not None
    assert neighbors.position is None
    assert neighbors.next == next(one for one in everything[at:] if one in inside)
    assert neighbors.previous == next(one for one in reversed(everything[:at]) if one in inside)
    assert search.find_neighbors(opened, UUID(int=5), now=NOW, seconds=60) is None


def test_related_orders_are_the_others_of_batch_address_and_sender(oracle: Oracle) -> None:
    newest_first = sorted(oracle.rows, key=lambda row: -row.pk)
    for row in newest_first[::23]:
        related = search.find_related_orders(row.uuid, now=NOW, seconds=60)
        assert related is not None
        for column, group in (
            ("order_batch_id", related.batch),
            ("email_key", related.email),
            ("sender_id", related.sender),
        ):
            value = getattr(row, column)
            others = [
                one.uuid
                for one in newest_first
                if value and getattr(one, column) == value and one.uuid != row.uuid
            ]
            assert (group is None) == (not others)
            if group:
                assert [hit.uuid for hit in group.hits] == others[:3]
                assert group.count == (len(others), False)
                assert set(oracle.find(group.query)) == {*others, row.uuid}
    assert search.find_related_orders(UUID(int=5), now=NOW, seconds=60) is None
