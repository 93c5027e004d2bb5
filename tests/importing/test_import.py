"""Importing: what is written, what is left alone, what is skipped."""

from __future__ import annotations

import asyncio
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from blog_graphql.db.database import Database
from blog_graphql.db.models import Post, PostSource, Tag, User, UserRole
from blog_graphql.db.visibility import Viewer, Visibility
from blog_graphql.errors import BadUserInput
from blog_graphql.importing import import_folder, is_empty
from blog_graphql.posts.service import update_post
from tests.importing.blogs import (
    FIRST,
    counts,
    stored_paths,
    stored_posts,
    stored_tags,
    stored_users,
    write_blog,
)
from tests.support.activity import waited_for
from tests.support.backends import only_postgresql

OLD = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


async def test_a_second_import_changes_nothing(database: Database, blog: Path) -> None:
    assert counts(await import_folder(database, blog)) == (2, 0, 0, 0)
    before = await stored_posts(database)
    assert counts(await import_folder(database, blog)) == (0, 0, 2, 0)
    assert await stored_posts(database) == before
    assert await stored_tags(database) == ["one", "two"]
    assert await stored_paths(database) == [f"{blog}/first.md", f"{blog}/second.md"]


async def test_an_unchanged_file_leaves_an_edit_alone(database: Database, blog: Path) -> None:
    await import_folder(database, blog)
    async with database.transaction() as session:
        await session.execute(update(Post).where(Post.slug == "first").values(title="Edited"))
    assert counts(await import_folder(database, blog)) == (0, 0, 2, 0)
    assert (await stored_posts(database))["first"].title == "Edited"


async def test_an_edited_file_updates_its_post(database: Database, blog: Path) -> None:
    await import_folder(database, blog)
    before = datetime.now(UTC)
    edited = FIRST.replace("First", "New").replace("[one, two]", "[two, three]")
    write_blog(blog, {"first.md": edited.replace("jane", "JOE").replace("12-15", "12-14")})
    assert counts(await import_folder(database, blog)) == (0, 1, 1, 0)
    posts = await stored_posts(database)
    assert list(posts) == ["first", "second"]
    post = posts["first"]
    assert (post.title, post.author, post.tags) == ("New", "joe", ("three", "two"))
    assert post.created_at == post.published_at == datetime(2023, 12, 14, tzinfo=UTC)
    assert post.version == 2
    assert post.updated_at >= before
    assert await stored_tags(database) == ["one", "three", "two"]


@only_postgresql
async def test_an_import_waits_for_an_edit_at_once_and_comes_after_it(
    database: Database, blog: Path
) -> None:
    await import_folder(database, blog)
    write_blog(blog, {"first.md": FIRST.replace("Text", "Other text")})
    editor = Visibility(Viewer(99, UserRole.EDITOR), datetime.now(UTC))
    async with database.transaction() as session:
        key = (await session.scalars(select(Post.id).where(Post.slug == "first"))).one()
        await update_post(session, editor, key, {"title": "Edited"}, None)
        importing = asyncio.create_task(import_folder(database, blog))
        await waited_for(session)
    assert counts(await importing) == (0, 1, 1, 0)
    async with database.transaction() as session:
        post = await session.get_one(Post, key)
        # The file says what the title is, too.
        assert (post.title, post.content, post.version) == ("First", "Other text", 3)


@pytest.mark.parametrize(
    ("old", "new"),
    [("[one, two]", "[one]"), ("Text", "Other text"), ("title: First", "title: F")],
)
async def test_any_change_counts_as_an_edit(
    database: Database, blog: Path, old: str, new: str
) -> None:
    await import_folder(database, blog)
    write_blog(blog, {"first.md": FIRST.replace(old, new)})
    assert counts(await import_folder(database, blog)) == (0, 1, 1, 0)
    assert (await stored_posts(database))["first"].version == 2


@pytest.mark.parametrize(
    "same",
    [FIRST.replace("\n", "\r\n"), FIRST + "\n\n", FIRST.replace("[one, two]", "TWO one")],
    ids=["line ends", "blank lines", "order of tags"],
)
async def test_a_rewritten_file_that_says_the_same_moves_nothing(
    database: Database, blog: Path, same: str
) -> None:
    await import_folder(database, blog)
    before = await stored_posts(database)
    write_blog(blog, {"first.md": same})
    assert counts(await import_folder(database, blog)) == (0, 0, 2, 0)
    assert await stored_posts(database) == before


async def test_the_front_matter_says_when_a_post_was_edited(database: Database, blog: Path) -> None:
    await import_folder(database, blog)
    edited = FIRST.replace("First", "New").replace("author", "lastmod: 2999-01-01\nauthor")
    write_blog(blog, {"first.md": edited})
    await import_folder(database, blog)
    post = (await stored_posts(database))["first"]
    assert (post.updated_at, post.version) == (datetime(2999, 1, 1, tzinfo=UTC), 2)


async def test_a_draft_is_published_and_withdrawn_by_its_file(
    database: Database, blog: Path
) -> None:
    published = datetime(2023, 12, 15, tzinfo=UTC)
    for content, expected in (
        (FIRST.replace("author", "draft: true\nauthor"), None),
        (FIRST, published),
        (FIRST.replace("author", "published: false\nauthor"), None),
    ):
        write_blog(blog, {"first.md": content})
        await import_folder(database, blog)
        assert (await stored_posts(database))["first"].published_at == expected


async def test_a_slug_changes_only_when_the_front_matter_names_another(
    database: Database, blog: Path
) -> None:
    await import_folder(database, blog)
    async with database.transaction() as session:
        await session.execute(update(Post).where(Post.slug == "first").values(slug="own"))
    write_blog(blog, {"first.md": FIRST + "More"})
    await import_folder(database, blog)
    assert list(await stored_posts(database)) == ["own", "second"]
    write_blog(blog, {"first.md": FIRST.replace("author", "slug: Named\nauthor")})
    await import_folder(database, blog)
    assert list(await stored_posts(database)) == ["named", "second"]


async def test_a_taken_slug_gets_a_number_and_keeps_it(database: Database, tmp_path: Path) -> None:
    named = FIRST.replace("author", "slug: same\nauthor")
    blog = write_blog(tmp_path, {"a.md": named, "b.md": named + "b", "same/index.md": FIRST})
    await import_folder(database, blog)
    assert list(await stored_posts(database)) == ["same", "same-2", "same-3"]
    write_blog(blog, {"b.md": named + "edited"})
    assert counts(await import_folder(database, blog)) == (0, 1, 2, 0)
    assert list(await stored_posts(database)) == ["same", "same-2", "same-3"]


async def test_a_moved_blog_is_recognised(database: Database, blog: Path, tmp_path: Path) -> None:
    await import_folder(database, blog)
    before = await stored_posts(database)
    moved = tmp_path / "moved"
    shutil.move(blog, moved)
    shutil.move(moved / "first.md", moved / "other-name.md")
    assert counts(await import_folder(database, moved)) == (0, 0, 2, 0)
    assert await stored_posts(database) == before
    assert await stored_paths(database) == [f"{moved}/other-name.md", f"{moved}/second.md"]
    assert counts(await import_folder(database, moved)) == (0, 0, 2, 0)


async def test_a_copy_is_a_post_of_its_own(database: Database, blog: Path) -> None:
    await import_folder(database, blog)
    write_blog(blog, {"copy/first.md": FIRST})
    assert counts(await import_folder(database, blog)) == (1, 0, 2, 0)
    assert list(await stored_posts(database)) == ["first", "second", "first-2"]


async def test_a_gone_file_is_found_again_once(database: Database, blog: Path) -> None:
    await import_folder(database, blog)
    (blog / "first.md").unlink()
    write_blog(blog, {"a.md": FIRST, "b.md": FIRST})
    assert counts(await import_folder(database, blog)) == (1, 0, 2, 0)
    assert list(await stored_posts(database)) == ["first", "second", "b"]


async def test_a_deleted_post_comes_back_with_its_file(database: Database, blog: Path) -> None:
    await import_folder(database, blog)
    async with database.transaction() as session:
        await session.execute(delete(Post).where(Post.slug == "first"))
    assert counts(await import_folder(database, blog)) == (1, 0, 1, 0)


async def test_one_file_is_the_same_alone_and_in_its_folder(database: Database, blog: Path) -> None:
    assert counts(await import_folder(database, blog / "first.md")) == (1, 0, 0, 0)
    assert counts(await import_folder(database, blog)) == (1, 0, 1, 0)


async def test_a_link_to_a_folder_is_the_folder(
    database: Database, blog: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(blog)
    await import_folder(database, link)
    assert counts(await import_folder(database, blog)) == (0, 0, 2, 0)


async def test_authors_and_tags_that_exist_are_reused_in_any_case(
    database: Database, blog: Path
) -> None:
    async with database.transaction() as session:
        session.add_all([User(username="Jane", hashed_password="!"), Tag(name="ONE")])
    await import_folder(database, blog)
    assert await stored_users(database) == {"Jane": None, "joe": None}
    assert await stored_tags(database) == ["ONE", "two"]
    post = (await stored_posts(database))["first"]
    assert (post.author, post.tags) == ("Jane", ("ONE", "two"))


async def test_an_invalid_handle_finds_its_user_again(database: Database, blog: Path) -> None:
    for name, handle in (("a.md", "Jane Doe"), ("b.md", "JANE  DOE"), ("c.md", "jane-doe")):
        write_blog(blog, {name: FIRST.replace("jane", handle)})
        await import_folder(database, blog)
    assert await stored_users(database) == {
        "jane-doe": "Jane Doe", "jane": None, "joe": None,
    }  # fmt: skip


async def test_somebody_else_of_that_username_is_not_taken(database: Database, blog: Path) -> None:
    async with database.transaction() as session:
        for username, name in (("oe-author", "Olga E"), ("joe-author", None)):
            session.add(User(username=username, full_name=name, hashed_password="!"))
    write_blog(
        blog, {"first.md": FIRST.replace("jane", "oe"), "second.md": FIRST.replace("jane", "oe")}
    )
    summary = await import_folder(database, blog)
    assert summary.renamed == {"oe": "oe-author-2"}
    assert await stored_users(database) == {
        "oe-author": "Olga E", "joe-author": None, "oe-author-2": "oe",
    }  # fmt: skip
    assert [post.author for post in (await stored_posts(database)).values()] == ["oe-author-2"] * 2


async def test_a_file_without_an_author_needs_one_given(database: Database, tmp_path: Path) -> None:
    blog = write_blog(tmp_path, {"a.md": FIRST.replace("author: jane\n", "")})
    summary = await import_folder(database, blog)
    assert summary.skipped == {"a.md": "it names no author; give one with --author NAME"}
    assert await is_empty(database)
    assert counts(await import_folder(database, blog, author="Jane Doe")) == (1, 0, 0, 0)
    assert await stored_users(database) == {"jane-doe": "Jane Doe"}


@pytest.mark.parametrize("author", ["", "  ", "a\0b", "\udcff"])
async def test_an_author_who_is_no_name_is_refused(
    database: Database, blog: Path, author: str
) -> None:
    with pytest.raises(BadUserInput, match=r"^the author must "):
        await import_folder(database, blog, author=author)
    assert await is_empty(database)


async def test_a_post_without_a_date_keeps_the_time_it_came_with(
    database: Database, tmp_path: Path
) -> None:
    undated = FIRST.replace("date: 2023-12-15\n", "draft: true\n")
    blog = write_blog(tmp_path, {"a.md": undated})
    os.utime(blog / "a.md", (OLD.timestamp(), OLD.timestamp()))
    summary = await import_folder(database, blog)
    assert summary.dated_by_file == ["a.md"]
    post = (await stored_posts(database))["a"]
    assert (post.created_at, post.published_at, post.updated_at) == (OLD, None, OLD)
    later = OLD.replace(year=2002)
    for content, published_at in ((undated.replace("true", "false"), later), (undated, None)):
        write_blog(blog, {"a.md": content})
        os.utime(blog / "a.md", (later.timestamp(), later.timestamp()))
        assert counts(await import_folder(database, blog)) == (0, 1, 0, 0)
        post = (await stored_posts(database))["a"]
        assert (post.created_at, post.published_at) == (OLD, published_at)


async def test_a_database_is_empty_until_something_is_in_it(database: Database) -> None:
    assert await is_empty(database)
    async with database.transaction() as session:
        session.add(Tag(name="one"))
    assert not await is_empty(database)


async def test_the_source_of_a_post_is_recorded(database: Database, blog: Path) -> None:
    await import_folder(database, blog, origin="demo:")
    async with database.transaction() as session:
        rows = await session.execute(select(PostSource.path, PostSource.content_hash))
    assert len({len(content_hash) for _, content_hash in rows}) == 1
    assert await stored_paths(database) == ["demo:/first.md", "demo:/second.md"]
    assert counts(await import_folder(database, blog)) == (2, 0, 0, 0)
