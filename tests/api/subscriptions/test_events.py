"""Events of every subscription: who gets them, what they cost, and how they end."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, update

from blog_graphql.api.authentication import BearerAuthentication
from blog_graphql.api.context import RequestContext
from blog_graphql.api.gate import OperationRequest
from blog_graphql.api.node import encode_id
from blog_graphql.api.services import Services
from blog_graphql.db.database import Database
from blog_graphql.db.models import Session, User, UserRole
from blog_graphql.db.visibility import Viewer
from blog_graphql.loaders import Loaders
from blog_graphql.schema import build_schema
from blog_graphql.security.tokens import new_refresh_token, new_session_id
from blog_graphql.settings import Settings
from tests.support.apps import app_over
from tests.support.backends import durable, only_memory
from tests.support.blog import NOW, Blog, session_of
from tests.support.client import Client, connected
from tests.support.clock import Clock
from tests.support.sockets import initialised, subscribed
from tests.support.statements import recorded_statements

FOLLOW = "subscription ($id: ID!) { postChanged(id: $id) { title } }"
PUBLISHED = "subscription { postPublished { title author { username } } }"
UPDATE = """
  mutation ($id: ID!, $title: String) {
    updatePost(input: {id: $id, title: $title}) { errors { code } }
  }
"""
CREATE = """
  mutation ($title: String!) {
    createPost(input: {title: $title, content: "x", isPublished: true}) { errors { code } }
  }
"""
ENDED = ("UNAUTHENTICATED", "The session has ended: sign in again.")


@pytest.fixture
async def ada(blog: Blog) -> Viewer:
    return Viewer(await blog.user("ada", role=UserRole.EDITOR), UserRole.EDITOR)


@pytest.fixture
async def token(app: FastAPI, database: Database, ada: Viewer) -> str:
    """Ada's access token."""
    session_id = new_session_id()
    async with database.transaction() as session:
        session.add(session_of(ada.id or 0, new_refresh_token(session_id)))
    token: str = app.state.services.tokens.issue(ada.id, session_id, NOW)[0]
    return token


@pytest.fixture
async def post(blog: Blog, ada: Viewer) -> str:
    return encode_id("Post", await blog.post(ada.id or 0, title="Old"))


async def change(client: Client, post: str, title: str, viewer: Viewer) -> None:
    data = await client.execute(UPDATE, {"id": post, "title": title}, viewer)
    assert data == {"updatePost": {"errors": []}}


async def test_idle_subscriptions_hold_no_connection(
    client: Client, app: FastAPI, database: Database, token: str, post: str
) -> None:
    """More of them than the pool has."""
    async with AsyncExitStack() as stack:
        for _ in range(5):
            socket = await stack.enter_async_context(initialised(client.http, token=token))
            for key in ("1", "2"):
                await socket.subscribe(FOLLOW, {"id": post}, key=key)
        await subscribed(app, 10)
        assert await client.execute("{ posts { totalCount } }") == {"posts": {"totalCount": 1}}
        assert database.pool_status()["checkedOut"] == 0


async def test_each_event_is_read_anew(
    client: Client, app: FastAPI, ada: Viewer, post: str
) -> None:
    async with initialised(client.http) as socket:
        await socket.subscribe(FOLLOW, {"id": post})
        await subscribed(app)
        for title in ("A", "B", "C"):
            await change(client, post, title, ada)
            assert await socket.data() == {"postChanged": {"title": title}}


@pytest.mark.parametrize("count", [1, 10])
async def test_those_who_see_the_same_look_together(
    client: Client, app: FastAPI, database: Database, ada: Viewer, count: int
) -> None:
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(initialised(client.http)) for _ in range(count)]
        for socket in sockets:
            await socket.subscribe(PUBLISHED)
        await subscribed(app, count)
        with recorded_statements(database) as statements:
            await client.execute(CREATE, {"title": "New"}, ada)
            for socket in sockets:
                assert await socket.data() == {
                    "postPublished": {"title": "New", "author": {"username": "ada"}}
                }
    # Nobody but the events asks for the author.
    assert len([s for s in statements if s.startswith("SELECT users.id, users.username")]) == 1


async def test_those_who_do_not_look_apart(
    client: Client, app: FastAPI, blog: Blog, ada: Viewer, token: str
) -> None:
    """A draft's author and editor get what everybody else does not."""
    draft = encode_id("Post", await blog.post(ada.id or 0, title="D", is_published=False))
    query = """
      subscription ($id: ID!) { postChanged(id: $id) { author { posts { totalCount } } } }
    """
    published = encode_id("Post", await blog.post(ada.id or 0))
    async with (
        initialised(client.http, token=token) as editor,
        initialised(client.http) as anybody,
    ):
        await anybody.subscribe(FOLLOW, {"id": draft})
        assert (await anybody.refused())[0] == "NOT_FOUND"
        await editor.subscribe(query, {"id": published})
        await anybody.subscribe(query, {"id": published})
        await subscribed(app, 2)
        await change(client, published, "X", ada)
        for socket, count in ((editor, 2), (anybody, 1)):
            assert await socket.data() == {
                "postChanged": {"author": {"posts": {"totalCount": count}}}
            }


@pytest.mark.parametrize(
    "end",
    [update(User).values(is_active=False), delete(Session)],
    ids=["deactivated", "signed out"],
)
async def test_a_viewer_who_is_none_any_longer_gets_nothing_more(
    client: Client, app: FastAPI, database: Database, ada: Viewer, token: str, post: str, end: Any
) -> None:
    async with initialised(client.http, token=token) as socket:
        await socket.subscribe(FOLLOW, {"id": post})
        await subscribed(app)
        await change(client, post, "A", ada)
        assert await socket.data() == {"postChanged": {"title": "A"}}
        async with database.transaction() as session:
            await session.execute(end)
        await change(client, post, "B", ada)
        assert await socket.refused() == ENDED
        await subscribed(app, 0)


@only_memory
async def test_a_viewer_who_ends_while_an_event_waits_gets_nothing_more(
    client: Client, app: FastAPI, database: Database, ada: Viewer, token: str, post: str
) -> None:
    """There is one slot, for which the event waits before the test does, and the next one after."""
    slot = app.state.services.fan_out.slot
    async with initialised(client.http, token=token) as socket:
        await socket.subscribe(FOLLOW, {"id": post})
        await subscribed(app)
        async with slot:
            await change(client, post, "A", ada)
            await socket.ping()
            turn = asyncio.create_task(_enter(slot))
            await asyncio.sleep(0)
        held = await turn
        await change(client, post, "Secret", ada)
        async with database.transaction() as session:
            await session.execute(update(User).values(is_active=False))
        await held.aclose()
        assert await socket.data() == {"postChanged": {"title": "A"}}
        assert await socket.refused() == ENDED


async def _enter(block: AbstractAsyncContextManager[None]) -> AsyncExitStack:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(block)
        return stack.pop_all()


async def test_a_role_that_is_lost_hides_the_post(
    client: Client, app: FastAPI, database: Database, blog: Blog, token: str
) -> None:
    bob = await blog.user("bob")
    draft = encode_id("Post", await blog.post(bob, is_published=False))
    async with initialised(client.http, token=token) as socket:
        await socket.subscribe(FOLLOW, {"id": draft})
        await subscribed(app)
        async with database.transaction() as session:
            await session.execute(update(User).values(role=UserRole.AUTHOR))
        await change(client, draft, "Secret", Viewer(bob, UserRole.AUTHOR))
        assert await socket.receive() == {"id": "1", "type": "complete"}


async def test_an_idle_subscription_ends_with_its_token(
    client: Client, app: FastAPI, clock: Clock, token: str, post: str
) -> None:
    clock.now = NOW + timedelta(minutes=15, seconds=-0.1)
    async with initialised(client.http, token=token) as socket:
        await socket.subscribe(FOLLOW, {"id": post})
        assert await socket.refused() == (
            "UNAUTHENTICATED",
            "The access token has expired: refresh the session and subscribe again.",
        )
        await subscribed(app, 0)


async def test_an_event_that_breaks_is_masked_and_the_next_one_comes(
    client: Client, app: FastAPI, ada: Viewer, post: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = "subscription ($id: ID!) { postChanged(id: $id) { title content } }"
    async with initialised(client.http) as socket:
        await socket.subscribe(query, {"id": post})
        await subscribed(app)
        with monkeypatch.context() as broken:
            broken.setattr(Loaders, "post_content", None)
            await change(client, post, "A", ada)
            payload = (await socket.receive())["payload"]
        assert payload["data"] is None
        (error,) = payload["errors"]
        assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert "NoneType" not in error["message"]
        await change(client, post, "B", ada)
        assert (await socket.data())["postChanged"]["title"] == "B"


async def test_a_look_that_breaks_ends_it(
    client: Client, app: FastAPI, ada: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with initialised(client.http) as socket:
        await socket.subscribe(PUBLISHED)
        await subscribed(app)
        monkeypatch.setattr("blog_graphql.posts.subscriptions.Publication", None)
        await client.execute(CREATE, {"title": "New"}, ada)
        code, message = await socket.refused()
    assert code == "INTERNAL_SERVER_ERROR"
    assert "NoneType" not in message


async def test_an_event_takes_no_longer_than_an_operation(
    database: Database, blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = Viewer(await blog.user("ada"), UserRole.AUTHOR)
    app = app_over(database, operation_timeout=0.2)

    async def hang(*_: Any) -> None:
        await asyncio.Event().wait()

    async with connected(app) as client, initialised(client.http) as socket:
        await socket.subscribe(PUBLISHED)
        await subscribed(app)
        monkeypatch.setattr("blog_graphql.posts.subscriptions.PublishedPosts.look", hang)
        await client.execute(CREATE, {"title": "New"}, ada)
        assert await socket.refused() == ("TIMEOUT", "An event took longer than 0.2 seconds.")


@durable
async def test_who_takes_too_little_is_dropped_with_a_reason(settings: Settings) -> None:
    """Nobody asks for the next result here, as when a socket is not read."""
    database = Database(settings.model_copy(update={"subscription_buffer": 2}))
    app = app_over(database)
    services: Services = app.state.services
    nobody = BearerAuthentication(services.tokens, None)
    context = RequestContext(database, services, nobody, lambda: NOW, "address")
    ada = Viewer(await Blog(database).user("ada"), UserRole.AUTHOR)
    async with (
        connected(app) as client,
        aclosing(build_schema().results(OperationRequest(PUBLISHED), context)) as results,
        initialised(client.http) as socket,
    ):
        assert await anext(results) is None
        await socket.subscribe(PUBLISHED)
        await subscribed(app, 2)
        for number in range(3):
            await client.execute(CREATE, {"title": f"P{number}"}, ada)
            assert (await socket.data())["postPublished"]["title"] == f"P{number}"
        refusal = await anext(results)
        assert refusal is not None
        assert [error.extensions for error in refusal.errors or ()] == [
            {"code": "SUBSCRIBER_TOO_SLOW"}
        ]
        assert [result async for result in results] == []
    await database.dispose()


async def test_what_is_not_asked_with_a_stream_is_told_how(client: Client) -> None:
    code, message = await client.refused(PUBLISHED)
    assert code == "BAD_USER_INPUT"
    assert "graphql-transport-ws" in message
    assert "text/event-stream" in message
    assert "multipart/mixed" in message


async def test_a_subscription_has_one_field(client: Client) -> None:
    async with initialised(client.http) as socket:
        await socket.subscribe("subscription { a: postPublished { id } b: postPublished { id } }")
        assert (await socket.refused())[0] == "GRAPHQL_VALIDATION_FAILED"


async def test_an_event_costs_what_it_cost_to_ask(database: Database, blog: Blog) -> None:
    ada = Viewer(await blog.user("ada"), UserRole.AUTHOR)
    async with (
        connected(app := app_over(database, rate_limit=5)) as client,
        initialised(client.http) as socket,
    ):
        await socket.subscribe(PUBLISHED)
        await subscribed(app)
        for number in range(4):
            await client.execute(CREATE, {"title": f"P{number}"}, ada)
            assert (await socket.data())["postPublished"]["title"] == f"P{number}"
        await client.execute(CREATE, {"title": "Last"}, ada)
        assert (await socket.refused())[0] == "RATE_LIMITED"
        await subscribed(app, 0)
