"""Who is asking: access tokens over HTTP and WebSocket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import delete, update
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from blog_graphql.api.node import encode_id
from blog_graphql.db.database import Database
from blog_graphql.db.models import Post, Session, User, UserRole
from blog_graphql.security.tokens import new_refresh_token, new_session_id
from tests.support.blog import NOW, Blog, session_of
from tests.support.client import Client
from tests.support.statements import recorded_statements

VIEWER = "{ viewer { username } }"
INVALID = "The access token is not valid: sign in again."
ENDED = "The session has ended: sign in again."
CHALLENGE = 'Bearer error="invalid_token"'


@pytest.fixture
async def token(app: FastAPI, database: Database, blog: Blog) -> str:
    """Ada's access token."""
    ada = await blog.user("ada", role=UserRole.ADMIN)
    session_id = new_session_id()
    async with database.transaction() as session:
        session.add(session_of(ada, new_refresh_token(session_id)))
    token: str = app.state.services.tokens.issue(ada, session_id, NOW)[0]
    return token


async def test_a_token_signs_in_with_one_statement(
    client: Client, token: str, database: Database
) -> None:
    with recorded_statements(database) as statements:
        assert await client.execute(VIEWER, token=token) == {"viewer": {"username": "ada"}}
    assert len(statements) == 2


async def test_nobody_without_a_header(client: Client, database: Database) -> None:
    with recorded_statements(database) as statements:
        assert await client.execute(VIEWER) == {"viewer": None}
        response = await client.http.post(
            "/graphql", json={"query": VIEWER}, headers={"Authorization": ""}
        )
    assert response.json() == {"data": {"viewer": None}}
    assert statements == []


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Bearer nonsense", INVALID),
        ("Bearer null", INVALID),
        ("Bearer " + "x" * 5_000, INVALID),
        ("Bearer", "The Authorization header must be: Bearer, a space, and an access token."),
        ("Basic YTpi", "The Authorization header must be: Bearer, a space, and an access token."),
    ],
)
async def test_a_bad_token_is_never_a_signed_out_read(
    client: Client, header: str, message: str
) -> None:
    response = await client.http.post(
        "/graphql", json={"query": "{ posts { totalCount } }"}, headers={"Authorization": header}
    )
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == CHALLENGE
    assert response.json() == {
        "errors": [{"message": message, "extensions": {"code": "UNAUTHENTICATED"}}],
    }


async def test_a_token_of_another_key(client: Client, token: str) -> None:
    header, claims, signature = token.split(".")
    forged = f"{header}.{claims}.{signature[::-1]}"
    assert await client.refused(VIEWER, token=forged) == ("UNAUTHENTICATED", INVALID)


@pytest.mark.parametrize("ending", ["expired", "session", "user", "deactivated"])
async def test_what_ends_a_token_ends_it_at_once(
    client: Client, token: str, database: Database, ending: str
) -> None:
    statements = {
        "expired": update(Session).values(expires_at=NOW),
        "session": delete(Session),
        "user": delete(User),
        "deactivated": update(User).values(is_active=False),
    }
    async with database.transaction() as session:
        await session.execute(statements[ending])
    response = await client.post(VIEWER, token=token)
    assert response.status_code == 401
    assert response.json()["errors"][0]["message"] == ENDED


async def test_a_role_counts_at_once(
    client: Client, token: str, database: Database, blog: Blog
) -> None:
    await blog.post(1, is_published=False)
    bob = await blog.user("bob")
    await blog.post(bob, is_published=False)
    query = "{ posts { totalCount } }"
    assert await client.execute(query, token=token) == {"posts": {"totalCount": 2}}
    async with database.transaction() as session:
        await session.execute(update(User).values(role=UserRole.AUTHOR))
    assert await client.execute(query, token=token) == {"posts": {"totalCount": 1}}


LOGIN = 'login(input: {identifier: "x", password: "y"}) { errors { code } }'


@pytest.mark.parametrize(
    "query",
    [
        f"mutation {{ {LOGIN} }}",
        f"mutation {{ ...F ... {{ __typename_: {LOGIN} }} }} fragment F on Mutation {{ {LOGIN} }}",
    ],
)
async def test_signing_in_needs_no_valid_token(client: Client, query: str) -> None:
    data = await client.execute(query.replace("__typename_", "again"), token="bad")
    assert data["login"] == {"errors": [{"code": "INVALID_CREDENTIALS"}]}


@pytest.mark.parametrize(
    "query",
    [
        f"mutation {{ {LOGIN} recordPostView(input: {{id: 1}}) {{ errors {{ code }} }} }}",
        f"mutation {{ {LOGIN} ...F }} fragment F on Mutation {{ __typename }}",
    ],
)
async def test_anything_beside_does(client: Client, query: str) -> None:
    assert await client.refused(query, token="bad") == ("UNAUTHENTICATED", INVALID)


ADA = encode_id("User", 1)


@pytest.mark.parametrize(
    ("role", "ending"),
    [
        (UserRole.EDITOR, "logout(input: {})"),
        (UserRole.EDITOR, f'deleteUser(input: {{id: "{ADA}"}})'),
        (UserRole.ADMIN, f'setUserActive(input: {{id: "{ADA}", isActive: false}})'),
    ],
    ids=["logout", "deletion", "deactivation"],
)
async def test_every_mutation_after_the_end_of_the_session_is_refused(
    client: Client, token: str, database: Database, blog: Blog, role: UserRole, ending: str
) -> None:
    async with database.transaction() as session:
        await session.execute(update(User).values(role=role))
    key = await blog.post(await blog.user("eve", role=UserRole.ADMIN))
    post_id = encode_id("Post", key)
    rename = f'updatePost(input: {{id: "{post_id}", title: "%s"}}) {{ post {{ title }} }}'
    answer = await client.post(
        f"""
        mutation {{
          a: {rename % "A"}
          end: {ending} {{ errors {{ code }} }}
          b: {rename % "B"}
          c: {rename % "C"}
          d: {rename % "D"}
        }}
        """,
        token=token,
    )
    assert answer.status_code == 200
    assert answer.json()["data"] == {
        "a": {"post": {"title": "A"}},
        "end": {"errors": []},
        **dict.fromkeys("bcd"),
    }
    refusals = [
        (error["message"], error["path"], error["extensions"]["code"])
        for error in answer.json()["errors"]
    ]
    assert refusals == [(ENDED, [name], "UNAUTHENTICATED") for name in "bcd"]
    async with database.transaction() as session:
        post = await session.get_one(Post, key)
        assert (post.title, post.version) == ("A", 2)


async def test_a_cookie_signs_nobody_in(client: Client, token: str) -> None:
    response = await client.http.post(
        "/graphql",
        json={"query": VIEWER},
        headers={"Cookie": f"token={token}; Authorization=Bearer {token}"},
    )
    assert response.json() == {"data": {"viewer": None}}
    assert "Set-Cookie" not in response.headers


@asynccontextmanager
async def socket(http: httpx.AsyncClient, payload: Any) -> AsyncIterator[ClientConnection]:
    """A WebSocket that has sent its ``connection_init``."""
    url = str(http.base_url.copy_with(scheme="ws", path="/graphql"))
    async with connect(url, subprotocols=["graphql-transport-ws"]) as connection:  # type: ignore[list-item]  # a NewType of str
        await connection.send(json.dumps({"type": "connection_init", "payload": payload}))
        yield connection


async def ask(connection: ClientConnection, query: str) -> Any:
    """The message that answers an operation."""
    message = {"id": "1", "type": "subscribe", "payload": {"query": query}}
    await connection.send(json.dumps(message))
    answer = json.loads(await connection.recv())
    if answer["type"] == "next":
        assert json.loads(await connection.recv()) == {"id": "1", "type": "complete"}
    return answer


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
async def test_a_socket_signs_in_by_its_first_message(
    client: Client, token: str, name: str
) -> None:
    async with socket(client.http, {name: f"Bearer {token}"}) as connection:
        assert json.loads(await connection.recv()) == {"type": "connection_ack"}
        for _ in range(2):
            assert await ask(connection, VIEWER) == {
                "id": "1",
                "type": "next",
                "payload": {"data": {"viewer": {"username": "ada"}}},
            }
        written = await ask(
            connection,
            'mutation { createPost(input: {title: "A", content: "a"}) { post { slug } } }',
        )
        assert written["payload"] == {"data": {"createPost": {"post": {"slug": "a"}}}}


async def test_a_socket_without_a_token_is_signed_out(client: Client) -> None:
    async with socket(client.http, {}) as connection:
        assert json.loads(await connection.recv()) == {"type": "connection_ack"}
        assert (await ask(connection, VIEWER))["payload"] == {"data": {"viewer": None}}


@pytest.mark.parametrize("authorization", ["Bearer nonsense", "nonsense", 5, {"a": 1}])
async def test_a_socket_with_a_bad_token_is_closed(client: Client, authorization: Any) -> None:
    async with socket(client.http, {"Authorization": authorization}) as connection:
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4403, "Forbidden")


async def test_a_session_that_ends_ends_for_its_sockets_too(
    client: Client, token: str, database: Database
) -> None:
    async with socket(client.http, {"Authorization": f"Bearer {token}"}) as connection:
        await connection.recv()
        async with database.transaction() as session:
            await session.execute(delete(Session))
        answer = await ask(connection, VIEWER)
    assert answer["type"] == "error"
    (error,) = answer["payload"]
    assert (error["message"], error["extensions"]["code"]) == (ENDED, "UNAUTHENTICATED")


async def test_a_draft_stays_hidden_in_what_a_mutation_answers(client: Client, blog: Blog) -> None:
    """What a mutation answers is seen as its viewer, and nobody else."""
    ada = await blog.user("ada")
    await blog.post(ada, await blog.tag("secret"), is_published=False)
    key = await blog.post(ada)
    query = """
      mutation ($id: ID!) {
        recordPostView(input: {id: $id}) { post { author { posts { totalCount } } } }
      }
    """
    data = await client.execute(query, {"id": encode_id("Post", key)})
    assert data["recordPostView"]["post"]["author"]["posts"]["totalCount"] == 1
