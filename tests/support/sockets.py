"""A client of ``graphql-transport-ws`` that says exactly what a test wants said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from blog_graphql.api.services import Services

PROTOCOL: Any = "graphql-transport-ws"
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


async def subscribed(app: FastAPI, count: int = 1) -> None:
    """Wait until so many subscriptions have begun, or are left."""
    services: Services = app.state.services
    async with asyncio.timeout(_PATIENCE):
        while services.fan_out.followers != count:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
