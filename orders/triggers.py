"""Triggers that make the audit append-only, for both databases.

They are defined here and not in a migration, because tests that flush tables drop and recreate
them. No other code may do so.
"""

from __future__ import annotations

from typing import Any

_TABLE = "orders_auditentry"
_WORDS = "the audit is append-only"

_CREATE = {
    "sqlite": [
        *(
            f"CREATE TRIGGER audit_no_{what} BEFORE {what.upper()} ON {_TABLE} "
            f"BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END"
            for what in ("update", "delete")
        ),
        # INSERT OR REPLACE deletes without firing delete triggers, unless a connection asks for
        # recursive ones; ours do, others would not.
        f"CREATE TRIGGER audit_no_replace BEFORE INSERT ON {_TABLE} "  # noqa: S608 - a constant
        f"WHEN EXISTS (SELECT 1 FROM {_TABLE} WHERE id = NEW.id) "
        f"BEGIN SELECT RAISE(ABORT, '{_WORDS}'); END",
    ],
    "postgresql": [
        (
            "CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_WORDS}'; END $$"
        ),
        (
            f"CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON {_TABLE} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
        ),
        (
            f"CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {_TABLE} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
        ),
    ],
}
_DROP = {
    "sqlite": [
        f"DROP TRIGGER IF EXISTS audit_no_{what}" for what in ("update", "delete", "replace")
    ],
    "postgresql": [
        f"DROP TRIGGER IF EXISTS audit_no_{what} ON {_TABLE}" for what in ("change", "truncate")
    ],
}


def create_triggers(connection: Any) -> None:
    _run(connection, _CREATE)


def drop_triggers(connection: Any) -> None:
    _run(connection, _DROP)


def _run(connection: Any, statements: dict[str, list[str]]) -> None:
    with connection.cursor() as cursor:
        for statement in statements[connection.vendor]:
            cursor.execute(statement)
