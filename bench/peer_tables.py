"""`python -m bench.peer_tables`: copy the orders of an index into the tables of its peers.

From the SQLite file of DATABASE_URL into the one of PEERS_DATABASE: Django's tables, with the
payload and without, analyzed and not, and a trigram index of the analyzed one's names and addresses
as Datasette finds one.
"""

from __future__ import annotations

import os
from typing import Any

import django
from django.conf import settings
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.settings")
django.setup()

from bench.changelist.models import AnalyzedOrder, PlainOrder, TunedOrder  # noqa: E402
from orders.compression import decompress_json  # noqa: E402

_SHARED = """
    o.id, o.uuid, o.status, o.recipient_name, o.recipient_email,
    coalesce(p.name, ''), coalesce(b.name, ''), coalesce(s.name, ''), coalesce(w.name, ''),
    o.reference_id, o.amount_cents, o.created_at, o.expires_at, o.is_swapped
"""
_JOINED = """
    index_.orders_order o
    LEFT JOIN index_.orders_label p ON p.id = o.product_id
    LEFT JOIN index_.orders_label b ON b.id = o.brand_id
    LEFT JOIN index_.orders_label s ON s.id = o.sender_id
    LEFT JOIN index_.orders_label w ON w.id = o.workspace_id
"""
_HURRY = (
    "PRAGMA journal_mode=OFF",
    "PRAGMA synchronous=OFF",
    "PRAGMA cache_size=-4000000",
)
_COPY = (
    f"INSERT INTO peers_tunedorder ({{columns}}) SELECT {_SHARED} FROM {_JOINED} ORDER BY o.id",
    "INSERT INTO peers_analyzedorder SELECT * FROM peers_tunedorder ORDER BY id",
    f"INSERT INTO peers_plainorder ({{columns}}, raw) SELECT {_SHARED}, unpacked(d.packed)"
    f" FROM {_JOINED} JOIN index_.orders_orderpayload d ON d.id = o.id ORDER BY o.id",
    # Datasette detects the full-text table by these quotation marks.
    "CREATE VIRTUAL TABLE peers_analyzedorder_fts USING fts5(recipient_name, recipient_email,"
    """ content="peers_analyzedorder", content_rowid="id", tokenize="trigram")""",
    "INSERT INTO peers_analyzedorder_fts(peers_analyzedorder_fts) VALUES ('rebuild')",
    "ANALYZE peers_analyzedorder",
    "PRAGMA journal_mode=WAL",
)


def copy_orders(connection: Any) -> None:
    with connection.cursor() as cursor:
        for statement in _HURRY:
            cursor.execute(statement)
    with connection.schema_editor() as editor:
        for model in (TunedOrder, AnalyzedOrder, PlainOrder):
            editor.create_model(model)
    connection.connection.create_function(
        "unpacked", 1, lambda packed: decompress_json(packed).decode(), deterministic=True
    )
    columns = ", ".join(str(field.column) for field in TunedOrder._meta.concrete_fields)
    with connection.cursor() as cursor:
        cursor.execute("ATTACH %s AS index_", [str(settings.DATABASES["default"]["NAME"])])
        for statement in _COPY:
            cursor.execute(statement.format(columns=columns))


if __name__ == "__main__":
    copy_orders(connections["peers"])
