"""``updatePost`` and ``deletePost``."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from blog_graphql.db.database import Database
from blog_graphql.db.models import Post
from blog_graphql.db.visibility import Visibility
from blog_graphql.posts.service import update_post
from tests.api.posts.writing import author, editor, post_id, problems, refusal, send, written
from tests.support.activity import waited_for
from tests.support.backends import only_postgresql
from tests.support.blog import NOW, Blog, count_rows
from tests.support.client import Client
from tests.support.clock import Clock
from tests.support.statements import recorded_statements

BEFORE = NOW - timedelta(days=1)
DELETE = """
  mutation ($input: DeletePostInput!) {
    deletePost(input: $input) { deletedId errors { message code field } }
  }
"""


async def test_one_field(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, title="Old", content="Same", updated_at=BEFORE, created_at=BEFORE)
    post = await written(client, "updatePost", author(ada), id=post_id(key), title="New")
    assert (post["title"], post["content"], post["slug"]) == ("New", "Same", "post-1")
    assert (post["version"], post["updatedAt"]) == (2, "2026-06-15T12:00:00Z")
    assert post["createdAt"] == "2026-06-14T12:00:00Z"


async def test_everything(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, await blog.tag("old"), await blog.tag("kept"))
    post = await written(
        client,
        "updatePost",
        author(ada),
        id=post_id(key),
        title="T",
        content="C",
        slug="s",
        isPublished=False,
        publishedAt="2027-01-01T00:00:00Z",
        tags=["kept", "new"],
        expectedVersion=1,
    )
    assert (post["title"], post["content"], post["slug"]) == ("T", "C", "s")
    assert (post["isPublished"], post["publishedAt"]) == (False, "2027-01-01T00:00:00Z")
    assert post["tags"] == [{"name": "kept"}, {"name": "new"}]
    assert post["version"] == 2


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"title": "Post 1", "content": "Content 1", "slug": "post-1", "tags": ["A"]},
        {"isPublished": True, "publishedAt": "2026-01-01T00:00:00Z"},
        {"tags": ["a", "A "], "expectedVersion": 1},
    ],
)
async def test_an_edit_that_changes_nothing_moves_nothing(
    client: Client, blog: Blog, values: dict[str, Any]
) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, await blog.tag("a"), updated_at=BEFORE)
    post = await written(client, "updatePost", author(ada), id=post_id(key), **values)
    assert (post["version"], post["updatedAt"]) == (1, "2026-06-14T12:00:00Z")


async def test_tags_alone_move_the_version(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, await blog.tag("a"), updated_at=BEFORE)
    post = await written(client, "updatePost", author(ada), id=post_id(key), tags=[])
    assert (post["tags"], post["version"], post["updatedAt"]) == ([], 2, "2026-06-15T12:00:00Z")


@pytest.mark.parametrize("literal", [False, True])
async def test_null_is_refused_where_there_must_be_a_value(
    client: Client, blog: Blog, database: Database, *, literal: bool
) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada)
    fields = ["title", "content", "slug", "isPublished", "tags"]
    if literal:
        nulls = ", ".join(f"{field}: null" for field in fields)
        data = await client.execute(
            f'mutation {{ updatePost(input: {{id: "{post_id(key)}", {nulls}}}) '
            "{ post { version } errors { code field } } }",
            viewer=author(ada),
        )
        payload = data["updatePost"]
    else:
        nothing: dict[str, Any] = dict.fromkeys(fields)
        payload = await send(client, "updatePost", author(ada), id=post_id(key), **nothing)
    found = {(error["code"], *error["field"]) for error in payload["errors"]}
    assert found == {("INVALID", field) for field in fields}
    assert payload["post"] is None
    assert await _version(database, key) == 1


@pytest.mark.parametrize("slug", ["", "A", "a\x00", "\ud800", "a" * 201])
async def test_a_slug_that_is_none(client: Client, blog: Blog, slug: str) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada)
    assert await problems(client, "updatePost", author(ada), id=post_id(key), slug=slug) == [
        ("INVALID", ["slug"])
    ]


async def test_another_version_is_a_conflict(
    client: Client, blog: Blog, database: Database
) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, version=3)
    payload = await send(
        client, "updatePost", author(ada), id=post_id(key), expectedVersion=2, title=""
    )
    assert payload["errors"] == [
        {
            "message": "title must have 1 to 200 characters; it has 0.",
            "code": "INVALID",
            "field": ["title"],
        },
        {
            "message": "The post is at version 3, not 2: read it again, then repeat your change.",
            "code": "CONFLICT",
            "field": ["expectedVersion"],
        },
    ]
    # Without a change, too.
    conflict = [("CONFLICT", ["expectedVersion"])]
    values = {"id": post_id(key), "expectedVersion": 2}
    assert await problems(client, "updatePost", author(ada), **values) == conflict
    assert await _version(database, key) == 3


async def test_an_editor_edits_drafts_of_others(client: Client, blog: Blog) -> None:
    key = await blog.post(await blog.user("ada"), is_published=False)
    eve = await blog.user("eve")
    post = await written(client, "updatePost", editor(eve), id=post_id(key), title="Edited")
    assert (post["title"], post["author"]) == ("Edited", {"username": "ada"})


async def test_others_do_not(client: Client, blog: Blog, database: Database) -> None:
    ada, bob = await blog.user("ada"), await blog.user("bob")
    public = await blog.post(ada)
    draft = await blog.post(ada, is_published=False)
    assert await refusal(client, "updatePost", author(bob), id=post_id(public), title="Mine") == (
        "FORBIDDEN",
        "Only the author, editors and admins may change this post.",
    )
    # A draft looks as if it were not there.
    for unseen in (post_id(draft), post_id(99), "nonsense", "VXNlcjox"):
        assert await problems(client, "updatePost", author(bob), id=unseen, title="Mine") == [
            ("NOT_FOUND", ["id"])
        ]
    assert [await _version(database, key) for key in (public, draft)] == [1, 1]


async def test_delete(client: Client, blog: Blog, database: Database) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, await blog.tag("a"))
    variables = {"input": {"id": post_id(key), "expectedVersion": 1}}
    data = await client.execute(DELETE, variables, author(ada))
    assert data == {"deletePost": {"deletedId": post_id(key), "errors": []}}
    assert await count_rows(database, Post) == 0


async def test_a_deletion_that_is_refused(client: Client, blog: Blog, database: Database) -> None:
    ada, bob = await blog.user("ada"), await blog.user("bob")
    key = await blog.post(ada)
    draft = await blog.post(ada, is_published=False)

    async def deletion(viewer: int, **values: Any) -> Any:
        return await client.post(DELETE, {"input": values}, author(viewer))

    conflict = (await deletion(ada, id=post_id(key), expectedVersion=2)).json()["data"]
    assert [error["code"] for error in conflict["deletePost"]["errors"]] == ["CONFLICT"]
    hidden = (await deletion(bob, id=post_id(draft))).json()["data"]
    assert hidden["deletePost"]["deletedId"] is None
    assert [error["code"] for error in hidden["deletePost"]["errors"]] == ["NOT_FOUND"]
    (forbidden,) = (await deletion(bob, id=post_id(key))).json()["errors"]
    assert forbidden["extensions"] == {"code": "FORBIDDEN"}
    assert await count_rows(database, Post) == 2


@only_postgresql
async def test_edits_of_other_fields_at_once_all_stay(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada)
    edits: list[dict[str, Any]] = [
        {"title": "New"},
        {"content": "New"},
        {"slug": "new"},
        {"tags": ["new"]},
        {"isPublished": False},
    ]
    await asyncio.gather(
        *(written(client, "updatePost", author(ada), id=post_id(key), **edit) for edit in edits)
    )
    post = await written(client, "updatePost", author(ada), id=post_id(key))
    assert (post["title"], post["content"], post["slug"]) == ("New", "New", "new")
    assert (post["tags"], post["isPublished"]) == ([{"name": "new"}], False)
    assert post["version"] == 6


@only_postgresql
async def test_of_edits_of_one_version_at_once_one_wins(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada)
    payloads = await asyncio.gather(
        *(
            send(
                client,
                "updatePost",
                author(ada),
                id=post_id(key),
                title=f"Edit {number}",
                expectedVersion=1,
            )
            for number in range(8)
        )
    )
    outcomes = [[error["code"] for error in payload["errors"]] for payload in payloads]
    assert sorted(outcomes) == [[], *([["CONFLICT"]] * 7)]
    post = await written(client, "updatePost", author(ada), id=post_id(key))
    assert post["version"] == 2
    assert post["title"] == f"Edit {outcomes.index([])}"


@only_postgresql
async def test_an_edit_that_waited_for_a_later_one_comes_after_it(
    client: Client, blog: Blog, database: Database, clock: Clock
) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, updated_at=BEFORE)
    later = NOW + timedelta(seconds=1)
    async with database.transaction() as session:
        visibility = Visibility(author(ada), later, lambda: later)
        await update_post(session, visibility, key, {"title": "Later"}, None)
        edit = asyncio.create_task(
            written(client, "updatePost", author(ada), id=post_id(key), content="New")
        )
        await waited_for(session)
        clock.advance(seconds=1)
    post = await edit
    assert (post["title"], post["content"], post["version"]) == ("Later", "New", 3)
    assert post["updatedAt"] == "2026-06-15T12:00:01Z"


async def test_statements(client: Client, blog: Blog, database: Database) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada)
    query = """mutation ($input: UpdatePostInput!) {
      updatePost(input: $input) { errors { code } }
    }"""
    with recorded_statements(database) as statements:
        variables = {"input": {"id": post_id(key), "title": "New"}}
        await client.execute(query, variables, author(ada))
    assert [statement.split()[0] for statement in statements] == ["SELECT", "UPDATE"]


async def _version(database: Database, key: int) -> int:
    async with database.transaction() as session:
        post = await session.get(Post, key)
        assert post is not None
        return post.version
