"""Pages of `GET /v1/orders`, and splitting of the pages of all lists into rows.

Invalid orders are quarantined.
"""

from uuid import UUID

import msgspec

from goody.types.order import MAX_INT, Order
from goody.types.parsing import BadOrder, parse_order
from goody.types.row_splitting import find_row_id, split_rows
from goody.types.strict_json import BadJSON, loads

QUARANTINE_BYTES = 2000


class QuarantinedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An invalid row. `raw` has at most 2,000 bytes of its JSON."""

    reason: str
    id: UUID | None
    raw: bytes

    def __repr__(self) -> str:
        """No personal data in tracebacks."""
        return f"QuarantinedOrder(reason={self.reason!r}, id={self.id})"


class RawPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page with unparsed rows. `total_count` as in OrderPage."""

    rows: tuple[bytes, ...]
    total_count: int | None

    def __repr__(self) -> str:
        """No personal data in tracebacks."""
        return f"RawPage({len(self.rows)} rows, total_count={self.total_count})"


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page. `total_count` is the number of orders in the window, None if it is invalid.

    `page` and `per_page` are those of the request.
    """

    orders: tuple[Order, ...]
    quarantined: tuple[QuarantinedOrder, ...]
    total_count: int | None
    page: int
    per_page: int


class _Envelope(msgspec.Struct):
    """Splits a page into the texts of its rows."""

    data: list[msgspec.Raw]
    list_meta: msgspec.Raw = msgspec.Raw(b"null")


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def parse_order_page(raw: bytes, *, page: int, per_page: int) -> OrderPage:
    """Return the orders of a page. Goody API: GET /v1/orders, envelope `data` and `list_meta`.

    Raises BadJSON if the envelope is invalid, so that a page is never empty by mistake.
    """
    found = split_page_into_rows(raw)
    results = [parse_order_row(text) for text in found.rows]
    return OrderPage(
        orders=tuple(result for result in results if isinstance(result, Order)),
        quarantined=tuple(result for result in results if isinstance(result, QuarantinedOrder)),
        total_count=found.total_count,
        page=page,
        per_page=per_page,
    )


def split_page_into_rows(raw: bytes) -> RawPage:
    """Return the unparsed rows of a page of any list, which may be invalid JSON.

    Raises BadJSON like parse_order_page().
    """
    texts, total_count = _split_fast(raw) or _split_leniently(raw)
    return RawPage(rows=tuple(texts), total_count=total_count)


def parse_order_row(text: bytes) -> Order | QuarantinedOrder:
    """Parse one row of a RawPage, or quarantine it."""
    try:
        return parse_order(text)
    except BadOrder as error:
        order_id = error.order_id or find_row_id(text)
        return QuarantinedOrder(reason=str(error), id=order_id, raw=text[:QUARANTINE_BYTES])


type _Split = tuple[list[bytes], int | None]


def _split_fast(raw: bytes) -> _Split | None:
    """Return the rows and the total of a page that is valid JSON with a documented envelope.

    None if _split_leniently() must decide; raises BadJSON if it would do so too.
    """
    try:
        envelope = _decode_envelope(raw)
    except msgspec.ValidationError:
        raise BadJSON("not a list of rows") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if "truncated" in str(error):
            raise BadJSON("not JSON", is_truncated=True) from None
        return None
    if not _is_documented(envelope, raw) and not _is_strict(raw):
        return None
    return [bytes(text) for text in envelope.data], _total_in(envelope.list_meta)


def _is_documented(envelope: _Envelope, raw: bytes) -> bool:
    """Whether the envelope has only the two documented keys, once each."""
    rows, meta = b",".join(envelope.data), bytes(envelope.list_meta)
    return raw == b'{"data":[%b],"list_meta":%b}' % (rows, meta)


def _is_strict(raw: bytes) -> bool:
    try:
        loads(raw)
    except BadJSON:
        return False
    return True


def _split_leniently(raw: bytes) -> _Split:
    texts, envelope = split_rows(raw)
    return texts, _total_count(envelope.get("list_meta"))


def _total_in(list_meta: msgspec.Raw) -> int | None:
    try:
        return _total_count(loads(bytes(list_meta)))
    except BadJSON:
        return None


def _total_count(list_meta: object) -> int | None:
    count = list_meta.get("total_count") if isinstance(list_meta, dict) else None
    return count if type(count) is int and 0 <= count <= MAX_INT else None
