"""The GraphQL types of tags."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import UNSET

from blog_graphql.api.arguments import POST_FILTER, POST_ORDER
from blog_graphql.api.connection import (
    After,
    Before,
    Connection,
    First,
    Last,
    Offset,
    Slice,
    connect,
)
from blog_graphql.api.context import Info
from blog_graphql.api.node import Node, encode_id
from blog_graphql.db.filters import PostCriteria
from blog_graphql.db.pages import POSTS_OF_TAG
from blog_graphql.db.rows import TagRow

if TYPE_CHECKING:
    from blog_graphql.posts.inputs import PostFilter, PostOrder
    from blog_graphql.posts.types import PostConnection


@strawberry.type(description="A word that posts are found by.")
class Tag(Node):
    """A ``TagRow`` as GraphQL shows it."""

    name: str = strawberry.field(description="The name, as first typed.")
    created_at: datetime = strawberry.field(description="The moment of its first use.")

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        """Whether a value of an abstract type is a tag."""
        return isinstance(value, TagRow)

    @strawberry.field(name="id", description="The tag's global ID.")
    def global_id(root: strawberry.Parent[TagRow]) -> strawberry.ID:
        """Encode the key."""
        return encode_id("Tag", root.id)

    @strawberry.field(description="The tag's primary key.")
    def database_id(root: strawberry.Parent[TagRow]) -> int:
        """Show the key."""
        return root.id

    @strawberry.field(description="The posts with this tag that the viewer may read.")
    def posts(
        root: strawberry.Parent[TagRow],
        info: Info,
        filter_: Annotated[
            Annotated[PostFilter, strawberry.lazy("blog_graphql.posts.inputs")] | None,
            POST_FILTER,
        ] = UNSET,
        order_by: Annotated[
            list[Annotated[PostOrder, strawberry.lazy("blog_graphql.posts.inputs")]] | None,
            POST_ORDER,
        ] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        offset: Offset = UNSET,
    ) -> Annotated[PostConnection, strawberry.lazy("blog_graphql.posts.types")]:
        """Connect the posts of this tag."""
        criteria = filter_.criteria() if filter_ else PostCriteria()
        page = Slice.of(first, after, last, before, offset)
        return connect(info, POSTS_OF_TAG, root.id, criteria, order_by, page)


@strawberry.type(description="One page of tags, and how to get to the others.")
class TagConnection(Connection[Tag]):
    """A connection of tags."""
