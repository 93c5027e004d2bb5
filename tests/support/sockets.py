"""A client of ``graphql-transport-ws`` that says exactly what a test wants said."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import OP_TEXT, Frame, Opcode

from blog_graphql.api.services import Services

PROTOCOL: Any = "graphql-transport-ws"
HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: blog\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
# Seconds after which what should have come is given up.
_PATIENCE = 30


class Socket:
    """An open socket."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, kind: str, **parts: Any) -> None:
        """Send a message, escaped, so that every text can be sent."""
        await self.send_raw(json.dumps({"type": kind, **parts}))

    async def send_raw(self, data: str | bytes) -> None:
        """Send what may be no message."""
        await self.connection.send(data)

    async def receive(self) -> Any:
        """The next message."""
        async with asyncio.timeout(_PATIENCE):
            return json.loads(await self.connection.recv())

    async def subscribe(
        self, query: str, variables: dict[str, Any] | None = None, *, key: str = "1"
    ) -> None:
        """Send an operation."""
        await self.send("subscribe", id=key, payload={"query": query, "variables": variables})

    async def data(self) -> Any:
        """The data of the next result, which has no errors."""
        message = await self.receive()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]

    async def refused(self) -> tuple[str, str]:
        """The code and message of the only error of the operation that ends now."""
        message = await self.receive()
        assert message["type"] == "error", message
        (error,) = message["payload"]
        return error["extensions"]["code"], error["message"]

    async def ping(self) -> None:
        """Wait until the server has read everything that was sent before."""
        await self.send("ping")
        assert await self.receive() == {"type": "pong"}

    async def closed(self) -> tuple[int, str]:
        """The code and reason with which the server closes, and nothing before."""
        with pytest.raises(ConnectionClosed) as closed:
            async with asyncio.timeout(_PATIENCE):
                await self.connection.recv()
        close = closed.value.rcvd
        assert close is not None, "1006: no close frame came"
        return close.code, close.reason


@asynccontextmanager
async def opened(
    http: httpx.AsyncClient, *, protocol: Any = PROTOCOL, path: str = "/graphql", **options: Any
) -> AsyncIterator[Socket]:
    """A socket on which nothing was said."""
    url = str(http.base_url.copy_with(scheme="ws", path=path))
    protocols = None if protocol is None else [protocol]
    async with connect(url, subprotocols=protocols, **options) as connection:
        yield Socket(connection)


@asynccontextmanager
async def initialised(
    http: httpx.AsyncClient, *, token: str | None = None, **options: Any
) -> AsyncIterator[Socket]:
    """A socket whose ``connection_init`` was acknowledged."""
    payload = {} if token is None else {"authorization": f"Bearer {token}"}
    async with opened(http, **options) as socket:
        await socket.send("connection_init", payload=payload)
        assert await socket.receive() == {"type": "connection_ack"}
        yield socket


class Wire:
    """The bytes of a connection, read only where a test says so."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._transport: Any = writer.transport

    def write(self, *parts: bytes) -> None:
        """Send bytes at once."""
        self._writer.write(b"".join(parts))

    def stop_reading(self) -> None:
        """Leave what comes from now on where it is."""
        self._transport.pause_reading()

    async def head(self) -> bytes:
        """The head of the answer to a handshake."""
        async with asyncio.timeout(_PATIENCE):
            return await self._reader.readuntil(b"\r\n\r\n")

    async def read(self, end: bytes, count: int = 1) -> bytes:
        """All until ``end`` has come so many times."""
        self._go_on()
        async with asyncio.timeout(_PATIENCE):
            return b"".join([await self._reader.readuntil(end) for _ in range(count)])

    async def rest(self) -> bytes:
        """All until the server closes."""
        self._go_on()
        async with asyncio.timeout(_PATIENCE):
            return await self._reader.read()

    def _go_on(self) -> None:
        # What was stopped here; asyncio itself stops at more than any test reads.
        self._transport.resume_reading()


@asynccontextmanager
async def wired(http: httpx.AsyncClient) -> AsyncIterator[Wire]:
    """A connection on which nothing was said, and for which the system keeps little."""
    with sockets.socket() as connection:
        connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
        connection.setblocking(False)
        url = http.base_url
        await asyncio.get_running_loop().sock_connect(connection, (url.host, url.port))
        reader, writer = await asyncio.open_connection(sock=connection, limit=2**26)
        try:
            yield Wire(reader, writer)
        finally:
            writer.transport.abort()


@asynccontextmanager
async def begun(http: httpx.AsyncClient) -> AsyncIterator[Wire]:
    """A connection whose handshake and ``connection_init`` were answered."""
    async with wired(http) as wire:
        wire.write(HANDSHAKE)
        assert (await wire.head()).startswith(b"HTTP/1.1 101 ")
        wire.write(message("connection_init"))
        await wire.read(b'{"type":"connection_ack"}')
        yield wire


def frame(opcode: Opcode, data: bytes = b"", *, fin: bool = True) -> bytes:
    """A frame as a client sends it."""
    return Frame(opcode, data, fin).serialize(mask=True)


def message(kind: str, **parts: Any) -> bytes:
    """A message as a frame."""
    return frame(OP_TEXT, json.dumps({"type": kind, **parts}).encode())


async def until(condition: Callable[[], object]) -> None:
    """Let the server run until something holds."""
    async with asyncio.timeout(_PATIENCE):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


async def subscribed(app: FastAPI, count: int = 1) -> None:
    """Wait until so many subscriptions have begun, or are left."""
    services: Services = app.state.services
    await until(lambda: services.fan_out.followers == count)
