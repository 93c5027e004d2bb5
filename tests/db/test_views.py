"""Views of a post: told at once, then at most once an interval, and the last one always."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from blog_graphql.db.database import Database
from blog_graphql.db.events import Topic, hub, outbox
from blog_graphql.db.events.pacing import Pacer
from blog_graphql.settings import Settings
from tests.support.backends import only_postgresql
from tests.support.events import PATIENCE, heard, taken, told

HOUR = 3600.0


@contextmanager
def notices(database: Database) -> Iterator[list[list[str]]]:
    """The keys in each statement that sends notices of views."""
    sent: list[list[str]] = []

    def record(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "pg_notify" in statement and isinstance(parameters, tuple):
            channels, payloads = parameters
            if Topic.VIEWED in channels:
                sent.append(payloads)

    event.listen(database.engine.sync_engine, "before_cursor_execute", record)
    yield sent
    event.remove(database.engine.sync_engine, "before_cursor_execute", record)


@pytest.fixture
async def hourly(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database whose views are told once an hour."""
    monkeypatch.setattr(hub, "_VIEWS_EVERY", HOUR)
    return Database(settings)


async def test_a_first_view_is_told_at_once_and_more_are_not(hourly: Database) -> None:
    events = hourly.events
    async with events.changed(1) as one, events.changed(2) as two, events.changed(3) as three:
        for _ in range(20):
            await told(hourly, Topic.VIEWED, 1)
        await told(hourly, Topic.VIEWED, 2, 1)
        assert await taken(one) == 1
        assert await taken(two) == 2
        assert await heard(one, hourly) == []
        # An edit waits for nothing.
        await told(hourly, Topic.CHANGED, 1)
        assert await heard(one, hourly) == [1]
        assert await heard(three, hourly) == []
    await hourly.dispose()


async def test_the_last_view_is_told(database: Database) -> None:
    async with database.events.changed(1) as changed:
        await told(database, Topic.VIEWED, 1)
        assert await taken(changed) == 1
        await told(database, Topic.VIEWED, 1)
        await told(database, Topic.VIEWED, 1)
        assert await taken(changed) == 1
        await told(database, Topic.VIEWED, 1)
        assert await taken(changed) == 1


@only_postgresql
async def test_all_workers_together_tell_it_once(hourly: Database, settings: Settings) -> None:
    other = Database(settings)
    async with hourly.events.changed(1) as here, other.events.changed(1) as there:
        await told(hourly, Topic.VIEWED, 1)
        assert await taken(here) == await taken(there) == 1
        with notices(other) as sent:
            await told(other, Topic.VIEWED, 1)
            async with asyncio.timeout(PATIENCE):
                while not sent:  # noqa: ASYNC110 - a statement tells nobody
                    await asyncio.sleep(0)
        assert await heard(here, hourly) == []
        assert await heard(there, other) == []
    await hourly.dispose()
    await other.dispose()


@only_postgresql
async def test_fifty_views_send_one_notice(hourly: Database) -> None:
    with notices(hourly) as sent:
        async with hourly.events.changed(1) as changed:
            for _ in range(50):
                await told(hourly, Topic.VIEWED, 1)
            assert await taken(changed) == 1
    assert sent == [["1"]]
    await hourly.dispose()


@only_postgresql
async def test_views_wait_for_a_connection(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "_RETRY_AFTER", 0.01)
    changes = {"pool_size": 1, "pool_max_overflow": 0, "pool_timeout": 1.5}
    tight = Database(settings.model_copy(update=changes))
    async with database.events.changed(1) as one, database.events.changed(2) as two:
        with capture_logs() as lines:
            await told(tight, Topic.VIEWED, 1)
            held = await tight.connect()
            assert await taken(one) == 1
        with capture_logs() as lines:
            tight.events._sent_views.add(2)  # noqa: SLF001 - as a commit does
            async with asyncio.timeout(PATIENCE):
                while not lines:  # noqa: ASYNC110 - a log has no event for it
                    await asyncio.sleep(0.01)
            await held.close()
            assert await taken(two) == 2
    assert [line["event"] for line in lines] == ["views cannot be announced"]
    await tight.dispose()


async def test_a_pacer_that_is_closed_passes_nothing_on() -> None:
    passed: list[int] = []
    pacer = Pacer(passed.append, 0.0)
    for key in (1, 1, 2):
        pacer.add(key)
    pacer.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert passed == [1, 2]
    pacer.add(1)
    pacer.add(1)
    while len(passed) < 4:  # noqa: ASYNC110 - until its timer has run
        await asyncio.sleep(0)
    assert passed == [1, 2, 1, 1]
    pacer.close()
