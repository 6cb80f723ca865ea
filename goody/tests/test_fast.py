"""The fast parser agrees with the lenient one, or leaves the order to it."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goody.tests.samples import order
from goody.types import Order
from goody.types.fast_parsing import parse_order_fast
from goody.types.parsing import BadOrder, parse_decoded_order
from goody.types.strict_json import BadJSON, loads_object

_CANONICAL = msgspec.json.encode(order())

NEARLY_RIGHT = [
    "2026-06-03T12:25:15Z",
    "2026-06-03T12:25:15",
    "2026-06-03T12:25:15.5Z",
    "2026-06-03T12:25:15+02:00",
    "2026-06-03 12:25:15Z",
    "2026-06-03t12:25:15z",
    "2026-06-03T12:25Z",
    "2026-06-03T24:00:00Z",
    "2026-06-03T23:59:60Z",
    "2026-06-03",
    "0b6f1c1e52f44a0e9d5b6c1c5a9a7e01",
    "0B6F1C1E-52F4-4A0E-9D5B-6C1C5A9A7E01",
    "{0b6f1c1e-52f4-4a0e-9d5b-6c1c5a9a7e01}",
    "1",
    "",
    1.0,
    -0.0,
    True,
    2**53,
    2**53 + 1,
    -(2**53) - 1,
    None,
]

ODD_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**53 - 2, max_value=2**53 + 2),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.sampled_from(NEARLY_RIGHT),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def _paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of every value in the sample order."""
    members = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(deeper for key, one in members for deeper in _paths(one, (*path, key)))][
        0 if path else 1 :
    ]


def _with(path: tuple[str | int, ...], value: object) -> dict[str, object]:
    """Return the sample order with one value replaced."""
    order = json.loads(_CANONICAL)
    place = order
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return order


def _leniently(raw: bytes) -> Order | None:
    try:
        return parse_decoded_order(loads_object(raw), raw=raw)
    except (BadJSON, BadOrder):
        return None


def test_a_documented_order_is_parsed_fast():
    assert parse_order_fast(_CANONICAL) == _leniently(_CANONICAL)
    assert parse_order_fast(_CANONICAL) is not None


@pytest.mark.parametrize("value", NEARLY_RIGHT, ids=repr)
def test_both_parsers_agree_on_nearly_valid_values(value):
    for path in _paths(json.loads(_CANONICAL)):
        raw = msgspec.json.encode(_with(path, value))
        plain = parse_order_fast(raw)
        assert plain is None or plain == _leniently(raw), path


@given(path=st.sampled_from(_paths(json.loads(_CANONICAL))), value=ODD_VALUES)
def test_both_parsers_agree_on_an_invalid_value(path, value):
    raw = msgspec.json.encode(_with(path, value))
    plain = parse_order_fast(raw)
    assert plain is None or plain == _leniently(raw)


@given(name=st.text(min_size=1, max_size=8), value=ODD_VALUES)
def test_both_parsers_agree_on_undocumented_fields(name, value):
    raw = msgspec.json.encode({**json.loads(_CANONICAL), name: value})
    plain = parse_order_fast(raw)
    assert plain is None or plain == _leniently(raw)


@pytest.mark.parametrize(
    "raw",
    [
        _CANONICAL.replace(b'{"id"', b'{"status":"created","id"', 1),
        _CANONICAL.replace(b'"cart":{', b'"cart":{"id":null,', 1),
        _CANONICAL.replace(b'"status"', b' "status"', 1),
        _CANONICAL[:-1] + b',"deep":' + b"[" * 40 + b"]" * 40 + b"}",
        _CANONICAL[:-1],
        _CANONICAL + b" ",
        b"null",
        b"",
        b"\xff",
    ],
    ids=["key twice", "key twice inside", "blank", "deep", "cut", "tail", "null", "empty", "bytes"],
)
def test_other_orders_are_left_to_the_lenient_parser(raw):
    assert parse_order_fast(raw) is None
