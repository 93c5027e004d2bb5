"""``recordPostView``."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from blog_graphql.db.database import Database
from blog_graphql.db.visibility import ANONYMOUS, Viewer
from tests.api.posts.writing import author, post_id, problems, written
from tests.support.blog import NOW, Blog
from tests.support.client import Client
from tests.support.statements import recorded_statements


async def test_a_view_counts_and_is_no_edit(client: Client, blog: Blog) -> None:
    before = NOW - timedelta(days=1)
    key = await blog.post(await blog.user("ada"), updated_at=before)
    post = await written(client, "recordPostView", id=post_id(key))
    assert (post["viewCount"], post["version"]) == (1, 1)
    assert post["updatedAt"] == "2026-06-14T12:00:00Z"


async def test_two_hundred_views_at_once_add_two_hundred(client: Client, blog: Blog) -> None:
    key = await blog.post(await blog.user("ada"))
    await asyncio.gather(*(written(client, "recordPostView", id=post_id(key)) for _ in range(200)))
    query = "query ($id: ID!) { post(by: {id: $id}) { viewCount } }"
    assert await client.execute(query, {"id": post_id(key)}) == {"post": {"viewCount": 200}}


async def test_views_in_one_operation_count_too(client: Client, blog: Blog) -> None:
    key = await blog.post(await blog.user("ada"))
    fields = " ".join(
        f'v{number}: recordPostView(input: {{id: "{post_id(key)}"}}) {{ post {{ viewCount }} }}'
        for number in range(20)
    )
    data = await client.execute(f"mutation {{ {fields} }}")
    counts = [payload["post"]["viewCount"] for payload in data.values()]
    assert counts == list(range(1, 21))


async def test_the_largest_count_stays(client: Client, blog: Blog) -> None:
    largest = 2**31 - 1
    key = await blog.post(await blog.user("ada"), view_count=largest - 1)
    counts = [
        (await written(client, "recordPostView", id=post_id(key)))["viewCount"] for _ in range(3)
    ]
    assert counts == [largest, largest, largest]


@pytest.mark.parametrize("viewer", [ANONYMOUS, author(2)])
async def test_a_hidden_post_is_not_found(client: Client, blog: Blog, viewer: Viewer) -> None:
    ada = await blog.user("ada")
    await blog.user("bob")
    draft = await blog.post(ada, is_published=False)
    scheduled = await blog.post(ada, published_at=NOW + timedelta(seconds=1))
    for unseen in (post_id(draft), post_id(scheduled), post_id(99), ""):
        assert await problems(client, "recordPostView", viewer, id=unseen) == [
            ("NOT_FOUND", ["id"])
        ]
    query = "{ posts { nodes { viewCount } } }"
    data = await client.execute(query, viewer=author(ada))
    assert data["posts"]["nodes"] == [{"viewCount": 0}, {"viewCount": 0}]


async def test_it_is_one_update(client: Client, blog: Blog, database: Database) -> None:
    key = await blog.post(await blog.user("ada"))
    query = f"""
      mutation {{ recordPostView(input: {{id: "{post_id(key)}"}}) {{ errors {{ code }} }} }}
    """
    with recorded_statements(database) as statements:
        await client.execute(query)
    (statement,) = statements
    assert statement.startswith("UPDATE posts SET view_count=")
