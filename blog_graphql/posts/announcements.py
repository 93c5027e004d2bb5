"""What subscribers are told of a post that was written."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.db.events import Topic, announce
from blog_graphql.posts.publication import Publication


def announce_creation(
    session: AsyncSession, post_id: int, publication: Publication, now: datetime
) -> None:
    """Tell of a new post, at once or when its time comes; of a draft there is nothing to tell."""
    if publication.is_published:
        announce_edit(session, post_id, Publication(), publication, now)


def announce_edit(
    session: AsyncSession, post_id: int, before: Publication, after: Publication, now: datetime
) -> None:
    """Tell of an edit that changed something, and what it means for who may read the post."""
    if after.is_visible(now):
        topic = Topic.CHANGED if before.is_visible(now) else Topic.PUBLISHED
    else:
        # One that stays scheduled as it was may have been told of already, by another clock.
        is_moved = before != after and (before.is_published or after.is_published)
        topic = Topic.HIDDEN if is_moved else Topic.CHANGED
    announce(session, topic, post_id)
