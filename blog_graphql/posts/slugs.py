"""Which slugs are taken, and which a post is still found by.

A slug belongs to the post that has it now, or had it while it was visible.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, exists, insert, literal, or_, select, union
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from blog_graphql.db.models import Post, PostSlug
from blog_graphql.posts.publication import Publication
from blog_graphql.slugs import MAX_SLUG_LENGTH, unused_slug

# Characters: of the longest number behind a slug.
_NUMBER_LENGTH = 10

_OWNERS = union(
    select(Post.id).where(Post.slug == bindparam("slug")),
    select(PostSlug.post_id).where(PostSlug.slug == bindparam("slug")),
)
_NUMBERED = union(
    *(
        select(column).where(
            or_(column == bindparam("slug"), column.startswith(bindparam("prefix"))),
            owner != bindparam("own"),
        )
        for column, owner in ((Post.slug, Post.id), (PostSlug.slug, PostSlug.post_id))
    )
)


async def slug_owners(session: AsyncSession | AsyncConnection, slug: str) -> set[int]:
    """The post that a slug belongs to, as a set of one key, or an empty one."""
    return set((await session.scalars(_OWNERS, {"slug": slug})).all())


async def free_slug(session: AsyncSession | AsyncConnection, slug: str, own: int = 0) -> str:
    """The slug itself, or with the first of ``-2``, ``-3`` … that belongs to no post.

    What belongs to the post ``own`` counts as free.
    """
    if not await slug_owners(session, slug) - {own}:
        return slug
    # A long one is cut to make room for the number.
    room = MAX_SLUG_LENGTH - _NUMBER_LENGTH
    prefix = f"{slug}-" if len(slug) <= room else slug[:room]
    taken = await session.scalars(_NUMBERED, {"slug": slug, "prefix": prefix, "own": own})
    return unused_slug(slug, set(taken.all()))


class SlugTaken(Exception):
    """Another post, which had the slug while it was visible, gave it up but keeps it."""


async def check_owner(session: AsyncSession, slug: str, post_id: int) -> None:
    """Look once more for whom a slug belongs to, after it was written.

    Raises:
        SlugTaken: to another post.
    """
    # Who gave the slug up held it until their transaction ended: only now can it be seen.
    if await slug_owners(session, slug) - {post_id}:
        raise SlugTaken


def is_given_up(
    before: Publication, after: Publication, now: datetime, *, slug_changes: bool
) -> bool:
    """Whether an edit takes a visible post its slug, or its visibility: it keeps the slug then."""
    return before.is_visible(now) and (slug_changes or not after.is_visible(now))


async def keep_slug(session: AsyncSession | AsyncConnection, post_id: int, slug: str) -> None:
    """Let a slug go on finding a post that was visible under it."""
    kept = exists().where(PostSlug.slug == slug)
    row = select(literal(slug), literal(post_id)).where(~kept)
    await session.execute(insert(PostSlug).from_select(["slug", "post_id"], row))
