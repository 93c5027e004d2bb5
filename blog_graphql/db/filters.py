"""Filters as plain, hashable values, and what they mean in SQL.

Each one is a conjunction of what it names; what it leaves out does not filter.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, false, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute

from blog_graphql.db.models import Post, Tag, User, post_tags
from blog_graphql.db.types import UTCDateTime
from blog_graphql.text import fold_name

# No column that can be searched holds more characters.
_LONGEST_MATCH = 200
_ESCAPE = "\\"
_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_ESCAPED = str.maketrans({char: _ESCAPE + char for char in "\\%_"})


class Criteria(Hashable, Protocol):
    """The conditions that rows of one table must meet."""

    def clauses(self) -> Iterator[ColumnElement[bool]]:
        """The conditions, to be joined by AND."""
        ...


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A comparison of text: exact, or by a part that ignores ASCII case alone."""

    eq: str | None = None
    any_of: tuple[str, ...] | None = None
    contains: str | None = None
    starts_with: str | None = None

    def clauses(
        self, column: InstrumentedAttribute[str], folded: InstrumentedAttribute[str]
    ) -> Iterator[ColumnElement[bool]]:
        """The conditions on a column whose folded form is kept in another."""
        if self.eq is not None:
            yield folded.in_(_folded([self.eq]))
        if self.any_of is not None:
            yield folded.in_(_folded(self.any_of))
        if self.contains is not None:
            yield _like(column, self.contains, prefix="%")
        if self.starts_with is not None:
            yield _like(column, self.starts_with, prefix="")


@dataclass(frozen=True, slots=True)
class MomentMatch:
    """A comparison of moments."""

    eq: datetime | None = None
    gt: datetime | None = None
    gte: datetime | None = None
    lt: datetime | None = None
    lte: datetime | None = None

    def clauses(self, column: InstrumentedAttribute[Any]) -> Iterator[ColumnElement[bool]]:
        """The conditions on a column."""
        if self.eq is not None:
            yield column == _moment(self.eq)
        if self.gt is not None:
            yield column > _moment(self.gt)
        if self.gte is not None:
            yield column >= _moment(self.gte)
        if self.lt is not None:
            yield column < _moment(self.lt)
        if self.lte is not None:
            yield column <= _moment(self.lte)


@dataclass(frozen=True, slots=True)
class UserCriteria:
    """Which users."""

    ids: frozenset[int] | None = None
    is_active: bool | None = None
    username: TextMatch = TextMatch()
    created_at: MomentMatch = MomentMatch()

    def clauses(self) -> Iterator[ColumnElement[bool]]:
        """The conditions on ``users``."""
        yield from _ids(User.id, self.ids)
        if self.is_active is not None:
            yield User.is_active.is_(self.is_active)
        yield from self.username.clauses(User.username, User.username_key)
        yield from self.created_at.clauses(User.created_at)


@dataclass(frozen=True, slots=True)
class TagCriteria:
    """Which tags."""

    ids: frozenset[int] | None = None
    name: TextMatch = TextMatch()

    def clauses(self) -> Iterator[ColumnElement[bool]]:
        """The conditions on ``tags``."""
        yield from _ids(Tag.id, self.ids)
        yield from self.name.clauses(Tag.name, Tag.name_key)


@dataclass(frozen=True, slots=True)
class PostCriteria:
    """Which posts; those with no tag at all never have ``some_tag``."""

    ids: frozenset[int] | None = None
    is_published: bool | None = None
    author: UserCriteria | None = None
    some_tag: TagCriteria | None = None
    created_at: MomentMatch = MomentMatch()

    def clauses(self) -> Iterator[ColumnElement[bool]]:
        """The conditions on ``posts``."""
        yield from _ids(Post.id, self.ids)
        if self.is_published is not None:
            yield Post.is_published.is_(self.is_published)
        if self.author is not None:
            yield Post.author_id.in_(select(User.id).where(*self.author.clauses()))
        if self.some_tag is not None:
            link = post_tags.alias()
            yield Post.id.in_(
                select(link.c.post_id)
                .join_from(link, Tag, link.c.tag_id == Tag.id)
                .where(*self.some_tag.clauses())
            )
        yield from self.created_at.clauses(Post.created_at)


def _ids(
    column: InstrumentedAttribute[int], ids: frozenset[int] | None
) -> Iterator[ColumnElement[bool]]:
    if ids is not None:
        yield column.in_(sorted(ids)) if ids else false()


def _folded(names: Iterable[str]) -> list[str]:
    """What names are compared by, without those that nothing can have."""
    return [key for name in names if (key := fold_name(name)) is not None]


def _like(column: InstrumentedAttribute[str], part: str, *, prefix: str) -> ColumnElement[bool]:
    if len(part) > _LONGEST_MATCH:
        return false()
    # Under the code point collation of these columns lower() knows ASCII alone.
    pattern = prefix + part.translate(_ASCII_LOWER).translate(_ESCAPED) + "%"
    return func.lower(column).like(pattern, escape=_ESCAPE)


def _moment(moment: datetime) -> ColumnElement[datetime]:
    return literal(moment, UTCDateTime())
