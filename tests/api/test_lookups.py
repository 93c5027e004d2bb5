"""One user, post or tag: by global ID, and by name or slug."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from blog_graphql.api.node import encode_id
from blog_graphql.db.models import UserRole
from blog_graphql.db.visibility import ANONYMOUS, Viewer
from tests.support.blog import NOW, Blog
from tests.support.client import Client

USER = "query ($by: UserBy!) { found: user(by: $by) { databaseId } }"
POST = "query ($by: PostBy!) { found: post(by: $by) { databaseId } }"
TAG = "query ($by: TagBy!) { found: tag(by: $by) { databaseId } }"


async def look_up(
    client: Client, query: str, by: dict[str, Any], viewer: Viewer = ANONYMOUS
) -> int | None:
    """The key of what a lookup finds."""
    found = (await client.execute(query, {"by": by}, viewer))["found"]
    return None if found is None else int(found["databaseId"])


async def test_by_id(client: Client, blog: Blog) -> None:
    # Keys that differ, so that no lookup can find the wrong table's row.
    ann, _ = await blog.user("ann"), await blog.user("ben")
    post = [await blog.post(ann, slug=f"post-{number}") for number in range(2)][-1]
    tag = [await blog.tag(name) for name in ("html", "css", "sql")][-1]
    await blog.post(ann, tag)
    assert await look_up(client, USER, {"id": encode_id("User", ann)}) == ann
    assert await look_up(client, POST, {"id": encode_id("Post", post)}) == post
    assert await look_up(client, TAG, {"id": encode_id("Tag", tag)}) == tag


async def test_a_username_is_folded(client: Client, blog: Blog) -> None:
    ann = await blog.user("Ann.Lee")
    await blog.user("Ann_Lee")
    for name in ("Ann.Lee", "ann.lee", "ANN.LEE", "ａｎｎ．ｌｅｅ"):
        assert await look_up(client, USER, {"username": name}) == ann, name
    for name in ("", " ", "Ann", "Ann.Lee ", "Ann%Lee", "Ánn.Lee", "Ann.Lee" * 1000):
        assert await look_up(client, USER, {"username": name}) is None, name


async def test_a_tag_name_is_folded(client: Client, blog: Blog) -> None:
    author = await blog.user("ann")
    keys = {name: await blog.tag(name) for name in ("Straße", "Café", "ﬁne ２", "Ὀδυσσεύς")}
    await blog.post(author, *keys.values())
    spellings = {
        "Straße": ["Straße", "STRASSE", "strasse", "STRAẞE", "ＳＴＲＡＳＳＥ"],
        "Café": ["café", "CAFÉ", "cafe\u0301", "CAFE\u0301"],
        "ﬁne ２": ["fine 2", "FINE ２", "ﬁne\u00a0²"],
        "Ὀδυσσεύς": ["ὀδυσσεύσ", "ὈΔΥΣΣΕΎΣ"],
    }
    for name, typed in spellings.items():
        for spelling in typed:
            assert await look_up(client, TAG, {"name": spelling}) == keys[name], spelling
    for spelling in ("", "Strase", "cafe", "Straß%", "fine2"):
        assert await look_up(client, TAG, {"name": spelling}) is None, spelling


async def test_a_slug_is_exact(client: Client, blog: Blog) -> None:
    post = await blog.post(await blog.user("ann"), slug="first-post")
    assert await look_up(client, POST, {"slug": "first-post"}) == post
    for slug in ("", "First-Post", "first-post ", "ﬁrst-post", "first_post", "first%"):
        assert await look_up(client, POST, {"slug": slug}) is None, slug


BAD_IDS = [
    "",
    "1",
    "ann",
    "%%%",
    "é",
    "VXNlcjo",  # padding cut off
    "VXNlcjox\n",
    encode_id("User", 7),
    encode_id("User", 2**31 - 1),
    encode_id("User", 2**31),
    encode_id("User", 2**63),
    encode_id("User", 10**400),
    encode_id("User", 0),
    encode_id("User", -1),
    encode_id("Post", 1).swapcase(),
    encode_id("user", 1),
    encode_id("Nothing", 1),
    encode_id("User:1", 1),
    encode_id("", 1),
    "VXNlcjowMQ==",  # User:01
    "VXNlcjox4paI",  # User:1█
    "VXNlcjoxAA==",  # User:1 and NUL
    "VXNlcjrvvJE=",  # User:１, a fullwidth digit
    "VXNlcjoxLjA=",  # User:1.0
    "nul \x00",
]


async def test_a_bad_id_finds_nothing(client: Client, blog: Blog) -> None:
    author, tag = await blog.user("ann"), await blog.tag("python")
    post = await blog.post(author, tag)
    others = {
        USER: [encode_id("Post", post), encode_id("Tag", tag)],
        POST: [encode_id("User", author), encode_id("Tag", tag)],
        TAG: [encode_id("User", author), encode_id("Post", post)],
    }
    for query, wrong_type in others.items():
        for bad in BAD_IDS + wrong_type:
            assert await look_up(client, query, {"id": bad}) is None, (query, bad)
    for bad in BAD_IDS:
        data = await client.execute("query ($id: ID!) { node(id: $id) { id } }", {"id": bad})
        assert data == {"node": None}, bad


async def test_an_integer_is_an_id_of_nothing(client: Client, blog: Blog) -> None:
    await blog.user("ann")
    assert await client.execute("{ user(by: {id: 1}) { id } }") == {"user": None}
    assert await look_up(client, USER, {"id": 10**30}) is None


EXACTLY_ONE = "OneOf Input Object 'UserBy' must specify exactly one key."
BY_LITERAL = {
    "{}": EXACTLY_ONE,
    '{username: "ann", id: "x"}': EXACTLY_ONE,
    '{username: "ann", id: null}': EXACTLY_ONE,
    "{username: null}": "Field 'UserBy.username' must be non-null.",
    "null": "Expected value of non-null type 'UserBy!' not to be None.",
}
BY_VARIABLE: list[tuple[dict[str, str | None], str]] = [
    ({}, EXACTLY_ONE),
    ({"username": "ann", "id": "x"}, EXACTLY_ONE),
    ({"username": "ann", "id": None}, EXACTLY_ONE),
    ({"username": None}, "Value for member field 'username' must be non-null"),
]


async def test_exactly_one_way_to_name_an_object(client: Client, blog: Blog) -> None:
    await blog.user("ann")
    for literal, message in BY_LITERAL.items():
        code = await client.refused(f"{{ user(by: {literal}) {{ id }} }}")
        assert code == ("GRAPHQL_VALIDATION_FAILED", message), literal
    for by, message in BY_VARIABLE:
        assert await client.refused(USER, {"by": by}) == ("BAD_USER_INPUT", message), by


async def test_a_nullable_variable_names_no_object(client: Client) -> None:
    query = "query ($name: String) { user(by: {username: $name}) { id } }"
    refusal = (
        "GRAPHQL_VALIDATION_FAILED",
        "Variable 'name' must be non-nullable to be used for OneOf Input Object 'UserBy'.",
    )
    variables: list[dict[str, str | None]] = [{}, {"name": None}, {"name": "ann"}]
    for given in variables:
        assert await client.refused(query, given) == refusal


@pytest.mark.parametrize(
    "values",
    [
        {"is_published": False, "published_at": None},
        {"is_published": False},
        {"published_at": NOW + timedelta(microseconds=1)},
    ],
    ids=["draft", "unpublished", "scheduled"],
)
async def test_an_unpublished_post_and_its_tag_are_found_by_few(
    client: Client, blog: Blog, values: dict[str, Any]
) -> None:
    ann, ben, tag = await blog.user("ann"), await blog.user("ben"), await blog.tag("secret")
    post = await blog.post(ann, tag, slug="hidden", **values)
    lookups: list[tuple[str, dict[str, Any], int]] = [
        (POST, {"id": encode_id("Post", post)}, post),
        (POST, {"slug": "hidden"}, post),
        (TAG, {"id": encode_id("Tag", tag)}, tag),
        (TAG, {"name": "secret"}, tag),
    ]
    insiders = [
        Viewer(ann, UserRole.AUTHOR),
        Viewer(ben, UserRole.EDITOR),
        Viewer(ben, UserRole.ADMIN),
    ]
    for query, by, key in lookups:
        for viewer in insiders:
            assert await look_up(client, query, by, viewer) == key, (by, viewer)
        for viewer in (ANONYMOUS, Viewer(ben, UserRole.AUTHOR)):
            assert await look_up(client, query, by, viewer) is None, (by, viewer)


async def test_a_tag_without_posts_is_found_by_editors(client: Client, blog: Blog) -> None:
    tag, ann = await blog.tag("unused"), await blog.user("ann")
    by = {"name": "unused"}
    assert await look_up(client, TAG, by, Viewer(ann, UserRole.EDITOR)) == tag
    assert await look_up(client, TAG, by, Viewer(ann, UserRole.AUTHOR)) is None
    assert await look_up(client, TAG, by) is None


async def test_a_deactivated_user_is_found(client: Client, blog: Blog) -> None:
    ann = await blog.user("ann", is_active=False)
    post = await blog.post(ann, slug="still-here")
    assert await look_up(client, USER, {"username": "ann"}) == ann
    assert await look_up(client, POST, {"slug": "still-here"}) == post


async def test_what_is_too_long_for_a_name_finds_nothing(client: Client) -> None:
    """To fold it would take seconds: normalising is quadratic in runs of combining marks."""
    name = "\u0301\u0316" * 100_000
    query = """
      query ($name: String!) {
        user(by: {username: $name}) { id }
        tag(by: {name: $name}) { id }
        users(filter: {username: {eq: $name}}) { totalCount }
        tags(filter: {name: {in: [$name]}}) { totalCount }
      }
    """
    assert await client.execute(query, {"name": name}) == {
        "user": None,
        "tag": None,
        "users": {"totalCount": 0},
        "tags": {"totalCount": 0},
    }
