"""A row that vanishes between two statements of an operation is no error of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from blog_graphql.db.database import Database
from blog_graphql.db.models import Post, User
from blog_graphql.db.session import AnyRow, SessionContext
from tests.support.apps import app_over, asking
from tests.support.backends import durable
from tests.support.blog import Blog
from tests.support.client import Client

QUERY = "{ posts(orderBy: [{field: TITLE}]) { nodes { title content author { username } } } }"
REMAINING = {"nodes": [{"title": "kept", "content": "text", "author": {"username": "ben"}}]}


@asynccontextmanager
async def interrupted(
    monkeypatch: pytest.MonkeyPatch, after: int, blog: Blog, model: type[Any], key: int
) -> AsyncIterator[list[int]]:
    """Delete a row behind the back of an operation, after so many of its statements."""
    fetch = SessionContext.fetch
    ran: list[int] = []

    async def fetch_and_delete(
        self: SessionContext, statement: Any, **parameters: Any
    ) -> list[AnyRow]:
        rows = await fetch(self, statement, **parameters)
        ran.append(len(rows))
        if len(ran) == after:
            await blog.delete(model, key)
        return list(rows)

    with monkeypatch.context() as patched:
        patched.setattr(SessionContext, "fetch", fetch_and_delete)
        yield ran


@pytest.fixture
async def keys(blog: Blog) -> dict[str, int]:
    """Two posts by two authors."""
    ann, ben = await blog.user("ann"), await blog.user("ben")
    gone = await blog.post(ann, title="gone")
    await blog.post(ben, title="kept", content="text")
    return {"ann": ann, "gone": gone}


@durable
async def test_an_author_who_vanishes(
    client: Client, blog: Blog, keys: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with interrupted(monkeypatch, 1, blog, User, keys["ann"]) as ran:
        data = await client.execute(QUERY)
    assert data["posts"] == REMAINING
    assert ran[0] == 2  # the first attempt had read both posts


@durable
async def test_an_author_who_vanishes_is_all_that_is_asked_for(
    client: Client, blog: Blog, keys: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with interrupted(monkeypatch, 1, blog, User, keys["ann"]):
        data = await client.execute("{ posts { nodes { author { username } } } }")
    assert data["posts"] == {"nodes": [{"author": {"username": "ben"}}]}


@durable
async def test_a_post_that_vanishes_before_its_content_is_read(
    client: Client, blog: Blog, keys: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with interrupted(monkeypatch, 1, blog, Post, keys["gone"]) as ran:
        data = await client.execute(QUERY)
    assert data["posts"] == REMAINING
    assert ran[0] == 2


@durable
async def test_on_the_snapshot_nothing_vanishes(
    client: Client, blog: Blog, keys: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await blog.post(await blog.user("cleo"), title="lost", content="more")
    async with (
        interrupted(monkeypatch, 1, blog, Post, keys["gone"]) as first,
        # The second attempt reads its posts, and then another one goes.
        interrupted(monkeypatch, 4, blog, Post, other),
    ):
        data = await client.execute(QUERY)
    titles = [post["title"] for post in data["posts"]["nodes"]]
    assert titles == ["kept", "lost"]
    assert first[0] == 3


@durable
async def test_what_runs_again_is_paid_for_once(
    database: Database, blog: Blog, keys: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    query = f"{{ rateLimit {{ remaining }} {QUERY.strip('{ }')} }} }} }} }}"
    async with (
        asking(app_over(database, rate_limit=10)) as http,
        interrupted(monkeypatch, 1, blog, User, keys["ann"]) as ran,
    ):
        answer = (await http.post("/graphql", json={"query": query})).json()
    assert len(ran) > 3
    assert answer["data"] == {"rateLimit": {"remaining": 9}, "posts": REMAINING}
