"""Connections whose clients ask too much, take nothing, or leave, and the server's end."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import pytest
import uvicorn
from fastapi import FastAPI, Request
from starlette.types import Receive, Scope, Send
from strawberry.types import ExecutionResult
from uvicorn.server import ServerState

from blog_graphql.api.disconnection import is_stopping, while_connected
from blog_graphql.api.http.protocol import HTTPProtocol
from blog_graphql.api.http.streams import EventStream, StreamResponse
from blog_graphql.db.database import Database
from tests.support.apps import app_over
from tests.support.client import served

pytestmark = [
    pytest.mark.parametrize("backend", ["memory"], indirect=True),
    pytest.mark.usefixtures("backend"),
]

# Seconds after which a test that hangs is given up.
PATIENCE = 60
LARGEST_HEAD = 128 * 1024
SUBSCRIBE = (
    b"GET /graphql?query=subscription{postPublished{title}} HTTP/1.1\r\n"
    b"Host: blog\r\nAccept: text/event-stream\r\n\r\n"
)
HEALTH = b"GET /health HTTP/1.1\r\nHost: blog\r\n\r\n"
TOO_LARGE = "The address and headers may have 131,072 bytes at most."


class Connection:
    """A client that decides about every byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def until(self, end: bytes) -> bytes:
        """What comes until and with the given bytes."""
        async with asyncio.timeout(PATIENCE):
            return await self._reader.readuntil(end)

    async def rest(self) -> bytes:
        """What comes until the server closes the connection."""
        async with asyncio.timeout(PATIENCE):
            return await self._reader.read()

    def leave(self) -> None:
        self._writer.close()


Connect: TypeAlias = Callable[[str], Awaitable[Connection]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connects to an address, until the test ends."""
    connections: list[Connection] = []

    async def connect(url: str) -> Connection:
        streams = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        connections.append(Connection(*streams))
        return connections[-1]

    yield connect
    for connection in connections:
        connection.leave()


@pytest.fixture
async def connection(database: Database, connect: Connect) -> AsyncIterator[Connection]:
    async with served(app_over(database)) as url:
        connection = await connect(url)
        yield connection
        connection.leave()


@pytest.fixture
def no_errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def until_nobody_listens(database: Database) -> None:
    async with asyncio.timeout(PATIENCE):
        while database.events.subscriptions:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


def refused(status: bytes, message: str, code: str = "BAD_USER_INPUT") -> tuple[bytes, Any]:
    return status, {"errors": [{"message": message, "extensions": {"code": code}}]}


def parsed(answer: bytes) -> tuple[bytes, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\nconnection: close" in head
    return head.split()[1], json.loads(body)


async def test_a_stream_ends_with_its_client_though_more_was_asked(
    database: Database, connect: Connect
) -> None:
    # A heartbeat finds out that nobody is there: nothing is read behind what waits.
    app = app_over(database, keep_alive_seconds=0.01)
    async with served(app) as url:
        connection = await connect(url)
        await connection.send(SUBSCRIBE)
        await connection.until(b":\n\n")
        await connection.send(HEALTH * 3)
        connection.leave()
        await until_nobody_listens(database)


@pytest.mark.usefixtures("no_errors")
async def test_a_stream_ends_with_the_server_though_more_was_asked(
    database: Database, connect: Connect
) -> None:
    async with served(app_over(database)) as url:
        connection = await connect(url)
        # In one piece, so that what waits is known before the stream has begun.
        await connection.send(SUBSCRIBE + HEALTH)
        await connection.until(b":\n\n\r\n")
    assert await connection.rest() == b"0\r\n\r\n"
    assert database.events.subscriptions == 0


@pytest.mark.usefixtures("no_errors")
async def test_a_stream_that_begins_while_the_server_stops_ends_at_once(connect: Connect) -> None:
    async def stopping(scope: Scope) -> None:
        while not is_stopping(scope):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)

    async def endless() -> AsyncGenerator[ExecutionResult, None]:
        await asyncio.get_running_loop().create_future()
        yield ExecutionResult(data=None, errors=None)

    app = FastAPI()

    @app.get("/")
    async def late(request: Request) -> StreamResponse:
        begun.set()
        await while_connected(request.receive, stopping(request.scope))
        return StreamResponse(EventStream(), endless(), PATIENCE)

    begun = asyncio.Event()
    async with served(app) as url:
        connection = await connect(url)
        await connection.send(b"GET / HTTP/1.1\r\nHost: blog\r\n\r\n")
        await begun.wait()
    assert (await connection.rest()).endswith(b"\r\n\r\n3\r\n:\n\n\r\n0\r\n\r\n")


@pytest.mark.usefixtures("no_errors")
async def test_a_request_that_is_still_coming_does_not_hold_the_server_up(
    database: Database, connect: Connect
) -> None:
    async with served(app_over(database)) as url:
        connection = await connect(url)
        await connection.send(
            b"POST /graphql HTTP/1.1\r\nHost: blog\r\nContent-Type: application/json\r\n"
            b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n"
        )
        await connection.until(b"100 Continue\r\n\r\n")
        await connection.send(b"{")
    message = "The server stops before it has got the whole request: send it again."
    assert parsed(await connection.rest()) == refused(b"503", message, "SERVICE_UNAVAILABLE")


HEADERS = b"X: %s\r\n" % (b"y" * 1_019) * 129
CHUNKED = (
    b"POST /graphql HTTP/1.1\r\nHost: blog\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n18\r\n" + b'{"query":"{__typename}"}' + b"\r\n0\r\n"
)


@pytest.mark.parametrize(
    # The last byte is the first too much, so that the server has read all when it answers:
    # a header is known to be over when the next begins.
    "head",
    [
        b"GET /" + b"a" * LARGEST_HEAD,
        b"GET / HTTP/1.1\r\n" + HEADERS + b"X",
        CHUNKED + HEADERS + b"X",
    ],
    ids=["address", "headers", "trailers"],
)
async def test_heads_have_a_limit(connection: Connection, head: bytes) -> None:
    await connection.send(head)
    assert parsed(await connection.rest()) == refused(b"431", TOO_LARGE)


async def test_a_header_without_an_end_is_given_up(connection: Connection) -> None:
    with pytest.raises(ConnectionError):
        await _send_header_without_end(connection)
    with suppress(ConnectionError):
        await connection.rest()


async def _send_header_without_end(connection: Connection) -> None:
    await connection.send(b"GET / HTTP/1.1\r\nX: ")
    for _ in range(1_000):
        await connection.send(b"y" * LARGEST_HEAD)


async def test_what_is_no_request_is_told_so_in_json(connection: Connection) -> None:
    await connection.send(b"no request\r\n\r\n")
    assert parsed(await connection.rest()) == refused(b"400", "Invalid HTTP request received.")


async def test_nothing_is_written_into_a_stream(connection: Connection) -> None:
    await connection.send(SUBSCRIBE)
    await connection.until(b":\n\n\r\n")
    await connection.send(b"no request\r\n\r\n")
    assert await connection.rest() == b""


async def test_trailers_are_no_headers(connection: Connection) -> None:
    await connection.send(CHUNKED + b"Authorization: Bearer x\r\nX-Request-ID: trailer\r\n\r\n")
    head = await connection.until(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"trailer" not in head


async def test_an_old_client_gets_a_stream_without_chunks(
    database: Database, connect: Connect
) -> None:
    async with served(app_over(database)) as url:
        connection = await connect(url)
        await connection.send(SUBSCRIBE.replace(b"HTTP/1.1", b"HTTP/1.0"))
        head = await connection.until(b"\r\n\r\n")
        assert await connection.until(b"\n\n") == b":\n\n"
    assert b"\r\nconnection: close\r\n" in head
    assert b"transfer-encoding" not in head
    assert await connection.rest() == b""


async def test_an_old_client_gets_an_answer(connection: Connection) -> None:
    await connection.send(b"GET /health HTTP/1.0\r\n\r\n")
    assert parsed(await connection.rest()) == (b"200", {"status": "ok"})


class Wire(asyncio.Transport):
    """The server's side of a connection, and what it does with it."""

    def __init__(self, *left: int) -> None:
        super().__init__()
        self.reads: list[bool] = []
        self.is_aborted = False
        self._left = list(left)

    def write(self, data: Any) -> None:
        pass

    def close(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        self.is_aborted = True

    def pause_reading(self) -> None:
        self.reads.append(False)

    def resume_reading(self) -> None:
        self.reads.append(True)

    def get_write_buffer_size(self) -> int:
        """What is left, and the last of it ever after."""
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]


def wired(wire: Wire, app: Any, patience: float = PATIENCE) -> HTTPProtocol:
    config = uvicorn.Config(app, log_config=None)
    config.timeout_keep_alive = patience  # type: ignore[assignment]
    protocol = HTTPProtocol(config, ServerState(), {})
    protocol.connection_made(wire)
    return protocol


async def rounds() -> None:
    """Let everything run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


class Asking:
    """An app that begins a stream, and asks for more until it may end."""

    def __init__(self) -> None:
        self.received = 0
        self.may_end = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        asking = asyncio.create_task(self._ask(receive))
        await self.may_end.wait()
        asking.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _ask(self, receive: Receive) -> None:
        while True:
            await receive()
            self.received += 1


async def test_nothing_is_read_behind_requests_that_wait() -> None:
    wire, app = Wire(0), Asking()
    protocol = wired(wire, app)
    protocol.data_received(HEALTH)
    await rounds()
    assert app.received == 1
    protocol.data_received(HEALTH * 2)
    await rounds()
    protocol.flow.resume_reading()
    assert wire.reads == [False]
    app.may_end.set()
    await rounds()
    assert wire.reads == [False, True]
    protocol.connection_lost(None)


async def test_a_client_that_takes_nothing_is_given_up() -> None:
    wire = Wire(100, 50, 50)
    protocol = wired(wire, Asking(), patience=0)
    protocol.pause_writing()
    async with asyncio.timeout(PATIENCE):
        while not wire.is_aborted:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
    protocol.connection_lost(None)


async def test_a_client_that_takes_all_is_not_given_up() -> None:
    wire = Wire(100)
    protocol = wired(wire, Asking(), patience=0)
    protocol.pause_writing()
    protocol.resume_writing()
    await rounds()
    assert not wire.is_aborted
    protocol.connection_lost(None)


@pytest.mark.parametrize(("left", "is_aborted"), [(1, True), (0, False)])
async def test_a_stream_that_nobody_takes_does_not_hold_the_server_up(
    left: int, is_aborted: bool
) -> None:
    wire, app = Wire(left), Asking()
    protocol = wired(wire, app)
    protocol.data_received(HEALTH)
    await rounds()
    protocol.shutdown()
    assert wire.is_aborted == is_aborted
    app.may_end.set()
    await rounds()
    protocol.connection_lost(None)
