"""The databases that tests run on, each with a way to make a fresh one cheaply."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

# For tests that open a database by its URL: what is in memory cannot be opened twice.
durable = pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)

# For what only SQLite, or only PostgreSQL, does.
only_memory = pytest.mark.parametrize("backend", ["memory"], indirect=True)
only_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


class Backend(Protocol):
    """Makes databases, each given as its URL and gone when the block ends."""

    def empty(self, folder: Path, /) -> AbstractAsyncContextManager[str]:
        """A database that was never migrated."""

    def migrated(self, folder: Path, /) -> AbstractAsyncContextManager[str]:
        """A database at head without a row."""


class Memory:
    """SQLite in memory, where a database begins with its first connection."""

    @asynccontextmanager
    async def empty(self, _folder: Path, /) -> AsyncIterator[str]:
        yield "sqlite://"

    migrated = empty


class SQLite:
    """SQLite files, copied from a migrated one."""

    def __init__(self, template: Path) -> None:
        self.template = template

    @asynccontextmanager
    async def empty(self, folder: Path, /) -> AsyncIterator[str]:
        yield f"sqlite:///{folder / 'blog.db'}"

    @asynccontextmanager
    async def migrated(self, folder: Path, /) -> AsyncIterator[str]:
        async with self.empty(folder) as url:
            shutil.copy(self.template, folder / "blog.db")
            yield url


class PostgreSQL:
    """Databases on one PostgreSQL server, copied from a migrated one."""

    def __init__(self, server: str, template: str = "") -> None:
        self.server = make_url(server).set(drivername="postgresql+asyncpg")
        self.template = template

    @asynccontextmanager
    async def empty(self, _folder: Path, /) -> AsyncIterator[str]:
        # Where the server knows languages, sorting as English does finds out the query
        # that forgets the order by code point.
        languages = "SELECT count(*) FROM pg_collation WHERE collname = 'en-US-x-icu'"
        locale = "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'" if await self._run(languages) else ""
        async with self._database(f"TEMPLATE template0 {locale}") as url:
            yield url

    @asynccontextmanager
    async def migrated(self, _folder: Path, /) -> AsyncIterator[str]:
        async with self._database(f'TEMPLATE "{make_url(self.template).database}"') as url:
            yield url

    @asynccontextmanager
    async def _database(self, options: str) -> AsyncIterator[str]:
        name = f"blog_test_{uuid4().hex}"
        await self._run(f'CREATE DATABASE "{name}" {options}')
        try:
            yield self.server.set(database=name).render_as_string(hide_password=False)
        finally:
            await self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    async def _run(self, sql: str) -> int:
        """Run a statement outside a transaction; gives the number it answers, if any."""
        engine = create_async_engine(self.server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        async with engine.connect() as connection:
            result = await connection.execute(text(sql))
            return int(result.scalar_one()) if result.returns_rows else 0
