"""Blogs as Jekyll, Hugo and Zola keep them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from blog_graphql.db.database import Database
from blog_graphql.db.models import UNUSABLE_PASSWORD, Post, User, UserRole
from blog_graphql.importing import import_folder
from tests.importing.blogs import HUGO, JEKYLL, ZOLA, Stored, stored_posts, stored_users, write_blog


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def test_a_jekyll_blog(database: Database, tmp_path: Path) -> None:
    blog = write_blog(tmp_path / "jekyll", JEKYLL)
    summary = await import_folder(database, blog)
    day, release, draft = utc("2020-01-02"), utc("2021-03-04T20"), utc("2022-01-01")
    assert await stored_posts(database) == {
        "hello-world": Stored(
            "Hello, World", "oe-author", ("intro", "jekyll", "news"), day, day, day, 1
        ),
        "release": Stored("A release", "jane", ("news",), release, release, release, 1),
        "someday": Stored("Someday", "jane", (), draft, None, draft, 1),
    }
    assert await stored_users(database) == {"jane": None, "oe-author": "oe"}
    assert str(summary) == (
        f"Imported {blog}\n"
        "  created        3\n"
        "  updated        0\n"
        "  unchanged      0\n"
        "  ignored        2  (1 not Markdown, 1 without front matter)\n"
        "  skipped        0\n"
        "Authors whose handle is no valid username:\n"
        "  oe is oe-author\n"
        "Further authors, not kept:\n"
        "  _posts/2021-03-04-release.md: Joe Bloggs"
    )


async def test_a_hugo_blog(database: Database, tmp_path: Path) -> None:
    summary = await import_folder(database, write_blog(tmp_path / "hugo", HUGO))
    bundle, edited, json = utc("2023-05-06T05:08:09"), utc("2023-06-01"), utc("2023-07-08")
    assert await stored_posts(database) == {
        "bundle": Stored("A bundle", "jane-doe", ("Hugo", "go"), bundle, bundle, edited, 1),
        "json": Stored("As JSON", "jane-doe", ("2023", "go"), json, None, json, 1),
    }
    assert await stored_users(database) == {"jane-doe": "Jane Doe"}
    assert dict(summary.ignored) == {"_index.md": 2, "not Markdown": 1}
    assert summary.skipped == {}


async def test_a_zola_blog(database: Database, tmp_path: Path) -> None:
    summary = await import_folder(database, write_blog(tmp_path / "zola", ZOLA))
    underscore, edition = utc("2018-10-10"), utc("2023-12-15")
    assert await stored_posts(database) == {
        "underscore": Stored("Underscore", "ben-kimock", (), underscore, underscore, underscore, 1),
        "2024-edition-cfp": Stored(
            "2024 Edition", "ben-kimock", ("edition",), edition, edition, edition, 1
        ),
    }
    assert await stored_users(database) == {"ben-kimock": None}
    assert summary.co_authors == {"content/2023-12-15-Edition.md": ("TC",)}
    assert summary.renamed == {"Ben Kimock": "ben-kimock"}


async def test_what_a_new_author_and_a_new_post_are_like(
    database: Database, tmp_path: Path
) -> None:
    await import_folder(database, write_blog(tmp_path / "zola", ZOLA))
    async with database.transaction() as session:
        user = (await session.scalars(select(User))).one()
        post = (await session.scalars(select(Post).where(Post.slug == "underscore"))).one()
    assert (user.email, user.hashed_password, user.role, user.is_active) == (
        None, UNUSABLE_PASSWORD, UserRole.AUTHOR, True,
    )  # fmt: skip
    assert (post.content, post.is_published, post.view_count) == ("Text", True, 0)
