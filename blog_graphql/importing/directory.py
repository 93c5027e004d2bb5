"""The users and tags that imported posts refer to: found by name, made when missing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.db.models import UNUSABLE_PASSWORD, User
from blog_graphql.db.tagging import find_or_create_tags
from blog_graphql.db.types import utcnow
from blog_graphql.importing.authors import AuthorName, numbered_username
from blog_graphql.text import fold


class Author(NamedTuple):
    """The user who stands for an author."""

    id: int
    username: str


class Directory:
    """Remembers every author and tag it was asked for, until told to ``forget``."""

    def __init__(self) -> None:
        self._authors: dict[AuthorName, Author] = {}
        self._tags: dict[str, int] = {}

    def forget(self) -> None:
        """Look everything up anew: a transaction was rolled back, or somebody else wrote."""
        self._authors.clear()
        self._tags.clear()

    async def author(self, session: AsyncSession, name: AuthorName) -> Author:
        """The user of that username, else a new one who cannot sign in."""
        if name not in self._authors:
            self._authors[name] = await _find_or_create_user(session, name)
        return self._authors[name]

    async def tag_ids(self, session: AsyncSession, names: Iterable[str]) -> set[int]:
        """The tags of those names in any case, made where there is none."""
        tags = {fold(name): name for name in names}
        missing = {key: name for key, name in tags.items() if key not in self._tags}
        if missing:
            ids = await find_or_create_tags(session, missing.values(), utcnow())
            self._tags.update(zip(missing, ids, strict=True))
        return {self._tags[key] for key in tags}


async def _find_or_create_user(session: AsyncSession, name: AuthorName) -> Author:
    username, number = name.username, 1
    while True:
        found = await session.execute(
            select(User.id, User.username, User.full_name).where(
                User.username_key == fold(username)
            )
        )
        user = found.one_or_none()
        if user is None:
            return await _create_user(session, username, name.displayed_name)
        if name.is_username or _is_same_person(user.full_name, name.displayed_name):
            return Author(user.id, user.username)
        number += 1
        username = numbered_username(name.username, number)


def _is_same_person(full_name: str | None, displayed_name: str | None) -> bool:
    return full_name is None or fold(full_name) == fold(displayed_name or "")


async def _create_user(session: AsyncSession, username: str, full_name: str | None) -> Author:
    user = User(username=username, full_name=full_name, hashed_password=UNUSABLE_PASSWORD)
    session.add(user)
    await session.flush()
    return Author(user.id, user.username)
