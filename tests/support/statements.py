"""Recording the SQL that a test causes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from blog_graphql.db.database import Database

HOUSEKEEPING = ("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE", "ROLLBACK", "SELECT count(pg_notify")


@contextmanager
def recorded_statements(database: Database) -> Iterator[list[str]]:
    """The statements that run on a database inside the block, transaction control left out.

    So are the notices of live updates, which go with a transaction.
    """
    statements: list[str] = []

    def record(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(HOUSEKEEPING):
            statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(database.engine.sync_engine, "before_cursor_execute", record)
