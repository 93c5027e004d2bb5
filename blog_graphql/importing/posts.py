"""Writing a document into the database as a post.

Statements are built once and carry plain values: an import is thousands of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from blog_graphql.db.models import Post, PostSource, post_tags
from blog_graphql.importing.document import Document
from blog_graphql.slugs import MAX_SLUG_LENGTH, unused_slug

_SLUG = select(Post.id).where(Post.slug == bindparam("slug"))
_NUMBERED_SLUGS = select(Post.slug).where(Post.slug.startswith(bindparam("prefix")))
_POST = select(
    Post.title,
    Post.slug,
    Post.content,
    Post.is_published,
    Post.published_at,
    Post.version,
    Post.author_id,
    Post.created_at,
    Post.updated_at,
).where(Post.id == bindparam("post_id"))
_TAGS = select(post_tags.c.tag_id).where(post_tags.c.post_id == bindparam("post_id"))
_INSERT_POST = insert(Post).returning(Post.id)
_INSERT_TAGS = insert(post_tags)
_INSERT_SOURCE = insert(PostSource)
_UPDATE_POST = update(Post).where(Post.id == bindparam("changed_id"))
_UPDATE_SOURCE = update(PostSource).where(PostSource.post_id == bindparam("source_id"))
_DELETE_TAGS = delete(post_tags).where(post_tags.c.post_id == bindparam("bare_id"))

# Room for the longest number behind a slug that is cut to make place for it.
_NUMBER_LENGTH = 10


async def create_post(
    connection: AsyncConnection, document: Document, author_id: int, tag_ids: set[int]
) -> int:
    """Insert the post with its tags; its id."""
    inserted = await connection.execute(
        _INSERT_POST,
        {
            **_values(document, author_id),
            "slug": await _free_slug(connection, document.slug),
            "created_at": document.created_at,
            "published_at": document.published_at,
            "updated_at": document.updated_at or document.created_at,
        },
    )
    post_id: int = inserted.scalar_one()
    await _insert_tags(connection, post_id, tag_ids)
    return post_id


async def update_post(
    connection: AsyncConnection,
    post_id: int,
    document: Document,
    author_id: int,
    tag_ids: set[int],
    now: datetime,
) -> bool:
    """Make the post what the document says; whether that changed anything."""
    post = (await connection.execute(_POST, {"post_id": post_id})).mappings().one()
    values = {**_values(document, author_id), **_moments(document, post)}
    if document.has_own_slug and document.slug != post["slug"]:
        values["slug"] = await _free_slug(connection, document.slug, own=post["slug"])
    changes = {name: value for name, value in values.items() if post[name] != value}
    old_tag_ids = set((await connection.scalars(_TAGS, {"post_id": post_id})).all())
    if old_tag_ids != tag_ids:
        await connection.execute(_DELETE_TAGS, {"bare_id": post_id})
        await _insert_tags(connection, post_id, tag_ids)
    elif not changes:
        return False
    said = document.updated_at
    changes["updated_at"] = said if said and said > post["updated_at"] else now
    changes["version"] = post["version"] + 1
    await connection.execute(_UPDATE_POST, {"changed_id": post_id, **changes})
    return True


async def record_source(
    connection: AsyncConnection, post_id: int, path: str, content_hash: str, now: datetime
) -> None:
    """Remember the file that a new post came from."""
    values = {"path": path, "content_hash": content_hash, "imported_at": now}
    await connection.execute(_INSERT_SOURCE, {"post_id": post_id, **values})


async def renew_source(
    connection: AsyncConnection, post_id: int, path: str, content_hash: str, now: datetime
) -> None:
    """Remember where a post's file is now, and what is in it."""
    values = {"path": path, "content_hash": content_hash, "imported_at": now}
    await connection.execute(_UPDATE_SOURCE, {"source_id": post_id, **values})


def _values(document: Document, author_id: int) -> dict[str, Any]:
    return {
        "title": document.title,
        "content": document.content,
        "author_id": author_id,
        "is_published": document.published_at is not None,
    }


def _moments(document: Document, post: Any) -> dict[str, datetime | None]:
    if document.is_dated:
        return {"created_at": document.created_at, "published_at": document.published_at}
    # The time of a file moves with every edit; the post keeps the one it came with.
    if document.published_at is None:
        return {"published_at": None}
    return {"published_at": post["published_at"] or document.published_at}


async def _insert_tags(connection: AsyncConnection, post_id: int, tag_ids: Iterable[int]) -> None:
    rows = [{"post_id": post_id, "tag_id": tag_id} for tag_id in sorted(tag_ids)]
    if rows:
        await connection.execute(_INSERT_TAGS, rows)


async def _free_slug(connection: AsyncConnection, slug: str, own: str | None = None) -> str:
    if (await connection.execute(_SLUG, {"slug": slug})).first() is None:
        return slug
    prefix = slug[: MAX_SLUG_LENGTH - _NUMBER_LENGTH]
    taken = set((await connection.scalars(_NUMBERED_SLUGS, {"prefix": prefix})).all())
    return unused_slug(slug, taken - {own})
