"""The GraphQL types of users."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
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
from blog_graphql.db import models
from blog_graphql.db.filters import PostCriteria
from blog_graphql.db.pages import POSTS_OF_AUTHOR
from blog_graphql.db.rows import UserRow
from blog_graphql.db.visibility import Viewer

if TYPE_CHECKING:
    from blog_graphql.posts.inputs import PostFilter, PostOrder
    from blog_graphql.posts.types import PostConnection


@strawberry.enum(description="What a user may do.")
class UserRole(Enum):
    """The roles of ``models.UserRole``, described."""

    AUTHOR = strawberry.enum_value("AUTHOR", description="Writes posts of their own.")
    EDITOR = strawberry.enum_value("EDITOR", description="Edits every post and tag.")
    ADMIN = strawberry.enum_value("ADMIN", description="Runs the blog and its accounts.")


@strawberry.type(description="Somebody who writes, edits or runs the blog.")
class User(Node):
    """A ``UserRow`` as GraphQL shows it."""

    username: str = strawberry.field(description="The name to sign in with, as typed.")
    full_name: str | None = strawberry.field(description="The name to show.")
    bio: str | None = strawberry.field(description="A few words about the user.")
    role: UserRole = strawberry.field(description="What the user may do.")
    is_active: bool = strawberry.field(description="Whether the account may sign in.")
    created_at: datetime = strawberry.field(description="The moment of signing up.")
    updated_at: datetime = strawberry.field(description="The last change of the profile.")

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        """Whether a value of an abstract type is a user."""
        return isinstance(value, UserRow)

    @strawberry.field(name="id", description="The user's global ID.")
    def global_id(root: strawberry.Parent[UserRow]) -> strawberry.ID:
        """Encode the key."""
        return encode_id("User", root.id)

    @strawberry.field(description="The user's primary key.")
    def database_id(root: strawberry.Parent[UserRow]) -> int:
        """Show the key."""
        return root.id

    @strawberry.field(
        description="The email address; null unless the viewer is this user or an admin."
    )
    def email(root: strawberry.Parent[UserRow], info: Info) -> str | None:
        """Show the address to those it is for."""
        return root.email if _is_private_to(info.context.viewer, root) else None

    @strawberry.field(
        description="The last time of signing in; null unless the viewer is this user or an admin."
    )
    def last_login_at(root: strawberry.Parent[UserRow], info: Info) -> datetime | None:
        """Show the moment to those it is for."""
        return root.last_login_at if _is_private_to(info.context.viewer, root) else None

    @strawberry.field(description="The user's posts that the viewer may read.")
    def posts(
        root: strawberry.Parent[UserRow],
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
        """Connect the posts of this author."""
        criteria = filter_.criteria() if filter_ else PostCriteria()
        page = Slice.of(first, after, last, before, offset)
        return connect(info, POSTS_OF_AUTHOR, root.id, criteria, order_by, page)


@strawberry.type(description="One page of users, and how to get to the others.")
class UserConnection(Connection[User]):
    """A connection of users."""


def _is_private_to(viewer: Viewer, user: UserRow) -> bool:
    return viewer.id == user.id or viewer.role is models.UserRole.ADMIN
