"""What users are looked up, filtered and ordered by."""

from __future__ import annotations

from enum import Enum

import strawberry
from strawberry import UNSET

from blog_graphql.api.filters import (
    DateTimeFilter,
    IDFilter,
    StringFilter,
    given,
    id_match,
    moment_match,
    text_match,
)
from blog_graphql.api.ordering import OrderDirection
from blog_graphql.db.filters import UserCriteria


@strawberry.input(one_of=True, description="Names one user.")
class UserBy:
    """One way to name a user."""

    id: strawberry.ID | None = strawberry.field(default=UNSET, description="By global ID.")
    username: str | None = strawberry.field(
        default=UNSET, description="By username, whatever its case."
    )


@strawberry.input(description="Which users. Every condition given must hold.")
class UserFilter:
    """Conditions on users."""

    id: IDFilter | None = strawberry.field(default=UNSET, description="By global ID.")
    is_active: bool | None = strawberry.field(
        default=UNSET, description="Whether the account may sign in."
    )
    username: StringFilter | None = strawberry.field(default=UNSET, description="By username.")
    created_at: DateTimeFilter | None = strawberry.field(
        default=UNSET, description="By the moment of signing up."
    )

    def criteria(self) -> UserCriteria:
        """What the filter means."""
        return UserCriteria(
            ids=id_match(self.id, "User"),
            is_active=given(self.is_active),
            username=text_match(self.username),
            created_at=moment_match(self.created_at),
        )


@strawberry.enum(description="What users can be ordered by.")
class UserOrderField(Enum):
    """Sort keys of users, by column."""

    USERNAME = strawberry.enum_value("username", description="The username, by code point.")
    CREATED_AT = strawberry.enum_value("created_at", description="The moment of signing up.")


@strawberry.input(description="One key of an order of users.")
class UserOrder:
    """A sort key with its direction."""

    field: UserOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(
        default=OrderDirection.ASC, description="Which way."
    )

    def term(self) -> tuple[str, bool]:
        """The column's name, and whether it descends."""
        return str(self.field.value), self.direction is OrderDirection.DESC
