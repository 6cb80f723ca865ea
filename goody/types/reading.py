"""From parsed JSON to the shapes of order.py, keeping all that can be kept.

One odd field costs that field, never the order: it becomes None and its name is reported. Text is
cleaned of what databases refuse and terminals obey. Only an order without a usable id or status
is given up (BadOrder).
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from goody.types import order as shapes
from goody.types.order import MAX_INT, MAX_STATUS, Order
from goody.types.plain import read_plainly
from goody.types.strict import BadJSON, loads_object

MAX_TEXT = 20_000
MAX_PROBLEMS = 100
CUT_MARK = " [... cut]"

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:?\d\d)", re.ASCII
)
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff]")
_LINE_END = re.compile("\r\n?")


class BadOrder(ValueError):
    """Not an order: no usable id or status, or no JSON object at all.

    `order_id` is the id, when at least that was usable. The text carries no vendor data.
    """

    def __init__(self, reason: str, *, order_id: UUID | None = None) -> None:
        super().__init__(reason)
        self.order_id = order_id


class _Odd(Exception):
    """A value is not what is documented; `instead` is what may be kept of it."""

    def __init__(self, instead: str | None = None) -> None:
        super().__init__()
        self.instead = instead


def parse_order(raw: bytes) -> Order:
    """The order in one JSON object, as Goody sends it or as `Order.raw` kept it.

    Raises BadOrder only when there is no JSON object or its id or status is unusable. Goody API:
    the Order schema of GET /v1/orders/{id}.
    """
    return read_plainly(raw) or _read_forgivingly(raw)


def _read_forgivingly(raw: bytes) -> Order:
    try:
        source = loads_object(raw)
    except BadJSON as error:
        raise BadOrder(str(error)) from None
    return order_from(source, raw=raw)


def order_from(source: object, *, raw: bytes) -> Order:
    """As parse_order, for a value that is parsed already; `raw` is its JSON text."""
    if not isinstance(source, dict):
        raise BadOrder("not a JSON object")
    problems: list[str] = []
    order_id = usable_id(source)
    status = _usable_status(source, order_id, problems)
    values = _ORDER.values(source, "", problems)
    return Order(
        id=order_id,
        status=status,
        raw=raw,
        problems=tuple(problems[:MAX_PROBLEMS]),
        unknown_fields=frozenset(map(clean, source.keys() - _KNOWN)),
        **values,
    )


def usable_id(source: Mapping[str, Any]) -> UUID:
    """The id of an order. Raises BadOrder."""
    try:
        return _uuid(source.get("id"))
    except _Odd:
        raise BadOrder("no usable id") from None


def _usable_status(source: Mapping[str, Any], order_id: UUID, problems: list[str]) -> str:
    status = source.get("status")
    if not isinstance(status, str) or not 0 < len(status) <= MAX_STATUS:
        raise BadOrder("no usable status", order_id=order_id)
    cleaned = clean(status)
    if cleaned != status:
        problems.append("status")
    return cleaned


def clean(text: str) -> str:
    """The text without NUL, other control characters and lone surrogates; line ends as \\n.

    Each unsafe character becomes U+FFFD. More than 20,000 characters are cut, visibly.
    """
    text = _UNSAFE.sub("\ufffd", _LINE_END.sub("\n", text))
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + CUT_MARK


# Readers of single values: the value, or _Odd with what may be kept instead.


def _uuid(value: object) -> UUID:
    if isinstance(value, str) and _UUID.fullmatch(value):
        return UUID(value)
    raise _Odd


def text(value: object) -> str:
    """A string, cleaned. Raises _Odd with the cleaned copy when anything but line ends changed."""
    if not isinstance(value, str):
        raise _Odd
    if len(value) <= MAX_TEXT and not _UNSAFE.search(value):
        return value
    cleaned = clean(value)
    if cleaned == value.replace("\r\n", "\n"):
        return cleaned
    raise _Odd(cleaned)


def text_or_none(value: object) -> str | None:
    """A string, cleaned; None for anything else."""
    try:
        return text(value)
    except _Odd as odd:
        return odd.instead


def time_or_none(value: object) -> datetime | None:
    """An instant in UTC; None for anything else."""
    try:
        return _time(value)
    except _Odd:
        return None


def _integer(value: object) -> int:
    if type(value) is int and -MAX_INT <= value <= MAX_INT:
        return value
    raise _Odd


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _Odd


def _time(value: object) -> datetime:
    """An instant in UTC: Z, +0000 or +00:00, with or without fractions of a second."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise _Odd
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Odd from None


type _Scalar = Callable[[Any], Any]
type _Nested = Callable[[Any, str, list[str]], Any]


class _Shape:
    """How one JSON object becomes one struct."""

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
            return self.struct(**self.values(value, f"{where}.", problems))
        problems.append(where)
        return None

    def values(self, source: Mapping[str, Any], prefix: str, problems: list[str]) -> dict[str, Any]:
        """The known fields that are there; `prefix` is put before the names of odd ones."""
        found: dict[str, Any] = {}
        for name, read in self.scalars:
            value = source.get(name)
            if value is not None:
                try:
                    found[name] = read(value)
                except _Odd as odd:
                    problems.append(prefix + name)
                    found[name] = odd.instead
        for name, read_nested in self.nested:
            value = source.get(name)
            if value is not None:
                part = read_nested(value, prefix + name, problems)
                if part is not None:
                    found[name] = part
        return found


def _many(read: _Nested) -> _Nested:
    """A list of what `read` reads; odd members are left out and named, the others stay."""

    def read_list(value: object, where: str, problems: list[str]) -> tuple[Any, ...]:
        if not isinstance(value, list):
            problems.append(where)
            return ()
        members = (read(member, f"{where}.{i}", problems) for i, member in enumerate(value))
        return tuple(member for member in members if member is not None)

    return read_list


def _alone(read: _Scalar) -> _Nested:
    """A reader of single values where one of a list's members is wanted."""

    def read_member(value: object, where: str, problems: list[str]) -> Any:
        try:
            return read(value)
        except _Odd as odd:
            problems.append(where)
            return odd.instead

    return read_member


def _all(read: _Scalar, names: tuple[str, ...]) -> dict[str, _Scalar]:
    return dict.fromkeys(names, read)


_BRAND = _Shape(shapes.Brand, {"id": _uuid, "name": text})
_PRODUCT = _Shape(shapes.Product, {"id": _uuid, "name": text}, {"brand": _BRAND})
_ITEM = _Shape(shapes.CartItem, {"id": _uuid, "quantity": _integer}, {"product": _PRODUCT})
_CART = _Shape(shapes.Cart, {"id": _uuid}, {"items": _many(_ITEM)})
_SELECTION = _Shape(
    shapes.CartSelection,
    {"id": _uuid, "cart_item_id": _uuid, "quantity_index": _integer},
    {"variants": _many(_alone(text))},
)
_SHIPMENT = _Shape(
    shapes.Shipment,
    {
        "id": _uuid,
        **_all(text, ("status", "brand_name")),
        **_all(text, ("tracking_carrier", "tracking_number", "tracking_url")),
        **_all(_time, ("shipped_at", "delivered_at", "delivery_eta")),
    },
)
_AMOUNTS = _Shape(shapes.Amounts, _all(_integer, shapes.Amounts.__struct_fields__))
_ORIGINAL = _Shape(shapes.OriginalAmounts, _all(_integer, shapes.OriginalAmounts.__struct_fields__))
_SENDER = _Shape(shapes.Sender, _all(text, shapes.Sender.__struct_fields__))
_TIMES = _Shape(shapes.EventTimes, _all(_time, shapes.EventTimes.__struct_fields__))
_ORDER = _Shape(
    Order,
    {
        **_all(text, ("reference_id", "individual_gift_link", "workspace_name")),
        **_all(text, ("recipient_first_name", "recipient_last_name", "recipient_email")),
        **_all(text, ("message", "thank_you_note", "payment_link")),
        **_all(_uuid, ("workspace_id", "order_batch_id", "card_id")),
        "is_swapped": _boolean,
        "view_count_recipient": _integer,
        "expires_at": _time,
    },
    {
        "cart": _CART,
        "cart_selections": _many(_SELECTION),
        "shipments": _many(_SHIPMENT),
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
