"""`manage.py grant_runtime_role NAME`: grant the database rights that the dashboard needs.

On PostgreSQL, run it as the role that owns the tables and runs `migrate`. The dashboard then
connects as a role that owns nothing: it cannot drop the triggers of the audit, nor change an entry.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from psycopg import sql

from orders.models import AuditEntry

_AUDIT = AuditEntry._meta.db_table
_STATEMENTS = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "REVOKE UPDATE, DELETE, TRUNCATE ON {audit} FROM {role}",
    "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}",
    # The tables of later migrations.
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
)


class Command(BaseCommand):
    help = "Grants the role of the running dashboard what it needs, and no more (PostgreSQL)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", help="an existing role that can log in and owns no table")

    def handle(self, *, role: str, **_options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Only PostgreSQL has roles.")
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            if cursor.fetchone() is None:
                raise CommandError(f"There is no role {role}. CREATE ROLE {role} LOGIN makes it.")
            names = {"role": sql.Identifier(role), "audit": sql.Identifier(_AUDIT)}
            for statement in _STATEMENTS:
                cursor.execute(sql.SQL(statement).format(**names))
        self.stdout.write(f"{role} may run the dashboard.")
