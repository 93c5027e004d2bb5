"""Whose word counts on where a request comes from."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from blog_graphql.db.database import Database
from tests.cli.test_server import serving
from tests.support.apps import app_over
from tests.support.client import served

ON_ONE = pytest.mark.parametrize("backend", ["memory"], indirect=True)
FORGED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
TRUE = {"client": "198.51.100.1", "scheme": "http"}


def telling(database: Database, *proxies: str) -> FastAPI:
    """The app with a route that tells where a request comes from."""
    app = app_over(database, trusted_proxies=proxies)

    @app.get("/origin")
    async def origin(request: Request) -> dict[str, Any]:
        return {"client": request.client and request.client.host, "scheme": request.url.scheme}

    return app


async def origin(app: FastAPI, headers: dict[str, str], peer: str = "198.51.100.1") -> Any:
    transport = httpx.ASGITransport(app, client=(peer, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://blog") as http:
        return (await http.get("/origin", headers=headers)).json()


@ON_ONE
async def test_nobody_is_believed_unless_trusted(database: Database) -> None:
    assert await origin(telling(database), FORGED) == TRUE
    assert await origin(telling(database, "10.0.0.1"), FORGED) == TRUE


@ON_ONE
@pytest.mark.parametrize("trusted", ["198.51.100.1", "198.51.100.0/24", "*"])
async def test_a_trusted_proxy_is_believed(database: Database, trusted: str) -> None:
    expected = {"client": "203.0.113.7", "scheme": "https"}
    assert await origin(telling(database, trusted), FORGED) == expected


@ON_ONE
async def test_what_a_client_adds_in_front_is_not_believed(database: Database) -> None:
    forged = {"X-Forwarded-For": "192.0.2.99, 203.0.113.7, 10.0.0.2"}
    answer = await origin(telling(database, "198.51.100.1", "10.0.0.0/8"), forged)
    assert answer["client"] == "203.0.113.7"


@ON_ONE
async def test_a_trusted_proxy_decides_on_strict_transport_security(database: Database) -> None:
    secured = []
    for proxies in ((), ("127.0.0.1",)):
        async with (
            served(telling(database, *proxies)) as url,
            httpx.AsyncClient(base_url=url) as http,
        ):
            response = await http.get("/health", headers=FORGED)
            secured.append("strict-transport-security" in response.headers)
    assert secured == [False, True]


@pytest.mark.parametrize(("proxies", "believed"), [("", False), ("127.0.0.1", True)])
async def test_serve_believes_no_proxy_of_its_own_accord(proxies: str, *, believed: bool) -> None:
    async with serving(BLOG_TRUSTED_PROXIES=proxies, BLOG_DATABASE_URL="sqlite://") as (_, http):
        response = await http.get("/health", headers=FORGED)
    assert ("strict-transport-security" in response.headers) is believed
