"""Writes of which no notice arrives, or arrives in time: each publication is told of once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from sqlalchemy import Executable, Row, update

from blog_graphql.db.database import Database
from blog_graphql.db.events import Events, Subscription, Topic, schedule
from blog_graphql.db.models import Post
from blog_graphql.settings import Settings
from tests.support.backends import only_sqlite
from tests.support.blog import NOW, Blog
from tests.support.clock import Clock
from tests.support.events import PATIENCE, heard, taken, told, waiting

Looked: TypeAlias = Callable[[Subscription], Awaitable[list[int]]]


@pytest.fixture(autouse=True)
def by_the_clock(database: Database, clock: Clock) -> None:
    database.events.clock = clock


@pytest.fixture
async def author(blog: Blog) -> int:
    return await blog.user("ann")


@pytest.fixture
def looked(database: Database, blog: Blog, author: int) -> Looked:
    """Has the schedule look at everything; gives what subscribers were told until then."""

    async def look(published: Subscription) -> list[int]:
        keys = []
        # A look that tells of the second has begun when that of the first was over.
        for _ in range(2):
            # Too old to be told of but for the notice.
            mark = await blog.post(author)
            await told(database, Topic.HIDDEN, mark)
            while (key := await taken(published)) != mark:
                keys.append(key)
        return keys

    return look


async def write_unheard(database: Database, key: int, **values: Any) -> None:
    async with database.transaction() as session:
        await session.execute(update(Post).where(Post.id == key).values(**values))


@pytest.mark.parametrize("ahead", [timedelta(seconds=40), timedelta(hours=2)])
async def test_a_post_that_was_rescheduled_in_an_outage_is_told_of_again(
    database: Database, blog: Blog, author: int, clock: Clock, looked: Looked, ahead: timedelta
) -> None:
    async with database.events.published() as published:
        key = await blog.post(author, published_at=clock.now)
        await told(database, Topic.PUBLISHED, key)
        assert await taken(published) == key
        clock.advance(seconds=10)
        database.events.miss(0)
        await write_unheard(database, key, published_at=clock.now + ahead)
        database.events.catch_up()
        clock.now += ahead - timedelta(seconds=20)
        assert await looked(published) == []
        clock.advance(seconds=20)
        assert await looked(published) == [key]


async def test_a_post_that_was_brought_forward_in_an_outage_is_told_of_after_it(
    database: Database,
    blog: Blog,
    author: int,
    clock: Clock,
    looked: Looked,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schedule, "_MOST_REMEMBERED", 1)
    key = await blog.post(author, published_at=NOW + timedelta(seconds=50))
    async with database.events.published() as published:
        assert await looked(published) == []
        database.events.miss(0)
        clock.advance(seconds=2)
        await write_unheard(database, key, published_at=clock.now)
        database.events.catch_up()
        assert await looked(published) == [key]
        clock.advance(seconds=48)
        assert await looked(published) == []


async def test_a_post_that_was_brought_forward_is_not_told_of_at_its_first_moment(
    database: Database,
    blog: Blog,
    author: int,
    clock: Clock,
    looked: Looked,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schedule, "_MOST_REMEMBERED", 2)
    key = await blog.post(author, published_at=NOW + timedelta(seconds=20))
    async with database.events.published() as published:
        assert await looked(published) == []
        await write_unheard(database, key, published_at=NOW)
        # After so many others it is forgotten that it was told of.
        await told(database, Topic.PUBLISHED, key, 1001, 1002, 1003)
        assert await heard(published, database) == [key, 1001, 1002, 1003]
        clock.advance(seconds=20)
        assert await looked(published) == []


class Held:
    """Reads from a database, and gives what it has read when it is let go."""

    def __init__(self, database: Database) -> None:
        self.has_read = asyncio.Event()
        self.go_on = asyncio.Event()
        self._database = database

    async def fetch(self, statement: Executable, **parameters: Any) -> Sequence[Row[Any]]:
        connection = await self._database.connect()
        rows = (await connection.execute(statement, parameters)).all()
        await connection.close()
        self.has_read.set()
        await self.go_on.wait()
        return rows


async def test_what_is_missed_during_a_look_is_caught_up_with(
    database: Database, blog: Blog, author: int, clock: Clock
) -> None:
    held = Held(database)
    events = Events(database.settings, held.fetch, clock)
    async with events.published() as published, asyncio.timeout(PATIENCE):
        await held.has_read.wait()
        events.miss(0)
        clock.advance(seconds=1)
        key = await blog.post(author, published_at=clock.now)
        events.catch_up()
        held.go_on.set()
        assert await taken(published) == key
    await events.close()


async def test_what_a_notice_tells_during_a_look_is_told_of_once(
    database: Database, blog: Blog, author: int, clock: Clock
) -> None:
    key = await blog.post(author, published_at=NOW + timedelta(seconds=20))
    mark = await blog.post(author, published_at=NOW + timedelta(seconds=20))
    held = Held(database)
    events = Events(database.settings, held.fetch, clock)
    async with events.published() as published, asyncio.timeout(PATIENCE):
        await held.has_read.wait()
        clock.advance(seconds=1)
        await write_unheard(database, key, published_at=clock.now)
        events.hear(Topic.PUBLISHED, str(key))
        assert await taken(published) == key
        held.go_on.set()
        clock.advance(seconds=19)
        events.look()
        assert await taken(published) == mark
        assert await waiting(published) == []
    await events.close()


@only_sqlite
async def test_a_post_that_another_process_rescheduled_is_told_of_again(
    database: Database, settings: Settings, blog: Blog, author: int, clock: Clock, looked: Looked
) -> None:
    other = Database(settings)
    async with database.events.published() as published:
        key = await blog.post(author, published_at=clock.now)
        await told(database, Topic.PUBLISHED, key)
        assert await taken(published) == key
        await write_unheard(other, key, published_at=NOW + timedelta(minutes=2))
        clock.advance(seconds=100)
        assert await looked(published) == []
        clock.advance(seconds=20)
        assert await looked(published) == [key]
    await other.dispose()


@only_sqlite
async def test_a_post_that_another_process_hid_is_told_of_when_it_is_published_again(
    database: Database, settings: Settings, blog: Blog, author: int, clock: Clock, looked: Looked
) -> None:
    other = Database(settings)
    key = await blog.post(author, published_at=NOW + timedelta(seconds=10))
    async with database.events.published() as published:
        clock.advance(seconds=10)
        assert await looked(published) == [key]
        clock.advance(minutes=2)
        for is_published in (False, True):
            await write_unheard(other, key, is_published=is_published)
        await told(database, Topic.PUBLISHED, key)
        assert await looked(published) == [key]
    await other.dispose()
