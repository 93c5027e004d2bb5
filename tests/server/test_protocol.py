"""Requests that offer to go on in another protocol are answered in the one they came in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from blog_graphql.db.database import Database
from tests.support.apps import app_over
from tests.support.client import served

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)

# Seconds after which an answer is given up.
PATIENCE = 60
OFFER = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"
BODY = json.dumps({"query": "{ __typename }"}).encode()
ANSWER = (200, {"data": {"__typename": "Query"}})


class Connection:
    """A connection, over which answers are read one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, *pieces: bytes) -> None:
        """Send each piece by itself."""
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()

    async def answer(self) -> tuple[int, object]:
        """The next answer's status and content."""
        async with asyncio.timeout(PATIENCE):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length:")[1].split()[0])
            return int(head.split()[1]), json.loads(await self._reader.readexactly(length))

    async def rest(self) -> bytes:
        """What comes until the server closes the connection."""
        async with asyncio.timeout(PATIENCE):
            return await self._reader.read()


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[Connection]:
    async with served(app_over(database)) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        yield Connection(reader, writer)
        writer.close()


def post(offer: str = OFFER, *, chunked: bool = False) -> bytes:
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(BODY)}"
    head = f"POST /graphql HTTP/1.1\r\nHost: blog\r\nContent-Type: application/json\r\n{offer}"
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY) if chunked else BODY
    return f"{head}{length}\r\n\r\n".encode() + body


@pytest.mark.parametrize("chunked", [False, True], ids=["sized", "chunked"])
@pytest.mark.parametrize(
    "offer",
    [
        OFFER,
        "Connection: upgrade\r\nUpgrade: TLS/1.0\r\n",
        "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    ],
    ids=["h2c", "tls", "websocket"],
)
async def test_the_body_is_read(connection: Connection, offer: str, chunked: bool) -> None:
    request = post(offer, chunked=chunked)
    await connection.send(request)
    assert await connection.answer() == ANSWER
    await connection.send(request[:40], request[40:150], request[150:-5], request[-5:])
    assert await connection.answer() == ANSWER
    await connection.send(post(""))
    assert await connection.answer() == ANSWER


async def test_requests_in_a_row_are_answered_in_a_row(connection: Connection) -> None:
    await connection.send(post() * 600)
    for _ in range(600):
        assert await connection.answer() == ANSWER


async def test_a_query_in_the_address(connection: Connection) -> None:
    line = "GET /graphql?query={__typename} HTTP/1.1\r\nHost: blog\r\n"
    await connection.send(f"{line}{OFFER}\r\n".encode())
    assert await connection.answer() == ANSWER


async def test_a_connection_that_is_to_be_closed_is_closed(connection: Connection) -> None:
    await connection.send(post("Connection: close, Upgrade\r\nUpgrade: h2c\r\n"))
    assert await connection.answer() == ANSWER
    assert await connection.rest() == b""


@pytest.mark.parametrize(
    "request_line", ["CONNECT /graphql", "CONNECT blog:80", "POST /graphql x", "GET graphql"]
)
@pytest.mark.parametrize("offer", [OFFER, ""], ids=["offer", "none"])
async def test_what_is_no_request_gets_an_answer(
    connection: Connection, request_line: str, offer: str
) -> None:
    await connection.send(
        f"{request_line} HTTP/1.1\r\nHost: blog\r\nConnection: close\r\n{offer}\r\n".encode()
    )
    assert (await connection.rest()).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 405 "))
