"""Filters on the authors and tags of posts, and filters below a parent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from blog_graphql.api.node import encode_id
from tests.api.filtering import Table, check
from tests.support.blog import Blog
from tests.support.client import Client


async def write_related(blog: Blog) -> None:
    """Posts by Ann and by Ben, who is inactive, under two tags, one or none."""
    ann = await blog.user("ann", created_at=datetime(2025, 1, 1, tzinfo=UTC))
    ben = await blog.user("ben", created_at=datetime(2025, 6, 1, tzinfo=UTC), is_active=False)
    sql, css = await blog.tag("SQL"), await blog.tag("css")
    await blog.post(ann, sql, css, slug="ann-both")
    await blog.post(ann, sql, slug="ann-sql")
    await blog.post(ann, slug="ann-bare")
    await blog.post(ben, css, slug="ben-css")
    await blog.post(ben, slug="ben-bare")


async def test_authors_and_tags_of_posts(client: Client, blog: Blog) -> None:
    await write_related(blog)
    every_post = ["ann-both", "ann-sql", "ann-bare", "ben-css", "ben-bare"]
    tagged = ["ann-both", "ann-sql", "ben-css"]
    names = [f"name-{number}" for number in range(999)]
    ids = [encode_id("Tag", number) for number in range(1, 1001)]
    table: Table = [
        ({"author": None, "tags": None}, every_post),
        ({"author": {}}, every_post),
        ({"author": {"username": None}}, every_post),
        ({"author": {"username": {"eq": "ANN"}}}, ["ann-both", "ann-sql", "ann-bare"]),
        ({"author": {"username": {"in": []}}}, []),
        ({"author": {"isActive": False}}, ["ben-css", "ben-bare"]),
        ({"author": {"createdAt": {"lt": "2025-06-01T00:00:00Z"}}}, every_post[:3]),
        ({"author": {"isActive": True, "username": {"eq": "ben"}}}, []),
        ({"author": {"id": {"eq": encode_id("Post", 1)}}}, []),
        ({"tags": {}}, every_post),
        ({"tags": {"some": None}}, every_post),
        ({"tags": {"some": {}}}, tagged),
        ({"tags": {"some": {"name": None}}}, tagged),
        ({"tags": {"some": {"name": {"eq": "sql"}}}}, ["ann-both", "ann-sql"]),
        ({"tags": {"some": {"name": {"contains": "S"}}}}, tagged),
        ({"tags": {"some": {"name": {"in": []}}}}, []),
        ({"tags": {"some": {"id": {"in": []}}}}, []),
        ({"tags": {"some": {"name": {"in": [*names, "CSS"]}}}}, ["ann-both", "ben-css"]),
        (
            {"tags": {"some": {"id": {"in": ids}, "name": {"in": [*names, "css"]}}}},
            ["ann-both", "ben-css"],
        ),
        (
            {"author": {"username": {"eq": "ann"}}, "tags": {"some": {"name": {"eq": "css"}}}},
            ["ann-both"],
        ),
        ({"isPublished": False, "author": {"username": {"eq": "ann"}}}, []),
    ]
    await check(client, "Post", table)


async def test_filters_at_depth(client: Client, blog: Blog) -> None:
    await write_related(blog)
    query = """
    query ($ofUser: PostFilter, $ofTag: PostFilter) {
      users(orderBy: [{field: USERNAME}]) {
        nodes { posts(filter: $ofUser, orderBy: [{field: CREATED_AT}]) { ...Found } }
      }
      tags { nodes { posts(filter: $ofTag, orderBy: [{field: CREATED_AT}]) { ...Found } } }
    }
    fragment Found on PostConnection { totalCount nodes { slug } }
    """

    async def find_below(of_user: Any, of_tag: Any) -> tuple[list[list[str]], list[list[str]]]:
        """What ann, ben and what SQL, css have."""
        data = await client.execute(query, {"ofUser": of_user, "ofTag": of_tag})
        found = {
            field: [
                [post["slug"] for post in node["posts"]["nodes"]] for node in data[field]["nodes"]
            ]
            for field in ("users", "tags")
        }
        for field, slugs in found.items():
            counts = [node["posts"]["totalCount"] for node in data[field]["nodes"]]
            assert counts == [len(one) for one in slugs]
        return found["users"], found["tags"]

    assert await find_below(None, None) == (
        [["ann-both", "ann-sql", "ann-bare"], ["ben-css", "ben-bare"]],
        [["ann-both", "ann-sql"], ["ann-both", "ben-css"]],
    )
    assert await find_below(
        {"tags": {"some": {"name": {"eq": "CSS"}}}}, {"author": {"username": {"eq": "ben"}}}
    ) == ([["ann-both"], ["ben-css"]], [[], ["ben-css"]])
    # The parent's own relation filtered once more.
    assert await find_below(
        {"author": {"username": {"eq": "ann"}}}, {"tags": {"some": {"name": {"eq": "sql"}}}}
    ) == (
        [["ann-both", "ann-sql", "ann-bare"], []],
        [["ann-both", "ann-sql"], ["ann-both"]],
    )
    assert await find_below({"id": {"in": []}}, {"tags": {"some": {}}}) == (
        [[], []],
        [["ann-both", "ann-sql"], ["ann-both", "ben-css"]],
    )


async def test_page_info_below_many_parents_obeys_the_filter(client: Client, blog: Blog) -> None:
    await write_related(blog)
    page = """
    posts(first: 1, after: $after, filter: $filter, orderBy: [{field: TITLE}]) {
      nodes { slug } pageInfo { hasNextPage hasPreviousPage }
    }
    """
    query = f"""
    query ($after: String, $filter: PostFilter) {{
      tags {{ nodes {{ {page} }} }}
      users(orderBy: [{{field: USERNAME}}]) {{ nodes {{ {page} }} }}
      posts(first: 1, filter: $filter, orderBy: [{{field: TITLE}}]) {{ pageInfo {{ endCursor }} }}
    }}
    """

    def pages(data: Any) -> list[tuple[list[str], bool, bool]]:
        return [
            (
                [post["slug"] for post in node["posts"]["nodes"]],
                node["posts"]["pageInfo"]["hasPreviousPage"],
                node["posts"]["pageInfo"]["hasNextPage"],
            )
            for field in ("tags", "users")
            for node in data[field]["nodes"]
        ]

    variables = {"filter": {"tags": {"some": {"name": {"eq": "css"}}}}}
    data = await client.execute(query, variables)
    assert pages(data) == [
        (["ann-both"], False, False),
        (["ann-both"], False, True),
        (["ann-both"], False, False),
        (["ben-css"], False, False),
    ]
    after = data["posts"]["pageInfo"]["endCursor"]
    assert pages(await client.execute(query, variables | {"after": after})) == [
        ([], True, False),
        (["ben-css"], True, False),
        ([], True, False),
        (["ben-css"], False, False),
    ]
