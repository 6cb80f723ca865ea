"""The parts of the index's schema that Django's migrations cannot express, per database.

SQLite appends the rowid to every index; on PostgreSQL the last column is `id`. Text is searched by
FTS5 with trigrams on SQLite, updated by triggers, and by pg_trgm on PostgreSQL.
"""

from __future__ import annotations

from typing import Any

# What lists are filtered and sorted by.
_INDEXES = {
    "reference": ("reference_id",),
    "gift": ("gift_digest",),
    "email": ("email_key",),
    "status": ("status",),
    "status_expires": ("status", "expires_at"),
    "workspace": ("workspace_id",),
    "workspace_status": ("workspace_id", "status"),
    "workspace_status_expires": ("workspace_id", "status", "expires_at"),
    "batch": ("order_batch_id",),
    "product": ("product_id",),
    "brand": ("brand_id",),
    "sender": ("sender_id",),
    "message": ("message_id",),
    "note": ("note_id",),
    "expires": ("expires_at",),
    "amount": ("amount_cents",),
    "name": ("name_key",),
}
# Partial indexes, for flags that few orders have.
_RARE = {
    "swapped": "is_swapped",
    "payment": "is_payment_pending",
    "trouble": "has_delivery_trouble",
}
# As the migration that creates the index names them; the second is orders_searchtext since 0008.
_TEXTS = (("orders_order", "people"), ("orders_wording", "folded"))


def create(connection: Any) -> None:
    _run(connection, _SQLITE if connection.vendor == "sqlite" else _postgresql())


def drop(connection: Any) -> None:
    """Drop the objects that are not dropped together with the tables of the models."""
    if connection.vendor == "sqlite":
        _run(connection, [f"DROP TABLE {table}_fts" for table, _ in _TEXTS])


def drop_full_text(connection: Any, table: str) -> None:
    """SQLite: drop a table's full-text index, which names its content table and cannot follow a
    rename."""
    if connection.vendor == "sqlite":
        triggers = [f"DROP TRIGGER {table}_fts_{event}" for event in ("insert", "delete", "update")]
        _run(connection, [*triggers, f"DROP TABLE {table}_fts"])


def create_full_text(connection: Any, table: str, column: str, *, former_table: str) -> None:
    """Index the text of a table that was renamed from `former_table`."""
    if connection.vendor == "sqlite":
        fts = f"{table}_fts"
        rebuild = f"INSERT INTO {fts} ({fts}) VALUES ('rebuild')"  # noqa: S608
        _run(connection, [*_full_text(table, column), rebuild])
    else:
        _run(connection, [f"ALTER INDEX {former_table}_trgm RENAME TO {table}_trgm"])


def add_full_text(connection: Any, table: str, column: str) -> None:
    """Index the text of a new table."""
    if connection.vendor == "sqlite":
        _run(connection, _full_text(table, column))
    else:
        _run(
            connection, [f"CREATE INDEX {table}_trgm ON {table} USING gin ({column} gin_trgm_ops)"]
        )


def supports_all_scripts(connection: Any) -> bool:
    """Whether an index supports text of any script.

    PostgreSQL makes no trigrams of characters that its cluster's ctype does not classify as
    letters: with "C", none of Chinese and Japanese.
    """
    if connection.vendor == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
        if not cursor.fetchall():
            # The migrations will make it.
            return True
        cursor.execute("SELECT cardinality(show_trgm(%s)) > 0", ["小龍"])
        return bool(cursor.fetchone()[0])


def _run(connection: Any, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _plain_indexes(*, ends_in_id: bool) -> list[str]:
    end = ", id" if ends_in_id else ""
    return [
        *(
            f"CREATE INDEX orders_order_{name} ON orders_order ({', '.join(columns)}{end})"
            for name, columns in _INDEXES.items()
        ),
        *(
            f"CREATE INDEX orders_order_{name} ON orders_order (id) WHERE {column}"
            for name, column in _RARE.items()
        ),
        "CREATE INDEX orders_otherproduct_product ON orders_otherproduct (product_id, order_id)",
        "CREATE INDEX orders_otherproduct_brand ON orders_otherproduct (brand_id, order_id)",
        "CREATE INDEX orders_otherproduct_order ON orders_otherproduct (order_id)",
    ]


def _full_text(table: str, column: str) -> list[str]:
    """Return the statements for an FTS5 index over one column of a table."""
    fts = f"{table}_fts"
    forget = f"INSERT INTO {fts} ({fts}, rowid, {column}) VALUES ('delete', old.id, old.{column});"  # noqa: S608
    add = f"INSERT INTO {fts} (rowid, {column}) VALUES (new.id, new.{column});"  # noqa: S608
    return [
        f"CREATE VIRTUAL TABLE {fts} USING fts5({column}, content='{table}', content_rowid='id',"
        " tokenize='trigram')",
        f"CREATE TRIGGER {fts}_insert AFTER INSERT ON {table} BEGIN {add} END",
        f"CREATE TRIGGER {fts}_delete AFTER DELETE ON {table} BEGIN {forget} END",
        f"CREATE TRIGGER {fts}_update AFTER UPDATE OF id, {column} ON {table}"
        f" WHEN old.id <> new.id OR old.{column} <> new.{column} BEGIN {forget} {add} END",
    ]


_SQLITE = [
    "CREATE TABLE orders_wordstart (start varchar(8) NOT NULL, order_id bigint NOT NULL,"
    " PRIMARY KEY (start, order_id)) WITHOUT ROWID",
    *_plain_indexes(ends_in_id=False),
    *(statement for table, column in _TEXTS for statement in _full_text(table, column)),
]


def _postgresql() -> list[str]:
    return [
        'CREATE TABLE orders_wordstart (start varchar(8) COLLATE "C" NOT NULL,'
        " order_id bigint NOT NULL, PRIMARY KEY (start, order_id))",
        # Sorted the same everywhere, and as SQLite does.
        'ALTER TABLE orders_order ALTER COLUMN name_key TYPE text COLLATE "C"',
        'ALTER TABLE orders_order ALTER COLUMN reference_id TYPE text COLLATE "C"',
        *_plain_indexes(ends_in_id=True),
        "CREATE EXTENSION IF NOT EXISTS pg_trgm",
        *(
            f"CREATE INDEX {table}_trgm ON {table} USING gin ({column} gin_trgm_ops)"
            for table, column in _TEXTS
        ),
    ]
