"""The root fields that read posts."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import UNSET

from blog_graphql.api.arguments import POST_FILTER, POST_ORDER
from blog_graphql.api.connection import After, Before, First, Last, Offset, Slice, connect
from blog_graphql.api.context import Info
from blog_graphql.api.filters import check_storable
from blog_graphql.api.node import decode_key
from blog_graphql.db.filters import PostCriteria
from blog_graphql.db.pages import POSTS
from blog_graphql.posts.inputs import PostBy, PostFilter, PostOrder
from blog_graphql.posts.types import Post, PostConnection


@strawberry.type
class PostQuery:
    """Posts, one or many."""

    @strawberry.field(description="One post; null when there is none that the viewer may read.")
    async def post(
        self,
        info: Info,
        by: Annotated[PostBy, strawberry.argument(description="Which post.")],
    ) -> Post | None:
        """Look a post up."""
        loaders = info.context.loaders
        if by.slug:
            check_storable(by.slug)
            return await loaders.post_by_slug.load(by.slug)
        key = decode_key(by.id or "", "Post")
        return None if key is None else await loaders.post_by_id.load(key)

    @strawberry.field(description="The posts that the viewer may read.")
    def posts(
        self,
        info: Info,
        filter_: Annotated[PostFilter | None, POST_FILTER] = UNSET,
        order_by: Annotated[list[PostOrder] | None, POST_ORDER] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        offset: Offset = UNSET,
    ) -> PostConnection:
        """Connect all visible posts."""
        criteria = filter_.criteria() if filter_ else PostCriteria()
        page = Slice.of(first, after, last, before, offset)
        return connect(info, POSTS, None, criteria, order_by, page)
