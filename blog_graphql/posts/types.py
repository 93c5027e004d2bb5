"""The GraphQL types of posts."""

from __future__ import annotations

from asyncio import to_thread
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from blog_graphql.api.connection import Connection
from blog_graphql.api.context import Info
from blog_graphql.api.node import Node, encode_id
from blog_graphql.db.rows import PostRow
from blog_graphql.errors import StaleRead
from blog_graphql.posts.excerpt import DEFAULT_EXCERPT, LONGEST_EXCERPT, SHORTEST_EXCERPT, excerpt

if TYPE_CHECKING:
    from blog_graphql.tags.types import Tag
    from blog_graphql.users.types import User


@strawberry.type(description="An article.")
class Post(Node):
    """A ``PostRow`` as GraphQL shows it."""

    slug: str = strawberry.field(description="The post's name in addresses; unique.")
    title: str = strawberry.field(description="The headline.")
    is_published: bool = strawberry.field(
        description="Whether the post is published, or will be when `publishedAt` comes."
    )
    published_at: datetime | None = strawberry.field(
        description="The moment of publication. In the future: scheduled, and hidden until then."
    )
    view_count: int = strawberry.field(description="How often the post was viewed.")
    version: int = strawberry.field(description="Grows with every edit.")
    created_at: datetime = strawberry.field(description="The moment of writing.")
    updated_at: datetime = strawberry.field(description="The last edit.")

    @classmethod
    def is_type_of(cls, value: Any, _info: Any) -> bool:
        """Whether a value of an abstract type is a post."""
        return isinstance(value, PostRow)

    @strawberry.field(name="id", description="The post's global ID.")
    def global_id(root: strawberry.Parent[PostRow]) -> strawberry.ID:
        """Encode the key."""
        return encode_id("Post", root.id)

    @strawberry.field(description="The post's primary key.")
    def database_id(root: strawberry.Parent[PostRow]) -> int:
        """Show the key."""
        return root.id

    @strawberry.field(description="The whole text, in Markdown as written.")
    async def content(root: strawberry.Parent[PostRow], info: Info) -> str:
        """Load the text."""
        return await info.context.loaders.post_content.load(root.id)

    @strawberry.field(description="The beginning as plain text, cut at a word.")
    async def excerpt(
        root: strawberry.Parent[PostRow],
        info: Info,
        length: Annotated[
            int | None,
            strawberry.argument(
                description="The most characters, ellipsis included: "
                f"{SHORTEST_EXCERPT} to {LONGEST_EXCERPT}."
            ),
        ] = DEFAULT_EXCERPT,
    ) -> str:
        """Load the text and cut it."""
        content = await info.context.loaders.post_beginning.load(root.id)
        # Parsing is work enough to keep others waiting.
        return await to_thread(excerpt, content, DEFAULT_EXCERPT if length is None else length)

    @strawberry.field(description="Who wrote the post.")
    async def author(
        root: strawberry.Parent[PostRow], info: Info
    ) -> Annotated[User, strawberry.lazy("blog_graphql.users.types")]:
        """Load the author."""
        author = await info.context.loaders.user_by_id.load(root.author_id)
        if author is None:
            raise StaleRead(f"user {root.author_id} vanished")
        return author

    @strawberry.field(description="The post's tags, by name.")
    async def tags(
        root: strawberry.Parent[PostRow], info: Info
    ) -> list[Annotated[Tag, strawberry.lazy("blog_graphql.tags.types")]]:
        """Load the tags."""
        return await info.context.loaders.tags_of_post.load(root.id)


@strawberry.type(description="One page of posts, and how to get to the others.")
class PostConnection(Connection[Post]):
    """A connection of posts."""
