"""A body over the limit is refused, before it is read where that can be known."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import websockets

from blog_graphql.db.database import Database
from tests.cli.test_server import serving
from tests.support.apps import app_over
from tests.support.client import served

ON_ONE = pytest.mark.parametrize("backend", ["memory"], indirect=True)

LIMIT = 1_000
QUERY = json.dumps({"query": "{ __typename }"}).encode()
ANSWER = {"data": {"__typename": "Query"}}
HEAD = "POST /graphql HTTP/1.1\r\nHost: blog\r\nContent-Type: application/json\r\n"
# Seconds after which an answer is given up.
PATIENCE = 60

Read = Callable[[], Awaitable[tuple[int, Any]]]


@pytest.fixture
async def socket(
    database: Database,
) -> AsyncIterator[tuple[asyncio.StreamWriter, Read]]:
    """A connection to a server that takes 1,000 bytes, and a way to read its next answer."""
    async with (
        served(app_over(database, max_body_bytes=LIMIT)) as url,
        _connected(url) as (reader, writer),
        asyncio.timeout(PATIENCE),
    ):

        async def read() -> tuple[int, Any]:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            status = int(head.split()[1])
            length = int(head.split("content-length:")[1].split()[0])
            return status, json.loads(await reader.readexactly(length))

        yield writer, read


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
    try:
        yield reader, writer
    finally:
        writer.close()


def sized(body: bytes, size: int | None = None) -> bytes:
    length = len(body) if size is None else size
    return f"{HEAD}Content-Length: {length}\r\n\r\n".encode() + body


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def refused(size: str) -> tuple[int, Any]:
    message = f"The body may have 1,000 bytes at most; this one has {size}."
    return 413, {"errors": [{"message": message, "extensions": {"code": "BAD_USER_INPUT"}}]}


@ON_ONE
async def test_a_body_of_the_limit_is_served(socket: Any) -> None:
    writer, read = socket
    writer.write(sized(QUERY.ljust(LIMIT)))
    assert await read() == (200, ANSWER)


@ON_ONE
async def test_an_announced_size_is_refused_before_the_body_comes(socket: Any) -> None:
    writer, read = socket
    writer.write(sized(b"", LIMIT + 1))
    assert await read() == refused("1,001 bytes")


@ON_ONE
async def test_a_client_that_asks_first_is_not_told_to_go_on(socket: Any) -> None:
    writer, read = socket
    writer.write(f"{HEAD}Content-Length: {LIMIT + 1}\r\nExpect: 100-continue\r\n\r\n".encode())
    assert await read() == refused("1,001 bytes")


@ON_ONE
async def test_after_a_refused_body_the_connection_serves_the_next(socket: Any) -> None:
    writer, read = socket
    writer.write(sized(b" " * 1_000_000))
    await writer.drain()
    assert await read() == refused("1,000,000 bytes")
    writer.write(sized(QUERY))
    assert await read() == (200, ANSWER)


@ON_ONE
async def test_a_body_in_chunks_is_served(socket: Any) -> None:
    writer, read = socket
    pieces = QUERY[:10], QUERY[10:], b" " * (LIMIT - len(QUERY))
    writer.write(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
    writer.write(b"".join(chunk(piece) for piece in pieces) + b"0\r\n\r\n")
    assert await read() == (200, ANSWER)


@ON_ONE
async def test_a_body_in_chunks_is_refused_as_soon_as_it_is_too_large(socket: Any) -> None:
    writer, read = socket
    writer.write(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode())
    for _ in range(LIMIT + 1):
        writer.write(chunk(b" "))
    # The last chunk never came.
    assert await read() == refused("more")
    for _ in range(100):
        writer.write(chunk(b" " * LIMIT))
    writer.write(b"0\r\n\r\n" + sized(QUERY))
    assert await read() == (200, ANSWER)


@ON_ONE
async def test_a_query_in_the_address_may_bring_no_more(socket: Any) -> None:
    writer, read = socket
    head = HEAD.replace("POST /graphql", "GET /graphql?query={__typename}")
    writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk(b" " * LIMIT))
    writer.write(chunk(b" ") + b"0\r\n\r\n")
    assert await read() == refused("more")


@ON_ONE
async def test_no_path_takes_more(database: Database) -> None:
    async with (
        served(app_over(database, max_body_bytes=LIMIT)) as url,
        _connected(url) as (reader, writer),
        asyncio.timeout(PATIENCE),
    ):
        request = "POST /nowhere HTTP/1.1\r\nHost: blog\r\nConnection: close\r\n"
        writer.write(f"{request}Content-Length: {LIMIT + 1}\r\n\r\n".encode())
        answer = (await reader.read()).decode()
    assert answer.startswith("HTTP/1.1 413 ")


@ON_ONE
async def test_what_is_refused_is_never_logged_as_an_error(
    socket: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    writer, read = socket
    writer.write(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk(b" " * LIMIT * 2))
    assert await read() == refused("more")
    assert "[error" not in capsys.readouterr().err


async def test_serve_takes_no_larger_message_over_a_websocket() -> None:
    limited = {"BLOG_DATABASE_URL": "sqlite://", "BLOG_MAX_BODY_BYTES": str(LIMIT)}
    async with serving(**limited) as (_, http):
        address = str(http.base_url.copy_with(scheme="ws", path="/graphql"))
        protocol = [websockets.Subprotocol("graphql-transport-ws")]
        async with websockets.connect(address, subprotocols=protocol) as socket:
            await socket.send(json.dumps({"type": "connection_init"}).ljust(LIMIT))
            assert json.loads(await socket.recv()) == {"type": "connection_ack"}
            await socket.send(json.dumps({"type": "ping"}).ljust(LIMIT + 1))
            with pytest.raises(websockets.ConnectionClosedError) as closed:
                await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400
