"""The conditions that everything asked is made of, for one database and with the names of now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from .deadline import Deadline
from .dialects import Dialect, dialect
from .labels import Labels, labels
from .sql import Condition, IndexScan, Sql, union
from .statistics import Statistics

# As many indexes are asked one by one for their newest; of more than that, each.
MOST_SOURCES = 60


@dataclass(frozen=True)
class SearchContext:
    """One search's way to the database, and what is known beside it."""

    deadline: Deadline

    @cached_property
    def dialect(self) -> Dialect:
        return dialect(self.deadline.vendor)

    @cached_property
    def labels(self) -> Labels:
        return labels(self.deadline)

    @cached_property
    def sizes(self) -> Statistics:
        return Statistics(self.deadline)

    def equals(
        self,
        column: str,
        values: Sequence[object],
        *,
        index: str,
        expires: str = "",
        size: Callable[[], int] | None = None,
    ) -> Condition:
        """The column is one of the values. `expires`: the index that has them by expiration."""
        sorts = (("id", index), ("expires_at", expires)) if expires else (("id", index),)
        plain = self.dialect.plain
        if len(values) <= MOST_SOURCES:
            sources = tuple(
                IndexScan(Sql(f"{column} = %s", (plain(one),)), sorts=sorts) for one in values
            )
        else:
            sources = (IndexScan(self.dialect.among(column, values)),)
        return Condition(self.dialect.among(f"o.{column}", values), sources, size)

    def between(self, column: str, low: object, high: object, *, index: str) -> Condition:
        """The column's value is from `low` to `high`, both included."""
        bounds = (self.dialect.plain(low), self.dialect.plain(high))
        where = f"{column} >= %s AND {column} <= %s"
        test = f"o.{column} >= %s AND o.{column} <= %s"
        source = IndexScan(Sql(where, bounds), sorts=(("id", index),), is_scanned=True)
        return Condition(Sql(test, bounds), (source,))

    def in_cart(self, column: str, ids: Sequence[int], *, index: str) -> Condition:
        """One of the products or brands is in the gift, as its first item or another."""
        first = self.equals(f"{column}_id", ids, index=f"orders_order_{index}")
        return union([first, self._in_mixed_cart(f"{column}_id", ids, index=index)])

    def _in_mixed_cart(self, column: str, ids: Sequence[int], *, index: str) -> Condition:
        table, sorts = "orders_otherproduct", (("id", f"orders_otherproduct_{index}"),)
        among = self.dialect.among(f"x.{column}", ids)
        test = Sql(
            f"(o.item_count > 1 AND EXISTS (SELECT 1 FROM {table} x"  # noqa: S608
            f" WHERE x.order_id = o.id AND {among.text}))",
            among.params,
        )
        if len(ids) > MOST_SOURCES:
            where = self.dialect.among(column, ids)
            return Condition(test, (IndexScan(where, table, "order_id"),))
        wheres = (Sql(f"{column} = %s", (one,)) for one in ids)
        sources = tuple(IndexScan(where, table, "order_id", sorts) for where in wheres)
        return Condition(test, sources)
