"""The demo blog: posts that come with the package and teach the API."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import as_file, files

from blog_graphql.db.database import Database
from blog_graphql.importing.importer import import_folder
from blog_graphql.importing.report import Summary

_ORIGIN = "demo:"


async def load_demo(database: Database) -> Summary:
    """Import the demo blog into a migrated database; a second time it changes nothing."""
    with as_file(files("blog_graphql") / "demo") as folder:
        summary = await import_folder(database, folder, origin=_ORIGIN)
    return replace(summary, source="the demo blog")
