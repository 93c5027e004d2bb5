"""What filters on text, IDs and flags find, given as a literal and as a variable alike."""

from __future__ import annotations

from datetime import timedelta

from blog_graphql.api.node import encode_id
from blog_graphql.db.models import UserRole
from blog_graphql.db.visibility import Viewer
from tests.api.filtering import Table, check
from tests.support.blog import NOW, Blog
from tests.support.client import Client

# ── text ──────────────────────────────────────────────────────────────────

USERNAMES = ["ann", "Ben", "a_b", "axb", "a.b-c"]
USERNAME_TABLE: Table = [
    (None, USERNAMES),
    ({}, USERNAMES),
    ({"username": None}, USERNAMES),
    ({"username": {}}, USERNAMES),
    ({"username": {"eq": None, "in": None, "contains": None, "startsWith": None}}, USERNAMES),
    ({"username": {"eq": "ANN"}}, ["ann"]),
    ({"username": {"eq": "ａｎｎ"}}, ["ann"]),
    ({"username": {"eq": "an"}}, []),
    ({"username": {"eq": "a_b"}}, ["a_b"]),
    ({"username": {"eq": "%"}}, []),
    ({"username": {"eq": ""}}, []),
    ({"username": {"in": []}}, []),
    ({"username": {"in": ["BEN", "nobody", "ann", "ann"]}}, ["ann", "Ben"]),
    ({"username": {"in": ["a_b"] * 1000}}, ["a_b"]),
    ({"username": {"contains": ""}}, USERNAMES),
    ({"username": {"contains": "N"}}, ["ann", "Ben"]),
    ({"username": {"contains": "_"}}, ["a_b"]),
    ({"username": {"contains": "A_B"}}, ["a_b"]),
    ({"username": {"contains": "%"}}, []),
    ({"username": {"contains": "ｎ"}}, []),
    ({"username": {"contains": "n" * 201}}, []),
    ({"username": {"startsWith": ""}}, USERNAMES),
    ({"username": {"startsWith": "A"}}, ["ann", "a_b", "axb", "a.b-c"]),
    ({"username": {"startsWith": "a_"}}, ["a_b"]),
    ({"username": {"startsWith": "a."}}, ["a.b-c"]),
    ({"username": {"startsWith": "n"}}, []),
    ({"username": {"startsWith": "%"}}, []),
    ({"username": {"startsWith": "a", "contains": "B"}}, ["a_b", "axb", "a.b-c"]),
    ({"username": {"eq": "axb", "in": ["axb", "ann"], "startsWith": "AX"}}, ["axb"]),
    ({"username": {"eq": "ann", "in": ["ben"]}}, []),
]


async def test_usernames(client: Client, blog: Blog) -> None:
    for name in USERNAMES:
        await blog.user(name)
    await check(client, "User", USERNAME_TABLE)


TAG_NAMES = ["50% off", "50 off", "a_b", "axb", "C:\\dir", "C:dir", "Élan", "élite", "Straße", "İ"]
TAG_TABLE: Table = [
    ({"name": {"contains": "%"}}, ["50% off"]),
    ({"name": {"contains": "0% O"}}, ["50% off"]),
    ({"name": {"contains": "_"}}, ["a_b"]),
    ({"name": {"contains": "\\"}}, ["C:\\dir"]),
    ({"name": {"contains": "\\d"}}, ["C:\\dir"]),
    ({"name": {"contains": "\\\\"}}, []),
    ({"name": {"contains": "\\%"}}, []),
    ({"name": {"contains": "'; --"}}, []),
    ({"name": {"contains": "É"}}, ["Élan"]),
    ({"name": {"contains": "é"}}, ["élite"]),
    ({"name": {"contains": "ÉL"}}, ["Élan"]),
    ({"name": {"contains": "éL"}}, ["élite"]),
    ({"name": {"contains": "e\u0301"}}, []),
    ({"name": {"contains": "SS"}}, []),
    ({"name": {"contains": "ß"}}, ["Straße"]),
    ({"name": {"contains": "i"}}, ["C:\\dir", "C:dir", "élite"]),
    ({"name": {"contains": "\u212a"}}, []),  # the Kelvin sign, lower case k
    ({"name": {"startsWith": "É"}}, ["Élan"]),
    ({"name": {"startsWith": "c:\\"}}, ["C:\\dir"]),
    ({"name": {"startsWith": "50%"}}, ["50% off"]),
    ({"name": {"startsWith": "a_"}}, ["a_b"]),
    ({"name": {"startsWith": "STRA"}}, ["Straße"]),
    ({"name": {"eq": "STRASSE"}}, ["Straße"]),
    ({"name": {"eq": "e\u0301lite"}}, ["élite"]),
    ({"name": {"eq": "ÉLAN"}}, ["Élan"]),
    ({"name": {"eq": "i\u0307"}}, ["İ"]),
    ({"name": {"in": ["ÉLITE", "50％ OFF", "A_B"]}}, ["50% off", "a_b", "élite"]),
]


async def test_tag_names(client: Client, blog: Blog) -> None:
    author = await blog.user("ann")
    await blog.post(author, *[await blog.tag(name) for name in TAG_NAMES])
    await check(client, "Tag", TAG_TABLE)


# ── IDs ───────────────────────────────────────────────────────────────────


async def test_ids(client: Client, blog: Blog) -> None:
    keys = {name: await blog.user(name) for name in ("ann", "ben", "eve")}
    ann, ben = encode_id("User", keys["ann"]), encode_id("User", keys["ben"])
    nobody = encode_id("User", 2**31 - 1)
    everybody = ["ann", "ben", "eve"]
    bad = ["", "1", encode_id("Post", keys["ann"]), encode_id("User", 2**31), nobody, "\x00"]
    table: Table = [
        ({"id": None}, everybody),
        ({"id": {}}, everybody),
        ({"id": {"eq": None, "in": None}}, everybody),
        ({"id": {"eq": ben}}, ["ben"]),
        ({"id": {"in": []}}, []),
        ({"id": {"in": [ben, ann, ben]}}, ["ann", "ben"]),
        ({"id": {"in": [ben, *bad]}}, ["ben"]),
        ({"id": {"in": bad}}, []),
        ({"id": {"eq": ann, "in": [ann, ben]}}, ["ann"]),
        ({"id": {"eq": ann, "in": [ben]}}, []),
        ({"id": {"eq": ann, "in": []}}, []),
        ({"id": {"eq": keys["ann"]}}, []),
        ({"id": {"in": [nobody] * 999 + [ben]}}, ["ben"]),
        ({"id": {"in": ben}}, ["ben"]),  # GraphQL takes one value for a list of one
        ({"id": {"eq": ann}, "username": {"eq": "ben"}}, []),
        ({"id": {"eq": ann}, "username": {"contains": "N"}}, ["ann"]),
        *[({"id": {"eq": one}}, []) for one in bad],
    ]
    await check(client, "User", table)


async def test_ids_of_posts_and_tags(client: Client, blog: Blog) -> None:
    author, tags = await blog.user("ann"), [await blog.tag(name) for name in ("css", "sql")]
    keys = [await blog.post(author, *tags, slug=slug) for slug in ("one", "two")]
    first, second = (encode_id("Post", key) for key in keys)
    css, sql = (encode_id("Tag", key) for key in tags)
    posts: Table = [
        ({"id": {"eq": second}}, ["two"]),
        ({"id": {"in": [second, first]}}, ["one", "two"]),
        ({"id": {"eq": css}}, []),
    ]
    await check(client, "Post", posts)
    await check(client, "Tag", [({"id": {"eq": sql}}, ["sql"]), ({"id": {"in": [first]}}, [])])


# ── flags and what is left out ───────────────────────────────────────────────────


async def test_active_users(client: Client, blog: Blog) -> None:
    await blog.user("ann")
    await blog.user("ben", is_active=False)
    table: Table = [
        ({"isActive": None}, ["ann", "ben"]),
        ({"isActive": True}, ["ann"]),
        ({"isActive": False}, ["ben"]),
        ({"isActive": False, "username": {"startsWith": "a"}}, []),
    ]
    await check(client, "User", table)


async def test_is_published_is_the_stored_flag(client: Client, blog: Blog) -> None:
    ann = await blog.user("ann")
    await blog.post(ann, slug="published")
    await blog.post(ann, slug="scheduled", published_at=NOW + timedelta(days=1))
    await blog.post(ann, slug="draft", is_published=False, published_at=None)
    await blog.post(ann, slug="unpublished", is_published=False)
    seen_by_author: Table = [
        ({"isPublished": None}, ["published", "scheduled", "draft", "unpublished"]),
        ({"isPublished": True}, ["published", "scheduled"]),
        ({"isPublished": False}, ["draft", "unpublished"]),
    ]
    await check(client, "Post", seen_by_author, Viewer(ann, UserRole.AUTHOR))
    await check(
        client, "Post", [({"isPublished": True}, ["published"]), ({"isPublished": False}, [])]
    )


async def test_a_variable_left_out_does_not_filter(client: Client, blog: Blog) -> None:
    await blog.user("ann")
    await blog.user("ben", is_active=False)
    query = """
    query ($active: Boolean, $name: String, $in: [String!], $id: IDFilter) {
      users(filter: {isActive: $active, username: {eq: $name, in: $in}, id: $id}) { totalCount }
    }
    """
    for variables in ({}, {"active": None, "name": None, "in": None, "id": None}):
        assert await client.execute(query, variables) == {"users": {"totalCount": 2}}
    assert await client.execute(query, {"active": True}) == {"users": {"totalCount": 1}}
    assert await client.execute(query, {"in": []}) == {"users": {"totalCount": 0}}


async def test_more_than_a_thousand_values_are_refused(client: Client) -> None:
    refusal = ("BAD_USER_INPUT", "in takes at most 1000 values; 1001 were given.")
    query = "query ($f: PostFilter) { posts(filter: $f) { totalCount } }"
    for too_many in (
        {"id": {"in": ["x"] * 1001}},
        {"author": {"username": {"in": ["x"] * 1001}}},
        {"tags": {"some": {"name": {"in": ["x"] * 1001}}}},
    ):
        assert await client.refused(query, {"f": too_many}) == refusal
