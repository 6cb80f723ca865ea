"""Raw SQL for the queries of every page, which take several times as long with the ORM."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
from django.db import connections, models


def select_where[M: models.Model](
    model: type[M], condition: str, values: Sequence[Any], *, using: str
) -> list[M]:
    """Return the rows of a model that meet a condition, which may end in ORDER BY.

    `condition` has %s for each of the `values`, and never contains input itself.
    """
    table = model._meta.db_table
    sql = f"SELECT {_columns(model)} FROM {table} WHERE {condition}"  # noqa: S608
    rows = _rows(sql, values, using=using)
    if not rows:
        return []
    make = _maker(model, using=using)
    return [make(row) for row in rows]


def select_from_two_models[M: models.Model, N: models.Model](
    model: type[M], other: type[N], key: int, *, using: str
) -> tuple[M, N | None] | None:
    """Return the row of `model` and the row of `other` with the primary key `key`, in one query.

    Return None if `model` has no such row; the second value is None if `other` has none.
    """
    columns = f"{_columns(model, 'a.')}, {_columns(other, 'b.')}"
    tables = f"{model._meta.db_table} a LEFT JOIN {other._meta.db_table} b ON b.id = a.id"
    rows = _rows(f"SELECT {columns} FROM {tables} WHERE a.id = %s", [key], using=using)  # noqa: S608
    if not rows:
        return None
    width = len(model._meta.concrete_fields)
    mine, others = rows[0][:width], rows[0][width:]
    # The outer join returns NULLs for a missing row, including its key.
    found = _maker(other, using=using)(others) if others[0] is not None else None
    return _maker(model, using=using)(mine), found


def select_tuples(
    columns: Sequence[str], source: str, values: Sequence[Any], *, using: str
) -> list[tuple[Any, ...]]:
    """Return `columns` (texts and integers) of every row of `source`.

    `source` is the text after FROM, with %s for each of the `values`. SQLite returns one JSON text:
    fetching each row would release the GIL and then wait for a thread that writes.
    """
    connection, names = connections[using], ", ".join(columns)
    if connection.vendor != "sqlite":
        return _rows(f"SELECT {names} FROM {source}", values, using=using)  # noqa: S608
    sql = f"SELECT json_group_array(json_array({names})) FROM {source}"  # noqa: S608
    [(text,)] = _rows(sql, values, using=using)
    return _decode_rows(text)


_decode_rows = msgspec.json.Decoder(list[tuple[Any, ...]]).decode


def _columns(model: type[models.Model], prefix: str = "") -> str:
    return ", ".join([f'{prefix}"{field.column}"' for field in model._meta.concrete_fields])


def _rows(sql: str, values: Sequence[Any], *, using: str) -> list[tuple[Any, ...]]:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _maker[M: models.Model](model: type[M], *, using: str) -> Callable[[Sequence[Any]], M]:
    """Return a function that creates an instance from a database row, as Django does."""
    fields, connection = model._meta.concrete_fields, connections[using]
    names = [field.attname for field in fields]
    readers = [_reader(field, connection) for field in fields]

    def make(row: Sequence[Any]) -> M:
        values = [read(value) for read, value in zip(readers, row, strict=True)]
        return model.from_db(using, names, values)

    return make


def _reader(field: Any, connection: Any) -> Callable[[Any], Any]:
    """Return a function that converts a database value for the field, as Django does."""
    column = field.get_col(field.model._meta.db_table)
    converters = connection.ops.get_db_converters(column) + field.get_db_converters(connection)

    def read(value: Any) -> Any:
        for convert in converters:
            value = convert(value, column, connection)
        return value

    return read


def database_values(
    model: type[models.Model], name: str, values: Collection[Any], *, using: str
) -> list[Any]:
    """Return values of the field `name` of a model as the database stores them."""
    field: Any = model._meta.get_field(name)
    connection = connections[using]
    return [field.get_db_prep_value(value, connection) for value in values]


def placeholders(values: Sequence[Any]) -> str:
    """Return as many %s as there are values, separated by commas."""
    return ", ".join(["%s"] * len(values))
