"""Pages with invalid rows or an invalid envelope."""

import json
import re
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goody.tests.samples import ORDER_ID, OTHER_ID, order
from goody.types import BadJSON, parse_order
from goody.types.page import parse_order_page

ROW = json.dumps(order(), separators=(",", ":")).encode()
LAST_ID = UUID("0b6f1c1e-52f4-4a0e-9d5b-6c1c5a9a7e03")
LAST = json.dumps(order(id=str(LAST_ID))).encode()


def page_with(*rows, meta=b'{"total_count":3}'):
    return b'{"data":[%b],"list_meta":%b}' % (b",".join(rows), meta)


def parse(raw):
    return parse_order_page(raw, page=1, per_page=50)


def row_with(value):
    """Return an order with an unknown field of this raw value before its id."""
    return b'{"new":%b,"id":"%b","status":"created"}' % (value, str(OTHER_ID).encode())


LONE_SURROGATES = {
    "high": rb"\ud800",
    "high before text": rb"a\uD800b",
    "low": rb"\udc00",
    "reversed pair": rb"\udc00\ud800",
    "high twice": rb"\ud83d\ud83d\ude00",
    "high before an escape": rb"\ud800\n",
    "high before a broken escape": rb"\ud800\u0041",
}


@pytest.mark.parametrize("case", LONE_SURROGATES)
def test_a_lone_surrogate_is_cleaned(case):
    odd = b'{"id":"%b","status":"created","message":"%b"}'
    odd %= (str(OTHER_ID).encode(), LONE_SURROGATES[case])
    found = parse(page_with(ROW, odd, LAST))
    assert [one.id for one in found.orders] == [ORDER_ID, OTHER_ID, LAST_ID]
    assert [one.problems for one in found.orders] == [(), ("message",), ()]
    assert "\ufffd" in found.orders[1].message
    found.orders[1].message.encode()
    assert (found.quarantined, found.total_count) == ((), 3)
    assert found.orders[1].raw == odd


def test_names_of_unknown_fields_are_cleaned():
    odd = rb'{"id":"%b","status":"created","a\ud800":1,"b\u0000c":2}' % str(OTHER_ID).encode()
    for found in (parse_order(odd), parse(page_with(ROW, odd)).orders[1]):
        assert found.unknown_fields == {"a\ufffd", "b\ufffdc"}
        assert found.raw == odd


NOT_JSON = {
    "NaN": (b"NaN", "not a JSON number"),
    "Infinity": (b"Infinity", "not a JSON number"),
    "-Infinity": (b"-Infinity", "not a JSON number"),
    "a raw control character": (b'"a\x01b"', "not JSON"),
    "a raw NUL": (b'"\x00"', "not JSON"),
    "a raw line end": (b'"a\nb"', "not JSON"),
    "a key twice": (b'{"a":1,"a":2}', "a key occurs twice in one object"),
    "deep": (b"[" * 40 + b"]" * 40, "nested too deeply"),
    "very deep": (b'{"a":[' * 100_000 + b"]}" * 100_000, "nested too deeply"),
    "a huge number": (b"9" * 5000, "a number is too long"),
    "not UTF-8": (b'"\xff"', "not UTF-8"),
    "not UTF-8 but for a quote": (b'"\xc3"', "not UTF-8"),
    "an unknown escape": (rb'"\q"', "not JSON"),
    "half an escape": (rb'"\u12"', "not JSON"),
    "nothing": (b"", "not JSON"),
    "a leading zero": (b"01", "not JSON"),
    "a comma too many": (b"[1,]", "not JSON"),
    "no value": (b'{"a"}', "not JSON"),
    "two values": (b"1 2", "not JSON"),
    "another language": (b"None", "not JSON"),
    "brackets that do not match": (b"[1}", "not JSON"),
}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("case", NOT_JSON)
def test_a_row_of_invalid_json_is_quarantined_with_its_id(case, place):
    value, reason = NOT_JSON[case]
    odd = row_with(value)
    rows = [ROW, LAST]
    rows.insert(place, odd)
    found = parse(page_with(*rows))
    assert [one.id for one in found.orders] == [ORDER_ID, LAST_ID]
    assert [one.raw for one in found.orders] == [ROW, LAST]
    assert [(q.reason, q.id, q.raw) for q in found.quarantined] == [(reason, OTHER_ID, odd[:2000])]
    assert found.total_count == 3


OTHER = str(OTHER_ID).encode()
NO_ID = {
    "two": b'{"id":"%b","id":"%b","x":NaN}' % (OTHER, OTHER),
    "one inside": b'{"a":{"id":"%b"},"x":NaN}' % OTHER,
    "one in a text": rb'{"a":"\"id\":\"%b\"","x":NaN}' % OTHER,
    "no UUID": b'{"id":"7","x":NaN}',
    "a number": b'{"id":7,"x":NaN}',
    "one and more": b'{"id":"%b" 1,"x":NaN}' % OTHER,
    "as a value": b'{"x":NaN,"id":["id","%b"]}' % OTHER,
    "no object": b'["id","%b",NaN]' % OTHER,
    "no brackets": b"NaN",
}


@pytest.mark.parametrize("case", NO_ID)
def test_an_ambiguous_id_is_none(case):
    found = parse(page_with(ROW, NO_ID[case], LAST))
    assert [one.id for one in found.orders] == [ORDER_ID, LAST_ID]
    assert [(q.id, q.raw) for q in found.quarantined] == [(None, NO_ID[case])]


ODD = row_with(b"NaN")
BROKEN_ENVELOPES = {
    "two lists": b'{"data":[%b],"data":[%b]}' % (ROW, ROW),
    "two lists, and an odd row": b'{"data":[%b],"data":[%b]}' % (ROW, ODD),
    "two lists, one empty, and a bad row": b'{"data":[{"id":1}],"data":[]}',
    "two lists, one escaped": rb'{"data":[%b],"d\u0061ta":[%b]}' % (ODD, ROW),
    "two totals and an odd row": page_with(ODD, meta=b'1,"list_meta":2'),
    "text after it": page_with(ROW, ODD) + b"x",
    "two pages": page_with(ROW, ODD) * 2,
    "text before it": b"x" + page_with(ROW, ODD),
    "NaN as the total": page_with(ROW, meta=b'{"total_count":NaN}'),
    "a raw control character": b'{"a":"\x01","data":[%b]}' % ROW,
    "not UTF-8": b'{"a\xff":1,"data":[%b]}' % ROW,
    "a comma at the end": b'{"data":[%b,]}' % ODD,
    "a comma too many": b'{"data":[%b,,%b]}' % (ODD, ROW),
    "commas alone": b'{"data":[,]}',
    "the wrong bracket": b'{"data":[%b}' % ODD + b"]",
    "a bracket too many": b'{"data":[%b]]}' % ODD,
    "no list": b'{"data":{"a":%b}}' % ODD,
    "no name": b"{[%b]}" % ODD,
    "a bare list": b"[%b]" % ODD,
    "deep beside the list": b'{"data":[%b],"x":%b}' % (ODD, b"[" * 40 + b"]" * 40),
}


@pytest.mark.parametrize("case", BROKEN_ENVELOPES)
def test_an_invalid_envelope_is_an_error(case):
    with pytest.raises(BadJSON) as caught:
        parse(BROKEN_ENVELOPES[case])
    assert not caught.value.is_truncated


@pytest.mark.parametrize("middle", [ROW, ODD], ids=["plain", "odd"])
def test_a_truncated_page_is_an_error_marked_as_truncated(middle):
    whole = page_with(b'{"id":"%b","status":"created"}' % OTHER, middle, LAST)
    for length in (*range(0, len(whole), 7), len(whole) - 1):
        with pytest.raises(BadJSON) as caught:
            parse(whole[:length])
        assert caught.value.is_truncated


@pytest.mark.parametrize(
    "raw",
    [
        b' { "list_meta" : {"total_count": 2, "data": []} , "data" : [ %b ,\n%b\t] } ' % (ROW, ODD),
        b'{"a":[{"data":[1]}],"data":[%b,%b],"list_meta":{"total_count":2},"b":"]"}' % (ROW, ODD),
    ],
    ids=["blanks and another order", "more in the envelope"],
)
def test_an_invalid_row_is_found_in_any_valid_envelope(raw):
    found = parse(raw)
    assert [one.raw for one in found.orders] == [ROW]
    assert [one.raw for one in found.quarantined] == [ODD]
    assert found.total_count == 2


@pytest.mark.parametrize("rows", [(), (ROW,), (ROW, LAST)], ids=len)
def test_a_valid_page_is_split_fast(rows, monkeypatch):
    monkeypatch.delattr("goody.types.page.split_rows")
    assert [one.raw for one in parse(page_with(*rows)).orders] == list(rows)


# Damage that neither opens nor closes a string or a bracket.
_TOKENS = [rb'"x"', b"NaN", b"-", b"0", b".", b":", b",", b"\x00", b"\x1f", b"\n", b"\xff", b"\xc3"]
_TOKENS += [b"{}", b"[]", b'{"id":1,"id":2}', b"[" * 50 + b"]" * 50, b"truefalse", b"e9"]
_ESCAPES = [
    rb"\ud800",
    rb"\udc00\ud800",
    rb"\u12",
    rb"\q",
    rb"\\",
    rb"\"",
    b"\x00",
    b"\xed\xa0\x80",
]


def _places(row):
    """Return the positions between two tokens, and those inside a string without escapes."""
    texts = [(one.start(), one.end()) for one in re.finditer(rb'"[^"\\]*"', row)]
    within = {place for start, end in texts for place in range(start + 1, end)}
    return sorted(set(range(1, len(row))) - within), sorted(within)


_BETWEEN, _WITHIN = _places(ROW)
damage = st.one_of(
    st.tuples(st.sampled_from(_BETWEEN), st.sampled_from(_TOKENS)),
    st.tuples(st.sampled_from(_WITHIN), st.sampled_from(_ESCAPES)),
    st.tuples(
        st.sampled_from(_BETWEEN + _WITHIN),
        st.binary(min_size=1, max_size=8).filter(lambda some: not set(some) & set(b'"\\[]{}')),
    ),
)


def _damaged(row, damages):
    for place, inserted in sorted(damages, reverse=True):
        row = row[:place] + inserted + row[place:]
    return row


@settings(deadline=None)
@given(damages=st.lists(damage, min_size=1, max_size=3), place=st.integers(0, 3))
def test_damage_to_one_row_does_not_affect_others(damages, place):
    rows = [ROW, LAST, row_with(b"1")]
    others = [parse_order(row) for row in rows]
    odd = _damaged(ROW, damages)
    rows.insert(place, odd)
    found = parse(page_with(*rows))
    assert [one for one in found.orders if one.raw != odd] == others
    if found.quarantined:
        assert [one.raw for one in found.quarantined] == [odd[:2000]]
        assert found.quarantined[0].id in (ORDER_ID, None)
    else:
        assert found.orders[place] == parse_order(odd)


@settings(deadline=None)
@given(st.binary(max_size=8) | st.text('"\\[]{},:1', max_size=8).map(str.encode), st.data())
def test_no_damage_loses_a_row_silently(inserted, data):
    place = data.draw(st.integers(0, len(ROW)))
    odd = ROW[:place] + inserted + ROW[place:]
    try:
        found = parse(page_with(odd, LAST))
    except BadJSON:
        return
    assert found.orders[-1].raw == LAST
    assert len(found.orders) + len(found.quarantined) >= 2
