"""Methods and paths that are not those of an operation, and connections that outlive refusals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI

from blog_graphql.app import graphql_router
from blog_graphql.db.database import Database
from tests.support.apps import app_over, asking
from tests.support.client import served

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)

# Seconds after which an answer is given up.
PATIENCE = 60
ALLOWED = "GET, HEAD, OPTIONS, POST"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
async def http(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(app_over(database)) as http:
        yield http


def refusal(message: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"code": "BAD_USER_INPUT"}}]}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT"])
async def test_other_methods_are_not_allowed(http: httpx.AsyncClient, method: str) -> None:
    response = await http.request(method, "/graphql", params={"query": "{ __typename }"})
    assert (response.status_code, response.headers["allow"]) == (405, ALLOWED)
    (error,) = response.json()["errors"]
    assert error["message"].startswith(f"{method} is not served here: send operations by POST")


async def test_a_method_that_nobody_knows_is_not_allowed(http: httpx.AsyncClient) -> None:
    response = await http.request("FETCH", "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == ALLOWED
    message = "FETCH is not served here: send operations by POST, or queries by GET."
    assert response.json() == refusal(message)
    assert (await http.request("FETCH", "/graphql/")).status_code == 307


async def test_options_tells_the_methods(http: httpx.AsyncClient) -> None:
    response = await http.options("/graphql")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == ALLOWED


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_the_single_connection_mode_of_sse_is_told_to_be_off(
    http: httpx.AsyncClient, method: str
) -> None:
    response = await http.request(method, "/graphql")
    hint = "create the client with singleConnection: false."
    assert response.json()["errors"][0]["message"].endswith(hint)
    headers = {"X-GraphQL-Event-Stream-Token": "x", "Accept": "text/event-stream"}
    for response in (
        await http.post("/graphql", json={"query": "{ __typename }"}, headers=headers),
        await http.get("/graphql", params={"query": "{ __typename }"}, headers=headers),
    ):
        assert response.status_code == 400
        assert response.json()["errors"][0]["message"].endswith(hint)


async def test_a_page_answers_head(http: httpx.AsyncClient) -> None:
    response = await http.head("/graphql", headers=BROWSER)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/health", "/ready", "/schema.graphql"])
async def test_what_can_be_read_answers_head_and_nothing_else(
    http: httpx.AsyncClient, path: str
) -> None:
    assert (await http.head(path)).status_code == 200
    response = await http.post(path)
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD"
    assert response.json() == refusal(f"POST is not served at {path}.")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize(
    "path", ["/nowhere", "/graphql/x", "/graphq", "/docs", "/redoc", "/openapi.json", '/%00ä"<']
)
async def test_an_unknown_path_is_told_in_json(
    http: httpx.AsyncClient, method: str, path: str
) -> None:
    response = await http.request(method, path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    (error,) = response.json()["errors"]
    assert error["message"].endswith(": the address / tells where things are.")


async def test_an_unknown_path_is_not_repeated_at_length(http: httpx.AsyncClient) -> None:
    assert len((await http.get(f"/{'x' * 10_000}")).content) < 400


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/graphql/", "../graphql"),
        ("/graphql/?query=%7B__typename%7D&x=%ff", "../graphql?query=%7B__typename%7D&x=%ff"),
    ],
)
async def test_a_slash_behind_the_endpoint_leads_to_it(
    http: httpx.AsyncClient, path: str, location: str
) -> None:
    """Relative: neither a prefix nor the scheme that a proxy has is known for sure."""
    response = await http.post(path)
    assert response.status_code == 307
    assert response.headers["location"] == location


async def test_whoever_follows_gets_an_answer(database: Database) -> None:
    app = FastAPI()
    app.mount("/blog", app_over(database))
    async with asking(app) as http:
        response = await http.post(
            "/blog/graphql/", json={"query": "{ __typename }"}, follow_redirects=True
        )
    assert response.json() == {"data": {"__typename": "Query"}}
    assert response.url.path == "/blog/graphql"


async def test_the_router_in_another_app_answers_alike(database: Database) -> None:
    host = FastAPI()
    host.include_router(graphql_router(database.settings, path=""), prefix="/api")
    async with asking(host) as http:
        put = await http.put("/api")
        options = await http.options("/api")
        slash = await http.get("/api/")
    assert (put.status_code, put.headers["allow"]) == (405, ALLOWED)
    assert put.json()["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
    assert (options.status_code, options.headers["allow"]) == (204, ALLOWED)
    assert (slash.status_code, slash.headers["location"]) == (307, "../api")
    assert host.openapi()["paths"] == {}


QUERY = json.dumps({"query": "{ __typename }"}).encode()


def request(line: str, body: bytes = b"", *headers: str) -> bytes:
    head = [f"{line} HTTP/1.1", "Host: blog", *headers]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        (request("POST /graphql", b"x" * 300_000, "Content-Type: text/plain"), 415),
        (request("POST /graphql", QUERY, "Content-Type: application/json; charset=x"), 415),
        (request("POST /graphql", b"{" * 300_000, "Content-Type: application/json"), 400),
        (request("POST /graphql", b"x" * 4_000_001, "Content-Type: application/json"), 413),
        (request("POST /graphql", QUERY, "Content-Type: application/json", "Accept: a/b"), 406),
        (request("PUT /graphql", b"x" * 300_000), 405),
        (request("GET /graphql?query=mutation{__typename}", b"x" * 300_000), 405),
        (request("HEAD /graphql?query={__typename}"), 200),
        (request("HEAD /graphql?query={"), 200),
        (request("OPTIONS /graphql", b"x" * 300_000), 204),
        (request("POST /graphql/", b"x" * 300_000), 307),
        (request("POST /nowhere", b"x" * 300_000), 404),
        (request("GET /graphql"), 400),
        (
            request(
                "POST /graphql",
                QUERY,
                "Content-Type: application/json",
                "Accept: text/event-stream",
            ),
            200,
        ),
    ],
)
async def test_the_connection_serves_the_next_request(
    database: Database, refused: bytes, status: int
) -> None:
    next_one = request("POST /graphql", QUERY, "Content-Type: application/json")
    async with served(app_over(database)) as url, asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        writer.write(refused)
        first, _ = await read_answer(reader, has_body=not refused.startswith(b"HEAD"))
        writer.write(next_one)
        second, body = await read_answer(reader)
        writer.close()
        await writer.wait_closed()
    assert (first, second) == (status, 200)
    assert json.loads(body) == {"data": {"__typename": "Query"}}


async def read_answer(reader: asyncio.StreamReader, *, has_body: bool = True) -> tuple[int, bytes]:
    """The status and body of the next answer, which says how long it is."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    status = int(head.split()[1])
    assert "connection: close" not in head
    if not has_body or status == 204:
        return status, b""
    return status, await reader.readexactly(int(head.split("content-length:")[1].split()[0]))
