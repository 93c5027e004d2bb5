"""Events: what was committed reaches every subscriber, and nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.db.database import Database
from blog_graphql.db.events import SlowSubscriber, Topic, announce
from blog_graphql.db.migrations import upgrade
from blog_graphql.db.models import User
from blog_graphql.settings import Settings
from tests.support.backends import durable, only_postgresql
from tests.support.events import PATIENCE, heard, taken, told, waiting


@pytest.fixture
async def short(settings: Settings) -> AsyncIterator[Database]:
    """A database that keeps three publications for subscribers."""
    database = Database(settings.model_copy(update={"subscription_buffer": 3}))
    if settings.is_in_memory:
        await upgrade(database)
    yield database
    await database.dispose()


async def test_a_transaction_tells_when_it_commits(database: Database) -> None:
    async with database.events.published() as published, database.events.changed(2) as changed:
        async with database.transaction() as session:
            announce(session, Topic.PUBLISHED, 1)
            announce(session, Topic.CHANGED, 2)
            if not database.settings.is_in_memory:
                assert await heard(published, database) == []
                assert await waiting(changed) == []
        assert await taken(published) == 1
        assert await taken(changed) == 2
        assert await heard(published, database) == []
        assert await waiting(changed) == []


async def test_what_is_rolled_back_is_not_told(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as session:
            announce(session, Topic.PUBLISHED, 1)
            announce(session, Topic.CHANGED, 1)
            announce(session, Topic.VIEWED, 1)
            raise LookupError

    async with database.events.published() as published, database.events.changed(1) as changed:
        with pytest.raises(LookupError):
            await fail()
        assert await heard(published, database) == []
        assert await waiting(changed) == []


async def test_what_is_undone_before_the_commit_is_not_told(database: Database) -> None:
    async with database.events.published() as published:
        async with database.transaction() as session:
            await session.execute(text("SELECT 1"))
            announce(session, Topic.PUBLISHED, 1)
            await session.rollback()
        assert await heard(published, database) == []


async def test_a_savepoint_that_is_undone_takes_its_own_along(database: Database) -> None:
    async def undone(session: AsyncSession) -> None:
        async with session.begin_nested():
            announce(session, Topic.PUBLISHED, 2)
            async with session.begin_nested():
                announce(session, Topic.PUBLISHED, 3)
            raise LookupError

    async with database.events.published() as published:
        async with database.transaction() as session:
            announce(session, Topic.PUBLISHED, 1)
            with pytest.raises(LookupError):
                await undone(session)
            async with session.begin_nested():
                announce(session, Topic.PUBLISHED, 4)
                with pytest.raises(LookupError):
                    await undone(session)
            announce(session, Topic.PUBLISHED, 5)
        assert await heard(published, database) == [1, 4, 5]


async def test_a_refused_flush_undoes_its_savepoint(database: Database) -> None:
    async def clash(session: AsyncSession) -> None:
        async with session.begin_nested():
            announce(session, Topic.PUBLISHED, 2)
            for username in ("ben", "BEN"):
                session.add(User(username=username, hashed_password="!"))
                await session.flush()

    async with database.events.published() as published:
        async with database.transaction() as session:
            announce(session, Topic.PUBLISHED, 1)
            with pytest.raises(IntegrityError):
                await clash(session)
        assert await heard(published, database) == [1]


async def test_what_is_said_twice_is_told_once(database: Database) -> None:
    async with database.events.published() as published:
        async with database.transaction() as session:
            announce(session, Topic.PUBLISHED, 2, 1, 2)
            announce(session, Topic.PUBLISHED, 1)
        assert await heard(published, database) == [2, 1]


async def test_what_comes_before_a_subscription_is_not_for_it(database: Database) -> None:
    async with database.events.published() as early:
        await told(database, Topic.PUBLISHED, 1)
        assert await taken(early) == 1
        async with database.events.published() as late:
            await told(database, Topic.PUBLISHED, 2)
            assert await heard(late, database) == [2]
        assert await heard(early, database) == [2]


async def test_changes_that_were_not_taken_are_one(database: Database) -> None:
    async with database.events.changed(1) as one, database.events.changed(1) as other:
        await told(database, Topic.CHANGED, 1, 2)
        await told(database, Topic.PUBLISHED, 1)
        await told(database, Topic.HIDDEN, 1)
        assert await heard(one, database) == [1]
        await told(database, Topic.HIDDEN, 1)
        assert await heard(one, database) == [1]
        assert await waiting(other) == [1]


async def test_a_publication_is_told_again_only_after_it_was_hidden(database: Database) -> None:
    async with database.events.published() as published:
        for _ in range(2):
            await told(database, Topic.PUBLISHED, 1)
            await told(database, Topic.HIDDEN, 1)
        assert await heard(published, database) == [1, 1]


async def test_whoever_falls_behind_is_dropped_and_nobody_else(short: Database) -> None:
    async with short.events.published() as slow, short.events.published() as quick:
        await told(short, Topic.PUBLISHED, 1)
        assert await taken(quick) == 1
        await told(short, Topic.PUBLISHED, 2, 3)
        assert await heard(quick, short) == [2, 3]
        await told(short, Topic.PUBLISHED, 4)
        assert await heard(quick, short) == [4]
        with pytest.raises(SlowSubscriber) as raised:
            await taken(slow)
        assert raised.value.code == "SUBSCRIBER_TOO_SLOW"
        assert str(raised.value) == (
            "More than 3 posts were published before you took them: subscribe again, and query "
            "what you have missed."
        )


async def test_a_full_buffer_is_still_taken(short: Database) -> None:
    async with short.events.published() as published:
        await told(short, Topic.PUBLISHED, 1, 2, 3)
        assert await heard(published, short) == [1, 2, 3]
        await told(short, Topic.PUBLISHED, 4, 5, 6)
        assert await heard(published, short) == [4, 5, 6]


async def test_who_is_cancelled_while_waiting_misses_nothing(database: Database) -> None:
    async with database.events.published() as published:
        waiter = asyncio.create_task(taken(published))
        assert await heard(published, database) == []
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        await told(database, Topic.PUBLISHED, 1)
        assert await taken(published) == 1


async def test_a_key_that_arrives_with_the_cancellation_is_kept(database: Database) -> None:
    async with database.events.changed(1) as changed:
        waiter = asyncio.create_task(taken(changed))
        await asyncio.sleep(0)
        database.events.hear(Topic.CHANGED, "1")
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert await taken(changed) == 1


async def test_a_commit_that_is_cancelled_too_late_is_told(database: Database) -> None:
    async def write() -> None:
        async with database.transaction() as session:
            await session.execute(text("SELECT 1"))
            announce(session, Topic.PUBLISHED, 1)

    async with database.events.published() as published:
        writing = asyncio.create_task(write())
        engine = database.engine.sync_engine
        event.listen(engine, "commit", lambda _connection: writing.cancel(), once=True)
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert await taken(published) == 1


async def test_thousands_of_idle_subscriptions_need_no_task_and_no_connection(
    database: Database,
) -> None:
    events = database.events
    async with events.published(), events.changed(1):
        await told(database, Topic.CHANGED, 1)
        tasks = asyncio.all_tasks()
        subscriptions = [events.published() for _ in range(1000)]
        subscriptions += [events.changed(key) for key in range(1000)]
        for subscription in subscriptions:
            await subscription.__aenter__()
        assert events.subscriptions == 2002
        assert asyncio.all_tasks() <= tasks
        async with asyncio.timeout(PATIENCE):
            # The schedule is looked at once in a while.
            while database.pool_status()["checkedOut"]:  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0)
        await told(database, Topic.PUBLISHED, 7)
        assert [await taken(each) for each in subscriptions[:1000]] == [7] * 1000
        assert await heard(subscriptions[1007], database) == [7]
        for subscription in subscriptions:
            await subscription.__aexit__()
        assert events.subscriptions == 2
    assert events.subscriptions == 0


async def test_closing_ends_every_subscription(database: Database) -> None:
    tasks = asyncio.all_tasks()
    events = database.events
    async with events.published() as published, events.changed(1) as changed:
        waiter = asyncio.create_task(anext(published, None))
        await told(database, Topic.CHANGED, 1)
        await told(database, Topic.VIEWED, 2)
        await events.close()
        assert await waiter is None
        assert [key async for key in published] == []
        assert [key async for key in changed] == []
        assert events.subscriptions == 0
        await events.close()
    async with events.published() as published, events.changed(1) as changed:
        await told(database, Topic.PUBLISHED, 1)
        await told(database, Topic.VIEWED, 1)
        assert [key async for key in published] == []
        assert [key async for key in changed] == []
    assert asyncio.all_tasks() == tasks


@durable
async def test_closing_does_not_wait_for_a_connection_of_the_pool(settings: Settings) -> None:
    changes = {"pool_size": 1, "pool_max_overflow": 0, "pool_timeout": 2 * PATIENCE}
    tight = Database(settings.model_copy(update=changes))
    held = await tight.connect()
    async with tight.events.published() as published:
        # The schedule has begun to look.
        await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            await tight.events.close()
        assert [key async for key in published] == []
    await held.close()
    await tight.dispose()


async def test_disposing_of_the_database_closes_its_events(database: Database) -> None:
    async with database.events.published() as published:
        await database.dispose()
        assert [key async for key in published] == []


@only_postgresql
async def test_every_process_hears_of_it(database: Database, settings: Settings) -> None:
    other = Database(settings)
    async with (
        database.events.published() as here,
        other.events.published() as there,
        other.events.changed(2) as changed,
    ):
        await told(database, Topic.PUBLISHED, 1)
        await told(other, Topic.PUBLISHED, 2)
        assert await heard(here, other) == [1, 2]
        assert await heard(there, database) == [1, 2]
        assert await waiting(changed) == [2]
    await other.dispose()


@only_postgresql
async def test_a_transaction_sends_its_notices_in_one_statement(database: Database) -> None:
    sent = []

    def record(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement.split(" FROM ", maxsplit=1)[0])

    event.listen(database.engine.sync_engine, "before_cursor_execute", record)
    async with database.events.published() as published:
        async with database.transaction() as session:
            await session.execute(text("SELECT 1"))
            announce(session, Topic.PUBLISHED, 1, 2)
            announce(session, Topic.CHANGED, 3)
            announce(session, Topic.HIDDEN, 4)
        assert await taken(published) == 1
        async with database.transaction() as session:
            await session.execute(text("SELECT 2"))
    assert [statement for statement in sent if "posts.id" not in statement] == [
        "SELECT 1",
        "SELECT count(pg_notify(channel, payload))",
        "SELECT 2",
    ]


@only_postgresql
async def test_what_anybody_may_send_does_no_harm(database: Database) -> None:
    payloads = ["", "0", "-1", " 1", "1 ", "01", "1e3", "²", "x" * 7999, "2147483648", "9" * 30]
    async with database.events.published() as published, database.events.changed(1) as changed:
        async with database.transaction() as session:
            for topic in Topic:
                for payload in payloads:
                    notice = text("SELECT pg_notify(:channel, :payload)")
                    await session.execute(notice, {"channel": topic, "payload": payload})
            announce(session, Topic.HIDDEN, 2147483647)
        await told(database, Topic.PUBLISHED, 2147483647)
        assert await heard(published, database) == [2147483647]
        assert await waiting(changed) == []


async def test_iteration_waits_for_as_long_as_it_takes(database: Database) -> None:
    async with database.events.published() as published:
        waiter = asyncio.create_task(taken(published))
        for key in (1, 2, 3):
            await told(database, Topic.PUBLISHED, key)
            async with asyncio.timeout(PATIENCE):
                assert await waiter == key
            waiter = asyncio.create_task(taken(published))
        waiter.cancel()
