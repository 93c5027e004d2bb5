"""Operations that nobody waits for any longer: timed out, or left by their client."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event
from starlette.types import Message

from blog_graphql.api.context import get_authentication, get_database
from blog_graphql.api.disconnection import while_connected
from blog_graphql.app import graphql_router
from blog_graphql.db.database import Database
from blog_graphql.db.migrations import upgrade
from blog_graphql.db.models import Post, UserRole
from blog_graphql.db.visibility import Viewer
from blog_graphql.settings import Settings
from tests.support.activity import slow_statements, started
from tests.support.apps import app_over, asking
from tests.support.blog import Blog
from tests.support.client import Impersonation, served
from tests.support.slow import noticed, slowed

COUNT = "{ posts { totalCount } }"
# Many fields and loaders at once, whose statements wait for one another.
NESTED = """
{
  posts {
    totalCount
    nodes { title author { username posts { totalCount } } tags { name posts { totalCount } } }
  }
  users { totalCount nodes { username posts(last: 1) { nodes { slug content } } } }
  node(id: "UG9zdDox") { ... on Post { excerpt author { username } } }
  stats { users posts tags usersByRole { count } postsByMonth { count } topTags { count } }
}
"""
QUERIES = pytest.mark.parametrize("query", [COUNT, NESTED], ids=["count", "nested"])
NothingLeft: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]

# Seconds after which a test that hangs is given up.
PATIENCE = 30


@pytest.fixture
async def single(settings: Settings) -> AsyncIterator[Database]:
    """A database with one connection and one post, whose operations may run for minutes."""
    changes = {
        "pool_size": 1,
        "pool_max_overflow": 0,
        "statement_timeout": 120,
        "operation_timeout": 120,
    }
    database = Database(settings.model_copy(update=changes))
    if settings.is_in_memory:
        await upgrade(database)
    blog = Blog(database)
    await blog.post(await blog.user("ann"), await blog.tag("python"))
    yield database
    await database.dispose()


async def send(http: httpx.AsyncClient, query: str) -> tuple[int, Any]:
    response = await http.post("/graphql", json={"query": query})
    return response.status_code, response.json()


@pytest.fixture
def nothing_left(
    single: Database, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> NothingLeft:
    """After its block no task, statement or loan is left of it, and nothing was complained of."""

    @asynccontextmanager
    async def nothing_left() -> AsyncIterator[None]:
        before = asyncio.all_tasks()
        yield
        async with asyncio.timeout(PATIENCE):
            while left := asyncio.all_tasks() - before:
                await asyncio.wait(left)
        assert await slow_statements(single) == 0
        assert single.pool_status()["checkedOut"] == 0
        # What asyncio has to say of forgotten futures, it says when they are collected.
        gc.collect()
        assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
        assert "[error" not in capsys.readouterr().err
        async with asking(app_over(single)) as http:
            assert await send(http, COUNT) == (200, {"data": {"posts": {"totalCount": 1}}})

    return nothing_left


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[str]:
    """The address of a server that has begun to answer."""
    async with served(app) as url, httpx.AsyncClient(base_url=url) as http:
        assert await send(http, COUNT) == (200, {"data": {"posts": {"totalCount": 1}}})
        yield url


@asynccontextmanager
async def abandoned(url: str, request: bytes) -> AsyncIterator[None]:
    """Send a request, and hang up when the block ends."""
    _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
    writer.write(request)
    try:
        yield
    finally:
        writer.close()
        await writer.wait_closed()


def post(query: str) -> bytes:
    body = json.dumps({"query": query})
    return (
        "POST /graphql HTTP/1.1\r\nHost: blog\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def get(query: str) -> bytes:
    address = httpx.URL("/graphql", params={"query": query})
    return f"GET {address} HTTP/1.1\r\nHost: blog\r\n\r\n".encode()


@QUERIES
async def test_an_operation_that_takes_too_long_is_ended(
    single: Database, nothing_left: NothingLeft, query: str
) -> None:
    app = app_over(single, operation_timeout=0.5)
    async with nothing_left():
        async with asking(app) as http:
            with slowed(single):
                status, answer = await send(http, query)
        assert status == 200
        assert answer == {
            "data": None,
            "errors": [
                {
                    "message": "The operation took longer than 0.5 seconds.",
                    "extensions": {"code": "TIMEOUT"},
                }
            ],
        }


async def test_a_timeout_tells_that_a_finished_mutation_stays(
    single: Database, nothing_left: NothingLeft
) -> None:
    # What it writes is no SELECT, and what it answers is one; "UG9zdDox" is the first post.
    mutation = 'mutation { recordPostView(input: {id: "UG9zdDox"}) { post { viewCount } } }'
    async with nothing_left():
        async with asking(app_over(single, operation_timeout=2)) as http:
            with slowed(single):
                status, answer = await send(http, mutation)
        assert status == 200
        assert answer == {
            "data": None,
            "errors": [
                {
                    "message": "The operation took longer than 2 seconds. "
                    "The mutations that it had finished stay.",
                    "extensions": {"code": "TIMEOUT"},
                }
            ],
        }
        async with single.transaction() as session:
            assert (await session.get_one(Post, 1)).view_count == 1


@QUERIES
@pytest.mark.parametrize("request_of", [post, get])
async def test_an_operation_ends_when_its_client_goes_away(
    single: Database, nothing_left: NothingLeft, query: str, request_of: Any
) -> None:
    returned = asyncio.Event()
    event.listen(single.engine.sync_engine, "checkin", lambda *_: returned.set())
    async with serving(app_over(single)) as url, nothing_left():
        with slowed(single), noticed(single) as sent:
            async with abandoned(url, request_of(query)):
                await started(single, sent)
                returned.clear()
            async with asyncio.timeout(PATIENCE):
                await returned.wait()


async def test_the_router_in_another_app_complains_no_more(
    single: Database, nothing_left: NothingLeft
) -> None:
    host = FastAPI()
    host.include_router(graphql_router(single.settings))
    host.dependency_overrides[get_database] = lambda: single
    async with serving(host) as url, nothing_left():
        with slowed(single), noticed(single) as sent:
            async with abandoned(url, post(COUNT)):
                await started(single, sent)


async def test_a_cancelled_request_leaves_nothing_behind(
    single: Database, nothing_left: NothingLeft
) -> None:
    async with nothing_left(), asking(app_over(single)) as http:
        with slowed(single), noticed(single) as sent:
            request = asyncio.create_task(send(http, NESTED))
            await started(single, sent)
            request.cancel()
            with pytest.raises(asyncio.CancelledError):
                await request


async def test_a_mutation_whose_client_goes_away_writes_nothing(
    single: Database, nothing_left: NothingLeft
) -> None:
    app = app_over(single)
    app.dependency_overrides[get_authentication] = lambda: Impersonation(Viewer(1, UserRole.AUTHOR))
    mutation = 'mutation { createPost(input: {title: "T", content: "C"}) { post { slug } } }'
    async with serving(app) as url, nothing_left():
        with slowed(single), noticed(single) as sent:
            async with abandoned(url, post(mutation)):
                await started(single, sent)


async def test_a_timeout_of_the_work_itself_is_no_disconnection() -> None:
    async def never() -> Message:
        message: Message = await asyncio.get_running_loop().create_future()
        return message

    async def work() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await while_connected(never, work())
