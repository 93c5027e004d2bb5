"""What cannot be served is refused with a reason, the same on every database."""

from __future__ import annotations

import json
from typing import Any

import httpx

from blog_graphql.api.node import encode_id
from blog_graphql.db.database import Database
from tests.support.blog import Blog
from tests.support.client import Client
from tests.support.statements import recorded_statements

BAD = "BAD_USER_INPUT"


async def write_posts(blog: Blog) -> None:
    """Three posts, ``a`` to ``c`` by title and by views, in this order of creation."""
    author, tag = await blog.user("ann"), await blog.tag("python")
    for views, slug in enumerate("abc"):
        await blog.post(author, tag, slug=slug, title=slug, view_count=views)


async def post_ascii(client: Client, **request: Any) -> httpx.Response:
    """Send a request as ASCII JSON, which can carry lone surrogates."""
    headers = {"Content-Type": "application/json"}
    return await client.http.post("/graphql", content=json.dumps(request), headers=headers)


async def refused_ascii(client: Client, query: str, variables: Any) -> tuple[str, str]:
    """The code and message of the only error of an operation sent so."""
    response = await post_ascii(client, query=query, variables=variables)
    assert response.status_code == 200
    (error,) = response.json()["errors"]
    return error["extensions"]["code"], error["message"]


# ── paging arguments ──────────────────────────────────────────────────────

OFFSET_ALONE = "offset goes with first alone: drop last, after and before."
ONE_OF_BOTH = "first and last exclude each other: pass one of them."
MISUSES = {
    "first: -1": "first must be between 0 and 100; it is -1.",
    "first: 101": "first must be between 0 and 100; it is 101.",
    "first: 2147483647": "first must be between 0 and 100; it is 2147483647.",
    "first: -2147483648": "first must be between 0 and 100; it is -2147483648.",
    "last: -1": "last must be between 0 and 100; it is -1.",
    "last: 101": "last must be between 0 and 100; it is 101.",
    "first: 1, last: 1": ONE_OF_BOTH,
    "first: 0, last: 0": ONE_OF_BOTH,
    "first: -1, last: 101": ONE_OF_BOTH,
    "offset: -1": "offset must be 0 or more; it is -1.",
    "first: 1, offset: -2147483648": "offset must be 0 or more; it is -2147483648.",
    "last: 1, offset: 0": OFFSET_ALONE,
    "last: 1, offset: 1": OFFSET_ALONE,
    'offset: 0, after: "x"': OFFSET_ALONE,
    'first: 1, offset: 1, before: "x"': OFFSET_ALONE,
    'after: ""': "after is not a cursor of this server: pass one that a page returned.",
    'last: 1, before: "x"': "before is not a cursor of this server: pass one that a page returned.",
}


async def test_paging_arguments_that_contradict_or_exceed(
    client: Client, blog: Blog, database: Database
) -> None:
    await write_posts(blog)
    connections = [
        "{ users(%s) { totalCount } }",
        "{ posts(%s) { totalCount } }",
        "{ tags(%s) { __typename } }",
        "{ users { nodes { posts(%s) { totalCount } } } }",
        "{ tags { nodes { posts(%s) { nodes { id } } } } }",
    ]
    for query in connections:
        for arguments, message in MISUSES.items():
            with recorded_statements(database) as statements:
                refusal = await client.refused(query % arguments)
            assert refusal == (BAD, message), (query, arguments)
            assert len(statements) == query.count("nodes { posts"), (query, arguments)


async def test_integers_out_of_range(client: Client) -> None:
    for argument in ("first", "last", "offset"):
        for number in (2**31, -(2**31) - 1, 2**63, 10**30):
            message = f"Int cannot represent non 32-bit signed integer value: {number}"
            written = f"{{ posts({argument}: {number}) {{ totalCount }} }}"
            assert await client.refused(written) == ("GRAPHQL_VALIDATION_FAILED", message)
            query = f"query ($n: Int) {{ posts({argument}: $n) {{ totalCount }} }}"
            prefix = "Variable '$n' has invalid value: "
            assert await client.refused(query, {"n": number}) == (BAD, prefix + message)


async def test_null_arguments_are_absent(client: Client, blog: Blog) -> None:
    await write_posts(blog)
    page = {"nodes": [{"slug": "c"}, {"slug": "b"}, {"slug": "a"}]}
    for arguments in (
        "first: null, after: null, last: null, before: null, offset: null",
        "first: 3, last: null, offset: 0",
        "first: null, last: 3, offset: null",
        "filter: null, orderBy: null",
    ):
        data = await client.execute(f"{{ posts({arguments}) {{ nodes {{ slug }} }} }}")
        assert data == {"posts": page}, arguments


async def test_offsets_within_and_beyond_the_end(client: Client, blog: Blog) -> None:
    await write_posts(blog)
    await blog.user("ben")
    query = """
    query ($offset: Int, $first: Int) {
      posts(offset: $offset, first: $first) { ...Page }
      users { nodes { posts(offset: $offset, first: $first) { ...Page } } }
      tags { nodes { posts(offset: $offset, first: $first) { ...Page } } }
    }
    fragment Page on PostConnection {
      totalCount
      nodes { slug }
      pageInfo { hasNextPage hasPreviousPage }
    }
    """

    def page(newest_first: str, offset: int, size: int) -> dict[str, Any]:
        end = offset + size
        return {
            "totalCount": len(newest_first),
            "nodes": [{"slug": slug} for slug in newest_first[offset:end]],
            "pageInfo": {
                "hasNextPage": end < len(newest_first),
                "hasPreviousPage": offset > 0 and newest_first != "",
            },
        }

    for offset in (0, 1, 2, 3, 4, 2**31 - 1):
        for first, size in ((0, 0), (1, 1), (100, 100), (None, 20)):
            posts, nothing = page("cba", offset, size), page("", offset, size)
            assert await client.execute(query, {"offset": offset, "first": first}) == {
                "posts": posts,
                "users": {"nodes": [{"posts": nothing}, {"posts": posts}]},
                "tags": {"nodes": [{"posts": posts}]},
            }, (offset, first)


# ── text that no database can hold ────────────────────────────────────────

MALFORMED = "after is not a cursor of this server: pass one that a page returned."
UNSTORABLE = "Text must not contain NUL (U+0000) or lone surrogates."
EVERY_TEXT_ARGUMENT = {
    "query ($t: String!) { user(by: {username: $t}) { id } }": UNSTORABLE,
    "query ($t: String!) { post(by: {slug: $t}) { id } }": UNSTORABLE,
    "query ($t: String!) { tag(by: {name: $t}) { id } }": UNSTORABLE,
    "query ($t: String) { users(filter: {username: {eq: $t}}) { totalCount } }": UNSTORABLE,
    "query ($t: String!) { users(filter: {username: {in: [$t]}}) { totalCount } }": UNSTORABLE,
    "query ($t: String) { users(filter: {username: {contains: $t}}) { totalCount } }": UNSTORABLE,
    "query ($t: String) { users(filter: {username: {startsWith: $t}}) { totalCount } }": UNSTORABLE,
    "query ($t: String) { tags(filter: {name: {eq: $t}}) { totalCount } }": UNSTORABLE,
    "query ($t: String!) { tags(filter: {name: {in: [$t]}}) { totalCount } }": UNSTORABLE,
    "query ($t: String) { tags(filter: {name: {contains: $t}}) { totalCount } }": UNSTORABLE,
    "query ($t: String) { tags(filter: {name: {startsWith: $t}}) { totalCount } }": UNSTORABLE,
    """
    query ($t: String) {
      posts(filter: {author: {username: {eq: $t}}}) { totalCount }
    }
    """: UNSTORABLE,
    """
    query ($t: String) {
      posts(filter: {tags: {some: {name: {contains: $t}}}}) { totalCount }
    }
    """: UNSTORABLE,
    """
    query ($t: String) {
      users { nodes { posts(filter: {tags: {some: {name: {eq: $t}}}}) { totalCount } } }
    }
    """: UNSTORABLE,
    "query ($t: String) { posts(after: $t) { totalCount } }": MALFORMED,
    "query ($t: String) { tags(after: $t) { totalCount } }": MALFORMED,
}


async def test_nul_and_lone_surrogates_are_refused(client: Client, blog: Blog) -> None:
    await write_posts(blog)
    for query, message in EVERY_TEXT_ARGUMENT.items():
        for text in ("\x00", "a\x00b", "\ud800", "a\udfff", "\udc00\ud83d"):
            refusal = await refused_ascii(client, query, {"t": text})
            assert refusal == (BAD, message), (query, ascii(text))


async def test_ids_with_nul_or_lone_surrogates_name_nothing(client: Client, blog: Blog) -> None:
    await write_posts(blog)
    query = """
    query ($id: ID!) {
      node(id: $id) { id }
      nodes(ids: [$id]) { id }
      user(by: {id: $id}) { id }
      posts(filter: {id: {eq: $id}}) { totalCount }
    }
    """
    for bad in ("\x00", "\ud800", encode_id("Post", 1) + "\x00"):
        response = await post_ascii(client, query=query, variables={"id": bad})
        assert response.json() == {
            "data": {"node": None, "nodes": [None], "user": None, "posts": {"totalCount": 0}}
        }


async def test_nul_in_a_literal(client: Client) -> None:
    query = r'{ user(by: {username: "a\u0000"}) { id } }'
    assert await client.refused(query) == (BAD, UNSTORABLE)
    lone = r'{ user(by: {username: "\ud800"}) { id } }'
    assert await client.refused(lone) == (
        "GRAPHQL_PARSE_FAILED",
        r"Syntax Error: Invalid Unicode escape sequence: '\ud800'.",
    )
    assert await client.execute(r'{ user(by: {username: "\ud83d\ude00"}) { id } }') == {
        "user": None
    }


async def test_messages_may_quote_lone_surrogates(client: Client) -> None:
    for declaration, use in (
        ("$v: Int", "posts(first: $v) { totalCount }"),
        ("$v: OrderDirection!", "posts(orderBy: [{field: TITLE, direction: $v}]) { totalCount }"),
        ("$v: Boolean", "posts(filter: {isPublished: $v}) { totalCount }"),
        ("$v: PostFilter", "posts(filter: $v) { totalCount }"),
        ("$v: DateTime", "posts(filter: {createdAt: {gt: $v}}) { totalCount }"),
    ):
        query = f"query ({declaration}) {{ {use} }}"
        code, _ = await refused_ascii(client, query, {"v": "\ud800"})
        assert code == BAD, query
    code, _ = await refused_ascii(
        client, "query ($v: PostFilter) { posts(filter: $v) { totalCount } }", {"v": {"\ud800": 1}}
    )
    assert code == BAD


async def test_an_operation_name_may_be_a_lone_surrogate(client: Client) -> None:
    response = await post_ascii(client, query="{ __typename }", operationName="\ud800")
    (error,) = response.json()["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}
    assert "has no operation" in error["message"]


# ── variables ─────────────────────────────────────────────────────────────


async def test_values_of_the_wrong_type(client: Client) -> None:
    for declaration, use, values in (
        ("$v: Int", "posts(first: $v) { totalCount }", ["1", True, 1.5, [1], {}]),
        ("$v: String", "posts(after: $v) { totalCount }", [1, True, [], {}]),
        ("$v: ID!", "node(id: $v) { id }", [True, 1.5, [], {}, None]),
        ("$v: [ID!]!", "nodes(ids: $v) { id }", [[None], [True], [["a"]], {}, None]),
        ("$v: PostFilter", "posts(filter: $v) { totalCount }", ["a", 1, [1], {"a": 1}]),
        ("$v: UserFilter", "users(filter: $v) { totalCount }", [{"username": "ann"}]),
        ("$v: [PostOrder!]", "posts(orderBy: $v) { totalCount }", [{}, [None], [{"field": 1}]]),
        ("$v: UserBy!", "user(by: $v) { id }", [None, "ann", [], {"name": "ann"}]),
    ):
        query = f"query ({declaration}) {{ {use} }}"
        for value in values:
            code, message = await client.refused(query, {"v": value})
            assert code == BAD, (query, value)
            assert message.startswith("Variable '$v' has invalid value"), (query, value)


async def test_a_null_that_only_execution_finds(client: Client) -> None:
    """A default lets a nullable variable into a place that takes no null."""
    for query in (
        'query ($v: ID = "x") { node(id: $v) { id } }',
        'query ($v: [ID!] = ["x"]) { nodes(ids: $v) { id } }',
        'query ($v: String = "x") { users(filter: {username: {in: [$v]}}) { totalCount } }',
        """
        query ($v: OrderDirection) {
          posts(orderBy: [{field: TITLE, direction: $v}]) { totalCount }
        }
        """,
        "query ($v: PostOrderField = TITLE) { posts(orderBy: [{field: $v}]) { totalCount } }",
        'query ($v: UserBy = {username: "x"}) { user(by: $v) { id } }',
    ):
        code, message = await client.refused(query, {"v": None})
        assert (code, "$v" in message) == (BAD, True), query
