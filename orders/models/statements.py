"""Questions that every page asks, in SQL of our own: Django takes several times as long to write
them anew, and to read that there is nothing, as a database to answer them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.db import connections, models


def rows_where[M: models.Model](
    model: type[M], condition: str, values: Sequence[Any], *, using: str
) -> list[M]:
    """The rows of a model under a condition, which may go on with ORDER BY.

    `condition` is ours and holds %s for each of the `values`, never a value itself.
    """
    table, fields = model._meta.db_table, model._meta.concrete_fields
    connection = connections[using]
    columns = ", ".join([f'"{field.column}"' for field in fields])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table} WHERE {condition}", values)  # noqa: S608
        rows = cursor.fetchall()
    if not rows:
        return []
    names = [field.attname for field in fields]
    readers = [_reader(field, connection) for field in fields]
    return [
        model.from_db(using, names, [read(value) for read, value in zip(readers, row, strict=True)])
        for row in rows
    ]


def _reader(field: Any, connection: Any) -> Callable[[Any], Any]:
    """From what the database gives for a field to what Django would make of it."""
    column = field.get_col(field.model._meta.db_table)
    converters = connection.ops.get_db_converters(column) + field.get_db_converters(connection)

    def read(value: Any) -> Any:
        for convert in converters:
            value = convert(value, column, connection)
        return value

    return read


def prepared(
    model: type[models.Model], name: str, values: Collection[Any], *, using: str
) -> list[Any]:
    """Values of a field as its database takes them."""
    field: Any = model._meta.get_field(name)
    connection = connections[using]
    return [field.get_db_prep_value(value, connection) for value in values]


def marks(values: Sequence[Any]) -> str:
    """As many %s."""
    return ", ".join(["%s"] * len(values))
