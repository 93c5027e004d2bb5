"""Relay's ``node`` and ``nodes``."""

from __future__ import annotations

from blog_graphql.api.node import encode_id
from blog_graphql.db.database import Database
from blog_graphql.db.models import UserRole
from blog_graphql.db.visibility import Viewer
from tests.support.blog import Blog
from tests.support.client import Client
from tests.support.statements import recorded_statements

NODES = """
query ($ids: [ID!]!) {
  nodes(ids: $ids) {
    __typename
    id
    ... on User { username }
    ... on Post { slug }
    ... on Tag { name }
  }
}
"""


async def test_nodes_come_in_the_order_asked(client: Client, blog: Blog) -> None:
    author, tag = await blog.user("ann"), await blog.tag("python")
    first, second = await blog.post(author, tag, slug="one"), await blog.post(author, slug="two")
    user = {"__typename": "User", "id": encode_id("User", author), "username": "ann"}
    one = {"__typename": "Post", "id": encode_id("Post", first), "slug": "one"}
    two = {"__typename": "Post", "id": encode_id("Post", second), "slug": "two"}
    python = {"__typename": "Tag", "id": encode_id("Tag", tag), "name": "python"}
    for expected in (
        [],
        [two, python, one, user],
        [user, user, one, user],
    ):
        ids = [node["id"] for node in expected]
        assert await client.execute(NODES, {"ids": ids}) == {"nodes": expected}


async def test_what_cannot_be_shown_is_null_in_its_place(client: Client, blog: Blog) -> None:
    ann, secret = await blog.user("ann"), await blog.tag("secret")
    draft = await blog.post(ann, secret, slug="draft", is_published=False)
    user = {"__typename": "User", "id": encode_id("User", ann), "username": "ann"}
    post = {"__typename": "Post", "id": encode_id("Post", draft), "slug": "draft"}
    tag = {"__typename": "Tag", "id": encode_id("Tag", secret), "name": "secret"}
    ids = [
        "malformed",
        user["id"],
        post["id"],
        encode_id("User", 2**31 - 1),
        tag["id"],
        encode_id("Post", 2**31),
        encode_id("Node", 1),
        user["id"],
    ]
    hidden = [None, user, None, None, None, None, None, user]
    shown = [None, user, post, None, tag, None, None, user]
    assert await client.execute(NODES, {"ids": ids}) == {"nodes": hidden}
    for viewer in (Viewer(ann, UserRole.AUTHOR), Viewer(99, UserRole.EDITOR)):
        assert await client.execute(NODES, {"ids": ids}, viewer) == {"nodes": shown}


async def test_a_single_node(client: Client, blog: Blog) -> None:
    draft = await blog.post(await blog.user("ann"), title="Draft", is_published=False)
    query = "query ($id: ID!) { node(id: $id) { __typename ... on Post { title } } }"
    given = {"id": encode_id("Post", draft)}
    editor = Viewer(99, UserRole.EDITOR)
    assert await client.execute(query, given) == {"node": None}
    assert await client.execute(query, given, editor) == {
        "node": {"__typename": "Post", "title": "Draft"}
    }


async def test_fragments_on_the_interface_and_on_types(client: Client, blog: Blog) -> None:
    author = await blog.user("ann")
    await blog.post(author, await blog.tag("python"), slug="one")
    query = """
    query ($id: ID!) {
      node(id: $id) { ...Identity ...Author ... on Tag { name } }
      posts { nodes { ...Identity author { ...Identity } tags { ... on Node { __typename } } } }
    }
    fragment Identity on Node { __typename }
    fragment Author on User { username posts { nodes { slug } } }
    """
    assert await client.execute(query, {"id": encode_id("User", author)}) == {
        "node": {"__typename": "User", "username": "ann", "posts": {"nodes": [{"slug": "one"}]}},
        "posts": {
            "nodes": [
                {
                    "__typename": "Post",
                    "author": {"__typename": "User"},
                    "tags": [{"__typename": "Tag"}],
                }
            ]
        },
    }


async def test_a_hundred_nodes_take_a_statement_for_each_type(
    client: Client, blog: Blog, database: Database
) -> None:
    author, tag = await blog.user("ann"), await blog.tag("python")
    post = await blog.post(author, tag)
    found = [encode_id("User", author), encode_id("Post", post), encode_id("Tag", tag)]
    ids = found + [encode_id("Post", number) for number in range(1000, 1097)]
    with recorded_statements(database) as statements:
        data = await client.execute(NODES, {"ids": ids})
    assert [node and node["id"] for node in data["nodes"]] == found + [None] * 97
    assert len(statements) == 3


async def test_more_than_a_hundred_nodes_are_refused(
    client: Client, blog: Blog, database: Database
) -> None:
    user = encode_id("User", await blog.user("ann"))
    with recorded_statements(database) as statements:
        assert await client.refused(NODES, {"ids": [user] * 101}) == (
            "BAD_USER_INPUT",
            "nodes takes at most 100 ids; 101 were given.",
        )
    assert statements == []
    data = await client.execute(NODES, {"ids": [user] * 100})
    assert [node["id"] for node in data["nodes"]] == [user] * 100


async def test_malformed_ids_cost_no_statement(client: Client, database: Database) -> None:
    with recorded_statements(database) as statements:
        data = await client.execute(NODES, {"ids": ["", "x", encode_id("User", 2**31)]})
    assert data == {"nodes": [None, None, None]}
    assert statements == []
