"""``createPost``."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import delete

from blog_graphql.api.node import encode_id
from blog_graphql.db.database import Database
from blog_graphql.db.models import Post, Tag, User
from tests.api.posts.writing import author, editor, problems, refusal, send, written
from tests.support.activity import waited_for
from tests.support.backends import only_postgresql
from tests.support.blog import Blog, count_rows
from tests.support.client import Client
from tests.support.statements import recorded_statements


async def test_a_draft(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    post = await written(client, "createPost", author(ada), title="First Post", content="*Hello*")
    assert post == {
        "databaseId": 1,
        "slug": "first-post",
        "title": "First Post",
        "content": "*Hello*",
        "isPublished": False,
        "publishedAt": None,
        "viewCount": 0,
        "version": 1,
        "createdAt": "2026-06-15T12:00:00Z",
        "updatedAt": "2026-06-15T12:00:00Z",
        "author": {"username": "ada"},
        "tags": [],
    }


async def test_everything_given(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    await blog.tag("Python")
    post = await written(
        client,
        "createPost",
        author(ada),
        title="t",
        content=" ",
        slug="my-slug",
        isPublished=True,
        publishedAt="2026-06-16T14:00:00+02:00",
        tags=["python", " Web  Development ", "PYTHON", "new"],
        authorId=encode_id("User", ada),
    )
    assert post["slug"] == "my-slug"
    assert post["publishedAt"] == "2026-06-16T12:00:00Z"
    assert post["tags"] == [{"name": "Python"}, {"name": "Web Development"}, {"name": "new"}]


async def test_null_is_like_nothing(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    nothing: dict[str, Any] = dict.fromkeys(["slug", "publishedAt", "tags", "authorId"])
    post = await written(client, "createPost", author(ada), title="A", content="b", **nothing)
    assert (post["slug"], post["publishedAt"], post["tags"]) == ("a", None, [])


async def test_an_editor_writes_for_somebody_else(client: Client, blog: Blog) -> None:
    await blog.user("ada")
    eve = await blog.user("eve")
    post = await written(
        client, "createPost", editor(eve), title="A", content="b", authorId=encode_id("User", 1)
    )
    assert post["author"] == {"username": "ada"}


@only_postgresql
async def test_an_author_who_is_deleted_at_once_is_not_found(
    client: Client, blog: Blog, database: Database
) -> None:
    ada, eve = await blog.user("ada"), await blog.user("eve")
    async with database.transaction() as session:
        await session.execute(delete(User).where(User.id == ada))
        creation = asyncio.create_task(
            problems(
                client,
                "createPost",
                editor(eve),
                title="A",
                content="b",
                tags=["new"],
                authorId=encode_id("User", ada),
            )
        )
        await waited_for(session)
    assert await creation == [("NOT_FOUND", ["authorId"])]
    assert await count_rows(database, Post) == 0
    assert await count_rows(database, Tag) == 0


async def test_an_author_does_not(client: Client, blog: Blog, database: Database) -> None:
    ada = await blog.user("ada")
    eve = await blog.user("eve")
    assert await refusal(
        client, "createPost", author(ada), title="A", content="b", authorId=encode_id("User", eve)
    ) == ("FORBIDDEN", "Only editors and admins may write in the name of others.")
    assert await count_rows(database, Post) == 0


async def test_a_signed_out_client_does_not(client: Client, database: Database) -> None:
    assert await refusal(client, "createPost", title="A", content="b") == (
        "UNAUTHENTICATED",
        "Sign in first: this is for users.",
    )
    assert await count_rows(database, Post) == 0


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": ""}, ["title"]),
        ({"title": " \n"}, ["title"]),
        ({"title": "x" * 201}, ["title"]),
        ({"title": "\u200b"}, ["title"]),
        ({"title": " \u2060\u200b"}, ["title"]),
        ({"title": "a\x00b"}, ["title"]),
        ({"title": "\ud800"}, ["title"]),
        ({"content": ""}, ["content"]),
        ({"content": "x" * 500_001}, ["content"]),
        ({"slug": ""}, ["slug"]),
        ({"slug": "Upper"}, ["slug"]),
        ({"slug": "-a"}, ["slug"]),
        ({"slug": "a--b"}, ["slug"]),
        ({"slug": "a-"}, ["slug"]),
        ({"slug": "a\n"}, ["slug"]),
        ({"slug": "x" * 201}, ["slug"]),
        ({"tags": ["a", " "]}, ["tags", "1"]),
        ({"tags": ["\u200b"]}, ["tags", "0"]),
        ({"tags": ["a", "\u2060 \u2060"]}, ["tags", "1"]),
        ({"tags": ["x" * 51]}, ["tags", "0"]),
        ({"tags": ["a\x00"]}, ["tags", "0"]),
        ({"tags": [str(number) for number in range(31)]}, ["tags"]),
        ({"tags": [""] * 9_000}, ["tags"]),
    ],
)
async def test_what_must_be_mended(
    client: Client, blog: Blog, database: Database, values: dict[str, Any], field: list[str]
) -> None:
    ada = await blog.user("ada")
    given = {"title": "t", "content": "c"} | values
    assert await problems(client, "createPost", author(ada), **given) == [("INVALID", field)]
    assert await count_rows(database, Post) == 0
    assert await count_rows(database, Tag) == 0


async def test_the_largest_of_everything(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    tags = [f"{number:050}" for number in range(30)]
    post = await written(
        client,
        "createPost",
        author(ada),
        title="x" * 200,
        content="é" * 500_000,
        slug="y" * 200,
        tags=[*tags, *tags],
    )
    assert (post["title"], len(post["content"]), post["slug"]) == ("x" * 200, 500_000, "y" * 200)
    assert [tag["name"] for tag in post["tags"]] == tags


async def test_everything_wrong_is_told_at_once(
    client: Client, blog: Blog, database: Database
) -> None:
    eve = await blog.user("eve")
    await blog.post(eve, slug="taken")
    payload = await send(
        client,
        "createPost",
        editor(eve),
        title="",
        content="",
        slug="taken",
        tags=["fine", ""],
        authorId=encode_id("User", 99),
    )
    assert payload == {
        "post": None,
        "errors": [
            {
                "message": "title must have 1 to 200 characters; it has 0.",
                "code": "INVALID",
                "field": ["title"],
            },
            {
                "message": "content must have 1 to 500,000 characters; it has 0.",
                "code": "INVALID",
                "field": ["content"],
            },
            {
                "message": "The name of a tag must have 1 to 50 characters; it has 0.",
                "code": "INVALID",
                "field": ["tags", "1"],
            },
            {
                "message": "The slug taken belongs to another post: choose another one.",
                "code": "TAKEN",
                "field": ["slug"],
            },
            {"message": "There is no such user.", "code": "NOT_FOUND", "field": ["authorId"]},
        ],
    }
    assert await count_rows(database, Post) == 1
    assert await count_rows(database, Tag) == 0


async def test_a_refused_mutation_leaves_the_one_before_it(
    client: Client, blog: Blog, database: Database
) -> None:
    ada = await blog.user("ada")
    answer = await client.post(
        """
        mutation {
          a: createPost(input: {title: "A", content: "a"}) { post { slug } errors { code } }
          b: createPost(input: {title: "", content: "b"}) { post { slug } errors { code } }
          c: deleteTag(input: {id: "x"}) { deletedId }
          d: createPost(input: {title: "D", content: "d"}) { post { slug } errors { code } }
        }
        """,
        viewer=author(ada),
    )
    assert answer.status_code == 200
    assert answer.json()["data"] == {
        "a": {"post": {"slug": "a"}, "errors": []},
        "b": {"post": None, "errors": [{"code": "INVALID"}]},
        "c": None,
        "d": {"post": {"slug": "d"}, "errors": []},
    }
    (error,) = answer.json()["errors"]
    assert (error["path"], error["extensions"]) == (["c"], {"code": "FORBIDDEN"})
    assert await count_rows(database, Post) == 2


async def test_statements(client: Client, blog: Blog, database: Database) -> None:
    ada = await blog.user("ada")
    await blog.tag("old")
    with recorded_statements(database) as statements:
        await written(
            client, "createPost", author(ada), title="A", content="a", tags=["old", "new", "newer"]
        )
    kinds = [statement.split()[0] for statement in statements]
    # The tags that are there and those that are not; is the slug free; the post; is it still; the
    # links. Then the answer: the post, its content, author and tags.
    assert kinds == [*["SELECT", "INSERT", "SELECT", "INSERT", "SELECT", "INSERT"], *["SELECT"] * 4]
