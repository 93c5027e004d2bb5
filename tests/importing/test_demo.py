"""The demo blog."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path

from blog_graphql.db.database import Database
from blog_graphql.importing import import_folder, is_empty, load_demo
from tests.importing.blogs import stored_posts, stored_users


async def test_the_demo_blog_is_loaded_whole(database: Database) -> None:
    summary = await load_demo(database)
    assert str(summary) == (
        "Imported the demo blog\n"
        "  created       14\n"
        "  updated        0\n"
        "  unchanged      0\n"
        "  ignored        0\n"
        "  skipped        0"
    )
    assert not await is_empty(database)
    posts = await stored_posts(database)
    assert len(posts) == 14
    assert next(iter(posts)) == "your-first-query"
    assert {post.author for post in posts.values()} == {"mira", "tomas", "yuki"}
    assert all(post.tags for post in posts.values())
    for post in posts.values():
        assert post.published_at is not None
        assert datetime(2026, 1, 1, tzinfo=UTC) < post.published_at
        assert post.published_at < datetime(2026, 11, 1, tzinfo=UTC)
    assert await stored_users(database) == {
        "mira": "Mira Lindqvist", "tomas": "Tomás Herrera", "yuki": "Yuki Tanabe",
    }  # fmt: skip


async def test_loading_the_demo_blog_again_changes_nothing(database: Database) -> None:
    await load_demo(database)
    before = await stored_posts(database)
    summary = await load_demo(database)
    assert (summary.created, summary.updated, summary.unchanged) == (0, 0, 14)
    assert await stored_posts(database) == before


async def test_a_copy_of_the_demo_blog_is_a_blog_of_its_own(
    database: Database, tmp_path: Path
) -> None:
    await load_demo(database)
    with as_file(files("blog_graphql") / "demo") as folder:
        copy = shutil.copytree(folder, tmp_path / "copy")
    summary = await import_folder(database, copy)
    assert (summary.created, summary.unchanged) == (14, 0)
    assert len(await stored_posts(database)) == 28
