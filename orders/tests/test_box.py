"""The search box: an exact id or address makes the search ignore the other words."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from orders import index
from testing.domain import order
from testing.list_pages import URL, complete_sync, ids_in
from testing.vendor import Emulator

pytestmark = pytest.mark.django_db

REFERENCE = "VGCO1234ABCD5678EFGH9012"
TOKEN = "TOKE1234ABCD5678EFGH9012"
BATCH = "7d0f3a52-0c5d-4d7e-8a55-1f3e8f0a2b02"


def known(**fields: Any) -> UUID:
    given = order(**{"id": str(uuid4()), "reference_id": "", **fields})
    index.upsert_orders([given], read_at=timezone.now())
    return given.id


@pytest.fixture
def orders(db: None) -> dict[str, UUID]:
    complete_sync(timezone.now())
    return {
        "right": known(recipient_first_name="Emmy", recipient_email="right@pair.example"),
        "paid": known(recipient_email="right@pair.example", status="paid"),
        "namesake": known(recipient_first_name="Emmy", recipient_email="other@pair.example"),
        "receipt": known(reference_id=REFERENCE),
        "link": known(individual_gift_link=f"https://gifts.ongoody.com/gift/{TOKEN}"),
        "batch": known(order_batch_id=str(BATCH)),
        "sent": known(sender={"first_name": "Sam", "email": "sam@sender.example"}),
        "ops": known(recipient_email="ops@pair.example"),
    }


@pytest.fixture
def viewer(as_role: Any, emulator: Emulator) -> Client:
    client: Client = as_role("viewer")
    return client


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("Emmy D. <right@pair.example>", {"right", "paid"}),
        ('"D, Emmy" <right@pair.example>', {"right", "paid"}),
        ("From: right@pair.example", {"right", "paid"}),
        ("right@pair.example (personal)", {"right", "paid"}),
        ("mailto:right@pair.example", {"right", "paid"}),
        ("right@pair.example—please", {"right", "paid"}),
        ("请联系right@pair.example谢谢", {"right", "paid"}),
        ("right@pair.example status:paid", {"paid"}),
        # In a search every word counts.
        ("Emmy right@pair.example status:notified", {"right"}),
        ("Emmy right@pair.example status:paid", set()),
        ("right@pair.example -status:paid", {"right"}),
        ("sales&ops@pair.example please", set()),
        ("a/ops@pair.example", set()),
        ("key=ops@pair.example", set()),
        ("From: sam@sender.example", {"sent"}),
        ("Sam <sam@sender.example>", {"sent"}),
        ("sender:sam@sender.example", {"sent"}),
        ("Emmy <wrong@pair.example>", set()),
        (f"batch {BATCH}", {"batch"}),
    ],
)
def test_address_among_words_takes_precedence(
    viewer: Client, orders: dict[str, UUID], q: str, names: set[str]
) -> None:
    page = viewer.get(URL, {"q": q})
    assert page.status_code == 200
    assert set(ids_in(page)) == {str(orders[name]) for name in names}


@pytest.mark.parametrize(
    ("q", "name"),
    [
        (f"ref: {REFERENCE}", "receipt"),
        (f"receipt {REFERENCE}", "receipt"),
        (f"#{REFERENCE}", "receipt"),
        (f"# {REFERENCE}", "receipt"),
        (f"№{REFERENCE}", "receipt"),
        ("receipt VGCO 1234 ABCD 5678 EFGH 9012", "receipt"),
        (f"ref {REFERENCE.lower()}", "receipt"),
        (f"领收书{REFERENCE}です", "receipt"),
        (f"their link: https://gifts.ongoody.com/gift/{TOKEN}", "link"),
        (f"_<https://gifts.ongoody.com/gift/{TOKEN}>_", "link"),
        (f"token {TOKEN}", "link"),
        ("order {right}", "right"),
        ("Emmy's {right}, thanks", "right"),
    ],
)
def test_one_order_among_words_is_opened(
    viewer: Client, orders: dict[str, UUID], q: str, name: str
) -> None:
    answer = viewer.get(URL, {"q": q.format(right=orders["right"])})
    assert (answer.status_code, answer["Location"]) == (303, f"/orders/{orders[name]}/")


def test_unknown_id_among_words_is_requested_from_goody(
    viewer: Client, orders: dict[str, UUID], emulator: Emulator
) -> None:
    order_id = emulator.find_order_id(status="notified")
    answer = viewer.get(URL, {"q": f"order {order_id} please"})
    assert (answer.status_code, answer["Location"]) == (303, f"/orders/{order_id}/")


def test_the_text_stays_in_the_box_as_it_was_typed(viewer: Client, orders: dict[str, UUID]) -> None:
    for q in ("Emmy D. <right@pair.example>", "From: sam@sender.example"):
        page = viewer.get(URL, {"q": q}).content.decode()
        assert f'value="{q.replace("<", "&lt;").replace(">", "&gt;")}"' in page
