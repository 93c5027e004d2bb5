"""``postPublished``: the posts that become visible to everybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from blog_graphql.api.node import encode_id
from blog_graphql.db.database import Database
from blog_graphql.db.models import UserRole
from blog_graphql.db.visibility import Viewer
from tests.support.apps import app_over
from tests.support.blog import NOW, Blog
from tests.support.client import Client, connected
from tests.support.clock import Clock
from tests.support.sockets import initialised, subscribed

FOLLOW = """
  subscription ($tag: String, $author: String) {
    postPublished(tag: $tag, author: $author) { title author { username } tags { name } }
  }
"""
CREATE = """
  mutation ($input: CreatePostInput!) { createPost(input: $input) { errors { code message } } }
"""
PUBLISH = """
  mutation ($id: ID!) { updatePost(input: {id: $id, isPublished: true}) { errors { code } } }
"""
HIDE = """
  mutation ($id: ID!) { updatePost(input: {id: $id, isPublished: false}) { errors { code } } }
"""


@pytest.fixture
async def ada(blog: Blog) -> Viewer:
    return Viewer(await blog.user("Ada"), UserRole.AUTHOR)


def post(title: str, *tags: str, **values: Any) -> dict[str, Any]:
    given = {"title": title, "content": "x", "isPublished": True, "tags": list(tags)}
    return {"input": given | values}


def shown(title: str, author: str, *tags: str) -> dict[str, Any]:
    names = [{"name": tag} for tag in tags]
    return {"postPublished": {"title": title, "author": {"username": author}, "tags": names}}


async def test_what_is_published_arrives_in_order(
    client: Client, app: FastAPI, ada: Viewer
) -> None:
    async with initialised(client.http) as socket:
        await socket.subscribe(FOLLOW)
        await subscribed(app)
        for title in ["One", "Two", "Three"]:
            await client.execute(CREATE, post(title, "go"), ada)
        assert [await socket.data() for _ in range(3)] == [
            shown(title, "Ada", "go") for title in ["One", "Two", "Three"]
        ]


async def test_drafts_and_plans_are_nobodys_business(
    client: Client, app: FastAPI, ada: Viewer
) -> None:
    """Not an editor's either: they are not published."""
    editor = {"Test-Viewer": "1 EDITOR"}
    async with initialised(client.http, additional_headers=editor) as socket:
        await socket.subscribe(FOLLOW)
        await subscribed(app)
        await client.execute(CREATE, post("Draft", isPublished=False), ada)
        later = (NOW + timedelta(days=1)).isoformat()
        await client.execute(CREATE, post("Plan", publishedAt=later), ada)
        await client.execute(CREATE, post("Post"), ada)
        assert await socket.data() == shown("Post", "Ada")


async def test_each_publication_is_an_event(
    client: Client, app: FastAPI, blog: Blog, ada: Viewer
) -> None:
    key = {"id": encode_id("Post", await blog.post(ada.id or 0, title="P", is_published=False))}
    async with initialised(client.http) as socket:
        await socket.subscribe(FOLLOW)
        await subscribed(app)
        for _ in range(2):
            await client.execute(PUBLISH, key, ada)
            assert await socket.data() == shown("P", "Ada")
            await client.execute(HIDE, key, ada)


@pytest.mark.parametrize(
    ("variables", "titles"),
    [
        ({}, ["A", "B", "C"]),
        ({"tag": " GO"}, []),
        ({"tag": "GO"}, ["A", "B"]),
        ({"author": "ada"}, ["A", "C"]),
        ({"tag": "go", "author": "ADA"}, ["A"]),
        ({"tag": None, "author": None}, ["A", "B", "C"]),
        ({"tag": ""}, []),
        ({"author": "a" * 300}, []),
    ],
)
async def test_a_tag_and_an_author_narrow_it(
    client: Client,
    app: FastAPI,
    blog: Blog,
    ada: Viewer,
    variables: dict[str, Any],
    titles: list[str],
) -> None:
    bob = Viewer(await blog.user("bob"), UserRole.AUTHOR)
    async with initialised(client.http) as socket:
        await socket.subscribe(FOLLOW, variables)
        await socket.subscribe("subscription { postPublished { title } }", key="all")
        await subscribed(app, 2)
        await client.execute(CREATE, post("A", "Go"), ada)
        await client.execute(CREATE, post("B", "Go"), bob)
        await client.execute(CREATE, post("C", "Rust"), ada)
        await client.execute(CREATE, post("End", "Go", "x"), bob)
        seen = []
        while (message := await socket.receive())["payload"]["data"]["postPublished"][
            "title"
        ] != "End" or message["id"] != "all":
            if message["id"] == "1":
                seen.append(message["payload"]["data"]["postPublished"]["title"])
    assert [title for title in seen if title != "End"] == titles


@pytest.mark.parametrize(("seconds", "arrives"), [(1, True), (5, False)])
async def test_the_clock_of_who_published_may_be_ahead(
    client: Client,
    database: Database,
    clock: Clock,
    ada: Viewer,
    seconds: int,
    arrives: bool,
) -> None:
    """Another machine publishes, and its notice arrives before its moment has come here."""
    async with (
        connected(here := app_over(database)) as other,
        initialised(other.http) as socket,
    ):
        await socket.subscribe(FOLLOW)
        await subscribed(here)
        clock.advance(seconds=seconds)
        await client.execute(CREATE, post("Ahead"), ada)
        clock.now = NOW
        await client.execute(CREATE, post("Here"), ada)
        titles = ["Ahead", "Here"] if arrives else ["Here"]
        assert [await socket.data() for _ in titles] == [shown(t, "Ada") for t in titles]


async def test_a_clock_that_is_behind_sees_nothing_that_comes_later(
    client: Client, database: Database, clock: Clock, blog: Blog, ada: Viewer
) -> None:
    """Nor in the fields below the post."""
    await blog.post(ada.id or 0, title="Later", published_at=NOW + timedelta(seconds=1.5))
    async with (
        connected(here := app_over(database)) as other,
        initialised(other.http) as socket,
    ):
        await socket.subscribe(
            "subscription { postPublished { author { posts { nodes { title } } } } }"
        )
        await subscribed(here)
        clock.advance(seconds=1)
        await client.execute(CREATE, post("Ahead"), ada)
        assert await socket.data() == {
            "postPublished": {"author": {"posts": {"nodes": [{"title": "Ahead"}]}}}
        }


@pytest.mark.parametrize("name", ["tag", "author"])
async def test_what_no_database_holds_is_refused(client: Client, name: str) -> None:
    async with initialised(client.http) as socket:
        await socket.subscribe(FOLLOW, {name: "a\x00"})
        assert await socket.refused() == (
            "BAD_USER_INPUT",
            "Text must not contain NUL (U+0000) or lone surrogates.",
        )
