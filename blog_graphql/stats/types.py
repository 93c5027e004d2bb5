"""The GraphQL types of statistics; each field costs one statement when selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from blog_graphql.api.context import Info
from blog_graphql.errors import BadUserInput
from blog_graphql.stats import service

if TYPE_CHECKING:
    from blog_graphql.tags.types import Tag
    from blog_graphql.users.types import UserRole

_DEFAULT_MONTHS = 12
_MOST_MONTHS = 120
_DEFAULT_TAGS = 10
_MOST_TAGS = 100


@strawberry.type(description="How many users hold a role.")
class RoleCount:
    """A role with its count."""

    role: Annotated[UserRole, strawberry.lazy("blog_graphql.users.types")] = strawberry.field(
        description="The role."
    )
    count: int = strawberry.field(description="How many users hold it.")


@strawberry.type(description="How many posts were published in a month.")
class MonthCount:
    """A month with its count."""

    month: str = strawberry.field(description="The month in UTC, such as `2026-11`.")
    count: int = strawberry.field(description="How many posts were published in it.")


@strawberry.type(description="How many posts bear a tag.")
class TagCount:
    """A tag with its count."""

    tag: Annotated[Tag, strawberry.lazy("blog_graphql.tags.types")] = strawberry.field(
        description="The tag."
    )
    count: int = strawberry.field(description="How many posts bear it.")


@strawberry.type(description="Figures about the blog, as far as the viewer may read it.")
class BlogStats:
    """Aggregates, each computed only when selected."""

    @strawberry.field(description="How many users there are.")
    async def users(self, info: Info) -> int:
        """Count the users."""
        return await service.count_users(info.context.session)

    @strawberry.field(description="How many posts the viewer may read.")
    async def posts(self, info: Info) -> int:
        """Count the posts."""
        return await service.count_posts(info.context.session, info.context.visibility)

    @strawberry.field(description="How many tags the viewer may see.")
    async def tags(self, info: Info) -> int:
        """Count the tags."""
        return await service.count_tags(info.context.session, info.context.visibility)

    @strawberry.field(description="How many users hold each role.")
    async def users_by_role(self, info: Info) -> list[RoleCount]:
        """Count the users of each role."""
        counts = await service.users_by_role(info.context.session)
        return [RoleCount(role=role, count=count) for role, count in counts.items()]  # type: ignore[arg-type]

    @strawberry.field(
        description="How many posts were published each month up to the current one, oldest "
        "first; months without posts are there with 0."
    )
    async def posts_by_month(
        self,
        info: Info,
        last: Annotated[
            int | None,
            strawberry.argument(description=f"How many months, 1 to {_MOST_MONTHS}."),
        ] = _DEFAULT_MONTHS,
    ) -> list[MonthCount]:
        """Count the posts of each month."""
        last = _bounded("last", _DEFAULT_MONTHS if last is None else last, _MOST_MONTHS)
        context = info.context
        months = await service.posts_by_month(context.session, context.visibility, last)
        return [MonthCount(month=month, count=count) for month, count in months]

    @strawberry.field(description="The tags that most posts bear, most used first.")
    async def top_tags(
        self,
        info: Info,
        first: Annotated[
            int | None,
            strawberry.argument(description=f"How many tags, 1 to {_MOST_TAGS}."),
        ] = _DEFAULT_TAGS,
    ) -> list[TagCount]:
        """Rank the tags."""
        first = _bounded("first", _DEFAULT_TAGS if first is None else first, _MOST_TAGS)
        context = info.context
        tags = await service.top_tags(context.session, context.visibility, first)
        return [TagCount(tag=tag, count=count) for tag, count in tags]  # type: ignore[arg-type]


def _bounded(name: str, value: int, most: int) -> int:
    if not 1 <= value <= most:
        raise BadUserInput(f"{name} must be between 1 and {most}; it is {value}.")
    return value
