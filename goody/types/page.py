"""One page of `GET /v1/orders`.

An order that cannot be read is set aside and the others stay. Walking the pages is not done here.
"""

import json
from uuid import UUID

import msgspec

from goody.types.order import MAX_INT, Order
from goody.types.reading import BadOrder, parse_order
from goody.types.strict import BadJSON, loads_object

QUARANTINE_BYTES = 2000


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is no order. `raw` is its JSON, at most 2,000 bytes of it."""

    reason: str
    id: UUID | None
    raw: bytes


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    """What one page held. `total_count` is Goody's number of all orders in the window.

    It is None when it was missing or made no sense. `page` and `per_page` are what was asked for.
    """

    orders: tuple[Order, ...]
    quarantined: tuple[Quarantined, ...]
    total_count: int | None
    page: int
    per_page: int


class _Envelope(msgspec.Struct):
    """Cuts a page into its rows' texts without understanding them."""

    data: list[msgspec.Raw]
    list_meta: msgspec.Raw = msgspec.Raw(b"null")


def parse_page(raw: bytes, *, page: int, per_page: int) -> OrderPage:
    """The orders of a list answer. Goody API: GET /v1/orders, envelope `data` and `list_meta`.

    Raises BadJSON when the envelope itself is unusable: a page is never empty by mistake.
    """
    envelope = _cut(raw)
    results = [_read(bytes(text)) for text in envelope.data]
    # Where no row is to blame for JSON that is not as strict as we want it, the envelope is.
    if not _is_plain(envelope, raw) and all(isinstance(result, Order) for result in results):
        loads_object(raw)
    return OrderPage(
        orders=tuple(result for result in results if isinstance(result, Order)),
        quarantined=tuple(result for result in results if isinstance(result, Quarantined)),
        total_count=_total_count(envelope.list_meta),
        page=page,
        per_page=per_page,
    )


def _cut(raw: bytes) -> _Envelope:
    try:
        return msgspec.json.decode(raw, type=_Envelope)
    except msgspec.ValidationError:
        raise BadJSON("not a list of orders") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if "truncated" in str(error):
            raise BadJSON("not JSON", is_cut=True) from None
        return _cut_slowly(raw)
    except RecursionError:
        raise BadJSON("nested too deeply") from None


def _cut_slowly(raw: bytes) -> _Envelope:
    """The same by the parser of single orders.

    msgspec refuses a text for half a surrogate pair in it, which must cost no other row.
    """
    value = loads_object(raw)
    rows = value.get("data")
    if not isinstance(rows, list):
        raise BadJSON("not a list of orders")
    return _Envelope(data=[_raw(row) for row in rows], list_meta=_raw(value.get("list_meta")))


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(value).encode())


def _is_plain(envelope: _Envelope, raw: bytes) -> bool:
    """Is there nothing in the envelope but the two documented keys, once each?"""
    rows, meta = b",".join(envelope.data), bytes(envelope.list_meta)
    return raw == b'{"data":[%b],"list_meta":%b}' % (rows, meta)


def _read(text: bytes) -> Order | Quarantined:
    try:
        return parse_order(text)
    except BadOrder as error:
        return _quarantine(error, text)


def _quarantine(error: BadOrder, text: bytes) -> Quarantined:
    return Quarantined(reason=str(error), id=error.order_id, raw=text[:QUARANTINE_BYTES])


def _total_count(list_meta: msgspec.Raw) -> int | None:
    try:
        count = loads_object(bytes(list_meta)).get("total_count")
    except BadJSON:
        return None
    return count if type(count) is int and 0 <= count <= MAX_INT else None
