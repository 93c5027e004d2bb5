"""The root fields that read tags."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry
from strawberry import UNSET

from blog_graphql.api.connection import After, Before, First, Last, Offset, Slice, connect
from blog_graphql.api.context import Info
from blog_graphql.api.filters import check_storable
from blog_graphql.api.node import decode_key
from blog_graphql.db.filters import TagCriteria
from blog_graphql.db.pages import TAGS
from blog_graphql.tags.inputs import TagBy, TagFilter, TagOrder
from blog_graphql.tags.types import Tag, TagConnection
from blog_graphql.text import fold_name

FilterArgument: TypeAlias = Annotated[
    TagFilter | None,
    strawberry.argument(name="filter", description="Only tags that meet this."),
]
OrderArgument: TypeAlias = Annotated[
    list[TagOrder] | None,
    strawberry.argument(
        name="orderBy",
        description="The order, first key first; by name when left out. "
        "The primary key breaks ties.",
    ),
]


@strawberry.type
class TagQuery:
    """Tags, one or many."""

    @strawberry.field(description="One tag; null when there is none that the viewer may see.")
    async def tag(
        self,
        info: Info,
        by: Annotated[TagBy, strawberry.argument(description="Which tag.")],
    ) -> Tag | None:
        """Look a tag up."""
        loaders = info.context.loaders
        if by.name:
            check_storable(by.name)
            name = fold_name(by.name)
            return None if name is None else await loaders.tag_by_name.load(name)
        key = decode_key(by.id or "", "Tag")
        return None if key is None else await loaders.tag_by_id.load(key)

    @strawberry.field(description="The tags that the viewer may see.")
    def tags(
        self,
        info: Info,
        filter_: FilterArgument = UNSET,
        order_by: OrderArgument = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        offset: Offset = UNSET,
    ) -> TagConnection:
        """Connect all visible tags."""
        criteria = filter_.criteria() if filter_ else TagCriteria()
        page = Slice.of(first, after, last, before, offset)
        return connect(info, TAGS, None, criteria, order_by, page)
