"""What a PostgreSQL server says of the statements that it runs."""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.db.database import Database

_RUNNING = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND state = 'active' AND query LIKE 'WITH RECURSIVE numbers%'"
)
_WAITED_FOR = text(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted "
    "AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
)
# Seconds after which what should have happened is given up.
_PATIENCE = 30


async def slow_statements(database: Database) -> int:
    """How many slow statements run on the server; none on SQLite, where nothing could tell."""
    if database.settings.is_embedded:
        return 0
    observer = Database(database.settings)
    async with observer.transaction() as session:
        count: int = await session.scalar(_RUNNING)
    await observer.dispose()
    return count


async def started(database: Database, sent: asyncio.Event) -> None:
    """Wait until a slow statement runs, after ``noticed`` saw it on its way.

    PostgreSQL forgets a request to cancel what it has not begun.
    """
    async with asyncio.timeout(_PATIENCE):
        await sent.wait()
        if not database.settings.is_embedded:
            while not await slow_statements(database):
                pass


async def waited_for(session: AsyncSession) -> None:
    """Wait until somebody waits for a lock that the session's transaction holds."""
    async with asyncio.timeout(_PATIENCE):
        while not await session.scalar(_WAITED_FOR):
            pass


async def ended(task: asyncio.Task[object]) -> None:
    """Wait until a task has ended, which must not take as long as the statement it runs may."""
    await asyncio.wait([task], timeout=_PATIENCE)
    assert task.done()
