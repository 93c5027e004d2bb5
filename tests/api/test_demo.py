"""The demo blog teaches this API: each query that it shows runs as printed."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from graphql import parse

from blog_graphql.db.database import Database
from blog_graphql.db.models import UserRole
from blog_graphql.db.visibility import ANONYMOUS, Viewer
from blog_graphql.importing.demo import load_demo
from tests.support.client import Client

POSTS = sorted(
    post.name for post in (files("blog_graphql") / "demo").iterdir() if post.name.endswith(".md")
)
# Whoever pasted the token of the post on signing in. The demo's users are its authors.
SIGNED_IN = Viewer(1, UserRole.AUTHOR)
FENCE = re.compile(r"^```graphql\n(.*?)^```", re.MULTILINE | re.DOTALL)


def queries(name: str) -> list[str]:
    text = (files("blog_graphql") / "demo" / name).read_text(encoding="utf-8")
    return FENCE.findall(text)


def test_there_is_a_dozen() -> None:
    assert len(POSTS) >= 12


@pytest.mark.parametrize("name", POSTS)
def test_each_post_shows_a_query(name: str) -> None:
    assert queries(name)
    for query in queries(name):
        parse(query)


async def test_every_query_runs_as_printed(client: Client, database: Database) -> None:
    summary = await load_demo(database)
    assert (summary.created, summary.skipped) == (len(POSTS), {})
    for name in POSTS:
        for query in queries(name):
            viewer = ANONYMOUS if "login" in query else SIGNED_IN
            data = await client.execute(query, viewer=viewer)
            for field, value in data.items():
                assert value, f"{field} is empty in a query of {name}"
