"""Operations and the pool: one connection is enough, and it always comes back."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from blog_graphql.db.database import Database
from blog_graphql.db.migrations import upgrade
from blog_graphql.db.session import SessionContext
from blog_graphql.settings import Settings
from tests.support.apps import app_over, asking
from tests.support.backends import only_postgresql
from tests.support.blog import Blog
from tests.support.client import served
from tests.support.slow import noticed, slowed

COUNT = "{ posts { totalCount } }"
NESTED = """
{
  posts(first: 100) {
    totalCount
    nodes {
      author { username posts(first: 5) { totalCount nodes { title tags { name } } } }
      tags { name posts(first: 5) { totalCount nodes { author { username } } } }
    }
  }
  users { totalCount nodes { username posts(last: 1) { nodes { slug content } } } }
  tags { nodes { name } }
  stats { users posts tags usersByRole { role count } postsByMonth { count } topTags { count } }
}
"""
BUSY = "Every database connection is in use. Try again shortly."
LOST = "The database cannot be reached. Try again shortly."
SLOW = "The database took too long to answer. Ask for less at once."


@asynccontextmanager
async def opened(settings: Settings, **changes: Any) -> AsyncIterator[Database]:
    """A database with two posts by two authors, and a pool of one connection."""
    single = {"pool_size": 1, "pool_max_overflow": 0}
    database = Database(settings.model_copy(update=single | changes))
    if settings.is_in_memory:
        await upgrade(database)
    blog = Blog(database)
    tag = await blog.tag("python")
    for name in ("ann", "ben"):
        await blog.post(await blog.user(name), tag)
    yield database
    await database.dispose()


@pytest.fixture
async def tight(settings: Settings) -> AsyncIterator[Database]:
    """That database, with little patience."""
    async with opened(settings, pool_timeout=0.3, statement_timeout=0.3) as database:
        yield database


@pytest.fixture
async def patient(settings: Settings) -> AsyncIterator[Database]:
    """That database, patient enough for many operations in a row."""
    async with opened(settings, pool_timeout=30, statement_timeout=30) as database:
        yield database


@pytest.fixture
async def http(tight: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(app_over(tight)) as http:
        yield http


async def send(http: httpx.AsyncClient, query: str) -> tuple[int, Any]:
    response = await http.post("/graphql", json={"query": query})
    return response.status_code, response.json()


async def assert_usable(http: httpx.AsyncClient, database: Database) -> None:
    """The blog is still there, and no connection is on loan."""
    assert await send(http, COUNT) == (200, {"data": {"posts": {"totalCount": 2}}})
    assert database.pool_status()["checkedOut"] == 0


async def test_one_connection_serves_a_nested_query(
    http: httpx.AsyncClient, tight: Database
) -> None:
    status, answer = await send(http, NESTED)
    assert status == 200
    assert "errors" not in answer
    assert answer["data"]["posts"]["totalCount"] == 2
    assert answer["data"]["stats"]["users"] == 2
    await assert_usable(http, tight)


async def test_one_connection_serves_twenty_queries_at_once(patient: Database) -> None:
    async with asking(app_over(patient)) as http:
        alone = await send(http, NESTED)
        answers = await asyncio.gather(*(send(http, NESTED) for _ in range(20)))
        assert alone[0] == 200
        assert answers == [alone] * 20
        await assert_usable(http, patient)


async def test_an_exhausted_pool_is_unavailable_and_recovers(
    http: httpx.AsyncClient, tight: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[bool] = []
    connect = tight.connect

    async def counting_connect(**options: Any) -> AsyncConnection:
        attempts.append(True)
        return await connect(**options)

    held = await tight.connect()
    monkeypatch.setattr(tight, "connect", counting_connect)
    response = await http.post("/graphql", json={"query": NESTED})
    await held.close()

    errors = response.json()["errors"]
    assert response.status_code == 503
    assert {(error["message"], error["extensions"]["code"]) for error in errors} == {
        (BUSY, "SERVICE_UNAVAILABLE")
    }
    assert len(attempts) == 1
    await assert_usable(http, tight)


async def test_health_answers_while_the_pool_is_exhausted(
    http: httpx.AsyncClient, tight: Database
) -> None:
    held = await tight.connect()
    health, ready = await http.get("/health"), await http.get("/ready")
    await held.close()
    assert health.status_code == 200
    assert (ready.status_code, ready.json()) == (503, {"status": "unavailable", "reason": BUSY})


async def test_a_statement_that_takes_too_long_is_a_timeout(
    http: httpx.AsyncClient, tight: Database
) -> None:
    with slowed(tight):
        status, answer = await send(http, '{ post(by: {slug: "post-1"}) { title } }')
    assert status == 200
    assert answer["data"] == {"post": None}
    assert [(error["message"], error["extensions"]) for error in answer["errors"]] == [
        (SLOW, {"code": "TIMEOUT"})
    ]
    await assert_usable(http, tight)


# Each fails in one field while others are still being read; "UG9zdDox" is the first post.
@pytest.mark.parametrize(
    "query",
    [
        "{ posts { nodes { title } } users(first: 101) { totalCount } }",
        """{
          a: posts(first: 1) { totalCount nodes { title } }
          b: posts(first: 2) { totalCount nodes { title } }
          stats { users postsByMonth(last: 0) { count } }
        }""",
        "{ stats { users posts tags usersByRole { count } postsByMonth(last: 0) { count } } }",
        """{
          posts { nodes { excerpt(length: 1) author { username } tags { name } } }
          users { nodes { posts { totalCount nodes { author { username } } } } }
        }""",
        """{
          node(id: "UG9zdDox") { ... on Post { excerpt(length: 1) author { username } } }
          tags { nodes { posts { nodes { author { username } } } } }
        }""",
    ],
    ids=["at once", "among loaders", "among statements", "after a loader", "before a loader"],
)
async def test_an_operation_that_fails_midway_returns_its_connection(
    capsys: pytest.CaptureFixture[str], tight: Database, query: str
) -> None:
    async with asking(app_over(tight)) as http:
        for _ in range(3):
            status, answer = await send(http, query)
            assert status == 200
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
        await assert_usable(http, tight)
    # Nor does what was still being read complain afterwards.
    gc.collect()
    assert "[error" not in capsys.readouterr().err


async def test_a_field_that_fails_leaves_what_others_load(http: httpx.AsyncClient) -> None:
    query = """{
      node(id: "UG9zdDox") { ... on Post { excerpt(length: 1) author { username } } }
      tags { nodes { posts(orderBy: [{field: CREATED_AT}]) { nodes { author { username } } } } }
    }"""
    status, answer = await send(http, query)
    assert status == 200
    authors = [{"author": {"username": name}} for name in ("ann", "ben")]
    assert answer["data"] == {"node": None, "tags": {"nodes": [{"posts": {"nodes": authors}}]}}
    assert [error["extensions"] for error in answer["errors"]] == [{"code": "BAD_USER_INPUT"}]


async def test_an_operation_that_breaks_returns_its_connection(
    http: httpx.AsyncClient, tight: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = SessionContext.fetch

    async def break_afterwards(session: SessionContext, *given: Any, **named: Any) -> None:
        await fetch(session, *given, **named)
        raise LookupError

    with monkeypatch.context() as patch:
        patch.setattr(SessionContext, "fetch", break_afterwards)
        status, answer = await send(http, COUNT)
    assert status == 200
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    await assert_usable(http, tight)


async def test_a_cancelled_request_returns_its_connection(
    http: httpx.AsyncClient, tight: Database
) -> None:
    with slowed(tight), noticed(tight) as sent:
        request = asyncio.create_task(send(http, NESTED))
        await sent.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
    await assert_usable(http, tight)


async def test_a_client_that_hangs_up_does_not_keep_the_connection(tight: Database) -> None:
    app = app_over(tight)
    returned = asyncio.Event()
    event.listen(tight.engine.sync_engine, "checkin", lambda *_: returned.set())
    body = json.dumps({"query": COUNT})
    async with served(app) as url, httpx.AsyncClient(base_url=url) as http:
        with slowed(tight), noticed(tight) as sent:
            _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
            writer.write(
                "POST /graphql HTTP/1.1\r\nHost: blog\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            await sent.wait()
            writer.close()
            await writer.wait_closed()
            await returned.wait()
        await assert_usable(http, tight)


@only_postgresql
async def test_connections_that_the_server_closed_go_unnoticed(
    http: httpx.AsyncClient, tight: Database, database: Database
) -> None:
    await assert_usable(http, tight)
    async with database.transaction() as session:
        closed = await session.scalar(
            text(
                "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert closed == 1
    await assert_usable(http, tight)


@only_postgresql
async def test_a_connection_lost_on_the_way_is_unavailable(
    patient: Database, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    async with asking(app_over(patient)) as http:
        async with database.transaction() as session:
            await session.execute(text("LOCK TABLE posts, tags, users"))
            with noticed(patient) as sent:
                request = asyncio.create_task(send(http, NESTED))
                await sent.wait()
            await session.execute(
                text(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
            status, answer = await request
        assert status == 503
        assert {(error["message"], error["extensions"]["code"]) for error in answer["errors"]} == {
            (LOST, "SERVICE_UNAVAILABLE")
        }
        assert "Traceback" not in capsys.readouterr().err
        await assert_usable(http, patient)
