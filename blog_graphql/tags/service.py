"""Renaming, merging and deleting tags, for editors; none of it moves a post's version."""

from __future__ import annotations

from sqlalchemy import delete, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.db.models import Post, Tag, post_tags
from blog_graphql.db.tagging import check_tag_name
from blog_graphql.db.visibility import Visibility
from blog_graphql.errors import ProblemCode
from blog_graphql.text import fold
from blog_graphql.validation import Problems

_UNKNOWN = "There is no such tag."


async def rename_tag(session: AsyncSession, visibility: Visibility, tag_id: int, name: str) -> int:
    """Rename a tag; onto the name of another one, that one takes over its posts.

    Gives the key of the tag that bears the name now.

    Raises:
        Rejected: the name is none, or there is no such tag.
    """
    problems = Problems()
    checked = check_tag_name(problems, name, "name")
    key = fold(checked or "")
    while True:
        involved = await _lock(session, visibility, tag_id, key)
        if tag_id not in involved:
            problems.reject(ProblemCode.NOT_FOUND, _UNKNOWN, "id")
        problems.raise_any()
        if other := involved - {tag_id}:
            return await _merge(session, tag_id, other.pop())
        try:
            async with session.begin_nested():
                renamed = update(Tag).where(Tag.id == tag_id)
                await session.execute(renamed.values(name=checked, name_key=key))
        except IntegrityError:
            # Somebody made a tag of that name just now: it is merged with that one.
            continue
        return tag_id


async def delete_tag(session: AsyncSession, visibility: Visibility, tag_id: int) -> None:
    """Delete a tag, which takes it from its posts.

    Raises:
        Rejected: there is no such tag.
    """
    gone = delete(Tag).where(Tag.id == tag_id, visibility.tags()).returning(Tag.id)
    if await session.scalar(gone) is None:
        Problems().reject(ProblemCode.NOT_FOUND, _UNKNOWN, "id")


async def _lock(session: AsyncSession, visibility: Visibility, tag_id: int, key: str) -> set[int]:
    """The keys of the tag and of the one that has the name, both locked.

    The order is always the same, so that two who merge each other's tags do not
    wait for each other.
    """
    locked = (
        select(Tag.id)
        .where(or_(Tag.id == tag_id, Tag.name_key == key), visibility.tags())
        .order_by(Tag.id)
        .with_for_update()
    )
    return set((await session.scalars(locked)).all())


async def _merge(session: AsyncSession, tag_id: int, other_id: int) -> int:
    """Give the posts of a tag to another one, each once, and delete it."""
    had = select(post_tags.c.post_id).where(post_tags.c.tag_id == other_id)
    moved = (
        select(post_tags.c.post_id, literal(other_id))
        .join(Post, Post.id == post_tags.c.post_id)
        .where(post_tags.c.tag_id == tag_id, post_tags.c.post_id.not_in(had))
        # Whoever edits or deletes one of the posts comes first, and what they leave is moved.
        .with_for_update(key_share=True, of=[Post.__table__, post_tags])
    )
    await session.execute(insert(post_tags).from_select(["post_id", "tag_id"], moved))
    await session.execute(delete(Tag).where(Tag.id == tag_id))
    return other_id
