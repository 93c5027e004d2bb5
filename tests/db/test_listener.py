"""The listening connection: its own, made again when it is lost, and nothing is missed."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text, update

from blog_graphql.db.database import Database
from blog_graphql.db.events import Topic, announce, listener
from blog_graphql.db.migrations import upgrade
from blog_graphql.db.models import Post
from blog_graphql.db.types import utcnow
from blog_graphql.settings import Settings
from tests.support.backends import PostgreSQL, only_postgresql, only_sqlite
from tests.support.blog import Blog
from tests.support.events import PATIENCE, heard, taken, told, waiting
from tests.support.postgres import Server, restartable_server
from tests.support.relay import Relay
from tests.support.settings import settings_for

_OURS = (
    "FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND query LIKE 'LISTEN %'"
)


async def listening_connections(database: Database) -> int:
    async with database.transaction() as session:
        return int(await session.scalar(text(f"SELECT count(*) {_OURS}")) or 0)


async def cut_off(database: Database) -> None:
    """End the listening connection, and wait until it has gone."""
    async with database.transaction() as session:
        await session.execute(text(f"SELECT pg_terminate_backend(pid, 60000) {_OURS}"))


class Outages:
    """Takes the place of the listener's log, and waits for what it says."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.reasons: list[str] = []
        self._news = asyncio.Event()

    def warning(self, event: str, *, reason: str) -> None:
        self.reasons.append(reason)
        self.info(event)

    def info(self, event: str) -> None:
        self.events.append(event)
        self._news.set()

    async def until(self, event: str, count: int = 1) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.events.count(event) < count:
                self._news.clear()
                await self._news.wait()


DOWN, UP = "live updates are interrupted", "live updates are back"


@pytest.fixture
def outages(monkeypatch: pytest.MonkeyPatch) -> Outages:
    """When live updates were interrupted, and when they were back."""
    outages = Outages()
    monkeypatch.setattr(listener, "log", outages)
    return outages


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that nobody else uses."""
    with restartable_server() as server:
        yield server


@pytest.fixture
async def own(server: Server, tmp_path: Path) -> AsyncIterator[Database]:
    """A database on that server, migrated."""
    async with PostgreSQL(server.url).empty(tmp_path) as url:
        database = Database(settings_for(url))
        await upgrade(database)
        yield database
        await database.dispose()


async def publish(database: Database, author: int, *, noticed: bool = True, **values: Any) -> int:
    """Write a post that is published now, as a service does, or somebody else by hand."""
    count = len(values)
    async with database.transaction() as session:
        now = utcnow()
        row = {
            "slug": f"at-{now.timestamp()}-{count}",
            "title": "Now",
            "content": "Now",
            "is_published": True,
            "published_at": now,
            "author_id": author,
        } | values
        key: int | None = await session.scalar(insert(Post).values(row).returning(Post.id))
        assert key is not None
        if noticed:
            announce(session, Topic.PUBLISHED, key)
    return key


@only_sqlite
async def test_sqlite_is_not_listened_to(database: Database) -> None:
    tasks = asyncio.all_tasks()
    async with database.events.changed(1):
        assert asyncio.all_tasks() == tasks


@only_postgresql
async def test_there_is_one_connection_from_the_first_subscription_on(database: Database) -> None:
    await told(database, Topic.CHANGED, 1)
    assert await listening_connections(database) == 0
    async with database.events.changed(1), database.events.changed(2), database.events.published():
        assert await listening_connections(database) == 1
    assert await listening_connections(database) == 1
    await database.events.close()
    async with asyncio.timeout(PATIENCE):
        while await listening_connections(database):
            pass


@only_postgresql
async def test_it_has_a_url_of_its_own(settings: Settings, outages: Outages) -> None:
    url = settings.url.render_as_string(hide_password=False)
    nowhere = settings.url.set(database="nowhere").render_as_string(hide_password=False)
    database = Database(settings.model_copy(update={"listen_database_url": nowhere}))
    async with database.events.changed(1):
        await told(database, Topic.CHANGED, 1)
    assert outages.reasons == ['database "nowhere" does not exist']
    await database.dispose()
    database = Database(settings.model_copy(update={"listen_database_url": url}))
    async with database.events.changed(1) as changed:
        await told(database, Topic.CHANGED, 1)
        assert await taken(changed) == 1
    await database.dispose()


@only_postgresql
async def test_it_is_set_up_like_the_pools_connections(database: Database) -> None:
    async with database.events.changed(1), database.transaction() as session:
        assert (await session.execute(text(f"SELECT application_name {_OURS}"))).all() == [
            ("blog-graphql",)
        ]


@only_postgresql
async def test_a_subscription_begins_while_the_database_is_away(
    settings: Settings, outages: Outages
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"postgresql://u:secret@127.0.0.1:{nobody.getsockname()[1]}/blog"
        away = Database(settings.model_copy(update={"listen_database_url": url}))
        async with away.events.published() as published, away.events.changed(1) as changed:
            assert outages.events == [DOWN]
            assert "secret" not in outages.reasons[0]
            assert await waiting(published) == []
            assert await waiting(changed) == []
        await away.dispose()


@only_postgresql
async def test_nobody_waits_long_for_a_server_that_says_nothing(
    database: Database, blog: Blog, monkeypatch: pytest.MonkeyPatch, outages: Outages
) -> None:
    monkeypatch.setattr(listener, "_PATIENCE", 1)
    async with Relay(database.settings) as relay:
        relay.is_mute = True
        url = relay.url.render_as_string(hide_password=False)
        changes = {"listen_database_url": url, "operation_timeout": 0.2}
        relayed = Database(database.settings.model_copy(update=changes))
        async with relayed.events.published() as published, relayed.events.changed(7) as changed:
            assert outages.reasons == ["there was no connection within 0.1 seconds"]
            key = await publish(database, await blog.user("ann"))
            relay.is_mute = False
            await outages.until(UP)
            assert await taken(published) == key
            assert await taken(changed) == 7
            assert outages.events == [DOWN, UP]
        await relayed.dispose()


@only_postgresql
async def test_who_is_cancelled_while_connecting_leaves_nothing(settings: Settings) -> None:
    tasks = asyncio.all_tasks()
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"postgresql://u:p@127.0.0.1:{mute.getsockname()[1]}/blog"
        database = Database(settings.model_copy(update={"listen_database_url": url}))
        subscription = database.events.published()
        entering = asyncio.create_task(subscription.__aenter__())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert database.events.subscriptions == 1
        entering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await entering
        assert database.events.subscriptions == 0
        waiter = asyncio.create_task(subscription.__aenter__())
        await asyncio.sleep(0)
        await database.dispose()
        await waiter
        assert [key async for key in subscription] == []
    assert asyncio.all_tasks() == tasks


@only_postgresql
async def test_a_lost_connection_is_made_again_and_catches_up(
    database: Database, settings: Settings, blog: Blog, outages: Outages
) -> None:
    author = await blog.user("ann")
    other = Database(settings)
    async with (
        database.events.published() as published,
        database.events.changed(7) as changed,
        database.events.changed(8) as untouched,
    ):
        before = await publish(other, author)
        assert await taken(published) == before
        await cut_off(other)
        meanwhile = await publish(other, author)
        await outages.until(UP)
        after = await publish(other, author)
        assert [await taken(published) for _ in range(2)] == [meanwhile, after]
        assert await taken(changed) == 7
        assert await taken(untouched) == 8
        assert await heard(published, database) == []
        assert await waiting(changed) == []
        await told(other, Topic.CHANGED, 7)
        assert await heard(changed, database) == [7]
        assert outages.events == [DOWN, UP]
    await other.dispose()


@only_postgresql
async def test_a_publication_that_was_caught_up_with_may_come_again(
    database: Database, blog: Blog, outages: Outages
) -> None:
    author = await blog.user("ann")
    async with database.events.published() as published:
        key = await publish(database, author)
        assert await taken(published) == key
        await cut_off(database)
        # Hidden while nobody listened.
        await told(database, Topic.HIDDEN, key)
        await outages.until(UP)
        await told(database, Topic.PUBLISHED, key)
        assert await heard(published, database) == [key]


@only_postgresql
@pytest.mark.parametrize(("lasting", "pauses"), [(15, [0.25, 0.5, 1]), (0, [0.25, 0.25, 0.25])])
async def test_it_waits_longer_after_connections_that_do_not_last(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    outages: Outages,
    lasting: int,
    pauses: list[float],
) -> None:
    paused = []
    sleep = asyncio.sleep

    async def pause(seconds: float) -> None:
        if seconds:
            paused.append(seconds)
        await sleep(0)

    monkeypatch.setattr(listener, "_LONGEST_PAUSE", lasting)
    monkeypatch.setattr(random, "uniform", lambda _least, most: most)
    monkeypatch.setattr(asyncio, "sleep", pause)
    async with database.events.changed(1):
        for count in (1, 2, 3):
            await cut_off(database)
            await outages.until(UP, count)
    assert paused == pauses


@only_postgresql
async def test_a_connection_that_says_nothing_any_more_is_noticed(
    database: Database, monkeypatch: pytest.MonkeyPatch, outages: Outages
) -> None:
    monkeypatch.setattr(listener, "_CHECK_EVERY", 0.05)
    monkeypatch.setattr(listener, "_PATIENCE", 0.5)
    async with Relay(database.settings) as relay:
        url = relay.url.render_as_string(hide_password=False)
        relayed = Database(database.settings.model_copy(update={"listen_database_url": url}))
        async with relayed.events.changed(1) as changed:
            await told(database, Topic.CHANGED, 1)
            assert await taken(changed) == 1
            relay.is_mute = True
            await outages.until(DOWN)
            relay.is_mute = False
            await outages.until(UP)
            assert await taken(changed) == 1
        await relayed.dispose()


async def test_subscribers_stay_while_postgresql_restarts(
    own: Database, server: Server, outages: Outages
) -> None:
    author = await Blog(own).user("ann")
    other = Database(own.settings)
    async with (
        own.events.published() as published,
        own.events.changed(7) as changed,
        other.events.published() as elsewhere,
    ):
        first = await publish(own, author)
        assert await taken(published) == await taken(elsewhere) == first
        for count in (1, 2):
            await asyncio.to_thread(server.stop)
            await outages.until(DOWN, 2 * count)
            async with own.events.published() as newcomer:
                assert await waiting(newcomer) == []
                await asyncio.to_thread(server.start)
                # Before anybody listens again, or after: nobody can tell.
                second = await publish(own, author)
                assert await taken(newcomer) == second
            assert await taken(published) == await taken(elsewhere) == second
            await outages.until(UP, 2 * count)
            assert await taken(changed) == 7
            third = await publish(other, author)
            assert await taken(published) == await taken(elsewhere) == third
            assert await heard(published, own) == []
            assert await heard(elsewhere, other) == []
            assert await waiting(changed) == []
        assert outages.events.count(DOWN) == outages.events.count(UP) == 4
    await other.dispose()


async def test_what_becomes_due_while_postgresql_is_away_is_told_once(
    own: Database, server: Server, outages: Outages
) -> None:
    author = await Blog(own).user("ann")
    async with own.events.published() as published:
        due = utcnow() + timedelta(seconds=20)
        key = await publish(own, author, noticed=False, published_at=due)
        hidden = await publish(own, author, noticed=False, published_at=due)
        await told(own, Topic.HIDDEN, key, hidden)
        async with own.transaction() as session:
            await session.execute(update(Post).where(Post.id == hidden).values(is_published=False))
        await asyncio.to_thread(server.stop)
        await outages.until(DOWN)
        own.events.clock = lambda: due
        await asyncio.to_thread(server.start)
        await outages.until(UP)
        own.events.look()
        assert await taken(published) == key
        assert await heard(published, own) == []


@only_postgresql
async def test_nobody_waits_for_a_connection_that_is_not_made_any_more(database: Database) -> None:
    subscription = database.events.changed(1)
    entering = asyncio.create_task(subscription.__aenter__())
    # It has asked for the connection, and nothing was done for it yet.
    await asyncio.sleep(0)
    await database.events.close()
    async with asyncio.timeout(PATIENCE):
        await entering
    assert [key async for key in subscription] == []
