"""What every answer tells browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from blog_graphql.api.context import get_database
from blog_graphql.db.database import Database
from tests.support.apps import app_over, asking

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)

ORIGIN = "https://app.example"
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
QUERY = {"query": "{ posts { totalCount } }"}


@pytest.fixture
async def http(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(app_over(database, cors_origins=(ORIGIN,), max_body_bytes=1_000)) as http:
        yield http


def among(response: httpx.Response, expected: dict[str, str]) -> dict[str, str]:
    """Those of the answer's headers that are expected."""
    return {name: value for name, value in response.headers.items() if name in expected}


@pytest.mark.parametrize(
    ("status", "method", "path", "given"),
    [
        (200, "GET", "/health", {}),
        (200, "GET", "/schema.graphql", {}),
        (200, "POST", "/graphql", {"json": QUERY}),
        (200, "POST", "/graphql", {"json": {"query": "{ nothing }"}}),
        (400, "POST", "/graphql", {"json": 5}),
        (404, "GET", "/nowhere", {}),
        (405, "PUT", "/graphql", {}),
        (413, "POST", "/graphql", {"content": b" " * 1_001}),
        (415, "POST", "/graphql", {"content": b"{}", "headers": {"Content-Type": "text/plain"}}),
        (
            200,
            "OPTIONS",
            "/graphql",
            {"headers": {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}},
        ),
        (
            400,
            "OPTIONS",
            "/graphql",
            {"headers": {"Origin": "https://x.example", "Access-Control-Request-Method": "POST"}},
        ),
    ],
)
async def test_are_on_every_answer(
    http: httpx.AsyncClient, status: int, method: str, path: str, given: dict[str, object]
) -> None:
    response = await http.request(method, path, **given)  # type: ignore[arg-type]  # a table
    assert response.status_code == status
    assert among(response, HEADERS) == HEADERS
    assert "set-cookie" not in response.headers
    assert "strict-transport-security" not in response.headers


async def test_are_on_the_answer_to_a_crash(database: Database) -> None:
    app = app_over(database)

    def crash() -> None:
        raise LookupError

    app.dependency_overrides[get_database] = crash
    async with asking(app) as http:
        response = await http.post("/graphql", json=QUERY)
    assert response.status_code == 500
    assert among(response, HEADERS) == HEADERS
    assert response.headers["cache-control"] == "no-store"


async def test_over_https_browsers_are_told_to_stay_there(database: Database) -> None:
    transport = httpx.ASGITransport(app_over(database))
    async with httpx.AsyncClient(transport=transport, base_url="https://blog") as http:
        response = await http.get("/health")
    assert response.headers["strict-transport-security"] == "max-age=63072000"


@pytest.mark.parametrize(
    "given",
    [
        {"json": QUERY},
        {"json": {"query": "{"}},
        {"json": 5},
        {"content": b" " * 1_001},
        {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
    ],
)
async def test_answers_of_graphql_are_not_kept(
    http: httpx.AsyncClient, given: dict[str, object]
) -> None:
    response = await http.post("/graphql", **given)  # type: ignore[arg-type]  # a table
    assert response.headers["cache-control"] == "no-store"


async def test_answers_to_queries_in_the_address_are_not_kept(http: httpx.AsyncClient) -> None:
    response = await http.get("/graphql", params=QUERY)
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")


async def test_the_schema_may_be_kept(http: httpx.AsyncClient) -> None:
    assert "cache-control" not in (await http.get("/schema.graphql")).headers


async def test_the_page_brings_a_policy_of_its_own(http: httpx.AsyncClient) -> None:
    page = await http.get("/graphql", headers={"Accept": "text/html"})
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    others = {name: value for name, value in HEADERS.items() if "security-policy" not in name}
    assert among(page, others) == others
