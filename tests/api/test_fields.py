"""Every field of users, posts and tags, and who sees the private ones."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone

from blog_graphql.db.models import UserRole
from blog_graphql.db.visibility import ANONYMOUS, Viewer
from tests.support.blog import Blog
from tests.support.client import Client

KOLKATA = timezone(timedelta(hours=5, minutes=30))


def global_id(type_name: str, key: int) -> str:
    """The promised form of an ID, written out once more."""
    return base64.b64encode(f"{type_name}:{key}".encode()).decode()


async def test_every_field_of_a_user(client: Client, blog: Blog) -> None:
    await blog.user("first")
    ann = await blog.user(
        "Ann.Lee",
        email="Ann@Example.com",
        full_name="Ann Lée 😀",
        bio="Writes\r\n\tabout *Python*.",
        role=UserRole.EDITOR,
        is_active=False,
        last_login_at=datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=KOLKATA),
        created_at=datetime(2025, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        updated_at=datetime(2026, 1, 1, 5, 30, tzinfo=KOLKATA),
    )
    query = """
    { user(by: {username: "ann.lee"}) {
        __typename id databaseId username fullName bio email role isActive
        lastLoginAt createdAt updatedAt
    } }
    """
    assert await client.execute(query, viewer=Viewer(ann, UserRole.EDITOR)) == {
        "user": {
            "__typename": "User",
            "id": global_id("User", ann),
            "databaseId": ann,
            "username": "Ann.Lee",
            "fullName": "Ann Lée 😀",
            "bio": "Writes\r\n\tabout *Python*.",
            "email": "Ann@Example.com",
            "role": "EDITOR",
            "isActive": False,
            "lastLoginAt": "2026-02-02T22:35:06.000789Z",
            "createdAt": "2025-12-31T23:59:59.999999Z",
            "updatedAt": "2026-01-01T00:00:00Z",
        }
    }


async def test_a_user_of_whom_little_is_known(client: Client, blog: Blog) -> None:
    ann = await blog.user("ann")
    query = "{ users { nodes { fullName bio email role isActive lastLoginAt } } }"
    assert await client.execute(query, viewer=Viewer(ann, UserRole.AUTHOR)) == {
        "users": {
            "nodes": [
                {
                    "fullName": None,
                    "bio": None,
                    "email": None,
                    "role": "AUTHOR",
                    "isActive": True,
                    "lastLoginAt": None,
                }
            ]
        }
    }


async def test_email_and_last_login_are_private(client: Client, blog: Blog) -> None:
    last_login_at = datetime(2026, 5, 1, tzinfo=UTC)
    ann = await blog.user("ann", email="ann@example.com", last_login_at=last_login_at)
    await blog.post(ann, slug="post")
    # Each way to a user, since each could forget.
    query = """
    query ($id: ID!) {
      user(by: {username: "ann"}) { ...Private }
      node(id: $id) { ...Private }
      users { nodes { ...Private } edges { node { ...Private } } }
      post(by: {slug: "post"}) { author { ...Private } }
    }
    fragment Private on User { email lastLoginAt }
    """
    nothing = {"email": None, "lastLoginAt": None}
    everything = {"email": "ann@example.com", "lastLoginAt": "2026-05-01T00:00:00Z"}
    viewers = {
        ANONYMOUS: nothing,
        Viewer(ann + 1, UserRole.AUTHOR): nothing,
        Viewer(ann + 1, UserRole.EDITOR): nothing,
        Viewer(ann, UserRole.AUTHOR): everything,
        Viewer(ann + 1, UserRole.ADMIN): everything,
    }
    for viewer, seen in viewers.items():
        assert await client.execute(query, {"id": global_id("User", ann)}, viewer) == {
            "user": seen,
            "node": seen,
            "users": {"nodes": [seen], "edges": [{"node": seen}]},
            "post": {"author": seen},
        }, viewer


async def test_every_field_of_a_post(client: Client, blog: Blog) -> None:
    ann = await blog.user("ann")
    await blog.post(ann)
    tags = [await blog.tag(name) for name in ("zoo", "Äpfel", "Zoë", "apple")]
    post = await blog.post(
        ann,
        *tags,
        slug="hello-world",
        title="Hello, “World” 😀",
        content="# Hello\r\n\r\n\tWorld\u2028 😀\n\n",
        published_at=datetime(2026, 6, 15, 12, tzinfo=UTC),
        view_count=2**31 - 1,
        version=7,
        created_at=datetime(2026, 1, 2, 3, 4, 5, 120000, tzinfo=UTC),
        updated_at=datetime(2026, 1, 2, 3, 4, 5, 120001, tzinfo=UTC),
    )
    query = """
    { post(by: {slug: "hello-world"}) {
        __typename id databaseId slug title content isPublished publishedAt viewCount version
        createdAt updatedAt author { username } tags { name }
    } }
    """
    assert await client.execute(query) == {
        "post": {
            "__typename": "Post",
            "id": global_id("Post", post),
            "databaseId": post,
            "slug": "hello-world",
            "title": "Hello, “World” 😀",
            "content": "# Hello\r\n\r\n\tWorld\u2028 😀\n\n",
            "isPublished": True,
            "publishedAt": "2026-06-15T12:00:00Z",
            "viewCount": 2147483647,
            "version": 7,
            "createdAt": "2026-01-02T03:04:05.120000Z",
            "updatedAt": "2026-01-02T03:04:05.120001Z",
            "author": {"username": "ann"},
            "tags": [{"name": "Zoë"}, {"name": "apple"}, {"name": "zoo"}, {"name": "Äpfel"}],
        }
    }


async def test_a_draft_without_tags(client: Client, blog: Blog) -> None:
    ann = await blog.user("ann")
    await blog.post(ann, is_published=False, published_at=None)
    query = "{ posts { nodes { isPublished publishedAt viewCount version tags { name } } } }"
    (draft,) = (await client.execute(query, viewer=Viewer(ann, UserRole.AUTHOR)))["posts"]["nodes"]
    assert draft == {
        "isPublished": False,
        "publishedAt": None,
        "viewCount": 0,
        "version": 1,
        "tags": [],
    }


async def test_the_first_and_last_moments(client: Client, blog: Blog) -> None:
    ann = await blog.user("ann")
    await blog.post(
        ann,
        created_at=datetime(1, 1, 1, tzinfo=UTC),
        updated_at=datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    )
    assert await client.execute("{ posts { nodes { createdAt updatedAt } } }") == {
        "posts": {
            "nodes": [
                {"createdAt": "0001-01-01T00:00:00Z", "updatedAt": "9999-12-31T23:59:59.999999Z"}
            ]
        }
    }


async def test_every_field_of_a_tag(client: Client, blog: Blog) -> None:
    ann = await blog.user("ann")
    await blog.tag("unused")
    tag = await blog.tag("Ｐｙthon ２", created_at=datetime(2026, 3, 1, 1, tzinfo=KOLKATA))
    await blog.post(ann, tag, slug="tagged")
    query = (
        "{ tags { nodes { __typename id databaseId name createdAt posts { nodes { slug } } } } }"
    )
    assert await client.execute(query) == {
        "tags": {
            "nodes": [
                {
                    "__typename": "Tag",
                    "id": global_id("Tag", tag),
                    "databaseId": tag,
                    "name": "Ｐｙthon ２",
                    "createdAt": "2026-02-28T19:30:00Z",
                    "posts": {"nodes": [{"slug": "tagged"}]},
                }
            ]
        }
    }
