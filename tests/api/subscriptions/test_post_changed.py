"""``postChanged``: one post, for as long as the viewer may read it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from blog_graphql.api.node import encode_id
from blog_graphql.db.models import UserRole
from blog_graphql.db.visibility import Viewer
from tests.support.blog import NOW, Blog
from tests.support.client import Client
from tests.support.sockets import initialised, subscribed

FOLLOW = "subscription ($id: ID!) { postChanged(id: $id) { title version viewCount } }"
UPDATE = """
  mutation ($id: ID!, $title: String) {
    updatePost(input: {id: $id, title: $title}) { errors { code } }
  }
"""
VIEW = "mutation ($id: ID!) { recordPostView(input: {id: $id}) { errors { code } } }"
HIDE = """
  mutation ($id: ID!) { updatePost(input: {id: $id, isPublished: false}) { errors { code } } }
"""
DELETE = "mutation ($id: ID!) { deletePost(input: {id: $id}) { errors { code } } }"
UNKNOWN = ("NOT_FOUND", "There is no such post.")


@pytest.fixture
async def ada(blog: Blog) -> Viewer:
    return Viewer(await blog.user("ada"), UserRole.AUTHOR)


@pytest.fixture
async def post(blog: Blog, ada: Viewer) -> str:
    return encode_id("Post", await blog.post(ada.id or 0, title="Old"))


def shown(title: str, version: int, views: int = 0) -> dict[str, Any]:
    return {"postChanged": {"title": title, "version": version, "viewCount": views}}


async def test_each_edit_is_an_event(client: Client, app: FastAPI, ada: Viewer, post: str) -> None:
    async with initialised(client.http) as socket:
        await socket.subscribe(FOLLOW, {"id": post})
        await subscribed(app)
        for version, title in enumerate(["New", "Newer"], start=2):
            await client.execute(UPDATE, {"id": post, "title": title}, ada)
            assert await socket.data() == shown(title, version)


async def test_a_view_is_an_event(client: Client, app: FastAPI, post: str) -> None:
    async with initialised(client.http) as socket:
        await socket.subscribe(FOLLOW, {"id": post})
        await subscribed(app)
        await client.execute(VIEW, {"id": post})
        assert await socket.data() == shown("Old", 1, 1)


async def test_an_edit_that_changes_nothing_is_none(
    client: Client, app: FastAPI, ada: Viewer, post: str
) -> None:
    async with initialised(client.http) as socket:
        await socket.subscribe(FOLLOW, {"id": post})
        await subscribed(app)
        await client.execute(UPDATE, {"id": post, "title": "Old"}, ada)
        await client.execute(UPDATE, {"id": post, "title": "New"}, ada)
        assert await socket.data() == shown("New", 2)


@pytest.mark.parametrize("end", [HIDE, DELETE])
async def test_it_ends_when_the_post_is_gone(
    client: Client, app: FastAPI, ada: Viewer, post: str, end: str
) -> None:
    async with initialised(client.http) as socket:
        await socket.subscribe(FOLLOW, {"id": post})
        await subscribed(app)
        await client.execute(end, {"id": post}, ada)
        assert await socket.receive() == {"id": "1", "type": "complete"}
        await subscribed(app, 0)


async def test_the_author_follows_a_draft(
    client: Client, app: FastAPI, blog: Blog, ada: Viewer
) -> None:
    draft = encode_id("Post", await blog.post(ada.id or 0, title="Draft", is_published=False))
    headers = {"Test-Viewer": f"{ada.id} {ada.role}"}
    async with initialised(client.http, additional_headers=headers) as socket:
        await socket.subscribe(FOLLOW, {"id": draft})
        await subscribed(app)
        await client.execute(UPDATE, {"id": draft, "title": "Drafted"}, ada)
        assert await socket.data() == shown("Drafted", 2)


async def test_a_hidden_post_looks_like_none(
    client: Client, app: FastAPI, blog: Blog, ada: Viewer
) -> None:
    hidden = [
        await blog.post(ada.id or 0, is_published=False),
        await blog.post(ada.id or 0, published_at=NOW + timedelta(hours=1)),
        2**31 - 1,
    ]
    ids = [encode_id("Post", key) for key in hidden] + ["nonsense", encode_id("User", 1), ""]
    async with initialised(client.http) as socket:
        for id_ in ids:
            await socket.subscribe(FOLLOW, {"id": id_})
            assert await socket.refused() == UNKNOWN
    assert app.state.services.subscriptions.count == 0
