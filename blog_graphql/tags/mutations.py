"""The root fields that write tags."""

from __future__ import annotations

from typing import Annotated

import strawberry

from blog_graphql.api.context import Info
from blog_graphql.api.mutation import INPUT, Permission, mutation
from blog_graphql.api.node import encode_id, key_of
from blog_graphql.api.payloads import DeletePayload, Payload
from blog_graphql.tags import service
from blog_graphql.tags.types import Tag


@strawberry.input(description="A new name for a tag.")
class RenameTagInput:
    """What ``renameTag`` takes."""

    id: strawberry.ID = strawberry.field(description="The tag's global ID.")
    name: str = strawberry.field(
        description="The new name: 1 to 50 characters. Spaces around it are dropped, those inside "
        "collapsed."
    )


@strawberry.input(description="Which tag to delete.")
class DeleteTagInput:
    """What ``deleteTag`` takes."""

    id: strawberry.ID = strawberry.field(description="The tag's global ID.")


@strawberry.type(description="The answer of a mutation of a tag.")
class TagPayload(Payload):
    """A tag by its key."""

    tag_id: strawberry.Private[int | None] = None

    @strawberry.field(description="The tag as it is now; null when nothing was done.")
    async def tag(self, info: Info) -> Tag | None:
        """Load the tag."""
        if self.tag_id is None:
            return None
        return await info.context.loaders.tag_by_id.load(self.tag_id)


@strawberry.type
class TagMutation:
    """Writing tags."""

    @mutation(
        Permission.EDITOR,
        "Rename a tag. Onto the name of another tag it merges the two: the other one stays and "
        "takes over the posts.",
    )
    async def rename_tag(
        self, info: Info, input_: Annotated[RenameTagInput, INPUT]
    ) -> TagPayload | None:
        """Rename or merge a tag."""
        key = key_of(input_.id, "Tag")
        tag_id = await info.context.write(service.rename_tag, key, input_.name)
        return TagPayload(tag_id=tag_id)

    @mutation(Permission.EDITOR, "Delete a tag, which takes it from its posts.")
    async def delete_tag(
        self, info: Info, input_: Annotated[DeleteTagInput, INPUT]
    ) -> DeletePayload | None:
        """Delete a tag."""
        key = key_of(input_.id, "Tag")
        await info.context.write(service.delete_tag, key)
        return DeletePayload(deleted_id=encode_id("Tag", key))
