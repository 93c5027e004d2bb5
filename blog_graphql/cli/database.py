"""``blog-graphql db``: migrate a database; and opening one for the other commands."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from io import StringIO
from typing import Annotated

import typer
from alembic import command
from alembic.runtime.migration import MigrationInfo
from alembic.script import Script
from sqlalchemy.exc import DBAPIError

from blog_graphql.db.database import Database
from blog_graphql.db.migrations import (
    alembic_config,
    alembic_errors,
    check_migrated,
    current_revision,
    head_revision,
    known_revisions,
    upgrade,
)
from blog_graphql.errors import StartupError
from blog_graphql.settings import Settings, load_settings

app = typer.Typer(
    name="db",
    no_args_is_help=True,
    help="Migrate the database that [bold]BLOG_DATABASE_URL[/bold] names.",
)

Sql = Annotated[
    bool, typer.Option("--sql", help="Print the SQL instead of running it; nothing is connected.")
]


@app.command("upgrade")
def upgrade_command(
    revision: Annotated[
        str, typer.Argument(help="A revision, [bold]+1[/bold] for one step, or the newest.")
    ] = "head",
    sql: Sql = False,
) -> None:
    """Migrate up to a revision, in one transaction."""
    _migrate(command.upgrade, revision, sql=sql)


# Alembic writes one step down as -1, which is not an option.
@app.command("downgrade", context_settings={"ignore_unknown_options": True})
def downgrade_command(
    revision: Annotated[
        str,
        typer.Argument(
            help="A revision, [bold]-1[/bold] for one step, or [bold]base[/bold] for an empty "
            "database; with [bold]--sql[/bold] a range, FROM:TO."
        ),
    ],
    sql: Sql = False,
) -> None:
    """Migrate down to a revision, in one transaction. What it drops is lost."""
    _migrate(command.downgrade, revision, sql=sql)


@app.command("current")
def current_command() -> None:
    """Print the revision that the database is at."""
    revision = asyncio.run(_current(load_settings()))
    at_head = revision == head_revision()
    typer.echo(f"{revision or 'none'} ({'head' if at_head else f'head is {head_revision()}'})")


@app.command("history")
def history_command() -> None:
    """List the revisions that this version ships, newest first."""
    command.history(alembic_config(load_settings()))


@app.command("stamp")
def stamp_command(
    revision: Annotated[str, typer.Argument(help="A revision, or [bold]head[/bold].")],
) -> None:
    """Record that the database is at a revision, and migrate nothing."""
    _migrate(command.stamp, revision)


@app.command("revision")
def revision_command(
    message: Annotated[
        str, typer.Option("--message", "-m", help="What the migration does, in a few words.")
    ],
    autogenerate: Annotated[
        bool,
        typer.Option(
            "--autogenerate", help="Write the difference between the database and the models."
        ),
    ] = False,
) -> None:
    """Write a new migration, for you to complete and read over."""
    settings = load_settings()
    if autogenerate:
        asyncio.run(_probe(settings))
    with alembic_errors():
        command.revision(
            alembic_config(settings),
            message,
            autogenerate=autogenerate,
            rev_id=f"{len(known_revisions()) + 1:04}",
        )


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database of a command, at head; disposed of when the block ends.

    SQLite is created and migrated; a server database must have been.

    Raises:
        StartupError: it cannot be opened, or is a server database that is not at head.
    """
    database = Database(settings)
    try:
        await _check_reachable(database)
        with _database_errors(settings):
            if settings.is_embedded:
                await upgrade(database)
            else:
                await check_migrated(database)
        yield database
    finally:
        await database.dispose()


def _migrate(run: Callable[..., None], revision: str, *, sql: bool = False) -> None:
    """Run one of Alembic's commands, and print what it did."""
    settings = load_settings()
    if sql:
        script = StringIO()
        with alembic_errors():
            run(alembic_config(settings, stdout=script), revision, sql=True)
        typer.echo(script.getvalue(), nl=False)
        return
    config = alembic_config(settings)
    steps: list[str] = []
    config.attributes["on_version_apply"] = lambda *, step, **_: steps.append(_describe(step))
    asyncio.run(_probe(settings))
    with alembic_errors(), _database_errors(settings):
        run(config, revision)
    typer.echo("\n".join(steps) or "nothing to do")


def _describe(step: MigrationInfo) -> str:
    before = ", ".join(step.source_revision_ids) or "base"
    after = ", ".join(step.destination_revision_ids) or "base"
    if step.is_stamp or not isinstance(step.up_revision, Script):
        return f"stamp {before} -> {after}"
    direction = "upgrade" if step.is_upgrade else "downgrade"
    return f"{direction} {before} -> {after}: {step.up_revision.doc}"


async def _probe(settings: Settings) -> None:
    database = Database(settings)
    try:
        await _check_reachable(database)
    finally:
        await database.dispose()


async def _current(settings: Settings) -> str | None:
    file = settings.database_file
    if file and not file.exists():
        return None  # connecting would create it
    database = Database(settings)
    try:
        await _check_reachable(database)
        async with database.engine.connect() as connection:
            return await current_revision(connection)
    finally:
        await database.dispose()


async def _check_reachable(database: Database) -> None:
    try:
        if file := database.settings.database_file:
            # aiosqlite prints a traceback from its thread when a file cannot be opened.
            sqlite3.connect(file).close()
        connection = await database.connect()
    except (OSError, sqlite3.Error, DBAPIError, OverflowError, TypeError, ValueError) as error:
        # The last three: a port or an option in the URL that makes no sense to the driver.
        raise _unusable(database.settings, error) from error
    await connection.close()


@contextmanager
def _database_errors(settings: Settings) -> Iterator[None]:
    """What the database refuses inside the block, as a ``StartupError``."""
    try:
        yield
    except (OSError, DBAPIError) as error:
        raise _unusable(settings, error) from error


def _unusable(settings: Settings, error: Exception) -> StartupError:
    cause = error.orig if isinstance(error, DBAPIError) else error
    reason = next(iter(str(cause).splitlines()), "") or type(cause).__name__
    if not settings.is_embedded:
        return StartupError(f"cannot use the database {_server_name(settings)}: {reason}")
    file = settings.database_file
    if file is None:
        return StartupError(f"cannot use a database in memory: {reason}")
    if not os.access(file.parent, os.W_OK):
        reason = f"the folder {file.parent} does not exist or cannot be written to"
    return StartupError(f"cannot use the database file {file}: {reason}")


def _server_name(settings: Settings) -> str:
    """Where a database is; never the URL itself, which can hide a password in many places."""
    url = settings.url
    host = url.host or url.query.get("host", "localhost")
    return f"{url.database or 'postgres'} on {host}{f':{url.port}' if url.port else ''}"
