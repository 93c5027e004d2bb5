"""The schedule: a post is told of when its time comes, once, by whatever process is awake."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select, update
from structlog.testing import capture_logs

from blog_graphql.db.database import Database
from blog_graphql.db.events import Topic, announce, schedule
from blog_graphql.db.models import Post
from blog_graphql.settings import Settings
from tests.support.backends import durable, only_postgresql
from tests.support.blog import NOW, Blog
from tests.support.clock import Clock
from tests.support.events import PATIENCE, heard, taken, told, waiting

# Longer than a look reads ahead.
FAR = timedelta(days=1)


@pytest.fixture(autouse=True)
def by_the_clock(database: Database, clock: Clock) -> None:
    database.events.clock = clock


@pytest.fixture
async def author(blog: Blog) -> int:
    return await blog.user("ann")


async def scheduled(database: Database, blog: Blog, author: int, moment: datetime) -> int:
    """Write a scheduled post, as a service does."""
    key = await blog.post(author, published_at=moment)
    await told(database, Topic.HIDDEN, key)
    return key


def advance(database: Database, clock: Clock, by: timedelta) -> None:
    clock.now += by
    database.events.look()


@pytest.mark.parametrize("wait", [timedelta(microseconds=1), timedelta(seconds=40), FAR])
@pytest.mark.parametrize("comes_first", [True, False])
async def test_a_scheduled_post_is_told_of_when_its_time_comes(
    database: Database,
    blog: Blog,
    author: int,
    clock: Clock,
    wait: timedelta,
    *,
    comes_first: bool,
) -> None:
    if comes_first:
        key = await blog.post(author, published_at=NOW + wait)
    async with database.events.published() as published, database.events.changed(1) as changed:
        if not comes_first:
            key = await scheduled(database, blog, author, NOW + wait)
        advance(database, clock, wait / 2)
        assert await heard(published, database) == []
        assert await waiting(changed) == ([] if comes_first else [key])
        advance(database, clock, wait - wait / 2)
        assert await taken(published) == key
        database.events.look()
        advance(database, clock, FAR)
        await told(database, Topic.HIDDEN, 404)
        assert await heard(published, database) == []
        assert await waiting(changed) == []


async def test_its_time_comes_by_itself(database: Database, blog: Blog, author: int) -> None:
    database.events.clock = lambda: datetime.now(NOW.tzinfo)
    moment = database.events.clock() + timedelta(seconds=0.3)
    async with database.events.published() as published:
        key = await scheduled(database, blog, author, moment)
        assert await taken(published) == key
        assert database.events.clock() >= moment


async def test_posts_come_in_the_order_of_their_moments(
    database: Database, blog: Blog, author: int, clock: Clock
) -> None:
    keys = [await blog.post(author, published_at=NOW + FAR / n) for n in (1, 4, 2)]
    async with database.events.published() as published:
        advance(database, clock, FAR / 4)
        assert await taken(published) == keys[1]
        advance(database, clock, FAR)
        assert [await taken(published) for _ in range(2)] == [keys[2], keys[0]]


async def test_what_was_published_before_is_not_told(
    database: Database, blog: Blog, author: int, clock: Clock
) -> None:
    await blog.post(author, published_at=NOW)
    await blog.post(author, published_at=NOW - timedelta(microseconds=1))
    async with database.events.published() as published:
        key = await scheduled(database, blog, author, NOW + timedelta(seconds=1))
        advance(database, clock, timedelta(seconds=1))
        assert await taken(published) == key
    # A day during which nobody subscribes.
    clock.now += FAR
    async with database.events.published() as published:
        key = await scheduled(database, blog, author, clock.now + timedelta(seconds=1))
        advance(database, clock, timedelta(seconds=1))
        assert await taken(published) == key
        assert await heard(published, database) == []


async def test_a_post_that_is_hidden_before_its_time_is_not_told(
    database: Database, blog: Blog, author: int, clock: Clock
) -> None:
    async with database.events.published() as published:
        moment = NOW + timedelta(seconds=20)
        keys = [await scheduled(database, blog, author, moment) for _ in range(4)]
        async with database.transaction() as session:
            post = update(Post)
            await session.execute(post.where(Post.id == keys[0]).values(is_published=False))
            later = moment + FAR
            await session.execute(post.where(Post.id == keys[1]).values(published_at=later))
            announce(session, Topic.HIDDEN, *keys[:2])
        await blog.delete(Post, keys[2])
        advance(database, clock, timedelta(seconds=20))
        assert await taken(published) == keys[3]
        advance(database, clock, FAR)
        assert await taken(published) == keys[1]
        assert await heard(published, database) == []


async def test_a_post_that_is_published_before_its_time_is_told_once(
    database: Database, blog: Blog, author: int, clock: Clock
) -> None:
    async with database.events.published() as published:
        key = await scheduled(database, blog, author, NOW + timedelta(seconds=20))
        async with database.transaction() as session:
            changed = update(Post).where(Post.id == key).values(published_at=NOW)
            await session.execute(changed)
            announce(session, Topic.PUBLISHED, key)
        assert await taken(published) == key
        advance(database, clock, timedelta(seconds=20))
        other = await scheduled(database, blog, author, clock.now)
        assert await taken(published) == other
        assert await heard(published, database) == []


async def test_a_post_whose_time_came_may_be_hidden_and_published_again(
    database: Database, blog: Blog, author: int, clock: Clock
) -> None:
    async with database.events.published() as published:
        key = await scheduled(database, blog, author, NOW + FAR)
        advance(database, clock, FAR)
        assert await taken(published) == key
        async with database.transaction() as session:
            changed = update(Post).where(Post.id == key)
            await session.execute(changed.values(is_published=False))
            announce(session, Topic.HIDDEN, key)
        async with database.transaction() as session:
            await session.execute(changed.values(is_published=True))
            announce(session, Topic.PUBLISHED, key)
        assert await taken(published) == key
        other = await scheduled(database, blog, author, clock.now)
        assert await taken(published) == other
        assert await heard(published, database) == []


async def test_a_redated_post_is_not_told_again(
    database: Database, blog: Blog, author: int, clock: Clock
) -> None:
    key = await blog.post(author)
    async with database.events.published() as published:
        first = await scheduled(database, blog, author, NOW)
        assert await taken(published) == first
        advance(database, clock, timedelta(seconds=10))
        async with database.transaction() as session:
            changed = update(Post).where(Post.id == key).values(published_at=clock.now)
            await session.execute(changed)
            announce(session, Topic.CHANGED, key)
        advance(database, clock, timedelta(seconds=10))
        other = await scheduled(database, blog, author, clock.now)
        assert await taken(published) == other
        assert await heard(published, database) == []


async def test_more_than_a_page_at_one_moment(
    database: Database, author: int, clock: Clock
) -> None:
    moment = NOW + FAR
    count = 1_200
    rows = [
        {
            "slug": f"at-once-{number}",
            "title": "At once",
            "content": "At once",
            "is_published": True,
            "published_at": moment,
            "author_id": author,
        }
        for number in range(count)
    ]
    async with database.transaction() as session:
        await session.execute(insert(Post), rows)
        keys = list(await session.scalars(select(Post.id).order_by(Post.id)))
    async with database.events.published() as published:
        # Read ahead, page after page, and due at once.
        advance(database, clock, FAR - timedelta(seconds=20))
        advance(database, clock, timedelta(seconds=20))
        assert sorted([await taken(published) for _ in range(count)]) == keys
        assert await heard(published, database) == []


@durable
async def test_it_goes_on_when_the_database_can_be_reached_again(
    settings: Settings, blog: Blog, author: int, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "_RETRY_AFTER", 0.01)
    changes = {"pool_size": 1, "pool_max_overflow": 0, "pool_timeout": 1.5}
    tight = Database(settings.model_copy(update=changes))
    tight.events.clock = clock
    key = await blog.post(author, published_at=NOW + timedelta(seconds=5))
    with capture_logs() as lines:
        held = await tight.connect()
        async with tight.events.published() as published:
            async with asyncio.timeout(PATIENCE):
                while not lines:  # noqa: ASYNC110 - a log has no event for it
                    await asyncio.sleep(0.01)
            await held.close()
            advance(tight, clock, timedelta(seconds=5))
            assert await taken(published) == key
    assert [line["event"] for line in lines if "scheduled" in line["event"]] == [
        "scheduled posts cannot be looked for",
        "scheduled posts are looked for again",
    ]
    await tight.dispose()


@only_postgresql
async def test_every_process_watches_for_its_own_subscribers(
    database: Database, settings: Settings, blog: Blog, author: int, clock: Clock
) -> None:
    other = Database(settings)
    other.events.clock = clock
    key = await blog.post(author, published_at=NOW + FAR)
    async with database.events.published() as here, other.events.published() as there:
        clock.now += FAR
        for each in (database, other):
            each.events.look()
        assert await taken(here) == await taken(there) == key
        assert await heard(here, other) == []
        assert await heard(there, database) == []
    await other.dispose()


async def test_a_notice_of_what_was_caught_up_with_is_no_second_publication(
    database: Database, blog: Blog, author: int, clock: Clock
) -> None:
    async with database.events.published() as published:
        database.events.miss(0)
        clock.now += timedelta(seconds=10)
        key = await blog.post(author, published_at=clock.now)
        database.events.catch_up()
        assert await taken(published) == key
        # It was committed so late that its notice came all the same.
        await told(database, Topic.PUBLISHED, key)
        assert await heard(published, database) == []
        await told(database, Topic.PUBLISHED, key)
        assert await heard(published, database) == [key]


async def test_what_was_told_of_is_not_caught_up_with(
    database: Database, blog: Blog, author: int, clock: Clock
) -> None:
    async with database.events.published() as published, database.events.changed(1) as changed:
        clock.now += timedelta(seconds=10)
        key = await blog.post(author, published_at=clock.now)
        await told(database, Topic.PUBLISHED, key)
        assert await taken(published) == key
        clock.now += timedelta(seconds=10)
        database.events.miss(5)
        missed = await blog.post(author, published_at=clock.now)
        backdated = await blog.post(author, published_at=NOW - FAR)
        clock.now += FAR
        database.events.catch_up()
        assert await taken(published) == missed
        assert await taken(changed) == key == 1
        assert backdated not in await heard(published, database)


async def test_of_very_many_the_oldest_are_forgotten(
    database: Database,
    blog: Blog,
    author: int,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schedule, "_MOST_REMEMBERED", 2)
    async with database.events.published() as published:
        clock.now += timedelta(seconds=1)
        keys = [await blog.post(author, published_at=clock.now) for _ in range(3)]
        await told(database, Topic.PUBLISHED, *keys)
        assert await heard(published, database) == keys
        database.events.miss(0)
        database.events.catch_up()
        assert await taken(published) == keys[0]
        assert await heard(published, database) == []
