"""One page of `GET /v1/orders`, and how the pages of any of Goody's lists are cut into rows.

An order that cannot be read is set aside and the others stay. Walking the pages is not done here.
"""

from uuid import UUID

import msgspec

from goody.types.cutting import cut_page, find_id
from goody.types.order import MAX_INT, Order
from goody.types.reading import BadOrder, parse_order
from goody.types.strict import BadJSON, loads

QUARANTINE_BYTES = 2000


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is no order. `raw` is its JSON, at most 2,000 bytes of it."""

    reason: str
    id: UUID | None
    raw: bytes

    def __repr__(self) -> str:
        """No personal data in tracebacks."""
        return f"Quarantined(reason={self.reason!r}, id={self.id})"


class RawPage(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one page as the bytes Goody sent, not yet read. `total_count` as in OrderPage."""

    rows: tuple[bytes, ...]
    total_count: int | None

    def __repr__(self) -> str:
        """No personal data in tracebacks."""
        return f"RawPage({len(self.rows)} rows, total_count={self.total_count})"


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


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def parse_page(raw: bytes, *, page: int, per_page: int) -> OrderPage:
    """The orders of a list answer. Goody API: GET /v1/orders, envelope `data` and `list_meta`.

    Raises BadJSON when the envelope itself is unusable: a page is never empty by mistake.
    """
    found = cut_page_rows(raw)
    results = [parse_row(text) for text in found.rows]
    return OrderPage(
        orders=tuple(result for result in results if isinstance(result, Order)),
        quarantined=tuple(result for result in results if isinstance(result, Quarantined)),
        total_count=found.total_count,
        page=page,
        per_page=per_page,
    )


def cut_page_rows(raw: bytes) -> RawPage:
    """The rows of a list answer, whatever they are: envelope `data` and `list_meta`.

    For those who compare a row's bytes with what they know before reading it. A row is not even
    known to be JSON. Raises BadJSON as parse_page.
    """
    texts, total_count = _cut_quickly(raw) or _cut_patiently(raw)
    return RawPage(rows=tuple(texts), total_count=total_count)


def parse_row(text: bytes) -> Order | Quarantined:
    """The order in one row of a RawPage, or the row set aside."""
    try:
        return parse_order(text)
    except BadOrder as error:
        order_id = error.order_id or find_id(text)
        return Quarantined(reason=str(error), id=order_id, raw=text[:QUARANTINE_BYTES])


type _Cut = tuple[list[bytes], int | None]


def _cut_quickly(raw: bytes) -> _Cut | None:
    """The rows and the total of a page whose envelope is sound as the parser sees it.

    None where that is in doubt; BadJSON where looking closer would find nothing better.
    """
    try:
        envelope = _decode_envelope(raw)
    except msgspec.ValidationError:
        raise BadJSON("not a list of rows") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if "truncated" in str(error):
            raise BadJSON("not JSON", is_cut=True) from None
        return None
    if not _is_plain(envelope, raw) and not _is_strict(raw):
        return None
    return [bytes(text) for text in envelope.data], _total_in(envelope.list_meta)


def _is_plain(envelope: _Envelope, raw: bytes) -> bool:
    """Is there nothing in the envelope but the two documented keys, once each?"""
    rows, meta = b",".join(envelope.data), bytes(envelope.list_meta)
    return raw == b'{"data":[%b],"list_meta":%b}' % (rows, meta)


def _is_strict(raw: bytes) -> bool:
    try:
        loads(raw)
    except BadJSON:
        return False
    return True


def _cut_patiently(raw: bytes) -> _Cut:
    texts, envelope = cut_page(raw)
    return texts, _total_count(envelope.get("list_meta"))


def _total_in(list_meta: msgspec.Raw) -> int | None:
    try:
        return _total_count(loads(bytes(list_meta)))
    except BadJSON:
        return None


def _total_count(list_meta: object) -> int | None:
    count = list_meta.get("total_count") if isinstance(list_meta, dict) else None
    return count if type(count) is int and 0 <= count <= MAX_INT else None
