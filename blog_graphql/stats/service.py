"""Aggregates over the blog: a fixed number of statements, whatever its size."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import extract, func, literal, select

from blog_graphql.db.models import Post, Tag, User, UserRole, post_tags
from blog_graphql.db.rows import TagRow, columns
from blog_graphql.db.session import SessionContext
from blog_graphql.db.types import UTCDateTime
from blog_graphql.db.visibility import Visibility

_MONTHS_A_YEAR = 12


async def users_by_role(session: SessionContext) -> dict[UserRole, int]:
    """How many users hold each role; roles that nobody holds are there with 0."""
    rows = await session.fetch(select(User.role, func.count()).group_by(User.role))
    return dict.fromkeys(UserRole, 0) | {row[0]: row[1] for row in rows}


async def count_users(session: SessionContext) -> int:
    """How many users there are."""
    return int(await session.scalar(select(func.count()).select_from(User)))


async def count_posts(session: SessionContext, visibility: Visibility) -> int:
    """How many posts the viewer may read."""
    statement = select(func.count()).select_from(Post).where(visibility.posts())
    return int(await session.scalar(statement))


async def count_tags(session: SessionContext, visibility: Visibility) -> int:
    """How many tags the viewer may see."""
    statement = select(func.count()).select_from(Tag).where(visibility.tags())
    return int(await session.scalar(statement))


async def posts_by_month(
    session: SessionContext, visibility: Visibility, last: int
) -> list[tuple[str, int]]:
    """Visible posts by the month of their publication in UTC, oldest first.

    Covers the ``last`` months up to the current one; months without posts are
    there with 0.
    """
    end = _month_number(visibility.now) + 1
    months = range(end - last, end)
    year, month = extract("year", Post.published_at), extract("month", Post.published_at)
    statement = (
        select(year, month, func.count())
        .where(
            visibility.posts(),
            Post.published_at >= literal(_month_start(months.start), UTCDateTime()),
            Post.published_at < literal(_month_start(months.stop), UTCDateTime()),
        )
        .group_by(year, month)
    )
    counts = {
        int(row[0]) * _MONTHS_A_YEAR + int(row[1]) - 1: row[2]
        for row in await session.fetch(statement)
    }
    return [(f"{_month_start(number):%Y-%m}", counts.get(number, 0)) for number in months]


async def top_tags(
    session: SessionContext, visibility: Visibility, first: int
) -> list[tuple[TagRow, int]]:
    """The tags that most visible posts bear; by name where as many do."""
    count = func.count().label("count")
    statement = (
        select(*columns(TagRow), count)
        .select_from(Tag.__table__.join(post_tags).join(Post.__table__))
        .where(visibility.posts())
        .group_by(*columns(TagRow))
        .order_by(count.desc(), Tag.name, Tag.id)
        .limit(first)
    )
    return [(TagRow._make(row[:-1]), row[-1]) for row in await session.fetch(statement)]


def _month_number(moment: datetime) -> int:
    """Months since year 0, so that they can be counted across years."""
    return moment.year * _MONTHS_A_YEAR + moment.month - 1


def _month_start(number: int) -> datetime:
    year, month = divmod(number, _MONTHS_A_YEAR)
    return datetime(year, month + 1, 1, tzinfo=UTC)
