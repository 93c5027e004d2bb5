"""What posts are written with."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import strawberry
from strawberry import UNSET

from blog_graphql.api.filters import given, given_values
from blog_graphql.api.node import key_of
from blog_graphql.posts.service import NewPost, PostChanges

_ID = "The post's global ID."
_SLUG = "The post's name in addresses: small letters, digits and single hyphens, at most 200."
_TAGS = "Names of at most 30 tags, each of 1 to 50 characters; new ones are made."
_TITLE = "The headline: 1 to 200 characters."
_CONTENT = "The whole text in Markdown: 1 to 500,000 characters."
_EXPECTED_VERSION = "Refuse with CONFLICT unless the post is at this version."


@strawberry.input(description="A new post.")
class CreatePostInput:
    """What ``createPost`` takes."""

    title: str = strawberry.field(description=_TITLE)
    content: str = strawberry.field(description=_CONTENT)
    slug: str | None = strawberry.field(
        default=UNSET, description=f"{_SLUG} Made from the title when left out."
    )
    is_published: bool = strawberry.field(
        default=False, description="Whether to publish it; else it is a draft."
    )
    published_at: datetime | None = strawberry.field(
        default=UNSET,
        description="The moment of publication: now when left out; in the future it is scheduled.",
    )
    tags: list[str] | None = strawberry.field(default=UNSET, description=_TAGS)
    author_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="The author, by global ID, when not the viewer: for editors."
    )

    def new_post(self) -> NewPost:
        """The post that the input describes."""
        author_id = given(self.author_id)
        return NewPost(
            title=self.title,
            content=self.content,
            slug=given(self.slug),
            is_published=self.is_published,
            published_at=given(self.published_at),
            tags=given(self.tags) or (),
            author_id=None if author_id is None else key_of(author_id, "User"),
        )


@strawberry.input(description="An edit of a post. What is left out stays as it is.")
class UpdatePostInput:
    """What ``updatePost`` takes."""

    id: strawberry.ID = strawberry.field(description=_ID)
    title: str | None = strawberry.field(default=UNSET, description=_TITLE)
    content: str | None = strawberry.field(default=UNSET, description=_CONTENT)
    slug: str | None = strawberry.field(
        default=UNSET,
        description=f"{_SLUG} One under which the post was visible goes on finding it.",
    )
    is_published: bool | None = strawberry.field(
        default=UNSET,
        description="Whether the post is published. Publishing sets `publishedAt` to now, unless "
        "it was set before; unpublishing keeps it.",
    )
    published_at: datetime | None = strawberry.field(
        default=UNSET,
        description="The moment of publication; null means now, or none on a draft.",
    )
    tags: list[str] | None = strawberry.field(
        default=UNSET, description=f"The whole new set. {_TAGS}"
    )
    expected_version: int | None = strawberry.field(default=UNSET, description=_EXPECTED_VERSION)

    def changes(self) -> PostChanges:
        """What the edit sets."""
        # The service's names of what can change are those of the fields above.
        return cast("PostChanges", given_values(self, PostChanges.__annotations__))


@strawberry.input(description="Which post to delete.")
class DeletePostInput:
    """What ``deletePost`` takes."""

    id: strawberry.ID = strawberry.field(description=_ID)
    expected_version: int | None = strawberry.field(default=UNSET, description=_EXPECTED_VERSION)


@strawberry.input(description="A tag on a post.")
class TagPostInput:
    """What ``addTagToPost`` and ``removeTagFromPost`` take."""

    post_id: strawberry.ID = strawberry.field(description=_ID)
    name: str = strawberry.field(description="The tag's name, whatever its case.")


@strawberry.input(description="Which post was viewed.")
class RecordPostViewInput:
    """What ``recordPostView`` takes."""

    id: strawberry.ID = strawberry.field(description=_ID)
