"""Which pages of other origins may call the API."""

from __future__ import annotations

import httpx
import pytest

from blog_graphql.db.database import Database
from tests.support.apps import app_over, asking

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)

HERE = "https://blog.example"
QUERY = {"query": "{ __typename }"}


async def _preflight(
    http: httpx.AsyncClient, origin: str, *, method: str = "POST", header: str = "content-type"
) -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": header,
    }
    return await http.options("/graphql", headers=headers)


def _allowed(response: httpx.Response) -> str | None:
    allowed: str | None = response.headers.get("access-control-allow-origin")
    return allowed


async def test_nobody_elsewhere_may_call_unless_set(database: Database) -> None:
    async with asking(app_over(database)) as http:
        preflight = await _preflight(http, HERE)
        answer = await http.post("/graphql", json=QUERY, headers={"Origin": HERE})
    assert preflight.status_code == 204
    assert answer.status_code == 200
    assert (_allowed(preflight), _allowed(answer)) == (None, None)


async def test_the_origins_of_the_setting_may_call(database: Database) -> None:
    async with asking(app_over(database, cors_origins=(HERE, "https://b.example"))) as http:
        preflight = await _preflight(http, HERE)
        answer = await http.post("/graphql", json=QUERY, headers={"Origin": HERE})
        second = await _preflight(http, "https://b.example")
    assert preflight.status_code == 200
    assert _allowed(preflight) == HERE
    assert preflight.headers["access-control-allow-methods"] == "GET, POST"
    assert answer.json() == {"data": {"__typename": "Query"}}
    assert _allowed(answer) == HERE
    assert answer.headers["access-control-expose-headers"] == (
        "X-Request-ID, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset"
    )
    assert "Origin" in answer.headers["vary"]
    assert _allowed(second) == "https://b.example"


@pytest.mark.parametrize(
    "header",
    [
        "authorization",
        "content-type",
        "x-request-id",
        "accept, apollo-require-preflight",
        "apollographql-client-name, apollographql-client-version",
    ],
)
async def test_clients_may_send_the_headers_they_need(database: Database, header: str) -> None:
    async with asking(app_over(database, cors_origins=(HERE,))) as http:
        response = await _preflight(http, HERE, header=header)
    assert response.status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://blog.example", "https://blog.example:8443", "null"],
)
async def test_other_origins_may_not(database: Database, origin: str) -> None:
    async with asking(app_over(database, cors_origins=(HERE,))) as http:
        preflight = await _preflight(http, origin)
        answer = await http.post("/graphql", json=QUERY, headers={"Origin": origin})
    assert preflight.status_code == 400
    assert (_allowed(preflight), _allowed(answer)) == (None, None)


@pytest.mark.parametrize(
    ("method", "header"), [("DELETE", "content-type"), ("POST", "x-forwarded-for")]
)
async def test_what_the_api_does_not_take_is_not_allowed(
    database: Database, method: str, header: str
) -> None:
    async with asking(app_over(database, cors_origins=(HERE,))) as http:
        response = await _preflight(http, HERE, method=method, header=header)
    assert response.status_code == 400


async def test_a_star_lets_everybody_call_without_credentials(database: Database) -> None:
    async with asking(app_over(database, cors_origins=("*",))) as http:
        preflight = await _preflight(http, "https://any.example")
        answer = await http.post("/graphql", json=QUERY, headers={"Origin": "https://any.example"})
    assert preflight.status_code == 200
    assert (_allowed(preflight), _allowed(answer)) == ("*", "*")
    assert "access-control-allow-credentials" not in {*preflight.headers, *answer.headers}


async def test_failures_can_be_read_by_the_calling_page(database: Database) -> None:
    held = await database.connect()
    await held.exec_driver_sql("DROP TABLE alembic_version")
    await held.close()
    async with asking(app_over(database, cors_origins=(HERE,))) as http:
        response = await http.get("/ready", headers={"Origin": HERE})
    assert response.status_code == 503
    assert _allowed(response) == HERE


@pytest.mark.parametrize(
    ("method", "path", "accept", "status"),
    [
        ("POST", "/graphql", "text/event-stream", 200),
        ("POST", "/graphql", "multipart/mixed;subscriptionSpec=1.0", 200),
        ("POST", "/graphql", "image/png", 406),
        ("GET", "/graphql", "*/*", 400),
        ("PUT", "/graphql", "*/*", 405),
        ("POST", "/graphql/", "*/*", 307),
        ("GET", "/", "*/*", 200),
        ("GET", "/nowhere", "*/*", 404),
    ],
)
async def test_every_answer_can_be_read_by_the_calling_page(
    database: Database, method: str, path: str, accept: str, status: int
) -> None:
    headers = {"Origin": HERE, "Accept": accept}
    body = QUERY if method == "POST" else None
    async with asking(app_over(database, cors_origins=(HERE,))) as http:
        response = await http.request(method, path, headers=headers, json=body)
    assert (response.status_code, _allowed(response)) == (status, HERE)
    assert "Origin" in response.headers["vary"]
