"""Writing a document into the database as a post.

Statements are built once and carry plain values: an import is thousands of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from blog_graphql.db.models import Post, PostSource
from blog_graphql.db.tagging import set_tags, tags_of_post
from blog_graphql.importing.document import Document
from blog_graphql.posts.announcements import announce_creation, announce_edit
from blog_graphql.posts.publication import Publication
from blog_graphql.posts.slugs import free_slug, is_given_up, keep_slug

_POST = (
    select(
        Post.title,
        Post.slug,
        Post.content,
        Post.is_published,
        Post.published_at,
        Post.version,
        Post.author_id,
        Post.created_at,
        Post.updated_at,
    )
    .where(Post.id == bindparam("post_id"))
    .with_for_update(key_share=True)
)
_INSERT_POST = insert(Post).returning(Post.id)
_INSERT_SOURCE = insert(PostSource)
_UPDATE_POST = update(Post).where(Post.id == bindparam("changed_id"))
_UPDATE_SOURCE = update(PostSource).where(PostSource.post_id == bindparam("source_id"))


async def create_post(
    session: AsyncSession, document: Document, author_id: int, tag_ids: set[int], now: datetime
) -> int:
    """Insert the post with its tags; its id."""
    connection = await session.connection()
    inserted = await connection.execute(
        _INSERT_POST,
        {
            **_values(document, author_id),
            "slug": await free_slug(connection, document.slug),
            "created_at": document.created_at,
            "published_at": document.published_at,
            "updated_at": document.updated_at or document.created_at,
        },
    )
    post_id: int = inserted.scalar_one()
    await set_tags(connection, post_id, set(), tag_ids)
    publication = Publication(document.published_at is not None, document.published_at)
    announce_creation(session, post_id, publication, now)
    return post_id


async def update_post(
    session: AsyncSession,
    post_id: int,
    document: Document,
    author_id: int,
    tag_ids: set[int],
    now: datetime,
) -> bool:
    """Make the post what the document says; whether that changed anything."""
    connection = await session.connection()
    post = (await connection.execute(_POST, {"post_id": post_id})).mappings().one()
    values = {**_values(document, author_id), **_moments(document, post)}
    if document.has_own_slug and document.slug != post["slug"]:
        values["slug"] = await free_slug(connection, document.slug, own=post_id)
    changes = {name: value for name, value in values.items() if post[name] != value}
    old_tag_ids = await tags_of_post(connection, post_id)
    if not changes and old_tag_ids == tag_ids:
        return False
    await set_tags(connection, post_id, old_tag_ids, tag_ids)
    publication = Publication(post["is_published"], post["published_at"])
    edited = publication.changed(changes, now)
    if is_given_up(publication, edited, now, slug_changes="slug" in changes):
        await keep_slug(connection, post_id, post["slug"])
    said = document.updated_at
    changes["updated_at"] = said if said and said > post["updated_at"] else now
    changes["version"] = post["version"] + 1
    await connection.execute(_UPDATE_POST, {"changed_id": post_id, **changes})
    announce_edit(session, post_id, publication, edited, now)
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
