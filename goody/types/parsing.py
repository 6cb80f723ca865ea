"""Lenient parsing of orders.

An invalid field becomes None and is named in `problems`. Control characters, which databases reject
and terminals interpret, are removed from text. Only an order without a valid id or status is
rejected (BadOrder).
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from goody.types import order as shapes
from goody.types.fast_parsing import parse_order_fast
from goody.types.order import MAX_INT, MAX_STATUS, Order
from goody.types.strict_json import BadJSON, loads_object

MAX_TEXT = 20_000
MAX_PROBLEMS = 100
TRUNCATION_MARK = " [... cut]"

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:?\d\d)", re.ASCII
)
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff]")
_LINE_END = re.compile("\r\n?")


class BadOrder(ValueError):
    """Not an order: no valid id or status, or not a JSON object.

    `order_id` is the id if it is valid. The message contains no vendor data.
    """

    def __init__(self, reason: str, *, order_id: UUID | None = None) -> None:
        super().__init__(reason)
        self.order_id = order_id


class _Invalid(Exception):
    """A value is not as documented; `replacement` is used in its place."""

    def __init__(self, replacement: str | None = None) -> None:
        super().__init__()
        self.replacement = replacement


def parse_order(raw: bytes) -> Order:
    """Parse the JSON of an order. Goody API: Order.

    Raises BadOrder only if it is not a JSON object or has no valid id or status.
    """
    return parse_order_fast(raw) or _parse_leniently(raw)


def _parse_leniently(raw: bytes) -> Order:
    try:
        source = loads_object(raw)
    except BadJSON as error:
        raise BadOrder(str(error)) from None
    return parse_decoded_order(source, raw=raw)


def parse_decoded_order(source: object, *, raw: bytes) -> Order:
    """Parse a decoded value like parse_order(); `raw` is its JSON."""
    if not isinstance(source, dict):
        raise BadOrder("not a JSON object")
    problems: list[str] = []
    order_id = parse_order_id(source)
    status = _parse_status(source, order_id, problems)
    values = _ORDER.parse_fields(source, "", problems)
    return Order(
        id=order_id,
        status=status,
        raw=raw,
        problems=tuple(problems[:MAX_PROBLEMS]),
        unknown_fields=frozenset(map(replace_control_characters, source.keys() - _KNOWN)),
        **values,
    )


def parse_order_id(source: Mapping[str, Any]) -> UUID:
    """Return the id of an order. Raises BadOrder."""
    try:
        return _uuid(source.get("id"))
    except _Invalid:
        raise BadOrder("no valid id") from None


def _parse_status(source: Mapping[str, Any], order_id: UUID, problems: list[str]) -> str:
    status = source.get("status")
    if not isinstance(status, str) or not 0 < len(status) <= MAX_STATUS:
        raise BadOrder("no valid status", order_id=order_id)
    cleaned = replace_control_characters(status)
    if cleaned != status:
        problems.append("status")
    return cleaned


def replace_control_characters(text: str) -> str:
    """The text with line ends as \\n and U+FFFD for control characters and lone surrogates.

    Text over 20,000 characters is truncated and marked.
    """
    text = _UNSAFE.sub("\ufffd", _LINE_END.sub("\n", text))
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + TRUNCATION_MARK


# Parsers of single values; they raise _Invalid.


def _uuid(value: object) -> UUID:
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise _Invalid


def clean_text(value: object) -> str:
    """Return the string without control characters, with \n as line ends.

    Raises _Invalid, which carries the cleaned string, if anything but line ends changed.
    """
    if not isinstance(value, str):
        raise _Invalid
    if len(value) <= MAX_TEXT and not _UNSAFE.search(value):
        return value
    cleaned = replace_control_characters(value)
    if cleaned == value.replace("\r\n", "\n"):
        return cleaned
    raise _Invalid(cleaned)


def parse_text(value: object) -> str | None:
    """Return a cleaned string; None for other values."""
    try:
        return clean_text(value)
    except _Invalid as odd:
        return odd.replacement


def parse_time(value: object) -> datetime | None:
    """Return a datetime in UTC; None for other values."""
    try:
        return _time(value)
    except _Invalid:
        return None


def _integer(value: object) -> int:
    if type(value) is int and -MAX_INT <= value <= MAX_INT:
        return value
    raise _Invalid


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _Invalid


def _time(value: object) -> datetime:
    """Return a datetime in UTC.

    The text ends with Z, +0000 or +00:00, and may have fractions of a second.
    """
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise _Invalid
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Invalid from None


type _Scalar = Callable[[Any], Any]
type _Nested = Callable[[Any, str, list[str]], Any]


class _StructParser:
    """Parses a struct. `scalars` and `nested` are the parsers of its fields, by name."""

    def __init__(
        self,
        struct: type[msgspec.Struct],
        scalars: Mapping[str, _Scalar],
        nested: Mapping[str, _Nested] | None = None,
    ) -> None:
        self.struct = struct
        self.scalars = tuple(scalars.items())
        self.nested = tuple((nested or {}).items())

    def __call__(self, value: object, where: str, problems: list[str]) -> Any:
        if isinstance(value, dict):
            return self.struct(**self.parse_fields(value, f"{where}.", problems))
        problems.append(where)
        return None

    def parse_fields(
        self, source: Mapping[str, Any], prefix: str, problems: list[str]
    ) -> dict[str, Any]:
        """Return the values of the known fields.

        The names of invalid fields are added to `problems`, each after `prefix`.
        """
        found: dict[str, Any] = {}
        for name, read in self.scalars:
            value = source.get(name)
            if value is not None:
                try:
                    found[name] = read(value)
                except _Invalid as odd:
                    problems.append(prefix + name)
                    found[name] = odd.replacement
        for name, read_nested in self.nested:
            value = source.get(name)
            if value is not None:
                part = read_nested(value, prefix + name, problems)
                if part is not None:
                    found[name] = part
        return found


def _list_of(read: _Nested) -> _Nested:
    """Return the parser of a list. Invalid members are left out and named in `problems`."""

    def read_list(value: object, where: str, problems: list[str]) -> tuple[Any, ...]:
        if not isinstance(value, list):
            problems.append(where)
            return ()
        members = (read(member, f"{where}.{i}", problems) for i, member in enumerate(value))
        return tuple(member for member in members if member is not None)

    return read_list


def _member(read: _Scalar) -> _Nested:
    """Return the parser of a list member that is a single value."""

    def read_member(value: object, where: str, problems: list[str]) -> Any:
        try:
            return read(value)
        except _Invalid as odd:
            problems.append(where)
            return odd.replacement

    return read_member


def _fields(read: _Scalar, names: tuple[str, ...]) -> dict[str, _Scalar]:
    return dict.fromkeys(names, read)


_BRAND = _StructParser(shapes.Brand, {"id": _uuid, "name": clean_text})
_PRODUCT = _StructParser(shapes.Product, {"id": _uuid, "name": clean_text}, {"brand": _BRAND})
_ITEM = _StructParser(shapes.CartItem, {"id": _uuid, "quantity": _integer}, {"product": _PRODUCT})
_CART = _StructParser(shapes.Cart, {"id": _uuid}, {"items": _list_of(_ITEM)})
_SELECTION = _StructParser(
    shapes.CartSelection,
    {"id": _uuid, "cart_item_id": _uuid, "quantity_index": _integer},
    {"variants": _list_of(_member(clean_text))},
)
_SHIPMENT = _StructParser(
    shapes.Shipment,
    {
        "id": _uuid,
        **_fields(clean_text, ("status", "brand_name")),
        **_fields(clean_text, ("tracking_carrier", "tracking_number", "tracking_url")),
        **_fields(_time, ("shipped_at", "delivered_at", "delivery_eta")),
    },
)
_AMOUNTS = _StructParser(shapes.Amounts, _fields(_integer, shapes.Amounts.__struct_fields__))
_ORIGINAL = _StructParser(
    shapes.OriginalAmounts, _fields(_integer, shapes.OriginalAmounts.__struct_fields__)
)
_SENDER = _StructParser(shapes.Sender, _fields(clean_text, shapes.Sender.__struct_fields__))
_TIMES = _StructParser(shapes.EventTimes, _fields(_time, shapes.EventTimes.__struct_fields__))
_ORDER = _StructParser(
    Order,
    {
        **_fields(clean_text, ("reference_id", "individual_gift_link", "workspace_name")),
        **_fields(clean_text, ("recipient_first_name", "recipient_last_name", "recipient_email")),
        **_fields(clean_text, ("message", "thank_you_note", "payment_link")),
        **_fields(_uuid, ("workspace_id", "order_batch_id", "card_id")),
        "is_swapped": _boolean,
        "view_count_recipient": _integer,
        "expires_at": _time,
    },
    {
        "cart": _CART,
        "cart_selections": _list_of(_SELECTION),
        "shipments": _list_of(_SHIPMENT),
        "amounts": _AMOUNTS,
        "original_cart": _CART,
        "original_amounts": _ORIGINAL,
        "sender": _SENDER,
        "event_times": _TIMES,
    },
)
_KNOWN = frozenset(
    {"id", "status"} | {name for name, _ in _ORDER.scalars} | {name for name, _ in _ORDER.nested}
)
