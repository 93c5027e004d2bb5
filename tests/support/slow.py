"""Statements that run until something stops them, and a way to know that they run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text

from blog_graphql.db.database import Database

# Both databases would count for minutes.
SLOW = text(
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers "
    "WHERE n < 1000000000) SELECT count(*) FROM numbers"
)


@contextmanager
def noticed(database: Database) -> Iterator[asyncio.Event]:
    """An event that is set as soon as a statement is sent inside the block."""
    sent = asyncio.Event()

    def notice(*_: Any) -> None:
        sent.set()

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", notice)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", notice)


@contextmanager
def slowed(database: Database) -> Iterator[None]:
    """Inside the block the slow statement is run in place of every ``SELECT`` but notices."""

    def replace(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> tuple[str, Any]:
        is_read = statement.startswith("SELECT") and "pg_notify" not in statement
        return (SLOW.text, ()) if is_read else (statement, parameters)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", replace, retval=True)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", replace)
