"""Statements that read pages of rows: for the whole blog, or for many parents at once.

Under several parents a plain LIMIT would cut the sum of their rows, so there
the rows of each parent are numbered by a window over its partition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, exists, func, or_, select, true, union_all

from blog_graphql.db.filters import Criteria
from blog_graphql.db.models import Post, Tag, User, post_tags
from blog_graphql.db.ordering import Ordering, Position
from blog_graphql.db.rows import AnyRow, PostRow, TagRow, UserRow, columns
from blog_graphql.db.visibility import Visibility

# Rows a page has when nothing is said, and at most.
DEFAULT_PAGE = 20
LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Where the rows of a connection come from."""

    row_type: type[AnyRow]
    table: FromClause
    default_order: tuple[tuple[str, bool], ...]
    parent: ColumnElement[int] | None = None

    def visible(self, visibility: Visibility) -> ColumnElement[bool]:
        """Which of the rows the viewer may read."""
        if self.row_type is PostRow:
            return visibility.posts()
        if self.row_type is TagRow:
            return visibility.tags()
        return true()


_NEWEST_FIRST = (("created_at", True),)

USERS = Source(UserRow, User.__table__, _NEWEST_FIRST)
TAGS = Source(TagRow, Tag.__table__, (("name", False),))
POSTS = Source(PostRow, Post.__table__, _NEWEST_FIRST)
POSTS_OF_AUTHOR = Source(PostRow, Post.__table__, _NEWEST_FIRST, parent=Post.__table__.c.author_id)
POSTS_OF_TAG = Source(
    PostRow, Post.__table__.join(post_tags), _NEWEST_FIRST, parent=post_tags.c.tag_id
)


@dataclass(frozen=True, slots=True)
class PageSpec:
    """Which page: ``limit`` rows from the start of the range, or ``backward`` from its end.

    The range lies strictly between the positions ``after`` and ``before``.
    """

    ordering: Ordering
    criteria: Criteria
    limit: int
    backward: bool = False
    after: Position | None = None
    before: Position | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Outside:
    """The rows on one side of a page: from ``position`` outwards, itself included.

    Without a position, all rows there are.
    """

    ordering: Ordering
    criteria: Criteria
    position: Position | None = None
    preceding: bool = True


def select_page(
    source: Source,
    spec: PageSpec,
    visibility: Visibility,
    parents: Sequence[int] | None,
    *,
    row_values: bool,
) -> Select[Any]:
    """One row more than the page holds, for each parent; the parent's key comes last.

    ``row_values`` tells whether the database finds a row value in an index.
    """
    near, far = (spec.before, spec.after) if spec.backward else (spec.after, spec.before)
    statement = select(*columns(source.row_type)).select_from(source.table)
    statement = statement.where(source.visible(visibility), *spec.criteria.clauses())
    if far is not None:
        statement = statement.where(spec.ordering.beyond(far, backward=not spec.backward))
    if source.parent is not None and parents is not None:
        statement = statement.add_columns(source.parent.label("parent_id"))
        if len(parents) > 1:
            return _number(statement.where(source.parent.in_(parents)), source.parent, spec, near)
        statement = statement.where(source.parent == parents[0])
    if near is not None and not row_values:
        return _concatenate(statement, spec, near)
    order = spec.ordering.order_by(backward=spec.backward)
    statement = _beyond(statement, spec, near).order_by(*order)
    return statement.limit(spec.limit + 1).offset(spec.offset or None)


def _number(
    statement: Select[Any], parent: ColumnElement[int], spec: PageSpec, near: Position | None
) -> Select[Any]:
    """The page of each parent, by numbering its rows."""
    order = spec.ordering.order_by(backward=spec.backward)
    rank = func.row_number().over(partition_by=parent, order_by=order).label("rank")
    ranked = _beyond(statement, spec, near).add_columns(rank).subquery()
    return (
        select(*[column for column in ranked.c if column.key != "rank"])
        .where(ranked.c.rank > spec.offset, ranked.c.rank <= spec.offset + spec.limit + 1)
        .order_by(ranked.c.parent_id, ranked.c.rank)
    )


def _concatenate(statement: Select[Any], spec: PageSpec, near: Position) -> Select[Any]:
    """The page from the beginnings of index ranges that follow one another."""
    order = spec.ordering.order_by(backward=spec.backward)
    parts = [
        # The keys that a run shares are constant in it; SQLite would sort by them all the same.
        select(
            statement.where(run).order_by(*order[-1 - varying :]).limit(spec.limit + 1).subquery()
        )
        for varying, run in enumerate(spec.ordering.runs(near, backward=spec.backward))
    ]
    rows = union_all(*parts).subquery()
    order = spec.ordering.order_by(backward=spec.backward, among=rows)
    return select(rows).order_by(*order).limit(spec.limit + 1)


def _beyond(statement: Select[Any], spec: PageSpec, near: Position | None) -> Select[Any]:
    if near is None:
        return statement
    return statement.where(spec.ordering.beyond(near, backward=spec.backward))


def select_counts(
    source: Source, criteria: Criteria, visibility: Visibility, parents: Sequence[int] | None
) -> Select[Any]:
    """How many rows there are, for each parent that has any."""
    count = func.count().label("count")
    statement = select(count).select_from(source.table)
    statement = statement.where(source.visible(visibility), *criteria.clauses())
    if source.parent is None or parents is None:
        return statement
    return (
        statement.add_columns(source.parent.label("parent_id"))
        .where(source.parent.in_(parents))
        .group_by(source.parent)
    )


def select_existence(
    source: Source,
    outside: Outside,
    visibility: Visibility,
    parents: Sequence[int] | None,
    *,
    row_values: bool,
) -> Select[Any]:
    """Whether rows lie outside a page: one boolean, or the parents that have such rows.

    ``row_values`` tells whether the database finds a row value in an index.
    """
    rows = select(1).select_from(source.table)
    rows = rows.where(source.visible(visibility), *outside.criteria.clauses())
    ranges = _ranges(outside, row_values=row_values)
    if source.parent is None or parents is None:
        return select(or_(*[exists(rows.where(range_)) for range_ in ranges]))
    (parent_table,) = {key.column.table for key in source.parent.foreign_keys}
    parent = parent_table.alias("parent")
    rows = rows.where(source.parent == parent.c.id).correlate(parent)
    return select(parent.c.id).where(
        parent.c.id.in_(parents), or_(*[exists(rows.where(range_)) for range_ in ranges])
    )


def _ranges(outside: Outside, *, row_values: bool) -> list[ColumnElement[bool]]:
    """Conditions that each an index can answer, and that make up the outside together."""
    if outside.position is None:
        return [true()]
    look = {"backward": outside.preceding, "inclusive": True}
    if row_values:
        return [outside.ordering.beyond(outside.position, **look)]
    return outside.ordering.runs(outside.position, **look)
