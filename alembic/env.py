"""Alembic's environment: on which connection, and in which transaction, migrations run."""

from __future__ import annotations

import asyncio
import warnings
from logging.config import fileConfig
from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection, func, select

from blog_graphql.db.database import Database
from blog_graphql.db.migrations import migration_connection
from blog_graphql.db.models import Base
from blog_graphql.db.types import UTCDateTime
from blog_graphql.settings import load_settings

# Any number will do that nothing else locks in the same database: "blog" in ASCII.
ADVISORY_LOCK = 0x626C6F67

config = context.config
settings = config.attributes.get("settings") or load_settings()

# Only Alembic's own command line comes with a file; elsewhere logging is the application's.
if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)


def render_item(kind: str, item: Any, _autogen: Any) -> str | Literal[False]:
    """Our own type as the one it stands for: a migration imports nothing of ours."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def configure(**target: Any) -> None:
    context.configure(
        target_metadata=Base.metadata,
        render_item=render_item,
        compare_type=True,
        render_as_batch=settings.is_embedded,
        # Alembic doubts it of SQLite, but our connections begin their transactions themselves.
        transactional_ddl=True,
        on_version_apply=config.attributes.get("on_version_apply"),
        **target,
    )


def write_sql() -> None:
    configure(url=settings.url, literal_binds=True, dialect_opts={"paramstyle": "named"})
    with context.begin_transaction():
        context.run_migrations()


def migrate(connection: Connection) -> None:
    configure(connection=connection)
    with warnings.catch_warnings(), context.begin_transaction():
        # Comparing with the models, Alembic cannot see SQLite's indexes on expressions.
        warnings.filterwarnings("ignore", ".*expression-based index")
        # Two upgrades at once: the second waits, then finds nothing to do. SQLite's
        # BEGIN IMMEDIATE does the same.
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))
        context.run_migrations()


async def connect_and_migrate() -> None:
    database = Database(settings)
    try:
        async with migration_connection(database) as connection:
            await connection.run_sync(migrate)
    finally:
        await database.dispose()


if context.is_offline_mode():
    write_sql()
elif "connection" in config.attributes:
    migrate(config.attributes["connection"])
else:
    asyncio.run(connect_and_migrate())
