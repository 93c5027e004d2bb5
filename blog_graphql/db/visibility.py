"""Who may read which posts and tags, said once, in SQL.

No query on ``posts`` or ``tags`` is written without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, literal, or_, select, true

from blog_graphql.db.models import Post, Tag, UserRole, post_tags
from blog_graphql.db.types import UTCDateTime, utcnow


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking."""

    id: int | None = None
    role: UserRole | None = None
    session_id: str | None = None

    @property
    def is_editorial(self) -> bool:
        """Whether the viewer may read every post and tag."""
        return self.role in {UserRole.EDITOR, UserRole.ADMIN}


ANONYMOUS = Viewer()


@dataclass(frozen=True, slots=True)
class Visibility:
    """What one viewer may read at one moment.

    ``clock`` tells those who write how late it is when they have waited for a lock.
    """

    viewer: Viewer
    now: datetime
    clock: Callable[[], datetime] = utcnow

    def posts(self) -> ColumnElement[bool]:
        """Published posts whose time has come, one's own, and all of them to editors."""
        if self.viewer.is_editorial:
            return true()
        published = and_(Post.is_published, Post.published_at <= literal(self.now, UTCDateTime()))
        if self.viewer.id is None:
            return published
        return or_(published, Post.author_id == self.viewer.id)

    def tags(self) -> ColumnElement[bool]:
        """Tags that a visible post bears, and all of them to editors."""
        if self.viewer.is_editorial:
            return true()
        link = post_tags.alias()
        bearing = (
            select(1)
            .join_from(link, Post, link.c.post_id == Post.id)
            .where(link.c.tag_id == Tag.id, self.posts())
        )
        return exists(bearing.correlate(Tag.__table__))
