"""Importing: dry runs, files that are skipped, and what goes wrong on the way."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from blog_graphql.db.database import Database
from blog_graphql.errors import ServiceUnavailable, StartupError
from blog_graphql.importing import import_folder, is_empty
from blog_graphql.settings import load_settings
from tests.importing.blogs import (
    FIRST,
    SECOND,
    counts,
    stored_paths,
    stored_posts,
    stored_tags,
    stored_users,
    write_blog,
)
from tests.support.backends import only_sqlite

OLD = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


async def test_a_dry_run_tells_all_and_writes_nothing(database: Database, blog: Path) -> None:
    write_blog(blog, {"bad.md": "---\ndate: soon\nauthor: x\n---\nText"})
    told = await import_folder(database, blog, dry_run=True)
    assert await is_empty(database)
    assert await stored_paths(database) == []
    done = await import_folder(database, blog)
    assert counts(told) == counts(done) == (2, 0, 0, 1)
    assert str(told) == (
        str(done).replace("Imported", "Dry run of importing") + "\nNothing was written."
    )


async def test_one_bad_file_never_stops_the_rest(database: Database, blog: Path) -> None:
    write_blog(
        blog,
        {
            "a.md": "---\ntitle: a: b\n---\nText",
            "b.md": "+++\ntitle\n+++\nText",
            "c.md": "---\nauthor: c\ndate: 2023-02-30\n---\nText",
            "d.md": "---\nauthor: d\ntags: {}\n---\nText",
            "e.md": "---\nauthor: e\n---\n",
        },
    )
    (blog / "f.md").write_bytes(b"---\ntitle: \xff\n---\nText")
    (blog / "g.md").symlink_to("g.md")
    with (blog / "h.md").open("wb") as large:
        large.truncate(8 * 1024 * 1024 + 1)
    summary = await import_folder(database, blog)
    assert counts(summary) == (2, 0, 0, 8)
    assert summary.skipped["g.md"].startswith("the file cannot be read: ")
    assert summary.skipped["h.md"] == "the file is over 8 MiB"
    assert list(await stored_users(database)) == ["jane", "joe"]
    assert list(await stored_posts(database)) == ["first", "second"]


async def test_a_post_that_the_database_refuses_leaves_nothing_behind(
    database: Database, blog: Path
) -> None:
    async with database.transaction() as session:
        await session.execute(text("CREATE UNIQUE INDEX one_title ON posts (title)"))
    refused = FIRST.replace("jane", "jack").replace("one", "other")
    write_blog(blog, {"first2.md": refused, "third.md": SECOND.replace("Second", "Third")})
    summary = await import_folder(database, blog)
    assert counts(summary) == (3, 0, 0, 1)
    assert summary.skipped == {
        "first2.md": "the database refused it; somebody else may be writing the same post"
    }
    assert list(await stored_posts(database)) == ["first", "second", "third"]
    assert list(await stored_users(database)) == ["jane", "joe"]
    assert await stored_tags(database) == ["one", "two"]

    before = await stored_posts(database)
    write_blog(blog, {"second.md": FIRST.replace("jane", "jack")})
    assert list((await import_folder(database, blog)).skipped) == ["first2.md", "second.md"]
    assert await stored_posts(database) == before
    assert list(await stored_users(database)) == ["jane", "joe"]


@only_sqlite
async def test_what_somebody_else_deletes_meanwhile_is_made_anew(
    database: Database, tmp_path: Path
) -> None:
    def delete_everything(done: int, _total: int) -> None:
        if done == 200:
            with closing(sqlite3.connect(database.settings.url.database or "")) as other:
                other.executescript("PRAGMA foreign_keys=ON; DELETE FROM users; DELETE FROM tags")

    blog = write_blog(tmp_path / "blog", {f"{n:03}.md": FIRST + str(n) for n in range(201)})
    summary = await import_folder(database, blog, on_progress=delete_everything)
    assert counts(summary) == (201, 0, 0, 0)
    assert list(await stored_posts(database)) == ["200"]

    await import_folder(database, blog)
    write_blog(blog, {f"{n:03}.md": SECOND + str(n) for n in range(201)})
    summary = await import_folder(database, blog, on_progress=delete_everything)
    assert counts(summary) == (1, 200, 0, 0)
    posts = await stored_posts(database)
    assert [(slug, post.author, post.tags) for slug, post in posts.items()] == [
        ("200", "joe", ("two",))
    ]


async def test_a_database_that_cannot_be_reached_stops_the_import(blog: Path) -> None:
    database = Database(
        load_settings(_env_file=None, database_url="postgresql://localhost:1/nothing")
    )
    with pytest.raises(ServiceUnavailable):
        await import_folder(database, blog)
    await database.dispose()


async def test_odd_files_are_counted_or_skipped(database: Database, tmp_path: Path) -> None:
    blog = write_blog(
        tmp_path / "blog",
        {
            "dir.md/post.md": FIRST,
            "picture.png": "",
            "README.md": "# Hi",
            "_index.md": "---\n---\n",
            "Größe/第一.MD": SECOND,
        },
    )
    (blog / "loop").symlink_to(blog)
    os.mkfifo(blog / "pipe.md")
    (blog / os.fsdecode(b"caf\xe9.md")).write_text(FIRST)
    summary = await import_folder(database, blog)
    assert dict(summary.ignored) == {
        "not Markdown": 2, "without front matter": 1, "_index.md": 1,
    }  # fmt: skip
    assert summary.skipped == {"caf\udce9.md": "the name of the file is not UTF-8"}
    assert "  caf\\udce9.md: the name of the file is not UTF-8" in str(summary).splitlines()
    assert list(await stored_posts(database)) == ["di-yi", "post"]


async def test_a_folder_that_cannot_be_read_is_skipped(
    database: Database, blog: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_blog(blog, {"locked/a.md": FIRST})
    scan = os.scandir

    def refuse_locked(path: Path | str) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse_locked)
    summary = await import_folder(database, blog)
    assert summary.skipped == {"locked": "Permission denied"}
    assert summary.created == 2


@pytest.mark.parametrize("name", ["nothing", "pipe", "nul\0"])
async def test_a_path_that_cannot_be_read_is_one_clear_line(
    database: Database, tmp_path: Path, name: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StartupError) as error:
        await import_folder(database, tmp_path / name)
    assert str(error.value).startswith(f"{tmp_path / name} cannot be read: ")
    assert await is_empty(database)


async def test_an_empty_folder_is_no_mistake(database: Database, tmp_path: Path) -> None:
    assert counts(await import_folder(database, tmp_path)) == (0, 0, 0, 0)
    assert await is_empty(database)


async def test_progress_is_told_after_every_batch(database: Database, tmp_path: Path) -> None:
    files = {f"{number:03}.md": FIRST + str(number) for number in range(201)}
    steps: list[tuple[int, int]] = []
    summary = await import_folder(
        database,
        write_blog(tmp_path / "blog", files),
        on_progress=lambda done, total: steps.append((done, total)),
    )
    assert steps == [(200, 201), (201, 201)]
    assert summary.created == 201
