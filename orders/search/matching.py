"""Where a word is looked for: in every field of an order that a person can see.

The recipient's name and address, by any part; products, brands, sender and workspace, whose names
are searched in the process; the beginning of the receipt reference, of the order's and its batch's
id, from six characters on; message and note, for those who may read them. One or two characters
match the start of a word, of people and names alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from .budget import Budget
from .dialects import Dialect, dialect
from .folding import words
from .labels import Labels, labels
from .sql import Condition, Source, Sql, union

SHORT = 2
# From here on the beginning of a reference or an id is not taken for a word.
_BEGINNING = 6
_LAST = chr(0x10FFFF)
# As many indexes are asked one by one for their newest; of more than that, each.
_MOST_SOURCES = 60
_MOST_TEXTS = 1000

_REFERENCE = re.compile(r"[a-z0-9]+")
_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Asking:
    """What the making of conditions needs: the database, and the names as they are now."""

    budget: Budget

    @cached_property
    def dialect(self) -> Dialect:
        return dialect(self.budget.vendor)

    @cached_property
    def labels(self) -> Labels:
        return labels(self.budget)

    # --- the simplest conditions ------------------------------------------------------------

    def equals(
        self, column: str, values: Sequence[object], *, index: str, rarity: int, expires: str = ""
    ) -> Condition:
        """The column is one of the values. `expires`: the index that has them by expiration."""
        sorts = (("id", index), ("expires_at", expires)) if expires else (("id", index),)
        plain = self.dialect.plain
        if len(values) <= _MOST_SOURCES:
            sources = tuple(
                Source(Sql(f"{column} = %s", (plain(one),)), sorts=sorts) for one in values
            )
        else:
            sources = (Source(self.dialect.among(column, values)),)
        return Condition(self.dialect.among(f"o.{column}", values), sources, rarity)

    def between(
        self, column: str, low: object, high: object, *, index: str, rarity: int
    ) -> Condition:
        """The column's value is from `low` to `high`, both included."""
        bounds = (self.dialect.plain(low), self.dialect.plain(high))
        where = f"{column} >= %s AND {column} <= %s"
        test = f"o.{column} >= %s AND o.{column} <= %s"
        source = Source(Sql(where, bounds), sorts=((column, index),) if index else ())
        return Condition(Sql(test, bounds), (source,), rarity)

    def in_cart(self, column: str, ids: Sequence[int], *, index: str, rarity: int) -> Condition:
        """One of the products or brands is in the gift, as its first item or another."""
        first = self.equals(f"{column}_id", ids, index=f"orders_order_{index}", rarity=rarity)
        return union([first, self._in_mixed_cart(f"{column}_id", ids, index=index, rarity=rarity)])

    def _in_mixed_cart(
        self, column: str, ids: Sequence[int], *, index: str, rarity: int
    ) -> Condition:
        table, sorts = "orders_otherproduct", (("id", f"orders_otherproduct_{index}"),)
        among = self.dialect.among(f"x.{column}", ids)
        test = Sql(
            f"(o.item_count > 1 AND EXISTS (SELECT 1 FROM {table} x"  # noqa: S608
            f" WHERE x.order_id = o.id AND {among.text}))",
            among.params,
        )
        if len(ids) > _MOST_SOURCES:
            where = self.dialect.among(column, ids)
            return Condition(test, (Source(where, table, "order_id"),), rarity)
        wheres = (Sql(f"{column} = %s", (one,)) for one in ids)
        sources = tuple(Source(where, table, "order_id", sorts) for where in wheres)
        return Condition(test, sources, rarity)

    # --- words --------------------------------------------------------------------------------

    def word(self, word: str, *, may_search_messages: bool) -> Condition | None:
        """The folded word or phrase stands somewhere; None: that cannot be."""
        parts = list(self._names(word))
        if len(word) <= SHORT:
            parts += self._short(word)
        else:
            parts += [self._people(word), *self._beginnings(word)]
            if may_search_messages:
                parts += self._texts(word)
        return union(parts) if parts else None

    def _people(self, word: str) -> Condition:
        source = self.dialect.holding("orders_order", "people", word)
        return Condition(self.dialect.contains("o.people", word), (source,), rarity=20)

    def _names(self, word: str) -> Iterator[Condition]:
        found = self.labels
        if ids := found.products.matching(word):
            yield self.in_cart("product", ids, index="product", rarity=30)
        if ids := found.brands.matching(word):
            yield self.in_cart("brand", ids, index="brand", rarity=45)
        if ids := found.senders.matching(word):
            yield self.equals("sender_id", ids, index="orders_order_sender", rarity=40)
        if ids := found.workspaces.matching(word):
            yield self.equals("workspace_id", ids, index="orders_order_workspace", rarity=75)

    def _beginnings(self, word: str) -> Iterator[Condition]:
        if len(word) < _BEGINNING:
            return
        if _REFERENCE.fullmatch(word):
            low = word.upper()
            yield self.between(
                "reference_id", low, low + _LAST, index="orders_order_reference", rarity=5
            )
        if ends := id_range(word):
            yield self.between("order_batch_id", *ends, index="orders_order_batch", rarity=10)
            yield self.between("uuid", *ends, index="", rarity=5)

    def _short(self, word: str) -> list[Condition]:
        """At the start of a word; of two of them, where a script ends and another begins."""
        found = [self._start(start) for start in words(word)]
        if not found or None in found:
            return []
        first, *others = filter(None, found)
        tests = " AND ".join(one.test.text for one in (first, *others))
        params = tuple(param for one in (first, *others) for param in one.test.params)
        # All that begin with the one are more than those with both.
        sources = () if others else first.sources
        return [Condition(Sql(f"({tests})", params), sources, rarity=50)]

    def _start(self, start: str) -> Condition | None:
        starts = [start] if len(start) == SHORT else self._starts_with(start)
        if not starts:
            return None
        among = self.dialect.among("s.start", starts)
        test = Sql(
            "EXISTS (SELECT 1 FROM orders_wordstart s"  # noqa: S608
            f" WHERE s.order_id = o.id AND {among.text})",
            among.params,
        )
        sources = tuple(
            Source(Sql("start = %s", (one,)), "orders_wordstart", "order_id", (("id", ""),))
            for one in starts
        )
        return Condition(test, sources if len(sources) <= _MOST_SOURCES * 2 else (), rarity=50)

    def _starts_with(self, letter: str) -> list[str]:
        """The starts in use that begin with the letter, each looked up after the one before."""
        rows = self.budget.rows(_STARTS, [letter, letter + _LAST] * 2)
        return [start for (start,) in rows]

    def _texts(self, word: str) -> Iterator[Condition]:
        table, column = "orders_wording", "folded"
        source = self.dialect.holding(table, column, word)
        rows = self.budget.rows(
            f"SELECT {source.key} FROM {source.table} WHERE {source.where.text}"  # noqa: S608
            f" LIMIT {_MOST_TEXTS + 1}",
            source.where.params,
        )
        ids = [pk for (pk,) in rows]
        if len(ids) > _MOST_TEXTS:
            contains = self.dialect.contains("w.folded", word)
            yield Condition(
                Sql(
                    "EXISTS (SELECT 1 FROM orders_wording w"  # noqa: S608
                    f" WHERE w.id IN (o.message_id, o.note_id) AND {contains.text})",
                    contains.params,
                )
            )
        elif ids:
            yield self.equals("message_id", ids, index="orders_order_message", rarity=30)
            yield self.equals("note_id", ids, index="orders_order_note", rarity=30)


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
