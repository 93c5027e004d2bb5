"""Who sees what: every kind of post, for every kind of viewer, by every way to it.

``Entry.is_visible_to`` says once more in Python what may be seen, and each way of
reading is held against it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from blog_graphql.api.node import encode_id
from blog_graphql.db.models import UserRole
from blog_graphql.db.visibility import ANONYMOUS, Viewer
from tests.support.blog import NOW, Blog
from tests.support.client import Client

MICROSECOND = timedelta(microseconds=1)

# Whether it is published, and when.
KINDS: dict[str, tuple[bool, datetime | None]] = {
    "published": (True, datetime(2026, 1, 31, 23, tzinfo=UTC)),
    "just-now": (True, NOW),
    "in-a-moment": (True, NOW + MICROSECOND),
    "next-year": (True, datetime(2027, 1, 1, tzinfo=UTC)),
    "draft": (False, None),
    "unpublished": (False, datetime(2026, 3, 1, tzinfo=UTC)),
    "planned": (False, NOW + timedelta(days=1)),
}
AUTHORS = ("ann", "ben")


@dataclass(frozen=True)
class Entry:
    """A post of the test's blog; it bears the tag ``all`` and one of its own, named like it."""

    slug: str
    key: int
    author: str
    author_id: int
    tag_id: int
    is_published: bool
    published_at: datetime | None

    def is_visible_to(self, viewer: Viewer) -> bool:
        """What the documentation promises."""
        is_out = self.is_published and self.published_at is not None and self.published_at <= NOW
        is_editorial = viewer.role in {UserRole.EDITOR, UserRole.ADMIN}
        return is_out or viewer.id == self.author_id or is_editorial


Entries: TypeAlias = list[Entry]


async def write_blog(blog: Blog) -> tuple[Entries, list[Viewer]]:
    """A post of every kind by each author, and every kind of viewer."""
    entries = []
    authors = {name: await blog.user(name) for name in AUTHORS}
    shared = await blog.tag("all")
    await blog.tag("unused")
    for kind, (is_published, published_at) in KINDS.items():
        for author, author_id in authors.items():
            slug = f"{kind}-{author}"
            tag = await blog.tag(slug)
            state = {"is_published": is_published, "published_at": published_at}
            key = await blog.post(author_id, shared, tag, slug=slug, title=slug, **state)
            entries.append(Entry(slug, key, author, author_id, tag, is_published, published_at))
    reader = await blog.user("reader")
    viewers = [
        ANONYMOUS,
        Viewer(authors["ann"], UserRole.AUTHOR),
        Viewer(authors["ben"], UserRole.AUTHOR),
        Viewer(reader, UserRole.AUTHOR),
        Viewer(reader, UserRole.EDITOR),
        Viewer(reader, UserRole.ADMIN),
    ]
    return sorted(entries, key=lambda entry: entry.slug), viewers


def is_editorial(viewer: Viewer) -> bool:
    return viewer.role in {UserRole.EDITOR, UserRole.ADMIN}


def slugs(entries: Iterable[Entry]) -> list[str]:
    return [entry.slug for entry in entries]


def connection(names: list[str], name: str = "slug") -> dict[str, Any]:
    """What a connection that shows all of these answers."""
    return {"totalCount": len(names), "nodes": [{name: one} for one in names]}


async def test_connections_show_and_count_the_visible(client: Client, blog: Blog) -> None:
    entries, viewers = await write_blog(blog)
    query = """
    {
      posts(first: 100, orderBy: [{field: TITLE}]) { ...Posts }
      users(orderBy: [{field: USERNAME}]) {
        totalCount nodes { username posts(first: 100, orderBy: [{field: TITLE}]) { ...Posts } }
      }
      tags(first: 100) {
        totalCount nodes { name posts(first: 100, orderBy: [{field: TITLE}]) { ...Posts } }
      }
    }
    fragment Posts on PostConnection { totalCount nodes { slug } }
    """
    for viewer in viewers:
        seen = [entry for entry in entries if entry.is_visible_to(viewer)]
        posts_of_tag = {"all": slugs(seen)} | {slug: [slug] for slug in slugs(seen)}
        if is_editorial(viewer):
            posts_of_tag["unused"] = []
        assert await client.execute(query, viewer=viewer) == {
            "posts": connection(slugs(seen)),
            "users": {
                "totalCount": 3,
                "nodes": [
                    {
                        "username": name,
                        "posts": connection(slugs(e for e in seen if e.author == name)),
                    }
                    for name in (*AUTHORS, "reader")
                ],
            },
            "tags": {
                "totalCount": len(posts_of_tag),
                "nodes": [
                    {"name": name, "posts": connection(found)}
                    for name, found in sorted(posts_of_tag.items())
                ],
            },
        }, viewer


async def test_lookups_find_the_visible(client: Client, blog: Blog) -> None:
    entries, viewers = await write_blog(blog)
    post_ids = [encode_id("Post", entry.key) for entry in entries]
    tag_ids = [encode_id("Tag", entry.tag_id) for entry in entries]
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Post { slug } ... on Tag { name } } }"
    single = """
    query ($slug: String!, $post: ID!, $tag: ID!) {
      bySlug: post(by: {slug: $slug}) { slug content excerpt tags { name } }
      byID: post(by: {id: $post}) { slug }
      node(id: $post) { id }
      tag(by: {name: $slug}) { name posts { nodes { slug } } }
      tagByID: tag(by: {id: $tag}) { name }
      tagNode: node(id: $tag) { id }
    }
    """
    for viewer in viewers:
        assert await client.execute(nodes, {"ids": post_ids + tag_ids}, viewer) == {
            "nodes": [
                {name: entry.slug} if entry.is_visible_to(viewer) else None
                for name in ("slug", "name")
                for entry in entries
            ]
        }, viewer
        for entry, post_id, tag_id in zip(entries, post_ids, tag_ids, strict=True):
            variables = {"slug": entry.slug, "post": post_id, "tag": tag_id}
            data = await client.execute(single, variables, viewer)
            found = {field for field, value in data.items() if value is not None}
            expected = set(data) if entry.is_visible_to(viewer) else set()
            assert found == expected, (viewer, entry.slug)


async def test_filters_know_only_the_visible(client: Client, blog: Blog) -> None:
    entries, viewers = await write_blog(blog)
    conditions: list[tuple[dict[str, Any], Callable[[Entry], bool]]] = [
        ({"isPublished": True}, lambda entry: entry.is_published),
        ({"isPublished": False}, lambda entry: not entry.is_published),
        ({"author": {"username": {"eq": "ann"}}}, lambda entry: entry.author == "ann"),
        ({"tags": {"some": {"name": {"eq": "all"}}}}, lambda _: True),
        (
            {"tags": {"some": {"name": {"startsWith": "draft-"}}}},
            lambda entry: entry.slug.startswith("draft-"),
        ),
        (
            {"id": {"in": [encode_id("Post", entry.key) for entry in entries[::2]]}},
            lambda entry: entry in entries[::2],
        ),
    ]
    query = """
    query ($f: PostFilter, $names: [String!]) {
      posts(filter: $f, first: 100, orderBy: [{field: TITLE}]) { totalCount nodes { slug } }
      tag(by: {name: "all"}) {
        posts(filter: $f, first: 100, orderBy: [{field: TITLE}]) { totalCount nodes { slug } }
      }
      tags(filter: {name: {in: $names}}, first: 100) { totalCount nodes { name } }
    }
    """
    names = slugs(entries)
    for viewer in viewers:
        seen = [entry for entry in entries if entry.is_visible_to(viewer)]
        for condition, is_meant in conditions:
            found = connection(slugs(filter(is_meant, seen)))
            assert await client.execute(query, {"f": condition, "names": names}, viewer) == {
                "posts": found,
                "tag": {"posts": found},
                "tags": connection(slugs(seen), "name"),
            }, (viewer, condition)


async def test_statistics_count_the_visible(client: Client, blog: Blog) -> None:
    entries, viewers = await write_blog(blog)
    query = """
    { stats {
        users posts tags usersByRole { role count }
        postsByMonth { month count }
        topTags(first: 100) { tag { name posts { totalCount } } count }
    } }
    """
    months = [f"2025-{number:02}" for number in range(7, 13)]
    months += [f"2026-{number:02}" for number in range(1, 7)]
    for viewer in viewers:
        seen = [entry for entry in entries if entry.is_visible_to(viewer)]
        by_month = Counter(f"{entry.published_at:%Y-%m}" for entry in seen if entry.published_at)
        ranking = [("all", len(seen)), *[(slug, 1) for slug in slugs(seen)]]
        assert await client.execute(query, viewer=viewer) == {
            "stats": {
                "users": 3,
                "posts": len(seen),
                "tags": len(ranking) + is_editorial(viewer),
                "usersByRole": [
                    {"role": "AUTHOR", "count": 3},
                    {"role": "EDITOR", "count": 0},
                    {"role": "ADMIN", "count": 0},
                ],
                "postsByMonth": [{"month": month, "count": by_month[month]} for month in months],
                "topTags": [
                    {"tag": {"name": name, "posts": {"totalCount": count}}, "count": count}
                    for name, count in ranking
                ],
            }
        }, viewer


PAGES = """
query ($cursor: String, $offset: Int) {
  posts(orderBy: [{field: TITLE}], first: 2, after: $cursor) { ...Page }
  none: posts(orderBy: [{field: TITLE}], first: 0, after: $cursor) { ...Page }
  back: posts(orderBy: [{field: TITLE}], last: 2, before: $cursor) { ...Page }
  offset: posts(orderBy: [{field: TITLE}], first: 2, offset: $offset) { ...Page }
  tag(by: {name: "all"}) {
    posts(orderBy: [{field: TITLE}], first: 2, after: $cursor) { ...Page }
    none: posts(orderBy: [{field: TITLE}], first: 0, after: $cursor) { ...Page }
    back: posts(orderBy: [{field: TITLE}], last: 2, before: $cursor) { ...Page }
    offset: posts(orderBy: [{field: TITLE}], first: 2, offset: $offset) { ...Page }
  }
}
fragment Page on PostConnection {
  nodes { slug }
  pageInfo { hasPreviousPage hasNextPage }
}
"""


def page(names: list[str], *, previous: bool, following: bool) -> dict[str, Any]:
    """What a connection of ``PAGES`` answers."""
    return {
        "nodes": [{"slug": name} for name in names],
        "pageInfo": {"hasPreviousPage": previous, "hasNextPage": following},
    }


async def test_pages_turn_at_the_visible(client: Client, blog: Blog) -> None:
    """From the cursor of any post, even a hidden one, pages hold and announce the visible."""
    entries, viewers = await write_blog(blog)
    query = "{ posts(first: 100, orderBy: [{field: TITLE}]) { edges { cursor node { slug } } } }"
    edges = (await client.execute(query, viewer=Viewer(99, UserRole.EDITOR)))["posts"]["edges"]
    assert [edge["node"]["slug"] for edge in edges] == slugs(entries)
    for viewer in viewers:
        seen = slugs(entry for entry in entries if entry.is_visible_to(viewer))
        for offset, edge in enumerate(edges):
            slug = edge["node"]["slug"]
            before = [one for one in seen if one < slug]
            after = [one for one in seen if one > slug]
            is_seen = slug in seen
            expected = {
                "posts": page(
                    after[:2], previous=bool(before) or is_seen, following=len(after) > 2
                ),
                "none": page([], previous=bool(before) or is_seen, following=bool(after)),
                "back": page(
                    before[-2:], previous=len(before) > 2, following=bool(after) or is_seen
                ),
                "offset": page(
                    seen[offset : offset + 2],
                    previous=offset > 0,
                    following=len(seen) > offset + 2,
                ),
            }
            variables = {"cursor": edge["cursor"], "offset": offset}
            data = await client.execute(PAGES, variables, viewer)
            assert data == {**expected, "tag": expected}, (viewer, slug)
