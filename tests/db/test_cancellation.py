"""Cancelled work: what must end does, what ran is stopped, what was written is undone."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from blog_graphql.db.cancellation import cancelled_once, uninterrupted
from blog_graphql.db.database import Database
from blog_graphql.db.migrations import upgrade
from blog_graphql.db.models import User
from blog_graphql.db.writing import transact
from blog_graphql.settings import Settings
from tests.support.activity import ended, slow_statements, started
from tests.support.blog import Blog
from tests.support.slow import SLOW, noticed


class Work:
    """Waits to be let go; tells when it began, and what became of it."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.cleaned_up = False
        self.finished = False

    async def run(self) -> str:
        self.begun.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            await self.go.wait()
            self.cleaned_up = True
            raise
        self.finished = True
        return "done"

    async def fail(self) -> None:
        await self.run()
        raise LookupError

    async def fail_to_clean_up(self) -> None:
        try:
            await self.run()
        except asyncio.CancelledError:
            raise LookupError from None


@pytest.fixture
def work() -> Work:
    return Work()


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


async def usernames(database: Database) -> list[str]:
    async with database.transaction() as session:
        return list(await session.scalars(select(User.username).order_by(User.username)))


async def add_a_user_slowly(session: AsyncSession) -> None:
    session.add(User(username="ben", hashed_password="!"))
    await session.flush()
    await session.execute(SLOW)


async def cancel_twice(task: asyncio.Task[object]) -> None:
    for _ in range(2):
        task.cancel()
        await asyncio.sleep(0)


async def test_uninterrupted_work_has_a_result(work: Work) -> None:
    work.go.set()
    assert await uninterrupted(work.run()) == "done"


async def test_uninterrupted_work_may_fail(work: Work) -> None:
    work.go.set()
    with pytest.raises(LookupError):
        await uninterrupted(work.fail())


async def test_uninterrupted_work_ends_before_its_caller_is_cancelled(work: Work) -> None:
    caller = asyncio.create_task(uninterrupted(work.run()))
    await work.begun.wait()
    await cancel_twice(caller)
    assert not caller.done()
    work.go.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert work.finished


async def test_uninterrupted_work_that_fails_is_the_cause_of_the_cancellation(work: Work) -> None:
    caller = asyncio.create_task(uninterrupted(work.fail()))
    await work.begun.wait()
    caller.cancel()
    work.go.set()
    with pytest.raises(asyncio.CancelledError) as raised:
        await caller
    assert isinstance(raised.value.__cause__, LookupError)


async def test_work_to_be_cancelled_once_has_a_result(work: Work) -> None:
    work.go.set()
    assert await cancelled_once(work.run()) == "done"


async def test_work_to_be_cancelled_once_cleans_up_in_peace(work: Work) -> None:
    caller = asyncio.create_task(cancelled_once(work.run()))
    await work.begun.wait()
    await cancel_twice(caller)
    await work.cancelled.wait()
    assert not caller.done()
    work.go.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert work.cleaned_up
    assert not work.finished


async def test_work_that_fails_to_clean_up_is_cancelled_without_a_word(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    caller = asyncio.create_task(cancelled_once(work.fail_to_clean_up()))
    await work.begun.wait()
    caller.cancel()
    work.go.set()
    await asyncio.wait([caller])
    assert caller.cancelled()
    # asyncio complains of an error that nobody took when the task is collected.
    del caller
    gc.collect()
    assert work.cleaned_up
    assert caplog.records == []


async def test_a_cancelled_transaction_is_undone_and_its_statement_stopped(
    single: Database,
) -> None:
    with noticed(single) as sent:
        writing = asyncio.create_task(transact(single, add_a_user_slowly))
        await started(single, sent)
    writing.cancel()
    await ended(writing)
    assert writing.cancelled()
    assert single.pool_status()["checkedOut"] == 0
    assert await slow_statements(single) == 0
    assert await usernames(single) == ["ann"]


async def test_a_transaction_that_is_cancelled_between_statements_is_undone(
    single: Database, work: Work
) -> None:
    async def write() -> None:
        async with single.transaction() as session:
            session.add(User(username="ben", hashed_password="!"))
            await session.flush()
            await work.run()

    writing = asyncio.create_task(write())
    await work.begun.wait()
    writing.cancel()
    work.go.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert single.pool_status()["checkedOut"] == 0
    assert await usernames(single) == ["ann"]


async def test_a_cancellation_during_the_commit_is_raised_after_it(single: Database) -> None:
    async def write() -> None:
        async with single.transaction() as session:
            session.add(User(username="ben", hashed_password="!"))

    writing = asyncio.create_task(write())
    engine = single.engine.sync_engine
    event.listen(engine, "commit", lambda _connection: writing.cancel(), once=True)
    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await writing
    assert [line["outcome"] for line in logs if line["event"] == "transaction"] == ["committed"]
    assert single.pool_status()["checkedOut"] == 0
    assert await usernames(single) == ["ann", "ben"]


async def test_a_cancellation_during_the_rollback_is_raised_after_it(single: Database) -> None:
    async def write() -> None:
        async with single.transaction() as session:
            session.add(User(username="ben", hashed_password="!"))
            await session.flush()
            raise LookupError

    writing = asyncio.create_task(write())
    engine = single.engine.sync_engine
    event.listen(engine, "rollback", lambda _connection: writing.cancel(), once=True)
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert single.pool_status()["checkedOut"] == 0
    assert await usernames(single) == ["ann"]


async def test_a_write_that_is_cancelled_twice_cleans_up_all_the_same(single: Database) -> None:
    with noticed(single) as sent:
        writing = asyncio.create_task(transact(single, add_a_user_slowly))
        await sent.wait()
    await cancel_twice(writing)
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert single.pool_status()["checkedOut"] == 0
    assert await usernames(single) == ["ann"]


@pytest.mark.parametrize("turns", range(0, 40, 3))
async def test_a_cancellation_at_any_moment_leaves_a_pool_of_one_usable(
    single: Database, turns: int
) -> None:
    writing = asyncio.create_task(transact(single, add_a_user_slowly))
    for _ in range(turns):
        await asyncio.sleep(0)
    await cancel_twice(writing)
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert single.pool_status()["checkedOut"] == 0
    assert await usernames(single) == ["ann"]
