"""The migrations: one history that ends at the models, on every database, in both directions."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import IntegrityError

from blog_graphql.db.database import Database
from blog_graphql.db.migrations import (
    alembic_config,
    check_migrated,
    current_revision,
    downgrade,
    head_revision,
    known_revisions,
    upgrade,
)
from blog_graphql.db.models import Base, Post, User
from blog_graphql.errors import StartupError
from blog_graphql.settings import load_settings
from tests.support.backends import durable, only_sqlite

CHECKOUT = Path(__file__).parents[2]
MOMENT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)

# SQLAlchemy cannot reflect SQLite's indexes on expressions, and says so each time.
# test_migrated_database_is_what_the_models_create compares their text.
pytestmark = pytest.mark.filterwarnings("ignore:.*expression-based index")

# A blog as it was at 0001; SQLite keeps a moment as the text of its UTC time.
OLD_ROWS = """
INSERT INTO users
  (id, username, username_key, hashed_password, role, is_active, created_at, updated_at)
VALUES (1, 'Ann', 'ann', '!', 'AUTHOR', true, :moment, :moment);
INSERT INTO posts (id, title, slug, content, author_id, created_at, updated_at)
VALUES (1, 'Old', 'old', 'Text', 1, :moment, :moment);
INSERT INTO tags (id, name, name_key, created_at) VALUES (1, 'Tea', 'tea', :moment);
INSERT INTO post_tags (post_id, tag_id) VALUES (1, 1);
INSERT INTO post_sources (post_id, path, content_hash, imported_at)
VALUES (1, 'old.md', 'abc', :moment)
"""
FIRST_TABLES = ("users", "posts", "tags", "post_tags", "post_sources")
TABLES = (*FIRST_TABLES, "sessions", "post_slugs")


@pytest.fixture
async def unmigrated(empty_url: str) -> AsyncIterator[Database]:
    database = Database(load_settings(_env_file=None, database_url=empty_url))
    yield database
    await database.dispose()


async def test_history_is_walked_up_and_down_and_up(unmigrated: Database) -> None:
    tables = [await _tables(unmigrated)]
    for migrate, revision in ((upgrade, "head"), (downgrade, "base"), (upgrade, "head")):
        await migrate(unmigrated, revision)
        tables.append(await _tables(unmigrated))

    full = {*TABLES, "alembic_version"}
    assert tables == [set(), full, {"alembic_version"}, full]


async def test_each_step_can_be_taken_by_itself(unmigrated: Database) -> None:
    seen = []
    for revision in known_revisions():
        await upgrade(unmigrated, revision)
        seen.append(await _revision(unmigrated))
    for _ in known_revisions():
        await downgrade(unmigrated, "-1")
        seen.append(await _revision(unmigrated))

    assert seen == ["0001", "0002", "0003", "0004", "0003", "0002", "0001", None]


async def test_alembic_sees_no_drift_from_the_models(database: Database) -> None:
    assert await _run(database, _differences) == []


async def test_migrated_database_is_what_the_models_create(database: Database) -> None:
    """More than Alembic compares: constraint names and texts, collations, index expressions."""
    migrated = await _run(database, _describe)

    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)

    assert await _run(database, _describe) == migrated
    assert migrated["posts"]["checks"] == ["ck_posts_version", "ck_posts_view_count"]
    assert "ix_posts_published_at_desc_id" in migrated["posts"]["indexes"]


async def test_rows_of_the_first_revision_survive_the_way_up_and_down(
    unmigrated: Database,
) -> None:
    await upgrade(unmigrated, "0001")
    await _insert_old_rows(unmigrated)

    await upgrade(unmigrated)
    async with unmigrated.transaction() as session:
        user = await session.get_one(User, 1)
        post = await session.get_one(Post, 1)
        assert (user.bio, user.created_at) == (None, MOMENT)
        assert (post.view_count, post.version, post.is_published) == (0, 1, False)
        assert post.updated_at == MOMENT
        post.view_count = 7
    with pytest.raises(IntegrityError, match="ck_posts_view_count"):
        async with unmigrated.transaction() as session:
            await session.execute(text("UPDATE posts SET view_count = -1"))

    await downgrade(unmigrated, "0001")
    assert await _row_counts(unmigrated) == [1, 1, 1, 1, 1]
    await upgrade(unmigrated)
    assert await _row_counts(unmigrated) == [1, 1, 1, 1, 1]
    async with unmigrated.transaction() as session:
        assert (await session.get_one(Post, 1)).view_count == 0


@pytest.mark.parametrize("backend", ["memory", "sqlite"], indirect=True)
async def test_table_is_rebuilt_without_losing_what_refers_to_it(
    unmigrated: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration to come may rebuild an SQLite table; foreign keys must not cascade then."""
    await upgrade(unmigrated, "0001")
    await _insert_old_rows(unmigrated)
    rebuild = "with op.batch_alter_table('users', recreate='always'): pass"
    migrations = _copy_with(tmp_path, "rebuild", rebuild)
    monkeypatch.setattr("blog_graphql.db.migrations._script_location", lambda: migrations)

    await upgrade(unmigrated, "rebuild")

    assert await _row_counts(unmigrated) == [1, 1, 1, 1, 1]
    with pytest.raises(IntegrityError):
        async with unmigrated.transaction() as session:
            await session.execute(text("UPDATE posts SET author_id = 99"))


@durable
async def test_failing_migration_leaves_nothing_behind(
    unmigrated: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations = _copy_with(
        tmp_path, "broken", "op.execute('CREATE TABLE half (id INTEGER)'); 1 / 0"
    )
    monkeypatch.setattr("blog_graphql.db.migrations._script_location", lambda: migrations)

    with pytest.raises(ZeroDivisionError):
        await upgrade(unmigrated, "broken")

    assert await _tables(unmigrated) == set()


@durable
async def test_two_alembic_commands_at_once_are_safe(unmigrated: Database) -> None:
    """Also shows that Alembic's own command works from the checkout."""
    url = unmigrated.settings.database_url
    commands = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "alembic", "upgrade", "head"),
            cwd=CHECKOUT,
            env={**os.environ, "BLOG_DATABASE_URL": url},
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    printed = [(await command.communicate())[1].decode() for command in commands]

    assert [command.returncode for command in commands] == [0, 0], printed
    assert "".join(printed).count("Running upgrade 0001 -> 0002") == 1
    assert await _revision(unmigrated) == head_revision()


@durable
async def test_statement_timeout_does_not_stop_a_migration(
    unmigrated: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
    migrations = _copy_with(tmp_path, "slow", f"op.execute('{count} SELECT count(*) FROM n')")
    monkeypatch.setattr("blog_graphql.db.migrations._script_location", lambda: migrations)
    hasty = Database(unmigrated.settings.model_copy(update={"statement_timeout": 0.001}))

    await upgrade(hasty, "slow")
    await hasty.dispose()

    assert await _revision(unmigrated) == "slow"


async def test_unmigrated_database_is_refused(unmigrated: Database) -> None:
    with pytest.raises(StartupError) as refusal:
        await check_migrated(unmigrated)
    assert str(refusal.value) == (
        "the database is at revision none, head is 0004: run blog-graphql db upgrade"
    )
    assert await _tables(unmigrated) == set()


async def test_half_migrated_database_is_refused(unmigrated: Database) -> None:
    await upgrade(unmigrated, "0002")
    with pytest.raises(StartupError) as refusal:
        await check_migrated(unmigrated)
    assert str(refusal.value) == (
        "the database is at revision 0002, head is 0004: run blog-graphql db upgrade"
    )


async def test_database_of_a_newer_version_is_refused(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = '0099'"))

    with pytest.raises(StartupError) as refusal:
        await check_migrated(database)
    assert str(refusal.value) == (
        "the database is at revision 0099, which this version does not know (its head is 0004): "
        "run the version that migrated it, or a newer one"
    )
    with pytest.raises(StartupError) as refusal:
        await upgrade(database)
    assert str(refusal.value) == "Can't locate revision identified by '0099'"


async def test_migrated_database_is_accepted(database: Database) -> None:
    await check_migrated(database)
    assert await _revision(database) == "0004"


async def test_unknown_revision_is_refused(unmigrated: Database) -> None:
    with pytest.raises(StartupError, match=r"^Can't locate revision identified by 'nowhere'$"):
        await upgrade(unmigrated, "nowhere")
    assert await _tables(unmigrated) == set()


@pytest.mark.parametrize("url", ["sqlite:///nowhere.db", "postgresql://nobody@nowhere.invalid/x"])
def test_offline_sql_needs_no_database(url: str) -> None:
    up, down = StringIO(), StringIO()
    settings = load_settings(_env_file=None, database_url=url)
    command.upgrade(alembic_config(settings, stdout=up), "head", sql=True)
    command.downgrade(alembic_config(settings, stdout=down), "head:base", sql=True)

    created = [line for line in up.getvalue().splitlines() if line.startswith("CREATE TABLE")]
    assert created == [f"CREATE TABLE {name} (" for name in ("alembic_version", *TABLES)]
    assert up.getvalue().count("BEGIN;") == up.getvalue().count("COMMIT;") == 1
    assert ('COLLATE "C"' in up.getvalue()) == url.startswith("postgresql")
    assert "ALTER TABLE posts DROP COLUMN view_count;" in down.getvalue()
    assert not Path("nowhere.db").exists()


@only_sqlite
async def test_offline_sql_makes_the_same_database(unmigrated: Database) -> None:
    script = StringIO()
    command.upgrade(alembic_config(unmigrated.settings, stdout=script), "head", sql=True)
    lines = (line for line in script.getvalue().splitlines() if not line.startswith("--"))
    statements = [part.strip() for part in "\n".join(lines).split(";")]

    async with unmigrated.engine.begin() as connection:
        for statement in statements:
            if statement not in {"", "BEGIN", "COMMIT"}:
                await connection.exec_driver_sql(statement)

    await check_migrated(unmigrated)
    assert await _run(unmigrated, _differences) == []


async def _run(database: Database, function: Any) -> Any:
    async with database.engine.connect() as connection:
        return await connection.run_sync(function)


async def _tables(database: Database) -> set[str]:
    return set(await _run(database, lambda connection: inspect(connection).get_table_names()))


async def _revision(database: Database) -> str | None:
    async with database.engine.connect() as connection:
        return await current_revision(connection)


async def _insert_old_rows(database: Database) -> None:
    moment = "2026-03-01 12:30:15.123456"
    if not database.settings.is_embedded:
        moment += "+00"
    async with database.engine.begin() as connection:
        for statement in OLD_ROWS.replace(":moment", f"'{moment}'").split(";"):
            await connection.exec_driver_sql(statement)


async def _row_counts(database: Database) -> list[int]:
    async with database.engine.connect() as connection:
        return [
            (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()
            for table in FIRST_TABLES
        ]


def _copy_with(folder: Path, revision: str, body: str) -> Path:
    """The migrations, and one more after the first whose upgrade is given."""
    copy = folder / "migrations"
    shutil.copytree(CHECKOUT / "alembic", copy)
    (copy / "versions" / f"{revision}.py").write_text(
        f"import sqlalchemy as sa\n"
        f"from alembic import op\n"
        f"revision = {revision!r}\n"
        f"down_revision = '0001'\n"
        f"def upgrade():\n    {body}\n"
    )
    return copy


def _differences(connection: Connection) -> Any:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return compare_metadata(context, Base.metadata)


def _describe(connection: Connection) -> dict[str, Any]:
    """Every table with all that its definition says."""
    inspector = inspect(connection)
    if connection.dialect.name == "sqlite":
        indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :table"
    else:
        indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :table"
    description: dict[str, Any] = {}
    for table in FIRST_TABLES:
        checks = inspector.get_check_constraints(table)
        description[table] = {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(table)
            },
            "primary key": inspector.get_pk_constraint(table),
            "unique": sorted(map(str, inspector.get_unique_constraints(table))),
            "foreign keys": sorted(map(str, inspector.get_foreign_keys(table))),
            "checks": sorted(str(check["name"]) for check in checks),
            "check texts": sorted(check["sqltext"] for check in checks),
            "indexes": dict(connection.execute(text(indexes), {"table": table}).all()),
        }
    return description
