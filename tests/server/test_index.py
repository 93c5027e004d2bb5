"""The address ``/``: browsers are led to GraphiQL, and programs told where things are."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from blog_graphql import __version__
from blog_graphql.db.database import Database
from tests.support.apps import app_over, asking

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def places(http: str, websocket: str) -> dict[str, str]:
    return {
        "name": "blog-graphql",
        "version": __version__,
        "graphql": f"{http}/graphql",
        "websocket": f"{websocket}/graphql",
        "health": f"{http}/health",
        "ready": f"{http}/ready",
        "schema": f"{http}/schema.graphql",
    }


async def index(
    app: FastAPI, headers: dict[str, str], base: str = "http://blog", **transport: Any
) -> httpx.Response:
    over = httpx.ASGITransport(app, **transport)
    async with httpx.AsyncClient(transport=over, base_url=base) as http:
        return await http.get("/", headers=headers)


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html", ""])
async def test_a_program_is_told_where_things_are(database: Database, accept: str) -> None:
    response = await index(app_over(database), {"Accept": accept})
    assert (response.status_code, response.json()) == (200, places("http://blog", "ws://blog"))
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["vary"] == "Accept"


async def test_a_browser_is_led_to_graphiql(database: Database) -> None:
    async with asking(app_over(database)) as http:
        response = await http.get("/", headers=BROWSER)
        page = await http.get("/", headers=BROWSER, follow_redirects=True)
    # Relative: a proxy may have cut off a prefix that the browser still has in its address.
    assert (response.status_code, response.headers["location"]) == (307, "graphql")
    assert response.headers["vary"] == "Accept"
    assert (page.status_code, page.url.path) == (200, "/graphql")
    assert page.headers["content-type"] == "text/html; charset=utf-8"


async def test_without_graphiql_a_browser_is_told_too(database: Database) -> None:
    response = await index(app_over(database, graphiql=False), BROWSER)
    assert response.json() == places("http://blog", "ws://blog")


async def test_without_introspection_there_is_no_schema_to_find(database: Database) -> None:
    response = await index(app_over(database, introspection=False), {})
    assert "schema" not in response.json()


async def test_below_a_prefix(database: Database) -> None:
    app = app_over(database)
    told = await index(app, {}, root_path="/blog")
    led = await index(app, BROWSER, root_path="/blog")
    assert told.json() == places("http://blog/blog", "ws://blog/blog")
    assert led.headers["location"] == "/blog/graphql"


async def test_below_a_prefix_that_no_header_can_hold(database: Database) -> None:
    led = await index(app_over(database), BROWSER, root_path="/блог\r\n")
    assert led.headers["location"] == "/%D0%B1%D0%BB%D0%BE%D0%B3%0D%0A/graphql"


async def test_behind_a_proxy_that_ends_tls(database: Database) -> None:
    app = app_over(database, trusted_proxies=("127.0.0.1",))
    headers = {"X-Forwarded-Proto": "https", "Host": "blog.example"}
    response = await index(app, headers)
    assert response.json() == places("https://blog.example", "wss://blog.example")


@pytest.mark.parametrize("host", ["[", "a b", "x/y", "", '"<script>'])
async def test_a_name_that_is_none_is_not_repeated(database: Database, host: str) -> None:
    response = await index(app_over(database), {"Host": host}, "http://10.0.0.1:8000")
    assert response.status_code == 200
    assert response.json()["graphql"] == "http://10.0.0.1:8000/graphql"
