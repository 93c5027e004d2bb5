"""Reads that a failed payload left running, and the mutation after it."""

from __future__ import annotations

import pytest

from blog_graphql.db.database import Database
from tests.api.posts.writing import author, post_id
from tests.support.apps import app_over
from tests.support.backends import only_postgresql
from tests.support.blog import Blog
from tests.support.client import connected

# Each is a statement of its own, and the last field fails before the first has ended.
LEFTOVERS = " ".join(f"p{first}: posts(first: {first}) {{ nodes {{ id }} }}" for first in range(45))
QUERY = f"""
  mutation ($id: ID!) {{
    a: updatePost(input: {{id: $id, title: "A"}}) {{
      post {{ author {{ {LEFTOVERS} wrong: posts(first: -1) {{ totalCount }} }} }}
    }}
    b: updatePost(input: {{id: $id, title: "B"}}) {{ post {{ title version }} }}
    c: updatePost(input: {{id: $id, title: "C"}}) {{ post {{ title version }} }}
  }}
"""


@only_postgresql
@pytest.mark.parametrize(
    "pool",
    [{}, {"pool_size": 1, "pool_max_overflow": 0, "pool_timeout": 3}],
    ids=["usual pool", "pool of one"],
)
async def test_leftover_reads_neither_block_nor_stale_the_next_mutation(
    database: Database, blog: Blog, pool: dict[str, int]
) -> None:
    ada = await blog.user("ada")
    key = await blog.post(ada)
    pooled = Database(database.settings.model_copy(update=pool))
    async with connected(app_over(pooled)) as client:
        answer = await client.post(QUERY, {"id": post_id(key)}, author(ada))
    await pooled.dispose()
    assert answer.status_code == 200
    assert answer.json()["data"] == {
        "a": {"post": None},
        "b": {"post": {"title": "B", "version": 3}},
        "c": {"post": {"title": "C", "version": 4}},
    }
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert error["path"] == ["a", "post", "author", "wrong"]
