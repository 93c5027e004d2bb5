"""The tabs that GraphiQL opens with: their documents fit the schema, and run as they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

from blog_graphql.db.database import Database
from blog_graphql.importing.demo import load_demo
from tests.support.client import Client
from tests.support.clock import Clock

CHECKOUT = Path(__file__).parents[2]
SOURCE = CHECKOUT / "frontend" / "graphiql" / "src"
DOCUMENTS = {path.stem: path for path in sorted(SOURCE.glob("tour/*.graphql"))}


def document(name: str) -> str:
    return DOCUMENTS[name].read_text(encoding="utf-8")


def variables(name: str) -> dict[str, Any]:
    path = DOCUMENTS[name].with_suffix(".json")
    given: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return given


def test_the_tour_has_all_of_its_tabs_in_their_order() -> None:
    imports = (SOURCE / "tour.js").read_text(encoding="utf-8")
    places = [imports.find(f"'./tour/{name}.graphql'") for name in DOCUMENTS]
    assert places == sorted(places)
    assert places[0] > 0
    assert list(DOCUMENTS) == [
        "1-welcome",
        "2-pages",
        "3-filters",
        "4-nested-pages",
        "5-sign-up",
        "6-publish",
        "7-new-posts",
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_tab_explains_itself_and_fits_the_schema(name: str) -> None:
    schema = build_schema((CHECKOUT / "schema.graphql").read_text(encoding="utf-8"))
    assert document(name).startswith("# ")
    assert validate(schema, parse(document(name))) == []


async def test_the_tour_leads_to_a_post(client: Client, database: Database, clock: Clock) -> None:
    demo = await load_demo(database)
    clock.now = datetime(2026, 12, 1, tzinfo=UTC)

    welcome = await client.execute(document("1-welcome"))
    assert welcome["posts"]["totalCount"] == demo.created
    assert len(welcome["posts"]["nodes"]) == 3
    for post in welcome["posts"]["nodes"]:
        assert all(post[field] for field in ("title", "publishedAt", "tags"))
        assert post["author"]["fullName"]

    first_page = await client.execute(document("2-pages"), variables("2-pages"))
    end = first_page["posts"]["pageInfo"]["endCursor"]
    second_page = await client.execute(document("2-pages"), variables("2-pages") | {"after": end})
    titles = [
        edge["node"]["title"]
        for page in (first_page, second_page)
        for edge in page["posts"]["edges"]
    ]
    assert len(titles) == 10
    assert titles == sorted(titles)

    filtered = await client.execute(document("3-filters"), variables("3-filters"))
    assert [post["title"] for post in filtered["posts"]["nodes"]] == [
        "IDs that work everywhere",
        "Variables and fragments",
        "Your first query",
    ]

    nested = await client.execute(document("4-nested-pages"))
    assert [
        (user["username"], len(user["posts"]["nodes"])) for user in nested["users"]["nodes"]
    ] == [("mira", 2), ("tomas", 2), ("yuki", 2)]

    assert await client.refused(document("6-publish"), variables("6-publish")) == (
        "UNAUTHENTICATED",
        "Sign in first: this is for users.",
    )
    signed_up = await client.execute(document("5-sign-up"), variables("5-sign-up"))
    assert signed_up["createUser"] == {
        "user": {"username": "guest", "role": "AUTHOR"},
        "errors": [],
    }
    token = signed_up["login"]["accessToken"]
    again = await client.execute(document("5-sign-up"), variables("5-sign-up"))
    assert again["createUser"]["errors"][0]["code"] == "TAKEN"
    assert again["login"]["errors"] == []

    published = await client.execute(document("6-publish"), variables("6-publish"), token=token)
    assert published["createPost"]["errors"] == []
    assert published["createPost"]["post"]["slug"] == "hello-from-the-tour"
    newest = (await client.execute(document("1-welcome")))["posts"]["nodes"][0]
    assert newest["title"] == "Hello from the tour"
