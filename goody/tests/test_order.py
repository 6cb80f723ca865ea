"""Parsing of orders: all fields, and invalid values."""

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goody.tests.samples import ORDER_ID, OTHER_ID, make_client, order, page_of
from goody.types import BadOrder, Order, QuarantinedOrder, parse_order
from goody.types.parsing import MAX_TEXT, TRUNCATION_MARK
from testing.faulty_server import FaultyServer, answer


def read(**changes):
    return parse_order(json.dumps(order(**changes)).encode())


def plain(value):
    """Return a struct as JSON values."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [plain(member) for member in value]
    if isinstance(value, datetime):
        assert value.tzinfo is UTC
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, UUID) else value


def test_every_documented_field_is_parsed():
    found = plain(read())
    own = {name: found.pop(name) for name in ("raw", "problems", "unknown_fields")}
    assert found == order()
    assert (own["problems"], own["unknown_fields"]) == ([], frozenset())


FIELDS = [name for name in order() if name not in ("id", "status")]
LISTS = ("cart_selections", "shipments")


@pytest.mark.parametrize("name", FIELDS)
def test_null_and_absent_are_equal(name):
    without = order()
    del without[name]
    absent = parse_order(json.dumps(without).encode())
    null = read(**{name: None})
    assert getattr(null, name) == getattr(absent, name) == (() if name in LISTS else None)
    assert (null.problems, absent.problems) == ((), ())


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("odd", [1.5, {"a": []}, [[]], 2**60, True, "\x00", "x", ""], ids=repr)
def test_a_field_of_a_wrong_type_is_none_and_a_problem(name, odd):
    found, whole = read(**{name: odd}), read()
    for other in FIELDS:
        if other != name:
            assert getattr(found, other) == getattr(whole, other)
    if found.problems:
        assert {re.split(r"\.", problem)[0] for problem in found.problems} == {name}
    else:
        assert plain(getattr(found, name)) in (odd, EMPTY_OF.get(name))


# An object without any known key is a struct whose fields are all None.
EMPTY_OF = {
    "cart": {"id": None, "items": []},
    "original_cart": {"id": None, "items": []},
    "amounts": dict.fromkeys(order()["amounts"]),
    "original_amounts": dict.fromkeys(order()["original_amounts"]),
    "sender": dict.fromkeys(order()["sender"]),
    "event_times": dict.fromkeys(order()["event_times"]),
}


def test_problems_have_dotted_names():
    cart = order()["cart"]
    cart["items"][1]["product"]["brand"]["id"] = "no id"
    cart["items"].append("odd")
    shipment = order()["shipments"][0] | {"shipped_at": "yesterday"}
    selection = order()["cart_selections"][0] | {"variants": ["Green", 7]}
    found = read(
        cart=cart,
        shipments=[7, shipment],
        cart_selections=[selection],
        amounts=order()["amounts"] | {"amount_tax": "150"},
    )
    assert set(found.problems) == {
        "cart.items.1.product.brand.id",
        "cart.items.2",
        "shipments.0",
        "shipments.1.shipped_at",
        "cart_selections.0.variants.1",
        "amounts.amount_tax",
    }
    assert [item.quantity for item in found.cart.items] == [1, 2]
    assert found.cart.items[1].product.brand.name == "Leaf Lane"
    assert [(parcel.status, parcel.shipped_at) for parcel in found.shipments] == [("shipped", None)]
    assert found.cart_selections[0].variants == ("Green",)
    assert (found.amounts.amount_tax, found.amounts.amount_product) == (None, 3200)


def test_the_number_of_problems_is_bounded():
    found = read(shipments=[7] * 10_000)
    assert (found.shipments, len(found.problems)) == ((), 100)


@pytest.mark.parametrize("status", ["quantum", "Created", "ordered", "x" * 64])
def test_an_unknown_status_is_kept(status):
    assert (read(status=status).status, read(status=status).problems) == (status, ())


def test_unknown_fields_are_named():
    found = read(new_field={"deep": [1]}, refunded_at=None)
    assert found.unknown_fields == {"new_field", "refunded_at"}
    assert found.problems == ()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2031-05-01T06:59:59Z", datetime(2031, 5, 1, 6, 59, 59, tzinfo=UTC)),
        ("2031-05-01T06:59:59+0000", datetime(2031, 5, 1, 6, 59, 59, tzinfo=UTC)),
        ("2031-05-01T06:59:59+00:00", datetime(2031, 5, 1, 6, 59, 59, tzinfo=UTC)),
        ("2031-05-01T06:59:59.25Z", datetime(2031, 5, 1, 6, 59, 59, 250_000, tzinfo=UTC)),
        ("2031-05-01T06:59:59.123456789Z", datetime(2031, 5, 1, 6, 59, 59, 123_456, tzinfo=UTC)),
        ("2031-05-01T06:59:59-07:00", datetime(2031, 5, 1, 13, 59, 59, tzinfo=UTC)),
        ("2031-05-01 06:59:59z", datetime(2031, 5, 1, 6, 59, 59, tzinfo=UTC)),
    ],
)
def test_times_in_every_format_are_in_utc(text, moment):
    found = read(expires_at=text)
    assert (found.expires_at, found.expires_at.tzinfo, found.problems) == (moment, UTC, ())


@pytest.mark.parametrize(
    "text",
    [
        "2031-05-01T06:59:59",
        "2031-05-01",
        "2031-13-01T00:00:00Z",
        "2031-05-01T24:59:00Z",
        "2031-W01-1T00:00:00Z",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
        "٢٠٣١-05-01T06:59:59Z",
        "",
        1935385199,
    ],
)
def test_an_invalid_time_is_a_problem(text):
    found = read(expires_at=text)
    assert (found.expires_at, found.problems) == (None, ("expires_at",))


@pytest.mark.parametrize(
    ("text", "cleaned", "problems"),
    [
        ("a\x00b", "a\ufffdb", ("message",)),
        ("a\x1b[2Jb\x07", "a\ufffd[2Jb\ufffd", ("message",)),
        ("a\ud800b", "a\ufffdb", ("message",)),
        ("tab\tnew\nline", "tab\tnew\nline", ()),
        ("from\r\nWindows", "from\nWindows", ()),
        ("x" * MAX_TEXT, "x" * MAX_TEXT, ()),
        ("x" * 1_000_000, "x" * MAX_TEXT + TRUNCATION_MARK, ("message",)),
        ("小龍 🎁 e\u0301 \u202e", "小龍 🎁 e\u0301 \u202e", ()),
    ],
    ids=["NUL", "escape", "surrogate", "tab", "CRLF", "longest", "a megabyte", "scripts"],
)
def test_text_is_cleaned_and_marked(text, cleaned, problems):
    found = read(message=text)
    assert (found.message, found.problems) == (cleaned, problems)
    found.message.encode()


@pytest.mark.parametrize(
    ("number", "kept"), [(2**53, 2**53), (-(2**53), -(2**53)), (2**53 + 1, None), (10**300, None)]
)
def test_inexact_integers_are_a_problem(number, kept):
    found = read(view_count_recipient=number)
    assert found.view_count_recipient == kept
    assert found.problems == (() if kept is not None else ("view_count_recipient",))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": "not-a-uuid"},
        {"id": "{0b6f1c1e-52f4-4a0e-9d5b-6c1c5a9a7e01}"},
        {"id": 7},
        {"status": None},
        {"status": ""},
        {"status": 7},
        {"status": "x" * 65},
    ],
    ids=str,
)
def test_an_order_needs_id_and_status(changes):
    with pytest.raises(BadOrder):
        read(**changes)


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b'{"id": 1, "id": 2}', b"\xff", b"NaN"])
def test_an_order_is_an_object(raw):
    with pytest.raises(BadOrder):
        parse_order(raw)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20)
    | st.sampled_from([str(ORDER_ID), "created", "2031-05-01T06:59:59Z"]),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(st.sampled_from([*order(), *order()["amounts"], "items"]), children)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*order(), "new"]), json_values))
def test_bad_order_is_the_only_exception(changes):
    raw = json.dumps({"id": str(ORDER_ID), "status": "created", **changes}).encode()
    try:
        found = parse_order(raw)
    except BadOrder:
        return
    assert isinstance(found, Order)
    assert found.raw == raw
    assert parse_order(found.raw) == found


@settings(deadline=None)
@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_an_order_or_bad_order(raw):
    with suppress(BadOrder):
        assert parse_order(raw).raw == raw


def test_an_invalid_row_does_not_affect_others():
    rows = [order(), {"id": str(OTHER_ID)}, "odd", None, order(id=str(OTHER_ID), message=7)]
    with FaultyServer(answer(200, page_of(*rows))) as server:
        page = make_client(server.url).list_orders()
    assert [(found.id, found.problems) for found in page.orders] == [
        (ORDER_ID, ()),
        (OTHER_ID, ("message",)),
    ]
    assert [parse_order(found.raw) for found in page.orders] == list(page.orders)
    assert page.quarantined == (
        QuarantinedOrder(
            reason="no valid status", id=OTHER_ID, raw=json.dumps({"id": str(OTHER_ID)}).encode()
        ),
        QuarantinedOrder(reason="not a JSON object", id=None, raw=b'"odd"'),
        QuarantinedOrder(reason="not a JSON object", id=None, raw=b"null"),
    )


@pytest.mark.parametrize(
    "odd",
    [
        b'{"id": 1, "id": 2}',
        b'{"a": ' * 40 + b"1" + b"}" * 40,
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\xff"}',
    ],
    ids=["duplicate key", "deep", "huge integer", "not UTF-8"],
)
def test_a_row_that_is_not_strict_json_is_quarantined(odd):
    body = b'{"data": [%b, %b], "list_meta": {"total_count": 2}}'
    with FaultyServer(answer(200, body % (json.dumps(order()).encode(), odd))) as server:
        page = make_client(server.url).list_orders()
    assert [found.id for found in page.orders] == [ORDER_ID]
    assert [found.raw for found in page.quarantined] == [odd[:2000]]
    assert page.total_count == 2


@pytest.mark.parametrize(
    ("meta", "count"),
    [
        ({"total_count": 0}, 0),
        ({"total_count": 7}, 7),
        ({"total_count": -1}, None),
        ({"total_count": "7"}, None),
        ({"total_count": True}, None),
        ({"total_count": 1e3}, None),
        ({"total_count": 2**60}, None),
        ({"total_count": None}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
    ids=str,
)
def test_an_invalid_total_is_none(meta, count):
    with FaultyServer(answer(200, page_of(order(), list_meta=meta))) as server:
        page = make_client(server.url).list_orders()
    assert (page.total_count, len(page.orders)) == (count, 1)


def test_reprs_have_no_personal_data():
    found = read()
    shown = f"{found!r} {found.sender!r} {[found]}"
    for name in ("Priya", "Nair", "priya@", "Okafor", "lee@", "Welcome", "gifts.example"):
        assert name not in shown
    assert repr(found) == f"Order(id={ORDER_ID}, status='notified')"
