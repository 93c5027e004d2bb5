"""A GraphQL client that talks HTTP to a server of the test's own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from blog_graphql.api.context import get_viewer
from blog_graphql.db.visibility import ANONYMOUS, Viewer


@dataclass(frozen=True)
class Client:
    """Sends operations to ``/graphql``."""

    http: httpx.AsyncClient
    app: FastAPI

    async def post(
        self, query: str, variables: dict[str, Any] | None = None, viewer: Viewer = ANONYMOUS
    ) -> httpx.Response:
        """Send an operation as somebody; gives the whole response."""
        self.app.dependency_overrides[get_viewer] = lambda: viewer
        return await self.http.post("/graphql", json={"query": query, "variables": variables})

    async def execute(
        self, query: str, variables: dict[str, Any] | None = None, viewer: Viewer = ANONYMOUS
    ) -> Any:
        """The data of an operation that must succeed."""
        response = await self.post(query, variables, viewer)
        answer = response.json()
        assert response.status_code == 200, answer
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def refused(
        self, query: str, variables: dict[str, Any] | None = None, viewer: Viewer = ANONYMOUS
    ) -> tuple[str, str]:
        """The code and message of the only error of an operation that must fail."""
        answer = (await self.post(query, variables, viewer)).json()
        (error,) = answer["errors"]
        return error["extensions"]["code"], error["message"]


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """Serve an app on a free port of this machine; gives its address."""
    config = uvicorn.Config(app, log_config=None, lifespan="on")
    server = uvicorn.Server(config)
    # With the protocol named, asyncio sends each write at once.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def connected(app: FastAPI) -> AsyncIterator[Client]:
    """A client of an app that is served for as long as the block runs."""
    async with served(app) as url, httpx.AsyncClient(base_url=url) as http:
        yield Client(http, app)
