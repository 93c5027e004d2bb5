"""Merging tags while others write the posts that bear them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import delete, select

from blog_graphql.api.node import encode_id
from blog_graphql.db.database import Database
from blog_graphql.db.models import Post, Tag, post_tags
from blog_graphql.db.visibility import Visibility
from blog_graphql.posts.service import update_post
from blog_graphql.tags.service import rename_tag
from tests.api.posts.writing import author, editor, post_id, written
from tests.support.activity import waited_for
from tests.support.backends import only_postgresql
from tests.support.blog import NOW, Blog, count_rows
from tests.support.client import Client

pytestmark = only_postgresql

MERGE = """
  mutation ($id: ID!) {
    renameTag(input: {id: $id, name: "new"}) {
      tag { databaseId posts { totalCount } }
      errors { code field }
    }
  }
"""
EVE = editor(99)


async def merge(client: Client, key: int) -> Any:
    """The payload of renaming a tag to the name of another one."""
    return (await client.execute(MERGE, {"id": encode_id("Tag", key)}, EVE))["renameTag"]


@pytest.mark.parametrize(
    ("mutation", "values", "tags", "version"),
    [
        ("updatePost", {"tags": ["new"]}, ["new"], 1),
        ("updatePost", {"tags": ["old"]}, ["old"], 2),
        ("updatePost", {"tags": []}, [], 2),
        ("addTagToPost", {"name": "new"}, ["new"], 1),
        ("removeTagFromPost", {"name": "new"}, [], 2),
    ],
)
async def test_tagging_a_post_while_its_tag_is_merged(
    client: Client,
    blog: Blog,
    database: Database,
    mutation: str,
    values: dict[str, Any],
    tags: list[str],
    version: int,
) -> None:
    ada = await blog.user("ada")
    old, _ = await blog.tag("old"), await blog.tag("new")
    key = await blog.post(ada, old)
    name = "id" if mutation == "updatePost" else "postId"
    async with database.transaction() as session:
        await rename_tag(session, Visibility(EVE, NOW), old, "new")
        tagging = asyncio.create_task(
            written(client, mutation, author(ada), **{name: post_id(key)}, **values)
        )
        await waited_for(session)
    post = await tagging
    assert post["tags"] == [{"name": tag} for tag in tags]
    assert post["version"] == version


async def test_merging_a_tag_while_a_post_that_bears_it_is_deleted(
    client: Client, blog: Blog, database: Database
) -> None:
    ada = await blog.user("ada")
    old, new = await blog.tag("old"), await blog.tag("new")
    deleted, _ = await blog.post(ada, old), await blog.post(ada, old)
    async with database.transaction() as session:
        await session.execute(delete(Post).where(Post.id == deleted))
        merging = asyncio.create_task(merge(client, old))
        await waited_for(session)
    assert await merging == {
        "tag": {"databaseId": new, "posts": {"totalCount": 1}},
        "errors": [],
    }
    assert await count_rows(database, Tag) == 1


async def test_merging_a_tag_while_its_post_loses_it(
    client: Client, blog: Blog, database: Database
) -> None:
    ada = await blog.user("ada")
    old, new = await blog.tag("old"), await blog.tag("new")
    key = await blog.post(ada, old)
    async with database.transaction() as session:
        await update_post(session, Visibility(author(ada), NOW), key, {"tags": []}, None)
        merging = asyncio.create_task(merge(client, old))
        await waited_for(session)
    assert await merging == {
        "tag": {"databaseId": new, "posts": {"totalCount": 0}},
        "errors": [],
    }
    async with database.transaction() as session:
        assert (await session.execute(select(post_tags))).all() == []
