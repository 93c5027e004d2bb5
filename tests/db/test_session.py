"""The session context: one connection for one operation, always given back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import func, literal, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from blog_graphql.db.database import Database
from blog_graphql.db.migrations import upgrade
from blog_graphql.db.models import User
from blog_graphql.db.session import SessionContext, session_context
from blog_graphql.errors import ServiceUnavailable, StatementTimeout
from blog_graphql.settings import Settings, load_settings
from tests.support.activity import ended, slow_statements, started
from tests.support.backends import durable, only_postgresql
from tests.support.blog import Blog
from tests.support.slow import SLOW, noticed

COUNT_USERS = select(func.count()).select_from(User)
BUSY = "Every database connection is in use. Try again shortly."


@pytest.fixture
async def tight(settings: Settings) -> AsyncIterator[Database]:
    """A database with one connection, little patience, and no users."""
    changes = {
        "pool_size": 1,
        "pool_max_overflow": 0,
        "pool_timeout": 2,
        "statement_timeout": 0.3,
    }
    database = Database(settings.model_copy(update=changes))
    if settings.is_in_memory:
        await upgrade(database)
    yield database
    await database.dispose()


@pytest.fixture
async def single(settings: Settings) -> AsyncIterator[Database]:
    """A database with one connection and one user, whose statements may run for minutes."""
    changes = {"pool_size": 1, "pool_max_overflow": 0, "statement_timeout": 120}
    database = Database(settings.model_copy(update=changes))
    if settings.is_in_memory:
        await upgrade(database)
    await Blog(database).user("ann")
    yield database
    await database.dispose()


async def test_answers_with_rows_and_with_scalars(database: Database, blog: Blog) -> None:
    await blog.user("ann")
    await blog.user("ben")
    async with session_context(database) as session:
        rows = await session.fetch(select(User.username).order_by(User.username))
        count = await session.scalar(COUNT_USERS)
    assert [tuple(row) for row in rows] == [("ann",), ("ben",)]
    assert count == 2
    assert session.statements == 2


async def test_parameters_are_bound(database: Database, blog: Blog) -> None:
    await blog.user("ann")
    async with session_context(database) as session:
        statement = text("SELECT username FROM users WHERE username_key = :key")
        assert await session.scalar(statement, key="ann") == "ann"
        assert await session.fetch(statement, key="' OR '' = '") == []


async def test_a_connection_is_borrowed_with_the_first_statement(database: Database) -> None:
    async with session_context(database) as session:
        assert database.pool_status()["checkedOut"] == 0
        await session.scalar(COUNT_USERS)
        await session.scalar(COUNT_USERS)
        assert database.pool_status()["checkedOut"] == 1
    assert database.pool_status()["checkedOut"] == 0


async def test_the_connection_is_returned_when_the_operation_fails(database: Database) -> None:
    async def fail() -> None:
        async with session_context(database) as session:
            await session.scalar(COUNT_USERS)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert database.pool_status()["checkedOut"] == 0


async def test_tasks_share_the_one_connection(tight: Database) -> None:
    async with session_context(tight) as session:
        numbers = await asyncio.gather(
            *(session.scalar(select(literal(number))) for number in range(20))
        )
        assert tight.pool_status()["checkedOut"] == 1
    assert numbers == list(range(20))
    assert session.statements == 20


async def test_a_refused_statement_leaves_the_session_usable(database: Database) -> None:
    async with session_context(database) as session:
        with pytest.raises(DBAPIError):
            await session.fetch(text("SELECT nothing FROM nowhere"))
        assert await session.scalar(COUNT_USERS) == 0


@pytest.mark.parametrize("snapshot", [False, True])
async def test_a_statement_that_takes_too_long_is_cancelled(
    tight: Database, *, snapshot: bool
) -> None:
    async with session_context(tight, snapshot=snapshot) as session:
        with pytest.raises(StatementTimeout) as raised:
            await session.fetch(SLOW)
        assert await session.scalar(COUNT_USERS) == 0
    assert str(raised.value) == "The database took too long to answer. Ask for less at once."
    async with session_context(tight) as session:
        assert await session.scalar(COUNT_USERS) == 0


async def test_a_cancelled_operation_stops_its_statement(single: Database) -> None:
    async def operate() -> None:
        async with session_context(single) as session:
            await session.fetch(SLOW)

    with noticed(single) as sent:
        operation = asyncio.create_task(operate())
        await started(single, sent)
    operation.cancel()
    await ended(operation)
    assert operation.cancelled()
    await assert_usable(single)


async def test_an_operation_that_is_cancelled_twice_cleans_up_all_the_same(
    single: Database,
) -> None:
    async def operate() -> None:
        async with session_context(single, snapshot=True) as session:
            await session.fetch(SLOW)

    with noticed(single) as sent:
        operation = asyncio.create_task(operate())
        await started(single, sent)
    for _ in range(2):
        operation.cancel()
        await asyncio.sleep(0)
    await ended(operation)
    assert operation.cancelled()
    await assert_usable(single)


async def test_closing_stops_what_runs_and_refuses_what_waits(single: Database) -> None:
    session = SessionContext(single)
    with noticed(single) as sent:
        running = asyncio.create_task(session.fetch(SLOW))
        waiting = asyncio.create_task(session.scalar(COUNT_USERS))
        await started(single, sent)
    await ended(asyncio.create_task(session.close()))
    outcomes = await asyncio.gather(running, waiting, return_exceptions=True)
    assert [(type(outcome), str(outcome)) for outcome in outcomes] == [
        (RuntimeError, "the operation is over")
    ] * 2
    assert session.statements == 1
    await assert_usable(single)


@pytest.mark.parametrize("snapshot", [False, True])
@pytest.mark.parametrize("turns", range(0, 30, 5))
async def test_closing_at_any_moment_leaves_a_pool_of_one_usable(
    single: Database, turns: int, *, snapshot: bool
) -> None:
    session = SessionContext(single, snapshot=snapshot)
    tasks = [asyncio.create_task(session.fetch(SLOW)) for _ in range(2)]
    for _ in range(turns):
        await asyncio.sleep(0)
    await session.close()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["the operation is over"] * 2
    assert single.pool_status()["checkedOut"] == 0
    async with session_context(single) as later:
        assert await later.scalar(COUNT_USERS) == 1


async def test_a_released_connection_serves_a_transaction(single: Database) -> None:
    async with session_context(single) as session:
        before = await session.scalar(COUNT_USERS)
        await session.release()
        assert single.pool_status()["checkedOut"] == 0
        await Blog(single).user("ben")
        after = await session.scalar(COUNT_USERS)
    assert (before, after) == (1, 2)


async def test_releasing_waits_for_the_statement_that_runs(single: Database) -> None:
    async with session_context(single) as session:
        with noticed(single) as sent:
            running = asyncio.create_task(session.scalar(COUNT_USERS))
            await sent.wait()
        await session.release()
        assert single.pool_status()["checkedOut"] == 0
        assert await running == 1


async def test_releasing_before_the_first_statement_does_nothing(single: Database) -> None:
    async with session_context(single) as session:
        await session.release()
        assert await session.scalar(COUNT_USERS) == 1


@durable
async def test_after_a_suspension_reads_see_one_moment_up_to_the_next_release(
    database: Database, blog: Blog
) -> None:
    counts = []
    async with session_context(database) as session:
        counts.append(await session.scalar(COUNT_USERS))
        async with session.suspended():
            late = asyncio.create_task(session.scalar(COUNT_USERS))
            await blog.user("ann")
        # What was asked for inside waits, and sees what was written there.
        assert await late == 1
        counts.append(await session.scalar(COUNT_USERS))
        await blog.user("ben")
        counts.append(await session.scalar(COUNT_USERS))
        await session.release()
        counts.append(await session.scalar(COUNT_USERS))
        await blog.user("cat")
        counts.append(await session.scalar(COUNT_USERS))
    assert counts == [0, 1, 1, 2, 2]


async def test_one_of_two_tasks_cancelled_leaves_the_other_its_connection(tight: Database) -> None:
    await Blog(tight).user("ann")
    async with session_context(tight) as session:
        with noticed(tight) as sent:
            doomed = asyncio.create_task(session.fetch(SLOW))
            await sent.wait()
        other = asyncio.create_task(session.scalar(COUNT_USERS))
        doomed.cancel()
        assert await other == 1
        with pytest.raises(asyncio.CancelledError):
            await doomed


async def test_a_statement_after_the_end_of_the_operation_holds_no_connection(
    tight: Database,
) -> None:
    async with session_context(tight) as session:
        await session.scalar(COUNT_USERS)
    await asyncio.gather(session.scalar(COUNT_USERS), return_exceptions=True)
    assert tight.pool_status()["checkedOut"] == 0


async def test_an_exhausted_pool_is_waited_for_once(
    tight: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[bool] = []
    connect = tight.connect

    async def counting_connect(**options: Any) -> AsyncConnection:
        attempts.append(True)
        return await connect(**options)

    held = await tight.connect()
    monkeypatch.setattr(tight, "connect", counting_connect)
    session = SessionContext(tight)
    outcomes = await asyncio.gather(
        *(session.scalar(COUNT_USERS) for _ in range(5)), return_exceptions=True
    )
    await held.close()

    assert [(type(outcome), str(outcome)) for outcome in outcomes] == [
        (ServiceUnavailable, BUSY)
    ] * 5
    assert len(attempts) == 1
    assert session.statements == 0
    async with session_context(tight) as later:
        assert await later.scalar(COUNT_USERS) == 0


@durable
async def test_a_snapshot_sees_one_moment(database: Database, blog: Blog) -> None:
    await blog.user("ann")
    async with (
        session_context(database, snapshot=True) as snapshot,
        session_context(database) as reading,
    ):
        before = await snapshot.scalar(COUNT_USERS), await reading.scalar(COUNT_USERS)
        await blog.user("ben")
        after = await snapshot.scalar(COUNT_USERS), await reading.scalar(COUNT_USERS)
    assert before == (1, 1)
    assert after == (1, 2)
    async with session_context(database, snapshot=True) as later:
        assert await later.scalar(COUNT_USERS) == 2


@only_postgresql
async def test_a_snapshot_cannot_write(database: Database) -> None:
    async with session_context(database, snapshot=True) as session:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await session.fetch(text("DELETE FROM users RETURNING id"))


@only_postgresql
async def test_a_connection_lost_on_the_way_fails_every_statement_alike(
    database: Database,
) -> None:
    async with session_context(database) as session:
        process = await session.scalar(text("SELECT pg_backend_pid()"))
        async with session_context(database) as other:
            await other.scalar(text("SELECT pg_terminate_backend(:process)"), process=process)
        outcomes = [await _outcome(session) for _ in range(2)]
    assert (
        outcomes == [(ServiceUnavailable, "The database cannot be reached. Try again shortly.")] * 2
    )
    async with session_context(database) as session:
        assert await session.scalar(COUNT_USERS) == 0


@only_postgresql
async def test_a_database_that_is_not_there_is_unavailable(settings: Settings) -> None:
    missing = settings.url.set(database="blog_test_missing")
    url = missing.render_as_string(hide_password=False)
    database = Database(load_settings(_env_file=None, database_url=url))
    async with session_context(database) as session:
        assert await _outcome(session) == (
            ServiceUnavailable,
            "The database cannot be reached. Try again shortly.",
        )
    await database.dispose()


async def assert_usable(database: Database) -> None:
    """No statement runs, no connection is on loan, and the user is still there."""
    assert database.pool_status()["checkedOut"] == 0
    assert await slow_statements(database) == 0
    async with session_context(database) as session:
        assert await session.scalar(COUNT_USERS) == 1


async def _outcome(session: SessionContext) -> tuple[type[Any], str]:
    try:
        answer = await session.scalar(COUNT_USERS)
    except Exception as error:  # noqa: BLE001 - whatever it raises is what is asserted
        return type(error), str(error)
    return type(answer), str(answer)
