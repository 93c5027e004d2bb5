"""The root fields that read users."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry
from strawberry import UNSET

from blog_graphql.api.connection import After, Before, First, Last, Offset, Slice, connect
from blog_graphql.api.context import Info
from blog_graphql.api.filters import check_storable
from blog_graphql.api.node import decode_key
from blog_graphql.db.filters import UserCriteria
from blog_graphql.db.pages import USERS
from blog_graphql.text import fold_name
from blog_graphql.users.inputs import UserBy, UserFilter, UserOrder
from blog_graphql.users.types import User, UserConnection

FilterArgument: TypeAlias = Annotated[
    UserFilter | None,
    strawberry.argument(name="filter", description="Only users that meet this."),
]
OrderArgument: TypeAlias = Annotated[
    list[UserOrder] | None,
    strawberry.argument(
        name="orderBy",
        description="The order, first key first; the newest first when left out. "
        "The primary key breaks ties.",
    ),
]


@strawberry.type
class UserQuery:
    """Users, one or many."""

    @strawberry.field(description="The user who is signed in; null when nobody is.")
    async def viewer(self, info: Info) -> User | None:
        """Load oneself."""
        key = info.context.viewer.id
        return None if key is None else await info.context.loaders.user_by_id.load(key)

    @strawberry.field(description="One user; null when there is none.")
    async def user(
        self,
        info: Info,
        by: Annotated[UserBy, strawberry.argument(description="Which user.")],
    ) -> User | None:
        """Look a user up."""
        loaders = info.context.loaders
        if by.username:
            check_storable(by.username)
            name = fold_name(by.username)
            return None if name is None else await loaders.user_by_username.load(name)
        key = decode_key(by.id or "", "User")
        return None if key is None else await loaders.user_by_id.load(key)

    @strawberry.field(description="All users.")
    def users(
        self,
        info: Info,
        filter_: FilterArgument = UNSET,
        order_by: OrderArgument = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
        offset: Offset = UNSET,
    ) -> UserConnection:
        """Connect all users."""
        criteria = filter_.criteria() if filter_ else UserCriteria()
        page = Slice.of(first, after, last, before, offset)
        return connect(info, USERS, None, criteria, order_by, page)
