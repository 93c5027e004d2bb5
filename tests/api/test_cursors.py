"""Cursors that are foreign, forged or damaged: a reason, never a failure."""

from __future__ import annotations

import base64
import json
from typing import Any

from blog_graphql.api.node import encode_id
from tests.support.blog import Blog
from tests.support.client import Client

BAD = "BAD_USER_INPUT"
FOREIGN = "after belongs to another list or order: pass the orderBy its page was read with."
MALFORMED = "after is not a cursor of this server: pass one that a page returned."
DAMAGED = "after is damaged: pass a cursor just as a page returned it."

BY_VIEWS = """
query ($after: String) {
  posts(after: $after, orderBy: [{field: VIEW_COUNT}]) { nodes { slug } }
}
"""


async def write_posts(blog: Blog) -> None:
    """Three posts, ``a`` to ``c`` by title and by views, in this order of creation."""
    author, tag = await blog.user("ann"), await blog.tag("python")
    for views, slug in enumerate("abc"):
        await blog.post(author, tag, slug=slug, title=slug, view_count=views)


def forge(payload: Any) -> str:
    """A cursor that says what it likes; text goes in as it is."""
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return base64.urlsafe_b64encode(text.encode()).decode()


def payload_of(cursor: str) -> list[Any]:
    """What a cursor says."""
    payload = json.loads(base64.urlsafe_b64decode(cursor))
    assert isinstance(payload, list)
    return payload


async def cursor(client: Client, order_by: str, field: str = "posts") -> str:
    """The cursor of the first row in an order."""
    query = f"{{ {field}(first: 1, orderBy: {order_by}) {{ pageInfo {{ endCursor }} }} }}"
    page_info = (await client.execute(query))[field]["pageInfo"]
    return str(page_info["endCursor"])


async def test_a_cursor_belongs_to_its_order(client: Client, blog: Blog) -> None:
    await write_posts(blog)
    own = await cursor(client, "[{field: VIEW_COUNT}]")
    assert await client.execute(BY_VIEWS, {"after": own}) == {
        "posts": {"nodes": [{"slug": "b"}, {"slug": "c"}]}
    }
    for order_by, field in (
        ("[{field: VIEW_COUNT, direction: DESC}]", "posts"),
        ("[{field: TITLE}]", "posts"),
        ("[{field: VIEW_COUNT}, {field: TITLE}]", "posts"),
        ("[]", "posts"),
        ("[{field: CREATED_AT}]", "tags"),
        ("[{field: CREATED_AT}]", "users"),
    ):
        foreign = await cursor(client, order_by, field)
        assert await client.refused(BY_VIEWS, {"after": foreign}) == (BAD, FOREIGN), order_by
    of_users = await cursor(client, "[{field: CREATED_AT}]", "users")
    query = """
    query ($c: String) {
      posts(last: 1, before: $c, orderBy: [{field: CREATED_AT}]) { totalCount }
    }
    """
    assert await client.refused(query, {"c": of_users}) == (BAD, FOREIGN.replace("after", "before"))


async def test_a_cursor_is_for_every_list_of_its_rows(client: Client, blog: Blog) -> None:
    await write_posts(blog)
    own = await cursor(client, "[{field: TITLE}]")
    query = """
    query ($after: String) {
      users { nodes { posts(after: $after, orderBy: [{field: TITLE}]) { nodes { slug } } } }
      tags { nodes { posts(after: $after, orderBy: [{field: TITLE}]) { nodes { slug } } } }
    }
    """
    rest = {"nodes": [{"posts": {"nodes": [{"slug": "b"}, {"slug": "c"}]}}]}
    assert await client.execute(query, {"after": own}) == {"users": rest, "tags": rest}


async def test_forged_cursors(client: Client, blog: Blog) -> None:
    await write_posts(blog)
    genuine = await cursor(client, "[{field: VIEW_COUNT}]")
    version, signature, views, key = payload_of(genuine)
    assert (views, key) == (0, 1)
    damaged: list[list[Any]] = [
        [],
        [1],
        [1, 1, 1],
        ["1", 1],
        [1, "1"],
        [None, 1],
        [1, None],
        [True, 1],
        [1, False],
        [1.0, 1],
        [1.5, 1],
        [[1], 1],
        [{"a": 1}, 1],
        [-1, 1],
        [1, 2**31],
        [1, -(2**31)],
        [2**63, 1],
        [10**400, 1],
        [float("nan"), 1],
        [1, float("inf")],
        ["2026-01-01T00:00:00Z", 1],
        ["\x00", 1],
    ]
    for values in damaged:
        after = forge([version, signature, *values])
        assert await client.refused(BY_VIEWS, {"after": after}) == (BAD, DAMAGED), values
    malformed: list[Any] = [
        "",
        "null",
        "1",
        "true",
        '"text"',
        "{}",
        "[]",
        "[1]",
        "[[]]",
        "[" * 2000,
        "1" * 5000,
        [version],
        [version, [signature], 0, 1],
        [version, None, 0, 1],
        [version + 1, signature, 0, 1],
        [0, signature, 0, 1],
        [str(version), signature, 0, 1],
        [float(version), signature, 0, 1],
        [True, signature, 0, 1],
        [None, signature, 0, 1],
        [[version], signature, 0, 1],
        {"version": version, "order": signature, "values": [0, 1]},
    ]
    for payload in malformed:
        refusal = await client.refused(BY_VIEWS, {"after": forge(payload)})
        assert refusal == (BAD, MALFORMED), payload
    for foreign in (
        "",
        "posts",
        signature + " ",
        signature.upper(),
        "posts:hashed_password asc,id asc",
    ):
        after = forge([version, foreign, 0, 1])
        assert await client.refused(BY_VIEWS, {"after": after}) == (BAD, FOREIGN), foreign


async def test_text_that_is_no_cursor(client: Client, blog: Blog) -> None:
    await write_posts(blog)
    genuine = await cursor(client, "[{field: VIEW_COUNT}]")
    for after in (
        "x",
        "%%%",
        "é",
        " " + genuine,
        genuine + "\n",
        genuine[:-5],
        genuine[4:],
        genuine * 2,
        genuine * 1000,
        genuine.swapcase(),
        "\x00",
        base64.b64encode(b"\xff\xfe\x00[").decode(),
        base64.b64encode(b"\x80" * 50).decode(),
        encode_id("Post", 1),
    ):
        assert await client.refused(BY_VIEWS, {"after": after}) == (BAD, MALFORMED), after


async def test_forged_positions_in_moments_and_text(client: Client, blog: Blog) -> None:
    await write_posts(blog)
    tables: list[tuple[str, list[Any]]] = [
        (
            "[{field: CREATED_AT}]",
            [1, None, "", "2026-01-01T00:00:00", "2026-01-01", "9999-12-31T23:59:59-01:00", "\x00"],
        ),
        ("[{field: PUBLISHED_AT, direction: DESC}]", [None, False, "infinity", [], {}]),
        ("[{field: TITLE}]", [1, None, True, [], ["a"], {}, "\x00", "a\x00b", "\ud800", "\udfff"]),
    ]
    for order_by, values in tables:
        version, signature, _, key = payload_of(await cursor(client, order_by))
        query = f"""
        query ($after: String) {{ posts(after: $after, orderBy: {order_by}) {{ totalCount }} }}
        """
        for value in values:
            after = forge([version, signature, value, key])
            assert await client.refused(query, {"after": after}) == (BAD, DAMAGED), (
                order_by,
                value,
            )


async def test_a_forged_position_of_the_right_kind_is_only_a_position(
    client: Client, blog: Blog
) -> None:
    await write_posts(blog)
    everything = [{"slug": "a"}, {"slug": "b"}, {"slug": "c"}]
    query = """
    query ($after: String, $field: PostOrderField!) {
      posts(after: $after, orderBy: [{field: $field}]) { nodes { slug } }
    }
    """
    for field, value, key, found in (
        ("VIEW_COUNT", 0, 0, everything),
        ("VIEW_COUNT", 2, 2**31 - 1, []),
        ("VIEW_COUNT", 2**31 - 1, 2**31 - 1, []),
        ("TITLE", "", 0, everything),
        ("TITLE", "' OR 1=1 --", 0, everything),
        ("TITLE", "b" * 300, 0, everything[2:]),
        ("TITLE", "\U0010ffff", 0, []),
        ("CREATED_AT", "0001-01-01T00:00:00Z", 0, everything),
        ("CREATED_AT", "9999-12-31T23:59:59.999999Z", 2**31 - 1, []),
        ("PUBLISHED_AT", "9999-12-31T23:59:59.999999Z", 2**31 - 1, []),
    ):
        version, signature, _, _ = payload_of(await cursor(client, f"[{{field: {field}}}]"))
        after = forge([version, signature, value, key])
        data = await client.execute(query, {"after": after, "field": field})
        assert data == {"posts": {"nodes": found}}, (field, value)
