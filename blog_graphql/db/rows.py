"""What a read returns: plain rows of the columns that GraphQL fields need.

A row is an immutable tuple, several times cheaper than an ORM entity. A post's
content is not among its columns: it is large, and read only where selected.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement

from blog_graphql.db.models import Base, Post, Tag, User, UserRole


class UserRow(NamedTuple):
    """A user, without the password's hash."""

    id: int
    username: str
    full_name: str | None
    bio: str | None
    email: str | None
    role: UserRole
    is_active: bool
    last_login_at: datetime | None
    created_at: datetime
    updated_at: datetime


class PostRow(NamedTuple):
    """A post, without its content."""

    id: int
    slug: str
    title: str
    is_published: bool
    published_at: datetime | None
    view_count: int
    version: int
    author_id: int
    created_at: datetime
    updated_at: datetime


class TagRow(NamedTuple):
    """A tag."""

    id: int
    name: str
    created_at: datetime


AnyRow: TypeAlias = UserRow | PostRow | TagRow

MODELS: dict[type[AnyRow], type[Base]] = {UserRow: User, PostRow: Post, TagRow: Tag}


def columns(row_type: type[AnyRow]) -> list[ColumnElement[Any]]:
    """The columns that make up a row, in its order."""
    table = MODELS[row_type].__table__
    return [table.c[name] for name in row_type._fields]
