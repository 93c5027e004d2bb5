"""``addTagToPost`` and ``removeTagFromPost``."""

from __future__ import annotations

import asyncio

from blog_graphql.db.database import Database
from blog_graphql.db.models import Tag
from tests.api.posts.writing import author, post_id, problems, refusal, written
from tests.support.backends import only_postgresql
from tests.support.blog import Blog, count_rows
from tests.support.client import Client


async def test_add_a_new_tag(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, await blog.tag("old"))
    post = await written(
        client, "addTagToPost", author(ada), postId=post_id(key), name="  brand  New "
    )
    assert post["tags"] == [{"name": "brand New"}, {"name": "old"}]
    assert (post["version"], post["updatedAt"]) == (2, "2026-06-15T12:00:00Z")


async def test_a_tag_that_is_there_is_used_again(
    client: Client, blog: Blog, database: Database
) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada)
    await blog.tag("Straße")
    post = await written(client, "addTagToPost", author(ada), postId=post_id(key), name="STRASSE")
    assert post["tags"] == [{"name": "Straße"}]
    assert await count_rows(database, Tag) == 1


async def test_a_tag_that_it_bears_already_moves_nothing(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, await blog.tag("a"))
    post = await written(client, "addTagToPost", author(ada), postId=post_id(key), name="A")
    assert (post["tags"], post["version"]) == ([{"name": "a"}], 1)


async def test_thirty_at_most(client: Client, blog: Blog, database: Database) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, *[await blog.tag(f"tag {number:02}") for number in range(30)])
    assert await problems(
        client, "addTagToPost", author(ada), postId=post_id(key), name="one more"
    ) == [("INVALID", ["name"])]
    assert await count_rows(database, Tag) == 30
    post = await written(client, "addTagToPost", author(ada), postId=post_id(key), name="TAG 07")
    assert len(post["tags"]) == 30


async def test_remove(client: Client, blog: Blog, database: Database) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, await blog.tag("a"), await blog.tag("b"))
    post = await written(client, "removeTagFromPost", author(ada), postId=post_id(key), name="A")
    assert (post["tags"], post["version"]) == ([{"name": "b"}], 2)
    # The tag stays, for editors to see.
    assert await count_rows(database, Tag) == 2


async def test_removing_what_it_does_not_bear_moves_nothing(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, await blog.tag("a"))
    await blog.tag("b")
    for name in ("b", "nowhere"):
        post = await written(
            client, "removeTagFromPost", author(ada), postId=post_id(key), name=name
        )
        assert (post["tags"], post["version"]) == ([{"name": "a"}], 1)


async def test_what_must_be_mended(client: Client, blog: Blog) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada)
    for mutation in ("addTagToPost", "removeTagFromPost"):
        for name in ("", "x" * 51, "a\x00b"):
            assert await problems(
                client, mutation, author(ada), postId=post_id(key), name=name
            ) == [("INVALID", ["name"])]
        assert await problems(client, mutation, author(ada), postId=post_id(99), name="") == [
            ("INVALID", ["name"]),
            ("NOT_FOUND", ["postId"]),
        ]


async def test_others_may_not(client: Client, blog: Blog, database: Database) -> None:
    ada, bob = await blog.user("ada"), await blog.user("bob")
    key = await blog.post(ada)
    draft = await blog.post(ada, is_published=False)
    for mutation in ("addTagToPost", "removeTagFromPost"):
        code, _ = await refusal(client, mutation, author(bob), postId=post_id(key), name="b")
        assert code == "FORBIDDEN"
        assert await problems(client, mutation, author(bob), postId=post_id(draft), name="b") == [
            ("NOT_FOUND", ["postId"])
        ]
    assert await count_rows(database, Tag) == 0


@only_postgresql
async def test_writers_of_one_new_tag_at_once_share_it(
    client: Client, blog: Blog, database: Database
) -> None:
    ada = await blog.user("ada")
    keys = [await blog.post(ada) for _ in range(12)]
    names = ["new", "New", "NEW"]
    posts = await asyncio.gather(
        *(
            written(
                client, "addTagToPost", author(ada), postId=post_id(key), name=names[number % 3]
            )
            for number, key in enumerate(keys)
        )
    )
    assert len({str(post["tags"]) for post in posts}) == 1
    assert await count_rows(database, Tag) == 1


@only_postgresql
async def test_overlapping_sets_of_new_tags_at_once(
    client: Client, blog: Blog, database: Database
) -> None:
    ada = await blog.user("ada")
    letters = "abcdefghij"
    await asyncio.gather(
        *(
            written(
                client,
                "createPost",
                author(ada),
                title="t",
                content="c",
                tags=list(letters[start:] + letters[:start])[:7],
            )
            for start in range(len(letters))
        )
    )
    assert await count_rows(database, Tag) == len(letters)
