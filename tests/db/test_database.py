"""The database: transactions, what SQLite is told, the pool and the statement timeout."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import exc, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.db.database import Database
from blog_graphql.db.migrations import upgrade
from blog_graphql.db.models import Post, User
from blog_graphql.settings import Settings, load_settings
from tests.support.backends import durable, only_postgresql, only_sqlite
from tests.support.blog import Blog
from tests.support.slow import SLOW

COUNT_USERS = select(func.count()).select_from(User)


def ann() -> User:
    return User(username="ann", hashed_password="!")


async def usernames(database: Database) -> list[str]:
    async with database.transaction() as session:
        return list(await session.scalars(select(User.username).order_by(User.username)))


@pytest.fixture
async def impatient(settings: Settings) -> AsyncIterator[Database]:
    """A database with one connection, whose statements may run for 0.3 seconds."""
    changes = {
        "pool_size": 1,
        "pool_max_overflow": 0,
        "pool_timeout": 0.2,
        "statement_timeout": 0.3,
    }
    database = Database(settings.model_copy(update=changes))
    if settings.is_in_memory:
        await upgrade(database)
    yield database
    await database.dispose()


async def test_a_transaction_commits_when_the_block_ends(database: Database) -> None:
    async with database.transaction() as session:
        session.add(ann())
    assert await usernames(database) == ["ann"]


async def test_a_transaction_rolls_back_when_the_block_raises(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as session:
            session.add(ann())
            await session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await usernames(database) == []
    assert database.pool_status()["checkedOut"] == 0


async def test_a_savepoint_is_undone_alone(database: Database) -> None:
    async def clash(session: AsyncSession) -> None:
        async with session.begin_nested():
            for username in ("ben", "BEN"):
                session.add(User(username=username, hashed_password="!"))
                await session.flush()

    async with database.transaction() as session:
        session.add(ann())
        await session.flush()
        with pytest.raises(IntegrityError):
            await clash(session)
        async with session.begin_nested():
            session.add(User(username="cat", hashed_password="!"))
    assert await usernames(database) == ["ann", "cat"]


async def test_a_released_savepoint_goes_with_its_transaction(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as session:
            async with session.begin_nested():
                session.add(ann())
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await usernames(database) == []


async def test_foreign_keys_are_enforced(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.transaction() as session:
            session.add(Post(title="A", slug="a", content="A", author_id=404))
    async with database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Post)) == 0


async def test_foreign_keys_cascade(database: Database, blog: Blog) -> None:
    author = await blog.user("ann")
    await blog.post(author)
    await blog.delete(User, author)
    async with database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Post)) == 0


@only_sqlite
async def test_writers_on_sqlite_take_turns(database: Database, blog: Blog) -> None:
    key = await blog.post(await blog.user("ann"))

    async def count_view() -> None:
        async with database.transaction() as session:
            seen = await session.scalar(select(Post.view_count).where(Post.id == key))
            assert seen is not None
            await session.execute(update(Post).where(Post.id == key).values(view_count=seen + 1))

    await asyncio.gather(*(count_view() for _ in range(4)))
    async with database.transaction() as session:
        assert await session.scalar(select(Post.view_count)) == 4


@only_sqlite
async def test_sqlite_reads_while_another_connection_writes(database: Database) -> None:
    reading = await database.connect()
    async with database.transaction() as session:
        session.add(ann())
        await session.flush()
        during = await reading.scalar(COUNT_USERS)
    after = await reading.scalar(COUNT_USERS)
    await reading.close()
    assert (during, after) == (0, 1)


async def test_errors_do_not_show_what_was_written(database: Database) -> None:
    with pytest.raises(IntegrityError) as raised:
        async with database.transaction() as session:
            session.add(Post(title="A", slug="a", content="between us", author_id=404))
    assert "between us" not in str(raised.value)


async def test_a_database_in_memory_lasts_as_long_as_its_pool() -> None:
    database = Database(load_settings(_env_file=None, database_url="sqlite://", pool_recycle=0))
    await upgrade(database)
    async with database.transaction() as session:
        session.add(ann())
    assert await usernames(database) == ["ann"]
    assert await asyncio.gather(*(usernames(database) for _ in range(10))) == [["ann"]] * 10
    await database.dispose()


async def test_two_databases_in_memory_are_two() -> None:
    one, other = (
        Database(load_settings(_env_file=None, database_url="sqlite://")) for _ in range(2)
    )
    for database in (one, other):
        await upgrade(database)
    await Blog(one).user("ann")
    assert await usernames(one) == ["ann"]
    assert await usernames(other) == []
    await one.dispose()
    await other.dispose()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite://", True),
        ("sqlite+aiosqlite://", True),
        ("sqlite:///:memory:", True),
        ("sqlite:///blog.db", False),
        ("postgresql://localhost/blog", False),
    ],
)
def test_what_is_in_memory(url: str, *, expected: bool) -> None:
    assert load_settings(_env_file=None, database_url=url).is_in_memory is expected


@durable
async def test_the_pool_is_as_large_as_set(settings: Settings) -> None:
    # Long enough to connect on a busy machine: the same setting bounds that.
    changes = {"pool_size": 2, "pool_max_overflow": 1, "pool_timeout": 2}
    database = Database(settings.model_copy(update=changes))
    idle = database.pool_status()
    connections = [await database.connect() for _ in range(3)]
    full = database.pool_status()
    with pytest.raises(exc.TimeoutError):
        await database.connect()
    for connection in connections:
        await connection.close()
    returned = database.pool_status()
    await database.dispose()

    limits = {"size": 2, "maxOverflow": 1}
    assert idle == {**limits, "checkedIn": 0, "checkedOut": 0, "overflow": 0}
    assert full == {**limits, "checkedIn": 0, "checkedOut": 3, "overflow": 1}
    assert returned == {**limits, "checkedIn": 2, "checkedOut": 0, "overflow": 0}


async def test_the_pool_in_memory_is_the_one_connection() -> None:
    database = Database(load_settings(_env_file=None, database_url="sqlite://", pool_size=9))
    connection = await database.connect()
    status = database.pool_status()
    await connection.close()
    await database.dispose()
    assert status == {
        "size": 1,
        "maxOverflow": 0,
        "checkedIn": 0,
        "checkedOut": 1,
        "overflow": 0,
    }


async def test_a_transaction_has_the_statement_timeout_too(impatient: Database) -> None:
    await Blog(impatient).user("ann")

    async def write() -> None:
        async with impatient.transaction() as session:
            session.add(User(username="ben", hashed_password="!"))
            await session.flush()
            await session.execute(SLOW)

    with pytest.raises(DBAPIError):
        await write()
    assert await usernames(impatient) == ["ann"]


async def test_the_timeout_is_that_of_a_statement_not_of_a_connection(
    impatient: Database,
) -> None:
    for _ in range(2):
        with pytest.raises(DBAPIError):
            async with impatient.transaction() as session:
                await session.execute(SLOW)
        assert await usernames(impatient) == []


@only_postgresql
@pytest.mark.parametrize(("seconds", "expected"), [(10, "10s"), (0.25, "250ms"), (120, "2min")])
async def test_postgresql_is_told_the_statement_timeout(
    settings: Settings, seconds: float, expected: str
) -> None:
    database = Database(settings.model_copy(update={"statement_timeout": seconds}))
    assert await _show(database, "statement_timeout") == expected
    await database.dispose()


@only_postgresql
async def test_postgresql_sessions_are_named_and_in_utc(database: Database) -> None:
    assert await _show(database, "application_name") == "blog-graphql"
    assert await _show(database, "timezone") == "UTC"


@only_postgresql
async def test_a_connection_that_the_server_closed_is_replaced(settings: Settings) -> None:
    database = Database(settings.model_copy(update={"pool_size": 1}))
    connection = await database.connect()
    process = await connection.scalar(text("SELECT pg_backend_pid()"))
    await connection.close()
    other = Database(settings)
    async with other.transaction() as session:
        # Waits until the process is gone.
        gone = await session.scalar(
            text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process}
        )
    await other.dispose()
    assert gone is True
    assert await usernames(database) == []
    await database.dispose()


@durable
async def test_sql_echo_logs_statements_without_their_parameters(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database(settings.model_copy(update={"sql_echo": True}))
    async with database.transaction() as session:
        await session.scalar(select(User.id).where(User.username == "somebody"))
    await database.dispose()
    printed = "".join(capsys.readouterr())
    assert "FROM users" in printed
    assert "somebody" not in printed


async def _show(database: Database, setting: str) -> Any:
    connection = await database.connect()
    try:
        return await connection.scalar(text(f"SHOW {setting}"))
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite://", True),
        ("sqlite:///:memory:", True),
        ("sqlite:///file::memory:?cache=shared&uri=true", True),
        ("sqlite:///file:blog?mode=memory&cache=shared&uri=true", True),
        ("sqlite:///file:blog.db?mode=ro&uri=true", False),
        ("sqlite:///blog.db", False),
        ("postgresql://localhost/memory", False),
    ],
)
def test_what_lives_in_memory(url: str, *, expected: bool) -> None:
    assert load_settings(database_url=url).is_in_memory is expected
