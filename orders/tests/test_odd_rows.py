"""/orders/ if one row of Goody's page is not JSON, or contains invalid characters."""

from __future__ import annotations

import html
import re
from typing import Any
from uuid import UUID

import pytest

from orders.models import Anomaly, Order
from testing.vendor import Emulator

URL = "/orders/"

pytestmark = pytest.mark.django_db


def spoil(emulator: Emulator, *, row: int, message: str) -> None:
    """Replace one row's message, with its quotes, by this text."""
    emulator.add_fault(
        {"kind": "mutate", "row": row, "set": {"message": "MARK"}, "replace": [['"MARK"', message]]}
    )


def shown(client: Any) -> tuple[str, list[str]]:
    response = client.get(URL)
    assert response.status_code == 200
    page = html.unescape(response.content.decode())
    return page, re.findall(r'<tr id="order-([0-9a-f-]{36})"', page)


NOT_JSON = {
    "NaN": "NaN",
    "a raw control character": '"a\x01b"',
    "a key twice": '{"a":1,"a":2}',
    "nested without end": "[" * 100_000 + "]" * 100_000,
    "no value": "",
}


@pytest.mark.parametrize("case", NOT_JSON)
def test_row_of_invalid_json_is_counted_and_does_not_affect_others(
    case: str, emulator: Emulator, as_role: Any
) -> None:
    client = as_role("agent")
    _, ids = shown(client)
    Order.objects.all().delete()
    spoil(emulator, row=3, message=NOT_JSON[case])
    page, left = shown(client)
    assert "1 order could not be read" in page
    assert left == ids[:3] + ids[4:]
    assert set(Order.objects.values_list("uuid", flat=True)) == set(map(UUID, left))
    noted = Anomaly.objects.get(kind=Anomaly.Kind.QUARANTINED)
    assert (noted.key, noted.count) == (ids[3], 1)


def test_lone_surrogate_does_not_affect_rows(emulator: Emulator, as_role: Any) -> None:
    client = as_role("agent")
    _, ids = shown(client)
    spoil(emulator, row=3, message=r'"a\udc00\ud800b"')
    page, left = shown(client)
    assert left == ids
    assert "could not be read" not in page
    noted = Anomaly.objects.values_list("kind", "key")
    assert list(noted) == [(Anomaly.Kind.BAD_FIELD, f"{ids[3]} message")]


def test_an_envelope_with_two_lists_is_an_error_and_never_a_list(
    emulator: Emulator, as_role: Any
) -> None:
    emulator.add_fault({"kind": "mutate", "replace": [['"list_meta":', '"data":[],"list_meta":']]})
    response = as_role("agent").get(URL)
    page = html.unescape(response.content.decode())
    assert '<tr id="order-' not in page
    assert "There are no orders yet" not in page
    assert not Order.objects.exists()
