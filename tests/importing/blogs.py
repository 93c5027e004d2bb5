"""Small blogs as their generators write them, and a look at what became of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from blog_graphql.db.database import Database
from blog_graphql.db.models import Post, PostSource, Tag, User, post_tags
from blog_graphql.importing import Summary

FIRST = "---\ntitle: First\ndate: 2023-12-15\nauthor: jane\ntags: [one, two]\n---\nText\n"
SECOND = "---\ntitle: Second\ndate: 2023-12-16\nauthor: joe\ntags: [two]\n---\nText\n"

JEKYLL = {
    "_config.yml": "title: A blog\n",
    "README.md": "# A blog\n",
    ".github/ISSUE_TEMPLATE.md": "---\nname: Bug\n---\nHidden\n",
    "_site/2020/01/02/hello.html": "<p>built</p>",
    "_site/hello.md": FIRST,
    "node_modules/pack/readme.md": FIRST,
    "_posts/2020-01-02-hello-world.markdown": (
        '---\nlayout: post\ntitle: "Hello, World"\nauthor: oe\ncategory: news\n'
        "tags: intro jekyll\n---\n\nWelcome.\n"
    ),
    "_posts/2021-03-04-release.md": (
        "---\nlayout: post\ndate: 2021-03-04 12:00:00 -0800\nauthor: [jane, Joe Bloggs]\n"
        "categories: [News]\n---\n# A release\r\n\r\nWith Windows line ends.\r\n"
    ),
    "_drafts/someday.md": "---\ntitle: Someday\nauthor: jane\ndate: 2022-01-01\n---\nNot yet.\n",
}

HUGO = {
    "content/_index.md": "---\ntitle: Home\n---\nWelcome\n",
    "content/posts/_index.fr.md": "---\ntitle: Articles\n---\nBienvenue\n",
    "content/posts/bundle/index.md": (
        "+++\ntitle = 'A bundle'\ndate = 2023-05-06T07:08:09+02:00\nlastmod = 2023-06-01\n"
        "draft = false\ntags = ['go', 'Hugo']\n[params]\nauthor = 'Jane Doe'\n+++\n\nText\n"
    ),
    "content/posts/bundle/picture.png": "not really",
    "content/posts/json.md": (
        '{\n  "title": "As JSON",\n  "Date": "2023-07-08",\n  "author": {"name": "Jane Doe"},\n'
        '  "tags": ["GO", 2023],\n  "draft": true\n}\n\nText\n'
    ),
}

ZOLA = {
    "content/2023-12-15-Edition.md": (
        '+++\npath = "2023/12/15/2024-Edition-CFP"\ntitle = "2024 Edition"\n'
        'authors = ["Ben Kimock", "TC"]\n[taxonomies]\ntags = ["edition"]\n'
        "[extra]\nrelease = true\n+++\n\nText\n"
    ),
    "content/2018-10-10_underscore.md": (
        '+++\ntitle = "Underscore"\n[extra]\nauthor = "ben-kimock"\n+++\nText\n'
    ),
}


class Stored(NamedTuple):
    """A post as it is stored."""

    title: str
    author: str
    tags: tuple[str, ...]
    created_at: datetime
    published_at: datetime | None
    updated_at: datetime
    version: int


def write_blog(folder: Path, files: dict[str, str]) -> Path:
    """Write files by relative path, exactly as given."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    return folder


async def stored_posts(database: Database) -> dict[str, Stored]:
    """Every post by its slug."""
    async with database.transaction() as session:
        tags: dict[int, list[str]] = {}
        for post_id, name in await session.execute(
            select(post_tags.c.post_id, Tag.name).join(Tag).order_by(Tag.name)
        ):
            tags.setdefault(post_id, []).append(name)
        rows = await session.execute(select(Post, User.username).join(User).order_by(Post.id))
        return {
            post.slug: Stored(
                post.title,
                username,
                tuple(tags.get(post.id, ())),
                post.created_at,
                post.published_at,
                post.updated_at,
                post.version,
            )
            for post, username in rows
        }


async def stored_users(database: Database) -> dict[str, str | None]:
    """The full name of every user by username."""
    async with database.transaction() as session:
        rows = await session.execute(select(User.username, User.full_name).order_by(User.id))
        return {username: full_name for username, full_name in rows}  # noqa: C416 - rows, not pairs


async def stored_tags(database: Database) -> list[str]:
    """Every tag by name."""
    async with database.transaction() as session:
        return list(await session.scalars(select(Tag.name).order_by(Tag.name)))


async def stored_paths(database: Database) -> list[str]:
    """The path of every imported file."""
    async with database.transaction() as session:
        return list(await session.scalars(select(PostSource.path).order_by(PostSource.path)))


def counts(summary: Summary) -> tuple[int, int, int, int]:
    """How many files were created, updated, unchanged and skipped."""
    return summary.created, summary.updated, summary.unchanged, len(summary.skipped)
