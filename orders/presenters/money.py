"""The amounts of an order as in Goody's response, without computations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from goody.types import CANCELABLE, ENDED, Order
from orders import formats

from .raw_values import RawValues

UNKNOWN_YET = "not known yet"
WHEN_ACCEPTED = "when accepted"
NOT_GIVEN = "not given"
NOT_CHARGED = "Not charged: canceled before acceptance"


class Amount(NamedTuple):
    """A row: a label, the amount and, after a swap, the former amount. Tones are CSS classes."""

    label: str
    value: str
    value_tone: str = ""
    before: str = ""
    before_tone: str = ""
    row_tone: str = ""


@dataclass(frozen=True, slots=True)
class MoneySection:
    """The rows, and a note below them, "" if there is none.

    `has_before`: Goody gave the amounts before a swap.
    """

    rows: list[Amount]
    has_before: bool
    note: str


class _Field(NamedTuple):
    """A field of Amounts, and that of OriginalAmounts, "" if there is none.

    Without a value, an optional field has no row.
    """

    name: str
    label: str
    before: str = ""
    is_optional: bool = False


_FIELDS = (
    _Field("amount_product", "Products", "original_amount_product"),
    _Field("amount_shipping", "Shipping", "original_amount_shipping"),
    _Field("amount_processing_fee", "Processing fee"),
    _Field("amount_global_relay_cost", "International shipping", is_optional=True),
    _Field("amount_pre_tax_total", "Before tax", "original_amount_pre_tax_total"),
    _Field("amount_tax", "Tax"),
    _Field("amount_total", "Total"),
    _Field(
        "amount_credit_applied",
        "Credit applied",
        "original_amount_credit_applied",
        is_optional=True,
    ),
)
_SUMS = ("amount_pre_tax_total", "amount_total")
# Goody gives these when the gift is accepted.
_FINAL = ("amount_tax", "amount_total")


class _Cell(NamedTuple):
    text: str
    tone: str


_EMPTY = _Cell("", "")


def money_section(order: Order, raw: RawValues, *, is_uncharged: bool) -> MoneySection:
    """Return every amount of an order.

    `is_uncharged`: the order ended and was certainly never accepted.
    """
    has_before = order.original_amounts is not None or bool(raw.unreadable("original_amounts"))
    rows = [
        _row(field, _now(order, field, raw), _before(order, field, raw) if has_before else _EMPTY)
        for field in _FIELDS
    ]
    return MoneySection(
        list(_shown(rows, order, is_uncharged=is_uncharged)),
        has_before,
        NOT_CHARGED if is_uncharged and rows[_TOTAL].value == "" else "",
    )


_TAX, _TOTAL = (next(n for n, one in enumerate(_FIELDS) if one.name == name) for name in _FINAL)


def _row(field: _Field, now: _Cell, before: _Cell) -> Amount:
    row_tone = "is-sum" if field.name in _SUMS else ""
    return Amount(field.label, *now, *before, row_tone)


def _now(order: Order, field: _Field, raw: RawValues) -> _Cell:
    return _cell(order.amounts, f"amounts.{field.name}", raw)


def _before(order: Order, field: _Field, raw: RawValues) -> _Cell:
    if not field.before:
        return _EMPTY
    return _cell(order.original_amounts, f"original_amounts.{field.before}", raw)


def _cell(amounts: object, path: str, raw: RawValues) -> _Cell:
    """Return the amount, the raw value if it is unreadable, or an empty cell if there is none."""
    cents: int | None = getattr(amounts, path.rpartition(".")[2], None)
    if cents is not None:
        return _Cell(formats.money(cents), "")
    unreadable = raw.unreadable(path)
    return _Cell(unreadable, "is-soon") if unreadable else _EMPTY


def _shown(rows: list[Amount], order: Order, *, is_uncharged: bool) -> Iterator[Amount]:
    """Yield the rows, with texts in place of missing values.

    Without tax and total, both share a row; an order that is not charged has none for them.
    """
    is_final_missing = not (rows[_TAX].value or rows[_TOTAL].value)
    missing = _missing(order, is_final=bool(rows[_TOTAL].value))
    for field, row in zip(_FIELDS, rows, strict=True):
        if row.value or row.before:
            yield row
        elif field.name in _FINAL and is_final_missing:
            if field.name == "amount_total" and not is_uncharged:
                pending = WHEN_ACCEPTED if order.status in CANCELABLE else missing
                yield Amount("Tax, total", pending, "muted", row_tone="muted")
        elif not field.is_optional:
            yield row._replace(value=missing, value_tone="muted")


def _missing(order: Order, *, is_final: bool) -> str:
    """Return the text in place of a missing value.

    `is_final`: Goody has sent the total, so that no other amount can follow.
    """
    return NOT_GIVEN if is_final or order.status in ENDED else UNKNOWN_YET
