"""The order of lists: every key in both directions, ties, nulls and text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from blog_graphql.db.models import UserRole
from blog_graphql.db.visibility import ANONYMOUS, Viewer
from tests.support.blog import Blog
from tests.support.client import Client

EDITOR = Viewer(99, UserRole.EDITOR)


def day(number: int) -> datetime:
    """A day of January 2026."""
    return datetime(2026, 1, number, tzinfo=UTC)


async def order(
    client: Client, field: str, name: str, order_by: Any, viewer: Viewer = ANONYMOUS
) -> list[str]:
    """The names of a root list in an order such as ``TITLE DESC, VIEW_COUNT``."""
    keys = [dict(zip(("field", "direction"), key.split(), strict=False)) for key in order_by]
    input_type = field.removesuffix("s").title() + "Order"
    query = f"query ($o: [{input_type}!]) {{ {field}(orderBy: $o) {{ nodes {{ {name} }} }} }}"
    data = await client.execute(query, {"o": keys}, viewer)
    return [node[name] for node in data[field]["nodes"]]


async def write_posts(blog: Blog) -> None:
    """Five posts in which every key has a tie, and two publications are null."""
    ann = await blog.user("ann")
    rows = [
        # slug, title, views, created, updated, published
        ("a", "Moon", 5, 3, 4, None),
        ("b", "Sun", 5, 1, 4, 2),
        ("c", "Moon", 0, 3, 5, 1),
        ("d", "Air", 9, 2, 6, 2),
        ("e", "air", 0, 1, 5, None),
    ]
    for slug, title, views, created, updated, published in rows:
        await blog.post(
            ann,
            slug=slug,
            title=title,
            view_count=views,
            created_at=day(created),
            updated_at=day(updated),
            is_published=published is not None,
            published_at=None if published is None else day(published),
        )


ORDERS_OF_POSTS = {
    "": "cadeb",
    "CREATED_AT": "bedac",
    "CREATED_AT ASC": "bedac",
    "CREATED_AT DESC": "cadeb",
    "UPDATED_AT ASC": "abced",
    "UPDATED_AT DESC": "decba",
    "PUBLISHED_AT ASC": "cbdae",
    "PUBLISHED_AT DESC": "dbcea",
    "TITLE ASC": "dacbe",
    "TITLE DESC": "ebcad",
    "VIEW_COUNT ASC": "ceabd",
    "VIEW_COUNT DESC": "dbaec",
    "VIEW_COUNT ASC, TITLE ASC": "ceabd",
    "VIEW_COUNT DESC, TITLE ASC": "dabce",
    "VIEW_COUNT ASC, TITLE DESC": "ecbad",
    "PUBLISHED_AT ASC, VIEW_COUNT DESC": "cdbae",
    "PUBLISHED_AT DESC, CREATED_AT ASC": "bdcea",
    "VIEW_COUNT DESC, PUBLISHED_AT ASC": "dbace",
    "VIEW_COUNT DESC, PUBLISHED_AT DESC": "dbace",
    "UPDATED_AT DESC, PUBLISHED_AT ASC, TITLE DESC": "dceba",
    "TITLE ASC, VIEW_COUNT DESC, CREATED_AT ASC, UPDATED_AT DESC, PUBLISHED_AT ASC": "dacbe",
}


async def test_every_order_of_posts(client: Client, blog: Blog) -> None:
    await write_posts(blog)
    for written, expected in ORDERS_OF_POSTS.items():
        keys = [key for key in written.split(", ") if key]
        found = await order(client, "posts", "slug", keys, EDITOR)
        assert "".join(found) == expected, written


async def test_a_field_named_again_changes_nothing(client: Client, blog: Blog) -> None:
    await write_posts(blog)
    for again, once in [
        (["TITLE ASC", "TITLE ASC"], ["TITLE ASC"]),
        (["TITLE ASC", "TITLE DESC"], ["TITLE ASC"]),
        (["TITLE DESC", "TITLE ASC"], ["TITLE DESC"]),
        (["VIEW_COUNT ASC", "TITLE ASC", "VIEW_COUNT DESC"], ["VIEW_COUNT ASC", "TITLE ASC"]),
        (["VIEW_COUNT ASC"] * 50, ["VIEW_COUNT ASC"]),
    ]:
        expected = await order(client, "posts", "slug", once, EDITOR)
        assert await order(client, "posts", "slug", again, EDITOR) == expected, again


async def test_no_order_is_the_default(client: Client, blog: Blog) -> None:
    for number, name in enumerate(("ben", "ann", "eve")):
        author = await blog.user(name, created_at=day(2 - number % 2))
        await blog.post(author, await blog.tag(name), slug=name, created_at=day(2 - number % 2))
    selections = {"users": "username", "posts": "slug", "tags": "name"}
    newest_first, by_name = ["eve", "ben", "ann"], ["ann", "ben", "eve"]
    for argument in ("", "(orderBy: null)", "(orderBy: [])"):
        fields = " ".join(
            f"{field}{argument} {{ nodes {{ name: {name} }} }}"
            for field, name in selections.items()
        )
        data = await client.execute(f"{{ {fields} }}")
        names = {field: [node["name"] for node in data[field]["nodes"]] for field in selections}
        assert names == {"users": newest_first, "posts": newest_first, "tags": by_name}


async def test_orders_of_users(client: Client, blog: Blog) -> None:
    for name, created in (("ben", 2), ("Ann", 2), ("ann-lee", 1), ("ann_lee", 3), ("annLee", 2)):
        await blog.user(name, created_at=day(created))
    by_name = ["Ann", "ann-lee", "annLee", "ann_lee", "ben"]
    by_age = ["ann-lee", "ben", "Ann", "annLee", "ann_lee"]
    assert await order(client, "users", "username", ["USERNAME"]) == by_name
    assert await order(client, "users", "username", ["USERNAME DESC"]) == by_name[::-1]
    assert await order(client, "users", "username", ["CREATED_AT"]) == by_age
    assert await order(client, "users", "username", ["CREATED_AT DESC"]) == by_age[::-1]
    assert await order(client, "users", "username", ["CREATED_AT DESC", "USERNAME ASC"]) == [
        "ann_lee",
        "Ann",
        "annLee",
        "ben",
        "ann-lee",
    ]


async def test_orders_of_tags(client: Client, blog: Blog) -> None:
    names = ["b", "B c", "bc", "b-c"]
    created = zip(names, (2, 1, 2, 3), strict=True)
    keys = [await blog.tag(name, created_at=day(number)) for name, number in created]
    await blog.post(await blog.user("ann"), *keys)
    by_name, by_age = ["B c", "b", "b-c", "bc"], ["B c", "b", "bc", "b-c"]
    assert await order(client, "tags", "name", ["NAME"]) == by_name
    assert await order(client, "tags", "name", ["NAME DESC"]) == by_name[::-1]
    assert await order(client, "tags", "name", ["CREATED_AT"]) == by_age
    assert await order(client, "tags", "name", ["CREATED_AT DESC"]) == by_age[::-1]


# An English collation would ignore case, accents, spaces and punctuation at first; UTF-16
# would put what is outside the basic plane before what ends it.
BY_CODE_POINT = [
    "",
    " a",
    "!",
    "-a",
    "10",
    "9",
    "A",
    "B",
    "Zebra",
    "_a",
    "a",
    "a b",
    "a-b",
    "aa",
    "ab",
    "e\u0301t",
    "z",
    "Ähre",
    "ß",
    "ét",
    "ﬁ",
    "Ａ",
    "😀",
]


async def test_text_is_ordered_by_code_point(client: Client, blog: Blog) -> None:
    ann = await blog.user("ann")
    for title in [*BY_CODE_POINT[::2], *BY_CODE_POINT[1::2]]:
        await blog.post(ann, title=title)
    query = """
    query ($o: [PostOrder!]) {
      posts(orderBy: $o, first: 100) { nodes { title } }
      user(by: {username: "ann"}) { posts(orderBy: $o, first: 100) { nodes { title } } }
    }
    """
    for direction, expected in (("ASC", BY_CODE_POINT), ("DESC", BY_CODE_POINT[::-1])):
        data = await client.execute(query, {"o": [{"field": "TITLE", "direction": direction}]})
        for connection in (data["posts"], data["user"]["posts"]):
            assert [post["title"] for post in connection["nodes"]] == expected


async def test_orders_at_depth(client: Client, blog: Blog) -> None:
    ann, ben = await blog.user("ann"), await blog.user("ben")
    tags = [await blog.tag(name) for name in ("css", "sql")]
    for slug, author, views, published in (
        ("a", ann, 2, day(3)),
        ("b", ben, 1, None),
        ("c", ann, 2, None),
        ("d", ben, 1, day(1)),
        ("e", ann, 3, day(2)),
    ):
        state = {"is_published": published is not None, "published_at": published}
        await blog.post(author, *tags, slug=slug, view_count=views, **state)
    query = """
    query ($o: [PostOrder!]) {
      users(orderBy: [{field: USERNAME}]) { nodes { posts(orderBy: $o) { nodes { slug } } } }
      tags { nodes { posts(orderBy: $o) { nodes { slug } } } }
    }
    """
    for keys, of_users, of_tags in (
        ([("PUBLISHED_AT", "ASC")], ["eac", "db"], "deabc"),
        ([("PUBLISHED_AT", "DESC")], ["aec", "db"], "aedcb"),
        ([("VIEW_COUNT", "ASC"), ("PUBLISHED_AT", "DESC")], ["ace", "db"], "dbace"),
        ([("VIEW_COUNT", "DESC")], ["eca", "db"], "ecadb"),
    ):
        order_by = [{"field": field, "direction": direction} for field, direction in keys]
        data = await client.execute(query, {"o": order_by}, EDITOR)
        found = {
            field: [
                "".join(post["slug"] for post in node["posts"]["nodes"])
                for node in data[field]["nodes"]
            ]
            for field in ("users", "tags")
        }
        assert found == {"users": of_users, "tags": [of_tags, of_tags]}, keys


async def test_cursors_of_rows_whose_key_is_null(client: Client, blog: Blog) -> None:
    await write_posts(blog)
    query = """
    query ($direction: OrderDirection!, $cursor: String) {
      after: posts(after: $cursor, orderBy: [{field: PUBLISHED_AT, direction: $direction}]) {
        edges { cursor node { slug } }
      }
      before: posts(
        last: 100, before: $cursor, orderBy: [{field: PUBLISHED_AT, direction: $direction}]
      ) { edges { node { slug } } }
    }
    """

    def found(connection: Any) -> str:
        return "".join(edge["node"]["slug"] for edge in connection["edges"])

    for direction, expected in (("ASC", "cbdae"), ("DESC", "dbcea")):
        everything = await client.execute(query, {"direction": direction}, EDITOR)
        assert found(everything["after"]) == expected
        for place, edge in enumerate(everything["after"]["edges"]):
            variables = {"direction": direction, "cursor": edge["cursor"]}
            data = await client.execute(query, variables, EDITOR)
            assert found(data["after"]) == expected[place + 1 :]
            assert found(data["before"]) == expected[:place]
