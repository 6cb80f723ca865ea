"""Where a word is looked for: in every field of an order that a person can see.

The recipient's name and address, by any part; products, brands, sender and workspace, whose names
are searched in the process; the beginning of the receipt reference, of the order's and its batch's
id, from six characters on; message and note, for those who may read them. One or two letters match
the start of a word, of people and names alone; of as many with a sign among them no index knows, so
that each order is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

from orders.text import SHORT, is_start, words

from .context import MOST_SOURCES, SearchContext
from .sql import Condition, IndexScan, Sql, union

# From here on the beginning of a reference or an id is not taken for a word.
_BEGINNING = 6
_LAST = chr(0x10FFFF)
_MOST_TEXTS = 1000
# Of a longer text the beginning is looked up, and the rest compared.
_LONGEST = 40

_REFERENCE = re.compile(r"[a-z0-9]+")
_ID = "00000000-0000-0000-0000-000000000000"


def word_condition(
    asking: SearchContext, word: str, *, may_search_messages: bool
) -> Condition | None:
    """The folded word or phrase stands somewhere; None: that cannot be."""
    parts = list(_names(asking, word))
    if is_start(word):
        parts += _short(asking, word)
    elif len(word) <= SHORT:
        parts.append(Condition(asking.dialect.contains("o.people", word)))
    else:
        parts += [_people(asking, word), *_beginnings(asking, word)]
        if may_search_messages:
            parts += _texts(asking, word)
    return union(parts) if parts else None


def _people(asking: SearchContext, word: str) -> Condition:
    part = asking.sizes.rare_part(word) or word[:_LONGEST]
    source = asking.dialect.holding("orders_order", "people", word, part)
    return Condition(asking.dialect.contains("o.people", word), (source,), text=word)


def _names(asking: SearchContext, word: str) -> Iterator[Condition]:
    found = asking.labels
    if ids := found.products.matching(word):
        yield asking.in_cart("product", ids, index="product")
    if ids := found.brands.matching(word):
        yield asking.in_cart("brand", ids, index="brand")
    if ids := found.senders.matching(word):
        yield asking.equals("sender_id", ids, index="orders_order_sender")
    if ids := found.workspaces.matching(word):
        yield asking.equals("workspace_id", ids, index="orders_order_workspace")


def _beginnings(asking: SearchContext, word: str) -> Iterator[Condition]:
    if len(word) < _BEGINNING:
        return
    if _REFERENCE.fullmatch(word):
        low = word.upper()
        yield asking.between("reference_id", low, low + _LAST, index="orders_order_reference")
    if ends := id_range(word):
        yield asking.between("order_batch_id", *ends, index="orders_order_batch")
        yield asking.between("uuid", *ends, index="")


def _short(asking: SearchContext, word: str) -> list[Condition]:
    """At the start of a word; of two of them, where a script ends and another begins."""
    found = [_start(asking, start) for start in words(word)]
    if None in found:
        return []
    first, *others = filter(None, found)
    tests = " AND ".join(one.test.text for one in (first, *others))
    params = tuple(param for one in (first, *others) for param in one.test.params)
    # All that begin with the one are more than those with both.
    sources = () if others else first.sources
    return [Condition(Sql(f"({tests})", params), sources, text=word)]


def _start(asking: SearchContext, start: str) -> Condition | None:
    starts = [start] if len(start) == SHORT else _starts_with(asking, start)
    if not starts:
        return None
    among = asking.dialect.among("s.start", starts)
    test = Sql(
        "EXISTS (SELECT 1 FROM orders_wordstart s"  # noqa: S608
        f" WHERE s.order_id = o.id AND {among.text})",
        among.params,
    )
    sources = tuple(
        IndexScan(
            Sql("start = %s", (one,)), "orders_wordstart", "order_id", (("id", ""),), is_text=True
        )
        for one in starts
    )
    return Condition(test, sources if len(sources) <= MOST_SOURCES * 2 else ())


def _starts_with(asking: SearchContext, letter: str) -> list[str]:
    """The starts in use that begin with the letter, each looked up after the one before."""
    rows = asking.deadline.rows(_STARTS, [letter, letter + _LAST] * 2)
    return [start for (start,) in rows]


def _texts(asking: SearchContext, word: str) -> Iterator[Condition]:
    table, column = "orders_searchtext", "folded"
    source = asking.dialect.holding(table, column, word, word[:_LONGEST])
    rows = asking.deadline.rows(
        f"SELECT {source.key} FROM {source.table} WHERE {source.where.text}"  # noqa: S608
        f" LIMIT {_MOST_TEXTS + 1}",
        source.where.params,
    )
    ids = [pk for (pk,) in rows]
    if len(ids) > _MOST_TEXTS:
        contains = asking.dialect.contains("w.folded", word)
        yield Condition(
            Sql(
                "EXISTS (SELECT 1 FROM orders_searchtext w"  # noqa: S608
                f" WHERE w.id IN (o.message_id, o.note_id) AND {contains.text})",
                contains.params,
            )
        )
    elif ids:
        yield asking.equals("message_id", ids, index="orders_order_message")
        yield asking.equals("note_id", ids, index="orders_order_note")


_STARTS = """
WITH RECURSIVE used (start) AS (
    SELECT min(start) FROM orders_wordstart WHERE start >= %s AND start < %s
    UNION ALL
    SELECT (SELECT min(s.start) FROM orders_wordstart s
            WHERE s.start > used.start AND s.start >= %s AND s.start < %s)
    FROM used WHERE used.start IS NOT NULL
)
SELECT start FROM used WHERE start IS NOT NULL
"""


def id_range(text: str) -> tuple[UUID, UUID] | None:
    """The first and the last id that begins so, written with dashes or without."""
    if not text or len(text) > len(_ID):
        return None
    digits = text.replace("-", "")
    solid = "-" not in text
    if not solid and [i for i, c in enumerate(text) if c == "-"] != [
        i for i, c in enumerate(_ID[: len(text)]) if c == "-"
    ]:
        return None
    if len(digits) > 32 or not re.fullmatch(r"[0-9a-f]*", digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
