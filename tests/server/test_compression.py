"""Compressed answers, to clients that take them."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from graphql import get_introspection_query
from starlette.responses import PlainTextResponse

from blog_graphql.api.compression import CompressionMiddleware
from blog_graphql.db.database import Database
from blog_graphql.schema import print_schema
from tests.support.apps import app_over, asking
from tests.support.blog import Blog

pytestmark = pytest.mark.parametrize("backend", ["memory"], indirect=True)

LARGE = {"query": get_introspection_query()}
SMALL = {"query": "{ __typename }"}


@pytest.fixture
async def http(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(app_over(database)) as http:
        yield http


async def raw(http: httpx.AsyncClient, body: object, encoding: str) -> tuple[httpx.Response, bytes]:
    """The response and its bytes as they came."""
    headers = {"Accept-Encoding": encoding}
    async with http.stream("POST", "/graphql", json=body, headers=headers) as response:
        return response, b"".join([chunk async for chunk in response.aiter_raw()])


@pytest.mark.parametrize(
    "encoding",
    ["gzip", "x-gzip", "gzip, deflate, br", "br;q=1.0, GZip;q=0.8, *;q=0.1", "gzip;q=0.05"],
)
async def test_a_large_answer_is_compressed(http: httpx.AsyncClient, encoding: str) -> None:
    plain, content = await raw(http, LARGE, "identity")
    response, compressed = await raw(http, LARGE, encoding)
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["content-length"] == str(len(compressed))
    assert response.headers["vary"] == "Accept, Accept-Encoding"
    assert gzip.decompress(compressed) == content
    assert len(compressed) < len(content) / 5
    assert "content-encoding" not in plain.headers
    assert plain.headers["vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize(
    "encoding",
    [
        "",
        "identity",
        "br",
        "gzip;q=0",
        "gzip;q=00",
        "deflate, GZIP ; q=0.000",
        "bgzip",
        "foo-gzip",
    ],
)
async def test_a_client_that_takes_none_gets_none(http: httpx.AsyncClient, encoding: str) -> None:
    response, content = await raw(http, LARGE, encoding)
    assert "content-encoding" not in response.headers
    assert content.startswith(b'{"data":')


async def test_a_small_answer_is_left_as_it_is(http: httpx.AsyncClient) -> None:
    response, content = await raw(http, SMALL, "gzip")
    assert "content-encoding" not in response.headers
    assert content == b'{"data":{"__typename":"Query"}}'


@pytest.mark.parametrize("accept", ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"])
async def test_a_stream_is_left_as_it_is(http: httpx.AsyncClient, accept: str) -> None:
    headers = {"Accept": accept, "Accept-Encoding": "gzip"}
    response = await http.post("/graphql", json=LARGE, headers=headers)
    assert "content-encoding" not in response.headers
    assert len(response.content) > 10_000


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Range": "bytes 0-4999/9000"},
        {"Vary": "Origin, Accept-Encoding"},
        {"Content-Encoding": "br"},
    ],
)
@pytest.mark.usefixtures("backend")
async def test_what_is_no_plain_whole_is_left_as_it_is(headers: dict[str, str]) -> None:
    answer = PlainTextResponse("x" * 5_000, headers=headers)
    app = CompressionMiddleware(answer)
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://blog") as http,
        http.stream("GET", "/", headers={"Accept-Encoding": "gzip"}) as response,
    ):
        assert b"".join([chunk async for chunk in response.aiter_raw()]) == b"x" * 5_000
    assert response.headers.get("vary") == headers.get("Vary")
    assert response.headers.get("content-encoding") == headers.get("Content-Encoding")


async def test_a_refusal_is_compressed_too(http: httpx.AsyncClient) -> None:
    response, compressed = await raw(
        http, {"query": f"{{ {' '.join(map('f{}'.format, range(20)))} }}"}, "gzip"
    )
    assert response.headers["content-encoding"] == "gzip"
    assert b"GRAPHQL_VALIDATION_FAILED" in gzip.decompress(compressed)


async def test_the_schema_is_compressed(http: httpx.AsyncClient) -> None:
    response = await http.get("/schema.graphql", headers={"Accept-Encoding": "gzip"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.text == print_schema()


async def test_a_very_large_answer_is_compressed(database: Database, blog: Blog) -> None:
    author = await blog.user("ann")
    for _ in range(3):
        await blog.post(author, content="long " * 20_000)
    body = {"query": "{ posts { nodes { content } } }"}
    async with asking(app_over(database)) as http:
        response, compressed = await raw(http, body, "gzip")
    assert response.headers["content-length"] == str(len(compressed))
    assert gzip.decompress(compressed).count(b"long ") == 60_000


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_head_says_what_get_would(http: httpx.AsyncClient, method: str) -> None:
    response = await http.request(method, "/schema.graphql", headers={"Accept-Encoding": "gzip"})
    assert response.headers["vary"] == "Accept-Encoding"
    assert int(response.headers["content-length"]) < len(print_schema()) / 2
