"""A GraphQL client that talks HTTP to a server of the test's own."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import httpx
import uvicorn
from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection

from blog_graphql.api.authentication import Authentication
from blog_graphql.api.context import get_authentication, get_services
from blog_graphql.api.http.protocol import HTTPProtocol
from blog_graphql.api.services import Services
from blog_graphql.api.socket_protocol import SocketProtocol
from blog_graphql.db.models import UserRole
from blog_graphql.db.session import SessionContext
from blog_graphql.db.visibility import ANONYMOUS, Viewer

_VIEWER = "Test-Viewer"


@dataclass(frozen=True)
class Impersonation:
    """Signs somebody in without a token."""

    who: Viewer

    @property
    def is_anonymous(self) -> bool:
        return self.who.id is None

    def seconds_left(self, _now: datetime) -> float | None:
        return None

    def user_id(self, _now: datetime) -> int | None:
        return self.who.id

    async def viewer(self, _session: SessionContext, _now: datetime) -> Viewer:
        return self.who


def _authentication(
    connection: HTTPConnection, services: Annotated[Services, Depends(get_services)]
) -> Authentication:
    """A header of the tests beside the real one."""
    if _VIEWER not in connection.headers:
        return get_authentication(connection, services)
    key, role = connection.headers[_VIEWER].split()
    return Impersonation(Viewer(int(key), UserRole(role)))


@dataclass(frozen=True)
class Client:
    """Sends operations to ``/graphql``, as a viewer or with a real access token."""

    http: httpx.AsyncClient

    async def post(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        viewer: Viewer = ANONYMOUS,
        *,
        token: str | None = None,
    ) -> httpx.Response:
        """Send an operation; gives the whole response."""
        headers = {"Content-Type": "application/json"}
        if viewer.id is not None:
            headers[_VIEWER] = f"{viewer.id} {viewer.role}"
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        # Escaped, so that every text can be sent.
        body = json.dumps({"query": query, "variables": variables})
        return await self.http.post("/graphql", content=body, headers=headers)

    async def execute(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        viewer: Viewer = ANONYMOUS,
        *,
        token: str | None = None,
    ) -> Any:
        """The data of an operation that must succeed."""
        response = await self.post(query, variables, viewer, token=token)
        answer = response.json()
        assert response.status_code == 200, answer
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def refused(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        viewer: Viewer = ANONYMOUS,
        *,
        token: str | None = None,
    ) -> tuple[str, str]:
        """The code and message of the only error of an operation that must fail."""
        answer = (await self.post(query, variables, viewer, token=token)).json()
        (error,) = answer["errors"]
        return error["extensions"]["code"], error["message"]


class Server(uvicorn.Server):
    """Tells when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.up.set()


@asynccontextmanager
async def served(app: FastAPI, **options: Any) -> AsyncIterator[str]:
    """Serve an app on a free port of this machine, with uvicorn's options; gives its address."""
    config = uvicorn.Config(
        app,
        http=HTTPProtocol,
        ws=SocketProtocol,
        ws_per_message_deflate=False,
        log_config=None,
        lifespan="on",
        proxy_headers=False,
        # A test that fails is to end, whatever it leaves open.
        timeout_graceful_shutdown=60,
        **options,
    )
    server = Server(config)
    # With the protocol named, asyncio sends each write at once.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await server.up.wait()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def connected(app: FastAPI, **options: Any) -> AsyncIterator[Client]:
    """A client of an app that is served, with uvicorn's options, for as long as the block runs."""
    app.dependency_overrides[get_authentication] = _authentication
    # As patient as a busy machine needs when a test sends hundreds at once.
    async with served(app, **options) as url, httpx.AsyncClient(base_url=url, timeout=60) as http:
        yield Client(http)
