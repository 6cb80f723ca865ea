"""Searches for the notes and tickets of our writes, for card ids and for amounts on the list."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from orders import index
from orders.models import Operation, OperationText
from testing.domain import order, store_operation
from testing.list_pages import complete_sync, ids_in, text_of

URL = "/orders/"
CARD = "ca4d0000-1234-4000-8000-000000000001"
pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(as_role: Any) -> Client:
    complete_sync(timezone.now())
    return as_role("viewer")  # type: ignore[no-any-return]


def known(**fields: Any) -> str:
    order_id = str(uuid4())
    index.upsert_orders([order(id=order_id, **fields)], read_at=timezone.now())
    return order_id


def written(order_id: str, **fields: Any) -> None:
    OperationText.objects.store(store_operation(order_uuid=UUID(order_id), **fields))


def test_a_ticket_and_a_note_find_their_order(viewer: Client) -> None:
    one, two = known(card_id=None), known(card_id=None)
    written(one, ticket="https://desk.test/tickets/ZD-4711", note="Named by José")
    written(two, ticket="ZD-4712", note="")
    for text, found in (
        ("ticket:zd-4711", [one]),
        ("ticket:ZD-471", [two, one]),
        ("ticket:zd-4711 ticket:4712", [two, one]),
        ("zd-4712", [two]),
        ("jose", [one]),
        ("ticket:jose", []),
    ):
        assert (text, ids_in(viewer.get(URL, {"q": text}))) == (text, found)
    assert "Looked for: Ticket: zd-9" in text_of(viewer.get(URL, {"q": "ticket:ZD-9"}))
    assert "is not understood" in text_of(viewer.get(URL, {"q": "-ticket:zd"}))


def test_the_id_of_a_card_finds_its_orders(viewer: Client) -> None:
    wanted = [known(card_id=CARD) for _ in range(2)][::-1]
    known(card_id=str(uuid4()))
    known(card_id=None)
    for text in (CARD, CARD.upper(), "ca4d0000-12", "ca4d000012", "card:ca4d0000"):
        assert (text, ids_in(viewer.get(URL, {"q": text}))) == (text, wanted)
    assert ids_in(viewer.get(URL, {"q": "-card:ca4d0000"})) != wanted
    # In the middle of an id a word means nothing.
    assert ids_in(viewer.get(URL, {"q": "800000"})) == []


def test_a_write_stores_its_texts_with_it(viewer: Client) -> None:
    made: Operation = store_operation(ticket="ZD-1", note="")
    OperationText.objects.store(made)
    stored = OperationText.objects.values_list("order_uuid", "kind", "folded")
    assert list(stored) == [(made.order_uuid, "ticket", "zd-1")]
