"""Bringing a database to a revision, and telling at which one it is."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from blog_graphql.db.database import Database
from blog_graphql.errors import StartupError
from blog_graphql.settings import Settings

_PACKAGE = Path(__file__).parents[1]

# Seconds: a migration takes as long as it takes. This is the most that settings allow.
_NO_TIMEOUT = 2_000_000


def alembic_config(settings: Settings, *, stdout: TextIO | None = None) -> Config:
    """Alembic's configuration for a database, for use with ``alembic.command``.

    SQL and listings go to ``stdout``, by default the one of this process.
    """
    stdout = stdout or sys.stdout
    config = Config(stdout=stdout, output_buffer=stdout)
    # ConfigParser reads a % in a path as the start of a reference.
    config.set_main_option("script_location", str(_script_location()).replace("%", "%%"))
    config.attributes["settings"] = settings
    return config


@contextmanager
def alembic_errors() -> Iterator[None]:
    """What Alembic refuses inside the block, as a ``StartupError``."""
    try:
        yield
    except CommandError as error:
        raise StartupError(str(error)) from error


@cache
def known_revisions() -> tuple[str, ...]:
    """The revisions that this version ships, oldest first."""
    scripts = ScriptDirectory(_script_location())
    return tuple(reversed([script.revision for script in scripts.walk_revisions()]))


def head_revision() -> str:
    """The newest revision that this version ships."""
    return known_revisions()[-1]


async def current_revision(connection: AsyncConnection) -> str | None:
    """The revision of a database, or None when it was never migrated."""
    return await connection.run_sync(
        lambda sync: MigrationContext.configure(sync).get_current_revision()
    )


async def check_migrated(database: Database) -> None:
    """Make sure that the database is at head.

    Raises:
        StartupError: it is not; the message says what to do about it.
    """
    connection = await database.connect()
    try:
        current = await current_revision(connection)
    finally:
        await connection.close()
    if current == head_revision():
        return
    if current is None or current in known_revisions():
        raise StartupError(
            f"the database is at revision {current or 'none'}, head is {head_revision()}: "
            "run blog-graphql db upgrade"
        )
    raise StartupError(
        f"the database is at revision {current}, which this version does not know "
        f"(its head is {head_revision()}): run the version that migrated it, or a newer one"
    )


async def upgrade(database: Database, revision: str = "head") -> None:
    """Migrate a database up to a revision, in one transaction.

    One at a time in a process, since Alembic keeps its context globally; other
    processes may do the same at once.

    Raises:
        StartupError: there is no such revision, or the database is at one not known here.
    """
    await _migrate(database, command.upgrade, revision)


async def downgrade(database: Database, revision: str) -> None:
    """Migrate a database down to a revision, ``base`` being an empty one, in one transaction.

    Raises:
        StartupError: there is no such revision, or the database is at one not known here.
    """
    await _migrate(database, command.downgrade, revision)


@asynccontextmanager
async def migration_connection(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection fit for migrating: no statement timeout, and SQLite may rebuild tables.

    It is one of its own, except in memory, where another would be another database.
    """
    if database.settings.is_in_memory:
        async with _rebuilding(database) as connection:
            yield connection
        return
    patient = Database(database.settings.model_copy(update={"statement_timeout": _NO_TIMEOUT}))
    try:
        async with _rebuilding(patient) as connection:
            yield connection
    finally:
        await patient.dispose()


@asynccontextmanager
async def _rebuilding(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection on which dropping a table leaves the rows that refer to it.

    Alembic changes an SQLite table by copying it and dropping the original, and
    enforced foreign keys would cascade that. SQLite switches them only outside
    a transaction, hence on the driver.
    """
    async with database.engine.connect() as connection:
        if not database.settings.is_embedded:
            yield connection
            return
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute("PRAGMA foreign_keys = OFF")
        try:
            yield connection
        finally:
            await driver.execute("PRAGMA foreign_keys = ON")


async def _migrate(database: Database, step: Callable[[Config, str], None], revision: str) -> None:
    config = alembic_config(database.settings)

    def run(connection: Connection) -> None:
        config.attributes["connection"] = connection
        step(config, revision)

    async with migration_connection(database) as connection:
        with alembic_errors():
            await connection.run_sync(run)


def _script_location() -> Path:
    """A wheel carries the migrations inside the package, a checkout beside it."""
    packaged = _PACKAGE / "_alembic"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "alembic"
