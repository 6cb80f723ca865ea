"""Classifies failures of our own database as outages or bugs, and logs them."""

from __future__ import annotations

import logging
import sqlite3

from django.db import Error as DatabaseFailure
from django.db import InterfaceError, OperationalError

# Invalid SQL, and misuse of the SQLite library.
_WRONG = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISUSE}
# PostgreSQL, program_limit_exceeded: a statement that is too long or too deep.
_TOO_COMPLEX = "54"


def is_database_outage(error: Exception) -> bool:
    """Whether the database was unreachable, busy or full; otherwise the error is a bug.

    SQLite raises OperationalError for both an outage and a bug, PostgreSQL ProgrammingError for
    most bugs.
    """
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        code: int = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        return code & 0xFF not in _WRONG
    return not (getattr(cause, "sqlstate", "") or "").startswith(_TOO_COMPLEX)


def log_storage_failure(log: logging.Logger, what: str, error: DatabaseFailure) -> None:
    """Log that `what` could not be stored: one line for an outage, a traceback for a bug.

    The message of the exception is left out, because it may quote a row with personal data.
    """
    if is_database_outage(error):
        log.warning("%s could not be recorded: %s", what, error)
        return
    cause, kind = error.__cause__, type(error)
    code = getattr(cause, "sqlstate", "") or getattr(cause, "sqlite_errorname", "")
    silent = (kind, kind(), error.__traceback__)
    log.error("%s could not be recorded: %s %s", what, kind.__name__, code, exc_info=silent)
