"""Parsing of the activity feed."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goody.tests.samples import ACTIVITY_ID, ORDER_ID, OTHER_ID, activity, order, page_of
from goody.types import (
    ACTIVITY_STATUSES,
    BadJSON,
    Order,
    QuarantinedOrder,
    parse_order,
    parse_order_row,
)
from goody.types.activity import split_activity_page

OTHER_ACTIVITY = UUID("ac710000-0000-4000-8000-000000000002")
LAST = json.dumps(
    activity(id=str(OTHER_ACTIVITY), order_status="opened", order=order(id=str(OTHER_ID)))
).encode()
CREATED_AT = datetime(2031, 4, 1, 15, 2, 11, tzinfo=UTC)


def dump(value):
    return json.dumps(value, separators=(",", ":")).encode()


def page_with(*entries):
    return b'{"data":[%b],"list_meta":{"total_count":9}}' % b",".join(entries)


def cut(*entries):
    return split_activity_page(page_with(*entries))


def test_an_entry_has_the_bytes_of_its_order():
    text = dump(activity()["order"])
    entry = dump(activity()).replace(text, text.replace(b'"status":', b'"status" :\n '))
    (found,) = cut(entry).activities
    assert (found.id, found.order_status, found.created_at) == (ACTIVITY_ID, "created", CREATED_AT)
    assert found.order == text.replace(b'"status":', b'"status" :\n ')
    assert parse_order(found.order).status == "notified"


@pytest.mark.parametrize("status", [*ACTIVITY_STATUSES, "frozen", "x" * 64])
def test_known_and_unknown_statuses_are_kept(status):
    (found,) = cut(dump(activity(order_status=status))).activities
    assert found.order_status == status


def test_a_status_is_cleaned():
    (found,) = cut(dump(activity(order_status="a\u0000b\ud800"))).activities
    assert found.order_status == "a\ufffdb\ufffd"


@pytest.mark.parametrize(
    "text", ["2031-04-01T15:02:11+0000", "2031-04-01T17:02:11+02:00", "2031-04-01T15:02:11.000Z"]
)
def test_times_are_in_utc(text):
    (found,) = cut(dump(activity(created_at=text))).activities
    assert (found.created_at, found.created_at.tzinfo) == (CREATED_AT, UTC)


SOUND = {
    "another order of members": dump(dict(reversed(activity().items()))),
    "an unknown member": dump(activity(actor={"order": {"id": "7"}})),
    "blanks": b'{ "order" : %b , "id":"%b",\n"created_at":"%b", "order_status":"created" }'
    % (dump(activity()["order"]), str(ACTIVITY_ID).encode(), b"2031-04-01T15:02:11Z"),
    "half a surrogate in the order": dump(activity()).replace(b"Welcome aboard", rb"\ud800"),
    "half a surrogate beside it": dump(activity(note="\ud800")),
}


@pytest.mark.parametrize("case", SOUND)
def test_an_unusual_entry_is_an_activity(case):
    found = cut(SOUND[case], LAST)
    assert [one.id for one in found.activities] == [ACTIVITY_ID, OTHER_ACTIVITY]
    assert (found.quarantined, found.total_count) == ((), 9)
    first = found.activities[0]
    assert (first.order_status, first.created_at) == ("created", CREATED_AT)
    assert parse_order(first.order).id == ORDER_ID
    assert json.loads(first.order)["reference_id"] == "TESTREFERENCE00000000001"


def without(name):
    return {key: value for key, value in activity().items() if key != name}


# (entry, reason, the activity's id, the order's id)
ODD = {
    "no id": (without("id"), "no valid id", None, ORDER_ID),
    "an id that is none": (activity(id=7), "no valid id", None, ORDER_ID),
    "no status": (without("order_status"), "no valid order_status", ACTIVITY_ID, ORDER_ID),
    "an empty status": (
        activity(order_status=""),
        "no valid order_status",
        ACTIVITY_ID,
        ORDER_ID,
    ),
    "a long status": (
        activity(order_status="x" * 65),
        "no valid order_status",
        ACTIVITY_ID,
        ORDER_ID,
    ),
    "a status that is none": (
        activity(order_status=[]),
        "no valid order_status",
        ACTIVITY_ID,
        ORDER_ID,
    ),
    "no time": (without("created_at"), "no valid created_at", ACTIVITY_ID, ORDER_ID),
    "a time without a zone": (
        activity(created_at="2031-04-01T15:02:11"),
        "no valid created_at",
        ACTIVITY_ID,
        ORDER_ID,
    ),
    "a day": (activity(created_at="2031-04-01"), "no valid created_at", ACTIVITY_ID, ORDER_ID),
    "no order": (without("order"), "no order", ACTIVITY_ID, None),
    "no object": ([1], "not a JSON object", None, None),
    "null": (None, "not a JSON object", None, None),
}


@pytest.mark.parametrize("case", ODD)
def test_an_invalid_entry_is_quarantined_with_its_ids(case):
    entry, reason, activity_id, order_id = ODD[case]
    found = cut(dump(entry), LAST)
    assert [one.id for one in found.activities] == [OTHER_ACTIVITY]
    (odd,) = found.quarantined
    assert (odd.reason, odd.id, odd.order_id) == (reason, activity_id, order_id)
    assert odd.raw in dump(entry)


BROKEN = {
    "NaN in the order": (b'"Welcome aboard"', b"NaN", "not a JSON number"),
    "NaN beside it": (b'"created"', b"NaN", "not a JSON number"),
    "a key twice": (b'"order_status":', b'"order_status":1,"order_status":', "a key occurs twice"),
    "a raw control character": (b"Welcome", b"\x01", "not JSON"),
    "very deep": (b'"Welcome aboard"', b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_entry_of_invalid_json_is_quarantined_with_its_ids(case):
    old, new, reason = BROKEN[case]
    entry = dump(activity()).replace(old, new, 1)
    found = cut(LAST, entry)
    assert [one.id for one in found.activities] == [OTHER_ACTIVITY]
    (odd,) = found.quarantined
    assert reason in odd.reason
    assert (odd.id, odd.order_id) == (ACTIVITY_ID, ORDER_ID)
    assert len(odd.raw) == 2000 or odd.raw == entry


# Faults that splitting does not detect.
BROKEN_ORDERS = {
    "a key twice": (b'"status":', b'"status":1,"status":', "a key occurs twice"),
    "not UTF-8": (b"Welcome", b"\xff", "not UTF-8"),
    "deep": (b'"Welcome aboard"', b"[" * 40 + b"]" * 40, "nested too deeply"),
    "no status": (b'"status":', b'"state":', "no valid status"),
}


@pytest.mark.parametrize("case", BROKEN_ORDERS)
def test_an_invalid_order_is_quarantined_when_it_is_parsed(case):
    old, new, reason = BROKEN_ORDERS[case]
    found = cut(LAST, dump(activity()).replace(old, new, 1))
    assert [one.id for one in found.activities] == [OTHER_ACTIVITY, ACTIVITY_ID]
    odd = parse_order_row(found.activities[1].order)
    assert isinstance(odd, QuarantinedOrder)
    assert reason in odd.reason
    assert odd.id == ORDER_ID


def test_an_entry_with_two_orders_is_quarantined():
    entry = b'%b,"order":%b}' % (dump(activity())[:-1], dump(order(id=str(OTHER_ID))))
    (odd,) = cut(entry).quarantined
    assert (odd.reason, odd.id, odd.order_id) == (
        "a key occurs twice in one object",
        ACTIVITY_ID,
        None,
    )


@pytest.mark.parametrize("raw", [b"{}", b'{"data":null}', b'{"data":{}}', b"[]", b"", b"null"])
def test_a_page_needs_a_list(raw):
    with pytest.raises(BadJSON):
        split_activity_page(raw)


@pytest.mark.parametrize("meta", [{}, {"total_count": -1}, {"total_count": "2"}, [], None])
def test_an_invalid_total_is_none(meta):
    raw = dump(page_of(activity(), list_meta=meta))
    found = split_activity_page(raw)
    assert (len(found.activities), found.total_count) == (1, None)


def test_tracebacks_show_no_personal_data():
    shown = repr(cut(dump(activity()), dump(activity(id=1))))
    assert str(ACTIVITY_ID) in shown
    assert "priya" not in shown.lower()
    assert "okafor" not in shown.lower()


_ENTRY = dump(activity())


@settings(deadline=None)
@given(
    inserted=st.binary(min_size=1, max_size=6).filter(lambda some: not set(some) & set(b'"\\[]{}')),
    place=st.integers(1, len(_ENTRY) - 1),
)
def test_damage_to_one_entry_does_not_affect_others(inserted, place):
    odd = _ENTRY[:place] + inserted + _ENTRY[place:]
    found = cut(LAST, odd)
    assert found.activities[0] == cut(LAST).activities[0]
    assert len(found.activities) + len(found.quarantined) == 2
    results = [parse_order_row(one.order) for one in found.activities]
    assert isinstance(results[0], Order)
    assert all(isinstance(one, Order | QuarantinedOrder) for one in results)


@settings(deadline=None)
@given(st.permutations(list(activity().items())), st.booleans())
def test_fast_and_lenient_splitting_agree(members, is_spaced):
    entry = json.dumps(dict(members), separators=(", ", ": ") if is_spaced else (",", ":"))
    (found,) = cut(entry.encode()).activities
    (plain,) = cut(dump(activity())).activities
    assert (found.id, found.order_status, found.created_at) == (
        plain.id,
        plain.order_status,
        plain.created_at,
    )
    assert json.loads(found.order) == json.loads(plain.order)
