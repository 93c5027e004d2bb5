"""When a post is published, scheduled and hidden, to the second."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from blog_graphql.db.visibility import ANONYMOUS
from tests.api.posts.writing import author, post_id, written
from tests.support.blog import NOW, Blog
from tests.support.client import Client
from tests.support.clock import Clock

LOOK = "query ($id: ID!) { post(by: {id: $id}) { publishedAt } posts { totalCount } }"


@pytest.mark.parametrize(
    ("given", "published_at"),
    [
        ({}, None),
        ({"isPublished": True}, "2026-06-15T12:00:00Z"),
        ({"isPublished": True, "publishedAt": None}, "2026-06-15T12:00:00Z"),
        ({"isPublished": True, "publishedAt": "2020-01-01T00:00:00Z"}, "2020-01-01T00:00:00Z"),
        ({"publishedAt": "2030-01-01T00:00:00Z"}, "2030-01-01T00:00:00Z"),
    ],
)
async def test_a_new_post(
    client: Client, blog: Blog, given: dict[str, Any], published_at: str | None
) -> None:
    ada = await blog.user("ada")
    post = await written(client, "createPost", author(ada), title="t", content="c", **given)
    assert post["publishedAt"] == published_at
    assert post["isPublished"] is given.get("isPublished", False)


PAST = "2026-01-01T00:00:00Z"
NOW_TEXT = "2026-06-15T12:00:00Z"
FUTURE = "2027-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("before", "edit", "after"),
    [
        # Publishing without a moment means now, unless there is one; unpublishing keeps it.
        ((False, None), {"isPublished": True}, (True, NOW_TEXT)),
        ((False, PAST), {"isPublished": True}, (True, PAST)),
        ((True, PAST), {"isPublished": True}, (True, PAST)),
        ((True, PAST), {"isPublished": False}, (False, PAST)),
        ((False, FUTURE), {"isPublished": True}, (True, FUTURE)),
        # A moment of one's own.
        ((False, None), {"isPublished": True, "publishedAt": FUTURE}, (True, FUTURE)),
        ((True, PAST), {"publishedAt": FUTURE}, (True, FUTURE)),
        ((False, PAST), {"publishedAt": FUTURE}, (False, FUTURE)),
        # Null means now, and nothing on a draft.
        ((True, PAST), {"publishedAt": None}, (True, NOW_TEXT)),
        ((False, PAST), {"publishedAt": None}, (False, None)),
        ((False, PAST), {"isPublished": True, "publishedAt": None}, (True, NOW_TEXT)),
        ((True, PAST), {"isPublished": False, "publishedAt": None}, (False, None)),
    ],
)
async def test_an_edit(
    client: Client,
    blog: Blog,
    before: tuple[bool, str | None],
    edit: dict[str, Any],
    after: tuple[bool, str | None],
) -> None:
    ada = await blog.user("ada")
    moment = before[1] and datetime.fromisoformat(before[1])
    key = await blog.post(ada, is_published=before[0], published_at=moment)
    post = await written(client, "updatePost", author(ada), id=post_id(key), **edit)
    assert (post["isPublished"], post["publishedAt"]) == after
    assert post["version"] == (1 if before == after else 2)


async def test_a_scheduled_post_appears_in_time(client: Client, blog: Blog, clock: Clock) -> None:
    ada = await blog.user("ada")
    soon = (NOW + timedelta(minutes=1)).isoformat()
    key = (
        await written(
            client,
            "createPost",
            author(ada),
            title="Soon",
            content="c",
            isPublished=True,
            publishedAt=soon,
        )
    )["databaseId"]

    async def seen(viewer: Any = ANONYMOUS) -> bool:
        data = await client.execute(LOOK, {"id": post_id(key)}, viewer)
        assert data["posts"]["totalCount"] == (data["post"] is not None)
        return data["post"] is not None

    assert await seen(author(ada))
    assert not await seen()
    clock.advance(seconds=60, microseconds=-1)
    assert not await seen()
    clock.advance(microseconds=1)
    assert await seen()


async def test_an_edit_now_publishes_to_the_second(
    client: Client, blog: Blog, clock: Clock
) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada, is_published=False, published_at=None)
    clock.advance(seconds=1.5)
    post = await written(client, "updatePost", author(ada), id=post_id(key), isPublished=True)
    assert post["publishedAt"] == post["updatedAt"] == "2026-06-15T12:00:01.500000Z"
    data = await client.execute(LOOK, {"id": post_id(key)})
    assert data["post"] == {"publishedAt": "2026-06-15T12:00:01.500000Z"}
