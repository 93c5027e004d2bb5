"""Which post came from which file: a file is known by its path and by what is in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.db.database import Database
from blog_graphql.db.models import PostSource
from blog_graphql.db.session import session_context


class Source(NamedTuple):
    """What is known of a file that was imported before."""

    post_id: int
    content_hash: str


class KnownSources:
    """The files of one origin that were imported before, by path."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._by_path: dict[str, Source] = {}
        self._moved: dict[str, list[int]] = {}

    @classmethod
    async def load(cls, database: Database, origin: str) -> KnownSources:
        """Everything that is known below the origin."""
        known = cls(origin)
        statement = select(PostSource.path, PostSource.post_id, PostSource.content_hash).where(
            PostSource.path.startswith(known.path(""), autoescape=True)
        )
        async with session_context(database) as session:
            for path, *source in await session.fetch(statement):
                known.remember(path, Source(*source))
        return known

    def path(self, relative: str) -> str:
        """The path under which a file is remembered."""
        return f"{self.origin.rstrip('/')}/{relative}"

    def find(self, path: str) -> Source | None:
        """What is known of the file at a path."""
        return self._by_path.get(path)

    def remember(self, path: str, source: Source) -> None:
        """Know a file from now on."""
        self._by_path[path] = source

    async def refresh(self, session: AsyncSession, path: str) -> None:
        """Look one path up anew."""
        statement = select(PostSource.post_id, PostSource.content_hash).where(
            PostSource.path == path
        )
        row = (await session.execute(statement)).one_or_none()
        if row is None:
            self._by_path.pop(path, None)
        else:
            self.remember(path, Source(row.post_id, row.content_hash))

    async def find_moved(self, session: AsyncSession, hashes: Iterable[str]) -> None:
        """Look for posts whose file had one of these contents and is gone from its path."""
        statement = (
            select(PostSource.content_hash, PostSource.post_id, PostSource.path)
            .where(PostSource.content_hash.in_(hashes))
            .order_by(PostSource.path.desc())
        )
        self._moved.clear()
        for content_hash, post_id, path in await session.execute(statement):
            if _is_gone(path):
                self._moved.setdefault(content_hash, []).append(post_id)

    def take_moved(self, content_hash: str) -> int | None:
        """A post of that content whose file is gone; each is given out once."""
        posts = self._moved.get(content_hash)
        return posts.pop() if posts else None


def _is_gone(path: str) -> bool:
    # The demo blog's paths are no places on a disk: they are never gone.
    return Path(path).is_absolute() and not Path(path).exists()
