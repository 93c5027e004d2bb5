"""``docs/backup.md``: the commands for SQLite are run as printed, on a blog in use."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from blog_graphql.cli.database import open_database
from blog_graphql.db.database import Database
from blog_graphql.db.models import Post, Tag, User
from blog_graphql.settings import Settings, load_settings

CHECKOUT = Path(__file__).parents[1]
BACK_UP, RESTORE = re.findall(
    r"^```sh\n(.*?)^```$", (CHECKOUT / "docs" / "backup.md").read_text(), re.DOTALL | re.MULTILINE
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(_env_file=None, database_url=f"sqlite:///{tmp_path}/blog.db")


async def test_damaged_blog_is_restored_from_a_backup_taken_while_in_use(
    settings: Settings, tmp_path: Path
) -> None:
    async with open_database(settings) as database:
        await _publish(database, "before")
        async with database.transaction() as session:
            session.add(Tag(name="unfinished"))
            await session.flush()
            _run(BACK_UP, tmp_path)
        await _publish(database, "after")
        # The log of the running server lies beside the file when disaster strikes.
        assert (tmp_path / "blog.db-wal").stat().st_size > 0
        for name in ("blog.db-wal", "blog.db-shm"):
            (tmp_path / f"kept-{name}").write_bytes((tmp_path / name).read_bytes())
    for name in ("blog.db-wal", "blog.db-shm"):
        (tmp_path / f"kept-{name}").rename(tmp_path / name)
    (tmp_path / "blog.db").write_bytes(b"overwritten" * 1000)

    assert _run(RESTORE, tmp_path) == "ok\nnothing to do\n"

    async with open_database(settings) as database, database.transaction() as session:
        rows = await session.execute(select(Post.title, User.username).join(User))
        assert [tuple(row) for row in rows] == [("before", "before-author")]
        assert (await session.scalars(select(Tag.name))).all() == []


def test_backup_never_replaces_an_older_one(tmp_path: Path) -> None:
    (tmp_path / "backup.db").write_text("older")
    with pytest.raises(subprocess.CalledProcessError):
        _run(BACK_UP, tmp_path)
    assert (tmp_path / "backup.db").read_text() == "older"


async def _publish(database: Database, title: str) -> None:
    async with database.transaction() as session:
        author = User(username=f"{title}-author", hashed_password="!")
        session.add(Post(title=title, slug=title, content="Text", author=author))


def _run(script: str, folder: Path) -> str:
    """What a script prints, with this Python and this checkout's command in the path."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    python = shlex.quote(sys.executable)
    for name, arguments in (("python3", ""), ("blog-graphql", "-m blog_graphql")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {python} {arguments} "$@"\n')
        program.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": str(CHECKOUT),
    }
    finished = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return finished.stdout
