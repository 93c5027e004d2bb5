"""Every order of the API is read from an index, on the first page and on any other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Select, event, text

from blog_graphql.db.database import Database
from blog_graphql.db.filters import PostCriteria, TagCriteria
from blog_graphql.db.models import Tag, UserRole
from blog_graphql.db.ordering import Position, ordering
from blog_graphql.db.pages import (
    POSTS,
    POSTS_OF_AUTHOR,
    TAGS,
    USERS,
    Outside,
    PageSpec,
    Source,
    select_existence,
    select_page,
)
from blog_graphql.db.rows import MODELS
from blog_graphql.db.session import SessionContext, session_context
from blog_graphql.db.visibility import ANONYMOUS, Viewer, Visibility
from tests.support.backends import only_postgresql, only_sqlite

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
ORDERS = [
    (POSTS, "created_at", MOMENT),
    (POSTS, "updated_at", MOMENT),
    (POSTS, "published_at", MOMENT),
    (POSTS, "title", "title"),
    (POSTS, "view_count", 0),
    (POSTS_OF_AUTHOR, "created_at", MOMENT),
    (USERS, "username", "ann"),
    (USERS, "created_at", MOMENT),
    (TAGS, "name", "tag"),
    (TAGS, "created_at", MOMENT),
]
EDITOR = Visibility(Viewer(1, UserRole.EDITOR), MOMENT)

every_order = pytest.mark.parametrize(
    ("source", "column", "value"), ORDERS, ids=lambda value: value if isinstance(value, str) else ""
)
either_way = pytest.mark.parametrize("descending", [False, True], ids=["ascending", "descending"])


@pytest.fixture
async def session(database: Database) -> AsyncIterator[SessionContext]:
    """A session whose statements are explained instead of run."""
    embedded = database.settings.is_embedded
    prefix = "EXPLAIN QUERY PLAN " if embedded else "EXPLAIN (COSTS OFF) "

    def explain(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> Any:
        return prefix + statement if statement.startswith("SELECT") else statement, parameters

    async with session_context(database) as session:
        if not embedded:
            # Few rows are quicker read and sorted whole; what is asked here is what could be done.
            for method in ("seqscan", "bitmapscan", "sort", "incremental_sort"):
                await session.fetch(text(f"SELECT set_config('enable_{method}', 'off', false)"))
        event.listen(database.engine.sync_engine, "before_cursor_execute", explain, retval=True)
        yield session


async def plan(
    session: SessionContext, source: Source, spec: PageSpec, visibility: Visibility = EDITOR
) -> str:
    """How the database would read a page."""
    parents = None if source.parent is None else [1]
    statement = select_page(source, spec, visibility, parents, row_values=session.seeks_row_values)
    return await explained(session, statement)


async def explained(session: SessionContext, statement: Select[Any]) -> str:
    """How the database would run a statement."""
    return "\n".join(str(row[-1]) for row in await session.fetch(statement))


def specs(source: Source, column: str, value: Any, *, descending: bool) -> dict[str, PageSpec]:
    """The first page of an order, and the pages on either side of a position in it."""
    order = ordering(MODELS[source.row_type], (column, descending))
    position: Position = (value, 7)
    return {
        "first": PageSpec(order, PostCriteria(), 20),
        "last": PageSpec(order, PostCriteria(), 20, backward=True),
        "after": PageSpec(order, PostCriteria(), 20, after=position),
        "before": PageSpec(order, PostCriteria(), 20, before=position, backward=True),
    }


@only_postgresql
@either_way
@every_order
async def test_postgresql_seeks_in_an_index(
    session: SessionContext, source: Source, column: str, value: Any, *, descending: bool
) -> None:
    for name, spec in specs(source, column, value, descending=descending).items():
        found = await plan(session, source, spec)
        assert "Index Scan" in found, found
        assert "Sort" not in found, found
        assert ("Index Cond: (ROW(" in found or "AND (ROW(" in found) == (
            name in {"after", "before"}
        ), found


@only_sqlite
@either_way
@every_order
async def test_sqlite_seeks_in_an_index(
    session: SessionContext, source: Source, column: str, value: Any, *, descending: bool
) -> None:
    for name, spec in specs(source, column, value, descending=descending).items():
        found = await plan(session, source, spec)
        if name in {"first", "last"}:
            assert "USING INDEX" in found, found
            assert "TEMP B-TREE" not in found, found
        else:
            # Two ranges of the index, each cut to a page; then those two pages are sorted.
            assert found.count("SEARCH") == 2, found
            assert found.count("USING INDEX") == 2, found
            lines = found.splitlines()
            sorts = [before for before, line in pairwise(lines) if "TEMP B-TREE" in line]
            assert all(before.startswith("SCAN anon_") for before in sorts), found


@only_sqlite
@either_way
@every_order
async def test_sqlite_looks_beyond_a_page_in_an_index(
    session: SessionContext, source: Source, column: str, value: Any, *, descending: bool
) -> None:
    order = ordering(MODELS[source.row_type], (column, descending))
    for preceding in (False, True):
        outside = Outside(order, PostCriteria(), (value, 7), preceding)
        parents = None if source.parent is None else [1]
        found = await explained(
            session, select_existence(source, outside, EDITOR, parents, row_values=False)
        )
        assert found.count("INDEX ix_") == 2, found
        assert "SCAN posts" not in found, found


@only_sqlite
async def test_a_tag_is_visible_by_its_own_posts(session: SessionContext) -> None:
    signed_out = Visibility(ANONYMOUS, MOMENT)
    found = await plan(
        session, TAGS, PageSpec(ordering(Tag, ("name", False)), TagCriteria(), 20), signed_out
    )
    assert "ix_post_tags_tag_id_post_id (tag_id=?)" in found, found
    assert "SCAN posts" not in found, found


@only_postgresql
async def test_what_a_reader_may_not_see_costs_no_sort(session: SessionContext) -> None:
    signed_out = Visibility(ANONYMOUS, MOMENT)
    for spec in specs(POSTS, "published_at", MOMENT, descending=True).values():
        found = await plan(session, POSTS, spec, signed_out)
        assert "Index Scan" in found
        assert "Sort" not in found
