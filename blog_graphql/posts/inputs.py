"""What posts are looked up, filtered and ordered by."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import UNSET

from blog_graphql.api.filters import DateTimeFilter, IDFilter, given, id_match, moment_match
from blog_graphql.api.ordering import OrderDirection
from blog_graphql.db.filters import PostCriteria

if TYPE_CHECKING:
    from blog_graphql.tags.inputs import TagFilter
    from blog_graphql.users.inputs import UserFilter


@strawberry.input(one_of=True, description="Names one post.")
class PostBy:
    """One way to name a post."""

    id: strawberry.ID | None = strawberry.field(default=UNSET, description="By global ID.")
    slug: str | None = strawberry.field(default=UNSET, description="By slug, exactly.")


@strawberry.input(description="Compares the tags of a post.")
class TagsFilter:
    """Conditions on the tags of a post."""

    some: Annotated[TagFilter, strawberry.lazy("blog_graphql.tags.inputs")] | None = (
        strawberry.field(default=UNSET, description="At least one tag meets this.")
    )


@strawberry.input(description="Which posts. Every condition given must hold.")
class PostFilter:
    """Conditions on posts."""

    id: IDFilter | None = strawberry.field(default=UNSET, description="By global ID.")
    is_published: bool | None = strawberry.field(
        default=UNSET, description="The stored flag, which a scheduled post has as well."
    )
    author: Annotated[UserFilter, strawberry.lazy("blog_graphql.users.inputs")] | None = (
        strawberry.field(default=UNSET, description="By the author.")
    )
    tags: TagsFilter | None = strawberry.field(default=UNSET, description="By the tags.")
    created_at: DateTimeFilter | None = strawberry.field(
        default=UNSET, description="By the moment of writing."
    )

    def criteria(self) -> PostCriteria:
        """What the filter means."""
        some_tag = given(self.tags.some) if self.tags else None
        return PostCriteria(
            ids=id_match(self.id, "Post"),
            is_published=given(self.is_published),
            author=self.author.criteria() if self.author else None,
            some_tag=some_tag.criteria() if some_tag else None,
            created_at=moment_match(self.created_at),
        )


@strawberry.enum(description="What posts can be ordered by.")
class PostOrderField(Enum):
    """Sort keys of posts, by column."""

    CREATED_AT = strawberry.enum_value("created_at", description="The moment of writing.")
    UPDATED_AT = strawberry.enum_value("updated_at", description="The last edit.")
    PUBLISHED_AT = strawberry.enum_value(
        "published_at", description="The moment of publication; drafts without one come last."
    )
    TITLE = strawberry.enum_value("title", description="The title, by code point.")
    VIEW_COUNT = strawberry.enum_value("view_count", description="How often it was viewed.")


@strawberry.input(description="One key of an order of posts.")
class PostOrder:
    """A sort key with its direction."""

    field: PostOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.ASC, description="Which way."
    )

    def term(self) -> tuple[str, bool]:
        """The column's name, and whether it descends."""
        return str(self.field.value), self.direction is OrderDirection.DESC
