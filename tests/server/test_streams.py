"""Live updates over HTTP: server-sent events and Apollo's multipart protocol, byte by byte."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import Message
from strawberry.types import ExecutionResult

from blog_graphql.api.http.streams import EventStream, StreamResponse
from blog_graphql.api.node import encode_id
from blog_graphql.db.database import Database
from blog_graphql.db.events import Topic, announce
from blog_graphql.db.models import Post
from tests.cli.test_server import serving
from tests.support.apps import app_over, asking
from tests.support.blog import Blog
from tests.support.client import Client, served
from tests.support.sockets import until

ON_ONE = pytest.mark.parametrize("backend", ["memory"], indirect=True)
# Seconds after which a test that hangs is given up.
PATIENCE = 60

PUBLISHED = "subscription { postPublished { title } }"
EVENTS = "text/event-stream"
MULTIPART = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"

NEXT = b'event: next\ndata: {"data":{"postPublished":{"title":"%s"}}}\n\n'
COMPLETE = b"event: complete\ndata:\n\n"
PART = b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n%s\r\n--graphql"
HEARTBEAT = PART % b"{}"

DROPPED = (
    b'{"message":"More than 1,000 posts were published before you took them: subscribe again, '
    b'and query what you have missed.","extensions":{"code":"SUBSCRIBER_TOO_SLOW"}}'
)


class Stream:
    """An answer that is still coming."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self._chunks = response.aiter_raw()
        self._received = b""

    async def read(self, size: int) -> bytes:
        """The next bytes, so many of them."""
        async with asyncio.timeout(PATIENCE):
            while len(self._received) < size:
                self._received += await anext(self._chunks)
        taken, self._received = self._received[:size], self._received[size:]
        return taken

    async def expect(self, *parts: bytes) -> None:
        """What must come next, and as soon as the client can use it."""
        for part in parts:
            assert await self.read(len(part)) == part
        assert self._received == b""

    async def rest(self) -> bytes:
        """All that comes until the end."""
        async with asyncio.timeout(PATIENCE):
            return self._received + b"".join([chunk async for chunk in self._chunks])


@asynccontextmanager
async def streaming(
    http: httpx.AsyncClient, query: str, accept: str = EVENTS, method: str = "POST"
) -> AsyncIterator[Stream]:
    given: dict[str, Any] = {"params" if method == "GET" else "json": {"query": query}}
    headers = {"Accept": accept, "Accept-Encoding": "gzip"}
    async with http.stream(method, "/graphql", headers=headers, **given) as response:
        yield Stream(response)


async def publish(database: Database, author: int, title: str) -> int:
    """Write a post, and tell everybody."""
    post = await Blog(database).post(author, slug=title.lower(), title=title)
    async with database.transaction() as session:
        announce(session, Topic.PUBLISHED, post)
    return post


async def nobody_listens(database: Database) -> None:
    """Wait until every subscription has ended."""
    await until(lambda: database.events.subscriptions == 0)


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_server_sent_events(
    client: Client, database: Database, blog: Blog, method: str
) -> None:
    author = await blog.user("ann")
    async with streaming(client.http, PUBLISHED, method=method) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-store, no-transform"
        assert stream.headers["x-accel-buffering"] == "no"
        assert stream.headers["vary"] == "Accept"
        assert "content-encoding" not in stream.headers
        await stream.expect(b":\n\n")
        await publish(database, author, "One")
        await stream.expect(NEXT % b"One")
        await publish(database, author, "Zwölf\u2028\r\n")
        await stream.expect(NEXT % b"Zw\\u00f6lf\\u2028\\r\\n")
    await nobody_listens(database)


async def test_the_multipart_protocol(client: Client, database: Database, blog: Blog) -> None:
    author = await blog.user("ann")
    async with streaming(client.http, PUBLISHED, MULTIPART) as stream:
        assert stream.status == 200
        assert stream.headers["content-type"] == (
            "multipart/mixed; boundary=graphql; subscriptionSpec=1.0"
        )
        assert stream.headers["cache-control"] == "no-store, no-transform"
        assert "content-encoding" not in stream.headers
        await stream.expect(b"--graphql", HEARTBEAT)
        await publish(database, author, "One")
        payload = b'{"payload":{"data":{"postPublished":{"title":"One"}}}}'
        await stream.expect(PART % payload)
    await nobody_listens(database)


@ON_ONE
@pytest.mark.parametrize(
    ("accept", "opening", "event", "end"),
    [
        (EVENTS, b":\n\n", b"event: next\ndata: %s\n\n", COMPLETE),
        (MULTIPART, b"--graphql" + HEARTBEAT, PART.replace(b"%s", b'{"payload":%s}'), b"--\r\n"),
    ],
    ids=["events", "multipart"],
)
async def test_a_subscription_that_is_over_completes(
    client: Client,
    database: Database,
    blog: Blog,
    accept: str,
    opening: bytes,
    event: bytes,
    end: bytes,
) -> None:
    post = await blog.post(await blog.user("ann"), title="Old")
    query = f'subscription {{ postChanged(id: "{encode_id("Post", post)}") {{ title }} }}'
    async with streaming(client.http, query, accept) as stream:
        await stream.expect(opening)
        async with database.transaction() as session:
            (await session.get_one(Post, post)).title = "New"
            announce(session, Topic.CHANGED, post)
        await stream.expect(event % b'{"data":{"postChanged":{"title":"New"}}}')
        await blog.delete(Post, post)
        async with database.transaction() as session:
            announce(session, Topic.CHANGED, post)
        assert await stream.rest() == end
    await nobody_listens(database)


@ON_ONE
@pytest.mark.parametrize(
    ("accept", "opening", "heartbeat"),
    [(EVENTS, b":\n\n", b":\n\n"), (MULTIPART, b"--graphql" + HEARTBEAT, HEARTBEAT)],
    ids=["events", "multipart"],
)
async def test_a_quiet_stream_says_that_it_is_there(
    database: Database, blog: Blog, accept: str, opening: bytes, heartbeat: bytes
) -> None:
    author = await blog.user("ann")
    app = app_over(database, keep_alive_seconds=0.01)
    async with served(app) as url, httpx.AsyncClient(base_url=url, timeout=PATIENCE) as http:
        async with streaming(http, PUBLISHED, accept) as stream:
            assert await stream.read(len(opening)) == opening
            for _ in range(3):
                assert await stream.read(len(heartbeat)) == heartbeat
            await publish(database, author, "One")
            while (line := await stream.read(len(heartbeat))) == heartbeat:
                pass
            assert b"One" in line + await stream.read(80)
        await nobody_listens(database)


@ON_ONE
@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        (EVENTS, b":\n\nevent: next\ndata: %s\n\n" + COMPLETE),
        (
            MULTIPART,
            b"--graphql" + HEARTBEAT + PART.replace(b"%s", b'{"payload":%s}') + b"--\r\n",
        ),
    ],
    ids=["events", "multipart"],
)
@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("{ __typename }", {"data": {"__typename": "Query"}}),
        (
            "mutation { logout(input: {everywhere: true}) { errors { code } } }",
            {
                "data": {"logout": None},
                "errors": [
                    {
                        "message": "Sign in first, or give the refreshToken of the session to end.",
                        "locations": [{"line": 1, "column": 12}],
                        "path": ["logout"],
                        "extensions": {"code": "UNAUTHENTICATED"},
                    }
                ],
            },
        ),
        (
            "subscription { postPublish { title } }",
            {
                "errors": [
                    {
                        "message": "Cannot query field 'postPublish' on type 'Subscription'. "
                        "Did you mean 'postPublished'?",
                        "locations": [{"line": 1, "column": 16}],
                        "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
                    }
                ]
            },
        ),
    ],
    ids=["query", "mutation", "refusal"],
)
async def test_one_answer_as_a_stream(
    database: Database, accept: str, answer: bytes, query: str, result: Any
) -> None:
    async with asking(app_over(database)) as http:
        response = await http.post("/graphql", json={"query": query}, headers={"Accept": accept})
    assert response.status_code == 200
    assert response.content == answer % json.dumps(result, separators=(",", ":")).encode()
    assert response.headers["content-length"] == str(len(response.content))
    assert response.headers["cache-control"] == "no-store, no-transform"


@ON_ONE
async def test_a_mutation_in_the_address_is_not_run_for_a_stream(database: Database) -> None:
    params = {"query": "mutation { __typename }"}
    async with asking(app_over(database)) as http:
        response = await http.get("/graphql", params=params, headers={"Accept": EVENTS})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["errors"][0]["message"] == "mutations are not allowed when using GET"


@ON_ONE
async def test_head_starts_no_stream(client: Client, database: Database) -> None:
    headers = {"Accept": EVENTS}
    response = await client.http.head("/graphql", params={"query": PUBLISHED}, headers=headers)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert database.events.subscriptions == 0


@ON_ONE
@pytest.mark.parametrize(
    ("accept", "failure"),
    [
        (EVENTS, b'event: next\ndata: {"errors":[%s]}\n\n' + COMPLETE),
        (MULTIPART, PART.replace(b"%s", b'{"payload":null,"errors":[%s]}') + b"--\r\n"),
    ],
    ids=["events", "multipart"],
)
async def test_a_subscription_that_cannot_go_on_says_why(
    client: Client, database: Database, accept: str, failure: bytes
) -> None:
    async with streaming(client.http, PUBLISHED, accept) as stream:
        await stream.read(len(b":\n\n" if accept == EVENTS else b"--graphql" + HEARTBEAT))
        # More posts at once than are kept for subscribers.
        async with database.transaction() as session:
            announce(session, Topic.PUBLISHED, *range(1_100))
        assert await stream.rest() == failure % DROPPED
    await nobody_listens(database)


@ON_ONE
@pytest.mark.parametrize("accept", [EVENTS, MULTIPART], ids=["events", "multipart"])
async def test_a_server_that_stops_breaks_streams_off(
    database: Database, caplog: pytest.LogCaptureFixture, accept: str
) -> None:
    """Without the protocol's end: a client is to subscribe again elsewhere."""
    app = app_over(database)
    async with httpx.AsyncClient(timeout=PATIENCE) as http:
        async with served(app) as url:
            http.base_url = httpx.URL(url)
            listening = asyncio.create_task(_listen(http, accept))
            await until(lambda: database.events.subscriptions == 1)
        rest = await listening
    assert rest == (b":\n\n" if accept == EVENTS else b"--graphql" + HEARTBEAT)
    assert database.events.subscriptions == 0
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_stream_does_not_hold_the_server_up() -> None:
    environment = {"BLOG_DATABASE_URL": "sqlite://", "BLOG_SHUTDOWN_TIMEOUT": str(10 * PATIENCE)}
    async with serving(**environment) as (process, http), streaming(http, PUBLISHED) as stream:
        await stream.expect(b":\n\n")
        process.signal(signal.SIGTERM)
        assert await stream.rest() == b""
        outcome = await process.ended()
    assert outcome.status == 0
    assert "[error" not in outcome.stderr


async def _listen(http: httpx.AsyncClient, accept: str) -> bytes:
    async with streaming(http, PUBLISHED, accept) as stream:
        return await stream.rest()


@ON_ONE
async def test_a_client_that_does_not_read_can_still_go_away(
    database: Database, blog: Blog
) -> None:
    author = await blog.user("ann")
    query = "subscription { postPublished { content } }"
    async with served(app_over(database)) as url:
        port = urlsplit(url).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000)
        address = httpx.URL("/graphql", params={"query": query})
        writer.write(f"GET {address} HTTP/1.1\r\nHost: blog\r\nAccept: {EVENTS}\r\n\r\n".encode())
        await reader.readuntil(b":\n\n")
        # More than the buffers on the way hold.
        posts = [await blog.post(author, content="x" * 500_000) for _ in range(40)]
        async with database.transaction() as session:
            announce(session, Topic.PUBLISHED, *posts)
        writer.close()
        await nobody_listens(database)


class Pipe:
    """The server's side of a connection: what was sent, and a client that takes it or does not."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.takes = asyncio.Event()
        self.gone = asyncio.Event()

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        await self.takes.wait()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}


class Results:
    """Results without end, or one that fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.fetched = 0
        self.is_closed = False
        self._error = error

    async def all(self) -> AsyncGenerator[ExecutionResult, None]:
        try:
            while True:
                await asyncio.sleep(0)
                if self._error is not None:
                    raise self._error
                self.fetched += 1
                yield ExecutionResult(data={"number": self.fetched}, errors=None)
        finally:
            self.is_closed = True


async def rounds() -> None:
    """Let everything run that can."""
    for _ in range(100):
        await asyncio.sleep(0)


async def test_no_more_is_fetched_than_the_client_takes() -> None:
    pipe, results = Pipe(), Results()
    response = StreamResponse(EventStream(), results.all(), keep_alive=60)
    pipe.takes.set()
    serving = asyncio.create_task(response({}, pipe.receive, pipe.send))
    await until(lambda: results.fetched == 3)
    pipe.takes.clear()
    await rounds()
    fetched = results.fetched
    await rounds()
    assert results.fetched == fetched
    pipe.gone.set()
    await rounds()
    pipe.takes.set()
    async with asyncio.timeout(PATIENCE):
        await serving
    assert results.is_closed
    assert pipe.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_a_cancelled_stream_ends_its_results() -> None:
    pipe, results = Pipe(), Results()
    response = StreamResponse(EventStream(), results.all(), keep_alive=60)
    pipe.takes.set()
    serving = asyncio.create_task(response({}, pipe.receive, pipe.send))
    await until(lambda: results.fetched > 0)
    pipe.takes.clear()
    await rounds()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert results.is_closed


async def test_a_timeout_of_the_results_is_no_disconnection() -> None:
    pipe, results = Pipe(), Results(TimeoutError())
    pipe.takes.set()
    with pytest.raises(TimeoutError):
        await StreamResponse(EventStream(), results.all(), 60)({}, pipe.receive, pipe.send)
    assert results.is_closed
