"""The root fields that write posts."""

from __future__ import annotations

from typing import Annotated

import strawberry

from blog_graphql.api.context import Info
from blog_graphql.api.filters import given
from blog_graphql.api.mutation import INPUT, Permission, mutation
from blog_graphql.api.node import encode_id, key_of
from blog_graphql.api.payloads import DeletePayload, Payload
from blog_graphql.posts import service
from blog_graphql.posts.mutation_inputs import (
    CreatePostInput,
    DeletePostInput,
    RecordPostViewInput,
    TagPostInput,
    UpdatePostInput,
)
from blog_graphql.posts.types import Post


@strawberry.type(description="The answer of a mutation of a post.")
class PostPayload(Payload):
    """A post by its key."""

    post_id: strawberry.Private[int | None] = None

    @strawberry.field(description="The post as it is now; null when nothing was done.")
    async def post(self, info: Info) -> Post | None:
        """Load the post."""
        if self.post_id is None:
            return None
        return await info.context.loaders.post_by_id.load(self.post_id)


@strawberry.type
class PostMutation:
    """Writing posts."""

    @mutation(
        Permission.SIGNED_IN,
        "Write a post, as a draft unless it is to be published.",
    )
    async def create_post(
        self, info: Info, input_: Annotated[CreatePostInput, INPUT]
    ) -> PostPayload | None:
        """Write a post."""
        post_id = await info.context.write(service.create_post, input_.new_post())
        return PostPayload(post_id=post_id)

    @mutation(
        Permission.SIGNED_IN,
        "Edit a post: one's own, or any as an editor. Edits at the same moment without "
        "`expectedVersion` all succeed, and the last one wins field by field.",
    )
    async def update_post(
        self, info: Info, input_: Annotated[UpdatePostInput, INPUT]
    ) -> PostPayload | None:
        """Edit a post."""
        post_id, expected = key_of(input_.id, "Post"), given(input_.expected_version)
        await info.context.write(service.update_post, post_id, input_.changes(), expected)
        return PostPayload(post_id=post_id)

    @mutation(Permission.SIGNED_IN, "Delete a post: one's own, or any as an editor.")
    async def delete_post(
        self, info: Info, input_: Annotated[DeletePostInput, INPUT]
    ) -> DeletePayload | None:
        """Delete a post."""
        post_id, expected = key_of(input_.id, "Post"), given(input_.expected_version)
        await info.context.write(service.delete_post, post_id, expected)
        return DeletePayload(deleted_id=encode_id("Post", post_id))

    @mutation(
        Permission.SIGNED_IN,
        "Give a post a tag, which is made when there is none of that name: to one's own posts, "
        "or any as an editor.",
    )
    async def add_tag_to_post(
        self, info: Info, input_: Annotated[TagPostInput, INPUT]
    ) -> PostPayload | None:
        """Tag a post."""
        post_id = key_of(input_.post_id, "Post")
        await info.context.write(service.add_tag, post_id, input_.name)
        return PostPayload(post_id=post_id)

    @mutation(
        Permission.SIGNED_IN,
        "Take a tag from a post: from one's own, or any as an editor. A tag that it does not bear "
        "is no problem.",
    )
    async def remove_tag_from_post(
        self, info: Info, input_: Annotated[TagPostInput, INPUT]
    ) -> PostPayload | None:
        """Untag a post."""
        post_id = key_of(input_.post_id, "Post")
        await info.context.write(service.remove_tag, post_id, input_.name)
        return PostPayload(post_id=post_id)

    @mutation(Permission.ANYONE, "Count one view of a post.")
    async def record_post_view(
        self, info: Info, input_: Annotated[RecordPostViewInput, INPUT]
    ) -> PostPayload | None:
        """Count a view."""
        post_id = key_of(input_.id, "Post")
        await info.context.write(service.record_view, post_id)
        return PostPayload(post_id=post_id)
