"""``renameTag`` and ``deleteTag``."""

from __future__ import annotations

import asyncio
from typing import Any

from blog_graphql.api.node import encode_id
from blog_graphql.db.database import Database
from blog_graphql.db.models import Post, Tag
from blog_graphql.db.visibility import Viewer
from tests.api.posts.writing import author, editor, post_id, written
from tests.support.backends import only_postgresql
from tests.support.blog import Blog, count_rows
from tests.support.client import Client

RENAME = """
  mutation ($input: RenameTagInput!) {
    renameTag(input: $input) {
      tag { databaseId name posts { totalCount } }
      errors { message code field }
    }
  }
"""
DELETE = """
  mutation ($input: DeleteTagInput!) {
    deleteTag(input: $input) { deletedId errors { message code field } }
  }
"""
EVE = editor(99)


async def rename(client: Client, key: int, name: str, viewer: Viewer = EVE) -> Any:
    variables = {"input": {"id": encode_id("Tag", key), "name": name}}
    return (await client.execute(RENAME, variables, viewer))["renameTag"]


async def test_rename(client: Client, blog: Blog) -> None:
    key = await blog.tag("pyhton")
    await blog.post(await blog.user("ada"), key)
    assert await rename(client, key, " Python  3 ") == {
        "tag": {"databaseId": key, "name": "Python 3", "posts": {"totalCount": 1}},
        "errors": [],
    }


async def test_another_spelling_of_its_own_name(client: Client, blog: Blog) -> None:
    key = await blog.tag("python")
    assert (await rename(client, key, "PYTHON"))["tag"]["name"] == "PYTHON"
    query = '{ tag(by: {name: "python"}) { name } }'
    assert await client.execute(query, viewer=EVE) == {"tag": {"name": "PYTHON"}}


async def test_onto_another_name_it_merges(client: Client, blog: Blog, database: Database) -> None:
    ada = await blog.user("ada")
    old, new = await blog.tag("js"), await blog.tag("JavaScript")
    await blog.post(ada, old)
    await blog.post(ada, old, new)
    await blog.post(ada, new)
    assert await rename(client, old, "javascript") == {
        "tag": {"databaseId": new, "name": "JavaScript", "posts": {"totalCount": 3}},
        "errors": [],
    }
    assert await count_rows(database, Tag) == 1
    query = "{ posts { nodes { version tags { name } } } }"
    one = {"version": 1, "tags": [{"name": "JavaScript"}]}
    assert (await client.execute(query))["posts"]["nodes"] == [one, one, one]


async def test_what_must_be_mended(client: Client, blog: Blog) -> None:
    key = await blog.tag("a")
    payload = await rename(client, 99, "")
    assert payload == {
        "tag": None,
        "errors": [
            {
                "message": "The name of a tag must have 1 to 50 characters; it has 0.",
                "code": "INVALID",
                "field": ["name"],
            },
            {"message": "There is no such tag.", "code": "NOT_FOUND", "field": ["id"]},
        ],
    }
    assert [error["code"] for error in (await rename(client, key, "x" * 51))["errors"]] == [
        "INVALID"
    ]


async def test_delete(client: Client, blog: Blog, database: Database) -> None:
    ada = await blog.user("ada")
    key = await blog.tag("a")
    await blog.post(ada, key)
    variables = {"input": {"id": encode_id("Tag", key)}}
    deletion = await client.execute(DELETE, variables, EVE)
    assert deletion == {"deleteTag": {"deletedId": encode_id("Tag", key), "errors": []}}
    query = "{ posts { nodes { version tags { name } } } }"
    assert (await client.execute(query))["posts"]["nodes"] == [{"version": 1, "tags": []}]
    again = await client.execute(DELETE, variables, EVE)
    assert again == {
        "deleteTag": {
            "deletedId": None,
            "errors": [{"message": "There is no such tag.", "code": "NOT_FOUND", "field": ["id"]}],
        }
    }
    assert await count_rows(database, Post) == 1


async def test_authors_may_not(client: Client, blog: Blog, database: Database) -> None:
    ada = await blog.user("ada")
    key = await blog.tag("a")
    variables: dict[str, Any] = {"input": {"id": encode_id("Tag", key)}}
    refused = ("FORBIDDEN", "Only editors and admins may do this.")
    assert await client.refused(DELETE, variables, author(ada)) == refused
    variables["input"]["name"] = "b"
    assert await client.refused(RENAME, variables, author(ada)) == refused
    assert await count_rows(database, Tag) == 1


@only_postgresql
async def test_tags_merged_into_each_other_at_once(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    first, second = await blog.tag("first"), await blog.tag("second")
    await blog.post(ada, first)
    await blog.post(ada, second)
    await asyncio.gather(rename(client, first, "second"), rename(client, second, "first"))
    query = "{ tags { nodes { posts { totalCount } } } }"
    data = await client.execute(query, viewer=EVE)
    # Who comes second finds either their tag gone, or its name free.
    assert sum(tag["posts"]["totalCount"] for tag in data["tags"]["nodes"]) == 2


@only_postgresql
async def test_a_tag_deleted_while_posts_get_it_at_once(
    client: Client, blog: Blog, database: Database
) -> None:
    ada = await blog.user("ada")
    for _round in range(6):
        key = await blog.tag("contested")
        posts = [await blog.post(ada) for _ in range(4)]
        deletion = client.execute(DELETE, {"input": {"id": encode_id("Tag", key)}}, EVE)
        tagged = (
            written(client, "addTagToPost", author(ada), postId=post_id(post), name="contested")
            for post in posts
        )
        deleted, *_ = await asyncio.gather(deletion, *tagged)
        assert deleted["deleteTag"]["errors"] == []
        async with database.transaction() as session:
            for tag in await session.scalars(Tag.__table__.select().with_only_columns(Tag.id)):
                await session.delete(await session.get_one(Tag, tag))
