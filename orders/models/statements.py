"""Raw SQL for the statements of every page and every write, which the ORM makes far slower."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

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
    return [_instance(model, row, using=using) for row in _rows(sql, values, using=using)]


def update_where(
    model: type[models.Model],
    changes: Mapping[str, Any],
    condition: str,
    values: Sequence[Any],
    *,
    using: str,
) -> int:
    """Set the fields in `changes` of the rows that meet a condition; return the number of rows.

    `condition` and `values` are those of `select_where`.
    """
    fields: list[Any] = [model._meta.get_field(name) for name in changes]
    connection = connections[using]
    columns = ", ".join([f'"{field.column}" = %s' for field in fields])
    new = [
        field.get_db_prep_save(value, connection)
        for field, value in zip(fields, changes.values(), strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f'UPDATE "{model._meta.db_table}" SET {columns} WHERE {condition}',  # noqa: S608
            [*new, *values],
        )
        return int(cursor.rowcount)


def insert_row(row: models.Model, *, using: str) -> None:
    """Insert a new row. A primary key that the database assigns is not read back."""
    fields, connection = row._meta.concrete_fields, connections[using]
    given = [field for field in fields if not (field.primary_key and row.pk is None)]
    columns = ", ".join([f'"{field.column}"' for field in given])
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in given]
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{row._meta.db_table}" ({columns}) VALUES ({placeholders(values)})',  # noqa: S608
            values,
        )
    row._state.adding, row._state.db = False, using  # noqa: SLF001 - as Model.save() does


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
    found = _instance(other, others, using=using) if others[0] is not None else None
    return _instance(model, mine, using=using), found


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


def _instance[M: models.Model](model: type[M], row: Sequence[Any], *, using: str) -> M:
    """Return the instance of a row of the database, as Django does."""
    connection, values = connections[using], list(row)
    for position, column, converters in _converters(model, connection.vendor):
        for convert in converters:
            values[position] = convert(values[position], column, connection)
    return model.from_db(using, _names(model), values)


@lru_cache
def _names(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


@lru_cache
def _converters(model: type[models.Model], vendor: str) -> list[tuple[int, Any, list[Any]]]:
    """Return position, column and converters of each field whose database values are converted."""
    connection = next(one for one in connections.all() if one.vendor == vendor)
    found = []
    for position, field in enumerate(model._meta.concrete_fields):
        column = field.get_col(field.model._meta.db_table)
        converters = connection.ops.get_db_converters(column) + field.get_db_converters(connection)
        if converters:
            found.append((position, column, converters))
    return found


def database_values(
    model: type[models.Model], name: str, values: Collection[Any], *, using: str
) -> list[Any]:
    """Return values of the field `name` of a model as the database stores them."""
    field: Any = model._meta.get_field(name)
    connection = connections[using]
    return [field.get_db_prep_value(value, connection) for value in values]


def among_ids(column: str, ids: Collection[UUID], *, using: str) -> tuple[str, str]:
    """Return the condition that a UUID column has one of these values, and its only parameter.

    Binding a parameter for each of thousands of ids takes longer than the query.
    """
    texts = [one.hex for one in ids]
    if connections[using].vendor == "sqlite":
        return f"{column} IN (SELECT value FROM json_each(%s))", json.dumps(texts)  # noqa: S608
    return f"{column} = ANY(string_to_array(%s, ' ')::uuid[])", " ".join(texts)


def placeholders(values: Sequence[Any]) -> str:
    """Return as many %s as there are values, separated by commas."""
    return ", ".join(["%s"] * len(values))
