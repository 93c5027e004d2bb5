"""What subscribers hear of each way to write a post."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from blog_graphql.api.node import encode_id
from blog_graphql.db.database import Database
from blog_graphql.db.models import UserRole
from blog_graphql.db.visibility import Viewer
from blog_graphql.importing import import_folder
from tests.api.posts.writing import author, editor, post_id, problems, written
from tests.support.blog import NOW, Blog
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.events import heard, taken, waiting

EARLIER = "2026-06-01T00:00:00Z"
LATER = "2026-06-15T12:00:10Z"


@dataclass
class Heard:
    """What was heard of posts while something was done."""

    published: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)


@asynccontextmanager
async def listening(database: Database, *keys: int) -> AsyncIterator[Heard]:
    """Follow all publications, and the changes of some posts."""
    events, result = database.events, Heard()
    follows = [events.changed(key) for key in keys]
    async with events.published() as published:
        for follow in follows:
            await follow.__aenter__()
        yield result
        result.published = await heard(published, database)
        for follow in follows:
            result.changed += await waiting(follow)
            await follow.__aexit__()


@pytest.fixture
async def ada(blog: Blog) -> int:
    return await blog.user("ada")


@pytest.mark.parametrize(
    ("values", "is_told"),
    [
        ({"isPublished": True}, True),
        ({"isPublished": True, "publishedAt": EARLIER}, True),
        ({"isPublished": True, "publishedAt": LATER}, False),
        ({"publishedAt": EARLIER}, False),
        ({}, False),
    ],
)
async def test_a_new_post(
    client: Client, database: Database, ada: int, values: dict[str, Any], *, is_told: bool
) -> None:
    async with listening(database) as result:
        post = await written(
            client, "createPost", author(ada), title="A", content="A", tags=["x"], **values
        )
    assert result.published == ([post["databaseId"]] if is_told else [])


async def test_a_new_post_that_is_refused(client: Client, database: Database, ada: int) -> None:
    async with listening(database) as result:
        await problems(client, "createPost", author(ada), title="", content="A", isPublished=True)
    assert result == Heard()


async def test_a_slug_that_is_taken_on_the_way(
    client: Client, database: Database, blog: Blog, ada: int
) -> None:
    await blog.post(ada, slug="title")
    async with listening(database) as result:
        values = {"title": "Title", "content": "A", "isPublished": True}
        post = await written(client, "createPost", author(ada), **values)
    assert post["slug"] == "title-2"
    assert result.published == [post["databaseId"]]


@pytest.mark.parametrize(
    ("before", "changes", "is_published", "is_changed"),
    [
        ("draft", {"isPublished": True}, True, True),
        ("draft", {"isPublished": True, "publishedAt": EARLIER}, True, True),
        ("draft", {"isPublished": True, "publishedAt": LATER}, False, True),
        ("draft", {"publishedAt": EARLIER}, False, True),
        ("draft", {"title": "New"}, False, True),
        ("draft", {"isPublished": False}, False, False),
        ("scheduled", {"publishedAt": None}, True, True),
        ("scheduled", {"publishedAt": EARLIER}, True, True),
        ("scheduled", {"publishedAt": "2027-01-01T00:00:00Z"}, False, True),
        ("scheduled", {"isPublished": False}, False, True),
        ("scheduled", {"content": "New"}, False, True),
        ("public", {"isPublished": False}, False, True),
        ("public", {"publishedAt": LATER}, False, True),
        ("public", {"publishedAt": EARLIER}, False, True),
        ("public", {"publishedAt": None}, False, True),
        ("public", {"isPublished": True}, False, False),
        ("public", {"title": "Same", "tags": []}, False, False),
        ("public", {"tags": ["x"]}, False, True),
        ("public", {"slug": "new"}, False, True),
    ],
)
async def test_an_edit(
    client: Client,
    database: Database,
    blog: Blog,
    ada: int,
    before: str,
    changes: dict[str, Any],
    *,
    is_published: bool,
    is_changed: bool,
) -> None:
    states: dict[str, dict[str, Any]] = {
        "draft": {"is_published": False, "published_at": None},
        "scheduled": {"published_at": NOW + timedelta(seconds=5)},
        "public": {},
    }
    key = await blog.post(ada, title="Same", **states[before])
    async with listening(database, key) as result:
        await written(client, "updatePost", author(ada), id=post_id(key), **changes)
    assert result.published == [key] * is_published
    assert result.changed == [key] * is_changed


async def test_an_edit_that_is_refused(
    client: Client, database: Database, blog: Blog, ada: int
) -> None:
    key = await blog.post(ada, is_published=False)
    async with listening(database, key) as result:
        values = {"id": post_id(key), "isPublished": True, "expectedVersion": 2}
        assert await problems(client, "updatePost", author(ada), **values) == [
            ("CONFLICT", ["expectedVersion"])
        ]
    assert result == Heard()


async def test_publishing_again_is_told_again(
    client: Client, database: Database, blog: Blog, ada: int
) -> None:
    key = await blog.post(ada)
    async with listening(database, key) as result:
        for is_published in (False, True, False, True):
            values = {"id": post_id(key), "isPublished": is_published}
            await written(client, "updatePost", author(ada), **values)
    assert result == Heard([key, key], [key])


async def test_a_scheduled_post(client: Client, database: Database, ada: int, clock: Clock) -> None:
    async with database.events.published() as published:
        values = {"title": "A", "content": "A", "isPublished": True, "publishedAt": LATER}
        key = (await written(client, "createPost", author(ada), **values))["databaseId"]
        clock.advance(seconds=9)
        database.events.look()
        await written(client, "updatePost", author(ada), id=post_id(key), title="B")
        assert await heard(published, database) == []
        clock.advance(seconds=1)
        database.events.look()
        assert await taken(published) == key
        await written(client, "updatePost", author(ada), id=post_id(key), title="C")
        assert await heard(published, database) == []


async def test_an_edit_by_a_clock_that_is_behind(
    client: Client, database: Database, blog: Blog, ada: int, clock: Clock
) -> None:
    key = await blog.post(ada, title="A", published_at=NOW + timedelta(seconds=1))
    async with listening(database, key) as result, database.events.published() as published:
        database.events.clock = lambda: clock.now + timedelta(seconds=1)
        database.events.look()
        assert await taken(published) == key
        await written(client, "updatePost", author(ada), id=post_id(key), title="B")
        # This one is due at once, and looked at after the edit.
        moment = (NOW + timedelta(seconds=1)).isoformat()
        values = {"title": "A", "content": "A", "isPublished": True, "publishedAt": moment}
        other = (await written(client, "createPost", author(ada), **values))["databaseId"]
        assert await taken(published) == other
    assert result == Heard([key, other], [key])


async def test_tags_of_a_post(client: Client, database: Database, blog: Blog, ada: int) -> None:
    key = await blog.post(ada)
    for mutation in ("addTagToPost", "removeTagFromPost"):
        for is_changed in (True, False):
            async with listening(database, key) as result:
                values = {"postId": post_id(key), "name": "x"}
                await written(client, mutation, author(ada), **values)
            assert result == Heard([], [key] * is_changed)


async def test_an_edit_of_a_tag_is_none_of_its_posts(
    client: Client, database: Database, blog: Blog, ada: int
) -> None:
    tags = [await blog.tag(name) for name in ("one", "two")]
    key = await blog.post(ada, *tags)
    one, two = (encode_id("Tag", tag) for tag in tags)
    query = f"""mutation {{
      a: renameTag(input: {{id: "{one}", name: "three"}}) {{ errors {{ code }} }}
      b: renameTag(input: {{id: "{one}", name: "two"}}) {{ errors {{ code }} }}
      c: deleteTag(input: {{id: "{two}"}}) {{ errors {{ code }} }}
    }}"""
    async with listening(database, key) as result:
        data = await client.execute(query, viewer=editor(ada))
    assert [data[alias]["errors"] for alias in "abc"] == [[], [], []]
    assert result == Heard()


async def test_a_deletion(client: Client, database: Database, blog: Blog, ada: int) -> None:
    key = await blog.post(ada)
    query = f'mutation {{ deletePost(input: {{id: "{post_id(key)}"}}) {{ deletedId }} }}'
    async with listening(database, key) as result:
        await client.execute(query, viewer=author(ada))
    assert result == Heard([], [key])


async def test_the_posts_of_a_deleted_user(
    client: Client, database: Database, blog: Blog, ada: int
) -> None:
    keys = [await blog.post(ada) for _ in range(3)]
    other = await blog.post(await blog.user("bob"))
    query = f'mutation {{ deleteUser(input: {{id: "{encode_id("User", ada)}"}}) {{ deletedId }} }}'
    async with listening(database, *keys, other) as result:
        data = await client.execute(query, viewer=Viewer(ada, UserRole.AUTHOR))
    assert data == {"deleteUser": {"deletedId": encode_id("User", ada)}}
    assert result == Heard([], keys)


async def test_a_new_post_under_the_key_of_a_deleted_one(
    client: Client, database: Database, ada: int
) -> None:
    async with database.events.published() as published:
        for _ in range(2):
            values = {"title": "A", "content": "A", "isPublished": True}
            key = (await written(client, "createPost", author(ada), **values))["databaseId"]
            assert await heard(published, database) == [key]
            query = f'mutation {{ deletePost(input: {{id: "{post_id(key)}"}}) {{ deletedId }} }}'
            await client.execute(query, viewer=author(ada))


async def test_imported_posts(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "posts"
    folder.mkdir()
    file = folder / "one.md"
    text = "---\ntitle: One\nauthor: ann\ndate: 2026-01-01\n---\nOne"
    file.write_text(text)
    (folder / "two.md").write_text(text.replace("date:", "draft: true\ndate:"))
    async with listening(database) as result:
        await import_folder(database, folder, dry_run=True)
    assert result == Heard()
    async with listening(database) as result:
        await import_folder(database, folder)
    assert len(result.published) == 1
    (key,) = result.published
    file.write_text(text + ", edited")
    async with listening(database, key) as result:
        for _ in range(2):
            await import_folder(database, folder)
    assert result == Heard([], [key])
    file.write_text(text.replace("date:", "draft: true\ndate:"))
    async with listening(database, key) as result:
        await import_folder(database, folder)
        file.write_text(text)
        await import_folder(database, folder)
    assert result == Heard([key], [key])
