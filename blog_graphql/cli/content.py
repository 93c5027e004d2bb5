"""``blog-graphql import`` and ``blog-graphql demo``: posts from Markdown files."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from blog_graphql.cli.database import open_database
from blog_graphql.importing import Summary, import_folder, load_demo
from blog_graphql.importing.importer import ProgressCallback
from blog_graphql.logs import configure_logging
from blog_graphql.settings import Settings, load_settings


def import_posts(
    path: Annotated[
        Path,
        typer.Argument(help="A folder of posts as Jekyll, Hugo or Zola keep them, or one file."),
    ],
    author: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who wrote the posts that name nobody."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing; show what would be written.")
    ] = False,
) -> None:
    """Import Markdown posts with YAML, TOML or JSON front matter.

    Importing again brings in what is new or edited since and leaves the rest alone, edits made
    in the blog included. The exit status is 1 when a file had to be skipped.
    """
    settings = load_settings()
    configure_logging(settings)
    _report(asyncio.run(_import(settings, path, author, dry_run=dry_run)))


def load_demo_blog() -> None:
    """Load the demo blog: a dozen posts that teach the API, each with a query to try."""
    settings = load_settings()
    configure_logging(settings)
    _report(asyncio.run(_load_demo(settings)))


async def _import(settings: Settings, path: Path, author: str | None, *, dry_run: bool) -> Summary:
    with _untouched(settings) if dry_run else nullcontext(settings) as used:
        async with open_database(used) as database:
            with _progress_bar() as advance:
                return await import_folder(
                    database, path, author=author, dry_run=dry_run, on_progress=advance
                )


async def _load_demo(settings: Settings) -> Summary:
    async with open_database(settings) as database:
        return await load_demo(database)


@contextmanager
def _untouched(settings: Settings) -> Iterator[Settings]:
    """Settings for a copy of an SQLite file, which opening would make or migrate."""
    original = settings.database_file
    if original is None:
        yield settings
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder, "blog.db")
        if original.is_file():
            with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(copy)) as to:
                source.backup(to)
        yield load_settings(database_url=f"sqlite:///{copy}")


@contextmanager
def _progress_bar() -> Iterator[ProgressCallback]:
    console = Console(stderr=True)
    columns = (
        TextColumn("Importing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("Importing", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _report(summary: Summary) -> None:
    typer.echo(str(summary))
    if summary.skipped:
        raise typer.Exit(1)
