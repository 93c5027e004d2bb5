"""Writing posts. Each function is one transaction's work, and leaves nothing when it raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import ColumnElement, Row, case, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from blog_graphql.db.events import Topic, announce
from blog_graphql.db.models import Post, Tag, User
from blog_graphql.db.rows import PostRow, columns
from blog_graphql.db.tagging import (
    MOST_TAGS,
    check_tag_name,
    find_or_create_tags,
    set_tags,
    tags_of_post,
)
from blog_graphql.db.visibility import Viewer, Visibility
from blog_graphql.errors import Forbidden, ProblemCode, Unauthenticated
from blog_graphql.posts.announcements import announce_creation, announce_edit
from blog_graphql.posts.publication import Publication
from blog_graphql.posts.rules import (
    UNKNOWN_POST,
    check_content,
    check_slug,
    check_tags,
    check_title,
)
from blog_graphql.posts.slugs import (
    SlugTaken,
    check_owner,
    free_slug,
    is_given_up,
    keep_slug,
    slug_owners,
)
from blog_graphql.slugs import slugify_title
from blog_graphql.text import fold
from blog_graphql.validation import Problems

# What an edit may set but not clear, and what the input calls it.
_NOT_NULL = {
    "title": "title",
    "content": "content",
    "slug": "slug",
    "is_published": "isPublished",
    "tags": "tags",
}
# The largest integer that GraphQL and a column of the database can hold.
_LARGEST_COUNT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post that is to be written; ``author_id`` is the viewer unless given."""

    title: str
    content: str
    slug: str | None = None
    is_published: bool = False
    published_at: datetime | None = None
    tags: Sequence[str] = ()
    author_id: int | None = None


class PostChanges(TypedDict, total=False):
    """What an edit sets; what it leaves out stays. None is refused where there must be a value."""

    title: str | None
    content: str | None
    slug: str | None
    is_published: bool | None
    published_at: datetime | None
    tags: Sequence[str] | None


async def create_post(session: AsyncSession, visibility: Visibility, new: NewPost) -> int:
    """Write a post; gives its key.

    Raises:
        Rejected: something must be mended.
        Forbidden: it is for another author, and the viewer is no editor.
    """
    problems = Problems()
    check_title(problems, new.title)
    check_content(problems, new.content)
    tags = check_tags(problems, new.tags)
    if new.slug is not None and check_slug(problems, new.slug):
        await _check_slug_is_free(session, new.slug, 0, problems)
    author_id = await _author(session, visibility.viewer, new.author_id, problems)
    problems.raise_any()
    now = visibility.now
    publication = Publication().changed(
        {"is_published": new.is_published, "published_at": new.published_at}, now
    )
    values = {
        "title": new.title,
        "content": new.content,
        **publication._asdict(),
        "author_id": author_id,
        "created_at": now,
        "updated_at": now,
    }
    tag_ids = await find_or_create_tags(session, tags, now)
    post_id = await _insert(session, values, new.slug)
    await set_tags(session, post_id, set(), set(tag_ids))
    announce_creation(session, post_id, publication, now)
    return post_id


async def update_post(
    session: AsyncSession,
    visibility: Visibility,
    post_id: int,
    changes: PostChanges,
    expected_version: int | None,
) -> None:
    """Edit a post. An edit that changes nothing moves neither ``version`` nor ``updated_at``.

    Raises:
        Rejected: something must be mended, or the post is not at ``expected_version``.
        Forbidden: the viewer may read the post but not edit it.
    """
    problems = Problems()
    tags = _check(problems, changes)
    post = await _lock(session, visibility, post_id, problems, "id", Post.__table__.c.content)
    _check_version(problems, post, expected_version)
    slug = changes.get("slug")
    if slug is not None and check_slug(problems, slug):
        await _check_slug_is_free(session, slug, post_id, problems)
    problems.raise_any()

    # Whoever waited for the lock comes after the one they waited for.
    now = visibility.clock()
    before = Publication(post.is_published, post.published_at)
    after = before.changed(changes, now)
    values: dict[str, Any] = {
        name: value
        for name, value in (changes | after._asdict()).items()
        if name != "tags" and value != getattr(post, name)
    }
    old_tags = new_tags = set[int]()
    if tags is not None:
        # First the locks on the tags, then a look at what a merge of them may have left.
        new_tags = set(await find_or_create_tags(session, tags, now))
        old_tags = await tags_of_post(session, post_id)
    if not values and old_tags == new_tags:
        return
    if is_given_up(before, after, now, slug_changes="slug" in values):
        await keep_slug(session, post_id, post.slug)
    await _save(session, post_id, values, now)
    await set_tags(session, post_id, old_tags, new_tags)
    announce_edit(session, post_id, before, after, now)


async def delete_post(
    session: AsyncSession, visibility: Visibility, post_id: int, expected_version: int | None
) -> None:
    """Delete a post with its links and old slugs.

    Raises:
        Rejected: there is no such post to be seen, or it is not at ``expected_version``.
        Forbidden: the viewer may read the post but not delete it.
    """
    problems = Problems()
    post = await _lock(session, visibility, post_id, problems, "id")
    _check_version(problems, post, expected_version)
    problems.raise_any()
    await session.execute(delete(Post).where(Post.id == post_id))
    announce(session, Topic.HIDDEN, post_id)


async def add_tag(session: AsyncSession, visibility: Visibility, post_id: int, name: str) -> None:
    """Give a post a tag, which is made when there is none of that name.

    Raises:
        Rejected: the name is none, the post has all the tags it may have, or is not to be seen.
        Forbidden: the viewer may read the post but not edit it.
    """
    problems = Problems()
    checked = check_tag_name(problems, name, "name")
    await _lock(session, visibility, post_id, problems, "postId")
    tag_ids = await find_or_create_tags(session, [checked] if checked else [], visibility.now)
    old = await tags_of_post(session, post_id)
    new = old | set(tag_ids)
    if len(new) > MOST_TAGS:
        problems.invalid(f"A post has at most {MOST_TAGS} tags: remove one first.", "name")
    problems.raise_any()
    await _retag(session, post_id, old, new, visibility.clock())


async def remove_tag(
    session: AsyncSession, visibility: Visibility, post_id: int, name: str
) -> None:
    """Take a tag from a post; one that it does not bear is no problem.

    Raises:
        Rejected: the name is none, or the post is not to be seen.
        Forbidden: the viewer may read the post but not edit it.
    """
    problems = Problems()
    checked = check_tag_name(problems, name, "name")
    await _lock(session, visibility, post_id, problems, "postId")
    problems.raise_any()
    tag_id = await session.scalar(select(Tag.id).where(Tag.name_key == fold(checked or "")))
    old = await tags_of_post(session, post_id)
    await _retag(session, post_id, old, old - {tag_id}, visibility.clock())


async def record_view(session: AsyncSession, visibility: Visibility, post_id: int) -> None:
    """Count one view of a post.

    Raises:
        Rejected: there is no such post to be seen.
    """
    counted = await session.scalar(
        update(Post)
        .where(Post.id == post_id, visibility.posts())
        .values(
            view_count=case(
                (Post.view_count < _LARGEST_COUNT, Post.view_count + 1), else_=Post.view_count
            )
        )
        .returning(Post.id)
    )
    if counted is None:
        Problems().reject(ProblemCode.NOT_FOUND, UNKNOWN_POST, "id")
    announce(session, Topic.VIEWED, post_id)


def _check(problems: Problems, changes: PostChanges) -> list[str] | None:
    """Check each change by itself but the slug; gives the names of the tags, if they change."""
    for name, field in _NOT_NULL.items():
        if changes.get(name, ...) is None:
            problems.invalid(f"{field} cannot be null: leave it out to keep it.", field)
    if (title := changes.get("title")) is not None:
        check_title(problems, title)
    if (content := changes.get("content")) is not None:
        check_content(problems, content)
    tags = changes.get("tags")
    return None if tags is None else check_tags(problems, tags)


async def _lock(
    session: AsyncSession,
    visibility: Visibility,
    post_id: int,
    problems: Problems,
    field: str,
    *more: ColumnElement[Any],
) -> Row[Any]:
    """A ``PostRow`` and more columns of a post that the viewer may edit, locked against others."""
    locked = await session.execute(
        select(*columns(PostRow), *more)
        .where(Post.id == post_id, visibility.posts())
        .with_for_update(key_share=True)
    )
    post = locked.one_or_none()
    if post is None:
        problems.reject(ProblemCode.NOT_FOUND, UNKNOWN_POST, field)
    viewer = visibility.viewer
    if not viewer.is_editorial and post.author_id != viewer.id:
        raise Forbidden("Only the author, editors and admins may change this post.")
    return post


def _check_version(problems: Problems, post: Row[Any], expected: int | None) -> None:
    if expected is not None and post.version != expected:
        problems.add(
            ProblemCode.CONFLICT,
            f"The post is at version {post.version}, not {expected}: read it again, then repeat "
            "your change.",
            "expectedVersion",
        )


async def _check_slug_is_free(
    session: AsyncSession, slug: str, post_id: int, problems: Problems
) -> None:
    if await slug_owners(session, slug) - {post_id}:
        problems.taken(_taken(slug), "slug")


async def _author(
    session: AsyncSession, viewer: Viewer, author_id: int | None, problems: Problems
) -> int:
    """Who is to be the author of a new post."""
    if viewer.id is None:
        raise Unauthenticated("Sign in to write.")
    if author_id is None or author_id == viewer.id:
        return viewer.id
    if not viewer.is_editorial:
        raise Forbidden("Only editors and admins may write in the name of others.")
    if not await _user_exists(session, author_id):
        problems.not_found("There is no such user.", "authorId")
    return author_id


async def _user_exists(session: AsyncSession, user_id: int) -> bool:
    """Whether there is such a user, who then cannot be deleted before the transaction ends."""
    user = select(User.id).where(User.id == user_id).with_for_update(read=True, key_share=True)
    return await session.scalar(user) is not None


async def _insert(session: AsyncSession, values: dict[str, Any], slug: str | None) -> int:
    """Insert a post under the slug, or the first one that is free for its title."""
    while True:
        chosen = slug or await free_slug(session, slugify_title(values["title"]))
        try:
            async with session.begin_nested():
                post_id: int = (
                    await session.execute(
                        insert(Post).values(slug=chosen, **values).returning(Post.id)
                    )
                ).scalar_one()
                await check_owner(session, chosen, post_id)
        except (IntegrityError, SlugTaken):
            if not await _user_exists(session, values["author_id"]):
                raise Unauthenticated("Your account was deleted meanwhile.") from None
            if slug is not None:
                Problems().reject(ProblemCode.TAKEN, _taken(slug), "slug")
        else:
            return post_id


async def _save(session: AsyncSession, post_id: int, values: dict[str, Any], now: datetime) -> None:
    """Update a post that is locked, as its next version."""
    changed = (
        update(Post)
        .where(Post.id == post_id)
        .values(version=Post.version + 1, updated_at=now, **values)
    )
    if "slug" not in values:
        await session.execute(changed)
        return
    try:
        async with session.begin_nested():
            await session.execute(changed)
            await check_owner(session, values["slug"], post_id)
    except (IntegrityError, SlugTaken):
        Problems().reject(ProblemCode.TAKEN, _taken(values["slug"]), "slug")


def _taken(slug: str) -> str:
    return f"The slug {slug} belongs to another post: choose another one."


async def _retag(
    session: AsyncSession, post_id: int, old: set[int], new: set[int], now: datetime
) -> None:
    if old != new:
        await set_tags(session, post_id, old, new)
        await _save(session, post_id, {}, now)
        announce(session, Topic.CHANGED, post_id)
