"""The demo blog teaches this API: each query that it shows runs as printed."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from graphql import parse

from blog_graphql.db.database import Database
from blog_graphql.importing.demo import load_demo
from tests.support.client import Client

POSTS = sorted(
    post.name for post in (files("blog_graphql") / "demo").iterdir() if post.name.endswith(".md")
)
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
            data = await client.execute(query)
            for field, value in data.items():
                assert value, f"{field} is empty in a query of {name}"
