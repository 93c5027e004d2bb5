"""Paging visits every row once, in order, whatever the order, filter and page size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from blog_graphql.db.database import Database
from blog_graphql.db.models import Post, UserRole, post_tags
from blog_graphql.db.visibility import Viewer
from tests.support.blog import Blog
from tests.support.client import Client

EDITOR = Viewer(id=1, role=UserRole.EDITOR)
COLUMNS = {
    "CREATED_AT": "created_at",
    "UPDATED_AT": "updated_at",
    "PUBLISHED_AT": "published_at",
    "TITLE": "title",
    "VIEW_COUNT": "view_count",
}
MOMENTS = [datetime(2026, 1, day, hour, tzinfo=UTC) for day in (1, 2) for hour in (0, 12)]
TITLES = ["a", "B", "É", "a b", "ａ", "😀", "_"]

PAGE = """
query Page(
  $filter: PostFilter, $orderBy: [PostOrder!]
  $first: Int, $after: String, $last: Int, $before: String, $offset: Int
) {
  author: user(by: { username: "ann" }) { posts(
    filter: $filter, orderBy: $orderBy
    first: $first, after: $after, last: $last, before: $before, offset: $offset
  ) { ...page } }
  tag(by: { name: "tag" }) { posts(
    filter: $filter, orderBy: $orderBy
    first: $first, after: $after, last: $last, before: $before, offset: $offset
  ) { ...page } }
  posts(
    filter: $filter, orderBy: $orderBy
    first: $first, after: $after, last: $last, before: $before, offset: $offset
  ) { ...page }
}
fragment page on PostConnection {
  totalCount
  edges { cursor node { databaseId } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
}
"""


@dataclass(frozen=True, repr=False)
class Row:
    """What the model of a post knows."""

    id: int
    author: str
    tagged: bool
    values: dict[str, Any]

    def is_in(self, scope: str) -> bool:
        return {"author": self.author == "ann", "tag": self.tagged, "posts": True}[scope]


def expected_order(rows: list[Row], order_by: list[dict[str, str]]) -> list[Row]:
    """Sorted by the last key first, each sort being stable; nulls last either way."""
    order = [(key["field"], key["direction"] == "DESC") for key in order_by]
    ordered = sorted(rows, key=lambda row: row.id, reverse=order[-1][1])
    for field, descending in reversed(order):
        column = COLUMNS[field]
        known = [row for row in ordered if row.values[column] is not None]
        unknown = [row for row in ordered if row.values[column] is None]
        known.sort(key=lambda row: row.values[column], reverse=descending)
        ordered = known + unknown
    return ordered


orders = st.lists(
    st.fixed_dictionaries(
        {"field": st.sampled_from(list(COLUMNS)), "direction": st.sampled_from(["ASC", "DESC"])}
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda key: key["field"],
)
filters = st.sampled_from([None, {"isPublished": True}, {"isPublished": False}])
check = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
async def rows(blog: Blog, database: Database) -> list[Row]:
    """Posts with few distinct values, so that every order has ties, and with nulls."""
    authors = {name: await blog.user(name) for name in ("ann", "ben")}
    tag = await blog.tag("tag")
    rows = []
    for number in range(1, 24):
        values = {
            "created_at": MOMENTS[number % 4],
            "updated_at": MOMENTS[number % 3],
            "published_at": [*MOMENTS, None][number % 5],
            "title": TITLES[number % 7],
            "view_count": number % 2,
        }
        author = ("ann", "ben", "ann")[number % 3]
        rows.append(Row(number, author, number % 4 != 0, values))
    async with database.transaction() as session:
        await session.execute(
            insert(Post),
            [
                {
                    "id": row.id,
                    "slug": f"slug-{row.id}",
                    "content": "-",
                    "author_id": authors[row.author],
                    "is_published": row.id % 3 != 0,
                    **row.values,
                }
                for row in rows
            ],
        )
        links = [{"post_id": row.id, "tag_id": tag} for row in rows if row.tagged]
        await session.execute(insert(post_tags), links)
    return rows


def matching(rows: list[Row], scope: str, post_filter: dict[str, bool] | None) -> list[Row]:
    """The rows of a scope that pass a filter."""
    return [
        row
        for row in rows
        if row.is_in(scope)
        and (post_filter is None or post_filter["isPublished"] == (row.id % 3 != 0))
    ]


async def read(client: Client, **variables: Any) -> dict[str, Any]:
    """The same page of all posts, of an author and of a tag."""
    data = await client.execute(PAGE, variables, viewer=EDITOR)
    return {
        "author": data["author"]["posts"],
        "tag": data["tag"]["posts"],
        "posts": data["posts"],
    }


def ids(page: dict[str, Any]) -> list[int]:
    return [edge["node"]["databaseId"] for edge in page["edges"]]


def model_page(
    positions: list[Row],
    found: list[Row],
    bounds: tuple[int | None, int | None],
    *,
    size: int,
    backward: bool,
) -> tuple[list[int], bool, bool]:
    """The page of the rows found between two positions, and whether others lie outside."""
    place = {row.id: index for index, row in enumerate(positions)}
    after, before = bounds
    ordered = sorted(place[row.id] for row in found)
    window = [
        index
        for index in ordered
        if (after is None or index > after) and (before is None or index < before)
    ]
    page = window[max(len(window) - size, 0) :] if backward else window[:size]
    cut = len(window) > size
    previous = (backward and cut) or any(after is not None and index <= after for index in ordered)
    following = (not backward and cut) or any(
        before is not None and index >= before for index in ordered
    )
    return [positions[index].id for index in page], previous, following


@check
@given(
    order_by=orders,
    post_filter=filters,
    size=st.integers(1, 9),
    backward=st.booleans(),
    scope=st.sampled_from(["posts", "author", "tag"]),
)
async def test_walking_visits_each_row_once(
    client: Client,
    rows: list[Row],
    order_by: list[dict[str, str]],
    post_filter: dict[str, bool] | None,
    size: int,
    backward: bool,
    scope: str,
) -> None:
    expected = [row.id for row in expected_order(matching(rows, scope, post_filter), order_by)]
    limit, bound, more, behind, edge = (
        ("last", "before", "hasPreviousPage", "hasNextPage", "startCursor")
        if backward
        else ("first", "after", "hasNextPage", "hasPreviousPage", "endCursor")
    )
    seen: list[int] = []
    info: dict[str, Any] = {more: True, edge: None}
    while info[more]:
        window = {limit: size, bound: info[edge]}
        pages = await read(client, filter=post_filter, orderBy=order_by, **window)
        info = pages[scope]["pageInfo"]
        assert info[behind] == bool(seen)
        assert pages[scope]["totalCount"] == len(expected)
        seen = ids(pages[scope]) + seen if backward else seen + ids(pages[scope])
    assert seen == expected


@check
@given(
    order_by=orders,
    post_filter=filters,
    size=st.integers(0, 9),
    backward=st.booleans(),
    bounds=st.tuples(st.none() | st.integers(0, 22), st.none() | st.integers(0, 22)),
)
async def test_any_window_is_exact(
    client: Client,
    rows: list[Row],
    order_by: list[dict[str, str]],
    post_filter: dict[str, bool] | None,
    size: int,
    backward: bool,
    bounds: tuple[int | None, int | None],
) -> None:
    edges = (await read(client, orderBy=order_by, first=100))["posts"]["edges"]
    after, before = [None if bound is None else edges[bound]["cursor"] for bound in bounds]
    limit = {"last" if backward else "first": size}
    pages = await read(
        client, filter=post_filter, orderBy=order_by, after=after, before=before, **limit
    )
    positions = expected_order(rows, order_by)
    for scope, page in pages.items():
        found = matching(rows, scope, post_filter)
        expected = model_page(positions, found, bounds, size=size, backward=backward)
        info = page["pageInfo"]
        assert (ids(page), info["hasPreviousPage"], info["hasNextPage"]) == expected


@check
@given(order_by=orders, post_filter=filters, size=st.integers(0, 9), offset=st.integers(0, 30))
async def test_offsets_are_exact(
    client: Client,
    rows: list[Row],
    order_by: list[dict[str, str]],
    post_filter: dict[str, bool] | None,
    size: int,
    offset: int,
) -> None:
    pages = await read(client, filter=post_filter, orderBy=order_by, first=size, offset=offset)
    for scope, page in pages.items():
        found = matching(rows, scope, post_filter)
        ordered = [row.id for row in expected_order(found, order_by)]
        info = page["pageInfo"]
        assert ids(page) == ordered[offset : offset + size]
        assert info["hasPreviousPage"] == bool(offset and ordered)
        assert info["hasNextPage"] == (len(ordered) > offset + size)


async def test_a_cursor_survives_its_row(client: Client, rows: list[Row], blog: Blog) -> None:
    order_by = [{"field": "PUBLISHED_AT", "direction": "DESC"}]
    ordered = [row.id for row in expected_order(rows, order_by)]
    edges = (await read(client, orderBy=order_by, first=6))["posts"]["edges"]
    await blog.delete(Post, ordered[3])
    page = (await read(client, orderBy=order_by, first=3, after=edges[3]["cursor"]))["posts"]
    assert ids(page) == ordered[4:7]
    assert page["pageInfo"]["hasPreviousPage"] is True
    page = (await read(client, orderBy=order_by, last=3, before=edges[3]["cursor"]))["posts"]
    assert ids(page) == ordered[:3]
    assert page["pageInfo"]["hasNextPage"] is True
