"""The tags that posts bear: their names' rule, and finding or making them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from blog_graphql.db.models import Tag, post_tags
from blog_graphql.text import collapse_spaces, fold
from blog_graphql.validation import Problems

MOST_TAGS = 30
_LONGEST_NAME = 50

# Locked against deletion until the transaction ends, always in the same order.
_FOUND = (
    select(Tag.name_key, Tag.id)
    .where(Tag.name_key.in_(bindparam("keys", expanding=True)))
    .order_by(Tag.name_key)
    .with_for_update(read=True, key_share=True)
)
_INSERT = insert(Tag).returning(Tag.name_key, Tag.id)
_LINKS = select(post_tags.c.tag_id).where(post_tags.c.post_id == bindparam("post_id"))
_LINK = insert(post_tags)
_UNLINK = delete(post_tags).where(
    post_tags.c.post_id == bindparam("bare_post_id"),
    post_tags.c.tag_id.in_(bindparam("gone", expanding=True)),
)


def check_tag_name(problems: Problems, name: str, *field: str) -> str | None:
    """The name as it is kept: trimmed, inner spaces collapsed; None where it is no name."""
    name = collapse_spaces(name)
    valid = problems.check_text(
        name, *field, shortest=1, longest=_LONGEST_NAME, blank=False, name="The name of a tag"
    )
    return name if valid else None


async def find_or_create_tags(
    session: AsyncSession, names: Iterable[str], now: datetime
) -> list[int]:
    """The keys of the tags of those names in any case, each once; what is missing is made.

    Two writers who need the same new tag at once share one row.
    """
    wanted: dict[str, str] = {}
    for name in names:
        wanted.setdefault(fold(name), name)
    found: dict[str, int] = {}
    while missing := sorted(wanted.keys() - found.keys()):
        rows = await session.execute(_FOUND, {"keys": missing})
        found.update((row.name_key, row.id) for row in rows)
        new = [
            {"name": wanted[key], "name_key": key, "created_at": now}
            for key in missing
            if key not in found
        ]
        if not new:
            break
        # Somebody else may have made one of them meanwhile: then they are all looked up again.
        with suppress(IntegrityError):
            async with session.begin_nested():
                made = (await session.execute(_INSERT, new)).all()
            found.update((row.name_key, row.id) for row in made)
    return [found[key] for key in wanted]


async def tags_of_post(session: AsyncSession | AsyncConnection, post_id: int) -> set[int]:
    """The keys of the tags that a post bears."""
    return set((await session.scalars(_LINKS, {"post_id": post_id})).all())


async def set_tags(
    session: AsyncSession | AsyncConnection, post_id: int, old: set[int], new: set[int]
) -> None:
    """Make the tags of a post the new ones instead of the old ones."""
    if gone := old - new:
        await session.execute(_UNLINK, {"bare_post_id": post_id, "gone": sorted(gone)})
    if links := [{"post_id": post_id, "tag_id": tag_id} for tag_id in sorted(new - old)]:
        await session.execute(_LINK, links)
