"""Filling a test's database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select

from blog_graphql.db.database import Database
from blog_graphql.db.models import Base, Post, Session, Tag, User, post_tags
from blog_graphql.security.tokens import hash_token, session_id_of

# The moment at which operations of the tests take place.
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def session_of(user_id: int, refresh_token: str) -> Session:
    """A session that lasts for a day from ``NOW``."""
    return Session(
        id=session_id_of(refresh_token),
        user_id=user_id,
        token_hash=hash_token(refresh_token),
        rotated_at=NOW,
        expires_at=NOW + timedelta(days=1),
    )


async def count_rows(database: Database, model: type[Base]) -> int:
    """How many rows a table has."""
    async with database.transaction() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


class Blog:
    """Writes rows, giving every column a value that a test does not care for."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._count = 0

    async def user(self, username: str, **values: Any) -> int:
        """Write a user; gives the key."""
        values = {"hashed_password": "!"} | values
        return await self._add(User(username=username, **values))

    async def post(self, author_id: int, *tag_ids: int, **values: Any) -> int:
        """Write a post, published in the past unless said otherwise; gives the key."""
        self._count += 1
        defaults = {
            "slug": f"post-{self._count}",
            "title": f"Post {self._count}",
            "content": f"Content {self._count}",
            "is_published": True,
            "published_at": datetime(2026, 1, 1, tzinfo=UTC),
        }
        key = await self._add(Post(author_id=author_id, **(defaults | values)))
        if tag_ids:
            async with self.database.transaction() as session:
                links = [{"post_id": key, "tag_id": tag_id} for tag_id in tag_ids]
                await session.execute(insert(post_tags), links)
        return key

    async def tag(self, name: str, **values: Any) -> int:
        """Write a tag; gives the key."""
        return await self._add(Tag(name=name, **values))

    async def delete(self, model: type[Base], key: int) -> None:
        """Delete a row with all that hangs on it."""
        async with self.database.transaction() as session:
            await session.execute(delete(model).where(model.__table__.c.id == key))

    async def _add(self, row: User | Post | Tag) -> int:
        async with self.database.transaction() as session:
            session.add(row)
            await session.flush()
            return row.id
