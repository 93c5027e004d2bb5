"""Python's own client, ``gql``, over each of its transports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest
from gql import Client, GraphQLRequest
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.async_transport import AsyncTransport
from gql.transport.exceptions import TransportConnectionFailed, TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import ConnectionClosed

from tests.clients.gql_client import make_http_client, make_socket_client
from tests.support.backends import durable, only_sqlite
from tests.support.process import PATIENCE

NOTES = """
query Notes($author: String!, $first: Int, $after: String) {
  posts(
    filter: { author: { username: { eq: $author } } }
    orderBy: [{ field: PUBLISHED_AT }]
    first: $first
    after: $after
  ) {
    nodes { title }
    pageInfo { hasNextPage endCursor }
  }
}
"""
SIGN_UP = """
mutation SignUp($new: CreateUserInput!, $login: LoginInput!) {
  createUser(input: $new) { errors { message } }
  login(input: $login) { accessToken }
}
"""
CREATE = """
mutation Create($input: CreatePostInput!) {
  createPost(input: $input) { post { title } errors { code field } }
}
"""
PUBLISHED = """
subscription Published($author: String) {
  postPublished(author: $author) { title author { username } }
}
"""


def aiohttp_sockets(url: str) -> AIOHTTPWebsocketsTransport:
    return AIOHTTPWebsocketsTransport(url.replace("http", "ws", 1))


def sockets(url: str) -> WebsocketsTransport:
    return WebsocketsTransport(url.replace("http", "ws", 1))


Transport = Callable[[str], AsyncTransport]

over_all_transports = pytest.mark.parametrize(
    "transport", [AIOHTTPTransport, HTTPXAsyncTransport, aiohttp_sockets, sockets]
)
# AIOHTTPTransport subscribes with multipart answers, as Apollo does.
over_live_transports = pytest.mark.parametrize(
    "transport", [AIOHTTPTransport, aiohttp_sockets, sockets]
)
signed_in = pytest.mark.parametrize("make_client", [make_http_client, make_socket_client])


@pytest.fixture
def url(blog_url: str) -> str:
    return f"{blog_url}/graphql"


@pytest.fixture
async def token(url: str) -> str:
    """The access token of mary, who has just signed up."""
    new = {"username": "mary", "email": "mary@example.org", "password": "correct horse"}
    login = {"identifier": "mary", "password": "correct horse"}
    data = await asked(make_http_client(url), SIGN_UP, new=new, login=login)
    access_token: str = data["login"]["accessToken"]
    return access_token


async def asked(client: Client, operation: str, **variables: Any) -> dict[str, Any]:
    """The data of an operation for which a client connects."""
    async with client as session:
        data: dict[str, Any] = await session.execute(
            GraphQLRequest(operation, variable_values=variables)
        )
        return data


async def refused(client: Client, operation: str, **variables: Any) -> list[str]:
    """The codes of the errors of an operation."""
    with pytest.raises(TransportQueryError) as refusal:
        await asked(client, operation, **variables)
    return [error["extensions"]["code"] for error in refusal.value.errors or []]


@only_sqlite
@over_all_transports
async def test_pages_checked_against_the_schema_that_the_server_tells(
    transport: Transport, url: str
) -> None:
    client = Client(transport=transport(url), fetch_schema_from_transport=True)
    first = (await asked(client, NOTES, author="ada", first=3))["posts"]
    assert [node["title"] for node in first["nodes"]] == ["Note 1", "Note 2", "Note 3"]
    after = first["pageInfo"]["endCursor"]
    rest = (await asked(client, NOTES, author="ada", first=3, after=after))["posts"]
    assert [node["title"] for node in rest["nodes"]] == ["Note 4", "Note 5"]
    assert rest["pageInfo"]["hasNextPage"] is False


@only_sqlite
@signed_in
async def test_a_mutation_of_somebody_who_is_signed_in(
    make_client: Callable[[str, str], Client], url: str, token: str
) -> None:
    data = await asked(make_client(url, token), CREATE, input={"title": "A", "content": "B"})
    assert data["createPost"] == {"post": {"title": "A"}, "errors": []}


@only_sqlite
@over_all_transports
async def test_errors_have_their_code(transport: Transport, url: str) -> None:
    values = {"title": "A", "content": "B"}
    assert await refused(Client(transport=transport(url)), CREATE, input=values) == [
        "UNAUTHENTICATED"
    ]


@only_sqlite
async def test_a_socket_with_a_bad_token_is_refused(url: str) -> None:
    with pytest.raises(TransportConnectionFailed) as refusal:
        await asked(make_socket_client(url, "bad"), "{ viewer { id } }")
    closing = refusal.value.__cause__
    assert isinstance(closing, ConnectionClosed)
    assert closing.rcvd is not None
    assert closing.rcvd.code == 4403


@durable
@over_live_transports
async def test_posts_are_published(transport: Transport, url: str, token: str) -> None:
    published = GraphQLRequest(PUBLISHED, variable_values={"author": "mary"})
    news = {"title": "News", "content": "Text.", "isPublished": True}
    client = Client(transport=transport(url))
    async with client as session, aclosing(session.subscribe(published)) as events:
        event = asyncio.ensure_future(anext(events))
        # Nobody is told when a subscription begins: the first posts may come too early.
        async with asyncio.timeout(PATIENCE):
            while not event.done():
                await asked(make_http_client(url, token), CREATE, input=news)
    assert event.result() == {"postPublished": {"title": "News", "author": {"username": "mary"}}}


@only_sqlite
@over_live_transports
async def test_a_refused_subscription_has_its_code(transport: Transport, url: str) -> None:
    async with Client(transport=transport(url)) as subscriber:
        with pytest.raises(TransportQueryError) as refusal:
            await anext(subscriber.subscribe(GraphQLRequest("subscription { nothing }")))
    (error,) = refusal.value.errors or []
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
