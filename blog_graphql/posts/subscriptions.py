"""The root fields that follow posts."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Annotated, Any, cast

import strawberry

from blog_graphql.api.context import Context, Info
from blog_graphql.api.filters import check_storable
from blog_graphql.api.node import key_of
from blog_graphql.api.subscription import Ended, Source
from blog_graphql.db.events import Events
from blog_graphql.db.rows import PostRow
from blog_graphql.errors import NotFound
from blog_graphql.posts.publication import Publication
from blog_graphql.posts.rules import UNKNOWN_POST
from blog_graphql.posts.types import Post
from blog_graphql.text import fold, fold_name

# How far the clock of the process that published may be ahead of the one that is told.
_CLOCKS_DIFFER = timedelta(seconds=2)


class PublishedPosts(Source):
    """The posts that become visible to everybody, of one tag or author where these are given."""

    def __init__(self, events: Events, tag: str | None, author: str | None) -> None:
        super().__init__(events.published())
        self._tag = tag
        self._author = author

    async def look(self, context: Context, key: int) -> PostRow | None:
        """The post, unless it is hidden again or another's."""
        post = await self._published(context, key)
        if post is None:
            now = context.now
            context.look_as(context.viewer, now + _CLOCKS_DIFFER)
            post = await self._published(context, key)
            # Whatever else is asked for is seen no earlier than it has to be.
            context.look_as(context.viewer, (post and post.published_at) or now)
        if post is None or not await self._is_by_author(context, post):
            return None
        return post if await self._has_tag(context, post) else None

    async def _published(self, context: Context, key: int) -> PostRow | None:
        post: PostRow | None = await context.loaders.post_by_id.load(key)
        if post is None:
            return None
        publication = Publication(post.is_published, post.published_at)
        return post if publication.is_visible(context.now) else None

    async def _is_by_author(self, context: Context, post: PostRow) -> bool:
        if self._author is None:
            return True
        author = await context.loaders.user_by_id.load(post.author_id)
        return author is not None and fold(author.username) == fold_name(self._author)

    async def _has_tag(self, context: Context, post: PostRow) -> bool:
        if self._tag is None:
            return True
        tags = await context.loaders.tags_of_post.load(post.id)
        return fold_name(self._tag) in {fold(tag.name) for tag in tags}


class ChangedPost(Source):
    """One post, until it is deleted or the viewer may not read it any longer."""

    def __init__(self, events: Events, key: int) -> None:
        super().__init__(events.changed(key))
        self._key = key

    async def begin(self, context: Context) -> None:
        """Refuse to follow what the viewer may not read.

        Raises:
            NotFound: there is no such post to be seen.
        """
        if await context.loaders.post_by_id.load(self._key) is None:
            raise NotFound(UNKNOWN_POST)

    async def look(self, context: Context, key: int) -> PostRow:
        """The post as it is now."""
        post: PostRow | None = await context.loaders.post_by_id.load(key)
        if post is None:
            raise Ended
        return post


@strawberry.type
class PostSubscription:
    """What happens to posts."""

    @strawberry.subscription(
        description="A post each time that one becomes visible to everybody: published now, or "
        "scheduled and its time has come."
    )
    async def post_published(
        self,
        info: Info,
        tag: Annotated[
            str | None, strawberry.argument(description="Only posts with the tag of this name.")
        ] = None,
        author: Annotated[
            str | None, strawberry.argument(description="Only posts by the user of this name.")
        ] = None,
    ) -> AsyncGenerator[Post, None]:
        """Follow all posts."""
        check_storable(tag)
        check_storable(author)
        return cast("Any", PublishedPosts(info.context.request.database.events, tag, author))

    @strawberry.subscription(
        description="A post each time that it was edited or viewed; views are told at most once a "
        "second. Ends when the post is deleted, or hidden from the viewer."
    )
    async def post_changed(
        self,
        info: Info,
        id_: Annotated[
            strawberry.ID, strawberry.argument(name="id", description="The post's global ID.")
        ],
    ) -> AsyncGenerator[Post, None]:
        """Follow one post."""
        events = info.context.request.database.events
        return cast("Any", ChangedPost(events, key_of(id_, "Post")))
